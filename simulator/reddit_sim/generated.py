"""A made-up world of people talking about phones, the same for the same seed, with the truth of what they mean."""

import random
import string
import zlib
from collections.abc import Iterable, Sequence
from typing import Literal

from . import wordings
from .plants import Plant
from .rhythm import DAY_S, HOUR_S, moments, poisson
from .shapes import comment_fields, post_fields
from .talk import PlainTalk, Said, Talk
from .things import Comment, Post
from .varied import Crowd, VariedTalk
from .wordings import worded
from .world import Opinion, SubredditSpec, World

_THREAD_LIFE_S = 36 * HOUR_S
_BASE36 = string.digits + string.ascii_lowercase

DEFAULT_SUBREDDITS = (
    SubredditSpec("smartphones", submissions_per_hour=6, comments_per_submission=12),
    SubredditSpec("Android", submissions_per_hour=20, comments_per_submission=13),
    SubredditSpec("PocketPhones", submissions_per_hour=0.4, comments_per_submission=8),
)


class GeneratedWorld(World):
    """Talk made day by day from (seed, subreddit, day), so that worlds of one seed agree on the days they share.

    It begins at `start_ts` and goes on as far as the clock is moved. `truth` and `flags` tell what an item really is.
    `plants` add to what is said and change nothing of the rest but the counts of comments. Talk that is `varied` has
    few texts that are alike, authors of very different activity and opinion, and quiet weekends; titles that name a
    product, spam and bots have a truth there, too.
    """

    def __init__(
        self,
        seed: int,
        start_ts: int,
        subreddits: Iterable[SubredditSpec] | None = None,
        plants: Sequence[Plant] = (),
        talk: Literal["plain", "varied"] = "plain",
    ) -> None:
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
        self._plants = plants
        self._crowd = Crowd(seed)
        self._talk: Talk = VariedTalk(self._crowd) if talk == "varied" else PlainTalk()
        self._next_day = start_ts // DAY_S
        self._truth: dict[str, list[Opinion]] = {}
        self._flags: dict[str, list[str]] = {}

    def prepare(self, now: int) -> None:
        """Make the days up to `now`."""
        while self._next_day <= now // DAY_S:
            for spec in self.subreddits.values():
                self._make_day(spec, self._next_day)
            for number, plant in enumerate(self._plants):
                self._plant_day(plant, random.Random(f"{self._seed}/plant {number}/{self._next_day}"))
            self._next_day += 1

    def truth(self, fullname: str) -> list[Opinion]:
        """Return what an item really says."""
        return self._truth.get(fullname, [])

    def flags(self, fullname: str) -> list[str]:
        """Return what an item is besides an opinion: sarcasm, spam, bot, flood, or part of an event."""
        return self._flags.get(fullname, [])

    def _make_day(self, spec: SubredditSpec, day: int) -> None:
        dice = random.Random(f"{self._seed}/{spec.name.lower()}/{day}")
        posts, comments = [], []
        times = moments(dice, day, spec.submissions_per_hour * self._talk.liveliness(day))
        for number, created in enumerate(times):
            # Ids of submissions grow with time over the whole site.
            serial = created * 4_096 + number % 64 * 64 + zlib.crc32(spec.name.encode()) % 64
            said = self._talk.submission(dice)
            post = self._post(dice, spec, created, serial, said)
            if dice.random() < 0.02:
                post.listed_ts = created + dice.randrange(300, 5 * HOUR_S)  # held back by a filter, approved later
            _live(dice, post, "selftext", vanish=0.08)
            thread = self._thread(dice, spec, post, said)
            if created >= self._start_ts:
                posts.append(post)
                comments += thread
        self.add(posts, comments)

    def _thread(self, dice: random.Random, spec: SubredditSpec, post: Post, opened: Said) -> list[Comment]:
        count = poisson(dice, spec.comments_per_submission * dice.choice((0.2, 0.5, 1, 1, 1.2, 2.1)))
        delays = sorted(int(min(_THREAD_LIFE_S, dice.expovariate(1 / (5 * HOUR_S)))) + 15 for _ in range(count))
        thread: list[Comment] = []
        for delay in delays:
            created = max(post.created_utc, post.listed_ts) + delay
            parent = dice.choice(thread) if thread and dice.random() < 0.6 else None
            item_id = _comment_id(dice)
            comment = self._comment(dice, post, created, item_id, self._talk.comment(dice, opened), parent)
            if dice.random() < 0.005:
                comment.listed_ts = created + dice.randrange(300, 5 * HOUR_S)
            _live(dice, comment, "body", vanish=0.035)
            thread.append(comment)
        return thread

    def _plant_day(self, plant: Plant, dice: random.Random) -> None:
        """Put what is said into threads of all subreddits, by their traffic."""
        specs = list(self.subreddits.values())
        traffic = [spec.submissions_per_hour * (1 + spec.comments_per_submission) for spec in specs]
        for created, said in plant.said(dice, self._next_day, self._crowd):
            if created < self._start_ts:
                continue
            spec = dice.choices(specs, weights=traffic)[0]
            threads = [] if said.title else self._open_threads(spec.name, created)
            if threads:
                self.add([], [self._comment(dice, dice.choice(threads), created, _comment_id(dice), said, None)])
            else:
                serial = created * 4_096 + dice.randrange(4_096)
                self.add([self._post(dice, spec, created, serial, said)], [])

    def _open_threads(self, subreddit: str, now: int) -> list[Post]:
        """Return the submissions that people still answer."""
        return [
            post
            for post in self.posts(subreddit)
            if post.listed_ts < now < post.created_utc + _THREAD_LIFE_S and not post.is_gone(now)
        ]

    def _post(self, dice: random.Random, spec: SubredditSpec, created: int, serial: int, said: Said) -> Post:
        item_id = _base36(serial)
        title = said.title or worded(dice, wordings.BARE_TITLES)
        post = Post(
            id=item_id,
            subreddit=spec.name,
            created_utc=created,
            fields=post_fields(item_id, spec.name, title, said.text, said.author, dice),
            final_score=_score(dice, 40),
        )
        self._keep_truth(post.name, said)
        return post

    def _comment(
        self, dice: random.Random, post: Post, created: int, item_id: str, said: Said, parent: Comment | None
    ) -> Comment:
        comment = Comment(
            id=item_id,
            subreddit=post.subreddit,
            created_utc=created,
            fields=comment_fields(item_id, post, said.text, said.author, dice),
            final_score=_score(dice, 12),
            link_id=post.id,
            parent_id=parent.name if parent else post.name,
        )
        self._keep_truth(comment.name, said)
        return comment

    def _keep_truth(self, name: str, said: Said) -> None:
        if said.opinions:
            self._truth[name] = said.opinions
        if said.flags:
            self._flags[name] = said.flags


def _comment_id(dice: random.Random) -> str:
    return _base36(dice.getrandbits(64)).rjust(13, "0")  # ids of comments tell nothing about time


def _live(dice: random.Random, thing: Post | Comment, text_field: str, vanish: float) -> None:
    """Give a thing its fate: most stay as they are, some are edited, some are deleted or removed."""
    if dice.random() < 0.05:
        thing.edit_ts = thing.created_utc + dice.randrange(60, 6 * HOUR_S)
        thing.edited_text = f"{thing.fields[text_field]}\n\nEdit: thanks for the answers."
    if dice.random() < vanish:
        thing.gone_ts = thing.listed_ts + int(dice.expovariate(1 / (8 * HOUR_S))) + 30
        thing.gone_by = dice.choice(("author", "moderator"))


def _score(dice: random.Random, scale: int) -> int:
    return round(dice.paretovariate(1.2) * scale / 8) - dice.choice((0, 0, 0, 4))


def _base36(number: int) -> str:
    digits: list[str] = []
    while number or not digits:
        number, digit = divmod(number, 36)
        digits.append(_BASE36[digit])
    return "".join(reversed(digits))
