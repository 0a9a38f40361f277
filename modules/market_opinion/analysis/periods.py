"""Spans of whole days in a market's time zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Period:
    """Days from the first to the last, both included."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"

    @classmethod
    def ending(cls, last: date, days: int) -> "Period":
        """Return so many days up to the last one."""
        return cls(last - timedelta(days - 1), last)

    @property
    def days(self) -> int:
        """How many days they are."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Period":
        """The same number of days right before."""
        return Period.ending(self.first - timedelta(1), self.days)

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(number) for number in range(self.days))

    def bounds(self, zone: str) -> dict[str, int | date]:
        """Return for SQL: `start` and `end` in seconds UTC, and the UTC days `first` and `last` of the parts."""
        start_ts, end_ts = self.start_ts(zone), self.end_ts(zone)
        return {"start": start_ts, "end": end_ts, "first": utc_day(start_ts), "last": utc_day(end_ts - 1)}

    def start_ts(self, zone: str) -> int:
        """Return when the first day begins in a time zone."""
        return _midnight(self.first, zone)

    def end_ts(self, zone: str) -> int:
        """Return when the last day ends in a time zone."""
        return _midnight(self.last + timedelta(1), zone)


def _midnight(day: date, zone: str) -> int:
    return int(datetime.combine(day, time(), ZoneInfo(zone)).timestamp())


def utc_day(ts: int) -> date:
    """Return the UTC day of a moment, as it stands in the paths of parts."""
    return datetime.fromtimestamp(ts, UTC).date()


def local_day(ts: int, zone: str) -> date:
    """Return the day of a moment in a time zone."""
    return datetime.fromtimestamp(ts, ZoneInfo(zone)).date()
