"""From pieces to lines that may matter: the raw bytes are searched for the subreddit before anything is parsed.

The search relies on one thing: a row that belongs to a subreddit holds `"subreddit": "Name"`, with or without spaces.
It looks at every place where that key stands, since a crosspost nests its parent's. The first block, and every 64th, is
parsed line by line as well; where that finds a row that the search would have missed, `RawSearchFails` is raised.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from ..serializers import MAX_LINE_BYTES

_NAMES = re.compile(rb'"subreddit"\s*:\s*"([^"]*)"')
_PROBE_EVERY = 64
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
            whole = self._rest + piece
            end = whole.rfind(b"\n") + 1
            if end:
                self._rest = whole[end:]
                block = whole[:end]
                if self._is_skipping:
                    self._is_skipping = False
                    skipped = block.index(b"\n") + 1
                    self.offset += skipped
                    block = block[skipped:]
                if block:
                    yield block
                self.offset += len(block)
            else:
                self._rest = whole
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
        self._blocks = 0
        self.rows = 0
        """Rows gone by; where lines are searched and not parsed, a crosspost counts twice."""

    def of(self, block: bytes) -> list[bytes]:
        """Return every line that has to be parsed, without its end, in order.

        Raises:
            RawSearchFails: a probe has found a row that the search would have missed.
        """
        if self._wanted is None:
            lines = _lines(block)
            self.rows += len(lines)
            return lines
        names = _NAMES.findall(block)
        self.rows += len(names)
        if not self._seen.issuperset(names):
            self._learn(names)
        hits = () if self._forms.isdisjoint(names) else self._forms.intersection(names)
        found = _around(block, hits) if hits else []
        if self._blocks % _PROBE_EVERY == 0:
            self._probe(block, found)
        self._blocks += 1
        return found

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
            if isinstance(named.subreddit, str) and (self._is_wanted(named.subreddit) or not _NAMES.search(line)):
                raise RawSearchFails


def _lines(block: bytes) -> list[bytes]:
    return [line for line in block.split(b"\n") if line and line != b"\r"]


def _around(block: bytes, names: Collection[bytes]) -> list[bytes]:
    """Return the lines in which one of the names stands in quotes."""
    found: dict[int, bytes] = {}
    for place in _quoted(block, names) if len(names) <= _FEW else _all_quoted(block, names):
        start = block.rfind(b"\n", 0, place) + 1
        if start not in found:
            found[start] = block[start : block.index(b"\n", place)]
    return [found[start] for start in sorted(found)]


def _quoted(block: bytes, names: Collection[bytes]) -> Iterator[int]:
    for name in names:
        needle = b'"' + name + b'"'
        place = block.find(needle)
        while place >= 0:
            yield place
            place = block.find(needle, place + 1)


def _all_quoted(block: bytes, names: Collection[bytes]) -> Iterator[int]:
    return (match.start() for match in _NAMES.finditer(block) if match[1] in names)
