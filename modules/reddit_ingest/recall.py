"""The lake's memory of what it has seen lately: a few facts of every item, from one pass over its rows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from .core.errors import ObjectMissing
from .core.invocation import Mode
from .core.keys import KINDS, MISSES, TOMBSTONES
from .core.known import Known, kind_of_name
from .core.manifest import LandedObject, Manifest
from .core.names import subreddit_key
from .core.ports import LakeReader
from .core.tombstones import Graves, Row, Tombstone, is_expired
from .core.windows import DAY_S
from .view import lines_of, manifests

_LOOKS = 3


@dataclass(slots=True)
class Memory:
    """What a span of the lake knows: the items that may be shown and have their text, and the tombstones.

    `has_leftovers`: something stands there that a tombstone covers.
    """

    items: dict[str, Known] = field(default_factory=dict)
    graves: Graves = field(default_factory=Graves)
    has_leftovers: bool = False

    def take(self, row: Row, *, is_refresh: bool = False) -> None:
        """Take in one observation."""
        if is_expired(row, kind_of_name(row["fullname"])):
            return  # landing it again would bring back what was kept for its time
        tombstone = self.graves.of(row)
        if tombstone:
            self.has_leftovers = self.has_leftovers or tombstone.hides or row["author"] is not None
            if tombstone.hides:
                return
        of_look = {"is_anonymous": tombstone is not None, "is_refresh": is_refresh}
        if known := self.items.get(row["fullname"]):
            known.observe(row, **of_look)
        else:
            self.items[row["fullname"]] = Known.of(row, **of_look)


def recall(lake: LakeReader, prefix: str, subreddit: str, start_ts: int, end_ts: int) -> Memory:
    """Return what the days that touch a span know of a subreddit. Reads every object of these days.

    Raises:
        DamagedState: a manifest or an object cannot be trusted.
    """
    place = f"{prefix}{subreddit_key(subreddit)}/"
    for _ in range(_LOOKS - 1):
        try:
            return _recall(lake, place, start_ts, end_ts)
        except ObjectMissing:
            continue  # erased after its manifest was read; the manifest that replaces it is there by now
    return _recall(lake, place, start_ts, end_ts)


def _recall(lake: LakeReader, place: str, start_ts: int, end_ts: int) -> Memory:
    found = [
        (folder, manifest)
        for ts in range(start_ts - start_ts % DAY_S, end_ts + 1, DAY_S)
        for folder, manifest in manifests(lake, f"{place}{datetime.fromtimestamp(ts, UTC):%Y-%m-%d}/")
    ]
    memory = Memory()
    for row, _ in _rows(lake, found, (TOMBSTONES,)):
        memory.graves.bury(Tombstone.from_row(row))
    for row, mode in _rows(lake, found, KINDS):
        memory.take(row, is_refresh=mode == Mode.REFRESH)
    for row, _ in _rows(lake, found, (MISSES,)):
        if known := memory.items.get(row["fullname"]):
            known.miss(row["observed_at_ts"])
    return memory


def _rows(lake: LakeReader, found: list[tuple[str, Manifest]], kinds: tuple[str, ...]) -> Iterator[tuple[Row, str]]:
    """Yield the rows of some kinds, with the mode of the attempt that landed them."""
    objects: dict[str, tuple[str, LandedObject, str]] = {
        folder + landed.name: (folder, landed, manifest.mode)
        for folder, manifest in found
        for landed in manifest.objects
        if landed.kind in kinds
    }
    for folder, landed, mode in objects.values():
        yield from ((json.loads(line), mode) for line in lines_of(lake, folder, landed))
