"""Rows on their way from a file to its days: chunks on disk, merged when a day is landed.

Memory stays the same however large the file is and however many subreddits and days it has open. A chunk holds rows of
one window in their order; a large one is compressed at once and lands as it is.
"""

import errno
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from heapq import merge
from pathlib import Path
from typing import NamedTuple

import msgspec
import zstandard

from ..compression import zstd_compress
from ..core.errors import LakeNotUsable, StorageFull
from ..core.windows import DAY_S
from ..jsonl import Pack
from .rows import Entry

_MEMORY_BYTES = 20 * 1024 * 1024
_ENTRY_BYTES = 250
"""What a row takes in memory beside its line."""
_CHUNK_BYTES = 1024 * 1024
_LARGE_BYTES = 32 * 1024
"""A chunk of this size compresses well by itself."""
_BLOCK_BYTES = 64 * 1024
_ROOMY_BYTES = 1024 * 1024 * 1024
"""Above this much on disk small chunks are compressed, too: time for room."""
_RESERVE_BYTES = 64 * 1024 * 1024
"""So much room is left on the disk for what others do."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

Key = tuple[int, str]
"""By what the rows of an object are ordered: `created_utc` and fullname."""


class Chunk(NamedTuple):
    """Rows of one window and kind; chunks compare by window, kind and the order in which they were read."""

    subreddit: str
    kind: str
    number: int
    is_frame: bool
    rows: int
    first: Key
    last: Key
    plain_bytes: int
    data: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Chunk]).decode


class Spool:
    """Keeps rows by day under a folder of its own; use it in a `with`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._compress = zstd_compress()
        self.clear()

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything, and what a run that died has left behind."""
        self._held: dict[int, dict[tuple[str, str], list[tuple[int, str, bytes]]]] = {}
        self._held_bytes = self._written = self._number = 0
        self._runs: dict[int, list[tuple[int, int]]] = {}
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, entry: Entry) -> None:
        """Keep a row.

        Raises:
            StorageFull, LakeNotUsable: it cannot be kept.
        """
        subreddit, kind, created, fullname, data = entry
        day = created - created % DAY_S
        try:
            self._held[day][subreddit, kind].append((created, fullname, data))
        except KeyError:
            self._held.setdefault(day, {}).setdefault((subreddit, kind), []).append((created, fullname, data))
        self._held_bytes += len(data) + _ENTRY_BYTES
        if self._held_bytes > _MEMORY_BYTES:
            self._write()

    @property
    def days(self) -> list[int]:
        """The starts of the days that have rows, oldest first."""
        return sorted({*self._held, *self._runs})

    def take(self, day: int) -> Iterator[Chunk]:
        """Yield the chunks of a day by subreddit, kind and age; they are gone from the spool when all are taken."""
        held = self._chunks(self._held.pop(day, {}))
        runs = self._runs.pop(day, [])
        if not runs:
            yield from held
            return
        path = self._path(day)
        yield from merge(*(_run(path, start, end) for start, end in runs), held)
        path.unlink(missing_ok=True)

    def _chunks(self, held: dict[tuple[str, str], list[tuple[int, str, bytes]]]) -> Iterator[Chunk]:
        for (subreddit, kind), rows in sorted(held.items()):
            rows.sort()
            data = b"".join([row[2] for row in rows])
            for own in [rows] if len(data) <= _CHUNK_BYTES else _cut(rows):
                self._number += 1
                first, last = own[0][:2], own[-1][:2]
                if own is not rows:
                    data = b"".join([row[2] for row in own])
                is_frame = len(data) >= _LARGE_BYTES
                packed = self._compress(data) if is_frame else data
                yield Chunk(subreddit, kind, self._number, is_frame, len(own), first, last, len(data), packed)

    def _path(self, day: int) -> Path:
        return self._folder / f"{day}.rows"

    def _write(self) -> None:
        with _translated(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self._folder).free
            if free < self._held_bytes + _RESERVE_BYTES:
                raise StorageFull(
                    f"only {free:,} bytes are free at {self._folder.parent}; free some space and run again: what was"
                    " landed before is intact"
                )
            for day, held in self._held.items():
                self._write_run(day, self._chunks(held))
        self._held, self._held_bytes = {}, 0

    def _write_run(self, day: int, chunks: Iterator[Chunk]) -> None:
        compress = self._compress if self._written > _ROOMY_BYTES else None
        with self._path(day).open("ab") as file:
            start = file.tell()
            for block in _blocks(chunks):
                data = compress(_encode(block)) if compress else _encode(block)
                file.write((len(data) << 1 | bool(compress)).to_bytes(4, "little"))
                file.write(data)
            self._runs.setdefault(day, []).append((start, file.tell()))
            self._written += file.tell() - start


def packs(chunks: Iterable[Chunk], compress: Callable[[bytes], bytes], late: list[Chunk]) -> Iterator[Pack]:
    """Yield the chunks of one window and kind as they land; small ones are joined before they are compressed.

    A chunk that begins before the one ahead of it ends is left to `late`: its archive is out of order there.
    """
    waiting: list[Chunk] = []
    size, last = 0, (0, "")
    for chunk in chunks:
        if chunk.first < last:
            late.append(chunk)
            continue
        last = chunk.last
        if waiting and (chunk.is_frame or size > _CHUNK_BYTES):
            yield _pack(waiting, compress)
            waiting, size = [], 0
        waiting.append(chunk)
        size += len(chunk.data)
        if chunk.is_frame:
            yield _pack(waiting, compress)
            waiting, size = [], 0
    if waiting:
        yield _pack(waiting, compress)


def in_order(chunks: Iterable[Chunk], compress: Callable[[bytes], bytes]) -> Iterator[Pack]:
    """Yield chunks that overlap as one sorted pack; all of them are in memory at once."""
    rows: list[tuple[Key, bytes]] = []
    for chunk in chunks:
        data = zstandard.ZstdDecompressor().decompress(chunk.data) if chunk.is_frame else chunk.data
        rows += [(_key(line), line + b"\n") for line in data.split(b"\n")[:-1]]
    rows.sort()
    if rows:
        data = b"".join([line for _, line in rows])
        yield Pack(compress(data), len(data), len(rows), rows[0][0][0], rows[-1][0][0])


class _Placed(msgspec.Struct):
    created_utc: int = 0
    fullname: str = ""


_placed = msgspec.json.Decoder(_Placed).decode


def _key(line: bytes) -> Key:
    placed = _placed(line)
    return placed.created_utc, placed.fullname


def _pack(chunks: list[Chunk], compress: Callable[[bytes], bytes]) -> Pack:
    data = b"".join([chunk.data for chunk in chunks])
    return Pack(
        data if chunks[0].is_frame else compress(data),
        sum(chunk.plain_bytes for chunk in chunks),
        sum(chunk.rows for chunk in chunks),
        chunks[0].first[0],
        chunks[-1].last[0],
    )


def _cut(rows: list[tuple[int, str, bytes]]) -> Iterator[list[tuple[int, str, bytes]]]:
    first = size = 0
    for place, row in enumerate(rows):
        size += len(row[2])
        if size > _CHUNK_BYTES:
            yield rows[first : place + 1]
            first, size = place + 1, 0
    if first < len(rows):
        yield rows[first:]


def _blocks(chunks: Iterator[Chunk]) -> Iterator[list[Chunk]]:
    block: list[Chunk] = []
    size = 0
    for chunk in chunks:
        block.append(chunk)
        size += len(chunk.data)
        if size > _BLOCK_BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block


def _run(path: Path, start: int, end: int) -> Iterator[Chunk]:
    # One short look at the file per block, so that any number of runs needs no file held open.
    while start < end:
        with _translated(path.parent), path.open("rb", buffering=0) as file:
            file.seek(start)
            head = int.from_bytes(file.read(4), "little")
            data = file.read(head >> 1)
        if not head or len(data) < head >> 1:
            raise LakeNotUsable(f"{path} was changed by somebody else; run the import again")
        start += 4 + (head >> 1)
        yield from _decode(zstandard.ZstdDecompressor().decompress(data) if head & 1 else data)


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StorageFull(
                f"no room at {folder.parent} ({error.strerror}); free some space and run again: what was landed before"
                " is intact"
            ) from error
        raise LakeNotUsable(f"cannot write {folder}: {error.strerror}; check the folder and its permissions") from error
