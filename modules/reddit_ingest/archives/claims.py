"""What a dump file proves about a day: nothing that its name says counts before its rows agree."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from ..core.coverage import Coverage, CoverageStatus
from ..core.keys import COMMENTS, SUBMISSIONS
from ..core.windows import DAY_S, day_of, iso

_MONTH_FILE = re.compile(r"R([CS])_(\d{4})-(0[1-9]|1[0-2])(?!\d)", re.ASCII)
_KINDS = {"C": COMMENTS, "S": SUBMISSIONS}
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]", re.ASCII)
_LONGEST_NAME = 100


def source_name(file_name: str) -> str:
    """Return what manifests and rows name as their source: the file's name, kept to plain characters.

    >>> source_name("RC 2019-10 (1).zst")
    'dump:RC_2019-10__1_.zst'
    """
    return f"dump:{_NOT_IN_A_NAME.sub('_', file_name)[-_LONGEST_NAME:]}"


@dataclass(slots=True)
class Sight:
    """The times that a reading has met: the first row, the last one, and the least and most of samples between."""

    first_ts: int | None = None
    last_ts: int | None = None
    least_ts: int = 2**62
    most_ts: int = 0

    def saw(self, created_utc: int | None) -> None:
        """Take note of a row, in the order of the file."""
        if created_utc is None:
            return
        if self.first_ts is None:
            self.first_ts = created_utc
        self.last_ts = created_utc
        self.least_ts = min(self.least_ts, created_utc)
        self.most_ts = max(self.most_ts, created_utc)


@dataclass(frozen=True, slots=True)
class Period:
    """The span `[start_ts, end_ts)` that a file shows whole, and whether it is a whole month of all of Reddit.

    `doubt` says why nothing of it may be called complete; empty where nothing speaks against it.
    """

    start_ts: int
    end_ts: int
    is_month: bool
    doubt: str = ""

    @property
    def days(self) -> range:
        """The starts of the days that the span touches."""
        return range(day_of(self.start_ts).start_ts, self.end_ts, DAY_S)

    def claim(self, day_ts: int, rows: int, name: str) -> Coverage:
        """Return what the file proves about a day, of which it has so many rows of a subreddit."""
        span = f"{name} shows {iso(self.start_ts)} to {iso(self.end_ts)}"
        if self.doubt:
            return Coverage(CoverageStatus.TRUNCATED, f"{span}; {self.doubt}", items_seen=rows)
        if self.end_ts < day_ts + DAY_S:
            return Coverage(CoverageStatus.TRUNCATED, f"{span}, and ends within the day", items_seen=rows)
        if self.start_ts > day_ts:
            reason = f"{span}, and begins within the day"
            since = self.start_ts if self.start_ts < day_ts + DAY_S else None
            return Coverage(CoverageStatus.TRUNCATED, reason, complete_from_ts=since, items_seen=rows)
        return Coverage(CoverageStatus.COMPLETE if rows else CoverageStatus.EMPTY, span, items_seen=rows)


def period_of(file_name: str, kind: str, sight: Sight, doubt: str = "") -> Period:
    """Return the period of a file of which at least one row was seen.

    `RC_2019-10` counts as the whole of that month for all of Reddit when it holds comments, no row that was looked at
    lies outside the month, and the first and the last row lie in the month's first and last day. Of any other file, and
    at an end of the month where that is not so, the period is what lies between its first and its last row.
    """
    first, last = sight.first_ts or 0, sight.last_ts or 0
    start, end = first, last + 1
    month = month_of(file_name, kind)
    is_month = month is not None and month[0] <= sight.least_ts and sight.most_ts < month[1]
    if month and is_month:
        start = month[0] if first < month[0] + DAY_S else first
        end = month[1] if last >= month[1] - DAY_S else last + 1
    if not doubt and (day_of(sight.least_ts) < day_of(first) or day_of(sight.most_ts) > day_of(last)):
        doubt = "its rows do not lie in order of time"
    return Period(min(start, sight.least_ts), max(end, sight.most_ts + 1), is_month, doubt)


def month_of(file_name: str, kind: str) -> tuple[int, int] | None:
    """Return the month `[start_ts, end_ts)` of all of Reddit that a name promises of a kind; None: it does not."""
    named = _MONTH_FILE.match(file_name)
    if not named or _KINDS[named[1]] != kind:
        return None
    year, month = int(named[2]), int(named[3])
    try:
        after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        return int(datetime(year, month, 1, tzinfo=UTC).timestamp()), int(after.timestamp())
    except ValueError:
        return None


def kind_in_name(file_name: str) -> str | None:
    """Return the kind of rows that a file's name promises; None where it promises none."""
    named = _MONTH_FILE.match(file_name)
    if named:
        return _KINDS[named[1]]
    return next((kind for kind in (SUBMISSIONS, COMMENTS) if kind in file_name.lower()), None)
