"""What is planted in a generated world can be told apart, stands where it should, and leaves the rest as it was."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

import pytest
from scipy.stats import chi2_contingency

from reddit_sim import BotAccount, Comment, Event, Flood, GeneratedWorld, Post, SubredditSpec

from ..worlds import BATTERY, BOT, DAYS, FIRST_DAY, FLOOD, Truth, eventful_world, quiet_world, truth_of

DAY = 86_400
START = 1_767_571_200  # 2026-01-05 00:00 UTC
SPECS = [SubredditSpec("phones", 2, 6), SubredditSpec("tablets", 0.5, 3)]
_PLAIN = "bd66115f6ebf3b86e95310affbd90f3c9450a92093b7b2172ab95198e90dd49a"


def items(world: GeneratedWorld, until: int) -> list[Post | Comment]:
    world.prepare(until)
    return [
        thing
        for name in world.subreddits
        for thing in [*world.posts(name), *world.comments(name)]
        if thing.created_utc < until
    ]


def flagged(world: GeneratedWorld, flag: str, until: int) -> list[Post | Comment]:
    found = (thing for thing in items(world, until) if flag in world.flags(thing.name))
    return sorted(found, key=lambda thing: thing.created_utc)


@cache
def truth(make: Callable[[int], GeneratedWorld], seed: int) -> Truth:
    return truth_of(make(seed))


def text(thing: Post | Comment) -> str:
    return str(thing.fields["selftext" if isinstance(thing, Post) else "body"])


def digest(world: GeneratedWorld, until: int) -> str:
    told = [
        (
            thing.shape(until) if isinstance(thing, Post) else thing.shape(until, None),
            (thing.listed_ts, thing.gone_ts, thing.gone_by, thing.edit_ts, thing.edited_text),
            [(one.brand, one.product, one.aspect, one.polarity, one.kind) for one in world.truth(thing.name)],
            world.flags(thing.name),
        )
        for thing in items(world, until)
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def test_a_plain_world_is_what_it_always_was_to_the_byte() -> None:
    assert digest(GeneratedWorld(seed=7, start_ts=START, subreddits=SPECS), START + 2 * DAY) == _PLAIN


@pytest.mark.parametrize("talk", ["plain", "varied"])
def test_what_is_planted_changes_nothing_of_what_else_is_said(talk: str) -> None:
    plants = (
        Event("Nothing", "display", 1, START + DAY, 40),
        Flood("someone_angry", "Apple", "price", -1, 50, START + DAY),
        BotAccount("helpful_one", "Google", "camera", 1, 12),
    )
    bare = GeneratedWorld(7, START, SPECS, talk=talk)
    planted = GeneratedWorld(7, START, SPECS, plants, talk)
    before = {thing.name: thing for thing in items(bare, START + 2 * DAY)}
    after = {thing.name: thing for thing in items(planted, START + 2 * DAY)}
    more = after.keys() - before.keys()
    assert before.keys() <= after.keys()
    assert all(after[name].fields == thing.fields for name, thing in before.items())
    assert all(planted.truth(name) == bare.truth(name) for name in before)
    assert Counter(flag for name in more for flag in planted.flags(name))["flood"] == 50
    assert all(planted.truth(name) and planted.flags(name) for name in more)


def test_one_seed_gives_one_eventful_world() -> None:
    one, same, other = (digest(eventful_world(seed), START + 2 * DAY) for seed in (1, 1, 2))
    assert one == same != other


def test_an_event_comes_from_its_moment_on_at_its_rate_from_many_people_in_many_threads() -> None:
    start_ts, days = START + DAY + 15 * 3_600, 20
    world = GeneratedWorld(3, START, SPECS, [Event("OnePlus", "software", 1, start_ts, 25)], "varied")
    found = flagged(world, "event", START + (days + 2) * DAY)
    assert start_ts <= found[0].created_utc < start_ts + 6 * 3_600
    whole_days = Counter(thing.created_utc // DAY for thing in found if thing.created_utc >= START + 2 * DAY)
    assert len(whole_days) == days
    assert 25 * days == pytest.approx(whole_days.total(), rel=0.15)
    opinions = [opinion for thing in found for opinion in world.truth(thing.name)]
    assert len(opinions) == len(found)
    assert {(opinion.brand, opinion.aspect) for opinion in opinions} == {("OnePlus", "software")}
    shares = Counter(opinion.polarity for opinion in opinions)
    assert 0.8 < shares[1] / len(opinions) < 0.9 > 0.15 > shares[0] / len(opinions) > shares[-1] / len(opinions) > 0
    assert all(opinion.product in text(thing) for thing, opinion in zip(found, opinions, strict=True))
    threads = Counter(thing.id if isinstance(thing, Post) else thing.link_id for thing in found)
    authors = Counter(thing.fields["author"] for thing in found)
    assert 0.08 < sum(isinstance(thing, Post) for thing in found) / len(found) < 0.22
    assert len(threads) > 100 < len(authors)
    assert max(threads.values()) < 20 > max(authors.values()) * 0.8


def test_planted_comments_answer_threads_that_are_there_and_still_young() -> None:
    world = eventful_world(4)
    until = START + 12 * DAY
    for flag in ("event", "flood"):
        answers = [thing for thing in flagged(world, flag, until) if isinstance(thing, Comment)]
        assert len(answers) > 60
        for answer in answers:
            thread = world.by_name[f"t3_{answer.link_id}"]
            assert isinstance(thread, Post)
            assert thread.subreddit == answer.subreddit
            assert 0 <= answer.created_utc - thread.listed_ts <= 36 * 3_600
            assert answer in thread.comments
            assert not thread.is_gone(answer.created_utc)


def test_where_nobody_speaks_what_is_planted_opens_threads() -> None:
    specs = [SubredditSpec("silent", 1e-9, 0)]
    world = GeneratedWorld(3, START, specs, [BotAccount("lonely", "Apple", "price", 1, 4)])
    found = items(world, START + DAY)
    assert isinstance(found[0], Post)
    assert found[0].fields["title"]
    assert [type(thing) for thing in found] == [Post, Comment, Comment, Comment]


def test_a_flood_is_one_text_by_one_author_in_many_threads() -> None:
    world = eventful_world(5)
    copies = flagged(world, "flood", START + 6 * DAY)
    assert len(copies) == FLOOD.copies == 300
    assert (copies[0].created_utc, copies[-1].created_utc) == (FLOOD.at_ts, FLOOD.at_ts + 299 * 60)
    assert {(text(copy), copy.fields["author"]) for copy in copies} == {(text(copies[0]), FLOOD.author)}
    assert {(one.brand, one.aspect, one.polarity) for copy in copies for one in world.truth(copy.name)} == {
        (FLOOD.brand, FLOOD.aspect, FLOOD.polarity)
    }
    assert len({copy.link_id for copy in copies if isinstance(copy, Comment)}) > 20
    assert {copy.subreddit for copy in copies} == set(world.subreddits)


def test_a_flood_over_midnight_goes_on_the_day_after() -> None:
    flood = Flood("night_owl", "Apple", "price", -1, 40, START + DAY - 20 * 60)
    world = GeneratedWorld(1, START, SPECS, [flood], "varied")
    copies = flagged(world, "flood", START + 2 * DAY)
    assert Counter(copy.created_utc // DAY - START // DAY for copy in copies) == {0: 20, 1: 20}
    assert len({text(copy) for copy in copies}) == 1


def test_a_bot_comments_at_regular_times_and_says_what_it_is() -> None:
    world = eventful_world(6)
    found = [thing for thing in flagged(world, "bot", START + 3 * DAY) if thing.fields["author"] == BOT.name]
    found = [thing for thing in found if thing.created_utc >= START]
    assert len(found) == 3 * BOT.comments_per_day
    steps = {later.created_utc - thing.created_utc for thing, later in pairwise(found)}
    assert steps == {DAY // BOT.comments_per_day}
    assert all("a bot" in text(thing) for thing in found)
    assert len({text(thing) for thing in found}) > 60


def test_the_truth_is_the_same_summed_over_brands_aspects_or_days() -> None:
    told = truth(eventful_world, 1)
    assert (len(told.brands), len(told.aspects), len(told.days)) == (6, 6, DAYS)
    assert told.days[0] == FIRST_DAY
    for with_noise in (False, True):
        whole = told.count(with_noise=with_noise)
        for parts in (
            [told.count(brand, with_noise=with_noise) for brand in told.brands],
            [told.count(aspect=aspect, with_noise=with_noise) for aspect in ("", *told.aspects)],
            [told.count(day=day, with_noise=with_noise) for day in told.days],
        ):
            for kind in ("positive", "neutral", "negative"):
                assert sum(getattr(part, kind) for part in parts) == getattr(whole, kind) > 0


def test_the_truth_without_noise_is_that_of_a_world_without_flood_and_bot() -> None:
    world, quiet = truth(eventful_world, 1), truth(quiet_world, 1)
    for brand in world.brands:
        for day in world.days:
            if brand != BATTERY.brand.lower():
                assert world.count(brand, day=day) == quiet.count(brand, day=day)
    flooded = FLOOD.brand.lower()
    assert (
        world.count(flooded, FLOOD.aspect, with_noise=True).negative - world.count(flooded, FLOOD.aspect).negative
        == FLOOD.copies
    )


def test_the_event_stands_in_the_truth_from_its_day_on_and_nowhere_else() -> None:
    began = datetime.fromtimestamp(BATTERY.start_ts, UTC).date()
    assert began == FIRST_DAY + timedelta(8)
    brand = BATTERY.brand.lower()
    for seed in (1, 2, 3):
        world, quiet = truth(eventful_world, seed), truth(quiet_world, seed)
        for day in world.days:
            more = world.count(brand, "battery", day).mentions - quiet.count(brand, "battery", day).mentions
            assert (10 < more < 45) if day >= began else more == 0
            others = [aspect for aspect in ("", *world.aspects) if aspect != "battery"]
            assert all(world.count(brand, one, day) == quiet.count(brand, one, day) for one in others)


def spread(told: Truth, brand: str) -> float:
    """Return how much sentiment differs from day to day, as chi-square by degree of freedom: about 1 by chance."""
    days = [told.count(brand, day=day) for day in told.days]
    found = chi2_contingency([[day.positive, day.neutral, day.negative] for day in days])
    return float(found.statistic / found.dof)


def test_in_quiet_worlds_nothing_changes_from_day_to_day_but_by_chance() -> None:
    truths = [truth(quiet_world, seed) for seed in range(1, 7)]
    spreads = [spread(told, brand) for told in truths for brand in told.brands]
    # A title and its text mean the same, which makes 1 a little more.
    assert 0.85 < sum(spreads) / len(spreads) < 1.35
    assert max(spreads) < 2.4
    for brand in truths[0].brands:
        halves = [
            sum(told.count(brand, day=day).mentions for told in truths for day in told.days[i : i + 7]) for i in (0, 7)
        ]
        assert 0.85 < halves[0] / halves[1] < 1.18
        assert all(260 < told.count(brand).mentions < 700 for told in truths)


def test_people_of_a_varied_world_differ_as_people_do() -> None:
    world = quiet_world(2)
    things = [thing for thing in items(world, START + DAYS * DAY) if not world.flags(thing.name)]
    by_author = Counter(thing.fields["author"] for thing in things)
    most = [count for _, count in by_author.most_common()]
    assert 0.015 < most[0] / len(things) < 0.05
    assert sum(most[: len(most) // 10]) / len(things) > 0.35
    assert sum(count == 1 for count in most) / len(most) > 0.4
    leaning: dict[tuple[str, str], list[int]] = defaultdict(list)
    for thing in things:
        for one in world.truth(thing.name):
            leaning[thing.fields["author"], one.brand].append(one.polarity)
    steady = [abs(sum(said)) / len(said) for said in leaning.values() if len(said) >= 10]
    assert max(steady) > 0.7
    assert min(steady) < 0.3
    scores = [thing.final_score for thing in things]
    assert min(scores) < 0
    assert max(scores) > 20 * sorted(scores)[len(scores) // 2]


def test_weekends_of_a_varied_world_are_quieter() -> None:
    world = GeneratedWorld(3, START, [SubredditSpec("phones", 20, 0)], talk="varied")
    # 1970 began on a Thursday.
    at_weekends = Counter(thing.created_utc // DAY % 7 in (2, 3) for thing in items(world, START + DAYS * DAY))
    assert 0.75 < (at_weekends[True] / 2) / (at_weekends[False] / 5) < 0.9
