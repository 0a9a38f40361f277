"""The import of one dump file: read to its end, then landed day by day.

Nothing is landed before the file has been read to its end or to its damage, since only then is it known what it
proves: a checksum stands behind the last row. Effects come in the order of the platform: objects, manifest, run record,
journal.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..core.authors import AuthorKey
from ..core.errors import ArchiveDamaged, ArchiveNotUsable, PlatformError
from ..core.ports import Clock
from ..core.records import RunRecord
from ..core.windows import DAY_S
from ..logs import tell
from .candidates import Blocks, Candidates, RawSearchFails, Unreadable
from .claims import Period, Sight, kind_in_name, period_of, source_name
from .dump_file import CheckWindow, DumpFile
from .journal import Doubts, Journal, Landed
from .landing import Landing, PackWriter
from .rows import Entry, RowMaker, UnreadableLine, date_of_line, kind_of_line
from .spool import Spool

logger = logging.getLogger(__name__)

FOR_EVER_TS = 2**40
_WINDOWS_AT_ONCE = 500
_TELL_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """Which rows: of some subreddits (lower-case keys; None: all), of the days that touch `[start_ts, end_ts)`."""

    subreddits: frozenset[str] | None = None
    start_ts: int = 0
    end_ts: int = FOR_EVER_TS

    def whole_days(self) -> "ImportRequest":
        """Return the request widened to whole days."""
        end = self.end_ts if self.end_ts == FOR_EVER_TS else self.end_ts + -self.end_ts % DAY_S
        return ImportRequest(self.subreddits, self.start_ts - self.start_ts % DAY_S, end)

    def to_dict(self) -> dict[str, Any]:
        """Return the request as plain data."""
        return {**asdict(self), "subreddits": None if self.subreddits is None else sorted(self.subreddits)}


@dataclass(slots=True)
class FileOutcome:
    """What became of one file.

    `rows` are those landed, quarantined ones not counted. `lines` are those read; where lines were searched and not
    parsed, a crosspost counts twice. `trouble` is what went wrong and `trouble_code` its exit code.
    """

    file: str
    kind: str = ""
    period: tuple[int, int] | None = None
    rows: int = 0
    quarantined: int = 0
    windows: int = 0
    subreddits: int = 0
    lines: int = 0
    seconds: float = 0.0
    was_done: bool = False
    notes: list[str] = field(default_factory=list)
    trouble: str = ""
    trouble_code: int = 0

    def add(self, landed: Landed) -> None:
        """Count a landed day in."""
        windows, rows, quarantined = landed
        self.windows += windows
        self.rows += rows
        self.quarantined += quarantined

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain data for programs."""
        return asdict(self)

    def to_keep(self) -> dict[str, Any]:
        """Return what stays true when the import is asked for again."""
        fleeting = ("file", "seconds", "was_done", "trouble", "trouble_code")
        return {name: value for name, value in self.to_dict().items() if name not in fleeting}


class ManyRecorder(Protocol):
    """Keeps the history of runs, many at a time."""

    def record_all(self, runs: list[RunRecord], /) -> None:
        """Write many records at once; recording the same attempts again changes nothing."""
        ...


class Watch(Protocol):
    """Hears how the import goes on; never raises."""

    def went(self, read_bytes: int, lines: int, rows: int) -> None:
        """So much of the file was read, so many lines gone by, so many rows kept."""
        ...

    def said(self, note: str) -> None:
        """Something that a person should know at once."""
        ...


@dataclass(slots=True)
class _Reading:
    """What one pass over a file has brought."""

    kind: str
    lines: int
    sight: Sight
    unreadable: Unreadable
    unplaced: dict[str, int]
    met: frozenset[str]
    damage: ArchiveDamaged | None = None

    @property
    def doubt(self) -> str:
        if self.damage:
            return f"it is damaged, and what it lost is not known ({self.damage})"[:300]
        if self.unreadable.count:
            return f"{self.unreadable.count:,} of its lines could not be read ({self.unreadable.first})"[:300]
        return ""


class DumpImporter:
    """Imports dump files into one lake."""

    def __init__(
        self,
        writer: PackWriter,
        recorder: ManyRecorder,
        clock: Clock,
        *,
        journals: Path,
        lock: Callable[[], AbstractContextManager[None]],
        environment: str,
        prefix: str,
        check_window: CheckWindow,
        authors: AuthorKey | None = None,
    ) -> None:
        self._authors = authors
        self._writer = writer
        self._recorder = recorder
        self._clock = clock
        self._journals = journals
        self._lock = lock
        self._environment = environment
        self._prefix = prefix
        self._check_window = check_window

    def import_file(self, path: Path, request: ImportRequest, watch: Watch) -> FileOutcome:
        """Import one file; what went wrong is told in the outcome.

        Idempotent: a file that was finished is not read again, and one that was not lands the same bytes.
        """
        began = time.monotonic()
        outcome = FileOutcome(path.name)
        try:
            self._import(path, request.whole_days(), watch, outcome)
        except PlatformError as trouble:
            outcome.trouble, outcome.trouble_code = str(trouble), trouble.exit_code
            tell(logger, logging.ERROR, "dump not imported", file=path.name, reason=trouble)
        outcome.seconds = round(time.monotonic() - began, 3)
        return outcome

    def _import(self, path: Path, request: ImportRequest, watch: Watch, outcome: FileOutcome) -> None:
        journal = Journal.open(self._journals, path, request.to_dict())
        if journal.result is not None:
            for name, value in journal.result.items():
                setattr(outcome, name, tuple(value) if isinstance(value, list) and name == "period" else value)
            outcome.was_done = True
            return
        with Spool(journal.path.with_suffix(".spool")) as spool:
            reading = self._read(path, request, journal, spool, watch)
            period = period_of(path.name, reading.kind, reading.sight, reading.doubt)
            self._describe(outcome, request, reading, period)
            expected = _expected(request, reading, period)
            doubts = Doubts.open(self._journals, path, request.to_dict())
            landing = Landing(
                self._writer,
                environment=self._environment,
                prefix=self._prefix,
                file_name=path.name,
                kind=reading.kind,
                period=period,
                expected=expected,
                doubted={} if reading.doubt else doubts.manifests,
                now_ts=self._clock.now_ts(),
            )
            with_rows = {*spool.days, *journal.landed}
            if not reading.doubt:
                with_rows |= {day for _, day in doubts.manifests}
            days = deque(_days(request, period, with_rows, bool(expected)))
            while days:
                for day in self._land(landing, days, journal, spool, doubts if reading.doubt else None):
                    outcome.add(journal.landed[day])
                if not reading.doubt:
                    journal.save(path.name)
                watch.went(path.stat().st_size, reading.lines, outcome.rows)
        if reading.doubt:
            raise ArchiveDamaged(f"{path.name}: {outcome.rows:,} rows are landed, but {reading.doubt}")
        doubts.settle()
        journal.result = outcome.to_keep()
        journal.save(path.name)

    def _read(self, path: Path, request: ImportRequest, journal: Journal, spool: Spool, watch: Watch) -> _Reading:
        try:
            return self._pass(path, request, journal, spool, watch, Candidates(request.subreddits))
        except RawSearchFails:
            watch.said(f"{path.name} is not written as archives are: every line of it is parsed, which takes longer")
            spool.clear()
            return self._pass(path, request, journal, spool, watch, Candidates(None))

    def _pass(
        self,
        path: Path,
        request: ImportRequest,
        journal: Journal,
        spool: Spool,
        watch: Watch,
        candidates: Candidates,
    ) -> _Reading:
        dump, unreadable, sight = DumpFile(path), Unreadable(), Sight()
        blocks = Blocks(unreadable)
        damage: ArchiveDamaged | None = None
        maker: RowMaker | None = None
        landed, rows, told = frozenset(journal.landed), 0, 0.0
        block = b""
        try:
            for block in blocks.of(dump.pieces(self._check_window)):
                if maker is None:
                    maker = self._maker(block, path.name, request)
                    if maker is None:
                        continue
                sight.saw(date_of_line(first_line(block)))
                for line in candidates.of(block):
                    try:
                        entry = maker.entry(line)
                    except UnreadableLine as why:
                        unreadable.add(blocks.offset + block.find(line), str(why))
                        continue
                    if entry and not (landed and day_start(entry) in landed):
                        spool.add(entry)
                        rows += 1
                now = time.monotonic()
                if now - told > _TELL_EVERY_S:
                    told = now
                    watch.went(dump.read_bytes, candidates.rows, rows)
        except ArchiveDamaged as found:
            damage = found
        if maker is None:
            raise damage or ArchiveNotUsable(f"{path.name} holds no submission and no comment")
        sight.saw(date_of_line(block.rstrip().rpartition(b"\n")[2]))
        return _Reading(maker.kind, candidates.rows, sight, unreadable, maker.unplaced, maker.met, damage)

    def _maker(self, block: bytes, name: str, request: ImportRequest) -> RowMaker | None:
        kind = next(filter(None, map(kind_of_line, block.split(b"\n"))), None)
        if kind is None:
            return None
        return RowMaker(
            kind,
            source_name(name),
            wanted=request.subreddits,
            start_ts=request.start_ts,
            end_ts=request.end_ts,
            latest_ts=self._clock.now_ts() + DAY_S,
            authors=self._authors,
        )

    def _land(
        self, landing: Landing, days: deque[int], journal: Journal, spool: Spool, doubts: Doubts | None
    ) -> list[int]:
        """Land days, one or as many as are worth their while, and return them; they stand and are recorded."""
        done: list[int] = []
        records: list[RunRecord] = []
        waiting: list[RunRecord] = []
        try:
            with self._lock():
                while days and len(records) < _WINDOWS_AT_ONCE:
                    done.append(days.popleft())
                    if done[-1] in journal.landed:
                        continue
                    before = len(records)
                    for record in landing.land(done[-1], spool.take(done[-1])):
                        records.append(record)
                        waiting.append(record)
                        if len(waiting) >= _WINDOWS_AT_ONCE:
                            self._settle(waiting, doubts)
                    journal.landed[done[-1]] = _counted(records[before:])
                self._settle(waiting, doubts)
                self._recorder.record_all(records)
        finally:
            self._writer.discard()
        return done

    def _settle(self, waiting: list[RunRecord], doubts: Doubts | None) -> None:
        """Let what was landed stand; what is in doubt is noted before."""
        if doubts:
            doubts.save(map(_named, waiting))
        self._writer.settle()
        waiting.clear()

    def _describe(self, outcome: FileOutcome, request: ImportRequest, reading: _Reading, period: Period) -> None:
        outcome.kind, outcome.lines, outcome.subreddits = reading.kind, reading.lines, len(reading.met)
        outcome.period = (period.start_ts, period.end_ts)
        if kind_in_name(outcome.file) not in (None, reading.kind):
            outcome.notes.append(f"its name promises {kind_in_name(outcome.file)}, but it holds {reading.kind}")
        if reading.unplaced:
            most = sorted(reading.unplaced, key=lambda name: -reading.unplaced[name])[:3]
            outcome.notes.append(
                f"{sum(reading.unplaced.values()):,} rows left out: they belong to no subreddit, or to one whose name"
                f" no folder can have ({', '.join(most)})"
            )
        absent = sorted((request.subreddits or frozenset()) - reading.met)
        if absent and not period.is_month:
            more = f" and {len(absent) - 5:,} others" if len(absent) > 5 else ""
            outcome.notes.append(f"no row of r/{', r/'.join(absent[:5])}{more}: nothing is claimed of them")


def first_line(block: bytes) -> bytes:
    """Return the first line of a block that is not blank."""
    text = block.lstrip() if block[:1].isspace() else block
    return text[: text.find(b"\n")]


def _named(record: RunRecord) -> tuple[str, int, str]:
    return record.subreddit, record.window.start_ts, record.manifest.rpartition("/")[2]


def _counted(records: list[RunRecord]) -> Landed:
    return (
        len(records),
        sum(record.submissions + record.comments for record in records),
        sum(record.quarantined for record in records),
    )


def _days(request: ImportRequest, period: Period, with_rows: set[int], is_any_expected: bool) -> list[int]:
    """Return the days to land, oldest first: those with rows, and those that are known to have none."""
    asked = range(request.start_ts, request.end_ts)
    known = {day for day in period.days if day in asked} if is_any_expected else set()
    return sorted(known.union(with_rows))


def day_start(entry: Entry) -> int:
    """Return the start of the day that an entry belongs to."""
    return entry[2] - entry[2] % DAY_S


def _expected(request: ImportRequest, reading: _Reading, period: Period) -> frozenset[str]:
    """Return the subreddits of which a day without rows is an empty day.

    Those asked for, in a month of all of Reddit; of other files those that occur in it; the only one that there is. In
    a file of many subreddits of which all are asked for, nobody waits for an answer about each of them and each day.
    """
    if request.subreddits is not None:
        return request.subreddits if period.is_month else request.subreddits & reading.met
    return frozenset(reading.met) if len(reading.met) == 1 else frozenset()
