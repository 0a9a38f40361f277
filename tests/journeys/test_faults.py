"""What goes wrong at the source: nothing is lost, nothing is claimed without proof, one line says what to do."""

import json

import pytest

from reddit_ingest.core.coverage import CoverageStatus
from reddit_sim import Simulator

from ..slow import one_in
from .conftest import HOUR, Person
from .test_hours_land import T0, busy_hours

NOW = T0 + 5 * HOUR + 300


def plan(path: str, fault: str, **rule: object) -> str:
    return json.dumps([{"path": path, "fault": fault, **rule}])


@pytest.mark.parametrize("path", ["/r/*/new", "/r/*/comments"])
@pytest.mark.parametrize("fault", ["empty-body", "null-body", "not-json", "cut-json", "list-200", "error-dict-200"])
def test_an_answer_without_a_listing_is_never_an_empty_hour(reddit, person, world_of, path: str, fault: str) -> None:
    someone: Person = person(reddit(world_of(*busy_hours(8)), NOW, hostile=plan(path, fault, rate=1.0)))
    result = someone.types("ingest", "phones", now=NOW)
    assert result.exit_code == 3
    states = someone.windows("phones").values()
    assert {state.status for state in states} == {CoverageStatus.FAILED}
    assert someone.watermark("phones") is None
    assert "run again later" in result.stderr


@pytest.mark.parametrize("path", ["/r/*/new", "/r/*/comments"])
@pytest.mark.parametrize(
    "fault",
    [
        "status:500", "status:502", "status:503", "status:504", "status:520", "status:522", "status:408",
        "status:521", "status:524", "connection-reset", "short-body", "429-json", "429-date", "bad-ratelimit-headers",
        "400-json", "not-json", "empty-body", "null-body", "empty-page", "401-invalid-token",
    ],
)  # fmt: skip
def test_trouble_that_passes_costs_a_retry_and_nothing_else(reddit, person, world_of, path: str, fault: str) -> None:
    posts, answers = busy_hours(8)
    someone: Person = person(reddit(world_of(posts, answers), NOW, hostile=plan(path, fault, nth=1)))
    result = someone.types("ingest", "phones", now=NOW)
    assert result.exit_code == 0, result.output
    due = {f"t1_{a['id']}" for a in answers if T0 + 4 * HOUR <= a["created_utc"] < T0 + 5 * HOUR}
    assert due <= someone.rows("phones", "comments").keys()
    assert someone.watermark("phones") == T0 + 5 * HOUR


def test_after_an_outage_the_next_run_reads_what_was_missed(reddit, person, world_of) -> None:
    posts, answers = busy_hours(12)
    simulator: Simulator = reddit(world_of(posts, answers), NOW)
    someone: Person = person(simulator)
    assert someone.types("ingest", "phones", now=NOW).exit_code == 0
    simulator.set_hostile(plan("/r/*/new", "status:503", rate=1.0))
    for hour in (1, 2):
        simulator.clock.set(NOW + hour * HOUR)
        assert someone.types("ingest", "phones", now=NOW + hour * HOUR).exit_code == 3
    assert someone.watermark("phones") == T0 + 5 * HOUR
    simulator.set_hostile("[]")
    simulator.clock.set(NOW + 3 * HOUR)
    assert someone.types("ingest", "phones", now=NOW + 3 * HOUR).exit_code == 0
    assert someone.watermark("phones") == T0 + 8 * HOUR
    due = {f"t3_{p['id']}" for p in posts if T0 + 4 * HOUR <= p["created_utc"] < T0 + 8 * HOUR}
    assert due <= someone.rows("phones", "submissions").keys()


@pytest.mark.parametrize("fault", ["token-401", "token-error-200"])
def test_rejected_credentials_end_the_run_with_one_line(reddit, person, world_of, fault: str) -> None:
    someone: Person = person(reddit(world_of(*busy_hours(8)), NOW, hostile=plan("*", fault, rate=1.0)))
    result = someone.types("ingest", "phones", now=NOW)
    assert result.exit_code == 1
    assert result.stderr.strip().splitlines()[-1].startswith("Error: Reddit rejects the credentials")
    assert "simulator" not in result.stderr.replace("REDDIT", "")


@pytest.mark.parametrize("fault", ["token-429", "token-500", "token-not-json"])
def test_a_login_that_fails_for_the_moment_is_for_later(reddit, person, world_of, fault: str) -> None:
    someone: Person = person(reddit(world_of(*busy_hours(8)), NOW, hostile=plan("*", fault, rate=1.0)))
    result = someone.types("ingest", "phones", now=NOW)
    assert result.exit_code == 3
    assert someone.watermark("phones") is None


def test_a_lost_anchor_in_the_middle_of_a_listing_loses_nothing(reddit, person, world_of) -> None:
    posts, answers = busy_hours(8, per_hour=30, comments_each=8)
    hostile = plan("/r/*/comments", "empty-page", nth=2)
    someone: Person = person(reddit(world_of(posts, answers), NOW, hostile=hostile))
    words = ("backfill", "phones", "--start", str(T0 + 2 * HOUR), "--end", str(T0 + 5 * HOUR))
    assert someone.types(*words, now=NOW).exit_code == 0
    due = {f"t1_{a['id']}" for a in answers if T0 + 2 * HOUR <= a["created_utc"] < T0 + 5 * HOUR}
    assert due <= someone.rows("phones", "comments").keys()


@pytest.mark.parametrize("seed", one_in(6, range(6)))
def test_a_hostile_day_ends_with_the_same_view_as_a_quiet_one(reddit, person, world_of, seed: int) -> None:
    posts, answers = busy_hours(14)
    world = world_of(posts, answers)
    quiet: Simulator = reddit(world, NOW)
    rough: Simulator = reddit(world, NOW, hostile=f"random:{seed}:0.3")
    calm, shaken = person(quiet, "calm"), person(rough, "shaken")
    for hour in range(9):
        now = NOW + hour * HOUR
        quiet.clock.set(now)
        rough.clock.set(now)
        assert calm.types("ingest", "phones", now=now).exit_code == 0
        shaken.types("ingest", "phones", now=now)
    rough.set_hostile("[]")
    end = NOW + 9 * HOUR
    for simulator, someone in ((quiet, calm), (rough, shaken)):
        simulator.clock.set(end)
        assert someone.types("ingest", "phones", now=end).exit_code == 0, seed
    assert shaken.watermark("phones") == calm.watermark("phones")
    start = T0 + 4 * HOUR
    for kind in ("submissions", "comments"):
        expected = {name for name, row in calm.rows("phones", kind).items() if row["created_utc"] >= start}
        assert expected <= shaken.rows("phones", kind).keys(), f"seed {seed}: {kind} lost"
