"""Rows put together from the bytes of their line, without making objects of what does not change.

The rows of an archive have few sets of fields. Their names, their order, and which of them say no more than true, false
or null are learned from the rows that have them. A row whose names are known is decoded in one go, most values left as
the bytes that they are, and encoded again with the fields of a landed row ahead of those that go under `raw`. What is
learned speeds things up and settles nothing: a row of another form is handed back.
"""

import os
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ..core.manifest import SCHEMA_VERSION
from ..serializers import CommentSerializer, SubmissionSerializer

WRONG = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises for lines that are no JSON, or not of the types asked for."""

_LATEST_TS = 10**11
_MOST_NAMES = 400
_NULL, _NO_AWARDS = Raw(b"null"), Raw(b"[]")
_FLAGS = (b"null", b"false", b"true")
_BACKSLASH = 0x5C  # a number is found much faster than a byte of bytes, and most lines have none
_is_escaped = re.compile(rb"\\[u/]").search


class _Field(NamedTuple):
    """How a field is decoded, and what it is called in a landed row. A flag is true, false or null."""

    attribute: str
    landed: str
    kind: Any = bool | None | UnsetType
    default: Any = UNSET
    is_flag: bool = True

    def widened(self) -> "_Field":
        """Return the field for values of any kind, which stay the bytes that they are."""
        kind, default = (Raw | UnsetType, UNSET) if self.default is UNSET else (Raw, _NULL)
        return self._replace(kind=kind, default=default, is_flag=False)


# Under `f_`, since a field may be called anything.
_LIFTED = {
    "name": _Field("f_name", "fullname", str | None, None, False),
    "id": _Field("f_id", "id", str, msgspec.NODEFAULT, False),
    "subreddit": _Field("f_subreddit", "subreddit", str, msgspec.NODEFAULT, False),
    "created_utc": _Field("f_created_utc", "created_utc", int, msgspec.NODEFAULT, False),
    "author": _Field("f_author", "author", str | None, None, False),
    "edited": _Field("f_edited", "edited", bool | int | None, None, False),
    "all_awardings": _Field("f_all_awardings", "awards", Raw, _NO_AWARDS, False),
}
"""What a row is placed by and what the serializer changes; other types than these are for the serializer."""

_KEPT = {
    name: _Field(f"f_{name}", name, int | None | UnsetType, UNSET, False) for name in ("retrieved_utc", "retrieved_on")
}
_KEPT |= {name: _Field(f"f_{name}", name).widened() for name in ("_meta", "replies")}

_decode_any = msgspec.json.decode
_names_of = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.encode
_encode_into = msgspec.json.Encoder().encode_into


class Shapes:
    """Decodes and encodes the rows of one kind and source; not for several threads at once."""

    def __init__(
        self, serializer: type[CommentSerializer] | type[SubmissionSerializer], mark: str, source: str
    ) -> None:
        self._mark = f"f_{mark}"
        self._opening = bytearray(b',"schema_version":%d,"raw":{' % SCHEMA_VERSION)
        # Stands where `raw` opens, and is as long; nothing in a file can look like it.
        border = os.urandom(32).hex()[: len(self._opening) - len(b',"":0,')]
        self._border = b',"%b":0,' % border.encode()
        self._fields = {
            **_LIFTED,
            **{name: _Field(f"f_{name}", name, bool | None, None) for name in serializer._fields},
            mark: _Field(f"f_{mark}", mark).widened(),
            f"{border} source": _Field("source", "source", Raw, Raw(_encode(source)), False),
            f"{border} looked": _Field("looked", "observed_at_ts", int, 0, False),
            border: _Field("border", border, int, 0, False),
            **_KEPT,
        }
        """By their name in an archive, in the order of a landed row."""
        self._order: list[str] = []
        """The names that were met, in the order of the file, where the next value is looked for first."""
        self._buffer = bytearray()
        self._build()

    def encode(self, line: bytes, fields: Any, fullname: str) -> bytes | None:
        """Return the landed row with its line end, and use up `fields`; None: the serializer has to see the line.

        Raises:
            MsgspecError, UnicodeDecodeError, RecursionError: likewise.
        """
        if not line.isascii():
            line.decode()
        if _BACKSLASH in line and _is_escaped(line):
            self._unescape(fields)
        created, edited, author = fields.f_created_utc, fields.f_edited, fields.f_author
        awards = bytes(fields.f_all_awardings)
        if (
            getattr(fields, self._mark) is UNSET
            or edited is True
            or not (awards[:1] == b"[" or awards == b"null")
            or (edited and not 0 < edited < _LATEST_TS)
            or fields.f_name not in (None, fullname)
            or not fields.f_id.isalnum()
            or (fields.f__meta is not UNSET and bytes(fields.f__meta).rfind(b"was_deleted_later") >= 0)
        ):
            return None
        looked = fields.f_retrieved_on
        if fields.f_retrieved_utc is not UNSET or type(looked) is not int or not created <= looked < _LATEST_TS:
            looked = _look(fields)
        if not author or author == "[deleted]":
            fields.f_author = None
        if not edited:
            fields.f_edited = None
        if awards == b"null":
            fields.f_all_awardings = _NO_AWARDS
        fields.f_name, fields.f_replies, fields.looked = fullname, UNSET, looked
        fields.__class__ = self._landed  # the same values, in another order and under other names
        row = self._buffer
        _encode_into(fields, row)
        place = row.rfind(self._border)
        if place < 0:
            return None  # nothing to go under `raw`
        row[place : place + len(self._border)] = self._opening
        row += b"}\n"
        return bytes(row)

    def _unescape(self, fields: Any) -> None:
        """Take the escapes that UTF-8 does not need out of the values, so that a quote is found byte for byte."""
        for name in fields.__struct_fields__:
            value = getattr(fields, name)
            if type(value) is Raw and _is_escaped(data := bytes(value)):
                setattr(fields, name, Raw(_encode(_decode_any(data))))

    def learn(self, line: bytes) -> bool:
        """Take note of names, and kinds of values, that were not met before; False where there are none that help.

        Raises:
            MsgspecError, UnicodeDecodeError, RecursionError: the serializer has to see this line.
        """
        met, fields = _names_of(line), self._fields
        new = {name: _Field(f"f_{name}", name) for name in met if name not in fields}
        known = {**fields, **new}
        wider = {name: known[name].widened() for name in met if known[name].is_flag and bytes(met[name]) not in _FLAGS}
        if not (new or wider) or len(known) > _MOST_NAMES or not all(map(str.isidentifier, new)):
            return False
        if not new.keys().isdisjoint(field.landed for field in fields.values()):
            return False  # a name that means something else in a landed row
        self._fields = {**known, **wider}
        self._order = _merged(self._order, met)
        self._build()
        return True

    def _build(self) -> None:
        fields = self._fields
        order = dict.fromkeys([*self._order, *fields])
        # Two structs with the same attributes have the same layout, whatever their order: one can be made the other.
        seen = _struct({name: fields[name] for name in order})
        self._landed = _struct({field.landed: field for field in fields.values()})
        self.decode = msgspec.json.Decoder(seen).decode
        """Returns the fields of a line, each as `f_{name}`; `id`, `subreddit` and `created_utc` are of their type.

        Raises ValidationError where `learn` may help, and else one of `WRONG`: the serializer has to see this line.
        """


def _struct(fields: dict[str, _Field]) -> Any:
    made = [
        (field.attribute, field.kind, msgspec.field(default=field.default, name=name)) for name, field in fields.items()
    ]
    return msgspec.defstruct("Fields", made, kw_only=True, forbid_unknown_fields=True, gc=False)


def _merged(order: list[str], met: Iterable[str]) -> list[str]:
    """Return an order of names with those put in that were not in it, each behind the one that it was met behind."""
    merged, place = list(order), 0
    for name in met:
        if name in merged:
            place = merged.index(name)
        else:
            merged.insert(place, name)
        place += 1
    return merged


def _look(fields: Any) -> int:
    created: int = fields.f_created_utc
    for look in (fields.f_retrieved_utc, fields.f_retrieved_on):
        if type(look) is int and created <= look < _LATEST_TS:
            return look
    return created
