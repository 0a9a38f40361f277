"""The history of runs: one line for an attempt at a window, one for a refresh; each written after its manifests."""

from dataclasses import dataclass

from .capture import CapturePoint
from .coverage import CoverageStatus
from .windows import Window


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What one attempt did; the runs table keeps the newest of a window, and every attempt beside it.

    `comments` counts the rows landed, `new_comments` those of them created inside the window.
    """

    environment: str
    subreddit: str
    window: Window
    mode: str
    status: CoverageStatus
    submissions: int
    comments: int
    new_comments: int
    quarantined: int
    requests: int
    ingested_at_ts: int
    manifest: str
    reason: str


@dataclass(frozen=True, slots=True)
class RefreshRecord:
    """What one refresh of a subreddit did; the history keeps every one.

    `due` counts the items that were to be looked at again, `asked` and `found` those of them that were and that were
    still there, `remaining` those that were left to the next run. `deletions` counts what was noticed to be deleted,
    gone, or without its account; `deletions_due` the tombstones whose content is still somewhere in the lake.
    """

    environment: str
    subreddit: str
    observed_at_ts: int
    due: int
    asked: int
    found: int
    rescored: int
    edited: int
    removed: int
    missing: int
    deletions: int
    deletions_due: int
    new_comments: int
    requests: int
    remaining: int
    curve: tuple[CapturePoint, ...]
    reason: str
