"""Windows: half-open spans of time `[start_ts, end_ts)` in whole seconds UTC, and which of them to read.

A window is the unit of planning, landing, recording and retry. Live windows are one hour, on the hour.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from .errors import DamagedState, InvalidRequest

HOUR_S = 3_600
DAY_S = 24 * HOUR_S
SETTLE_S = 120
"""Reddit's listings run up to 12 s behind; a window is read no earlier than this after its end."""

FIRST_REDDIT_TS = 1_119_484_800
"""2005-06-23: nothing on Reddit is older."""

MAX_WINDOWS_PER_REQUEST = 24 * 366


@dataclass(frozen=True, order=True, slots=True)
class Window:
    """Half-open `[start_ts, end_ts)`, seconds UTC, both on the hour."""

    start_ts: int
    end_ts: int

    def __post_init__(self) -> None:
        for bound in (self.start_ts, self.end_ts):
            if isinstance(bound, bool) or not isinstance(bound, int) or bound < 0 or bound % HOUR_S:
                raise InvalidRequest(f"a window's bounds are whole hours in seconds UTC, got {bound!r}")
        if self.start_ts >= self.end_ts:
            raise InvalidRequest(f"a window ends after it starts, got {self.start_ts} to {self.end_ts}")

    def __contains__(self, created_utc: object) -> bool:
        return isinstance(created_utc, int) and self.start_ts <= created_utc < self.end_ts

    def __str__(self) -> str:
        return f"{iso(self.start_ts)}/{iso(self.end_ts)}"


def iso(ts: int) -> str:
    """Return seconds UTC as text.

    >>> iso(1767225600)
    '2026-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def hour_of(ts: int) -> Window:
    """Return the hour that holds a moment."""
    start = ts - ts % HOUR_S
    return Window(start, start + HOUR_S)


def day_of(ts: int) -> Window:
    """Return the day that holds a moment."""
    start = ts - ts % DAY_S
    return Window(start, start + DAY_S)


def hourly(start_ts: int, end_ts: int) -> list[Window]:
    """Cut `[start_ts, end_ts)`, both on the hour, into its hours, oldest first."""
    return [Window(ts, ts + HOUR_S) for ts in range(start_ts, end_ts, HOUR_S)]


def last_settled_end(now_ts: int) -> int:
    """Return the end of the newest hour that may be read at `now_ts`."""
    settled = now_ts - SETTLE_S
    return settled - settled % HOUR_S


def plan_incremental(watermark: int | None, now_ts: int, max_windows: int) -> list[Window]:
    """Return the hours to read next, oldest first; none when the watermark has caught up.

    Without a watermark that is the previous full hour; with one, up to `max_windows` contiguous hours after it.

    Raises:
        DamagedState: the watermark cannot be one (`check_watermark`).
    """
    end = last_settled_end(now_ts)
    if watermark is None:
        return [Window(end - HOUR_S, end)]
    check_watermark(watermark, now_ts)
    return hourly(watermark, min(end, watermark + max_windows * HOUR_S))


def check_watermark(watermark: object, now_ts: int) -> int:
    """Return a watermark that can be trusted: the end of an hour that lies between Reddit's first day and now.

    Raises:
        DamagedState: it is no whole hour, before Reddit's time, or in the future.
    """
    whole = isinstance(watermark, int) and not isinstance(watermark, bool)
    if not whole or watermark % HOUR_S or not FIRST_REDDIT_TS <= watermark <= now_ts:  # type: ignore[operator]
        raise DamagedState(
            f"the watermark {watermark!r} is not the end of a past hour in seconds UTC (now is {now_ts});"
            " nothing was read; set it to the end of the last hour that was landed"
        )
    return watermark  # type: ignore[return-value]  # checked above


def plan_backfill(start_ts: int, end_ts: int, now_ts: int) -> list[Window]:
    """Return the hours that touch `[start_ts, end_ts)`, oldest first, as far as they are settled.

    Raises:
        InvalidRequest: the range is empty, too long, outside Reddit's time, or holds no settled hour.
    """
    if not FIRST_REDDIT_TS <= start_ts < end_ts:
        raise InvalidRequest(
            f"a backfill needs start_ts < end_ts in seconds UTC after {iso(FIRST_REDDIT_TS)},"
            f" got {start_ts} to {end_ts}"
        )
    first = start_ts - start_ts % HOUR_S
    last = min(end_ts + -end_ts % HOUR_S, last_settled_end(now_ts))
    if first >= last:
        raise InvalidRequest(
            f"no full hour between {start_ts} and {end_ts} is over yet (now is {now_ts}, an hour settles"
            f" {SETTLE_S} s after its end); try an earlier range, or later"
        )
    if last - first > MAX_WINDOWS_PER_REQUEST * HOUR_S:
        raise InvalidRequest(
            f"{(last - first) // HOUR_S:,} hours in one backfill; at most {MAX_WINDOWS_PER_REQUEST:,}: split the range"
        )
    return hourly(first, last)
