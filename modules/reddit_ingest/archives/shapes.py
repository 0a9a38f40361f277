"""Rows put together from the bytes of their line, without making objects of what does not change.

The rows of an archive have few sets of fields. Their names are learned from the rows that have them; a row whose names
are known is decoded in one go, most values left as the bytes that they are, and encoded again with the fields of a
landed row ahead of those that go under `raw`. What is learned speeds things up and settles nothing: a row of another
form is handed back.
"""

import os
from collections.abc import Callable
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

_PLACING: tuple[tuple[str, Any, Any], ...] = (
    ("subreddit", str, msgspec.NODEFAULT),
    ("created_utc", int, msgspec.NODEFAULT),
    ("author", str | None, None),
    ("edited", bool | int | None, None),
    ("id", str, msgspec.NODEFAULT),
    ("name", str | None, None),
    ("all_awardings", Raw, _NULL),
    ("replies", Raw, _NULL),
)
"""What a row is placed by and what the serializer changes; other types than these are for the serializer."""

_LOOKS = ("retrieved_utc", "retrieved_on")

_decode_any = msgspec.json.decode
_names_of = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode


class Shapes:
    """Decodes and encodes the rows of one kind and source."""

    def __init__(
        self, serializer: type[CommentSerializer] | type[SubmissionSerializer], mark: str, source: str
    ) -> None:
        # Under `f_`, since a field may be called anything.
        self._mark = f"f_{mark}"
        copied = list(serializer._fields)
        # Stands between what is lifted and what goes under `raw`; nothing in a file can look like it.
        border = f"raw {os.urandom(8).hex()}"
        self._border = f',"{border}":0'.encode()
        self._names = [*(name for name, _, _ in _PLACING), *copied, border, *_LOOKS, "_meta"]
        self._attributes = {name: f"f_{name}" for name in self._names} | {border: "border"}
        self._typed = {name: (kind, default) for name, kind, default in _PLACING}
        self._typed |= {name: (Raw, UNSET if name == mark else _NULL) for name in copied}
        self._typed |= dict.fromkeys(_LOOKS, (int | None | msgspec.UnsetType, UNSET))
        self._middle = b',"source":%b,"schema_version":%d,"observed_at_ts":' % (_encode(source), SCHEMA_VERSION)
        self.decode = self._decoder()
        """Returns the fields of a line, each as `f_{name}`; `id`, `subreddit` and `created_utc` are of their type.

        Raises ValidationError where `learn` may help, and else one of `WRONG`: the serializer has to see this line.
        """

    def encode(self, line: bytes, fields: Any, fullname: str) -> bytes | None:
        """Return the landed row with its line end, and use up `fields`; None: the serializer has to see the line.

        Raises:
            MsgspecError, UnicodeDecodeError, RecursionError: likewise.
        """
        if not line.isascii():
            line.decode()
        if b"\\" in line and (b"\\u" in line or b"\\/" in line):
            self._unescape(fields)
        item_id, created, edited, author = fields.f_id, fields.f_created_utc, fields.f_edited, fields.f_author
        awards = bytes(fields.f_all_awardings)
        if (
            getattr(fields, self._mark) is UNSET
            or edited is True
            or not (awards[:1] == b"[" or awards == b"null")
            or (edited and not 0 < edited < _LATEST_TS)
            or fields.f_name not in (None, fullname)
            or not item_id.isalnum()
            or (fields.f__meta is not UNSET and b"was_deleted_later" in bytes(fields.f__meta))
        ):
            return None
        looked = fields.f_retrieved_on
        if fields.f_retrieved_utc is not UNSET or type(looked) is not int or not created <= looked < _LATEST_TS:
            looked = _look(fields)
        if not author or author == "[deleted]":
            fields.f_author = None
        if not edited:
            fields.f_edited = None
        fields.f_id = fields.f_name = fields.f_all_awardings = fields.f_replies = UNSET
        fields.border = 0
        lifted, _, raw = _encode(fields).partition(self._border)
        return b'{"fullname":"%b","id":"%b","awards":%b,%b%b%d,"raw":{%b}\n' % (
            fullname.encode(),
            item_id.encode(),
            awards if awards != b"null" else b"[]",
            lifted[1:],
            self._middle,
            looked,
            raw[1:] if raw[:1] == b"," else raw,
        )

    def _unescape(self, fields: Any) -> None:
        """Take the escapes that UTF-8 does not need out of the values, so that a quote is found byte for byte."""
        for name in fields.__struct_fields__:
            value = getattr(fields, name)
            if type(value) is Raw and b"\\" in (data := bytes(value)) and (b"\\u" in data or b"\\/" in data):
                setattr(fields, name, Raw(_encode(_decode_any(data))))

    def learn(self, line: bytes) -> bool:
        """Take note of names that were not met before; False where there are none, too many, or strange ones.

        Raises:
            MsgspecError, UnicodeDecodeError, RecursionError: the serializer has to see this line.
        """
        new = [name for name in _names_of(line) if name not in self._names]
        if not new or len(self._names) + len(new) > _MOST_NAMES or not all(map(str.isidentifier, new)):
            return False
        self._names += new
        self._attributes |= {name: f"f_{name}" for name in new}
        self.decode = self._decoder()
        return True

    def _decoder(self) -> Callable[[bytes], Any]:
        unknown = (Raw | msgspec.UnsetType, UNSET)
        fields = []
        for name in self._names:
            kind, default = self._typed.get(name, unknown)
            fields.append((self._attributes[name], kind, msgspec.field(default=default, name=name)))
        made = msgspec.defstruct("Fields", fields, kw_only=True, forbid_unknown_fields=True, gc=False)
        return msgspec.json.Decoder(made).decode


def _look(fields: Any) -> int:
    created: int = fields.f_created_utc
    for look in (fields.f_retrieved_utc, fields.f_retrieved_on):
        if type(look) is int and created <= look < _LATEST_TS:
            return look
    return created
