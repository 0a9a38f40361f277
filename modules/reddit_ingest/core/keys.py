"""Object keys of the landing zone: `{prefix}{subreddit}/{YYYY-MM-DD}/{HHMMSS}/{name}`.

Date and time are the window's start, never the time of the run, so that a repeated run meets its own objects.
"""

import re
from datetime import UTC, datetime

from .names import subreddit_key
from .windows import Window

SUBMISSIONS = "submissions"
COMMENTS = "comments"
QUARANTINE = "quarantine"
"""Records that could not be stored as they are, with the reason, beside the objects they were meant for."""
TOMBSTONES = "tombstones"
"""What must not be shown any more: fullnames, times and reasons, no content."""
MISSES = "misses"
"""Fullnames that the source was asked for and left out; gone only when they are missed a second time."""

KINDS = (SUBMISSIONS, COMMENTS)
_SHA_DIGITS = 16
_MANIFEST = re.compile(r"manifest-[0-9a-f]{16}\.json")


def window_folder(prefix: str, subreddit: str, window: Window) -> str:
    """Return the folder of a window, ending in a slash.

    >>> window_folder("reddit/", "Android", Window(1767225600, 1767229200))
    'reddit/android/2026-01-01/000000/'
    """
    start = datetime.fromtimestamp(window.start_ts, UTC)
    return f"{prefix}{subreddit_key(subreddit)}/{start:%Y-%m-%d}/{start:%H%M%S}/"


def data_name(kind: str, part: int) -> str:
    """Return the name that the first attempt gives to a data object; parts are counted from 1.

    >>> data_name("comments", 1), data_name("comments", 2)
    ('comments.jsonl', 'comments-part2.jsonl')
    """
    return f"{kind}.jsonl" if part == 1 else f"{kind}-part{part}.jsonl"


def content_name(kind: str, sha256: str) -> str:
    """Return the name that says what is inside, for when the plain one is taken by other bytes."""
    return f"{kind}-{sha256[:_SHA_DIGITS]}.jsonl"


def manifest_name(sha256: str) -> str:
    """Return the name of a manifest with this content."""
    return f"manifest-{sha256[:_SHA_DIGITS]}.json"


def is_manifest(key: str) -> bool:
    """Tell whether a key names a manifest."""
    return _MANIFEST.fullmatch(key.rpartition("/")[2]) is not None
