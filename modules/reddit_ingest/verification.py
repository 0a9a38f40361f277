"""Does the lake hold what it says? Manifests against their names, objects against manifests, rows against windows, the
tiling of hours, watermark and run records against manifests. Nothing is changed.
"""

import json
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby

from .core.errors import DamagedState, InvalidRequest, LakeNotUsable, ObjectMissing
from .core.keys import (
    COMMENTS,
    KINDS,
    QUARANTINE,
    SUBMISSIONS,
    TOMBSTONES,
    is_manifest,
    kind_of,
    start_of,
    window_folder,
)
from .core.manifest import LandedObject, Manifest
from .core.names import subreddit_key
from .core.ports import Clock, LakeReader, Leftovers, RunHistory, StateStore
from .core.tombstones import TEXT, Graves, Row, Tombstone
from .core.windows import HOUR_S, Window, check_watermark, iso
from .tiling import Tiling, contiguous
from .view import Folder, lines_of, read_manifest, subreddits_in

PURGE_DEADLINE_S = 24 * HOUR_S
"""What was deleted or forgotten has left the lake this long after that was noticed."""

_DAY_HOURS = 24
_PREFIX = {SUBMISSIONS: "t3_", COMMENTS: "t1_"}
Told = Callable[[str], None]
"""Hears in a line how far the work has come."""


class Severity(StrEnum):
    """How bad a finding is."""

    DAMAGE = "damage"
    """Something is not as the lake says; a person must act."""
    NOTE = "note"
    """Left over or lagging, and harmless."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be: where it is, what is wrong, and the next step."""

    severity: Severity
    kind: str
    place: str
    text: str


@dataclass(slots=True)
class Report:
    """What was looked at, and what was found."""

    findings: list[Finding] = field(default_factory=list)
    windows: int = 0
    objects: int = 0
    rows: int = 0
    bytes: int = 0

    @property
    def is_sound(self) -> bool:
        """Nothing is damaged."""
        return all(finding.severity is Severity.NOTE for finding in self.findings)

    def damage(self, kind: str, place: str, text: str) -> None:
        """Add something that is damaged."""
        self.findings.append(Finding(Severity.DAMAGE, kind, place, text))

    def note(self, kind: str, place: str, text: str) -> None:
        """Add something harmless."""
        self.findings.append(Finding(Severity.NOTE, kind, place, text))

    def add(self, other: "Report") -> None:
        """Add what another report tells."""
        self.findings += other.findings
        self.windows += other.windows
        self.objects += other.objects
        self.rows += other.rows
        self.bytes += other.bytes


@dataclass(frozen=True, slots=True)
class Inspected:
    """A folder of a subreddit with what can be read in it; `damaged` tells what is wrong with its other manifests.

    `start_ts` is the start of the window that it is for; None where it is no window's folder.
    """

    folder: Folder
    damaged: dict[str, str]
    start_ts: int | None

    @property
    def path(self) -> str:
        """Its path, ending in a slash."""
        return self.folder.path

    @property
    def orphans(self) -> list[str]:
        """Data objects that no manifest names; none where a damaged manifest may name them."""
        return [] if self.damaged else [name for name in self.folder.orphans if self._is_ours(name)]

    @property
    def strays(self) -> list[str]:
        """Objects that the platform did not write."""
        return [name for name in self.folder.orphans if not self._is_ours(name)]

    @property
    def replaced(self) -> list[str]:
        """Manifests that another one stands for and that are still there."""
        return [name for name in self.folder.manifests if name not in self.folder.live]

    @property
    def unknown_hours(self) -> list[int]:
        """Hours that a damaged manifest may speak of; at midnight it may be that of a day."""
        if not self.damaged or self.start_ts is None:
            return []
        hours = 1 if self.start_ts % (_DAY_HOURS * HOUR_S) else _DAY_HOURS
        return [self.start_ts + n * HOUR_S for n in range(hours)]

    def _is_ours(self, name: str) -> bool:
        return self.start_ts is not None and kind_of(name) is not None


def look_at(reader: LakeReader, prefix: str, place: str) -> Iterator[Inspected]:
    """Yield the folders under a place below the prefix, in order of key, however damaged their manifests are."""
    for path, keys in groupby(reader.keys(place), key=lambda key: key.rpartition("/")[0] + "/"):
        yield _inspected(reader, prefix, path, tuple(key.removeprefix(path) for key in keys))


def _inspected(
    reader: LakeReader, prefix: str, path: str, names: tuple[str, ...], is_second: bool = False
) -> Inspected:
    found: dict[str, Manifest] = {}
    damaged: dict[str, str] = {}
    for name in filter(is_manifest, names):
        try:
            found[name] = _manifest_of_folder(reader, prefix, path, name)
        except DamagedState as error:
            damaged[name] = str(error)
    if damaged and not is_second:
        # Perhaps replaced and erased since the folder was listed.
        names = tuple(key.removeprefix(path) for key in reader.keys(path))
        return _inspected(reader, prefix, path, names, is_second=True)
    return Inspected(Folder(path, names, found), damaged, start_of(prefix, path))


def _manifest_of_folder(reader: LakeReader, prefix: str, path: str, name: str) -> Manifest:
    manifest = read_manifest(reader, path + name)
    try:
        home = window_folder(prefix, manifest.subreddit, manifest.window)
    except InvalidRequest:
        home = f"r/{manifest.subreddit}"
    if home != path:
        raise DamagedState(f"{path}{name} belongs into {home}; move it there")
    return manifest


def graves_in(reader: LakeReader, looked: list[Inspected]) -> Graves:
    """Return the tombstones in folders, as far as they can be read."""
    graves = Graves()
    for each in looked:
        for manifest in each.folder.live.values():
            for landed in manifest.objects:
                if landed.kind == TOMBSTONES:
                    _bury(reader, each.path, landed, graves)
    return graves


def _bury(reader: LakeReader, path: str, landed: LandedObject, graves: Graves) -> None:
    try:
        for line in lines_of(reader, path, landed):
            graves.bury(Tombstone.from_row(json.loads(line)))
    except (DamagedState, ValueError):
        return  # found when the objects are checked


def row_in(line: bytes) -> Row | None:
    """Return the row that a line holds; None where it is no JSON object."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def fault_in(row: Row | None, kind: str, window: Window, links: Container[str] | None) -> str:
    """Return what keeps a row from being one of a kind and a window; nothing if it is one.

    `links` are the submissions whose comments may have been created outside the window (None: they are not known).
    """
    if row is None:
        return "no JSON object"
    if kind == QUARANTINE:
        return "" if {"kind", "reason", "record"} <= row.keys() else "no quarantined record"
    if kind == TOMBSTONES:
        return _fault_in_tombstone(row, window)
    return _fault_in_item(row, kind, window, links) if kind in KINDS else ""


def _fault_in_tombstone(row: Row, window: Window) -> str:
    try:
        return "" if Tombstone.from_row(row).created_utc in window else "a tombstone of another window"
    except DamagedState as error:
        return str(error)


def _fault_in_item(row: Row, kind: str, window: Window, links: Container[str] | None) -> str:
    name = row.get("fullname")
    if not isinstance(name, str) or not name.startswith(_PREFIX[kind]):
        return f"its fullname is {str(name)[:40]!r}"
    created, observed = row.get("created_utc"), row.get("observed_at_ts", "")
    if not isinstance(created, int) or not isinstance(observed, int | None):
        return f"{name} lacks created_utc or observed_at_ts"
    if not {"author", *TEXT[kind]} <= row.keys() or not isinstance(row.get("raw"), dict):
        return f"{name} lacks fields"
    if created in window or (kind == COMMENTS and (links is None or str(row.get("link_id")) in links)):
        return ""
    return f"{name} was created at {iso(created)}, outside the window"


class Verifier:
    """Looks at every manifest, object and row of a subreddit. On a bucket that is a request for each object."""

    def __init__(
        self,
        reader: LakeReader,
        state: StateStore,
        history: RunHistory,
        leftovers: Leftovers,
        clock: Clock,
        prefix: str = "reddit/",
    ) -> None:
        self._reader = _ReadOnce(reader)
        self._state = state
        self._history = history
        self._leftovers = leftovers
        self._clock = clock
        self._prefix = prefix

    def subreddits(self) -> tuple[list[str], Report]:
        """Return the subreddits that have a folder, and what else stands beside these folders."""
        found, report = subreddits_in(self._reader, self._prefix), Report()
        names = [name for name in found if _is_subreddit(name)]
        for name in found:
            if name not in names:
                report.note(
                    "stray", self._prefix + name, "no subreddit's folder, so nobody reads it; delete it if you can"
                )
        return names, report

    def verify(self, subreddit: str, told: Told = lambda line: None) -> Report:
        """Return what there is of a subreddit and what is wrong with it.

        It may run while others write: what is about to be committed is a note at most.

        Raises:
            LakeNotUsable, ServiceRefused, ServiceUnavailable: it could not be looked at.
        """
        report = Report()
        # Before the landing zone: whoever writes meanwhile commits a manifest first, then its record and the watermark.
        watermark, recorded = self._stored(subreddit, report)
        place = f"{self._prefix}{subreddit_key(subreddit)}/"
        looked = list(look_at(self._reader, self._prefix, place))
        graves = graves_in(self._reader, looked)
        overdue = _Overdue(graves, self._clock.now_ts())
        for each in looked:
            self._check_folder(each, overdue, report)
            told(f"r/{subreddit}: {report.objects:,} objects, {report.rows:,} rows checked")
        _check_purge(subreddit, looked, overdue, report)
        live = {each.path + name: manifest for each in looked for name, manifest in each.folder.live.items()}
        tiling = Tiling.of(live.values(), (ts for each in looked for ts in each.unknown_hours))
        report.windows = len({(each.window.start_ts, each.window.end_ts) for each in live.values() if each.coverage})
        _check_hours(subreddit, tiling, watermark, report)
        if recorded is not None:
            self._check_history(subreddit, looked, live, recorded, report)
        for name in self._leftovers.found(place):
            report.note("leftover", name, "half written by a process that died; `market-opinion repair` removes it")
        return report

    def _stored(self, subreddit: str, report: Report) -> tuple["_Watermark", set[str] | None]:
        place = f"watermark of r/{subreddit}"
        try:
            recorded = self._history.manifests(subreddit)
            stored = self._state.load_last_run_timestamp(subreddit)
            return _Watermark(None if stored is None else check_watermark(stored, self._clock.now_ts())), recorded
        except LakeNotUsable as error:
            report.damage("state", place, f"{error}; or move it away and run `market-opinion repair`")
            return _Watermark(None, is_known=False), None
        except DamagedState as error:
            report.damage("watermark", place, f"{error}; `market-opinion repair` sets it from the manifests")
            return _Watermark(None, is_known=False), recorded

    def _check_folder(self, looked: Inspected, overdue: "_Overdue", report: Report) -> None:
        found = self._folder_report(looked, overdue)
        if not found.is_sound:
            # Perhaps somebody has erased something since this folder was listed.
            self._reader.forget()
            for again in look_at(self._reader, self._prefix, looked.path):
                if again != looked and again.path == looked.path:
                    found = self._folder_report(again, overdue)
        report.add(found)

    def _folder_report(self, looked: Inspected, overdue: "_Overdue") -> Report:
        report = Report()
        for name, why in looked.damaged.items():
            text = f"{why}; or delete it and run `market-opinion repair --rerun`"
            report.damage("manifest", looked.path + name, text)
        if looked.replaced:
            text = f"{len(looked.replaced)} manifests that others stand for; `market-opinion repair` finishes the purge"
            report.note("unfinished purge", looked.path, text)
        for name in looked.orphans:
            text = "no manifest names it, so nobody sees it; `market-opinion repair` adopts it or tells why not"
            report.note("orphan", looked.path + name, text)
        for name in looked.strays:
            report.note("stray", looked.path + name, "the platform did not write it; delete it if you can")
        self._check_objects(looked, overdue, report)
        return report

    def _check_objects(self, looked: Inspected, overdue: "_Overdue", report: Report) -> None:
        windows: dict[LandedObject, Window] = {}
        for manifest in looked.folder.live.values():
            windows |= dict.fromkeys(manifest.objects, manifest.window)
        # Submissions first: comments on them may have been created later than the window.
        links: set[str] | None = set(overdue.graves)
        if looked.damaged or any(landed.kind == QUARANTINE for landed in windows):
            links = None
        for landed in sorted(windows, key=lambda landed: (landed.kind != SUBMISSIONS, landed.name)):
            rows = self._rows_of(looked, landed, report)
            if rows is None:
                links = None if landed.kind == SUBMISSIONS else links
                continue
            if links is not None and landed.kind == SUBMISSIONS:
                links |= {str(row.get("fullname")) for row in rows if row}
            _check_rows(looked.path + landed.name, landed, rows, windows[landed], links, report)
            overdue.check(looked.path + landed.name, landed, rows, report)

    def _rows_of(self, looked: Inspected, landed: LandedObject, report: Report) -> list[Row | None] | None:
        """Return the rows of an object that holds what its manifest says."""
        key = looked.path + landed.name
        try:
            lines = lines_of(self._reader, looked.path, landed)
        except ObjectMissing:
            report.damage("object", key, f"a manifest names it, and it is not there; {_from_copy(looked, landed)}")
            return None
        except DamagedState:
            report.damage(
                "object", key, f"it does not hold the bytes that its manifest names; {_from_copy(looked, landed)}"
            )
            return None
        size = len(self._reader.read(key))
        report.objects += 1
        report.rows += len(lines)
        report.bytes += size
        if (len(lines), size) != (landed.rows, landed.bytes):
            text = f"{len(lines):,} rows, {size:,} bytes; its manifest says {landed.rows:,} and {landed.bytes:,}"
            report.damage("object", key, f"{text}: report this defect; what it holds is what was landed")
        return [row_in(line) for line in lines]

    def _check_history(
        self, subreddit: str, looked: list[Inspected], live: dict[str, Manifest], recorded: set[str], report: Report
    ) -> None:
        missing = unrecorded(live, recorded)
        if missing and (missing := unrecorded(live, self._history.manifests(subreddit))):
            text = f"{len(missing):,} attempts have no run record, the first {missing[0]}"
            report.note("run record", f"r/{subreddit}", f"{text}; `market-opinion repair` writes them")
        known = {each.path + name for each in looked for name in each.folder.names}
        known |= {replaced for key, manifest in live.items() for replaced in replaced_by(key, manifest)}
        if lost := sorted(recorded - known):
            text = f"{len(lost):,} run records name manifests that are not there, the first {lost[0]}"
            report.note("run record", f"r/{subreddit}", f"{text}; unless you deleted them, restore them from a copy")


def _from_copy(looked: Inspected, landed: LandedObject) -> str:
    names = " and ".join(name for name, manifest in looked.folder.live.items() if landed in manifest.objects)
    return (
        "restore it from a copy (in a bucket: its earlier version); without one delete it and"
        f" {names} beside it, then run `market-opinion repair --rerun`"
    )


def replaced_by(key: str, manifest: Manifest) -> set[str]:
    """Return the keys of the manifests that one stands for."""
    folder = key.rpartition("/")[0]
    return {f"{folder}/{name}" for name in manifest.replaces}


def unrecorded(live: dict[str, Manifest], recorded: set[str]) -> list[str]:
    """Return the keys of the attempts that claim something and have no run record, be it under an earlier name."""
    return [
        key
        for key, manifest in live.items()
        if manifest.coverage and not ({key} | replaced_by(key, manifest)) & recorded
    ]


def _is_subreddit(name: str) -> bool:
    try:
        return subreddit_key(name) == name
    except InvalidRequest:
        return False


@dataclass(frozen=True, slots=True)
class _Watermark:
    ts: int | None
    is_known: bool = True


class _ReadOnce:
    """A `LakeReader` that remembers the last object, so that looking at it twice costs one request."""

    def __init__(self, reader: LakeReader) -> None:
        self._reader = reader
        self._last: tuple[str, bytes] | None = None

    def keys(self, prefix: str) -> Iterator[str]:
        return self._reader.keys(prefix)

    def read(self, key: str) -> bytes:
        if self._last is None or self._last[0] != key:
            self._last = key, self._reader.read(key)
        return self._last[1]

    def forget(self) -> None:
        self._last = None


class _Overdue:
    """Finds what should have left the lake by now."""

    def __init__(self, graves: Graves, now_ts: int) -> None:
        self.graves = graves
        self.places = 0
        self._before_ts = now_ts - PURGE_DEADLINE_S

    @property
    def waiting(self) -> int:
        """How many tombstones should have been purged by now."""
        return sum(each.noticed_at_ts < self._before_ts for each in self.graves.waiting.values())

    def check(self, key: str, landed: LandedObject, rows: list[Row | None], report: Report) -> None:
        if landed.kind not in KINDS or not self.graves:
            return
        count = sum(self._should_be_gone(row, landed.kind) for row in rows if row)
        if count:
            self.places += 1
            text = f"{count:,} rows of what was deleted or forgotten more than {PURGE_DEADLINE_S // HOUR_S} hours ago"
            report.damage("tombstone", key, f"{text}; run `market-opinion repair`")

    def _should_be_gone(self, row: Row, kind: str) -> bool:
        if str(row.get("fullname")) not in self.graves or not {"author", "observed_at_ts", *TEXT[kind]} <= row.keys():
            return False
        found = self.graves.of(row)
        return bool(found and found.hides and max(found.noticed_at_ts, row["observed_at_ts"] or 0) < self._before_ts)


def _check_rows(
    key: str, landed: LandedObject, rows: list[Row | None], window: Window, links: set[str] | None, report: Report
) -> None:
    faults = [(n, fault) for n, row in enumerate(rows, 1) if (fault := fault_in(row, landed.kind, window, links))]
    if faults:
        number, fault = faults[0]
        text = f"{len(faults):,} of {len(rows):,} rows do not belong there, the first in line {number:,}: {fault}"
        report.damage("row", key, f"{text}: report this defect")
    elif landed.kind in KINDS:
        times = [row["created_utc"] for row in rows if row]
        told = landed.first_item_ts, landed.last_item_ts
        if times and (min(times), max(times)) != told:
            text = f"its items are from {min(times)} to {max(times)}; its manifest says {told[0]} to {told[1]}"
            report.damage("object", key, f"{text}: report this defect; what it holds is what was landed")


def _check_purge(subreddit: str, looked: list[Inspected], overdue: _Overdue, report: Report) -> None:
    if overdue.waiting and not overdue.places and not any(each.replaced for each in looked):
        text = f"{overdue.waiting:,} tombstones wait for their purge; `market-opinion repair` does it"
        report.note("unfinished purge", f"r/{subreddit}", text)


def _check_hours(subreddit: str, tiling: Tiling, watermark: _Watermark, report: Report) -> None:
    run = tiling.live_run()
    for span in contiguous(tiling.holes(watermark.ts)):
        if run and span.end_ts == watermark.ts and run[1] <= span.start_ts:
            text = f"it stands at {iso(span.end_ts)}, and no manifest tells of {_hours(span)}"
            text += f"; `market-opinion repair` sets it back to {iso(run[1])}"
            report.damage("watermark", f"watermark of r/{subreddit}", text)
        elif watermark.ts is not None and span.start_ts < watermark.ts:
            text = f"no run has looked at {_hours(span)}, and the watermark has passed; {_again(subreddit, span)}"
            report.damage("hole", f"r/{subreddit} {span}", text)
        else:
            report.note("hole", f"r/{subreddit} {span}", f"no run has looked at {_hours(span)} yet; the next ones will")
    passed = tiling.passed(watermark.ts)
    for span in contiguous(passed):
        text = f"{_hours(span)} that could not be read, and the watermark has passed; {_again(subreddit, span)}"
        report.damage("watermark", f"r/{subreddit} {span}", text)
    for span in contiguous(set(tiling.failed()) - set(passed)):
        text = f"{_hours(span)} failed; the next run or `market-opinion repair --rerun` reads on"
        report.note("failed", f"r/{subreddit} {span}", text)
    if run and watermark.is_known:
        _check_lag(subreddit, run, watermark.ts, report)


def _check_lag(subreddit: str, run: tuple[int, int], watermark: int | None, report: Report) -> None:
    place, (begin, end) = f"watermark of r/{subreddit}", run
    if watermark is None:
        text = f"there is none, though manifests lead up to {iso(end)}; `market-opinion repair` sets it"
        report.note("watermark", place, text)
    elif begin <= watermark < end:
        text = (
            f"it stands at {iso(watermark)}, and manifests lead up to {iso(end)}; the next run reads these hours again"
        )
        report.note("watermark", place, f"{text}, or `market-opinion repair` sets it")


def _hours(span: Window) -> str:
    hours = (span.end_ts - span.start_ts) // HOUR_S
    return "an hour" if hours == 1 else f"{hours:,} hours"


def _again(subreddit: str, span: Window) -> str:
    bounds = f"--start {iso(span.start_ts)} --end {iso(span.end_ts)}"
    return f"`market-opinion repair --rerun` or `market-opinion backfill {subreddit} {bounds}` reads them"
