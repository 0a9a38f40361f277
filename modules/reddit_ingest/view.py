"""The reading side of the lake: the union over manifests, one row per fullname, the newest observation wins."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .core.coverage import Coverage, CoverageStatus, strongest, weakest
from .core.errors import DamagedState
from .core.keys import COMMENTS, KINDS, is_manifest, manifest_name
from .core.manifest import Manifest, sha256_hex
from .core.ports import LakeReader
from .core.windows import Window

Row = dict[str, Any]
TEXT = {"submissions": ("title", "selftext"), "comments": ("body",)}


def manifests(lake: LakeReader, prefix: str) -> Iterator[tuple[str, Manifest]]:
    """Yield (folder, manifest) for everything committed under a prefix, in order of key.

    Raises:
        DamagedState: a manifest is unreadable, or does not hold the bytes that its name promises.
    """
    for key in lake.keys(prefix):
        if is_manifest(key):
            folder, _, name = key.rpartition("/")
            content = lake.read(key)
            if name != manifest_name(sha256_hex(content)):
                raise DamagedState(f"{key} was changed after it was written; restore it from a copy")
            yield folder + "/", Manifest.from_bytes(content, key)


def subreddits_in(lake: LakeReader, prefix: str) -> list[str]:
    """Return the subreddits that have a folder in the landing zone."""
    return sorted({key.removeprefix(prefix).split("/")[0] for key in lake.keys(prefix)})


def rows(lake: LakeReader, prefix: str, kind: str) -> dict[str, Row]:
    """Return the view of one kind under a prefix: the newest observation of every fullname.

    `first_text` keeps what the item said when it was first seen, where that differs from now. Quarantined records are
    no part of the view.

    Raises:
        DamagedState: an object that a manifest names is missing or has other bytes than it says.
    """
    return newest(map(json.loads, _lines(lake, prefix, kind)), kind)


def newest(observations: Iterable[Row], kind: str) -> dict[str, Row]:
    """Return the newest of all observations of each fullname; the order they come in does not matter."""
    first: dict[str, Row] = {}
    last: dict[str, Row] = {}
    for row in observations:
        name = row["fullname"]
        if name not in last:
            first[name] = last[name] = row
        elif _is_before(row, first[name]):
            first[name] = row
        elif _is_before(last[name], row):
            last[name] = row
    return {name: _with_first_text(row, first[name], TEXT[kind]) for name, row in last.items()}


def _is_before(row: Row, other: Row) -> bool:
    """Tell which observation is older; equal times are settled by content, so that the order of reading is nothing."""
    ages = (row["observed_at_ts"] or 0, other["observed_at_ts"] or 0)
    if ages[0] != ages[1]:
        return ages[0] < ages[1]
    return json.dumps(row, sort_keys=True) < json.dumps(other, sort_keys=True)


def _with_first_text(row: Row, first: Row, fields: tuple[str, ...]) -> Row:
    if all(first[field] == row[field] for field in fields):
        return row
    return {**row, "first_text": {field: first[field] for field in fields}}


def _lines(lake: LakeReader, prefix: str, kind: str) -> Iterator[bytes]:
    done: set[str] = set()
    for folder, manifest in manifests(lake, prefix):
        for landed in manifest.objects:
            key = folder + landed.name
            if landed.kind != kind or key in done:
                continue
            done.add(key)
            content = lake.read(key)
            if sha256_hex(content) != landed.sha256:
                raise DamagedState(f"{key} does not hold the bytes that its manifest names; restore it from a copy")
            yield from content.split(b"\n")[:-1]


@dataclass(frozen=True, slots=True)
class WindowState:
    """What all attempts at one window have shown together.

    A count is the largest that one attempt landed; what `rows` shows may be more, where attempts saw different items.
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
    claims: dict[str, list[Coverage]] = {}
    for manifest in made:
        for kind, claim in manifest.coverage.items():
            claims.setdefault(kind, []).append(claim)
    best = {kind: _strongest_claim(found) for kind, found in claims.items()}
    return WindowState(
        subreddit=subreddit,
        window=window,
        status=weakest(claim.status for claim in best.values()),
        coverage=best,
        attempts=len(made),
        submissions=_most_rows(made, KINDS[0]),
        comments=_most_rows(made, COMMENTS),
        new_comments=max(manifest.new_comments for manifest in made),
        quarantined=_most_rows(made, "quarantine"),
        requests=sum(manifest.requests for manifest in made),
    )


def _strongest_claim(claims: list[Coverage]) -> Coverage:
    status = strongest(claim.status for claim in claims)
    fitting = [claim for claim in claims if claim.status is status]
    return min(fitting, key=lambda claim: (claim.complete_from_ts is None, claim.complete_from_ts or 0))


def _most_rows(made: list[Manifest], kind: str) -> int:
    return max(sum(landed.rows for landed in manifest.objects if landed.kind == kind) for manifest in made)
