"""From what Reddit says to landed rows: stable typed fields, everything else under `raw`, and provenance.

The schema is in `docs/data-contract.md`. Nothing here ever causes a request: PRAW objects are read through what they
already hold.
"""

import json
from collections.abc import Mapping
from typing import Any

from .core.errors import PoisonedRecord
from .core.items import Line, created_utc, fullname
from .core.manifest import SCHEMA_VERSION

_LATEST_TS = 10**11
MAX_LINE_BYTES = 4 * 1024 * 1024

Row = dict[str, Any]


_SHARED = (
    "author_flair_text",
    "author_fullname",
    "distinguished",
    "gilded",
    "locked",
    "permalink",
    "score",
    "stickied",
    "subreddit_id",
    "total_awards_received",
)
_SUBMISSION = (
    "crosspost_parent",
    "domain",
    "is_self",
    "link_flair_text",
    "num_comments",
    "num_crossposts",
    "over_18",
    "removed_by_category",
    "selftext",
    "spoiler",
    "title",
    "upvote_ratio",
    "url",
    *_SHARED,
)
_COMMENT = ("body", "controversiality", "is_submitter", "link_id", "parent_id", "score_hidden", *_SHARED)
_DERIVED = ("all_awardings", "author", "created_utc", "edited", "id", "name", "subreddit")
# A tree's comment holds its children, and each of them is a row of its own.
_DROPPED = ("replies",)


class _Serializer:
    _prefix: str
    _text: str
    _fields: tuple[str, ...]
    _lifted: frozenset[str]

    def __init__(self, source: str = "reddit-api", observed_at_ts: int | None = None) -> None:
        self._source = source
        self._observed_at_ts = observed_at_ts

    def to_dict(self, item: object) -> Row:
        """Return the JSON-safe row of one item: a plain dict as the API sends it, or a PRAW object.

        Costs no request. Fields that the item lacks are null; fields that the schema does not know survive in `raw`.

        Raises:
            PoisonedRecord: the item has no id, or no usable `created_utc`.
        """
        fields = _as_last_known(item, self._text) if isinstance(item, Mapping) else _held_by(item)
        created, name = created_utc(fields), fullname(fields, self._prefix)
        if name is None:
            raise PoisonedRecord(f"no id: name={fields.get('name')!r}, id={fields.get('id')!r}"[:200])
        if created is None:
            raise PoisonedRecord(f"{name}: unusable created_utc {fields.get('created_utc')!r}"[:200])
        get = fields.get
        row: Row = {
            "fullname": name,
            "id": name[len(self._prefix) :],
            "subreddit": get("subreddit"),
            "created_utc": created,
            "author": _author(get("author")),
            "edited": _edited(get("edited")),
            "awards": get("all_awardings") or [],
            **{field: get(field) for field in self._fields},
            "source": self._source,
            "observed_at_ts": _retrieved(fields, self._observed_at_ts),
            "schema_version": SCHEMA_VERSION,
        }
        lifted = self._lifted
        row["raw"] = {key: value for key, value in fields.items() if key not in lifted}
        if row["edited"] is None and get("edited"):
            row["raw"]["edited"] = get("edited")  # `true`: edited in a year when Reddit did not say when
        return row


class SubmissionSerializer(_Serializer):
    """Turns submissions into rows of `submissions.jsonl`."""

    _prefix = "t3_"
    _text = "selftext"
    _fields = _SUBMISSION
    _lifted = frozenset((*_SUBMISSION, *_DERIVED, *_DROPPED))


class CommentSerializer(_Serializer):
    """Turns comments into rows of `comments.jsonl`; a tree's `replies` are left to rows of their own."""

    _prefix = "t1_"
    _text = "body"
    _fields = _COMMENT
    _lifted = frozenset((*_COMMENT, *_DERIVED, *_DROPPED))


# UTF-8 as it was written, so that a quote is found in the lake byte for byte. Lines end in \n and hold no other \n;
# U+2028 and its kin stay as they are, so readers split on \n only.
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def encode_row(row: Row) -> Line:
    """Return a row as one line of JSON.

    Raises:
        PoisonedRecord: the row holds NaN, infinity or half a surrogate pair, nests too deep, or is over 4 MiB.
    """
    try:
        data = _encode(row).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise PoisonedRecord(f"{row['fullname']}: cannot be written as JSON: {error}"[:200]) from error
    if len(data) > MAX_LINE_BYTES:
        raise PoisonedRecord(f"{row['fullname'][:100]}: {len(data):,} bytes, over the limit of {MAX_LINE_BYTES:,}")
    return Line(data + b"\n", row["created_utc"])


def quarantine_line(item: object, kind: str, reason: str, observed_at_ts: int) -> Line:
    """Return the line that keeps an unusable record: the reason, and the record as JSON text inside a string."""
    try:
        fields = item if isinstance(item, Mapping) else _held_by(item)
        record = json.dumps(fields, default=repr)[:MAX_LINE_BYTES]
    except (ValueError, TypeError, RecursionError):
        record = repr(type(item))
    row = {"kind": kind, "reason": reason, "observed_at_ts": observed_at_ts, "record": record}
    return Line(json.dumps(row).encode() + b"\n", None)


def _held_by(item: object) -> dict[str, Any]:
    # getattr or hasattr on a listed PRAW object would fetch the whole thread; vars() never does.
    return {key: _plain(value) for key, value in vars(item).items() if not key.startswith("_")}


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float | dict):
        return value
    if isinstance(value, list):
        return [_plain(part) for part in value]
    # PRAW's redditors and subreddits stand for their names; its other objects (polls) for what they hold.
    return str(value) if hasattr(type(value), "STR_FIELD") else _held_by(value)


def _retrieved(fields: Mapping[str, Any], observed_at_ts: int | None) -> int | None:
    """Return when an item was looked at: an archive says it of each, and never later than we read the archive."""
    deletion = _deletion(fields)
    looks = (
        [deletion.get("retrieved_2nd_on")] if deletion else [fields.get("retrieved_utc"), fields.get("retrieved_on")]
    )
    for look in looks:
        if type(look) is int and (created_utc(fields) or 0) <= look <= (observed_at_ts or _LATEST_TS):
            return look
    return observed_at_ts


def _as_last_known(fields: Mapping[str, Any], text: str) -> Mapping[str, Any]:
    """Return an item without what its archive keeps of it although a second look found it deleted or removed."""
    deletion = _deletion(fields)
    if not deletion:
        return fields
    if deletion.get("removal_type") != "deleted":
        return {**fields, text: "[removed]"}
    return {**fields, text: "[deleted]", "author": "[deleted]", "author_fullname": None, "author_flair_text": None}


def _deletion(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    # https://github.com/ArthurHeitmann/arctic_shift/blob/master/file_content_explanations.md
    meta = fields.get("_meta")
    return meta if isinstance(meta, Mapping) and meta.get("was_deleted_later") is True else {}


def _author(value: object) -> str | None:
    return value if isinstance(value, str) and value not in ("", "[deleted]") else None


def _edited(value: object) -> int | None:
    is_time = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _LATEST_TS
    return int(value) if is_time else None  # type: ignore[call-overload]  # is_time has looked
