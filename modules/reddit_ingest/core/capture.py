"""The capture curve: what share of all comments had been seen by which age."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .windows import HOUR_S

AGES_S = (1 * HOUR_S, 2 * HOUR_S, 6 * HOUR_S, 36 * HOUR_S, 168 * HOUR_S)


@dataclass(frozen=True, slots=True)
class CapturePoint:
    """One age: of the comments that have reached it, how many are known, and how many had been seen by then.

    `told` counts also those that threads of that age tell of (`num_comments`) and nobody has seen; deleted and removed
    ones are among them, so the share of it is a lower bound.
    """

    age_s: int
    comments: int
    seen: int
    told: int

    @property
    def of_known(self) -> float | None:
        """The share of the comments known; None where there are none."""
        return self.seen / self.comments if self.comments else None

    @property
    def of_told(self) -> float | None:
        """The share of the comments told of; None where there are none."""
        return self.seen / self.told if self.told else None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data for programs."""
        counts = {name: getattr(self, name) for name in self.__slots__}
        return {**counts, "of_known": self.of_known, "of_told": self.of_told}


def capture_curve(
    comments: Iterable[tuple[int, int]], threads: Iterable[tuple[int, int]], now_ts: int
) -> tuple[CapturePoint, ...]:
    """Return a point for each age of `AGES_S`.

    `comments` are pairs of when a comment was created and when it was first seen; `threads` pairs of when a submission
    was created and how many of its comments nobody has seen.
    """
    known, lacking = list(comments), list(threads)
    return tuple(_point(age_s, known, lacking, now_ts) for age_s in AGES_S)


def _point(age_s: int, known: list[tuple[int, int]], lacking: list[tuple[int, int]], now_ts: int) -> CapturePoint:
    old = [first_ts - created for created, first_ts in known if created + age_s <= now_ts]
    unseen = sum(max(0, count) for created, count in lacking if created + age_s <= now_ts)
    return CapturePoint(age_s, len(old), sum(delay <= age_s for delay in old), len(old) + unseen)
