"""What tells the time: the machine, or nobody."""

import time
from dataclasses import dataclass


class SystemClock:
    """The machine's clock."""

    def now_ts(self) -> int:
        """Return whole seconds UTC."""
        return int(time.time())


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still, for replays and tests."""

    ts: int

    def now_ts(self) -> int:
        """Return the same second always."""
        return self.ts
