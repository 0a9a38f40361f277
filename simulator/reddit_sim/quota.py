"""Reddit's quota: a fixed slice of ten minutes of the wall clock for each client."""

import time
from collections.abc import Callable


class Quota:
    """Counts requests in slices of `slice_s` seconds and says so in the `x-ratelimit-*` headers.

    A shorter slice scales the pace that PRAW keeps.
    """

    def __init__(self, limit: int = 1_000, slice_s: int = 600, clock: Callable[[], float] = time.time) -> None:
        self._limit = limit
        self._slice_s = slice_s
        self._clock = clock
        self._slice = -1
        self._used = 0

    def spend(self) -> dict[str, str]:
        """Count a request and return its headers."""
        now = int(self._clock())
        if now // self._slice_s != self._slice:
            self._slice, self._used = now // self._slice_s, 0
        self._used += 1
        return {
            "x-ratelimit-used": str(self._used),
            "x-ratelimit-remaining": f"{max(0, self._limit - self._used):.1f}",
            "x-ratelimit-reset": str(self._slice_s - now % self._slice_s),
        }

    @property
    def is_spent(self) -> bool:
        """Tell whether the last request was one too many."""
        return self._used > self._limit
