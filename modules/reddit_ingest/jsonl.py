"""Lines spooled into hashed parts and placed under names that never change their content; shared by every writer."""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import IO, NamedTuple

from .core.errors import DamagedState
from .core.items import Line
from .core.keys import content_name, data_name
from .core.manifest import LandedObject

_MEMORY_BYTES = 8 * 1024 * 1024


class Pack(NamedTuple):
    """Rows as they are stored, one or many, perhaps compressed: a compressed object is packs behind each other.

    `plain_bytes` is their size before compression; times are `created_utc` of the first and last row, None: unknown.
    """

    data: bytes
    plain_bytes: int
    rows: int
    first_item_ts: int | None
    last_item_ts: int | None


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
    """A whole object before it has a name: its bytes (memory first, then a temporary file) and their description.

    `sha256` and `bytes` are of what is stored.
    """

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
    packs = (Pack(data, len(data), 1, created, created) for data, created in lines)
    return land_packs(folder, kind, packs, part_bytes, put_new)


def land_packs(
    folder: str,
    kind: str,
    packs: Iterable[Pack],
    part_bytes: int,
    put_new: Callable[[str, Part], Put],
    suffix: str = "",
) -> tuple[LandedObject, ...]:
    """Place packs as `land_lines` does lines; `suffix` names their compression, `part_bytes` counts before it."""
    landed = []
    for number, chunk in enumerate(_chunks(packs, part_bytes), start=1):
        with _spooled(chunk) as part:
            name = data_name(kind, number, suffix)
            if put_new(folder + name, part) in (Put.TAKEN, Put.UNSEEN):
                name = content_name(kind, part.sha256, suffix)
                if put_new(folder + name, part) is Put.TAKEN:
                    raise DamagedState(f"{folder}{name} holds other bytes than its name says; restore it from a copy")
            landed.append(
                LandedObject(name, kind, part.sha256, part.bytes, part.rows, part.first_item_ts, part.last_item_ts)
            )
    return tuple(landed)


def _chunks(packs: Iterable[Pack], part_bytes: int) -> Iterator[Iterator[Pack]]:
    """Cut packs into runs that each close once they reach `part_bytes`, holding one pack at a time."""
    rest = iter(packs)
    for first in rest:
        yield _run(first, rest, part_bytes)


def _run(first: Pack, rest: Iterator[Pack], part_bytes: int) -> Iterator[Pack]:
    yield first
    size = first.plain_bytes
    while size < part_bytes and (pack := next(rest, None)) is not None:
        size += pack.plain_bytes
        yield pack


@contextmanager
def _spooled(packs: Iterator[Pack]) -> Iterator[Part]:
    with tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES) as file:
        part = Part(file, "", 0, 0, None, None)
        digest = hashlib.sha256()
        for data, _, rows, first, last in packs:
            file.write(data)
            digest.update(data)
            part.bytes += len(data)
            part.rows += rows
            part.first_item_ts = _least(part.first_item_ts, first)
            part.last_item_ts = _most(part.last_item_ts, last)
        file.seek(0)
        part.sha256 = digest.hexdigest()
        yield part


def _least(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


def _most(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)
