"""Tombstones: what must not be shown any more, why, and what a row keeps when something around it has to go.

A tombstone holds a fullname, times and a reason, no content. It stands in the folder of the window that its item was
created in, in an object of the kind `tombstones`.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any

from .errors import DamagedState
from .items import fullname
from .keys import COMMENTS, SUBMISSIONS

Row = dict[str, Any]

TEXT = {SUBMISSIONS: ("title", "selftext"), COMMENTS: ("body",)}
"""The fields that hold what somebody said."""

# A fullname, a link to a thread, or the bare id that some archives give a crosspost's original.
_NAME = re.compile(rb't[13]_[0-9a-z]+|/comments/([0-9a-z]+)|"id": ?"([0-9a-z]+)"')
_AUTHOR_FIELDS = ("author", "author_fullname", "author_flair_text")
# A link to a thread says its title: /comments/{id}/{title}/.
_SLUG = re.compile(r"(/comments/([0-9a-z]+)/)[^/\s()\[\]<>\"'?#\\|]+")
# What a listing tells of the submission that a comment answers.
_OF_LINK = ("link_author", "link_permalink", "link_title", "link_url")
# What a crosspost shows that is its original's.
_OF_ORIGINAL = {
    "gallery_data",
    "media",
    "media_embed",
    "media_metadata",
    "poll_data",
    "post_hint",
    "preview",
    "secure_media",
    "secure_media_embed",
    "thumbnail",
    "url_overridden_by_dest",
}
_DELETED, _REMOVED = "[deleted]", "[removed]"
_REMOVED_TEXTS = (_REMOVED, "[ Removed by Reddit ]")
_BY_AUTHOR = ("author", "deleted")


class Reason(StrEnum):
    """Why something must not be shown any more."""

    DELETED = "deleted"
    """Its author deleted it."""
    GONE = "gone"
    """It was removed, or left out by the source, and so again at a later look; the only end that may be undone."""
    FORGOTTEN = "forgotten"
    """A person asked for it."""
    ACCOUNT = "account"
    """Its author's account was deleted: the text may stay, the name may not."""

    @property
    def hides(self) -> bool:
        """Whether the whole item must go, not only its author's name."""
        return self is not Reason.ACCOUNT

    @property
    def is_final(self) -> bool:
        """Whether it holds for whatever is seen later, too."""
        return self is not Reason.GONE


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One item's tombstone; `purged_at_ts` is when the last of its content left the lake, None before that.

    `created_utc` places it; for something known only from what others carry of it, it is theirs.
    """

    fullname: str
    created_utc: int
    reason: Reason
    noticed_at_ts: int
    purged_at_ts: int | None = None

    def covers(self, observed_at_ts: int | None) -> bool:
        """Tell whether an observation falls under it; what moderators let back in after that does not."""
        return self.reason.is_final or (observed_at_ts or 0) <= self.noticed_at_ts

    @property
    def hides(self) -> bool:
        """Whether the whole item must go, not only its author's name."""
        return self.reason.hides

    @property
    def weight(self) -> tuple[bool, bool, int]:
        """How much it takes away: of two for one item the heavier counts."""
        return self.hides, self.reason.is_final, self.noticed_at_ts

    def to_row(self) -> Row:
        """Return it as it stands in its object."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_row(cls, row: Row) -> "Tombstone":
        """Return the tombstone that a row holds.

        Raises:
            DamagedState: it holds none.
        """
        try:
            return cls(**{**row, "reason": Reason(row["reason"])})
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedState(f"unreadable tombstone {str(row)[:120]!r}") from error


class Graves(dict[str, Tombstone]):
    """The tombstone that counts for each fullname: what hides before what does not, for ever before until now."""

    @classmethod
    def of_all(cls, found: Iterable[Tombstone]) -> "Graves":
        """Return the graves that tombstones make, in whatever order they come."""
        graves = cls()
        for each in found:
            graves.bury(each)
        return graves

    def bury(self, found: Tombstone) -> None:
        """Add one; the order in which they come does not matter."""
        known = self.get(found.fullname)
        if known is None or _precedence(known) < _precedence(found):
            self[found.fullname] = found

    def of(self, row: Row) -> Tombstone | None:
        """Return the tombstone that an observation falls under.

        One that shows the item's end falls under it however late it was made: Reddit goes on showing the title of a
        deleted submission.
        """
        found = self.get(row["fullname"])
        if found is None or found.covers(row["observed_at_ts"]):
            return found
        ended = fate(row, SUBMISSIONS if row["fullname"].startswith("t3_") else COMMENTS)
        return found if ended and ended.hides else None

    def hidden(self, name: object) -> bool:
        """Tell whether nothing of an item may be told by others."""
        found = self.get(str(name))
        return found is not None and found.hides

    @property
    def waiting(self) -> "Graves":
        """Those whose content has not left the lake yet."""
        return Graves({name: each for name, each in self.items() if each.purged_at_ts is None})


def _precedence(tombstone: Tombstone) -> tuple[tuple[bool, bool, int], bool]:
    return tombstone.weight, tombstone.purged_at_ts is not None


def fate(row: Row, kind: str) -> Reason | None:
    """Return what an observation says of the item's end: DELETED, GONE (removed by others), ACCOUNT, or None: it lives.

    https://www.reddit.com/dev/api shows no such field for comments; text and author do, and for submissions
    `removed_by_category`.
    """
    text = row["selftext" if kind == SUBMISSIONS else "body"]
    category = row.get("removed_by_category")
    if category in _BY_AUTHOR or (text == _DELETED and row.get("author") is None):
        return Reason.DELETED
    if category or text in _REMOVED_TEXTS:
        return Reason.GONE
    return Reason.ACCOUNT if row.get("author") is None else None


def names_in(line: bytes) -> set[str]:
    """Return every fullname that a line may be saying something about, in whatever field; some may be none."""
    names: set[str] = set()
    for found in _NAME.finditer(line):
        if bare := found[1] or found[2]:
            names |= {f"t3_{bare.decode()}", f"t1_{bare.decode()}"}
        else:
            names.add(found[0].decode())
    return names


def without(row: Row, kind: str, graves: Graves) -> Row | None:
    """Return what may stay of a row: None, a row without what belongs to others that are gone, or an equal row."""
    if not graves:
        return row
    own = graves.of(row)
    if own and own.hides:
        return None
    cleaned = anonymous(row) if own else row
    cleaned = _without_link(cleaned, graves) if kind == COMMENTS else _without_originals(cleaned, graves)
    return _without_titles(cleaned, graves)


def anonymous(row: Row) -> Row:
    """Return a row that does not say who wrote it."""
    return {**row, **dict.fromkeys(_AUTHOR_FIELDS), "raw": _nameless(row["raw"])}


def expired(row: Row, kind: str) -> Row:
    """Return a row without anything that was said, and by whom: ids, times and scores stay."""
    said = (*TEXT[kind], *_AUTHOR_FIELDS, "url", "domain", "permalink", "link_flair_text")
    return {**row, **dict.fromkeys(name for name in said if name in row), "awards": [], "raw": {}}


def is_expired(row: Row, kind: str) -> bool:
    """Tell whether a row's text was kept for its time and is gone."""
    return all(row.get(name) is None for name in TEXT[kind])


def unmentioned(row: Row, author: str) -> Row:
    """Return a row in which no text names an author: `u/name` becomes `u/[deleted]`, in whatever field."""
    raw = {name: None if name.endswith("_by") and is_author(by, author) else by for name, by in row["raw"].items()}
    renamed: Row = _rewritten({**row, "raw": raw}, lambda text: _mention(author.lower()).sub(r"\1[deleted]", text))
    return renamed


def may_mention(line: bytes, author: str) -> bool:
    """Tell whether a line may name an author; cheap."""
    return author.lower().encode() in line.lower().replace(b"\\", b"")


def is_author(value: object, author: str) -> bool:
    """Tell whether a value is an author's name; names differ in more than case."""
    return isinstance(value, str) and value.lower() == author.lower()


def written_by(row: Row, author: str) -> set[str]:
    """Return the fullnames of what an author wrote, as far as a row tells."""
    names = {row["fullname"]} if is_author(row["author"], author) else set()
    if is_author(row["raw"].get("link_author"), author):
        names.add(str(row["link_id"]))
    return names | {_original(each) for each in _all_originals(row["raw"]) if is_author(each.get("author"), author)}


@dataclass(frozen=True, slots=True)
class Quarantined:
    """What a line of `quarantine.jsonl` says.

    `names` are the items that it is about: `own`, and those that it carries something of. `fields` is None where the
    record cannot be read; then every item that it mentions is among them.
    """

    names: frozenset[str]
    own: str | None = None
    fields: Row | None = None

    @classmethod
    def of(cls, line: bytes) -> "Quarantined":
        """Read a line; never raises."""
        try:
            outer = json.loads(line)
            fields, prefix = json.loads(outer["record"]), "t3_" if outer["kind"] == SUBMISSIONS else "t1_"
        except (ValueError, KeyError, TypeError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            return cls(frozenset(names_in(line.replace(b"\\", b""))))
        own = fullname(fields, prefix)
        names = [own, fields.get("link_id"), fields.get("crosspost_parent")]
        names += [_original(each) for each in _all_originals(fields)]
        return cls(frozenset(name for name in names if isinstance(name, str)), own, fields)

    def written_by(self, author: str) -> set[str]:
        """Return the fullnames of what an author wrote, as far as the record tells."""
        if self.fields is None or self.own is None:
            return set()
        row = {"author": None, "link_id": None, **self.fields, "fullname": self.own, "raw": self.fields}
        return written_by(row, author)

    def names_author(self, author: str) -> bool:
        """Tell whether an author wrote some of it or is named in it."""
        if self.fields is None:
            return True
        row, items = {"raw": self.fields}, [self.fields, *_all_originals(self.fields)]
        by = [self.fields.get("link_author"), *(each.get("author") for each in items)]
        return any(is_author(name, author) for name in by) or unmentioned(row, author) != row


def purged(tombstones: Iterable[Tombstone], now_ts: int) -> list[Tombstone]:
    """Return the tombstones with the moment at which the last of their content left the lake."""
    return [replace(each, purged_at_ts=each.purged_at_ts or now_ts) for each in tombstones]


@cache
def _mention(author: str) -> re.Pattern[str]:
    # Reddit's editor writes an underscore as \_, and a person has a page: /user/name, r/u_name.
    name = re.escape(author).replace("_", r"\\*_")
    return re.compile(rf"(?i)((?<![a-z0-9])(?:u/|user/|u_)){name}(?![\w-]|\\+_)")


def _nameless(fields: Row) -> Row:
    return {name: value for name, value in fields.items() if not name.startswith("author")}


def _without_link(row: Row, graves: Graves) -> Row:
    link = graves.get(str(row["link_id"]))
    if link is None or not any(name in row["raw"] for name in _OF_LINK):
        return row
    told = _OF_LINK if link.hides else ("link_author",)
    return {**row, "raw": {name: value for name, value in row["raw"].items() if name not in told}}


def _without_originals(row: Row, graves: Graves) -> Row:
    originals = _originals(row["raw"])
    parent = row.get("crosspost_parent")
    if not parent and not originals:
        return row
    kept = [_seen_from_here(each, graves) for each in originals if not graves.hidden(_original(each))]
    if kept != originals:
        row = {**row, "raw": {**row["raw"], "crosspost_parent_list": kept}}
    if not graves.hidden(parent) and len(kept) == len(originals):
        return row
    return {**row, "url": None, "domain": None, "raw": _bare(row["raw"])}


def _seen_from_here(original: Row, graves: Graves) -> Row:
    """Return what a crosspost may show of its original, which may be a crosspost itself."""
    seen = _nameless(original) if _original(original) in graves else original
    inner = {_original(each) for each in _all_originals(original)} | {str(original.get("crosspost_parent"))}
    if not inner & graves.keys():
        return seen
    return {**_bare(seen), "url": None, "crosspost_parent_list": []}


def _bare(fields: Row) -> Row:
    return {name: value for name, value in fields.items() if name not in _OF_ORIGINAL}


def _originals(fields: Row) -> list[Row]:
    """Return what a crosspost holds of its original; the source's list may be empty, null, or odd."""
    listed = fields.get("crosspost_parent_list")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _all_originals(fields: Row) -> list[Row]:
    found = _originals(fields)
    for each in found:  # grows while it is walked
        found += _originals(each)
    return found


def _original(item: Row) -> str:
    return fullname(item, "t3_") or ""


def _without_titles(row: Row, graves: Graves) -> Row:
    """Return a row whose links to threads that are gone do not say their titles any more; they still lead there."""

    def untitled(link: re.Match[str]) -> str:
        name = f"t3_{link[2]}"
        return f"{link[1]}_" if name != row["fullname"] and graves.hidden(name) else link[0]

    cleaned: Row = _rewritten(row, lambda text: _SLUG.sub(untitled, text) if "/comments/" in text else text)
    return cleaned


def _rewritten(value: Any, change: Callable[[str], str]) -> Any:
    """Return a JSON value with all its texts changed."""
    try:
        return _walked(value, change)
    except RecursionError:  # deeper than a source ever nests
        return json.loads(change(json.dumps(value, ensure_ascii=False)))


def _walked(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_walked(part, change) for part in value] if value else value
    if isinstance(value, dict):
        return {name: _walked(part, change) for name, part in value.items()} if value else value
    return value
