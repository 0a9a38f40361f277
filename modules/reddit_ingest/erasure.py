"""Taking text out of the lake: tombstones first, so that readers see it no more, then the bytes.

Objects never change, so an object that holds something to erase is landed again without it, a manifest that replaces
the old one is committed, and only then the old object and the old manifest are erased. A crash between any two leaves a
lake that shows the right thing, and the next purge goes on from there.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from . import __version__
from .compression import plain
from .core.errors import DamagedState, ObjectMissing
from .core.invocation import Mode
from .core.items import Line
from .core.keys import COMMENTS, KINDS, QUARANTINE, SUBMISSIONS, TOMBSTONES, kind_of, start_of, window_folder
from .core.manifest import LandedObject, Manifest, sha256_hex
from .core.names import subreddit_key
from .core.ports import Clock, JsonlWriter, LakeReader, Leftovers, ObjectEraser
from .core.tombstones import (
    Graves,
    Quarantined,
    Reason,
    Row,
    Tombstone,
    expired,
    fate,
    may_mention,
    names_in,
    purged,
    unmentioned,
    without,
    written_by,
)
from .core.windows import HOUR_S, Window, hour_of
from .serializers import encode_row
from .view import Folder, folders, graves, has_tombstones, lines_of, rows, subreddits_in

ORPHAN_AGE_S = 3_600
"""An object that no manifest names may still be about to be committed; no run lasts this long after landing one."""

_CONTENT = (SUBMISSIONS, COMMENTS, QUARANTINE)
"""The kinds that hold what people said; submissions first, since they tell of crossposts what comments do not."""

# What a line raises that is no row: somebody else's file under one of our names.
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)

# From the end of a pass to its last manifest, and between the clocks of machines.
_SLACK_S = 3_600


@dataclass(slots=True)
class PurgeReport:
    """What a purge took out of the lake.

    `rows` left it whole, `changed` ones lost what was another's or too old; `due` counts tombstones whose content could
    not all be erased yet, because an object of it may be about to be committed.
    """

    rows: int = 0
    changed: int = 0
    objects: int = 0
    due: int = 0


class Erasure:
    """Buries and purges; on a local lake call it only under the lake's lock, in a bucket one purge at a time."""

    def __init__(
        self,
        reader: LakeReader,
        writer: JsonlWriter,
        eraser: ObjectEraser,
        clock: Clock,
        prefix: str = "reddit/",
        *,
        leftovers: Sequence[Leftovers] = (),
        orphan_age_s: int = ORPHAN_AGE_S,
        raw_text_hours: int | None = None,
    ) -> None:
        """`orphan_age_s`: 0 where a lock keeps all writers away."""
        self._reader = reader
        self._writer = writer
        self._eraser = eraser
        self._clock = clock
        self._prefix = prefix
        self._leftovers = leftovers
        self._orphan_age_s = orphan_age_s
        self._raw_text_hours = raw_text_hours

    def bury(self, subreddit: str, tombstones: Iterable[Tombstone]) -> None:
        """Land tombstones: from then on nothing that they cover is shown. An object and a manifest per hour."""
        by_hour: dict[Window, list[Tombstone]] = defaultdict(list)
        for tombstone in tombstones:
            by_hour[hour_of(tombstone.created_utc)].append(tombstone)
        for window, found in sorted(by_hour.items()):
            self._commit(subreddit_key(subreddit), window, self._land_tombstones(subreddit, window, found))

    def find(
        self, subreddit: str, *, names: frozenset[str] = frozenset(), authors: frozenset[str] = frozenset()
    ) -> list[Tombstone]:
        """Return tombstones, reason FORGOTTEN, for these fullnames and for everything that these authors wrote.

        What is known only from what others carry of it (the submission that a comment answers, a crosspost's original)
        is found as well. Reads every object of the subreddit, whether a manifest names it or not.
        """
        found: dict[str, int] = {}
        for start_ts, kind, line in self._everything(subreddit):
            created, told = _told(line, kind, names, authors)
            for name in told:
                found[name] = min(found.get(name, created or start_ts), created or start_ts)
        now_ts = self._clock.now_ts()
        return [Tombstone(name, created, Reason.FORGOTTEN, now_ts) for name, created in sorted(found.items())]

    def notice(self, subreddit: str) -> list[Tombstone]:
        """Return tombstones for what was deleted by its author, as the lake itself shows. Reads its every object."""
        now_ts, place = self._clock.now_ts(), self._place(subreddit)
        return [
            Tombstone(row["fullname"], row["created_utc"], Reason.DELETED, now_ts)
            for kind in KINDS
            for row in rows(self._reader, place, kind).values()
            if fate(row, kind) is Reason.DELETED
        ]

    @property
    def expires_texts(self) -> bool:
        """Whether a purge has something to do as time goes by: texts are kept for some hours only."""
        return self._raw_text_hours is not None

    def purge(self, subreddit: str, *, author: str | None = None, expire_before_ts: int | None = None) -> PurgeReport:
        """Erase everything that the subreddit's tombstones cover, and finish what an earlier purge began. Idempotent.

        What crossposts in the lake's other subreddits carry of it goes as well. With `author`, `u/name` goes out of
        other people's texts. Of windows that end at `expire_before_ts` or earlier (by default as long ago as texts are
        kept), all texts are erased and the figures stay. Reads every manifest of the subreddit, and the objects that
        may hold something.

        Raises:
            DamagedState: a manifest cannot be trusted, or an object; then all the others are purged, and yet nothing is
                marked so.
        """
        started_ts, place = self._clock.now_ts(), self._place(subreddit)
        if expire_before_ts is None:
            expire_before_ts = 0 if self._raw_text_hours is None else started_ts - self._raw_text_hours * HOUR_S
        own = graves(self._reader, place)
        task = _Task(own, self._elsewhere(place), author, expire_before_ts)
        run = _Run(task, PurgeReport(), set(), [])
        for folder in folders(self._reader, place):
            self._purge_folder(folder, run)
        self._purge_crossposts(place, own.waiting, run)
        for leftovers in self._leftovers:
            run.left_over += len(leftovers.found(place)) - len(leftovers.remove(place, self._orphan_age_s))
        if run.damage:
            raise run.damage[0]
        # What is half written cannot be looked into: whatever waits may stand in there.
        left = set(own.waiting) if run.left_over else run.left & own.waiting.keys()
        for folder in folders(self._reader, place, has_tombstones):
            self._mark_purged(folder, own, left, started_ts)
        run.report.due = len(left)
        return run.report

    def _place(self, subreddit: str) -> str:
        return f"{self._prefix}{subreddit_key(subreddit)}/"

    def _others(self, place: str) -> list[str]:
        names = subreddits_in(self._reader, self._prefix)
        return [other for name in names if (other := f"{self._prefix}{name}/") != place]

    def _elsewhere(self, place: str) -> Graves:
        """Return the tombstones of other subreddits' submissions: a crosspost may be landed after its original went."""
        found = (grave for other in self._others(place) for grave in graves(self._reader, other).values())
        return Graves.of_all(grave for grave in found if grave.fullname.startswith("t3_"))

    def _purge_crossposts(self, place: str, waiting: Graves, run: "_Run") -> None:
        originals = Graves({name: grave for name, grave in waiting.items() if name.startswith("t3_")})
        if not originals:
            return
        since_ts = min(hour_of(grave.created_utc).start_ts for grave in originals.values())
        for other in self._others(place):
            there = replace(run, task=_Task(originals))
            for folder in folders(self._reader, other, lambda path, _: (start_of(self._prefix, path) or 0) >= since_ts):
                self._purge_folder(folder, there)
            # So that what is landed there later is known to be without its original.
            known = graves(self._reader, other) if there.task.met else Graves()
            met = purged((originals[name] for name in sorted(there.task.met - known.keys())), self._clock.now_ts())
            self.bury(other.removeprefix(self._prefix).rstrip("/"), met)

    def _purge_folder(self, folder: Folder, run: "_Run") -> None:
        try:
            after = self._replace(folder, run)
            self._erase_replaced(folder, after, run.report)
            self._purge_orphans(folder, after, run)
        except DamagedState as damage:
            run.damage.append(damage)

    def _replace(self, folder: Folder, run: "_Run") -> dict[str, Manifest]:
        """Commit manifests without what must go in the place of those with it; return all that count now."""
        cleaned = self._clean(folder, run)
        after: dict[str, Manifest] = {}
        for name, manifest in folder.live.items():
            expires = run.task.expires(manifest)
            objects = tuple(new for landed in manifest.objects for new in cleaned[landed.name, expires])
            if objects == manifest.objects and not expires:
                after[name] = manifest
                continue
            new = replace(
                manifest,
                objects=objects,
                replaces=(*manifest.replaces, name),
                expired=manifest.expired or expires,
            )
            after[self._writer.commit(folder.path, new).rpartition("/")[2]] = new
        return after

    def _clean(self, folder: Folder, run: "_Run") -> dict[tuple[str, bool], tuple[LandedObject, ...]]:
        """Land again what holds something to erase; return what takes the place of each object, be it itself.

        An object that two manifests name may be too old in one and not in the other: the key says which.
        """
        live, twins = folder.live.values(), folder.twins
        cleaned = {}
        for kind in (*_CONTENT, None):
            for manifest in live:
                expires = run.task.expires(manifest)
                for landed in manifest.objects:
                    if (landed.name, expires) in cleaned or (kind and landed.kind != kind):
                        continue
                    naming = [each for each in live if landed in each.objects]
                    concerned = landed.kind in _CONTENT and any(
                        run.task.concerns(each) or each in twins for each in naming
                    )
                    new = self._cleaned(folder.path, landed, expires, run) if concerned or expires else (landed,)
                    cleaned[landed.name, expires] = new
        return cleaned

    def _cleaned(self, place: str, landed: LandedObject, expires: bool, run: "_Run") -> tuple[LandedObject, ...]:
        """Land an object again without what must go; the object itself where nothing must."""
        if landed.kind not in _CONTENT:
            return (landed,)
        lines = lines_of(self._reader, place, landed)
        kept = [run.task.cleaned(line, landed.kind, expires) for line in lines]
        if kept == lines:
            return (landed,)
        run.report.rows += sum(new is None for new in kept)
        run.report.changed += sum(new is not None and new != old for new, old in zip(kept, lines, strict=True))
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

    def _purge_orphans(self, folder: Folder, after: dict[str, Manifest], run: "_Run") -> None:
        """Erase what no manifest names and must go; note the names in what is too young for that."""
        # What this purge, or one that died before it, has just landed again is no orphan any more.
        needed = {landed.name for manifest in after.values() for landed in manifest.objects}
        is_old = (start_of(self._prefix, folder.path) or 0) < run.task.expire_before_ts
        for name in folder.orphans:
            kind = kind_of(name)
            if name in needed or kind is None or kind not in _CONTENT:
                continue
            try:
                content = self._reader.read(folder.path + name)
            except ObjectMissing:
                continue
            lines = plain(name, content).split(b"\n")
            if not is_old and not any(run.task.must_change(line, kind) for line in lines if line):
                continue
            if self._eraser.erase(folder.path + name, sha256_hex(content), self._orphan_age_s):
                run.report.objects += 1
            else:
                run.left |= {mentioned for line in lines for mentioned in names_in(line)}

    def _mark_purged(self, folder: Folder, own: Graves, left: set[str], now_ts: int) -> None:
        after = dict(folder.live)
        for name, manifest in folder.live.items():
            found = [
                Tombstone.from_row(json.loads(line))
                for landed in manifest.objects
                if landed.kind == TOMBSTONES
                for line in lines_of(self._reader, folder.path, landed)
            ]
            # Not what was buried while the purge went on: nobody has looked for that yet.
            done = [each for each in found if each.fullname not in left and _is_known(each, own)]
            if all(each.purged_at_ts for each in done):
                continue
            marked = [*purged(done, now_ts), *(each for each in found if each not in done)]
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

    def _everything(self, subreddit: str) -> Iterator[tuple[int, str, bytes]]:
        """Yield every line that holds what people said, with the start of its window and its kind."""
        for key in self._reader.keys(self._place(subreddit)):
            path, _, name = key.rpartition("/")
            kind, start_ts = kind_of(name), start_of(self._prefix, f"{path}/")
            if kind not in _CONTENT or start_ts is None:
                continue
            try:
                content = self._reader.read(key)
            except ObjectMissing:
                continue  # erased since it was listed
            yield from ((start_ts, kind, line) for line in plain(name, content).split(b"\n") if line)


@dataclass(slots=True)
class _Run:
    """How a purge is going: `left` are fullnames in what is too young to be erased, `damage` what cannot be read."""

    task: "_Task"
    report: PurgeReport
    left: set[str]
    damage: list[DamagedState]
    left_over: int = 0


class _Task:
    """What a purge is looking for; `met` are the fullnames of which it has found something."""

    def __init__(
        self, own: Graves, elsewhere: Graves | None = None, author: str | None = None, expire_before_ts: int = 0
    ) -> None:
        self._buried = Graves.of_all([*own.values(), *(elsewhere or Graves()).values()])
        self._author = author
        self.expire_before_ts = expire_before_ts
        self._earliest_waiting_ts = min((grave.created_utc for grave in own.waiting.values()), default=None)
        self._checked_ts = _checked_ts(own, elsewhere or Graves())
        self._bare_crossposts: set[str] = set()
        self.met: set[str] = set()

    def expires(self, manifest: Manifest) -> bool:
        """Tell whether a manifest's texts have been kept for their time."""
        has_content = any(landed.kind in _CONTENT for landed in manifest.objects)
        return has_content and manifest.window.end_ts <= self.expire_before_ts and not manifest.expired

    def concerns(self, manifest: Manifest) -> bool:
        """Tell whether an attempt may have landed something to erase; nobody mentions an item before it is there."""
        if self._author is not None:
            return True
        latest_ts = manifest.observed_at_ts + _SLACK_S
        if self._earliest_waiting_ts is not None and latest_ts >= self._earliest_waiting_ts:
            return True
        # What was purged before may have been landed again since.
        return self._checked_ts is not None and latest_ts >= self._checked_ts

    def cleaned(self, line: bytes, kind: str, expires: bool) -> bytes | None:
        """Return what may stay of a line, byte for byte where nothing must go."""
        mentions = self._author is not None and may_mention(line, self._author)
        if kind == QUARANTINE:
            return None if expires or self._is_poison(line, mentions) else line
        if not (expires or mentions or names_in(line) & (self._buried.keys() | self._bare_crossposts)):
            return line
        row: Row = json.loads(line)
        new = without(row, kind, self._buried)
        if new is not None:
            new = self._without_crosspost(new)
        if new is not None and mentions:
            new = unmentioned(new, str(self._author))
        if new is not None and expires:
            new = expired(new, kind)
        if new == row:
            return line
        self.met |= names_in(line) & self._buried.keys()
        return None if new is None else encode_row(new).data[:-1]

    def must_change(self, line: bytes, kind: str) -> bool:
        """Tell whether a line may not stay as it is; one that mentions what is buried and is no row may not."""
        try:
            return self.cleaned(line, kind, False) != line
        except _UNREADABLE:
            return True

    def _is_poison(self, line: bytes, mentions: bool) -> bool:
        if not (mentions or names_in(line.replace(b"\\", b"")) & self._buried.keys()):
            return False
        record = Quarantined.of(line)
        return bool(record.names & self._buried.keys()) or (mentions and record.names_author(str(self._author)))

    def _without_crosspost(self, row: Row) -> Row:
        """Take from a comment the address of the crosspost that it answers, where that was the original's."""
        if self._buried.hidden(row.get("crosspost_parent")):
            self._bare_crossposts.add(row["fullname"])
        if row.get("link_id") not in self._bare_crossposts or "link_url" not in row["raw"]:
            return row
        return {**row, "raw": {name: value for name, value in row["raw"].items() if name != "link_url"}}


def _checked_ts(own: Graves, elsewhere: Graves) -> int | None:
    """Return up to when everything observed was checked for all tombstones there were; None if there were none.

    A tombstone is marked when all of its subreddit has been checked; those of other subreddits were checked for here
    when they were marked there. One that both have may have come from there, and says nothing of here.
    """
    marked = [
        grave.purged_at_ts for name, grave in own.items() if grave.purged_at_ts is not None and name not in elsewhere
    ]
    if marked:
        return max(marked)
    return min((grave.purged_at_ts for grave in elsewhere.values() if grave.purged_at_ts is not None), default=None)


def _is_known(tombstone: Tombstone, graves: Graves) -> bool:
    known = graves.get(tombstone.fullname)
    return known is not None and known.weight >= tombstone.weight


def _told(line: bytes, kind: str, names: frozenset[str], authors: frozenset[str]) -> tuple[int | None, set[str]]:
    """Return when the item in a line was created, and of what in it these fullnames and authors are."""
    mentioned = names & names_in(line.replace(b"\\", b""))
    if not mentioned and not any(may_mention(line, author) for author in authors):
        return None, set()
    if kind == QUARANTINE:
        record = Quarantined.of(line)
        return None, set(record.names & mentioned).union(*map(record.written_by, authors))
    try:
        row: Row = json.loads(line)
        told = {name for name in mentioned if without(row, kind, _grave_of(name)) != row}
        return row["created_utc"], told.union(*(written_by(row, author) for author in authors))
    except _UNREADABLE:
        return None, set(mentioned)


def _grave_of(name: str) -> Graves:
    return Graves({name: Tombstone(name, 0, Reason.FORGOTTEN, 0)})


def _line(data: bytes) -> Line:
    created = json.loads(data).get("created_utc")
    return Line(data + b"\n", created if isinstance(created, int) else None)
