"""Which source serves which hours of a subreddit, and what that will cost. Nothing is asked of any source."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from .core.abilities import ABILITIES, ARCTIC_SHIFT, REDDIT_API, Ability
from .core.coverage import CoverageStatus
from .core.keys import COMMENTS, KINDS, SUBMISSIONS
from .core.manifest import Manifest
from .core.windows import HOUR_S, Window
from .gaps import Attempts

AUTO = "auto"

_SAFETY = 0.8
"""Of a listing so much is counted on: traffic swings, and removed items count among its entries."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """How lively a subreddit is, by kind: items an hour, and bytes that one becomes."""

    per_hour: Mapping[str, float]
    bytes_each: Mapping[str, float]
    is_measured: bool = True

    def items(self, kind: str, seconds: float) -> float:
        """Return how many items come in so much time."""
        return self.per_hour[kind] * seconds / HOUR_S


DEFAULT_TRAFFIC = Traffic({SUBMISSIONS: 20.0, COMMENTS: 150.0}, {SUBMISSIONS: 4_500.0, COMMENTS: 2_000.0}, False)
"""Of a subreddit that the lake has seen nothing of."""


@dataclass(frozen=True, slots=True)
class Leg:
    """Contiguous hours of a subreddit that one source serves; `source` is None where none can, and `reason` says why.

    Requests, bytes (as landed) and seconds are estimates.
    """

    subreddit: str
    windows: tuple[Window, ...]
    source: str | None
    reason: str = ""
    requests: int = 0
    bytes: int = 0
    seconds: float = 0.0

    def passes(self) -> list[tuple[Window, ...]]:
        """Return the windows in the portions that the source reads at once."""
        most = (ABILITIES[self.source].windows_per_pass if self.source else None) or len(self.windows)
        return [self.windows[start : start + most] for start in range(0, len(self.windows), most)]


def measured(made: Iterable[Manifest]) -> Traffic:
    """Return a subreddit's traffic as its whole windows show it, or the default where there are none."""
    counts: dict[str, dict[Window, int]] = {kind: {} for kind in KINDS}
    sizes = {kind: [0, 0] for kind in KINDS}
    for manifest in made:
        rows = dict.fromkeys(KINDS, 0)
        for landed in manifest.objects:
            if landed.kind in KINDS:
                rows[landed.kind] += landed.rows
                sizes[landed.kind] = [sizes[landed.kind][0] + landed.bytes, sizes[landed.kind][1] + landed.rows]
        rows[COMMENTS] = manifest.new_comments
        for kind, claim in manifest.coverage.items():
            if claim.status.is_whole:
                counts[kind][manifest.window] = max(rows[kind], counts[kind].get(manifest.window, 0))
    return Traffic(
        {kind: _per_hour(counts[kind], DEFAULT_TRAFFIC.per_hour[kind]) for kind in KINDS},
        {kind: size / rows if rows else DEFAULT_TRAFFIC.bytes_each[kind] for kind, (size, rows) in sizes.items()},
        is_measured=any(counts.values()),
    )


def _per_hour(counts: Mapping[Window, int], default: float) -> float:
    hours = sum(window.end_ts - window.start_ts for window in counts) / HOUR_S
    return sum(counts.values()) / hours if hours else default


class Planner:
    """Plans for one subreddit from what the lake knows of it.

    `unusable` tells of sources that cannot be read at all, and why.
    """

    def __init__(
        self, subreddit: str, attempts: Attempts, traffic: Traffic, now_ts: int, unusable: Mapping[str, str]
    ) -> None:
        self.traffic = traffic
        self._subreddit = subreddit
        self._attempts = attempts
        self._now_ts = now_ts
        self._unusable = unusable

    def legs(self, windows: Sequence[Window], source: str) -> list[Leg]:
        """Return what `source` would serve, or, for `AUTO`, the best source for each hour; in order of time."""
        chosen = [(window, *self.choose(window, source)) for window in windows]
        legs: list[Leg] = []
        for (name, reason), group in groupby(chosen, key=lambda entry: entry[1:]):
            for span in _contiguous([window for window, *_ in group]):
                legs.append(self._leg(span, name, reason))
        return legs

    def choose(self, window: Window, source: str = AUTO) -> tuple[str | None, str]:
        """Return the source for an hour and what speaks against it; (None, why) where no source can serve it."""
        if source != AUTO:
            return (None if source in self._unusable else source), self._objection(ABILITIES[source], window)
        objections = []
        for ability in ABILITIES.values():
            objection = self._objection(ability, window)
            if not objection:
                return ability.name, ""
            objections.append(f"{ability.name}: {objection}")
        return None, "; ".join(objections)

    def _objection(self, ability: Ability, window: Window) -> str:
        """Return why a source should not be asked for an hour; nothing if it may."""
        if ability.name in self._unusable:
            return self._unusable[ability.name]
        if self._now_ts < window.end_ts + ability.settles_s:
            return f"shows an hour reliably {_hours(ability.settles_s)} after its end"
        if objection := self._experience(ability, window):
            return objection
        if ability.newest_only and self._now_ts - window.start_ts > (reach_s := self._reach_s(ability.newest_only)):
            told = "" if self.traffic.is_measured else ", as traffic is assumed"
            return f"its listings reach back about {_hours(reach_s)}{told}"
        return ""

    def _experience(self, ability: Ability, window: Window) -> str:
        """Return what earlier attempts at an hour say against a source."""
        newest = {each.source: each.status for each in self._attempts.get(window, ()) if each.status is not None}
        own = newest.get(ability.name)
        if own is not None and own.is_gap:
            return "was asked and shows no more"
        if ability is ARCTIC_SHIFT and own is CoverageStatus.BLOCKED:
            return "was asked and holds nothing of the subreddit"
        if ability is ARCTIC_SHIFT and newest.get(REDDIT_API.name) is CoverageStatus.BLOCKED:
            return "Reddit blocks the subreddit, and an archive is no way around that"
        return ""

    def _reach_s(self, entries: int) -> float:
        busiest = max(self.traffic.per_hour.values())
        return entries * _SAFETY / busiest * HOUR_S if busiest else math.inf

    def _leg(self, windows: tuple[Window, ...], source: str | None, reason: str) -> Leg:
        leg = Leg(self._subreddit, windows, source, reason)
        if source is None:
            return leg
        ability = ABILITIES[source]
        requests = sum(self._requests(ability, portion) for portion in leg.passes())
        seconds = len(windows) * HOUR_S
        size = sum(self.traffic.items(kind, seconds) * self.traffic.bytes_each[kind] for kind in KINDS)
        return Leg(
            self._subreddit, windows, source, reason, requests, int(size), requests * ability.seconds_per_request
        )

    def _requests(self, ability: Ability, portion: Sequence[Window]) -> int:
        # A listing is read from now back; an archive from the first hour to the last.
        until_ts = self._now_ts if ability is REDDIT_API else portion[-1].end_ts
        seconds = until_ts - portion[0].start_ts
        items = (min(self.traffic.items(kind, seconds), ability.newest_only or math.inf) for kind in KINDS)
        return sum(math.ceil(count / ability.items_per_request) + ability.requests_per_pass for count in items)


def _contiguous(windows: Sequence[Window]) -> list[tuple[Window, ...]]:
    found: list[list[Window]] = []
    for window in windows:
        if found and found[-1][-1].end_ts == window.start_ts:
            found[-1].append(window)
        else:
            found.append([window])
    return [tuple(span) for span in found]


def _hours(seconds: float) -> str:
    return f"{seconds / HOUR_S:,.0f} hours" if seconds >= HOUR_S * 1.5 else "an hour"
