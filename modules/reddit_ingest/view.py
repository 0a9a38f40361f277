"""The reading side of the lake: the union over manifests, one row per fullname, the newest observation wins."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .core.coverage import Coverage, CoverageStatus, strongest, weakest
from .core.errors import DamagedState
from .core.keys import COMMENTS, KINDS, is_manifest
from .core.manifest import Manifest, sha256_hex
from .core.ports import LakeReader
from .core.windows import Window

Row = dict[str, Any]
TEXT = {"submissions": ("title", "selftext"), "comments": ("body",)}


def manifests(lake: LakeReader, prefix: str) -> Iterator[tuple[str, Manifest]]:
    """Yield (folder, manifest) for everything committed under a prefix, in order of key."""
    for key in lake.keys(prefix):
        if is_manifest(key):
            yield key.rpartition("/")[0] + "/", Manifest.from_bytes(lake.read(key), key)


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
    found: dict[str, Row] = {}
    for line in _lines(lake, prefix, kind):
        row = json.loads(line)
        seen = found.get(row["fullname"])
        found[row["fullname"]] = row if seen is None else _newer(seen, row, TEXT[kind])
    return found


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


def _newer(seen: Row, row: Row, text: tuple[str, ...]) -> Row:
    """Return the newer of two observations, with the first text beside it where it has changed.

    Equal times are settled by content, so that the order of reading does not matter.
    """
    earlier, later = sorted((seen, row), key=_age)
    first = earlier.get("first_text") or {field: earlier[field] for field in text}
    if any(first[field] != later[field] for field in text):
        later = {**later, "first_text": first}
    return later


def _age(row: Row) -> tuple[int, str]:
    return row["observed_at_ts"] or 0, json.dumps(row, sort_keys=True)


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
    return min(fitting, key=lambda claim: claim.complete_from_ts or 0)


def _most_rows(made: list[Manifest], kind: str) -> int:
    return max(sum(landed.rows for landed in manifest.objects if landed.kind == kind) for manifest in made)
