"""What an import of a dump file would bring, told from a look into it. Nothing is written, and nobody is asked."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ..core.errors import ArchiveDamaged, ArchiveNotUsable, InvalidRequest, PlatformError
from ..core.items import created_utc
from ..core.names import subreddit_key
from ..core.windows import DAY_S, FIRST_REDDIT_TS, HOUR_S, day_of
from ..gaps import Gap, spans
from .candidates import NAMES, Blocks, Unreadable
from .claims import Period, Sight, kind_in_name, month_of, period_of
from .dump_file import DumpFile
from .importer import ImportRequest, first_line
from .journal import Journal
from .memory import OWN_BYTES, check_window
from .rows import MARKS, date_of_line, kind_of_line
from .shapes import WRONG

LOOK_BYTES = 256 * 1024 * 1024
"""So much JSON of a file is looked at; it takes about a second, and most files of one subreddit are shorter."""

_TAIL_BYTES = 1024 * 1024
_START_S = 0.2
_SEARCH_S_PER_BYTE = 0.3e-9
_LAND_S_PER_BYTE = 6e-9
"""Beside decompression, whose speed is measured in the look: `bench/import_dumps.py` on one core."""

_LEAST_OF_A_MONTH = 0.5
"""A file that is named after a month and looks shorter than this share of it is not taken for the whole of it."""


class Told(StrEnum):
    """What a figure rests on: the first two are exact, the others are estimates."""

    COUNTED = "counted"
    """The file was read to its end."""
    ANNOUNCED = "announced"
    """By the header of the file's frame, or by the file's own size or last line where it is not compressed."""
    BY_NAME = "name"
    """The name of a month, which the rows that were looked at agree with."""
    BY_RATE = "rate"
    """What was looked at, and how much more there is of the file."""

    @property
    def is_estimate(self) -> bool:
        """Tell whether it may turn out otherwise."""
        return self in (Told.BY_NAME, Told.BY_RATE)


@dataclass(frozen=True, slots=True)
class Closing:
    """A span of a recorded gap of which an import would show one kind whole.

    `needs_rows`: so far no row of the subreddit was met that would make the file speak for it, and whether there is
    one is only known at the end of the file.
    """

    gap: Gap
    kind: str
    needs_rows: bool

    def hours(self) -> range:
        """Return the starts of its hours."""
        return range(self.gap.window.start_ts, self.gap.window.end_ts, HOUR_S)


@dataclass(slots=True)
class Forecast:
    """What an import of one file would do.

    `period` is what the file would be taken to show whole, its end as sure as `period_told`. `rows` are those that
    would land, an estimate unless the file was read to its end (`plain_told` is `counted`), and `seconds` always is
    one. `met` are the subreddits that were asked for and seen. `trouble` is what the import would end with, and
    `trouble_code` its exit code.
    """

    file: str
    kind: str = ""
    period: tuple[int, int] | None = None
    period_told: Told = Told.COUNTED
    bytes: int = 0
    plain_bytes: int = 0
    plain_told: Told = Told.COUNTED
    window_bytes: int = 0
    memory_bytes: int = 0
    rows: int = 0
    seconds: float = 0.0
    met: tuple[str, ...] = ()
    was_done: bool = False
    notes: list[str] = field(default_factory=list)
    trouble: str = ""
    trouble_code: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the forecast as plain data for programs."""
        return asdict(self)


def foresee(
    path: Path, request: ImportRequest, journals: Path, gaps: Iterable[Gap], now_ts: int
) -> tuple[Forecast, list[Closing]]:
    """Return what an import of a file would do, and what it would close of some open gaps (by hour, in order).

    At most `LOOK_BYTES` of JSON are read; what is wrong with the file is told in the forecast. `journals` is where
    imports keep how far they are.
    """
    request = request.whole_days()
    told = Forecast(path.name)
    try:
        dump = DumpFile(path)
        told.bytes, told.plain_bytes = dump.size, dump.content_bytes or 0
        told.window_bytes, told.memory_bytes = dump.window_bytes, dump.window_bytes + OWN_BYTES
        told.was_done = Journal.open(journals, path, request.to_dict()).result is not None
        look = _Look(dump, request, now_ts)
        period = _describe(told, look, now_ts)
        if look.damage:
            raise look.damage
        if look.unreadable.count:
            raise ArchiveDamaged(
                f"{path.name}: {look.unreadable.count:,} of the lines that were looked at hold no row"
                f" ({look.unreadable.first}); the others would land, and no day would be complete"
            )
        check_window(told.window_bytes)
    except PlatformError as trouble:
        named = "" if path.name in str(trouble) else f"{path.name}: "
        told.trouble, told.trouble_code = f"{named}{trouble}", trouble.exit_code
        return told, []
    return told, [] if told.was_done else _closings(told, look, period, gaps)


class _NoRow(Exception):
    pass


class _Row(msgspec.Struct):
    subreddit: object = None
    created_utc: object = None
    title: Raw | UnsetType = UNSET
    body: Raw | UnsetType = UNSET


_row = msgspec.json.Decoder(_Row).decode


class _Look:
    """What the beginning of a file shows of it, or all of it where it is short."""

    def __init__(self, dump: DumpFile, request: ImportRequest, now_ts: int) -> None:
        self.dump = dump
        self.request = request
        self.kind = ""
        self.sight = Sight()
        self.unreadable = Unreadable()
        self.damage: ArchiveDamaged | None = None
        self.is_whole = False
        self.plain_bytes = 0
        self.window_bytes = 0
        self.decompressing_s = 0.0
        self.rows = self.row_bytes = 0
        """Of those that would land."""
        self.days: set[tuple[str, int]] = set()
        """By subreddit, those of which rows would land."""
        self.met: set[str] = set()
        self._latest_ts = now_ts + DAY_S
        self._keys: dict[object, str | None] = {}
        self._read()

    def _read(self) -> None:
        blocks, block = Blocks(self.unreadable), b""
        try:
            for block in blocks.of(self._timed(self.dump.pieces(self._needs))):
                lines = block.split(b"\n")
                self.kind = self.kind or next(filter(None, map(kind_of_line, lines)), "")
                if self.kind:
                    self.sight.saw(date_of_line(first_line(block)))
                    self._take_all(lines, blocks.offset)
                self.plain_bytes = blocks.offset + len(block)
                if self.plain_bytes >= LOOK_BYTES:
                    break
            else:
                self.is_whole = True
        except ArchiveDamaged as damage:
            self.damage = damage
        if not self.kind:
            where = "" if self.is_whole else f" in its first {self.plain_bytes:,} bytes of text"
            raise self.damage or ArchiveNotUsable(f"{self.dump.path.name} holds no submission and no comment{where}")
        self.sight.saw(date_of_line(block.rstrip().rpartition(b"\n")[2]))

    def _needs(self, window_bytes: int) -> None:
        self.window_bytes = max(self.window_bytes, window_bytes)

    def _timed(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        began = time.perf_counter()
        for piece in pieces:
            self.decompressing_s += time.perf_counter() - began
            yield piece
            began = time.perf_counter()

    def _take_all(self, lines: Iterable[bytes], offset: int) -> None:
        for line in lines:
            if line and not line.isspace():
                try:
                    self._take(line)
                except _NoRow as why:
                    self._refuse(line, offset, str(why))
            offset += len(line) + 1

    def _take(self, line: bytes) -> None:
        try:
            row = _row(line)
        except WRONG as error:
            raise _NoRow(f"{type(error).__name__}: {error}") from error
        created = created_utc({"created_utc": row.created_utc})
        if getattr(row, MARKS[self.kind]) is UNSET:
            raise _NoRow(f"a row without {MARKS[self.kind]!r} among {self.kind}")
        if created is None or not FIRST_REDDIT_TS <= created <= self._latest_ts:
            raise _NoRow(f"created_utc {row.created_utc!r:.40} is no time of a row")
        key = self._key(row.subreddit)
        if key:
            self.met.add(key)
            if self.request.start_ts <= created < self.request.end_ts:
                self.rows += 1
                self.row_bytes += len(line)
                self.days.add((key, day_of(created).start_ts))

    def _refuse(self, line: bytes, offset: int, why: str) -> None:
        # An import that looks for some subreddits does not parse the lines of the others.
        wanted = self.request.subreddits
        if wanted is None or any(name.decode(errors="replace").lower() in wanted for name in NAMES.findall(line)):
            self.unreadable.add(offset, why)

    def _key(self, name: object) -> str | None:
        """Return the key of a subreddit that is asked for."""
        shown = name if isinstance(name, str) else None
        if shown not in self._keys:
            try:
                key = subreddit_key(name)
            except InvalidRequest:
                key = ""
            wanted = self.request.subreddits
            self._keys[shown] = key if key and (wanted is None or key in wanted) else None
        return self._keys[shown]


def _describe(told: Forecast, look: _Look, now_ts: int) -> Period:
    told.kind, told.met = look.kind, tuple(sorted(look.met)) if look.request.subreddits is not None else ()
    told.window_bytes = max(told.window_bytes, look.window_bytes)
    told.memory_bytes = told.window_bytes + OWN_BYTES
    told.plain_bytes, told.plain_told = _plain_bytes(look)
    share = told.plain_bytes / max(1, look.plain_bytes)
    told.rows = round(look.rows * share)
    per_byte = look.decompressing_s / max(1, look.plain_bytes) + _SEARCH_S_PER_BYTE
    seconds = _START_S + told.plain_bytes * per_byte + look.row_bytes * share * _LAND_S_PER_BYTE
    told.seconds = 0.0 if told.was_done else round(seconds, 1)
    told.period_told = _see_the_end(look, share, now_ts)
    period = period_of(told.file, look.kind, look.sight, str(look.damage or ""))
    told.period = period.start_ts, period.end_ts
    if kind_in_name(told.file) not in (None, look.kind):
        told.notes.append(f"its name promises {kind_in_name(told.file)}, but it holds {look.kind}")
    if period.doubt and not look.damage:
        told.notes.append(f"{period.doubt}: no day of it would be complete")
    absent = sorted((look.request.subreddits or frozenset()) - look.met)
    if absent and not period.is_month:
        more = f" and {len(absent) - 5:,} others" if len(absent) > 5 else ""
        where = "" if look.is_whole else f" in the first {look.plain_bytes:,} bytes of text"
        told.notes.append(f"no row of r/{', r/'.join(absent[:5])}{more}{where}: it speaks for those that occur in it")
    return period


def _plain_bytes(look: _Look) -> tuple[int, Told]:
    announced = look.dump.content_bytes
    if look.is_whole:
        return look.plain_bytes, Told.COUNTED
    # A frame that was read beyond its end is not the only one.
    if announced is not None and announced >= look.plain_bytes:
        return announced, Told.ANNOUNCED
    return round(look.plain_bytes * look.dump.size / max(1, look.dump.read_bytes)), Told.BY_RATE


def _see_the_end(look: _Look, share: float, now_ts: int) -> Told:
    """Let the look see the last row of its file, or where that may lie, and return what this rests on."""
    sight = look.sight
    if look.is_whole or look.damage:
        return Told.COUNTED
    if look.dump.form == "plain":
        sight.saw(_last_date(look.dump))
        return Told.ANNOUNCED
    first, last = sight.first_ts or 0, sight.last_ts or 0
    end = first + round((last - first) * share)
    month = month_of(look.dump.path.name, look.kind)
    if month and month[0] <= first < month[0] + DAY_S and end - first > (month[1] - first) * _LEAST_OF_A_MONTH:
        sight.saw(month[1] - 1)
        return Told.BY_NAME
    # No row is younger than its file.
    sight.saw(max(last, min(end, now_ts, int(look.dump.path.stat().st_mtime))))
    return Told.BY_RATE


def _last_date(dump: DumpFile) -> int | None:
    with dump.path.open("rb") as file:
        file.seek(max(0, dump.size - _TAIL_BYTES))
        return date_of_line(file.read().rstrip().rpartition(b"\n")[2])


def _closings(told: Forecast, look: _Look, period: Period, gaps: Iterable[Gap]) -> list[Closing]:
    found: dict[bool, list[Gap]] = {False: [], True: []}
    for gap in gaps:
        if told.kind in gap.kinds and (needs := _needs_rows(gap, look, period)) is not None:
            found[needs].append(gap)
    closings = [Closing(span, told.kind, needs) for needs, some in found.items() for span in spans(some)]
    return sorted(closings, key=lambda closing: (closing.gap.subreddit, closing.gap.window))


def _needs_rows(gap: Gap, look: _Look, period: Period) -> bool | None:
    """Return whether rows have to turn up for an hour to be closed; None: it would not be."""
    day, wanted = day_of(gap.window.start_ts).start_ts, look.request.subreddits
    is_asked_for = (wanted is None or gap.subreddit in wanted) and look.request.start_ts <= day < look.request.end_ts
    if not is_asked_for or not period.claim(day, 1, look.dump.path.name).status.is_whole:
        return None
    if (gap.subreddit, day) in look.days or _is_expected(gap.subreddit, look, period):
        return False
    return None if look.is_whole else True


def _is_expected(subreddit: str, look: _Look, period: Period) -> bool:
    """Tell whether the import would claim a day of a subreddit without rows, too, as far as is known by now."""
    if look.request.subreddits is not None:
        return period.is_month or subreddit in look.met
    return look.is_whole and look.met == {subreddit}
