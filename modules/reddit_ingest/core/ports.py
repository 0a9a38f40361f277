"""The seams: what the services need from the outside, each implemented by one adapter per outside thing."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .coverage import Coverage
from .items import Line
from .manifest import LandedObject, Manifest
from .records import RefreshRecord, RunRecord
from .windows import Window

Item = Mapping[str, Any]
"""One submission or comment as the source's API shows it, as a plain dict."""


class Clock(Protocol):
    """Tells the time."""

    def now_ts(self) -> int:
        """Return whole seconds UTC."""
        ...


class Deadline(Protocol):
    """Tells how much time a run has left."""

    def remaining_s(self) -> float:
        """Return seconds; infinity where nothing presses."""
        ...


class Progress(Protocol):
    """Hears how the work goes on; never raises."""

    def page(self, subreddit: str, kind: str, pages: int, items: int, quota_left: int | None) -> None:
        """One more page of a listing, or one more tree, was read."""
        ...

    def waiting(self, seconds: float, why: str) -> None:
        """Nothing happens for a while, on purpose."""
        ...

    def window(self, record: RunRecord) -> None:
        """A window is landed and recorded."""
        ...


class Silent:
    """A `Progress` that says nothing."""

    def page(self, subreddit: str, kind: str, pages: int, items: int, quota_left: int | None) -> None:
        """Say nothing."""

    def waiting(self, seconds: float, why: str) -> None:
        """Say nothing."""

    def window(self, record: RunRecord) -> None:
        """Say nothing."""


@dataclass(slots=True)
class WindowReading:
    """What a source saw of one window.

    `comments` holds those created in the window and those on its submissions. `coverage` has a claim per kind that was
    asked for; it is empty for an hour that nobody asked for.
    """

    window: Window
    submissions: list[Item] = field(default_factory=list)
    comments: list[Item] = field(default_factory=list)
    coverage: dict[str, Coverage] = field(default_factory=dict)


@dataclass(slots=True)
class Reading:
    """What one pass over a source saw.

    A reading per window asked for, oldest first, and one per earlier hour of which something was met again or late.
    `requests` is what the pass cost the source's quota, retries included.
    """

    windows: list[WindowReading]
    earlier: list[WindowReading]
    requests: int


class Source(Protocol):
    """Where opinions come from."""

    name: str

    def read(
        self,
        subreddit: str,
        windows: Sequence[Window],
        *,
        look_back_s: int = 0,
        include_comments: bool = True,
        max_submissions: int | None = None,
        deadline: Deadline,
        progress: Progress,
    ) -> Reading:
        """Read contiguous windows (oldest first) of one subreddit in one pass.

        The submissions of the `look_back_s` seconds before them are read again, for what appeared late.

        Trouble with the subreddit or the source is told in the coverage of the windows that it hits, so that the
        others still land.

        Raises:
            CredentialsRejected: nothing can be read at all.
        """
        ...


class Lookup(Protocol):
    """Where known items are asked for by their names."""

    name: str

    @property
    def requests_sent(self) -> int:
        """What has been spent of the source's quota so far, retries included."""
        ...

    def within(self, deadline: Deadline, progress: Progress) -> None:
        """Keep to this deadline from now on, and tell this hearer."""
        ...

    def info(self, subreddit: str, fullnames: Sequence[str]) -> dict[str, Item]:
        """Return what there still is of at most 100 items of a subreddit; what is left out is not there (now).

        Where nothing is there, that has been asked for twice, and the subreddit itself can be read.

        Raises:
            SubredditBlocked: nothing of the subreddit is shown, so nothing is known of its items.
            CredentialsRejected, TryLater: the source cannot be read.
        """
        ...

    def thread(self, fullname: str) -> Iterator[Item]:
        """Yield the comments of a submission's thread, at any depth.

        Raises:
            SubredditBlocked, SkipRecord: there is no such thread to be read.
            CredentialsRejected, TryLater: the source cannot be read; what was yielded is good.
        """
        ...


class JsonlWriter(Protocol):
    """Lands lines as immutable JSON-lines objects. Nothing that stands in the lake is ever overwritten."""

    def land(self, folder: str, kind: str, lines: Iterable[Line]) -> tuple[LandedObject, ...]:
        """Write lines, in their order, as one or more objects; no lines, no object. Idempotent.

        Raises:
            LakeNotUsable, StorageFull: nothing with a final name is left half written.
        """
        ...

    def commit(self, folder: str, manifest: Manifest) -> str:
        """Write the manifest that makes objects visible and return its key. Idempotent."""
        ...


class ObjectEraser(Protocol):
    """Takes objects out of the lake for good; the only way anything ever leaves it."""

    def erase(self, key: str, sha256: str | None = None, least_age_s: int = 0) -> bool:
        """Delete an object, in a bucket with all its versions; False where it was left alone.

        With `sha256` an object of other bytes is left alone: its name may have been taken anew. One that is younger
        than `least_age_s` is left alone, too: somebody may be about to commit it. Idempotent.
        """
        ...


class LakeReader(Protocol):
    """Reads the landing zone back."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys under a prefix in ascending order."""
        ...

    def read(self, key: str) -> bytes:
        """Return an object's bytes.

        Raises:
            DamagedState: there is no such object.
        """
        ...


class StagingReader(LakeReader, Protocol):
    """Reads a zone, and lends its objects to programs that want files."""

    def folder(self) -> Path | None:
        """Return the folder of this machine in which objects stand under their keys; None: they are no files here."""
        ...

    def stage(self, key: str, target: Path) -> None:
        """Make an object's bytes readable under a path of this machine: as a link where it is a file, else as a copy.

        Raises:
            DamagedState: there is no such object.
        """
        ...


class ObjectReplacer(Protocol):
    """Writes objects that may change: those that can be computed again."""

    def replace(self, key: str, content: bytes) -> None:
        """Put an object in the place of what stands under its key, if anything does; readers see either of them, whole.

        Raises:
            LakeNotUsable, StorageFull: what stood there stands there still.
        """
        ...


@dataclass(frozen=True, slots=True)
class DerivedZone:
    """The ways to a zone that is computed from another, and whose objects may change."""

    reader: StagingReader
    replacer: ObjectReplacer
    eraser: ObjectEraser
    leftovers: Sequence["Leftovers"] = ()


class StateStore(Protocol):
    """Keeps a subreddit's watermark: the end of its last processed hour."""

    def load_last_run_timestamp(self, subreddit: str) -> int | None:
        """Return the watermark in seconds UTC, or None before the first run.

        Raises:
            DamagedState: what is stored is no number.
        """
        ...

    def save_last_run_timestamp(self, subreddit: str, timestamp: int) -> None:
        """Store the watermark."""
        ...


class RunRecorder(Protocol):
    """Keeps the history of runs and publishes their figures."""

    def record(self, run: RunRecord) -> None:
        """Write one record; recording the same attempt again changes nothing."""
        ...

    def record_refresh(self, refresh: RefreshRecord) -> None:
        """Write the record of a refresh; recording the same one again changes nothing."""
        ...


class RunHistory(Protocol):
    """Reads the history of runs back and fills what is missing in it; for people, never for a run itself."""

    def manifests(self, subreddit: str) -> set[str]:
        """Return the keys of the manifests whose attempts are recorded."""
        ...

    def restore(self, run: RunRecord) -> None:
        """Write the record of an attempt that has none; no figures, which may have been counted. Idempotent."""
        ...


class Leftovers(Protocol):
    """What a writer that died has left half written: it has no name in the lake, and takes room."""

    def found(self, prefix: str) -> list[str]:
        """Return where there is some, under a prefix."""
        ...

    def remove(self, prefix: str, least_age_s: int) -> list[str]:
        """Remove what is at least so old, and return where it was; a writer may still be at what is younger."""
        ...


Sleep = Callable[[float], None]
"""Waits for some seconds; tests pass one that only counts."""
