"""Gaps: the hours that were not seen whole, since when that is known, and who has closed them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from .core.coverage import CoverageStatus, weakest
from .core.invocation import Mode
from .core.keys import KINDS
from .core.manifest import Manifest
from .core.windows import Window, hourly
from .view import strongest_claim

Attempts = dict[Window, list[Manifest]]
"""The attempts that claim something about an hour, oldest first. An attempt at a day stands in all its hours."""


@dataclass(frozen=True, slots=True)
class Gap:
    """An hour that was not seen whole, or a span of such hours that are alike.

    `status` is what was claimed before it was closed; None for a hole, which no run has looked at. `since_ts` is when
    it was first recorded; `closed_by` the source that closed it, None while it is open; `closed_at_ts` is not known
    of an import.
    """

    subreddit: str
    window: Window
    status: CoverageStatus | None
    kinds: tuple[str, ...]
    reason: str
    since_ts: int | None = None
    closed_by: str | None = None
    closed_at_ts: int | None = None

    def is_like(self, other: "Gap") -> bool:
        """Tell whether two gaps are of one kind and end."""
        mine, theirs = ((gap.subreddit, gap.status, gap.kinds, gap.closed_by) for gap in (self, other))
        return mine == theirs


def attempts_by_hour(found: Iterable[Manifest]) -> Attempts:
    """Sort the attempts at one subreddit's windows by the hours that they claim something about."""
    attempts: Attempts = {}
    claiming = [manifest for manifest in found if manifest.status is not None]
    for manifest in sorted(claiming, key=_age):
        for hour in hourly(manifest.window.start_ts, manifest.window.end_ts):
            attempts.setdefault(hour, []).append(manifest)
    return dict(sorted(attempts.items()))


def _age(manifest: Manifest) -> tuple[bool, int, bool]:
    # An import tells the end of its period instead of when it was made; that was mostly later than the live runs. Of
    # two within one second, the one that saw everything is taken for the later.
    is_whole = manifest.status is not None and manifest.status.is_whole
    return manifest.mode == Mode.IMPORT, manifest.observed_at_ts, is_whole


def gaps_of(subreddit: str, attempts: Attempts, watermark: int | None) -> list[Gap]:
    """Return every gap of a subreddit hour by hour, oldest first, closed ones too.

    A hole is an hour between the first one that an incremental run claimed and the watermark (or the last such one)
    that no incremental run has claimed.
    """
    found = [gap for hour, made in attempts.items() if (gap := _gap(subreddit, hour, made))]
    live = [hour for hour, made in attempts.items() if any(each.mode == Mode.INCREMENTAL for each in made)]
    if live:
        end_ts = max(watermark or 0, live[-1].end_ts)
        seen = set(live)
        holes = (hour for hour in hourly(live[0].start_ts, end_ts) if hour not in seen)
        found += [gap for hour in holes if (gap := _hole(subreddit, hour, attempts.get(hour, [])))]
    return sorted(found, key=lambda gap: gap.window)


def spans(gaps: Sequence[Gap]) -> Iterator[Gap]:
    """Join contiguous gaps that are alike; the reason and the time of the first stand for all."""
    joined: Gap | None = None
    for gap in gaps:
        if joined and joined.is_like(gap) and joined.window.end_ts == gap.window.start_ts:
            joined = replace(joined, window=Window(joined.window.start_ts, gap.window.end_ts))
            continue
        if joined:
            yield joined
        joined = gap
    if joined:
        yield joined


def _gap(subreddit: str, hour: Window, made: list[Manifest]) -> Gap | None:
    kinds = [kind for kind in KINDS if any(kind in manifest.coverage for manifest in made)]
    closing = {kind: _first_whole(kind, made) for kind in kinds}
    open_kinds = tuple(kind for kind in kinds if closing[kind] is None)
    if open_kinds:
        status, reason, since_ts = _worst(open_kinds, made)
        return Gap(subreddit, hour, status, open_kinds, reason, since_ts)
    before = {kind: made[: made.index(end)] for kind, end in closing.items() if end}
    missed = tuple(kind for kind in kinds if any(kind in manifest.coverage for manifest in before[kind]))
    if not missed:
        return None
    last = max((end for kind in missed if (end := closing[kind])), key=_age)
    status, reason, since_ts = _worst(missed, made[: made.index(last)])
    return Gap(subreddit, hour, status, missed, reason, since_ts, last.source, _made_at(last))


def _hole(subreddit: str, hour: Window, made: list[Manifest]) -> Gap | None:
    """Return the hole that an hour is, or was until something else than an incremental run saw it whole."""
    if not made:
        return Gap(subreddit, hour, None, KINDS, "no run has looked at it")
    first = made[0]
    if not all(claim.status.is_whole for claim in first.coverage.values()):
        return None  # since that look it is a recorded gap
    return Gap(subreddit, hour, None, KINDS, "no run had looked at it", None, first.source, _made_at(first))


def _made_at(manifest: Manifest) -> int | None:
    return None if manifest.mode == Mode.IMPORT else manifest.observed_at_ts


def _first_whole(kind: str, made: Sequence[Manifest]) -> Manifest | None:
    return next((each for each in made if kind in each.coverage and each.coverage[kind].status.is_whole), None)


def _worst(kinds: Sequence[str], made: Sequence[Manifest]) -> tuple[CoverageStatus, str, int]:
    """Return the status, the reason and the first time of what attempts have left open of some kinds."""
    known = [kind for kind in kinds if any(kind in each.coverage for each in made)]
    claims = [strongest_claim(kind, made).coverage[kind] for kind in known]
    status = weakest(claim.status for claim in claims)
    reason = next(claim.reason for claim in claims if claim.status is status)
    return status, reason, next(each for each in made if any(kind in each.coverage for kind in known)).observed_at_ts
