from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from reddit_ingest.core import windows
from reddit_ingest.core.errors import DamagedState, InvalidRequest
from reddit_ingest.core.windows import (
    FIRST_REDDIT_TS,
    HOUR_S,
    MAX_WINDOWS_PER_REQUEST,
    SETTLE_S,
    Window,
    check_watermark,
    hour_of,
    hourly,
    iso,
    last_settled_end,
    plan_backfill,
    plan_incremental,
)

NOON = 1_767_268_800
"""2026-01-01T12:00:00Z."""

moments = st.integers(FIRST_REDDIT_TS + 48 * HOUR_S, 4_102_444_800)
limits = st.integers(1, 200)


@st.composite
def watermarks(draw: st.DrawFn) -> tuple[int, int]:
    """A moment and a watermark that can be trusted at that moment."""
    now_ts = draw(moments)
    hours_back = draw(st.integers(0, 300) | st.integers(0, 100_000))
    newest = now_ts - now_ts % HOUR_S
    return now_ts, max(newest - hours_back * HOUR_S, FIRST_REDDIT_TS + -FIRST_REDDIT_TS % HOUR_S)


def assert_readable(planned: list[Window], now_ts: int) -> None:
    assert all(window.end_ts - window.start_ts == HOUR_S for window in planned)
    assert all(window.start_ts % HOUR_S == 0 for window in planned)
    assert all(before.end_ts == after.start_ts for before, after in pairwise(planned))
    assert all(window.end_ts + SETTLE_S <= now_ts for window in planned)


@given(watermarks(), limits)
def test_planned_windows_are_settled_contiguous_hours_after_the_watermark(state: tuple[int, int], limit: int) -> None:
    now_ts, watermark = state
    planned = plan_incremental(watermark, now_ts, limit)
    assert_readable(planned, now_ts)
    assert len(planned) <= limit
    if planned:
        assert planned[0].start_ts == watermark


@given(watermarks(), limits)
def test_a_plan_is_short_of_its_limit_only_when_the_next_hour_is_not_settled(
    state: tuple[int, int], limit: int
) -> None:
    now_ts, watermark = state
    planned = plan_incremental(watermark, now_ts, limit)
    reached = planned[-1].end_ts if planned else watermark
    assert len(planned) == limit or now_ts < reached + HOUR_S + SETTLE_S


@given(watermarks(), limits, st.lists(st.integers(0, 5 * HOUR_S), max_size=8))
def test_runs_that_resume_from_the_watermark_cover_every_hour_once(
    state: tuple[int, int], limit: int, pauses: list[int]
) -> None:
    now_ts, watermark = state
    covered: list[Window] = []
    for pause in [0, *pauses]:
        now_ts += pause
        planned = plan_incremental(watermark, now_ts, limit)
        covered += planned
        watermark = planned[-1].end_ts if planned else watermark
    assert covered == hourly(state[1], watermark)


@given(watermarks(), limits)
def test_a_run_that_did_not_move_the_watermark_is_planned_again_unchanged(state: tuple[int, int], limit: int) -> None:
    now_ts, watermark = state
    assert plan_incremental(watermark, now_ts, limit) == plan_incremental(watermark, now_ts, limit)


@given(moments, limits)
def test_a_first_run_reads_the_newest_settled_hour_and_no_other(now_ts: int, limit: int) -> None:
    planned = plan_incremental(None, now_ts, limit)
    assert_readable(planned, now_ts)
    assert len(planned) == 1
    assert planned[0].end_ts + HOUR_S + SETTLE_S > now_ts


def test_an_hour_settles_two_minutes_after_its_end() -> None:
    assert plan_incremental(NOON - HOUR_S, NOON + 119, 24) == []
    assert plan_incremental(NOON - HOUR_S, NOON + 120, 24) == [Window(NOON - HOUR_S, NOON)]


def test_a_first_run_in_the_unsettled_minutes_reads_the_hour_before() -> None:
    assert plan_incremental(None, NOON + 60, 1) == [Window(NOON - 2 * HOUR_S, NOON - HOUR_S)]


def test_a_long_outage_is_caught_up_by_the_limit_oldest_first() -> None:
    watermark = NOON - 100 * HOUR_S
    assert plan_incremental(watermark, NOON + 300, 24) == hourly(watermark, watermark + 24 * HOUR_S)


def test_a_watermark_that_has_caught_up_plans_nothing() -> None:
    assert plan_incremental(NOON, NOON + 30, 24) == []
    assert plan_incremental(NOON, NOON + HOUR_S + SETTLE_S - 1, 24) == []


DAMAGED: dict[str, Any] = {
    "off the hour": NOON - 1,
    "half an hour": NOON - 1_800,
    "in the future": NOON + 2 * HOUR_S,
    "milliseconds": NOON * 1_000,
    "negative": -HOUR_S,
    "zero": 0,
    "before Reddit": FIRST_REDDIT_TS - FIRST_REDDIT_TS % HOUR_S - HOUR_S,
    "a whole float": float(NOON),
    "NaN": float("nan"),
    "infinity": float("inf"),
    "text": str(NOON),
    "empty text": "",
    "bytes": b"1767268800",
    "true": True,
    "false": False,
    "a list": [NOON],
    "a dict": {"ts": NOON},
    "astronomical": 3_600 * 10**30,
}


@pytest.mark.parametrize("watermark", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_watermark_that_cannot_be_one_is_damaged_state_not_a_first_run(watermark: Any) -> None:
    with pytest.raises(DamagedState, match="nothing was read"):
        plan_incremental(watermark, NOON + 300, 24)


@given(st.integers() | st.floats() | st.text() | st.booleans() | st.binary() | st.lists(st.integers()))
def test_any_watermark_is_either_a_past_hour_or_damaged(watermark: Any) -> None:
    try:
        trusted = check_watermark(watermark, NOON)
    except DamagedState:
        return
    assert type(trusted) is int
    assert trusted % HOUR_S == 0
    assert FIRST_REDDIT_TS <= trusted <= NOON


@given(watermarks())
def test_a_past_hour_is_trusted_as_a_watermark(state: tuple[int, int]) -> None:
    now_ts, watermark = state
    assert check_watermark(watermark, now_ts) == watermark


def test_the_documented_backfill_of_three_hours_gives_three_windows() -> None:
    now_ts = NOON + 17 * 60 + 42
    assert plan_backfill(now_ts - 3 * HOUR_S, now_ts, now_ts) == hourly(NOON - 3 * HOUR_S, NOON)


@given(moments)
def test_the_documented_backfill_gives_three_windows_once_the_last_hour_has_settled(now_ts: int) -> None:
    has_settled = now_ts % HOUR_S >= SETTLE_S
    assert len(plan_backfill(now_ts - 3 * HOUR_S, now_ts, now_ts)) == (3 if has_settled else 2)


@given(moments, st.integers(-50 * HOUR_S, 50 * HOUR_S), st.integers(1, 60 * HOUR_S))
@example(NOON, -HOUR_S, 1)
def test_a_backfill_is_the_settled_hours_that_touch_its_range(now_ts: int, offset: int, length: int) -> None:
    start_ts = now_ts + offset
    assume(start_ts >= FIRST_REDDIT_TS)
    end_ts = start_ts + length
    try:
        planned = plan_backfill(start_ts, end_ts, now_ts)
    except InvalidRequest:
        assert start_ts - start_ts % HOUR_S + HOUR_S + SETTLE_S > now_ts
        return
    assert_readable(planned, now_ts)
    assert planned[0] == hour_of(start_ts)
    assert planned[-1].start_ts < end_ts
    assert planned[-1].end_ts >= min(end_ts, last_settled_end(now_ts))


@pytest.mark.parametrize(
    ("start_ts", "end_ts"),
    [
        (NOON, NOON),
        (NOON, NOON - HOUR_S),
        (-1, NOON),
        (0, HOUR_S),
        (FIRST_REDDIT_TS - 1, NOON),
        (NOON - HOUR_S, 10**18),
        (NOON + HOUR_S, NOON + 2 * HOUR_S),
        (NOON - 10 * 365 * 24 * HOUR_S, NOON),
    ],
    ids=["empty", "backwards", "negative", "1970", "before Reddit", "unsettled", "future", "ten years"],
)
def test_a_range_that_cannot_be_backfilled_is_refused(start_ts: int, end_ts: int) -> None:
    with pytest.raises(InvalidRequest):
        plan_backfill(start_ts, end_ts, NOON + 30)


def test_the_longest_backfill_is_accepted_and_one_hour_more_is_not() -> None:
    start_ts = NOON - MAX_WINDOWS_PER_REQUEST * HOUR_S
    assert len(plan_backfill(start_ts, NOON, NOON + 300)) == MAX_WINDOWS_PER_REQUEST
    with pytest.raises(InvalidRequest, match="split the range"):
        plan_backfill(start_ts - 1, NOON, NOON + 300)


def test_a_backfill_into_the_running_hour_stops_at_the_last_settled_one() -> None:
    assert plan_backfill(NOON - HOUR_S, NOON + 20 * HOUR_S, NOON + 200) == [Window(NOON - HOUR_S, NOON)]


@given(st.integers(0, 10**10))
def test_the_hour_of_a_moment_holds_it(ts: int) -> None:
    window = hour_of(ts)
    assert ts in window
    assert window.end_ts - window.start_ts == HOUR_S


def test_a_window_holds_its_start_and_not_its_end() -> None:
    window = Window(NOON, NOON + HOUR_S)
    assert NOON in window
    assert NOON + HOUR_S - 1 in window
    assert NOON + HOUR_S not in window
    assert NOON - 1 not in window
    assert "noon" not in window
    assert None not in window


@pytest.mark.parametrize(
    ("start_ts", "end_ts"),
    [
        (NOON + 1, NOON + HOUR_S),
        (NOON, NOON + 1),
        (NOON, NOON),
        (NOON, NOON - HOUR_S),
        (-HOUR_S, 0),
        (float(NOON), NOON + HOUR_S),
        (str(NOON), NOON + HOUR_S),
        (False, NOON),
        (None, NOON),
    ],
)
def test_bounds_that_are_no_ascending_whole_hours_make_no_window(start_ts: Any, end_ts: Any) -> None:
    with pytest.raises(InvalidRequest):
        Window(start_ts, end_ts)


def test_a_window_is_written_as_its_two_moments() -> None:
    assert str(Window(NOON, NOON + HOUR_S)) == "2026-01-01T12:00:00Z/2026-01-01T13:00:00Z"
    assert iso(0) == "1970-01-01T00:00:00Z"


def test_the_rules_of_windows_ask_no_clock() -> None:
    assert "time" not in vars(windows)
