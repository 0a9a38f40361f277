"""Landing zones in memory, written row by row as attempts would."""

from collections.abc import Iterable, Sequence
from typing import Any

from reddit_ingest.core.items import Line
from reddit_ingest.core.keys import COMMENTS, KINDS, SUBMISSIONS, window_folder
from reddit_ingest.core.manifest import Manifest
from reddit_ingest.core.tombstones import Tombstone
from reddit_ingest.core.windows import hour_of
from reddit_ingest.serializers import CommentSerializer, SubmissionSerializer, encode_row
from reddit_ingest.view import rows

from ..fakes import MemoryLake
from ..lakes import T0

SUBREDDIT = "phones"
PLACE = f"reddit/{SUBREDDIT}/"
DAY = 86_400
_SERIALIZERS = {COMMENTS: CommentSerializer, SUBMISSIONS: SubmissionSerializer}

Row = dict[str, Any]


def submission(name: str, created: int = 0, seen: int = 10**6, **fields: Any) -> Row:
    """Return the row of a submission, created so many seconds after T0."""
    said = {"title": f"Title of {name}", "selftext": "", "author": "somebody", "score": 1, "num_comments": 0}
    permalink = f"/r/{SUBREDDIT}/comments/{name}/title/"
    item = {"id": name, "created_utc": T0 + created, "subreddit": SUBREDDIT, "permalink": permalink, **said, **fields}
    return SubmissionSerializer("reddit-api", T0 + seen).to_dict(item)


def comment(name: str, body: str | None, created: int = 0, seen: int = 10**6, link: str = "s", **fields: Any) -> Row:
    """Return the row of a comment, created so many seconds after T0."""
    places = {"link_id": f"t3_{link}", "parent_id": f"t3_{link}", "subreddit": SUBREDDIT}
    permalink = f"/r/{SUBREDDIT}/comments/{link}/title/{name}/"
    item = {"id": name, "body": body, "created_utc": T0 + created, "author": "somebody", "score": 1, **places}
    return CommentSerializer("reddit-api", T0 + seen).to_dict({"permalink": permalink, **item, **fields})


def kind_of(row: Row) -> str:
    """Return the kind of a row."""
    return SUBMISSIONS if row["fullname"].startswith("t3_") else COMMENTS


def land(lake: MemoryLake, seen: Sequence[Row], at: int | None = None) -> None:
    """Land rows as one attempt at the window of the first of them (or at T0 + `at`)."""
    window = hour_of(seen[0]["created_utc"] if at is None else T0 + at)
    folder = window_folder("reddit/", SUBREDDIT, window)
    lines: dict[str, list[Line]] = {kind: [] for kind in KINDS}
    for row in sorted(seen, key=lambda row: (row["created_utc"], row["fullname"])):
        lines[kind_of(row)].append(encode_row(row))
    objects = tuple(landed for kind in KINDS for landed in lake.land(folder, kind, lines[kind]))
    told = max(row["observed_at_ts"] or 0 for row in seen)
    lake.commit(folder, Manifest(SUBREDDIT, window, "reddit-api", "incremental", told, "1", objects))


def bury(erasure: Any, tombstones: Iterable[Tombstone]) -> None:
    """Land tombstones."""
    erasure.bury(SUBREDDIT, list(tombstones))


def shown(lake: MemoryLake) -> dict[str, Row]:
    """Return what the view shows, both kinds."""
    return {name: row for kind in KINDS for name, row in rows(lake, PLACE, kind).items()}
