"""When something known is looked at again: some ages, the rungs, each climbed once, and a second look at what vanished.

Nothing is remembered for it: what was looked at when stands in the lake's rows.
"""

from dataclasses import dataclass

from .windows import HOUR_S

SECOND_LOOK_S = 24 * HOUR_S
"""What was found removed or missing is looked at again after this time; many a filter's removal is undone in a day."""

_MADE_UP_S = 7 * 24 * HOUR_S
_ALWAYS_LACKING = 5


@dataclass(frozen=True, slots=True)
class Ladder:
    """The ages at which items are looked at again, in seconds, ascending."""

    rungs_s: tuple[int, ...] = (2 * HOUR_S, 36 * HOUR_S, 168 * HOUR_S)

    @property
    def horizon_s(self) -> int:
        """The age beyond which nothing is looked at: a week after the last rung, so that missed runs are made up."""
        return self.rungs_s[-1] + _MADE_UP_S

    def due(self, created_utc: int, looked_ts: int, now_ts: int) -> bool:
        """Tell whether an item has passed a rung since the last look at it.

        >>> Ladder((7_200, 129_600)).due(created_utc=0, looked_ts=3_600, now_ts=7_200)
        True
        """
        return now_ts - created_utc <= self.horizon_s and any(
            looked_ts < created_utc + rung <= now_ts for rung in self.rungs_s
        )


def has_grown(told: int | None, known: int) -> bool:
    """Tell whether a thread has so many more comments than the lake knows that reading it again will bring some.

    What a thread tells of itself counts deleted and removed comments too, so a small difference means nothing.
    """
    return told is not None and told - known > max(_ALWAYS_LACKING, told // 5)
