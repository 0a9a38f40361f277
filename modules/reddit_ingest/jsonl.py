"""Lines spooled into hashed parts and placed under names that never change their content; shared by every writer."""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import IO

from .core.errors import DamagedState
from .core.items import Line
from .core.keys import content_name, data_name
from .core.manifest import LandedObject

_MEMORY_BYTES = 8 * 1024 * 1024


class Put(Enum):
    """What became of an attempt to create an object."""

    CREATED = auto()
    SAME = auto()
    """The same bytes stand there."""
    TAKEN = auto()
    """Other bytes stand there."""
    UNSEEN = auto()
    """Something stands there, and this store has no right to look at it."""


@dataclass(slots=True)
class Part:
    """A whole object before it has a name: its bytes (memory first, then a temporary file) and their description."""

    file: IO[bytes]
    sha256: str
    bytes: int
    rows: int
    first_item_ts: int | None
    last_item_ts: int | None


def land_lines(
    folder: str, kind: str, lines: Iterable[Line], part_bytes: int, put_new: Callable[[str, Part], Put]
) -> tuple[LandedObject, ...]:
    """Place lines as immutable objects of about `part_bytes` and return them; no lines, no object.

    The first attempt gets the contract's name. Where that is taken by other or unseen bytes the object is named by its
    content, and what stands under that name is the same: nobody writes anything else there.

    Raises:
        DamagedState: the object named by this content holds something else.
    """
    landed = []
    for number, chunk in enumerate(_chunks(lines, part_bytes), start=1):
        with _spooled(chunk) as part:
            name = data_name(kind, number)
            if put_new(folder + name, part) in (Put.TAKEN, Put.UNSEEN):
                name = content_name(kind, part.sha256)
                if put_new(folder + name, part) is Put.TAKEN:
                    raise DamagedState(f"{folder}{name} holds other bytes than its name says; restore it from a copy")
            landed.append(
                LandedObject(name, kind, part.sha256, part.bytes, part.rows, part.first_item_ts, part.last_item_ts)
            )
    return tuple(landed)


def _chunks(lines: Iterable[Line], part_bytes: int) -> Iterator[Iterator[Line]]:
    """Cut lines into runs that each close once they reach `part_bytes`, holding one line at a time."""
    rest = iter(lines)
    for first in rest:
        yield _run(first, rest, part_bytes)


def _run(first: Line, rest: Iterator[Line], part_bytes: int) -> Iterator[Line]:
    yield first
    size = len(first.data)
    while size < part_bytes and (line := next(rest, None)) is not None:
        size += len(line.data)
        yield line


@contextmanager
def _spooled(lines: Iterator[Line]) -> Iterator[Part]:
    with tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES) as file:
        part = Part(file, "", 0, 0, None, None)
        digest = hashlib.sha256()
        for data, created in lines:
            file.write(data)
            digest.update(data)
            part.bytes += len(data)
            part.rows += 1
            if created is not None:
                part.first_item_ts = created if part.first_item_ts is None else min(part.first_item_ts, created)
                part.last_item_ts = created if part.last_item_ts is None else max(part.last_item_ts, created)
        file.seek(0)
        part.sha256 = digest.hexdigest()
        yield part
