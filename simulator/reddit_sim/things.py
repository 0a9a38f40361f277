"""Submissions and comments with a life: they appear, gather score, are edited and go; and their shape in the API."""

import math
import zlib
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, ClassVar

Fields = dict[str, Any]

FRESH_S = 10
"""Listings run this far behind."""

DELETED, REMOVED = "[deleted]", "[removed]"
_SCORE_HALF_LIFE_S = 6 * 3_600
_FUZZ_SLICE_S = 600


@dataclass(slots=True, kw_only=True)
class Thing:
    """What submissions and comments have in common.

    `listed_ts` is its place in listings: the creation, or the approval of what a filter held back. `gone_ts` is when
    its author deleted or a moderator removed it (`gone_by`).
    """

    prefix: ClassVar[str]

    id: str
    subreddit: str
    created_utc: int
    fields: Fields
    listed_ts: int = 0
    gone_ts: int | None = None
    gone_by: str = "author"
    edit_ts: int | None = None
    edited_text: str = ""
    final_score: int | None = None

    def __post_init__(self) -> None:
        self.listed_ts = max(self.listed_ts, self.created_utc)

    @property
    def name(self) -> str:
        """Its fullname."""
        return f"{self.prefix}_{self.id}"

    @property
    def order(self) -> tuple[int, int]:
        """Its place in listings; inside one second ids are in no order."""
        return self.listed_ts, zlib.crc32(self.id.encode())

    def is_gone(self, now: int) -> bool:
        """Tell whether it has been deleted or removed."""
        return self.gone_ts is not None and self.gone_ts <= now

    def is_edited(self, now: int) -> bool:
        """Tell whether it has been edited."""
        return self.edit_ts is not None and self.edit_ts <= now

    def score(self, now: int) -> int | None:
        """Return the drifting, fuzzed score; None where the recorded one stands."""
        if self.final_score is None:
            return None
        age = max(0, now - self.created_utc)
        grown = 1 + (self.final_score - 1) * (1 - math.exp(-age / _SCORE_HALF_LIFE_S))
        fuzz = zlib.crc32(f"{self.id}{now // _FUZZ_SLICE_S}".encode()) % 3 - 1 if abs(grown) > 5 else 0
        return round(grown) + fuzz

    def _shaped(self, now: int, text_field: str) -> Fields:
        shaped = {**self.fields, "created_utc": float(self.created_utc), "created": float(self.created_utc)}
        score = self.score(now)
        if score is not None:
            shaped |= {"score": score, "ups": score}
        if self.is_edited(now):
            shaped |= {"edited": float(self.edit_ts or 0), text_field: self.edited_text}
        if self.is_gone(now):
            by_author = self.gone_by == "author"
            shaped[text_field] = DELETED if by_author else REMOVED
            shaped |= {"author": DELETED, "author_flair_text": None} if by_author else {}
            shaped.pop("author_fullname" if by_author else "", None)
        shaped[f"{text_field}_html"] = _html(shaped.get(text_field))
        return shaped


@dataclass(slots=True, kw_only=True)
class Comment(Thing):
    """A comment; `parent_id` is the fullname of what it answers."""

    prefix = "t1"

    link_id: str
    parent_id: str

    def shape(self, now: int, post: "Post | None", depth: int | None = None) -> Fields:
        """Return the API's object: as in a listing, or at a depth of a tree."""
        shaped = self._shaped(now, "body")
        shaped |= {"id": self.id, "name": self.name, "link_id": f"t3_{self.link_id}", "parent_id": self.parent_id}
        shaped["replies"] = ""
        if self.is_gone(now):
            shaped["collapsed_reason_code"] = "DELETED"
        if depth is not None:
            shaped["depth"] = depth
        elif post is not None:
            shaped |= {
                "link_title": post.fields.get("title"),
                "link_author": post.fields.get("author"),
                "link_permalink": f"https://www.reddit.com{post.fields.get('permalink')}",
                "link_url": post.fields.get("url"),
                "num_comments": post.num_comments(now),
                "over_18": post.fields.get("over_18", False),
            }
        return shaped


@dataclass(slots=True, kw_only=True)
class Post(Thing):
    """A submission and the comments on it, which `World` sorts by time."""

    prefix = "t3"

    comments: list[Comment] = field(default_factory=list)

    def num_comments(self, now: int) -> int:
        """Return how many comments were ever written; deleted and removed ones count."""
        return bisect_right(self.comments, now, key=lambda comment: comment.created_utc)

    def shape(self, now: int) -> Fields:
        """Return the API's object."""
        shaped = self._shaped(now, "selftext")
        shaped |= {"id": self.id, "name": self.name, "num_comments": self.num_comments(now)}
        if self.is_gone(now):
            by_author = self.gone_by == "author"
            shaped["removed_by_category"] = "deleted" if by_author else "moderator"
            shaped["title"] = shaped["title"] if by_author else "[ Removed by moderator ]"
        return shaped


def _html(text: object) -> str | None:
    if not isinstance(text, str) or not text:
        return None
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<!-- SC_OFF --><div class="md"><p>{safe}</p>\n</div><!-- SC_ON -->'
