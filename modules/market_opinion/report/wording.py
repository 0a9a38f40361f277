"""How figures are written: shares, net sentiment, changes, intervals, days; the same everywhere on the page."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from ..analysis.periods import Period
from ..analysis.statistics import Estimate

NOTHING = "–"
"""Stands where there is no figure."""
_MINUS = "−"


def count(number: int) -> str:
    """Return a number of things."""
    return f"{number:,}"


def percent(part: float) -> str:
    """Return a part of something, in percent."""
    return f"{100 * part:.1f}%"


def share(estimate: Estimate | None) -> str:
    """Return a share."""
    return NOTHING if estimate is None else percent(estimate.value)


def share_interval(estimate: Estimate | None) -> str:
    """Return the interval of a share, in percent."""
    return NOTHING if estimate is None else f"{100 * estimate.low:.1f} to {100 * estimate.high:.1f}%"


def net(value: float) -> str:
    """Return a net sentiment, or a difference of two, with its sign."""
    return _signed(value, 2)


def net_of(estimate: Estimate | None) -> str:
    """Return a net sentiment, if there is one."""
    return NOTHING if estimate is None else net(estimate.value)


def net_interval(estimate: Estimate | None) -> str:
    """Return the interval of a net sentiment, or of a difference of two."""
    return NOTHING if estimate is None else f"{net(estimate.low)} to {net(estimate.high)}"


def points(estimate: Estimate | None) -> str:
    """Return a change of a share, in percentage points."""
    return NOTHING if estimate is None else _signed(100 * estimate.value, 1)


def points_interval(estimate: Estimate | None) -> str:
    """Return the interval of a change of a share, in percentage points."""
    if estimate is None:
        return NOTHING
    return f"{_signed(100 * estimate.low, 1)} to {_signed(100 * estimate.high, 1)}"


def _signed(value: float, decimals: int) -> str:
    shown = f"{abs(value):.{decimals}f}"
    sign = "" if float(shown) == 0 else _MINUS if value < 0 else "+"
    return sign + shown


def direction(change: Estimate | None) -> str:
    """Return `up` or `down` where a change is one that chance alone would hardly bring, else nothing."""
    if change is None or change.low <= 0 <= change.high:
        return ""
    return "up" if change.value > 0 else "down"


def day(moment: date) -> str:
    """Return a day: 6 January 2026."""
    return f"{moment.day} {moment:%B %Y}"


def span(period: Period) -> str:
    """Return a period: 31 December 2025 to 6 January 2026; what both ends share is said once."""
    first, last = period.first, period.last
    if first == last:
        return day(last)
    if first.year != last.year:
        return f"{day(first)} to {day(last)}"
    return f"{first.day} to {day(last)}" if first.month == last.month else f"{first.day} {first:%B} to {day(last)}"


def moment(ts: int, zone: str) -> str:
    """Return a moment in a time zone: 6 Jan 2026, 14:23."""
    local = datetime.fromtimestamp(ts, ZoneInfo(zone))
    return f"{local.day} {local:%b %Y, %H:%M}"


def iso(ts: int) -> str:
    """Return a moment for programs, UTC."""
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def listed(names: Sequence[str]) -> str:
    """Return names in a sentence: Apple, Samsung and Google."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def difference(value: float, scale: float, decimals: int) -> str:
    """Return a difference with its sign, in units of 1 / `scale`."""
    return _signed(scale * value, decimals)
