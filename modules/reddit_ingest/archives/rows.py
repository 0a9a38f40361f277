"""From a line of a dump to the row that lands, as `serializers` makes it, but mostly without taking values apart.

Most lines are put together again from their own bytes (`shapes`). The others (unusual types, a deletion seen later,
hashed authors) take the long way through the serializer. Both ways give the same row.
"""

import json
from typing import Any

import msgspec

from ..core.authors import AuthorKey
from ..core.errors import InvalidRequest, PoisonedRecord
from ..core.items import created_utc
from ..core.keys import COMMENTS, QUARANTINE, SUBMISSIONS
from ..core.names import subreddit_key
from ..core.windows import FIRST_REDDIT_TS
from ..serializers import MAX_LINE_BYTES, CommentSerializer, SubmissionSerializer, encode_row, quarantine_line
from .shapes import WRONG, Shapes

_SERIALIZERS: dict[str, type[CommentSerializer] | type[SubmissionSerializer]] = {
    COMMENTS: CommentSerializer,
    SUBMISSIONS: SubmissionSerializer,
}
MARKS = {COMMENTS: "body", SUBMISSIONS: "title"}
"""The field that only this kind has."""

_MOST_NAMES_KEPT = 1_000_000


Entry = tuple[str, str, int, str, bytes]
"""A row on its way: subreddit's key, kind of the object that it belongs to, `created_utc`, fullname, line."""


class UnreadableLine(Exception):
    """A line that holds no row of the file's kind."""


def kind_of_line(line: bytes) -> str | None:
    """Return what kind of row a line holds; None where it is none of Reddit's."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or "subreddit" not in fields:
        return None
    return next((kind for kind, mark in MARKS.items() if mark in fields), None)


class RowMaker:
    """Makes rows of one kind from the lines of one file.

    `wanted` are lower-case names (None: all), `start_ts` and `end_ts` bound the time; what falls outside gives no row.
    `unplaced` counts rows whose subreddit has a name that no folder can have.
    """

    def __init__(
        self,
        kind: str,
        source: str,
        *,
        wanted: frozenset[str] | None,
        start_ts: int,
        end_ts: int,
        latest_ts: int,
        authors: AuthorKey | None = None,
    ) -> None:
        serializer = _SERIALIZERS[kind]
        self.kind = kind
        self._mark = MARKS[kind]
        self._serializer = serializer(source)
        self._prefix = serializer._prefix
        self._shapes = Shapes(serializer, self._mark, source)
        self._wanted = wanted
        self._start_ts = start_ts
        self._end_ts = end_ts
        self._latest_ts = latest_ts
        self._authors = authors
        self._keys: dict[str, str | None] = {}
        self.unplaced: dict[str, int] = {}

    @property
    def met(self) -> frozenset[str]:
        """The subreddits that were asked for and occur."""
        return frozenset(key for key in self._keys.values() if key)

    def entry(self, line: bytes) -> Entry | None:
        """Return the row of a line; None for a row that is not asked for.

        A row that cannot be stored as it is comes back as a line for the quarantine.

        Raises:
            UnreadableLine: the line is no JSON, no UTF-8, no row of this kind, or says no time.
        """
        if self._authors:
            return self._the_long_way(line)
        shapes = self._shapes
        try:
            fields = shapes.decode(line)
        except msgspec.ValidationError:
            fields = self._decoded_after_learning(line)
            if fields is None:
                return self._the_long_way(line)
        except WRONG:
            return self._the_long_way(line)
        created = fields.f_created_utc
        subreddit = self._keys.get(fields.f_subreddit) or self._place(fields.f_subreddit)
        if not FIRST_REDDIT_TS <= created <= self._latest_ts:
            return self._the_long_way(line)
        if subreddit is None or not self._start_ts <= created < self._end_ts:
            return None
        fullname = self._prefix + fields.f_id
        try:
            data = shapes.encode(line, fields, fullname)
        except WRONG:
            data = None
        if data is None or len(data) > MAX_LINE_BYTES:
            return self._the_long_way(line)
        return subreddit, self.kind, created, fullname, data

    def _decoded_after_learning(self, line: bytes) -> Any:
        try:
            return self._shapes.decode(line) if self._shapes.learn(line) else None
        except WRONG:
            return None

    def _the_long_way(self, line: bytes) -> Entry | None:
        fields = _parsed(line)
        created = created_utc(fields)
        if self._mark not in fields:
            raise UnreadableLine(f"a row without {self._mark!r} among {self.kind}")
        if created is None or not FIRST_REDDIT_TS <= created <= self._latest_ts:
            raise UnreadableLine(f"created_utc {fields.get('created_utc')!r:.40} is no time of a row")
        subreddit = self._place(fields.get("subreddit"))
        if subreddit is None or not self._start_ts <= created < self._end_ts:
            return None
        if self._authors:
            fields = dict(self._authors.hashed(fields))
        try:
            row = self._serializer.to_dict(fields)
            # Where the archive does not say when it looked, any other observation is newer.
            row["observed_at_ts"] = row["observed_at_ts"] or created
            return subreddit, self.kind, created, row["fullname"], encode_row(row).data
        except PoisonedRecord as poisoned:
            kept = quarantine_line(fields, self.kind, str(poisoned), created)
            return subreddit, QUARANTINE, created, str(fields.get("id")), kept.data

    def _place(self, name: object) -> str | None:
        """Return the subreddit's key; None where it is not asked for or cannot be a folder."""
        shown = name if isinstance(name, str) else repr(name)[:40]
        if shown not in self._keys:
            if len(self._keys) > _MOST_NAMES_KEPT:
                self._keys.clear()
            self._keys[shown] = self._key(name)
        key = self._keys[shown]
        if key is None and self._wanted is None:
            self.unplaced[shown] = self.unplaced.get(shown, 0) + 1
        return key

    def _key(self, name: object) -> str | None:
        try:
            key = subreddit_key(name)
        except InvalidRequest:
            return None
        return key if self._wanted is None or key in self._wanted else None


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        fields = msgspec.json.decode(line)
    except WRONG:
        # It may still be JSON with something in it that cannot be stored: the serializer tells, and it is kept.
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UnreadableLine(f"{type(error).__name__}: {error}"[:160]) from error
    if not isinstance(fields, dict):
        raise UnreadableLine("no JSON object")
    return fields


def date_of_line(line: bytes) -> int | None:
    """Return when the row of a line was created, cheaply; None where it does not say."""
    try:
        return created_utc({"created_utc": _dated(line).created_utc})
    except WRONG:
        return None


class _Dated(msgspec.Struct):
    created_utc: int | float | str | None = None


_dated = msgspec.json.Decoder(_Dated).decode
