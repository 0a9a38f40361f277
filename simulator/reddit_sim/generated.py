"""A made-up world of people talking about phones, the same for the same seed, with the truth of what they mean."""

import random
import string
import zlib
from collections.abc import Iterable

from . import phrases
from .shapes import comment_fields, post_fields
from .things import Comment, Post
from .world import Opinion, SubredditSpec, World

_DAY_S = 86_400
_HOUR_S = 3_600
_THREAD_LIFE_S = 36 * _HOUR_S
_BASE36 = string.digits + string.ascii_lowercase

# How lively each hour of the day (UTC) is; the mean is 1.
_RHYTHM = [
    1.2,
    1.1,
    1.0,
    0.9,
    0.7,
    0.5,
    0.4,
    0.4,
    0.5,
    0.6,
    0.8,
    0.9,
    1.0,
    1.1,
    1.2,
    1.3,
    1.3,
    1.3,
    1.3,
    1.3,
    1.3,
    1.3,
    1.3,
    1.3,
]

DEFAULT_SUBREDDITS = (
    SubredditSpec("smartphones", submissions_per_hour=6, comments_per_submission=12),
    SubredditSpec("Android", submissions_per_hour=20, comments_per_submission=13),
    SubredditSpec("PocketPhones", submissions_per_hour=0.4, comments_per_submission=8),
)


class GeneratedWorld(World):
    """Talk made day by day from (seed, subreddit, day), so that worlds of one seed agree on the days they share.

    It begins at `start_ts` and goes on as far as the clock is moved. `truth` and `flags` tell what an item really is.
    """

    def __init__(self, seed: int, start_ts: int, subreddits: Iterable[SubredditSpec] | None = None) -> None:
        super().__init__(
            SubredditSpec(
                spec.name,
                spec.submissions_per_hour,
                spec.comments_per_submission,
                spec.access,
                start_ts if spec.created_utc is None else spec.created_utc,
            )
            for spec in (DEFAULT_SUBREDDITS if subreddits is None else subreddits)
        )
        self._seed = seed
        self._start_ts = start_ts
        self._next_day = start_ts // _DAY_S
        self._truth: dict[str, list[Opinion]] = {}
        self._flags: dict[str, list[str]] = {}

    def prepare(self, now: int) -> None:
        """Make the days up to `now`."""
        while self._next_day <= now // _DAY_S:
            for spec in self.subreddits.values():
                self._make_day(spec, self._next_day)
            self._next_day += 1

    def truth(self, fullname: str) -> list[Opinion]:
        """Return what an item really says."""
        return self._truth.get(fullname, [])

    def flags(self, fullname: str) -> list[str]:
        """Return what an item is besides an opinion: sarcasm, spam, bot."""
        return self._flags.get(fullname, [])

    def _make_day(self, spec: SubredditSpec, day: int) -> None:
        dice = random.Random(f"{self._seed}/{spec.name.lower()}/{day}")
        posts, comments = [], []
        times = sorted(
            day * _DAY_S + hour * _HOUR_S + dice.randrange(_HOUR_S)
            for hour in range(24)
            for _ in range(_poisson(dice, spec.submissions_per_hour * _RHYTHM[hour]))
        )
        for number, created in enumerate(times):
            post = self._post(dice, spec, created, number)
            thread = self._thread(dice, spec, post)
            if created >= self._start_ts:
                posts.append(post)
                comments += thread
        self.add(posts, comments)

    def _post(self, dice: random.Random, spec: SubredditSpec, created: int, number: int) -> Post:
        # Ids of submissions grow with time over the whole site.
        serial = created * 4_096 + number % 64 * 64 + zlib.crc32(spec.name.encode()) % 64
        item_id = _base36(serial)
        brand, product = _product(dice)
        aspect = dice.choice(list(phrases.ASPECTS))
        title = dice.choice(phrases.TITLES).format(
            x=product, y=_product(dice)[1], aspect=dice.choice(phrases.ASPECTS[aspect][0])
        )
        said, opinions, flags = _say(dice, brand, product, aspect)
        post = Post(
            id=item_id,
            subreddit=spec.name,
            created_utc=created,
            fields=post_fields(item_id, spec.name, title, said, _author(dice, flags), dice),
            final_score=_score(dice, 40),
        )
        if dice.random() < 0.02:
            post.listed_ts = created + dice.randrange(300, 5 * _HOUR_S)  # held back by a filter, approved later
        _live(dice, post, "selftext", vanish=0.08)
        self._keep_truth(post.name, opinions, flags)
        return post

    def _thread(self, dice: random.Random, spec: SubredditSpec, post: Post) -> list[Comment]:
        count = _poisson(dice, spec.comments_per_submission * dice.choice((0.2, 0.5, 1, 1, 1.2, 2.1)))
        delays = sorted(int(min(_THREAD_LIFE_S, dice.expovariate(1 / (5 * _HOUR_S)))) + 15 for _ in range(count))
        thread: list[Comment] = []
        for delay in delays:
            created = max(post.created_utc, post.listed_ts) + delay
            parent = dice.choice(thread) if thread and dice.random() < 0.6 else None
            thread.append(self._comment(dice, post, created, parent))
        return thread

    def _comment(self, dice: random.Random, post: Post, created: int, parent: Comment | None) -> Comment:
        item_id = _base36(dice.getrandbits(64)).rjust(13, "0")  # ids of comments tell nothing about time
        brand, product = _product(dice)
        said, opinions, flags = _say(dice, brand, product, dice.choice(list(phrases.ASPECTS)))
        if not flags and dice.random() < 0.3:
            said, opinions = dice.choice(phrases.NEUTRAL), []
        comment = Comment(
            id=item_id,
            subreddit=post.subreddit,
            created_utc=created,
            fields=comment_fields(item_id, post, said, _author(dice, flags), dice),
            final_score=_score(dice, 12),
            link_id=post.id,
            parent_id=parent.name if parent else post.name,
        )
        if dice.random() < 0.005:
            comment.listed_ts = created + dice.randrange(300, 5 * _HOUR_S)
        _live(dice, comment, "body", vanish=0.035)
        self._keep_truth(comment.name, opinions, flags)
        return comment

    def _keep_truth(self, name: str, opinions: list[Opinion], flags: list[str]) -> None:
        if opinions:
            self._truth[name] = opinions
        if flags:
            self._flags[name] = flags


def _say(dice: random.Random, brand: str, product: str, aspect: str) -> tuple[str, list[Opinion], list[str]]:
    """Return a text, what it means, and what else it is."""
    chance = dice.random()
    if chance < 0.02:
        return dice.choice(phrases.SPAM).format(x=product), [], ["spam"]
    if chance < 0.04:
        return dice.choice(phrases.BOT).format(x=product), [], ["bot"]
    if chance < 0.07:
        kind = "battery" if "battery" in (said := dice.choice(phrases.SARCASM)) else "performance"
        return said.format(x=product), [Opinion(brand, product, kind, -1, "sarcasm")], ["sarcasm"]
    if chance < 0.15:
        other_brand, other = _product(dice, but=brand)
        called = dice.choice(phrases.ASPECTS[aspect][0])
        said = dice.choice(phrases.COMPARISONS).format(a=product, b=other, aspect=called)
        pair = [
            Opinion(brand, product, aspect, 1, "comparison"),
            Opinion(other_brand, other, aspect, -1, "comparison"),
        ]
        return _dressed(dice, said), pair, []
    polarity = dice.choices((1, -1, 0), weights=_LEANING[brand])[0]
    bank = phrases.ASPECTS[aspect][{1: 1, -1: 2, 0: 3}[polarity]]
    return _dressed(dice, dice.choice(bank).format(x=product)), [Opinion(brand, product, aspect, polarity)], []


# Each brand's share of praise, complaint and plain statements.
_LEANING = {
    "Apple": (45, 30, 25),
    "Samsung": (40, 35, 25),
    "Google": (50, 30, 20),
    "Nothing": (55, 20, 25),
    "OnePlus": (40, 30, 30),
    "Xiaomi": (35, 40, 25),
}
_WEIGHTS = (30, 28, 20, 6, 8, 8)


def _product(dice: random.Random, but: str = "") -> tuple[str, str]:
    brand = but
    while brand == but:
        brand = dice.choices(list(phrases.BRANDS), weights=_WEIGHTS)[0]
    return brand, dice.choice(phrases.BRANDS[brand])


def _dressed(dice: random.Random, said: str) -> str:
    opener = dice.choice(phrases.OPENERS)
    sentence = opener + said if opener else said[0].upper() + said[1:]
    more = "".join(dice.sample(phrases.MORE, dice.choice((0, 0, 1, 2))))
    return f"{sentence}.{more}{dice.choice(phrases.CLOSERS)}"


def _live(dice: random.Random, thing: Post | Comment, text_field: str, vanish: float) -> None:
    """Give a thing its fate: most stay as they are, some are edited, some are deleted or removed."""
    if dice.random() < 0.05:
        thing.edit_ts = thing.created_utc + dice.randrange(60, 6 * _HOUR_S)
        thing.edited_text = f"{thing.fields[text_field]}\n\nEdit: thanks for the answers."
    if dice.random() < vanish:
        thing.gone_ts = thing.listed_ts + int(dice.expovariate(1 / (8 * _HOUR_S))) + 30
        thing.gone_by = dice.choice(("author", "moderator"))


def _author(dice: random.Random, flags: list[str]) -> str:
    if "bot" in flags:
        return "AutoModerator"
    if "spam" in flags:
        return f"deal_hunter_{dice.randrange(20)}"
    mood = dice.choice(("quiet", "loud", "old", "tiny", "brave"))
    return f"{mood}_{dice.choice(('otter', 'fox', 'yak', 'crow'))}_{dice.randrange(400)}"


def _score(dice: random.Random, scale: int) -> int:
    return round(dice.paretovariate(1.2) * scale / 8) - dice.choice((0, 0, 0, 4))


def _poisson(dice: random.Random, mean: float) -> int:
    """Draw a count: by waiting times, which is exact and quick for the small means used here."""
    count, waited = 0, dice.expovariate(1.0)
    while waited < mean:
        count += 1
        waited += dice.expovariate(1.0)
    return count


def _base36(number: int) -> str:
    digits: list[str] = []
    while number or not digits:
        number, digit = divmod(number, 36)
        digits.append(_BASE36[digit])
    return "".join(reversed(digits))
