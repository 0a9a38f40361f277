"""Taking text out of the lake: tombstones first, so that readers see it no more, then the bytes.

Objects never change, so an object that holds something to erase is landed again without it, a manifest that replaces
the old one is committed, and only then the old object and the old manifest are erased. A crash between any two leaves a
lake that shows the right thing, and the next purge goes on from there.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from . import __version__
from .core.errors import ObjectMissing
from .core.invocation import Mode
from .core.items import Line
from .core.keys import COMMENTS, KINDS, QUARANTINE, SUBMISSIONS, TOMBSTONES, window_folder
from .core.manifest import LandedObject, Manifest, sha256_hex
from .core.names import subreddit_key
from .core.ports import Clock, JsonlWriter, LakeReader, ObjectEraser
from .core.tombstones import Graves, Reason, Row, Tombstone, expired, names_in, purged, unmentioned, without
from .core.windows import Window, hour_of
from .serializers import encode_row
from .view import Folder, folders, graves, lines_of

ORPHAN_AGE_S = 3_600
"""An object that no manifest names may still be about to be committed; no run lasts this long after landing one."""

_SLACK_S = 3_600


@dataclass(slots=True)
class PurgeReport:
    """What a purge took out of the lake; `due` counts tombstones whose content could not all be erased yet."""

    rows: int = 0
    objects: int = 0
    due: int = 0


class Erasure:
    """Buries and purges; on a local lake call it only under the lake's lock."""

    def __init__(
        self, reader: LakeReader, writer: JsonlWriter, eraser: ObjectEraser, clock: Clock, prefix: str = "reddit/"
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._eraser = eraser
        self._clock = clock
        self._prefix = prefix

    def bury(self, subreddit: str, tombstones: Iterable[Tombstone]) -> None:
        """Land tombstones: from then on nothing that they cover is shown. An object and a manifest per hour."""
        by_hour: dict[Window, list[Tombstone]] = defaultdict(list)
        for tombstone in tombstones:
            by_hour[hour_of(tombstone.created_utc)].append(tombstone)
        for window, found in sorted(by_hour.items()):
            self._commit(subreddit_key(subreddit), window, self._land_tombstones(subreddit, window, found))

    def find(
        self, subreddit: str, *, names: frozenset[str] = frozenset(), author: str | None = None
    ) -> list[Tombstone]:
        """Return tombstones, reason FORGOTTEN, for these fullnames and for everything that an author wrote.

        What is known only from what others carry of it (the submission that a comment answers, a crosspost's original)
        is found as well. Reads every object of the subreddit.
        """
        found: dict[str, int] = {}
        for folder, landed in self._objects(subreddit, KINDS):
            for line in lines_of(self._reader, folder.path, landed):
                if author is None and not names & names_in(line):
                    continue
                row = json.loads(line)
                for name in _written(row, author) | names & names_in(line):
                    found[name] = min(found.get(name, row["created_utc"]), row["created_utc"])
        now_ts = self._clock.now_ts()
        return [Tombstone(name, created, Reason.FORGOTTEN, now_ts) for name, created in sorted(found.items())]

    def purge(self, subreddit: str, *, author: str | None = None, expire_before_ts: int = 0) -> PurgeReport:
        """Erase everything that the subreddit's tombstones cover, and finish what an earlier purge began. Idempotent.

        With `author`, `u/name` goes out of other people's texts. Of windows that end at `expire_before_ts` or earlier,
        all texts are erased and the figures stay. Reads every manifest, and the objects that may hold something.
        """
        place = f"{self._prefix}{subreddit_key(subreddit)}/"
        task = _Task(graves(self._reader, place), author, expire_before_ts)
        report = PurgeReport()
        left: set[str] = set()
        for folder in folders(self._reader, place):
            self._purge_folder(folder, task, report)
            left |= self._purge_orphans(folder, task, report)
        for folder in folders(self._reader, place):
            self._mark_purged(folder, left)
        report.due = len(left)
        return report

    def _purge_folder(self, folder: Folder, task: "_Task", report: PurgeReport) -> None:
        live = folder.live
        after: dict[str, Manifest] = {}
        done: dict[str, tuple[LandedObject, ...]] = {}
        for name, manifest in live.items():
            is_expiring = task.expires(manifest)
            objects: list[LandedObject] = []
            for landed in manifest.objects:
                if landed.name not in done:
                    done[landed.name] = self._cleaned(folder.path, manifest, landed, task, report)
                objects += done[landed.name]
            if tuple(objects) == manifest.objects and not is_expiring:
                after[name] = manifest
                continue
            new = replace(
                manifest,
                objects=tuple(objects),
                replaces=(*manifest.replaces, name),
                expired=manifest.expired or is_expiring,
            )
            after[self._writer.commit(folder.path, new).rpartition("/")[2]] = new
        self._erase_replaced(folder, after, report)

    def _cleaned(
        self, place: str, manifest: Manifest, landed: LandedObject, task: "_Task", report: PurgeReport
    ) -> tuple[LandedObject, ...]:
        """Land an object again without what must go; the object itself where nothing must."""
        if landed.kind == TOMBSTONES or not task.concerns(manifest, landed):
            return (landed,)
        lines = lines_of(self._reader, place, landed)
        kept = [task.cleaned(line, landed.kind, task.expires(manifest)) for line in lines]
        if kept == lines:
            return (landed,)
        report.rows += sum(new is None for new in kept)
        return self._writer.land(place, landed.kind, (_line(new) for new in kept if new is not None))

    def _erase_replaced(self, folder: Folder, after: dict[str, Manifest], report: PurgeReport) -> None:
        needed = {landed.name for manifest in after.values() for landed in manifest.objects}
        for name, manifest in folder.manifests.items():
            if name in after:
                continue
            for landed in manifest.objects:
                if landed.name not in needed:
                    report.objects += self._eraser.erase(folder.path + landed.name, landed.sha256)
            self._eraser.erase(folder.path + name)

    def _purge_orphans(self, folder: Folder, task: "_Task", report: PurgeReport) -> set[str]:
        """Erase what no manifest names and a tombstone covers; return the names in what is too young for that."""
        left: set[str] = set()
        for name in folder.orphans:
            try:
                content = self._reader.read(folder.path + name)
            except ObjectMissing:
                continue
            if not (buried := task.buried_in(content)):
                continue
            if self._eraser.erase(folder.path + name, sha256_hex(content), ORPHAN_AGE_S):
                report.objects += 1
            else:
                left |= buried
        return left

    def _mark_purged(self, folder: Folder, left: set[str]) -> None:
        after = dict(folder.live)
        for name, manifest in folder.live.items():
            found = [
                Tombstone.from_row(json.loads(line))
                for landed in manifest.objects
                if landed.kind == TOMBSTONES
                for line in lines_of(self._reader, folder.path, landed)
            ]
            if all(each.purged_at_ts or each.fullname in left for each in found):
                continue
            done = [each for each in found if each.fullname not in left]
            waiting = [each for each in found if each.fullname in left]
            marked = [*purged(done, self._clock.now_ts()), *waiting]
            others = [landed for landed in manifest.objects if landed.kind != TOMBSTONES]
            objects = (*others, *self._land_tombstones(manifest.subreddit, manifest.window, marked))
            new = replace(manifest, objects=objects, replaces=(*manifest.replaces, name))
            del after[name]
            after[self._writer.commit(folder.path, new).rpartition("/")[2]] = new
        self._erase_replaced(folder, after, PurgeReport())

    def _land_tombstones(self, subreddit: str, window: Window, found: Iterable[Tombstone]) -> tuple[LandedObject, ...]:
        folder = window_folder(self._prefix, subreddit, window)
        ordered = sorted(found, key=lambda tombstone: (tombstone.fullname, tombstone.noticed_at_ts))
        return self._writer.land(folder, TOMBSTONES, (_line(json.dumps(each.to_row()).encode()) for each in ordered))

    def _commit(self, subreddit: str, window: Window, objects: tuple[LandedObject, ...]) -> None:
        manifest = Manifest(
            subreddit=subreddit,
            window=window,
            source="",
            mode=Mode.FORGET,
            observed_at_ts=self._clock.now_ts(),
            tool_version=__version__,
            objects=objects,
        )
        self._writer.commit(window_folder(self._prefix, subreddit, window), manifest)

    def _objects(self, subreddit: str, kinds: tuple[str, ...]) -> Iterator[tuple[Folder, LandedObject]]:
        for folder in folders(self._reader, f"{self._prefix}{subreddit_key(subreddit)}/"):
            named = {landed.name: landed for manifest in folder.live.values() for landed in manifest.objects}
            for landed in named.values():
                if landed.kind in kinds:
                    yield folder, landed


class _Task:
    """What a purge is looking for."""

    def __init__(self, buried: Graves, author: str | None, expire_before_ts: int) -> None:
        self._buried = buried
        self._author = author
        self._expire_before_ts = expire_before_ts
        waiting = [each.created_utc for each in buried.values() if each.purged_at_ts is None]
        self._earliest_waiting = min(waiting, default=None)
        # What was purged before may have been landed again since, by a run that had read it earlier.
        self._earliest_purged_ts = min((each.purged_at_ts or 0 for each in buried.values()), default=None)

    def expires(self, manifest: Manifest) -> bool:
        return manifest.window.end_ts <= self._expire_before_ts and not manifest.expired

    def concerns(self, manifest: Manifest, landed: LandedObject) -> bool:
        """Tell whether an object may hold something to erase; whatever mentions an item is younger than the item."""
        if self._author is not None or self.expires(manifest) or landed.last_item_ts is None:
            return True
        if self._earliest_waiting is not None and landed.last_item_ts >= self._earliest_waiting:
            return True
        purged_ts = self._earliest_purged_ts
        return purged_ts is not None and manifest.observed_at_ts >= purged_ts - _SLACK_S

    def buried_in(self, content: bytes) -> set[str]:
        return names_in(content) & self._buried.keys()

    def cleaned(self, line: bytes, kind: str, is_expiring: bool) -> bytes | None:
        """Return what may stay of a line, byte for byte where nothing must go."""
        if kind == QUARANTINE:
            return None if is_expiring or self._is_poison(line) else line
        if kind not in (SUBMISSIONS, COMMENTS):
            return line
        mentions = self._author is not None and self._author.lower().encode() in line.lower()
        if not (is_expiring or mentions or self.buried_in(line)):
            return line
        row: Row = json.loads(line)
        new = without(row, kind, self._buried)
        if new is not None and mentions:
            new = unmentioned(new, str(self._author))
        if new is not None and is_expiring:
            new = expired(new, kind)
        return line if new == row else None if new is None else encode_row(new).data[:-1]

    def _is_poison(self, line: bytes) -> bool:
        return bool(self.buried_in(line)) or (
            self._author is not None and self._author.lower().encode() in line.lower()
        )


def _line(data: bytes) -> Line:
    created = json.loads(data).get("created_utc")
    return Line(data + b"\n", created if isinstance(created, int) else None)


def _written(row: Row, author: str | None) -> set[str]:
    """Return the fullnames of what an author wrote, as far as a row tells."""
    if author is None:
        return set()
    names = {row["fullname"]} if _is(row["author"], author) else set()
    if _is(row["raw"].get("link_author"), author):
        names.add(row["link_id"])
    parents = row["raw"].get("crosspost_parent_list")
    for parent in parents if isinstance(parents, list) else ():
        if isinstance(parent, dict) and _is(parent.get("author"), author):
            names.add(parent.get("name") or f"t3_{parent.get('id')}")
    return names


def _is(value: object, author: str) -> bool:
    return isinstance(value, str) and value.lower() == author.lower()
