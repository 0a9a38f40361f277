"""The simulated time: it stands still until it is moved, or goes on from where it was set."""

import time


class Clock:
    """Tells the simulated time in whole seconds UTC."""

    def __init__(self, now_ts: int, *, ticking: bool = False) -> None:
        self._ticking = ticking
        self.set(now_ts)

    def now(self) -> int:
        """Return the simulated time."""
        return self._ts + (int(time.monotonic() - self._set_at) if self._ticking else 0)

    def set(self, now_ts: int) -> None:
        """Make it this time."""
        self._ts, self._set_at = int(now_ts), time.monotonic()

    def advance(self, seconds: int) -> None:
        """Let time pass."""
        self.set(self.now() + seconds)
