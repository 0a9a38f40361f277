"""Rows put together from the bytes of their line, without making objects of what does not change.

The rows of an archive have few sets of fields. Their names are learned from the rows that have them; a row whose names
are known is decoded in one go, most values left as the bytes that they are, and encoded again in the order of a landed
row. What is learned speeds things up and settles nothing: a row of another form is handed back.
"""

from collections import deque
from collections.abc import Callable
from itertools import repeat
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from ..core.manifest import SCHEMA_VERSION
from ..serializers import CommentSerializer, SubmissionSerializer

WRONG = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises for lines that are no JSON, or not of the types asked for."""

_LATEST_TS = 10**11
_MOST_NAMES = 400
_NULL = Raw(b"null")
_EMPTY = Raw(b"[]")

_PLACING: tuple[tuple[str, Any, Any], ...] = (
    ("id", str, msgspec.NODEFAULT),
    ("subreddit", str, msgspec.NODEFAULT),
    ("created_utc", int, msgspec.NODEFAULT),
    ("name", str | None, None),
    ("author", str | None, None),
    ("edited", bool | int | None, None),
    ("all_awardings", Raw, _NULL),
    ("replies", Raw, _NULL),
)
"""What a row is placed by and what the serializer changes; other types than these are for the serializer."""

_LOOKS = ("retrieved_utc", "retrieved_on")

_decode_any = msgspec.json.decode
_names_of = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode
_run_through = deque[None](maxlen=0).extend


class Shapes:
    """Decodes and encodes the rows of one kind and source."""

    def __init__(
        self, serializer: type[CommentSerializer] | type[SubmissionSerializer], mark: str, source: str
    ) -> None:
        self._prefix = serializer._prefix
        self._source = source
        self._mark_place = serializer._fields.index(mark)
        # Under `f_`, since a field may be called anything.
        lifted = [name for name, _, _ in _PLACING]
        copied = list(serializer._fields)
        self._lifted = tuple(f"f_{name}" for name in lifted + copied)
        self._copied = attrgetter(*(f"f_{name}" for name in copied))
        self._names: list[str] = [*lifted, *copied, *_LOOKS, "_meta"]
        self._typed = {name: (kind, default) for name, kind, default in _PLACING}
        self._typed |= {name: (Raw, UNSET if name == mark else _NULL) for name in copied}
        self._typed |= dict.fromkeys(_LOOKS, (int | None | msgspec.UnsetType, UNSET))
        self._row = msgspec.defstruct(
            "Row",
            [
                *((name, Any) for name in ("fullname", "id", "subreddit", "created_utc", "author", "edited", "awards")),
                *((name, Raw) for name in copied),
                *((name, Any) for name in ("source", "observed_at_ts", "schema_version", "raw")),
            ],
            gc=False,
        )
        self._decode = self._decoder()

    def decode(self, line: bytes) -> Any:
        """Return the fields of a line, each as `f_{name}`; `id`, `subreddit` and `created_utc` are of their type.

        Raises:
            MsgspecError, UnicodeDecodeError, RecursionError: the serializer has to see this line.
        """
        try:
            return self._decode(line)
        except msgspec.ValidationError:
            if not self._learn(line):
                raise
            return self._decode(line)

    def encode(self, line: bytes, fields: Any) -> bytes | None:
        """Return the landed row without its line end, and use up `fields`; None: the serializer has to see the line.

        Raises:
            MsgspecError, UnicodeDecodeError, RecursionError: likewise.
        """
        if not line.isascii():
            line.decode()
        if b"\\" in line and (b"\\u" in line or b"\\/" in line):
            self._unescape(fields)
        created, edited, author = fields.f_created_utc, fields.f_edited, fields.f_author
        copied = self._copied(fields)
        awards = bytes(fields.f_all_awardings)
        fullname = self._prefix + fields.f_id
        if (
            copied[self._mark_place] is UNSET
            or edited is True
            or not (awards[:1] == b"[" or awards == b"null")
            or (edited and not 0 < edited < _LATEST_TS)
            or fields.f_name not in (None, fullname)
            or not fields.f_id
            or (fields.f__meta is not UNSET and b"was_deleted_later" in bytes(fields.f__meta))
        ):
            return None
        row = self._row(
            fullname,
            fields.f_id,
            fields.f_subreddit,
            created,
            None if author == "[deleted]" else author or None,
            edited or None,
            fields.f_all_awardings if awards[:1] == b"[" else _EMPTY,
            *copied,
            self._source,
            _look(fields.f_retrieved_utc, created) or _look(fields.f_retrieved_on, created) or created,
            SCHEMA_VERSION,
            fields,
        )
        # What was lifted out of the fields is no part of `raw`.
        _run_through(map(setattr, repeat(fields), self._lifted, repeat(UNSET)))
        return _encode(row)

    def _unescape(self, fields: Any) -> None:
        """Take the escapes that UTF-8 does not need out of the values, so that a quote is found byte for byte."""
        for name in fields.__struct_fields__:
            value = getattr(fields, name)
            if type(value) is Raw and b"\\" in (data := bytes(value)) and (b"\\u" in data or b"\\/" in data):
                setattr(fields, name, Raw(_encode(_decode_any(data))))

    def _learn(self, line: bytes) -> bool:
        """Take note of names that were not met before; False where there are none, too many, or strange ones."""
        new = [name for name in _names_of(line) if name not in self._names]
        if not new or len(self._names) + len(new) > _MOST_NAMES or not all(map(str.isidentifier, new)):
            return False
        self._names += new
        self._decode = self._decoder()
        return True

    def _decoder(self) -> Callable[[bytes], Any]:
        unknown = (Raw | msgspec.UnsetType, UNSET)
        fields = []
        for name in self._names:
            kind, default = self._typed.get(name, unknown)
            fields.append((f"f_{name}", kind, msgspec.field(default=default, name=name)))
        made = msgspec.defstruct("Fields", fields, kw_only=True, forbid_unknown_fields=True, gc=False)
        return msgspec.json.Decoder(made).decode


def _look(told: int | None, created: int) -> int | None:
    return told if isinstance(told, int) and created <= told < _LATEST_TS else None
