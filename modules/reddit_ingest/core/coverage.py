"""Coverage: what a reading may claim about a window, and on what evidence."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from .errors import DamagedState


class CoverageStatus(StrEnum):
    """What was seen of a window, from the strongest claim to the weakest."""

    COMPLETE = "complete"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    UNREACHABLE = "unreachable"
    BLOCKED = "blocked"
    FAILED = "failed"

    @property
    def is_whole(self) -> bool:
        """Everything there was to see was seen."""
        return self in (CoverageStatus.COMPLETE, CoverageStatus.EMPTY)

    @property
    def is_gap(self) -> bool:
        """Something is missing that this source will never show; another source may."""
        return self in (CoverageStatus.TRUNCATED, CoverageStatus.UNREACHABLE)

    @property
    def moves_watermark(self) -> bool:
        """Waiting longer would not show more: the next hour may be planned."""
        return self.is_whole or self.is_gap


_STRENGTH = {status: rank for rank, status in enumerate(CoverageStatus)}


@dataclass(frozen=True, slots=True)
class Coverage:
    """The claim about one kind (submissions or comments) of one window.

    `reason` is a sentence with the evidence. `complete_from_ts` is the moment from which a truncated window is
    complete. `pages`, `items_seen` and `oldest_seen_ts` describe the listing that was read.
    """

    status: CoverageStatus
    reason: str
    complete_from_ts: int | None = None
    pages: int = 0
    items_seen: int = 0
    oldest_seen_ts: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the claim as it stands in a manifest."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Coverage":
        """Return the claim that a manifest holds."""
        try:
            return cls(**{**fields, "status": CoverageStatus(fields["status"])})
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedState(f"unreadable coverage {fields!r}") from error


def weakest(statuses: Iterable[CoverageStatus]) -> CoverageStatus:
    """Return a window's own status from those of its kinds.

    A window is empty only when both kinds are.
    """
    found = sorted(statuses, key=_STRENGTH.__getitem__)
    if not found:
        raise ValueError("a window needs the coverage of at least one kind")
    if all(status.is_whole for status in found):
        return found[0]
    return found[-1]


def strongest(statuses: Iterable[CoverageStatus]) -> CoverageStatus:
    """Return what several attempts at the same window and kind have shown together."""
    return min(statuses, key=_STRENGTH.__getitem__)
