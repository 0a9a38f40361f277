"""Authors by keyed hashes instead of names: who wrote what with what stays visible, who that is does not."""

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import InvalidSetting
from .ports import Item

_KEY = re.compile(r"[0-9a-f]{64}")
_DIGITS = 16
_NAMES = ("author", "link_author")
_NOBODY = ("", "[deleted]")
_PAGE = "u_"
# What says in which subreddit an item is; a person's page says the person.
_ADDRESSES = ("url", "url_overridden_by_dest", "domain")
_PLACES = ("subreddit", "subreddit_name_prefixed", "permalink", *_ADDRESSES)

Authors = Callable[[Item], Item]
"""Takes an item as a source shows it, and returns it with its authors as they are to be stored."""


@dataclass(frozen=True, slots=True)
class AuthorKey:
    """The key by which authors' names are hashed; `repr` does not show it."""

    digits: str = field(repr=False)

    @classmethod
    def from_text(cls, text: object, place: str) -> "AuthorKey":
        """Read a key of 32 bytes in hex digits.

        Raises:
            InvalidSetting: it is none; the message names the place, never the key.
        """
        stripped = text.strip() if isinstance(text, str) else ""
        if not _KEY.fullmatch(stripped):
            raise InvalidSetting(
                f"{place} must hold 64 hex digits (0-9a-f), as `openssl rand -hex 32` prints; keep it for as long as"
                " the lake: with another key the same author gets another hash"
            )
        return cls(stripped)

    def name(self, author: str) -> str:
        """Return what stands for an author; names that differ in case only are the same."""
        digest = hmac.new(bytes.fromhex(self.digits), author.lower().encode(errors="replace"), "sha256")
        return f"h_{digest.hexdigest()[:_DIGITS]}"

    def hashed(self, item: Item) -> Item:
        """Return an item that names no author: hashes in place of names, and nothing else that an account is known by.

        What people write of each other (`u/name`) is text and stays. An item that nests too deep to be looked through
        comes back with its ids only, and will not be landed.
        """
        try:
            return self._hashed(item)
        except RecursionError:
            return {name: item.get(name) for name in ("name", "id")}

    def _hashed(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: self._value(name, value) for name, value in fields.items() if not _tells_account(name)}
        originals = kept.get("crosspost_parent_list")
        for original in originals if isinstance(originals, list) else ():
            if isinstance(original, dict) and _is_page(original.get("subreddit")):
                # The address of a person's page says the name; so does a crosspost's, which leads there.
                original |= dict.fromkeys(name for name in _PLACES if name in original)
                kept |= dict.fromkeys(name for name in _ADDRESSES if name in kept)
        return kept

    def _value(self, name: str, value: Any) -> Any:
        if name in _NAMES or name.endswith("_by"):
            return self.name(value) if isinstance(value, str) and value not in _NOBODY else None
        if isinstance(value, list):
            return [self._value("", part) for part in value]
        return self._hashed(value) if isinstance(value, Mapping) else value


def _tells_account(name: str) -> bool:
    # A tree's comment holds its children, and each of them is an item of its own.
    return name.startswith("author_") or name == "replies"


def _is_page(subreddit: object) -> bool:
    return isinstance(subreddit, str) and subreddit.startswith(_PAGE)
