"""The reading side of the lake: the union over manifests, one row per fullname, the newest observation wins."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, TypeVar

from .compression import plain
from .core.coverage import Coverage, CoverageStatus, strongest, weakest
from .core.errors import DamagedState, ObjectMissing
from .core.keys import COMMENTS, KINDS, TOMBSTONES, is_manifest, kind_of, manifest_name
from .core.manifest import LandedObject, Manifest, sha256_hex
from .core.ports import LakeReader
from .core.tombstones import TEXT, Graves, Tombstone, fate, is_expired, without
from .core.windows import Window

Row = dict[str, Any]
T = TypeVar("T")

_LOOKS = 3
"""So often the lake is read anew while somebody erases what it holds."""


@dataclass(frozen=True, slots=True)
class Folder:
    """What stands in one window folder: the names of its objects, and its manifests by name, replaced ones too."""

    path: str
    names: tuple[str, ...]
    manifests: dict[str, Manifest]

    @property
    def live(self) -> dict[str, Manifest]:
        """The manifests that count: those that no other one stands for.

        Of twins, one may name what the other has erased and landed again; there that counts.
        """
        replaced = {name for manifest in self.manifests.values() for name in manifest.replaces}
        live = {name: manifest for name, manifest in self.manifests.items() if name not in replaced}
        for name in _twins(live):
            there = tuple(landed for landed in live[name].objects if landed.name in self.names)
            live[name] = replace(live[name], objects=there)
        return live

    @property
    def twins(self) -> list[Manifest]:
        """Manifests that stand for the same one: two purges were at work, and neither saw what the other erased."""
        live = self.live
        return [live[name] for name in _twins(live)]

    @property
    def orphans(self) -> list[str]:
        """Names of data objects that no manifest names, be it replaced or not."""
        named = {landed.name for manifest in self.manifests.values() for landed in manifest.objects}
        return [name for name in self.names if name not in named and not is_manifest(name)]


def _twins(live: dict[str, Manifest]) -> list[str]:
    stands_for = Counter(name for manifest in live.values() for name in manifest.replaces)
    return [name for name, manifest in live.items() if any(stands_for[old] > 1 for old in manifest.replaces)]


def folders(
    lake: LakeReader, prefix: str, wanted: Callable[[str, tuple[str, ...]], bool] | None = None
) -> Iterator[Folder]:
    """Yield every window folder under a prefix, in order of key.

    `wanted` chooses by the folder's path and the names in it; of others no manifest is read.

    Raises:
        DamagedState: a manifest is unreadable, or does not hold the bytes that its name promises.
    """
    for path, keys in groupby(lake.keys(prefix), key=lambda key: key.rpartition("/")[0] + "/"):
        names = tuple(key.removeprefix(path) for key in keys)
        if wanted is None or wanted(path, names):
            yield _folder(lake, path, names)


def _folder(lake: LakeReader, path: str, names: tuple[str, ...], looks: int = _LOOKS) -> Folder:
    try:
        return Folder(path, names, {name: read_manifest(lake, path + name) for name in names if is_manifest(name)})
    except ObjectMissing:
        # Replaced and erased since the folder was listed.
        if looks == 1:
            raise
        return _folder(lake, path, tuple(key.removeprefix(path) for key in lake.keys(path)), looks - 1)


def read_manifest(lake: LakeReader, key: str) -> Manifest:
    """Return the manifest under a key.

    Raises:
        DamagedState: it is missing, unreadable, or does not hold the bytes that its name promises.
    """
    content = lake.read(key)
    if key.rpartition("/")[2] != manifest_name(sha256_hex(content)):
        raise DamagedState(f"{key} was changed after it was written; restore it from a copy")
    return Manifest.from_bytes(content, key)


def manifests(lake: LakeReader, prefix: str) -> Iterator[tuple[str, Manifest]]:
    """Yield (folder, manifest) for everything that counts under a prefix, in order of key.

    Raises:
        DamagedState: a manifest is unreadable, or does not hold the bytes that its name promises.
    """
    for folder in folders(lake, prefix):
        for manifest in folder.live.values():
            yield folder.path, manifest


def subreddits_in(lake: LakeReader, prefix: str) -> list[str]:
    """Return the subreddits that have a folder in the landing zone."""
    return sorted({key.removeprefix(prefix).split("/")[0] for key in lake.keys(prefix)})


def rows(lake: LakeReader, prefix: str, kind: str) -> dict[str, Row]:
    """Return the view of one kind under a prefix: the newest observation of every fullname.

    `first_text` keeps what the item said when it was first seen, where that differs from now. Quarantined records, and
    what a tombstone covers, are no part of the view.

    Raises:
        DamagedState: an object that a manifest names is missing or has other bytes than it says.
    """
    return _steadily(lambda: _rows(lake, list(manifests(lake, prefix)), kind))


def graves(lake: LakeReader, prefix: str) -> Graves:
    """Return the tombstones under a prefix. Reads no manifest of a folder that has none."""
    return _steadily(lambda: _graves(lake, _buried(lake, prefix)))


def _buried(lake: LakeReader, prefix: str) -> list[tuple[str, Manifest]]:
    found = folders(lake, prefix, has_tombstones)
    return [(folder.path, manifest) for folder in found for manifest in folder.live.values()]


def has_tombstones(path: str, names: tuple[str, ...]) -> bool:
    """Tell whether tombstones stand in a folder with these names."""
    return any(kind_of(name) == TOMBSTONES for name in names)


def _steadily(look: Callable[[], T]) -> T:
    for _ in range(_LOOKS - 1):
        try:
            return look()
        except ObjectMissing:
            continue  # erased after its manifest was read; the manifest that replaces it is there by now
    return look()


def _graves(lake: LakeReader, found: list[tuple[str, Manifest]]) -> Graves:
    known = Graves()
    for line in _lines(lake, found, TOMBSTONES):
        known.bury(Tombstone.from_row(json.loads(line)))
    return known


def _rows(lake: LakeReader, found: list[tuple[str, Manifest]], kind: str) -> dict[str, Row]:
    return newest(visible(map(json.loads, _lines(lake, found, kind)), _graves(lake, found), kind), kind)


def visible(observations: Iterable[Row], buried: Graves, kind: str) -> Iterator[Row]:
    """Yield what may be shown of observations: without what was deleted, be it theirs or carried for others."""
    for row in observations:
        shown = without(row, kind, buried)
        if shown is not None:
            yield shown


def newest(observations: Iterable[Row], kind: str) -> dict[str, Row]:
    """Return the newest of all observations of each fullname; the order they come in does not matter."""
    first: dict[str, Row] = {}
    last: dict[str, Row] = {}
    for row in observations:
        name = row["fullname"]
        if name not in last:
            first[name] = last[name] = row
        elif _is_before(row, first[name], kind):
            first[name] = row
        elif _is_before(last[name], row, kind):
            last[name] = row
    return {name: _with_first_text(row, first[name], kind) for name, row in last.items()}


def _is_before(row: Row, other: Row, kind: str) -> bool:
    """Tell which observation is older; equal times are settled by content, so that the order of reading is nothing.

    A copy that still has its text counts as newer than one whose text was kept for its time.
    """
    ages = [(each["observed_at_ts"] or 0, not is_expired(each, kind)) for each in (row, other)]
    if ages[0] != ages[1]:
        return ages[0] < ages[1]
    return json.dumps(row, sort_keys=True) < json.dumps(other, sort_keys=True)


def _with_first_text(row: Row, first: Row, kind: str) -> Row:
    fields = TEXT[kind]
    ended = fate(row, kind)
    if all(first[field] == row[field] for field in fields) or (ended and ended.hides) or is_expired(first, kind):
        return row
    return {**row, "first_text": {field: first[field] for field in fields}}


def _lines(lake: LakeReader, found: Iterable[tuple[str, Manifest]], kind: str) -> Iterator[bytes]:
    done: set[str] = set()
    for folder, manifest in found:
        for landed in manifest.objects:
            if landed.kind == kind and folder + landed.name not in done:
                done.add(folder + landed.name)
                yield from lines_of(lake, folder, landed)


def lines_of(lake: LakeReader, folder: str, landed: LandedObject) -> list[bytes]:
    """Return the lines of an object that a manifest names, without their line ends.

    Raises:
        DamagedState: it is missing, or holds other bytes than the manifest says.
    """
    key = folder + landed.name
    content = lake.read(key)
    if sha256_hex(content) != landed.sha256:
        raise DamagedState(f"{key} does not hold the bytes that its manifest names; restore it from a copy")
    return plain(landed.name, content).split(b"\n")[:-1]


@dataclass(frozen=True, slots=True)
class WindowState:
    """What all attempts at one window have shown together.

    A count is the largest that one attempt landed; what `rows` shows may be more, where attempts saw different items.
    `sources` tells of each kind who made the claim that stands.
    """

    subreddit: str
    window: Window
    status: CoverageStatus
    coverage: dict[str, Coverage]
    attempts: int
    submissions: int
    comments: int
    new_comments: int
    quarantined: int
    requests: int
    sources: dict[str, str]


def ledger(lake: LakeReader, prefix: str) -> list[WindowState]:
    """Return the state of every window that has been claimed under a prefix, by subreddit and time.

    A window's claim per kind is the strongest that any attempt made: a gap that a later attempt closed is closed.
    """
    attempts: dict[tuple[str, Window], list[Manifest]] = {}
    for _, manifest in manifests(lake, prefix):
        attempts.setdefault((manifest.subreddit, manifest.window), []).append(manifest)
    return [
        _state(subreddit, window, made)
        for (subreddit, window), made in sorted(attempts.items(), key=lambda entry: entry[0])
        if any(manifest.coverage for manifest in made)
    ]


def _state(subreddit: str, window: Window, made: list[Manifest]) -> WindowState:
    best = claims_of(made)
    return WindowState(
        subreddit=subreddit,
        window=window,
        status=weakest(manifest.coverage[kind].status for kind, manifest in best.items()),
        coverage={kind: manifest.coverage[kind] for kind, manifest in best.items()},
        attempts=len(made),
        submissions=_most_rows(made, KINDS[0]),
        comments=_most_rows(made, COMMENTS),
        new_comments=max(manifest.new_comments for manifest in made),
        quarantined=_most_rows(made, "quarantine"),
        requests=sum(manifest.requests for manifest in made),
        sources={kind: manifest.source for kind, manifest in best.items()},
    )


def claims_of(made: Iterable[Manifest]) -> dict[str, Manifest]:
    """Return, by kind, the attempt whose claim stands; submissions first."""
    attempts = list(made)
    kinds = {kind for manifest in attempts for kind in manifest.coverage}
    return {kind: strongest_claim(kind, attempts) for kind in sorted(kinds, reverse=True)}


def strongest_claim(kind: str, made: Iterable[Manifest]) -> Manifest:
    """Return the attempt whose claim about a kind stands: the strongest, and the earliest of equal ones."""
    claiming = [manifest for manifest in made if kind in manifest.coverage]
    status = strongest(manifest.coverage[kind].status for manifest in claiming)
    return min(
        (manifest for manifest in claiming if manifest.coverage[kind].status is status),
        key=lambda manifest: (*_missing(manifest.coverage[kind]), manifest.observed_at_ts),
    )


def _missing(claim: Coverage) -> tuple[bool, int]:
    return claim.complete_from_ts is None, claim.complete_from_ts or 0


def _most_rows(made: list[Manifest], kind: str) -> int:
    return max(sum(landed.rows for landed in manifest.objects if landed.kind == kind) for manifest in made)
