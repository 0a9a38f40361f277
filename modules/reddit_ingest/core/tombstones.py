"""Tombstones: what must not be shown any more, why, and what a row keeps when something around it has to go.

A tombstone holds a fullname, times and a reason, no content. It stands in the folder of the window that its item was
created in, in an object of the kind `tombstones`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from .errors import DamagedState
from .keys import COMMENTS, SUBMISSIONS

Row = dict[str, Any]

TEXT = {SUBMISSIONS: ("title", "selftext"), COMMENTS: ("body",)}
"""The fields that hold what somebody said."""

_NAME = re.compile(rb"t[13]_[0-9a-z]+")
_AUTHOR_FIELDS = ("author", "author_fullname", "author_flair_text")
_SLUG = re.compile(r"(/comments/[0-9a-z]+/)[^/]+/")
# What a listing tells of the submission that a comment answers.
_OF_LINK = ("link_author", "link_permalink", "link_title", "link_url")
_DELETED, _REMOVED = "[deleted]", "[removed]"
_REMOVED_TEXTS = (_REMOVED, "[ Removed by Reddit ]")
_BY_AUTHOR = ("author", "deleted")


class Reason(StrEnum):
    """Why something must not be shown any more."""

    DELETED = "deleted"
    """Its author deleted it."""
    GONE = "gone"
    """It was removed, or left out by the source, and so again at a later look."""
    FORGOTTEN = "forgotten"
    """A person asked for it; holds for whatever is seen later, too."""
    ACCOUNT = "account"
    """Its author's account was deleted: the text may stay, the name may not."""

    @property
    def hides(self) -> bool:
        """Whether the whole item must go, not only its author's name."""
        return self is not Reason.ACCOUNT


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
        """Tell whether an observation falls under it; what came back after a deletion does not."""
        return self.reason is Reason.FORGOTTEN or (observed_at_ts or 0) <= self.noticed_at_ts

    @property
    def hides(self) -> bool:
        """Whether the whole item must go, not only its author's name."""
        return self.reason.hides

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

    def bury(self, found: Tombstone) -> None:
        """Add one; the order in which they come does not matter."""
        known = self.get(found.fullname)
        if known is None or _weight(known) < _weight(found):
            self[found.fullname] = found

    def of(self, row: Row) -> Tombstone | None:
        """Return the tombstone that an observation falls under."""
        found = self.get(row["fullname"])
        return found if found and found.covers(row["observed_at_ts"]) else None


def _weight(tombstone: Tombstone) -> tuple[bool, bool, int, bool]:
    forgotten = tombstone.reason is Reason.FORGOTTEN
    return tombstone.hides, forgotten, tombstone.noticed_at_ts, tombstone.purged_at_ts is not None


def fate(row: Row, kind: str) -> Reason | None:
    """Return what an observation says of the item's end: DELETED, GONE (removed by others), ACCOUNT, or None: it lives.

    https://www.reddit.com/dev/api shows no such field for comments; the texts do, and for submissions
    `removed_by_category`.
    """
    text = row["selftext" if kind == SUBMISSIONS else "body"]
    category = row.get("removed_by_category")
    if category in _BY_AUTHOR or text == _DELETED:
        return Reason.DELETED
    if category or text in _REMOVED_TEXTS:
        return Reason.GONE
    return Reason.ACCOUNT if row.get("author") is None else None


def names_in(line: bytes) -> set[str]:
    """Return every fullname that a line mentions, in whatever field."""
    return {name.decode() for name in _NAME.findall(line)}


def without(row: Row, kind: str, graves: Graves) -> Row | None:
    """Return what may stay of a row: None, a row without what belongs to others that are gone, or the row itself."""
    own = graves.of(row)
    if own and own.hides:
        return None
    cleaned = anonymous(row) if own else row
    if kind == COMMENTS:
        return _without_link(cleaned, graves)
    return _without_parents(cleaned, graves)


def anonymous(row: Row) -> Row:
    """Return a row that does not say who wrote it."""
    raw = {name: value for name, value in row["raw"].items() if not name.startswith("author")}
    return {**row, **dict.fromkeys(_AUTHOR_FIELDS), "raw": raw}


def expired(row: Row, kind: str) -> Row:
    """Return a row without anything that was said: ids, times and scores stay."""
    return {**row, **dict.fromkeys((*TEXT[kind], *_AUTHOR_FIELDS, "url", "permalink") & row.keys()), "raw": {}}


def unmentioned(value: Any, author: str) -> Any:
    """Return a JSON value in which no text names an author: `u/name` becomes `u/[deleted]`, in whatever field."""
    if isinstance(value, str):
        return re.sub(rf"(?i)(\bu/){re.escape(author)}(?![\w-])", r"\g<1>[deleted]", value)
    if isinstance(value, list):
        return [unmentioned(part, author) for part in value]
    if isinstance(value, dict):
        return {name: unmentioned(part, author) for name, part in value.items()}
    return value


def _without_link(row: Row, graves: Graves) -> Row:
    link = graves.get(str(row["link_id"]))
    if link is None or not any(name in row["raw"] for name in _OF_LINK):
        return row
    told = _OF_LINK if link.hides else ("link_author",)
    raw = {name: value for name, value in row["raw"].items() if name not in told}
    permalink = _SLUG.sub(r"\1_/", row["permalink"]) if link.hides and row["permalink"] else row["permalink"]
    return {**row, "permalink": permalink, "raw": raw}


def _without_parents(row: Row, graves: Graves) -> Row:
    parents = row["raw"].get("crosspost_parent_list")
    if not isinstance(parents, list):
        return row
    kept = [parent for parent in parents if not _is_buried(parent, graves)]
    return row if len(kept) == len(parents) else {**row, "raw": {**row["raw"], "crosspost_parent_list": kept}}


def _is_buried(item: Any, graves: Graves) -> bool:
    return isinstance(item, Mapping) and (item.get("name") in graves or f"t3_{item.get('id')}" in graves)


def purged(tombstones: Iterable[Tombstone], now_ts: int) -> list[Tombstone]:
    """Return the tombstones with the moment at which the last of their content left the lake."""
    return [replace(each, purged_at_ts=each.purged_at_ts or now_ts) for each in tombstones]
