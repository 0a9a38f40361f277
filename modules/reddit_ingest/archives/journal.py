"""What an import has done, one small file per dump, so that the same import goes on instead of beginning again."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import ArchiveNotUsable, LakeNotUsable
from ..core.manifest import SCHEMA_VERSION

_EDGE_BYTES = 64 * 1024

Landed = tuple[int, int, int]
"""What was landed of a day: windows, rows, quarantined records."""


@dataclass(slots=True)
class Journal:
    """How far one file has been imported for one request.

    `landed` tells of each day that is committed, by its start; `result` is what the import told when it was done.
    Anything else that stands there counts as nothing done: doing it again changes nothing.
    """

    path: Path
    landed: dict[int, Landed] = field(default_factory=dict)
    result: dict[str, Any] | None = None

    @classmethod
    def open(cls, folder: Path, dump: Path, request: dict[str, Any]) -> "Journal":
        """Return the journal of a dump and a request; a file that was changed or replaced has another one.

        Raises:
            ArchiveNotUsable: the dump cannot be read.
        """
        told = json.dumps([_fingerprint(dump), dump.name, request, SCHEMA_VERSION], sort_keys=True)
        journal = cls(folder / f"{hashlib.sha256(told.encode()).hexdigest()[:16]}.json")
        try:
            held = json.loads(journal.path.read_bytes())
            journal.landed = {int(day): _landed(*told) for day, told in held["landed"].items()}
            journal.result = held["result"]
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            journal.landed, journal.result = {}, None
        return journal

    def save(self, file_name: str) -> None:
        """Write it, all or nothing.

        Raises:
            LakeNotUsable: it cannot be written.
        """
        _save(self.path, {"file": file_name, "landed": self.landed, "result": self.result})


@dataclass(slots=True)
class Doubts:
    """Manifests of what was landed from a damaged file, until an import of the same file, whole, stands for them.

    Rows of a damaged file may be other rows than there ever were. `manifests` names them by subreddit and day.
    """

    path: Path
    manifests: dict[tuple[str, int], list[str]] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, dump: Path, request: dict[str, Any]) -> "Doubts":
        """Return the doubts about a file, by its name, and a request."""
        told = json.dumps([dump.name, request], sort_keys=True)
        doubts = cls(folder / f"{hashlib.sha256(told.encode()).hexdigest()[:16]}.doubts")
        with contextlib.suppress(OSError, ValueError, TypeError):
            for subreddit, day, name in json.loads(doubts.path.read_bytes()):
                doubts.manifests.setdefault((subreddit, day), []).append(name)
        return doubts

    def save(self, landed: Iterable[tuple[str, int, str]]) -> None:
        """Add what is about to be landed.

        Raises:
            LakeNotUsable: it cannot be written.
        """
        for subreddit, day, name in landed:
            known = self.manifests.setdefault((subreddit, day), [])
            if name not in known:
                known.append(name)
        _save(self.path, [[*window, name] for window, names in self.manifests.items() for name in names])

    def settle(self) -> None:
        """Forget them: other manifests stand for them."""
        self.path.unlink(missing_ok=True)


def _save(path: Path, content: object) -> None:
    half = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with half.open("w") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError as error:
        raise LakeNotUsable(f"cannot write {path}: {error.strerror}; check the folder, then run again") from error


def _landed(windows: int, rows: int, quarantined: int) -> Landed:
    return windows, rows, quarantined


def _fingerprint(dump: Path) -> str:
    try:
        size = dump.stat().st_size
        with dump.open("rb") as file:
            digest = hashlib.sha256(file.read(_EDGE_BYTES))
            file.seek(max(0, size - _EDGE_BYTES))
            digest.update(file.read(_EDGE_BYTES))
    except OSError as error:
        raise ArchiveNotUsable(f"cannot read {dump}: {error.strerror}") from error
    return f"{size} {digest.hexdigest()}"
