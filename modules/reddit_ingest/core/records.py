"""The run record: one line of history for an attempt at a window, written after its manifest."""

from dataclasses import dataclass

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
