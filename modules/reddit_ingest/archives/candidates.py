"""From pieces to lines that may matter: the raw bytes are searched for the subreddit before anything is parsed.

The search relies on one thing: a row that belongs to a subreddit holds `"subreddit": "Name"`, with or without spaces.
It looks at every place where that key stands, since a crosspost nests its parent's. The first block, and every 64th, is
parsed line by line as well; where that finds a row that the search would have missed, `RawSearchFails` is raised.

Where few subreddits are wanted and each has been met, most blocks are searched for the very bytes that it was met in:
an archive writes a name in one way. Every eighth block is still looked at in all its names, and a wanted one that is
written in another way is a reason for `RawSearchFails` as well.
"""

import ctypes
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from ..serializers import MAX_LINE_BYTES

NAMES = re.compile(rb'"subreddit"\s*:\s*"([^"]*)"')
_PROBE_EVERY = 64
_LOOK_EVERY = 8
_MOST_NAMES_KEPT = 1_000_000
_FEW = 2
"""So many names are looked for one after the other; for more it is cheaper to look at every row's."""


class RawSearchFails(Exception):
    """The file is not written in the form that the search assumes: every line has to be parsed."""


class _Named(msgspec.Struct):
    subreddit: object = None


_named = msgspec.json.Decoder(_Named).decode


@dataclass(slots=True)
class Unreadable:
    """Lines that hold no row: how many, and where the first is (bytes of JSON before it) and what is wrong with it."""

    count: int = 0
    first: str = ""

    def add(self, offset: int, reason: str) -> None:
        """Count one."""
        if not self.count:
            self.first = f"the first at byte {offset:,} of the decompressed text: {reason}"[:300]
        self.count += 1


@dataclass(slots=True)
class Blocks:
    """Whole lines, cut from pieces on `\\n` and nothing else; the last line may lack it."""

    unreadable: Unreadable
    offset: int = 0
    """Bytes of JSON before the block that was yielded last."""
    _rest: bytes = field(default=b"", init=False)
    _is_skipping: bool = field(default=False, init=False)

    def of(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield blocks of lines, each ending in `\\n`; what follows the last `\\n` of a broken stream is dropped.

        A line over 4 MiB is passed over and counted as unreadable.
        """
        for piece in pieces:
            end = piece.rfind(b"\n") + 1
            if end:
                block = b"".join((self._rest, memoryview(piece)[:end]))  # every byte is copied once
                self._rest = piece[end:]
                if self._is_skipping:
                    self._is_skipping = False
                    skipped = block.index(b"\n") + 1
                    self.offset += skipped
                    block = block[skipped:]
                if block:
                    yield block
                self.offset += len(block)
            else:
                self._rest += piece
            if len(self._rest) > MAX_LINE_BYTES:
                self._pass_over()
        if self._rest and not self._is_skipping:
            yield self._rest + b"\n"
            self.offset += len(self._rest)

    def _pass_over(self) -> None:
        if not self._is_skipping:
            self.unreadable.add(self.offset, f"a line over {MAX_LINE_BYTES:,} bytes")
        self._is_skipping = True
        self.offset += len(self._rest)
        self._rest = b""


class Candidates:
    """Finds the lines that may belong to wanted subreddits (lower-case names; None: every line may)."""

    def __init__(self, wanted: frozenset[str] | None) -> None:
        self._wanted = wanted
        self._seen: set[bytes] = set()
        self._forms: set[bytes] = set()
        self._needles: set[bytes] = set()
        self._is_met = False
        """All wanted names have been met, and `needles` are how they are written."""
        self._contains = _searcher()
        self._blocks = 0
        self._bytes = self._looked_bytes = self._looked_rows = 0

    @property
    def rows(self) -> int:
        """Rows gone by; where they are searched and not parsed, an estimate."""
        return self._looked_rows * self._bytes // max(1, self._looked_bytes)

    def of(self, block: bytes) -> list[bytes]:
        """Return every line that has to be parsed, without its end, in order.

        Raises:
            RawSearchFails: a row was found, or may have been, that the search would miss.
        """
        self._bytes += len(block)
        number, self._blocks = self._blocks, self._blocks + 1
        if self._wanted is None:
            lines = _lines(block)
            self._looked(block, len(lines))
            return lines
        if self._is_met and number % _LOOK_EVERY:
            hits = [needle for needle in self._needles if self._contains(block, needle)]
            return _around(block, _places(block, hits)) if hits else []
        found = self._by_names(block)
        if number % _PROBE_EVERY == 0:
            self._probe(block, found)
        return found

    def _by_names(self, block: bytes) -> list[bytes]:
        """Look at the name of every row, and learn how the wanted ones are written."""
        names = NAMES.findall(block)
        self._looked(block, len(names))
        if not self._seen.issuperset(names):
            self._learn(names)
        if self._forms.isdisjoint(names):
            return []
        hits = [match for match in NAMES.finditer(block) if match[1] in self._forms]
        written = {match[0] for match in hits}
        if self._is_met and not self._needles.issuperset(written):
            raise RawSearchFails
        if not self._is_met and self._wanted and len(self._wanted) <= _FEW:
            self._needles |= written
            self._is_met = {name.decode(errors="replace").lower() for name in self._forms} == self._wanted
        return _around(block, [match.start() for match in hits])

    def _looked(self, block: bytes, rows: int) -> None:
        self._looked_bytes += len(block)
        self._looked_rows += rows

    def _learn(self, names: list[bytes]) -> None:
        """Note in which spellings the wanted names occur: an archive writes `Android` for r/android."""
        new = set(names) - self._seen
        if len(self._seen) > _MOST_NAMES_KEPT:
            self._seen.clear()
        self._seen |= new
        # A name with an escape in it may be any; the parser tells.
        self._forms |= {name for name in new if self._is_wanted(name.decode(errors="replace")) or b"\\" in name}

    def _is_wanted(self, name: str) -> bool:
        return self._wanted is not None and name.lower() in self._wanted

    def _probe(self, block: bytes, found: list[bytes]) -> None:
        known = set(found)
        for line in _lines(block):
            if line in known:
                continue
            try:
                named = _named(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            if isinstance(named.subreddit, str) and (self._is_wanted(named.subreddit) or not NAMES.search(line)):
                raise RawSearchFails


def _lines(block: bytes) -> list[bytes]:
    return [line for line in block.split(b"\n") if line and line != b"\r"]


def _around(block: bytes, places: Collection[int]) -> list[bytes]:
    """Return the lines in which the places are, each once, in order."""
    found: dict[int, bytes] = {}
    for place in places:
        start = block.rfind(b"\n", 0, place) + 1
        if start not in found:
            found[start] = block[start : block.index(b"\n", place)]
    return [found[start] for start in sorted(found)]


def _places(block: bytes, needles: Iterable[bytes]) -> list[int]:
    places = []
    for needle in needles:
        place = block.find(needle)
        while place >= 0:
            places.append(place)
            place = block.find(needle, place + 1)
    return places


def _searcher() -> Callable[[bytes, bytes], bool]:
    """Return what tells whether some bytes hold others: the C library's search, which is many times Python's."""
    try:
        memmem = ctypes.CDLL(None).memmem
    except (AttributeError, OSError, TypeError):
        return lambda block, needle: needle in block
    memmem.restype = ctypes.c_void_p
    memmem.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    return lambda block, needle: memmem(block, len(block), needle, len(needle)) is not None
