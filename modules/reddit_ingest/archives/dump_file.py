"""A dump file as pieces of decompressed bytes; where it is cut or corrupt, every piece before that comes first.

zstd frames are walked block by block: a block is at most 128 KiB of output, so no archive can make a piece large,
damage is found at its place, and a file that ends inside a frame is noticed (a stream reader would just stop).
"""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Protocol

import zstandard

from ..core.errors import ArchiveDamaged, ArchiveNotUsable

MAX_WINDOW_BYTES = 2**31
"""What `zstd --long=31` asks for; nothing larger is decompressed."""

_READ_BYTES = 1024 * 1024
_PIECE_BYTES = 256 * 1024
_BLOCK_BYTES = 128 * 1024
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_GZIP_MAGIC = b"\x1f\x8b"
_RLE, _RESERVED = 1, 3

CheckWindow = Callable[[int], None]
"""Is told the memory (bytes) that a frame needs for its window before it is decompressed; raises to refuse."""


class DumpFile:
    """One file of JSON lines: zstd, gzip or plain, told from its first bytes, whatever its name says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.form = ""
        self.read_bytes = 0
        """How far the file itself has been read."""
        try:
            self.size = path.stat().st_size
            with path.open("rb") as file:
                head = file.read(18)
        except OSError as error:
            raise ArchiveNotUsable(f"cannot read {path}: {error.strerror}") from error
        self.form = _form(head, path)
        self.window_bytes = _window_need(head) if self.form == "zstd" else 0
        """Memory that the first frame needs for its window."""
        self.content_bytes = self.size if self.form == "plain" else None
        """Decompressed bytes, as the first frame announces them; None where it does not."""
        if head.startswith(_ZSTD_MAGIC):
            self.content_bytes = _content_bytes(head)

    def pieces(self, check_window: CheckWindow) -> Iterator[bytes]:
        """Yield the decompressed bytes in order.

        Raises:
            ArchiveDamaged: the file is cut or corrupt; everything whole before that was yielded.
            ArchiveNotUsable: it cannot be read, or asks for more than `zstd --long=31` would.
        """
        reading = {"zstd": _zstd_pieces, "gzip": _gzip_pieces, "plain": _plain_pieces}[self.form]
        try:
            with self.path.open("rb", buffering=_READ_BYTES) as file:
                for piece in reading(file, self.size, check_window):
                    self.read_bytes = file.tell()
                    yield piece
        except _Damage as damage:
            raise ArchiveDamaged(
                f"{self.path.name} is damaged at byte {damage.offset:,} of {self.size:,}: {damage}"
            ) from damage
        except OSError as error:
            raise ArchiveNotUsable(f"cannot read {self.path}: {error.strerror}") from error
        self.read_bytes = self.size


class _Damage(Exception):
    def __init__(self, offset: int, what: str) -> None:
        super().__init__(what)
        self.offset = offset


class _Decompress(Protocol):
    def __call__(self, data: bytes, /) -> bytes: ...


def _form(head: bytes, path: Path) -> str:
    if not head:
        raise ArchiveNotUsable(f"{path.name} is empty; get it again")
    if head.startswith(_ZSTD_MAGIC) or _is_skippable(head[:4]):
        return "zstd"
    if head.startswith(_GZIP_MAGIC):
        return "gzip"
    if head.lstrip().startswith(b"{"):
        return "plain"
    raise ArchiveNotUsable(
        f"{path.name} is no dump: it begins with {head[:8]!r}, which is neither zstd nor gzip nor a line of JSON"
    )


def _is_skippable(magic: bytes) -> bool:
    return len(magic) == 4 and 0x50 <= magic[0] <= 0x5F and magic[1:] == b"\x2a\x4d\x18"


def _window_need(header: bytes) -> int:
    """Return the memory for the window of a frame with this header; 0 where it does not say."""
    try:
        told = zstandard.get_frame_parameters(header)
    except zstandard.ZstdError:
        return 0
    content = _content_bytes(header)
    return told.window_size if content is None else min(told.window_size, content)


def _content_bytes(header: bytes) -> int | None:
    try:
        told = zstandard.get_frame_parameters(header).content_size
    except zstandard.ZstdError:
        return None
    return None if told in (zstandard.CONTENTSIZE_UNKNOWN, zstandard.CONTENTSIZE_ERROR) else told


def _zstd_pieces(file: IO[bytes], size: int, check_window: CheckWindow) -> Iterator[bytes]:
    while magic := file.read(4):
        offset = file.tell() - len(magic)
        if _is_skippable(magic):
            length = int.from_bytes(_exactly(file, 4, offset), "little")
            if file.tell() + length > size:
                raise _Damage(offset, "it ends inside a skippable frame")
            file.seek(length, 1)
        elif magic == _ZSTD_MAGIC:
            yield from _frame(file, offset, check_window)
        elif len(magic) < 4:
            raise _Damage(offset, "it ends inside the head of a frame")
        else:
            raise _Damage(offset, f"{magic!r} begins no zstd frame")


def _frame(file: IO[bytes], offset: int, check_window: CheckWindow) -> Iterator[bytes]:
    header, has_checksum = _frame_header(file, offset)
    need = _window_need(header)
    if need > MAX_WINDOW_BYTES:
        raise _Damage(offset, f"its frame asks for a window of {need:,} bytes; 2 GiB is the largest there is")
    check_window(need)
    feed = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompressobj().decompress
    _fed(feed, header, offset)
    is_last = False
    while not is_last:
        offset = file.tell()
        head = _exactly(file, 3, offset)
        told = int.from_bytes(head, "little")
        is_last, kind, length = bool(told & 1), told >> 1 & 3, told >> 3
        if kind == _RESERVED or length > _BLOCK_BYTES:
            raise _Damage(offset, "a block that no zstd writes")
        piece = _fed(feed, head + _exactly(file, 1 if kind == _RLE else length, offset), offset)
        if piece:
            yield piece
    if has_checksum:
        offset = file.tell()
        _fed(feed, _exactly(file, 4, offset), offset)


def _frame_header(file: IO[bytes], offset: int) -> tuple[bytes, bool]:
    """Return the frame's header and whether a checksum follows its blocks (RFC 8878, 3.1.1.1)."""
    descriptor = _exactly(file, 1, offset)
    flags = descriptor[0]
    is_single = bool(flags & 0x20)
    length = (0 if is_single else 1) + (0, 1, 2, 4)[flags & 3] + (int(is_single), 2, 4, 8)[flags >> 6]
    return _ZSTD_MAGIC + descriptor + _exactly(file, length, offset), bool(flags & 4)


def _fed(feed: _Decompress, data: bytes, offset: int) -> bytes:
    try:
        return feed(data)
    except zstandard.ZstdError as error:
        raise _Damage(offset, str(error).rpartition(": ")[2] or str(error)) from error
    except MemoryError as error:
        raise ArchiveNotUsable("there is not enough memory for the window of this archive") from error


def _exactly(file: IO[bytes], length: int, offset: int) -> bytes:
    data = file.read(length)
    if len(data) < length:
        raise _Damage(offset, "it ends inside a frame; get it again, or what is missing of it")
    return data


def _gzip_pieces(file: IO[bytes], size: int, check_window: CheckWindow) -> Iterator[bytes]:
    member, data, is_between = zlib.decompressobj(wbits=31), b"", True
    while data := data or file.read(_PIECE_BYTES):
        offset, is_between = file.tell() - len(data), False
        piece = _inflated(member, data, offset)
        while piece:
            yield piece
            piece = _inflated(member, member.unconsumed_tail, offset)
        data = b""
        if member.eof:
            # Members follow each other; some writers pad with zeros.
            data, is_between = member.unused_data.lstrip(b"\0"), True
            member = zlib.decompressobj(wbits=31)
    if not is_between:
        raise _Damage(size, "it ends inside a gzip member; get it again, or what is missing of it")


def _inflated(member: "zlib._Decompress", data: bytes, offset: int) -> bytes:
    try:
        return member.decompress(data, _PIECE_BYTES)
    except zlib.error as error:
        raise _Damage(offset, str(error).rpartition(": ")[2]) from error


def _plain_pieces(file: IO[bytes], size: int, check_window: CheckWindow) -> Iterator[bytes]:
    while piece := file.read(_PIECE_BYTES):
        yield piece
