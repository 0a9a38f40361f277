"""The main job in memory: the order of effects, a crash at every call, trouble of one subreddit, records set aside."""

from collections.abc import Sequence
from typing import Any

import pytest

from reddit_ingest import view
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.coverage import Coverage, CoverageStatus
from reddit_ingest.core.errors import CredentialsRejected, DamagedState, DeadlineReached, StorageFull
from reddit_ingest.core.invocation import IngestRequest, Mode
from reddit_ingest.core.ports import Deadline, Reading, WindowReading
from reddit_ingest.core.windows import HOUR_S, Window, hourly
from reddit_ingest.ingestion_service import RedditIngestionService
from reddit_ingest.pipeline import Pipeline

from .fakes import Crash, Log, MemoryLake, MemoryRecorder, MemoryState, ScriptedSource

T0 = 1_767_225_600
NOW = T0 + 3 * HOUR_S + 300
COMPLETE = Coverage(CoverageStatus.COMPLETE, "read 2 items on 1 pages")


def submission(name: str, created: int, **fields: Any) -> dict[str, Any]:
    return {"name": name, "id": name[3:], "created_utc": float(created), "title": name, "selftext": "", **fields}


def whole_hours(subreddit: str, windows: Sequence[Window], deadline: Deadline | None = None) -> Reading:
    """A source that sees one submission and two comments in every hour, and one that came late before them."""
    readings = [
        WindowReading(
            window,
            [submission(f"t3_{subreddit}{window.start_ts}", window.start_ts + 1)],
            [
                {"name": f"t1_{n}{window.start_ts}", "id": f"{n}{window.start_ts}", "created_utc": window.start_ts + n}
                | {"body": "fine", "link_id": f"t3_{subreddit}{window.start_ts}"}
                for n in (1, 2)
            ],
            {"submissions": COMPLETE, "comments": COMPLETE},
        )
        for window in windows
    ]
    before = Window(T0 - HOUR_S, T0)
    return Reading(readings, [WindowReading(before, [submission("t3_late", before.start_ts + 9)])], requests=3)


class World:
    """A lake, its state and its history, run by a pipeline over and over."""

    def __init__(self, answer: Any = whole_hours) -> None:
        self.lake, self.state, self.recorder = MemoryLake(), MemoryState(), MemoryRecorder()
        self.source = ScriptedSource(answer)

    def run(self, request: IngestRequest, log: Log | None = None, now: int = NOW, deadline: Any = None) -> list[Any]:
        self.lake.log = self.state.log = self.recorder.log = log or Log()
        clock = FixedClock(now)
        pipeline = Pipeline(
            RedditIngestionService(self.source, self.lake, clock),
            self.state,
            self.recorder,
            clock,
            environment="test",
            max_windows=24,
            look_back_hours=2,
        )
        return list(pipeline.run(request, deadline))

    def seen(self) -> dict[str, dict[str, Any]]:
        return {
            name: {field: row[field] for field in ("created_utc", "subreddit")}
            for kind in ("submissions", "comments")
            for name, row in view.rows(self.lake, "reddit/", kind).items()
        }


DUE = IngestRequest(Mode.INCREMENTAL, ("android",))


def caught_up() -> World:
    world = World()
    world.state.watermarks["android"] = T0
    world.run(DUE)
    return world


def test_the_order_of_effects_is_objects_manifest_record_watermark() -> None:
    world, log = World(), Log()
    world.state.watermarks["android"] = T0
    world.run(DUE, log)
    look_back = ["object", "manifest"]
    an_hour = ["object", "object", "manifest", "record", "watermark"]
    assert log.effects == look_back + 3 * an_hour


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("call", range(17))
def test_a_crash_at_any_effect_repeats_work_and_loses_nothing(call: int, before: bool) -> None:
    world = World()
    world.state.watermarks["android"] = T0
    with pytest.raises(Crash):
        world.run(DUE, Log(call, before=before))
    committed = {
        state.window.end_ts for state in view.ledger(world.lake, "reddit/android/") if state.status.moves_watermark
    }
    for end in range(T0 + HOUR_S, world.state.watermarks["android"] + 1, HOUR_S):
        assert end in committed, "the watermark passed an hour that is not committed"
    world.run(DUE, now=NOW + 60)
    assert world.seen() == caught_up().seen()
    assert world.state.watermarks["android"] == T0 + 3 * HOUR_S


def test_the_same_items_shown_in_another_order_are_the_same_bytes() -> None:
    def upside_down(subreddit: str, windows: Sequence[Window], deadline: Any) -> Reading:
        reading = whole_hours(subreddit, windows)
        for each in reading.windows:
            each.comments.reverse()
        return reading

    world, other = World(), World(upside_down)
    world.run(DUE)
    other.run(DUE)
    assert world.lake.objects == other.lake.objects


def test_a_backfill_leaves_the_watermark_alone() -> None:
    world = World()
    world.state.watermarks["android"] = T0
    world.run(IngestRequest(Mode.BACKFILL, ("android",), tuple(hourly(T0, T0 + 2 * HOUR_S))))
    assert world.state.watermarks["android"] == T0
    assert [run.mode for run in world.recorder.runs] == ["backfill", "backfill"]


def test_the_watermark_stops_before_the_first_hour_that_failed() -> None:
    def second_hour_fails(subreddit: str, windows: Sequence[Window], deadline: Any) -> Reading:
        reading = whole_hours(subreddit, windows)
        reading.windows[1].coverage["comments"] = Coverage(CoverageStatus.FAILED, "Reddit answered 503")
        return reading

    world = World(second_hour_fails)
    world.state.watermarks["android"] = T0
    (outcome,) = world.run(DUE)
    assert world.state.watermarks["android"] == outcome.watermark == T0 + HOUR_S
    assert len(world.recorder.runs) == 3, "the hour after it is landed and recorded all the same"


def test_a_damaged_watermark_of_one_subreddit_does_not_keep_the_next_from_being_served() -> None:
    world = World()
    world.state.watermarks["android"] = "yesterday"
    first, second = world.run(IngestRequest(Mode.INCREMENTAL, ("android", "iphone")))
    assert isinstance(first.trouble, DamagedState)
    assert first.results == []
    assert second.is_whole
    assert [name for name, _ in world.source.asked] == ["iphone"], "nothing was read for the damaged one"
    assert world.state.watermarks["android"] == "yesterday"


@pytest.mark.parametrize("fatal", [CredentialsRejected("no"), StorageFull("no room")])
def test_what_hits_every_subreddit_alike_ends_the_run(fatal: Exception) -> None:
    def dies(subreddit: str, windows: Sequence[Window], deadline: Any) -> Reading:
        raise fatal

    world = World(dies)
    with pytest.raises(type(fatal)):
        world.run(IngestRequest(Mode.INCREMENTAL, ("android", "iphone")))
    assert len(world.source.asked) == 1


class Spent:
    """A deadline that is over."""

    def remaining_s(self) -> float:
        return 0.0


def test_when_the_time_is_over_the_subreddits_left_are_named_and_not_asked_for() -> None:
    world = World()
    outcomes = world.run(IngestRequest(Mode.INCREMENTAL, ("android", "iphone")), deadline=Spent())
    assert [type(outcome.trouble) for outcome in outcomes] == [DeadlineReached, DeadlineReached]
    assert world.source.asked == []


def test_a_record_that_cannot_be_stored_is_set_aside_with_its_reason_and_the_rest_lands() -> None:
    def one_is_poisoned(subreddit: str, windows: Sequence[Window], deadline: Any) -> Reading:
        reading = whole_hours(subreddit, windows)
        reading.windows[-1].submissions.append(submission("t3_poisoned", T0, score=float("nan")))
        return reading

    world = World(one_is_poisoned)
    (outcome,) = world.run(DUE)
    (result,) = outcome.results
    assert (result.submissions_count, result.quarantined_count) == (1, 1)
    quarantine = world.lake.objects[result.s3_prefix + "quarantine.jsonl"]
    assert b"t3_poisoned" in quarantine
    assert b'"reason"' in quarantine
    assert "t3_poisoned" not in world.seen()
    (state,) = [state for state in view.ledger(world.lake, "reddit/android/") if state.window == result.window]
    assert state.quarantined == 1
    assert world.recorder.runs[0].quarantined == 1
