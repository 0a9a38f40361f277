"""Manifests: the commit record of one attempt at one window. Readers see only objects that a manifest names."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from .coverage import Coverage, CoverageStatus, weakest
from .errors import DamagedState, PlatformError
from .windows import Window

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class LandedObject:
    """One immutable data object in the window's folder; times are `created_utc` of its first and last item."""

    name: str
    kind: str
    sha256: str
    bytes: int
    rows: int
    first_item_ts: int | None
    last_item_ts: int | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one attempt landed in a window's folder, and what it may claim.

    `coverage` holds a claim per kind; it is empty for an attempt that only adds late items to an older window.
    `new_comments` counts the comments created inside the window; the others answer its submissions later.
    `replaces` names the manifests of the same folder that this one stands for, since text had to be erased: readers
    pass over those, and their objects are on the way out. `expired` marks an attempt whose texts were kept for their
    time and are gone; its figures stay.
    """

    subreddit: str
    window: Window
    source: str
    mode: str
    observed_at_ts: int
    tool_version: str
    objects: tuple[LandedObject, ...] = ()
    coverage: dict[str, Coverage] = field(default_factory=dict)
    new_comments: int = 0
    requests: int = 0
    replaces: tuple[str, ...] = ()
    expired: bool = False
    schema_version: int = SCHEMA_VERSION

    @property
    def status(self) -> CoverageStatus | None:
        """The window's own status: the weaker of its kinds; None where nothing is claimed."""
        return weakest(claim.status for claim in self.coverage.values()) if self.coverage else None

    def to_bytes(self) -> bytes:
        """Return the canonical JSON form: the same manifest gives the same bytes."""
        fields = {
            **{name: getattr(self, name) for name in ("subreddit", "source", "mode", "observed_at_ts")},
            **{name: getattr(self, name) for name in ("tool_version", "new_comments", "requests", "schema_version")},
            "window_start_ts": self.window.start_ts,
            "window_end_ts": self.window.end_ts,
            "status": self.status,
            "replaces": list(self.replaces),
            "expired": self.expired,
            "objects": [asdict(landed) for landed in self.objects],
            "coverage": {kind: claim.to_dict() for kind, claim in self.coverage.items()},
        }
        return json.dumps(fields, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def from_bytes(cls, content: bytes, place: str) -> "Manifest":
        """Read a manifest back.

        Raises:
            DamagedState: it is no manifest; the message names `place`.
        """
        try:
            manifest = cls._from_fields(json.loads(content))
            manifest._check()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, PlatformError) as error:
            raise DamagedState(f"unreadable manifest {place}: {error!r}"[:300]) from error
        return manifest

    @classmethod
    def _from_fields(cls, fields: dict[str, Any]) -> "Manifest":
        return cls(
            subreddit=fields["subreddit"],
            window=Window(fields["window_start_ts"], fields["window_end_ts"]),
            source=fields["source"],
            mode=fields["mode"],
            observed_at_ts=fields["observed_at_ts"],
            tool_version=fields["tool_version"],
            objects=tuple(LandedObject(**landed) for landed in fields["objects"]),
            coverage={kind: Coverage.from_dict(claim) for kind, claim in fields["coverage"].items()},
            new_comments=fields["new_comments"],
            requests=fields["requests"],
            replaces=tuple(fields["replaces"]),
            expired=fields["expired"],
            schema_version=fields["schema_version"],
        )

    def _check(self) -> None:
        texts = [self.subreddit, self.source, self.mode, self.tool_version, *self.replaces]
        numbers = [self.observed_at_ts, self.new_comments, self.requests, self.schema_version]
        for landed in self.objects:
            texts += [landed.name, landed.kind, landed.sha256]
            numbers += [landed.bytes, landed.rows, landed.first_item_ts or 0, landed.last_item_ts or 0]
            if "/" in landed.name or "\0" in landed.name:
                raise ValueError(f"an object outside the window's folder: {landed.name!r}")
        for claim in self.coverage.values():
            texts.append(claim.reason)
            numbers += [claim.pages, claim.items_seen, claim.complete_from_ts or 0, claim.oldest_seen_ts or 0]
        if (
            not isinstance(self.expired, bool)
            or not all(isinstance(text, str) for text in texts)
            or not all(type(number) is int for number in numbers)
        ):
            raise TypeError("a field is not of its kind")


def sha256_hex(content: bytes) -> str:
    """Return the SHA-256 of some bytes as hex digits."""
    return hashlib.sha256(content).hexdigest()
