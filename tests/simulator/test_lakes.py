"""A lake of a planted world: all of it is landed and proven, and the platform knows machines and floods from people."""

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest

from reddit_ingest import view
from reddit_ingest.bootstrap import LocalLake
from reddit_ingest.core.coverage import CoverageStatus
from reddit_ingest.core.keys import KINDS
from reddit_sim import GeneratedWorld

from ..augmented import table
from ..worlds import BATTERY, BOT, DAYS, FLOOD, Truth, truth_of

NOISE = {"bot", "near-duplicate", "flood"}


@pytest.fixture(scope="module")
def world(eventful: tuple[GeneratedWorld, LocalLake]) -> GeneratedWorld:
    return eventful[0]


@pytest.fixture(scope="module")
def truth(world: GeneratedWorld) -> Truth:
    return truth_of(world)


@pytest.fixture(scope="module")
def lake(eventful: tuple[GeneratedWorld, LocalLake]) -> LocalLake:
    return eventful[1]


@pytest.fixture(scope="module")
def documents(lake: LocalLake) -> dict[str, dict[str, Any]]:
    return {row["fullname"]: row for row in table(lake, "documents")}


@pytest.fixture(scope="module")
def headline(lake: LocalLake, documents: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The mentions that count: not those of bots, copies and floods."""
    return [row for row in table(lake, "mentions") if NOISE.isdisjoint(documents[row["fullname"]]["flags"])]


def day_of(created_utc: int) -> date:
    return datetime.fromtimestamp(created_utc, UTC).date()


def test_every_day_of_every_subreddit_is_proven_complete(world: GeneratedWorld, lake: LocalLake) -> None:
    for name in world.subreddits:
        states = view.ledger(lake.reader(), f"reddit/{name}/")
        assert len(states) == DAYS
        assert {state.status for state in states} <= {CoverageStatus.COMPLETE, CoverageStatus.EMPTY}


def test_every_item_of_these_days_is_a_document(
    world: GeneratedWorld, lake: LocalLake, documents: dict[str, dict[str, Any]], truth: Truth
) -> None:
    shown = {
        name
        for place in world.subreddits
        for kind in KINDS
        for name in view.rows(lake.reader(), f"reddit/{place}/", kind)
    }
    assert shown == documents.keys()
    assert shown == {name for name, thing in world.by_name.items() if day_of(thing.created_utc) in truth.days}


def test_what_honest_people_say_is_hardly_ever_taken_for_a_copy(
    world: GeneratedWorld, documents: dict[str, dict[str, Any]]
) -> None:
    honest = [row for name, row in documents.items() if {"bot", "spam", "flood"}.isdisjoint(world.flags(name))]
    flags = Counter(flag for row in honest for flag in row["flags"])
    assert len(honest) > 2_000
    assert flags["near-duplicate"] < 0.02 * len(honest)
    assert flags["flood"] == flags["bot"] == 0


def test_every_copy_of_the_flood_and_every_comment_of_the_bot_is_flagged(
    world: GeneratedWorld, documents: dict[str, dict[str, Any]]
) -> None:
    by_author = {FLOOD.author: "flood", BOT.name: "bot"}
    found: Counter[tuple[str, bool]] = Counter()
    for row in documents.values():
        if flag := by_author.get(row["author"]):
            found[flag, flag in row["flags"]] += 1
    assert found == {("flood", True): FLOOD.copies, ("bot", True): BOT.comments_per_day * DAYS}


def test_headline_figures_come_near_to_the_truth_and_neither_flood_nor_bot_move_them(
    headline: list[dict[str, Any]], truth: Truth
) -> None:
    errors = {}
    for brand in truth.brands:
        labels = Counter(row["label"] for row in headline if row["brand"] == brand)
        assert labels.total() == pytest.approx(truth.count(brand).mentions, rel=0.03)
        errors[brand] = (labels["positive"] - labels["negative"]) / labels.total() - truth.count(brand).net
    # The linear engine takes sarcasm and the worse one of two for praise, of all brands alike.
    assert sum(map(abs, errors.values())) / len(errors) < 0.12, errors
    assert max(errors.values()) - min(errors.values()) < 0.2, errors


def test_the_event_is_found_on_its_days_with_its_aspect(headline: list[dict[str, Any]], truth: Truth) -> None:
    brand = BATTERY.brand.lower()
    found = Counter(
        day_of(row["created_utc"]) for row in headline if row["brand"] == brand and BATTERY.aspect in row["aspects"]
    )
    for day in truth.days:
        meant = truth.count(brand, BATTERY.aspect, day).mentions
        assert found[day] == pytest.approx(meant, abs=2 + 0.1 * meant)
