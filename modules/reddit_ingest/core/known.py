"""What the lake knows of one item, folded from its observations in whatever order they come."""

from dataclasses import dataclass
from typing import Any

from .keys import COMMENTS, SUBMISSIONS
from .tombstones import TEXT, Reason, fate

Row = dict[str, Any]

_LOOKS_TO_BE_GONE = 2


def kind_of_name(fullname: str) -> str:
    """Return the kind of an item.

    >>> kind_of_name("t3_abc")
    'submissions'
    """
    return SUBMISSIONS if fullname.startswith("t3_") else COMMENTS


@dataclass(slots=True)
class Known:
    """What matters of an item for looking at it again; a few hundred bytes, whatever its text.

    `first_ts` and `seen_ts` are its oldest and newest observation, `alive_ts` the newest at which nobody had removed
    it, `signs` the looks at which it was removed or missing, `refreshed_ts` the newest observation by a refresh.
    `is_named`: an observation that may be shown names its author. The rest is of the newest observation; `text` is a
    hash of what it says, good within one process.
    """

    fullname: str
    created_utc: int
    first_ts: int
    seen_ts: int
    alive_ts: int = 0
    refreshed_ts: int = 0
    signs: tuple[int, ...] = ()
    is_named: bool = False
    fate: Reason | None = None
    thread: str = ""
    told: int | None = None
    score: int | None = None
    text: int = 0

    @classmethod
    def of(cls, row: Row, *, is_anonymous: bool = False, is_refresh: bool = False) -> "Known":
        """Return what one observation tells."""
        seen_ts = row["observed_at_ts"] or 0
        known = cls(row["fullname"], row["created_utc"], seen_ts, seen_ts)
        known.observe(row, is_anonymous=is_anonymous, is_refresh=is_refresh)
        return known

    def observe(self, row: Row, *, is_anonymous: bool = False, is_refresh: bool = False) -> None:
        """Take in one more observation; `is_anonymous`: the author's name in it is on its way out."""
        kind, ts = kind_of_name(self.fullname), row["observed_at_ts"] or 0
        ended = fate(row, kind)
        self.first_ts = min(self.first_ts, ts)
        self.refreshed_ts = max(self.refreshed_ts, ts if is_refresh else 0)
        self.is_named = self.is_named or (row["author"] is not None and not is_anonymous)
        if ended is Reason.GONE:
            self.signs = (*self.signs, ts)
        else:
            self.alive_ts = max(self.alive_ts, ts)
        if ts < self.seen_ts:
            return
        self.seen_ts, self.fate, self.score = ts, ended, row["score"]
        self.thread = self.fullname if kind == SUBMISSIONS else str(row["link_id"])
        self.told = _count(row.get("num_comments"))
        self.text = hash(tuple(row[field] for field in TEXT[kind]))

    def miss(self, ts: int) -> None:
        """Take in that the source was asked for it and left it out."""
        self.signs = (*self.signs, ts)

    @property
    def looked_ts(self) -> int:
        """When it was looked at last, found or not.

        A submission that is only met again by an ingest counts for nothing: nobody has looked at its thread then.
        """
        is_comment = self.thread != self.fullname
        return max(self.seen_ts if is_comment else self.refreshed_ts or self.first_ts, *self.signs, 0)

    @property
    def is_suspect(self) -> bool:
        """It was removed or missing when it was looked at last."""
        return self.fate is not Reason.DELETED and any(sign > self.alive_ts for sign in self.signs)

    def end(self) -> Reason | None:
        """Return why something of it must go, which no tombstone says yet; None if it may stay."""
        if self.fate is Reason.DELETED:
            return Reason.DELETED
        if len({sign for sign in self.signs if sign > self.alive_ts}) >= _LOOKS_TO_BE_GONE:
            return Reason.GONE
        return Reason.ACCOUNT if self.fate is Reason.ACCOUNT and self.is_named else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
