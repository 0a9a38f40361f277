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
_DATA = re.compile(r"([a-z]+)(-part[0-9]+|-[0-9a-f]{16})?\.jsonl(\.zst)?")
_FOLDER = re.compile(r"([^/]+)/([0-9]{4}-[0-9]{2}-[0-9]{2}/[0-9]{6})/")


def window_folder(prefix: str, subreddit: str, window: Window) -> str:
    """Return the folder of a window, ending in a slash.

    >>> window_folder("reddit/", "Android", Window(1767225600, 1767229200))
    'reddit/android/2026-01-01/000000/'
    """
    start = datetime.fromtimestamp(window.start_ts, UTC)
    return f"{prefix}{subreddit_key(subreddit)}/{start:%Y-%m-%d}/{start:%H%M%S}/"


def data_name(kind: str, part: int, suffix: str = "") -> str:
    """Return the name that the first attempt gives to a data object; parts are counted from 1.

    `suffix` names the compression, with its dot.

    >>> data_name("comments", 1), data_name("comments", 2)
    ('comments.jsonl', 'comments-part2.jsonl')
    """
    return f"{kind}.jsonl{suffix}" if part == 1 else f"{kind}-part{part}.jsonl{suffix}"


def content_name(kind: str, sha256: str, suffix: str = "") -> str:
    """Return the name that says what is inside, for when the plain one is taken by other bytes."""
    return f"{kind}-{sha256[:_SHA_DIGITS]}.jsonl{suffix}"


def manifest_name(sha256: str) -> str:
    """Return the name of a manifest with this content."""
    return f"manifest-{sha256[:_SHA_DIGITS]}.json"


def is_manifest(key: str) -> bool:
    """Tell whether a key names a manifest."""
    return _MANIFEST.fullmatch(key.rpartition("/")[2]) is not None


def kind_of(name: str) -> str | None:
    """Return the kind of rows that a data object's name promises; None where it is not the name of one.

    >>> kind_of("comments-part2.jsonl"), kind_of("notes.txt")
    ('comments', None)
    """
    named = _DATA.fullmatch(name)
    return named[1] if named and named[1] in (*KINDS, QUARANTINE, TOMBSTONES, MISSES) else None


def start_of(prefix: str, folder: str) -> int | None:
    """Return the start of the window that a folder is for; None where it is no window's folder.

    >>> start_of("reddit/", "reddit/android/2026-01-01/000000/")
    1767225600
    """
    named = _FOLDER.fullmatch(folder.removeprefix(prefix))
    if not named:
        return None
    try:
        return int(datetime.strptime(f"{named[2]}Z", "%Y-%m-%d/%H%M%S%z").timestamp())
    except ValueError:
        return None
