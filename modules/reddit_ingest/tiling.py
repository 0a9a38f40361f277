"""How a subreddit's hours lie beside each other: what is claimed of each, what nobody looked at, where the watermark
belongs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .core.coverage import CoverageStatus, strongest, weakest
from .core.invocation import Mode
from .core.manifest import Manifest
from .core.windows import HOUR_S, Window
from .gaps import attempts_by_hour


@dataclass(frozen=True, slots=True)
class Tiling:
    """The hours of one subreddit, by their start.

    `statuses` has every hour that is claimed, `incremental` those that an incremental run claimed: only these are the
    watermark's business. Of `unknown` hours a manifest is damaged, so that nothing can be said.
    """

    statuses: Mapping[int, CoverageStatus]
    incremental: frozenset[int]
    unknown: frozenset[int] = frozenset()

    @classmethod
    def of(cls, manifests: Iterable[Manifest], unknown: Iterable[int] = ()) -> "Tiling":
        """Return the tiling that the manifests of a subreddit make; a day is 24 hours."""
        attempts = {hour.start_ts: made for hour, made in attempts_by_hour(manifests).items()}
        return cls(
            {ts: _status(made) for ts, made in attempts.items()},
            frozenset(ts for ts, made in attempts.items() if any(each.mode == Mode.INCREMENTAL for each in made)),
            frozenset(unknown),
        )

    def holes(self, watermark: int | None) -> list[int]:
        """Return the hours that nobody looked at, from the first incremental one to the watermark or the last one."""
        if not self.incremental:
            return []
        end_ts = max(watermark or 0, max(self.incremental) + HOUR_S)
        hours = range(min(self.incremental), end_ts, HOUR_S)
        return [ts for ts in hours if ts not in self.statuses and ts not in self.unknown]

    def passed(self, watermark: int | None) -> list[int]:
        """Return the hours that the watermark has passed and that could not move it."""
        first, end_ts = min(self.incremental, default=0), watermark or 0
        return [ts for ts, status in self.statuses.items() if first <= ts < end_ts and not status.moves_watermark]

    def failed(self) -> list[int]:
        """Return the hours of which no attempt has shown more than that it failed."""
        return [ts for ts, status in self.statuses.items() if status is CoverageStatus.FAILED]

    def live_run(self) -> tuple[int, int] | None:
        """Return where the newest run of contiguous incremental hours begins, and the watermark that belongs to it.

        That is the end of the last of its hours before the first one that may not move the watermark; None where no
        incremental run has claimed anything.
        """
        if not self.incremental:
            return None
        start = max(self.incremental)
        while start - HOUR_S in self.statuses:
            start -= HOUR_S
        begin = end = min(ts for ts in self.incremental if ts >= start)
        while (status := self.statuses.get(end)) and status.moves_watermark:
            end += HOUR_S
        return begin, end


def contiguous(starts: Iterable[int]) -> list[Window]:
    """Join hours, given by their starts in any order, into the spans that they fill."""
    spans: list[Window] = []
    for ts in sorted(starts):
        if spans and spans[-1].end_ts == ts:
            spans[-1] = Window(spans[-1].start_ts, ts + HOUR_S)
        else:
            spans.append(Window(ts, ts + HOUR_S))
    return spans


def _status(made: Iterable[Manifest]) -> CoverageStatus:
    claims: dict[str, list[CoverageStatus]] = {}
    for manifest in made:
        for kind, claim in manifest.coverage.items():
            claims.setdefault(kind, []).append(claim.status)
    return weakest(strongest(statuses) for statuses in claims.values())
