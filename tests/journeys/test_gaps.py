"""An outage of three weeks and an hour too busy for the listings: named, priced, closed through the archive."""

import json
import os
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from reddit_ingest import arctic_client
from reddit_ingest.core.coverage import CoverageStatus
from reddit_sim import Simulator

from .conftest import HOUR, Person, comment, submission

T0 = 1_767_600_000  # 2026-01-05 08:00 UTC
OUTAGE = range(3, 3 + 21 * 24)
BUSY = 2
NOW = T0 + (OUTAGE.stop + 1) * HOUR + 300


def talk(hours: int = OUTAGE.stop + 4, rushes: Sequence[int] = (BUSY,)) -> tuple[list[Any], list[Any]]:
    """A submission and three comments an hour since a day before T0; 1,300 comments in some hours."""
    posts = [submission(n, T0 + (n - 24) * HOUR + n % 50 * 60) for n in range(hours + 24)]
    calm = [
        comment(n * 3 + k, post["created_utc"] + 61 + k * 300, post["id"])
        for n, post in enumerate(posts)
        for k in range(3)
    ]
    rush = [
        comment(90_000 + hour * 2_000 + n, T0 + hour * HOUR + n * 2, posts[0]["id"])
        for hour in rushes
        for n in range(1_300)
    ]
    return posts, calm + rush


@pytest.fixture(autouse=True)
def no_flushing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of hours land; a disk that is busy with other things is not what is tested here."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


Story = tuple[Person, Simulator, list[Any], list[Any]]


@pytest.fixture
def story(reddit, person, world_of) -> Callable[..., Story]:
    """Three hours of runs, a time of nothing, and the run after that."""

    def start(outage: range = OUTAGE, rushes: Sequence[int] = (BUSY,)) -> Story:
        posts, answers = talk(outage.stop + 4, rushes)
        simulator: Simulator = reddit(world_of(posts, answers), T0)
        someone: Person = person(simulator)
        for hour in (*range(1, outage.start + 1), outage.stop + 1):
            simulator.clock.set(T0 + hour * HOUR + 300)
            someone.types("ingest", "phones", "--hours", "1000", now=T0 + hour * HOUR + 300)
        return someone, simulator, posts, answers

    return start


@pytest.fixture
def short_story(story) -> Story:
    """An outage of four days with 33 hours that the listings do not show any more; the clock stands at SOON."""
    return story(range(3, 93), (BUSY, 34))


SOON = T0 + 94 * HOUR + 300


def created(rows: list[Any], prefix: str) -> dict[str, Any]:
    return {f"{prefix}_{row['id']}": row for row in rows if T0 <= row["created_utc"] < NOW - 300}


def test_three_weeks_of_outage_and_a_truncated_hour_are_named_priced_and_closed_by_the_archive(story) -> None:
    someone, simulator, posts, answers = story()
    watermark = someone.watermark("phones")
    assert watermark == NOW - 300

    named = someone.types("gaps", now=NOW)
    assert named.exit_code == 3
    found = someone.json("gaps", now=NOW)
    assert {gap["gap"] for gap in found} == {"truncated", "unreachable"}
    assert {gap["closable_by"] for gap in found} == {"arctic-shift"}
    busy = [gap for gap in found if gap["start_ts"] == T0 + BUSY * HOUR]
    assert [(gap["gap"], gap["hours"], gap["kinds"]) for gap in busy] == [("truncated", 1, ["comments"])]
    hours = sum(gap["hours"] for gap in found)
    assert hours > 150

    simulator.reset_stats()
    (priced,) = [
        re.search(r"In all (\d+) hours: about (\d+) requests, ([\d.]+) MB", line)
        for line in someone.types("plan", "--gaps", now=NOW).stdout.splitlines()
        if line.startswith("In all")
    ]
    assert priced is not None
    assert int(priced[1]) == hours
    assert simulator.stats()["requests_total"] == 0

    closing = someone.types("backfill", "--gaps", "--source", "auto", now=NOW)
    assert closing.exit_code == 0, closing.output
    spent = simulator.stats()
    assert all(path.startswith("GET /api/") for path in spent["requests"])
    assert int(priced[2]) / 3 < spent["requests_total"] <= int(priced[2])

    assert someone.types("gaps", now=NOW).exit_code == 0
    closed = someone.json("gaps", "--closed", now=NOW)
    assert sum(gap["hours"] for gap in closed) == hours
    assert {(gap["closed_by"], gap["closed_at_ts"]) for gap in closed} == {("arctic-shift", NOW)}
    assert someone.watermark("phones") == watermark
    windows = someone.windows("phones")
    assert len(windows) == OUTAGE.stop + 1
    assert all(state.status.is_whole for state in windows.values())
    assert windows[T0 + BUSY * HOUR].sources == {"submissions": "reddit-api", "comments": "arctic-shift"}

    for kind, prefix, rows, text in (("submissions", "t3", posts, "selftext"), ("comments", "t1", answers, "body")):
        truth, shown = created(rows, prefix), someone.rows("phones", kind)
        assert {name for name, row in shown.items() if row["created_utc"] >= T0} == truth.keys()
        assert all(shown[name][text] == row[text] for name, row in truth.items())
        assert all(shown[name]["created_utc"] == row["created_utc"] for name, row in truth.items())


def test_closing_gaps_twice_asks_nobody_the_second_time(short_story) -> None:
    someone, simulator, _, _ = short_story
    assert someone.types("backfill", "--gaps", now=SOON).exit_code == 0
    simulator.reset_stats()
    again = someone.types("backfill", "--gaps", now=SOON)
    assert (again.exit_code, again.stdout.strip()) == (0, "no gaps: nothing to do")
    assert simulator.stats()["requests_total"] == 0


def test_gaps_are_closed_without_any_key_to_reddit(short_story) -> None:
    someone, _, _, _ = short_story
    for name in ("REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET", "REDDIT_USER_AGENT"):
        someone.env[name] = ""
    assert someone.types("backfill", "--gaps", now=SOON).exit_code == 0
    assert someone.types("gaps", now=SOON).exit_code == 0


def test_an_archive_that_fails_is_given_up_after_one_pass_and_the_rest_stays_open(short_story) -> None:
    someone, simulator, _, _ = short_story
    before = sum(gap["hours"] for gap in someone.json("gaps", now=SOON))
    simulator.set_hostile(json.dumps([{"path": "/api/posts/search", "fault": "archive-error-200"}]))
    simulator.reset_stats()
    result = someone.types("backfill", "--gaps", now=SOON)
    assert result.exit_code == 3
    assert simulator.stats()["requests_total"] == 1 + len(arctic_client.PAUSES_S)
    assert "still to do" in result.stderr
    assert "Slow down a little" in result.stderr
    assert sum(gap["hours"] for gap in someone.json("gaps", now=SOON)) == before
    simulator.set_hostile("[]")
    assert someone.types("backfill", "--gaps", now=SOON).exit_code == 0


def test_an_interrupted_closing_goes_on_with_what_is_still_open(short_story, monkeypatch) -> None:
    someone, simulator, _, _ = short_story
    before = sum(gap["hours"] for gap in someone.json("gaps", now=SOON))
    simulator.set_hostile(json.dumps([{"path": "/api/posts/search", "fault": "status:503", "nth": 2}]))
    monkeypatch.setattr(arctic_client, "PAUSES_S", ())
    assert someone.types("backfill", "--gaps", now=SOON).exit_code == 3
    left = sum(gap["hours"] for gap in someone.json("gaps", now=SOON))
    assert 0 < left < before
    assert someone.types("backfill", "--gaps", now=SOON).exit_code == 0
    assert someone.types("gaps", now=SOON).exit_code == 0


def test_hours_that_nobody_looked_at_are_holes_and_are_closed_like_gaps(reddit, person, world_of) -> None:
    simulator: Simulator = reddit(world_of(*talk(200)), T0 + HOUR + 300)
    someone: Person = person(simulator)
    someone.types("ingest", "phones", now=T0 + HOUR + 300)
    # Somebody sets the watermark forward by hand.
    someone.lake.state("local").save_last_run_timestamp("phones", T0 + 6 * HOUR)
    now = T0 + 7 * HOUR + 300
    simulator.clock.set(now)
    assert someone.types("ingest", "phones", now=now).exit_code == 0
    (hole,) = someone.json("gaps", now=now)
    assert (hole["gap"], hole["start_ts"], hole["hours"]) == ("hole", T0 + HOUR, 5)
    # Young enough for Reddit's listings, all but the hour with more comments than they hold.
    assert {leg["source"] for leg in someone.json("plan", "--gaps", now=now)} <= {"reddit-api", None}
    someone.types("backfill", "--gaps", now=now)
    later = now + 60 * HOUR
    simulator.clock.set(later)
    someone.types("ingest", "phones", "--hours", "100", now=later)
    assert someone.types("backfill", "--gaps", now=later).exit_code == 0
    closed = someone.json("gaps", "--closed", now=later)
    assert {gap["gap"] for gap in closed} >= {"hole"}
    assert {gap["closed_by"] for gap in closed} == {"reddit-api", "arctic-shift"}
    assert someone.watermark("phones") == T0 + 67 * HOUR


def test_blocked_hours_are_not_read_around(reddit, person, world_of) -> None:
    simulator: Simulator = reddit(world_of(*talk(60)), T0 + HOUR + 300)
    someone: Person = person(simulator)
    simulator.set_hostile(json.dumps([{"path": "/r/*", "fault": "403-private"}]))
    someone.types("ingest", "phones", now=T0 + HOUR + 300)
    simulator.set_hostile("[]")
    now = T0 + 3_000 * HOUR
    result = someone.types("backfill", "--gaps", now=now)
    assert result.exit_code == 3
    assert "an archive is no way around that" in result.stderr
    assert {state.status for state in someone.windows("phones").values()} == {CoverageStatus.BLOCKED}


def test_a_range_is_read_from_the_archive_when_it_is_named_and_older_hours_of_auto_too(
    reddit, person, world_of
) -> None:
    posts, answers = talk(60)
    simulator: Simulator = reddit(world_of(posts, answers), T0 + 400 * HOUR)
    someone: Person = person(simulator)
    span = ("--start", str(T0 + 4 * HOUR), "--end", str(T0 + 34 * HOUR))
    for source in ("arctic-shift", "auto"):
        result = someone.types("backfill", "phones", *span, "--source", source, now=T0 + 400 * HOUR)
        assert result.exit_code == 0, result.output
    states = someone.windows("phones")
    assert len(states) == 30
    assert all(set(state.sources.values()) == {"arctic-shift"} for state in states.values())
    assert someone.watermark("phones") is None
    newest = someone.rows("phones", "comments").values()
    assert {row["source"] for row in newest} == {"arctic-shift"}
    assert all(row["observed_at_ts"] == row["raw"]["retrieved_on"] for row in newest)


def test_a_plan_needs_no_lake_and_says_what_it_assumes(reddit, person, world_of) -> None:
    someone: Person = person(reddit(world_of(*talk(10)), NOW))
    result = someone.types("plan", "phones", "--start", "2020-01-01", "--end", "2020-01-03", now=NOW)
    assert result.exit_code == 0
    assert "arctic-shift" in result.stdout
    assert "assumed, for the lake has seen nothing of it" in result.stdout
    assert not someone.lake.root.exists()


def test_a_plan_says_why_a_source_cannot_serve(reddit, person, world_of) -> None:
    someone: Person = person(reddit(world_of(*talk(10)), NOW))
    young = ("--start", str(NOW - 20 * HOUR), "--end", str(NOW - 15 * HOUR))
    (leg,) = someone.json("plan", "phones", *young, now=NOW)
    assert leg["source"] is None
    assert "reddit-api: its listings reach back about" in leg["reason"]
    assert "arctic-shift: shows an hour reliably 48 hours after its end" in leg["reason"]
    old = ("--start", "2020-01-01", "--end", "2020-01-03", "--source", "reddit-api")
    (leg,) = someone.json("plan", "phones", *old, now=NOW)
    assert (leg["source"], leg["reason"][:30]) == ("reddit-api", "its listings reach back about ")
    someone.env["REDDIT_CLIENT_ID"] = ""
    (leg,) = someone.json("plan", "phones", *old, now=NOW)
    assert (leg["source"], "REDDIT_CLIENT_ID is missing" in leg["reason"]) == (None, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("backfill", "phones"), "give --start and --end"),
        (("backfill", "phones", "--start", "2026-01-05"), "give --start and --end"),
        (("backfill", "--gaps", "--start", "2026-01-05"), "leave out --start and --end"),
        (("backfill", "--gaps", "--function", "f"), "leave out --gaps and --source"),
        (("plan", "phones"), "give --start and --end"),
        (("plan", "phones", "--start", "2036-01-01", "--end", "2036-01-02"), "try an earlier range"),
        (("plan", "--start", "2026-01-05", "--end", "2026-01-06"), "no subreddit"),
        (("gaps", "../x"), "not a subreddit name"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(reddit, person, world_of, words, says: str) -> None:
    someone: Person = person(reddit(world_of(*talk(10)), NOW))
    someone.lake.landing.mkdir(parents=True)
    result = someone.types(*words, now=NOW)
    assert result.exit_code == 2
    assert says in result.stderr


@pytest.mark.parametrize("words", [("gaps",), ("plan", "--gaps"), ("backfill", "--gaps")])
def test_gaps_of_a_lake_that_is_not_there_are_an_error_that_makes_none(reddit, person, world_of, words) -> None:
    someone: Person = person(reddit(world_of(*talk(10)), NOW))
    result = someone.types(*words, now=NOW)
    assert result.exit_code == 1
    assert "no lake at" in result.stderr
    assert not someone.lake.root.exists()
