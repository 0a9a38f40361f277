"""A world of recorded submissions and comments, from files in the form of public dumps."""

import gzip
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

import zstandard

from .things import Comment, Post
from .world import World

_MAX_WINDOW = 2**31


class RecordedWorld(World):
    """Recorded rows, served as the API would have shown them; what a row does not say stays unsaid."""

    @classmethod
    def from_files(cls, submissions: Sequence[Path] = (), comments: Sequence[Path] = ()) -> "RecordedWorld":
        """Read NDJSON files: plain, .gz or .zst.

        Raises:
            OSError: a file cannot be read.
            ValueError: a line is no submission or comment; the message names file and line.
        """
        world = cls()
        world.add(
            [_post(row) for path in submissions for row in _rows(path)],
            [_comment(row) for path in comments for row in _rows(path)],
        )
        return world


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    # Texts hold U+2028 and its kin, so only \n ends a line.
    with _opened(path) as file, io.TextIOWrapper(file, encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield _checked(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{path} line {number}: {error!r}") from error


def _checked(row: Any) -> dict[str, Any]:
    if not isinstance(row["id"], str) or not isinstance(row["subreddit"], str):
        raise TypeError("id and subreddit are text")
    row["created_utc"] = int(row["created_utc"])
    return cast("dict[str, Any]", row)


def _opened(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return cast("IO[bytes]", gzip.open(path))
    if path.suffix == ".zst":
        return cast(
            "IO[bytes]", zstandard.open(path, "rb", dctx=zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW))
        )
    return path.open("rb")


def _post(row: dict[str, Any]) -> Post:
    fields = {"title": "", "selftext": "", "author": "[deleted]", "score": 0, "permalink": "", "url": "", **row}
    return Post(id=row["id"], subreddit=row["subreddit"], created_utc=row["created_utc"], fields=fields)


def _comment(row: dict[str, Any]) -> Comment:
    link_id = row["link_id"].removeprefix("t3_")
    parent_id = row.get("parent_id") or row["link_id"]
    return Comment(
        id=row["id"],
        subreddit=row["subreddit"],
        created_utc=row["created_utc"],
        fields={"body": "", "author": "[deleted]", "score": 0, **row},
        link_id=link_id,
        parent_id=parent_id if "_" in str(parent_id) else f"t1_{parent_id}",
    )
