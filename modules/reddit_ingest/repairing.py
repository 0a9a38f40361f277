"""Puts a lake in order from what its manifests say: adopts or drops what no manifest names, finishes purges, writes
missing run records, sets the watermark. Idempotent; killed at any moment and run again it ends with the same lake.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from . import __version__
from .core.coverage import CoverageStatus
from .core.errors import DamagedState, ObjectMissing
from .core.invocation import Mode
from .core.keys import COMMENTS, KINDS, QUARANTINE, SUBMISSIONS, TOMBSTONES, kind_of
from .core.manifest import LandedObject, Manifest, sha256_hex
from .core.names import subreddit_key
from .core.ports import Clock, JsonlWriter, LakeReader, Leftovers, ObjectEraser, RunHistory, StateStore
from .core.records import RunRecord
from .core.tombstones import Graves, Row, names_in
from .core.windows import Window, check_watermark, hour_of, iso
from .erasure import Erasure
from .tiling import Tiling, contiguous
from .verification import Inspected, fault_in, graves_in, look_at, row_in, unrecorded
from .view import lines_of

_ADOPTABLE = (SUBMISSIONS, COMMENTS, QUARANTINE, TOMBSTONES)


class Outcome(StrEnum):
    """What became of something that a repair met."""

    DONE = "done"
    KEPT = "kept"
    """Left as it is; harmless."""
    LATER = "later"
    """Cannot be done yet."""
    STUCK = "stuck"
    """A person must act."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a repair did or left: where, and what."""

    outcome: Outcome
    place: str
    text: str


_Work = Callable[[str, list[Inspected]], Iterator[Step]]


class _Orphan(NamedTuple):
    landed: LandedObject
    rows: list[Row | None]
    mentions: set[str]


class Repairer:
    """Repairs one subreddit after the other; on a local lake use it only under the lake's lock.

    What is younger than `least_age_s` may belong to a run that goes on, and is not removed.
    """

    def __init__(
        self,
        *,
        reader: LakeReader,
        writer: JsonlWriter,
        eraser: ObjectEraser,
        leftovers: Leftovers,
        erasure: Erasure,
        state: StateStore,
        history: RunHistory,
        clock: Clock,
        environment: str,
        prefix: str = "reddit/",
        least_age_s: int = 0,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._eraser = eraser
        self._leftovers = leftovers
        self._erasure = erasure
        self._state = state
        self._history = history
        self._clock = clock
        self._environment = environment
        self._prefix = prefix
        self._least_age_s = least_age_s

    def repair(self, subreddit: str, drop_orphans: bool = False) -> Iterator[Step]:
        """Repair a subreddit and yield every step when it is done.

        Reads the manifests and what no manifest names; only `Verifier` reads all objects. With `drop_orphans` what no
        manifest names is erased instead of adopted.

        Raises:
            LakeNotUsable, StorageFull, ServiceRefused, ServiceUnavailable: run it again when that is mended.
        """
        place = f"{self._prefix}{subreddit_key(subreddit)}/"
        for name in self._leftovers.remove(place, self._least_age_s):
            yield Step(Outcome.DONE, name, "removed what a process that died had half written")
        looked = self._look(place)
        for each in looked:
            for name, why in each.damaged.items():
                yield Step(Outcome.STUCK, each.path + name, f"{why}; nothing else in this folder was touched")
        # A purge that died has landed objects, too, and names them when it goes on.
        steps, looked = self._work(self._purge, subreddit, looked)
        yield from steps
        steps, looked = self._work(self._drop if drop_orphans else self._adopt, subreddit, looked)
        yield from steps
        if any(step.outcome is Outcome.DONE for step in steps):
            steps, looked = self._work(self._purge, subreddit, looked)
            yield from steps
        yield from self._restore_records(subreddit, looked)
        yield from self._set_watermark(subreddit, looked)

    def to_read_again(self, subreddit: str) -> list[Window]:
        """Return the spans of contiguous hours that failed or that no run has looked at, oldest first."""
        tiling = _tiling(self._look(f"{self._prefix}{subreddit_key(subreddit)}/"))
        watermark, _ = self._watermark(subreddit)
        return contiguous({*tiling.failed(), *tiling.passed(watermark), *tiling.holes(watermark)})

    def _work(self, work: _Work, subreddit: str, looked: list[Inspected]) -> tuple[list[Step], list[Inspected]]:
        steps = list(work(subreddit, looked))
        if any(step.outcome is Outcome.DONE for step in steps):
            looked = self._look(f"{self._prefix}{subreddit_key(subreddit)}/")
        return steps, looked

    def _look(self, place: str) -> list[Inspected]:
        return list(look_at(self._reader, self._prefix, place))

    def _drop(self, subreddit: str, looked: list[Inspected]) -> Iterator[Step]:
        for key in (each.path + name for each in looked for name in each.orphans):
            if self._eraser.erase(key, None, self._least_age_s):
                yield Step(Outcome.DONE, key, "erased; no manifest named it")
            else:
                yield Step(Outcome.LATER, key, "no manifest names it yet, and a run may be about to; try in an hour")

    def _adopt(self, subreddit: str, looked: list[Inspected]) -> Iterator[Step]:
        graves = graves_in(self._reader, looked)
        for each in looked:
            found = [orphan for name in each.orphans if (orphan := self._orphan(each.path, name))]
            if found:
                yield from self._adopt_in(subreddit, each, found, graves)

    def _adopt_in(self, subreddit: str, looked: Inspected, found: list[_Orphan], graves: Graves) -> Iterator[Step]:
        links = self._links(looked, found)
        adopted: dict[Window, list[_Orphan]] = {}
        for orphan in found:
            window, fault = _home(looked, orphan, links, graves)
            if window is None:
                key = looked.path + orphan.landed.name
                yield Step(Outcome.KEPT, key, f"not adopted, since {fault}; `--drop-orphans` erases it")
            else:
                adopted.setdefault(window, []).append(orphan)
        for window, orphans in adopted.items():
            self._writer.commit(looked.path, _adopting(subreddit, window, orphans, self._clock.now_ts()))
            for orphan in orphans:
                text = f"adopted: {orphan.landed.rows:,} rows of an attempt that died before its manifest"
                yield Step(Outcome.DONE, looked.path + orphan.landed.name, text)

    def _orphan(self, path: str, name: str) -> _Orphan | None:
        """Return what an orphan holds; None where it is gone by now."""
        kind = kind_of(name) or ""
        try:
            content = self._reader.read(path + name)
        except ObjectMissing:
            return None
        landed = LandedObject(name, kind, sha256_hex(content), len(content), 0, None, None)
        try:
            lines = lines_of(self._reader, path, landed)
        except DamagedState:
            return _Orphan(landed, [None], set())
        rows = [row_in(line) for line in lines]
        times = [row["created_utc"] for row in rows if row and isinstance(row.get("created_utc"), int)]
        first, last = min(times, default=None), max(times, default=None)
        landed = replace(landed, rows=len(lines), first_item_ts=first, last_item_ts=last)
        return _Orphan(landed, rows, {name for line in lines for name in names_in(line.replace(b"\\", b""))})

    def _links(self, looked: Inspected, found: list[_Orphan]) -> set[str]:
        """Return the submissions of a folder, whose comments may have been created later than its window."""
        links: set[str] = set()
        for landed in {landed for manifest in looked.folder.live.values() for landed in manifest.objects}:
            if landed.kind == SUBMISSIONS:
                try:
                    lines = lines_of(self._reader, looked.path, landed)
                except DamagedState:
                    continue  # `verify` tells of it
                links |= {str(row.get("fullname")) for line in lines if (row := row_in(line))}
        for orphan in found:
            if orphan.landed.kind == SUBMISSIONS:
                links |= {str(row.get("fullname")) for row in orphan.rows if row}
        return links

    def _purge(self, subreddit: str, looked: list[Inspected]) -> Iterator[Step]:
        graves = graves_in(self._reader, looked)
        is_begun = any(each.replaced for each in looked) or any(each.purged_at_ts is None for each in graves.values())
        if not (is_begun or (graves and any(each.orphans for each in looked))):
            return
        try:
            report = self._erasure.purge(subreddit)
        except DamagedState as error:
            yield Step(Outcome.STUCK, f"r/{subreddit}", f"the purge is not done: {error}")
            return
        if report.due:
            text = f"{report.due:,} deleted items stand in what no manifest names yet; try in an hour"
            yield Step(Outcome.LATER, f"r/{subreddit}", text)
        if is_begun or report.objects:
            text = f"purged: {report.rows:,} rows and {report.objects:,} objects of what was deleted or forgotten"
            yield Step(Outcome.DONE, f"r/{subreddit}", text)

    def _restore_records(self, subreddit: str, looked: list[Inspected]) -> Iterator[Step]:
        live = {each.path + name: manifest for each in looked for name, manifest in each.folder.live.items()}
        missing = unrecorded(live, self._history.manifests(subreddit))
        for key in missing:
            self._history.restore(record_of(self._environment, key, live[key]))
        if missing:
            yield Step(Outcome.DONE, f"r/{subreddit}", f"{len(missing):,} run records written from their manifests")

    def _set_watermark(self, subreddit: str, looked: list[Inspected]) -> Iterator[Step]:
        place = f"watermark of r/{subreddit}"
        stored, trouble = self._watermark(subreddit)
        run = _tiling(looked).live_run()
        if run is None:
            if trouble:
                yield Step(Outcome.STUCK, place, f"{trouble}; no manifest of a regular run tells where it belongs")
            return
        begin, end = run
        # Before the newest run of hours it was set on purpose: the next runs go on from there.
        is_wanted = stored is None or (begin <= stored and stored != end)
        is_certain = stored is None or not any(each.damaged for each in looked)
        if is_wanted and is_certain:
            self._state.save_last_run_timestamp(subreddit, end)
            was = "" if stored is None else f" (it stood at {iso(stored)})"
            yield Step(Outcome.DONE, place, f"set to {iso(end)}{was}, up to where manifests lead")

    def _watermark(self, subreddit: str) -> tuple[int | None, str]:
        """Return the watermark, and what is wrong with the stored one where it cannot be used."""
        try:
            stored = self._state.load_last_run_timestamp(subreddit)
            return (None if stored is None else check_watermark(stored, self._clock.now_ts())), ""
        except DamagedState as error:
            return None, str(error)


def record_of(environment: str, key: str, manifest: Manifest) -> RunRecord:
    """Return the run record of an attempt as its manifest tells it."""
    rows = dict.fromkeys((*KINDS, QUARANTINE), 0)
    for landed in manifest.objects:
        if landed.kind in rows:
            rows[landed.kind] += landed.rows
    return RunRecord(
        environment=environment,
        subreddit=manifest.subreddit,
        window=manifest.window,
        mode=manifest.mode,
        status=manifest.status or CoverageStatus.COMPLETE,
        submissions=rows[SUBMISSIONS],
        comments=rows[COMMENTS],
        new_comments=manifest.new_comments,
        quarantined=rows[QUARANTINE],
        requests=manifest.requests,
        ingested_at_ts=manifest.observed_at_ts,
        manifest=key,
        # Manifests are sorted; a run tells of submissions first.
        reason="; ".join(f"{kind}: {manifest.coverage[kind].reason}" for kind in KINDS if kind in manifest.coverage),
    )


def _tiling(looked: list[Inspected]) -> Tiling:
    live = [manifest for each in looked for manifest in each.folder.live.values()]
    return Tiling.of(live, (ts for each in looked for ts in each.unknown_hours))


def _home(looked: Inspected, orphan: _Orphan, links: set[str], graves: Graves) -> tuple[Window | None, str]:
    """Return the window that an orphan belongs to; None and the reason where it cannot be adopted."""
    landed, fault = orphan.landed, ""
    if landed.kind not in _ADOPTABLE:
        return None, f"nobody needs {landed.kind} of an attempt that died"
    if landed.kind != TOMBSTONES and orphan.mentions & graves.keys():
        return None, "it tells of something that was deleted or forgotten"
    for window in _windows(looked):
        faults = [fault for row in orphan.rows if (fault := fault_in(row, landed.kind, window, links))]
        if not faults:
            return window, ""
        fault = fault or faults[0]
    return None, f"{landed.name} does not fit: {fault}"


def _windows(looked: Inspected) -> list[Window]:
    """Return the windows that a folder may be for, the shortest first."""
    return sorted({manifest.window for manifest in looked.folder.live.values()} | {hour_of(looked.start_ts or 0)})


def _adopting(subreddit: str, window: Window, orphans: list[_Orphan], now_ts: int) -> Manifest:
    rows = [row for orphan in orphans for row in orphan.rows if row]
    sources = {row["source"] for row in rows if isinstance(row.get("source"), str)}
    comments = [row for orphan in orphans if orphan.landed.kind == COMMENTS for row in orphan.rows if row]
    return Manifest(
        subreddit=subreddit_key(subreddit),
        window=window,
        source=sources.pop() if len(sources) == 1 else "",
        mode=Mode.REPAIR,
        observed_at_ts=now_ts,  # so that the next purge looks into it
        tool_version=__version__,
        objects=tuple(orphan.landed for orphan in orphans),
        new_comments=sum(row["created_utc"] in window for row in comments),
    )
