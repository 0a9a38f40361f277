"""The seams: what the services need from the outside, each implemented by one adapter per outside thing."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .coverage import Coverage
from .items import Line
from .manifest import LandedObject, Manifest
from .records import RunRecord
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


Sleep = Callable[[float], None]
"""Waits for some seconds; tests pass one that only counts."""
