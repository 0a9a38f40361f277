"""Arctic Shift as a source: an archive that shows every window since 2005, some days after it was.

Pages go forward in time. `after` leaves out its own second and a page may end within one, so the next page begins a
second before the end of the last, and what was met twice is dropped by its fullname. Cost: a request for each 100 to
1,000 items, and one or two a pass and kind for the proof that nothing more came.
"""

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ..arctic_client import ArcticShiftConnection, Params
from ..core.abilities import ARCTIC_SHIFT
from ..core.coverage import Coverage, CoverageStatus
from ..core.errors import SourceUnavailable, SubredditBlocked, TryLater
from ..core.items import created_utc, fullname
from ..core.keys import COMMENTS, SUBMISSIONS
from ..core.ports import Clock, Deadline, Item, Progress, Reading, WindowReading
from ..core.windows import HOUR_S, Window, iso

_SEARCH = {SUBMISSIONS: "/api/posts/search", COMMENTS: "/api/comments/search"}
_PREFIX = {SUBMISSIONS: "t3_", COMMENTS: "t1_"}

_PAST_END_S = HOUR_S
"""So much beyond the windows is asked for: an item from there proves that the pages have passed their end."""


class ArcticShiftSource:
    """Reads subreddits from the archive. Windows that have not settled are read, but not vouched for."""

    name = ARCTIC_SHIFT.name

    def __init__(self, connection: ArcticShiftConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._known: dict[str, bool] = {}
        self._reaches: dict[str, int] = {}

    def read(
        self,
        subreddit: str,
        windows: Sequence[Window],
        *,
        look_back_s: int = 0,
        include_comments: bool = True,
        max_submissions: int | None = None,
        deadline: Deadline,
        progress: Progress,
    ) -> Reading:
        """Read contiguous hours. Nothing of the hours before them is read: what came late is in its own hour here."""
        self._connection.deadline, self._connection.progress = deadline, progress
        sent = self._connection.requests_sent
        readings = [WindowReading(window) for window in windows]
        trouble = self._read_kind(subreddit, SUBMISSIONS, readings, max_submissions)
        if include_comments:
            self._read_kind(subreddit, COMMENTS, readings, None, trouble)
        return Reading(readings, [], self._connection.requests_sent - sent)

    def _read_kind(
        self,
        subreddit: str,
        kind: str,
        readings: Sequence[WindowReading],
        cap: int | None,
        trouble: TryLater | None = None,
    ) -> TryLater | None:
        """Read one kind and claim what was seen of it; return what makes it useless to go on."""
        span = _Span(kind, readings[0].window.start_ts, readings[-1].window.end_ts, trouble=trouble)
        try:
            if not trouble:
                self._read_pages(subreddit, span, cap)
                self._prove(subreddit, span)
        except TryLater as met:
            span.trouble = met
        except SubredditBlocked as blocked:
            span.blocked = blocked
        span.place(readings)
        settled_ts = self._clock.now_ts() - ARCTIC_SHIFT.settles_s
        for reading in readings:
            reading.coverage[kind] = span.claim(reading.window, settled_ts)
        return span.trouble

    def _read_pages(self, subreddit: str, span: "_Span", cap: int | None) -> None:
        before = span.end_ts + _PAST_END_S
        params: Params = {"subreddit": subreddit, "sort": "asc", "limit": "auto", "before": before}
        after = span.start_ts - 1
        while True:
            page = self._connection.get(_SEARCH[span.kind], {**params, "after": after})
            newest = _check(page.things, subreddit, after)
            added = span.add(page.things)
            # It counts its quota by its own rules; the display speaks of Reddit's.
            self._connection.progress.page(subreddit, span.kind, span.pages, len(span.items), None)
            if not added and page.is_full:
                raise SourceUnavailable(
                    f"Arctic Shift shows only {len(page.things)} items of the second {iso(newest)}, and there may be"
                    " more; the hours before it are safe, this one needs another source"
                )
            if cap is not None and span.trim(cap):
                return
            if not added or newest >= span.end_ts:
                span.seen_until_ts = span.end_ts
                return
            span.seen_until_ts = newest
            after = newest - 1

    def _prove(self, subreddit: str, span: "_Span") -> None:
        """Take back what the pages alone do not prove: an end that is the archive's own, an unknown name."""
        until_ts, span.seen_until_ts = span.seen_until_ts, span.start_ts
        if not span.items and not self._is_known(subreddit):
            raise SubredditBlocked(
                f"r/{subreddit}", "Arctic Shift holds nothing of it: it is private, quarantined, or no subreddit"
            )
        is_past = span.is_capped or (span.newest_ts or 0) >= span.end_ts
        reach_ts = until_ts if is_past else self._reach(span)
        span.seen_until_ts = max(span.start_ts, min(until_ts, reach_ts))
        if reach_ts < until_ts:
            span.trouble = SourceUnavailable(f"Arctic Shift holds nothing after {iso(reach_ts)} yet; run again later")

    def _is_known(self, subreddit: str) -> bool:
        """Tell whether the archive has ever seen the subreddit; asked for once."""
        if subreddit not in self._known:
            one: Params = {"subreddit": subreddit, "limit": 1}
            self._known[subreddit] = any(
                self._connection.get(path, one).things for path in (*_SEARCH.values(), "/api/subreddits/search")
            )
        return self._known[subreddit]

    def _reach(self, span: "_Span") -> int:
        """Return when the newest item of the whole archive was created; asked for again only when it must be newer."""
        if self._reaches.get(span.kind, 0) < span.end_ts:
            newest = self._connection.get(_SEARCH[span.kind], {"sort": "desc", "limit": 1}).things
            self._reaches[span.kind] = max((_time(item) or 0 for item in newest), default=0)
        return self._reaches[span.kind]


@dataclass(slots=True)
class _Span:
    """What one kind of a pass has shown, oldest first; everything before `seen_until_ts` was seen."""

    kind: str
    start_ts: int
    end_ts: int
    items: list[Item] = field(default_factory=list)
    pages: int = 0
    seen_until_ts: int = 0
    is_capped: bool = False
    trouble: TryLater | None = None
    blocked: SubredditBlocked | None = None
    _seen: set[str] = field(default_factory=set)

    def add(self, things: Sequence[Item]) -> int:
        """Append what was not seen before and return how much that was."""
        self.pages += 1
        before = len(self.items)
        for item in things:
            name = fullname(item, _PREFIX[self.kind]) or json.dumps(item, sort_keys=True)
            if name not in self._seen:
                self._seen.add(name)
                self.items.append(item)
        return len(self.items) - before

    def trim(self, cap: int) -> bool:
        """Cut what was read behind the item that fills the cap; False while it is not filled."""
        counted = [n for n, item in enumerate(self.items) if (created_utc(item) or 0) < self.end_ts]
        if len(counted) < cap:
            return False
        del self.items[counted[cap - 1] + 1 :]
        self.is_capped, self.seen_until_ts = True, self.newest_ts or self.start_ts
        return True

    @property
    def newest_ts(self) -> int | None:
        """When the newest item seen was created."""
        return max((time for item in self.items if (time := created_utc(item)) is not None), default=None)

    def place(self, readings: Sequence[WindowReading]) -> None:
        """Put every item into the window it was created in; one that does not say when, into the last."""
        starts = [reading.window.start_ts for reading in readings]
        for item in self.items:
            created = created_utc(item)
            if created is None or self.start_ts <= created < self.end_ts:
                home = readings[-1 if created is None else bisect_right(starts, created) - 1]
                (home.submissions if self.kind == SUBMISSIONS else home.comments).append(item)

    def claim(self, window: Window, settled_ts: int) -> Coverage:
        """Return what may be said of a window."""
        status, reason = self._verdict(window, settled_ts)
        oldest = min((time for item in self.items if (time := created_utc(item)) is not None), default=None)
        return Coverage(status, reason, None, self.pages, len(self.items), oldest)

    def _verdict(self, window: Window, settled_ts: int) -> tuple[CoverageStatus, str]:
        if self.blocked:
            return CoverageStatus.BLOCKED, f"{self.blocked.where}: {self.blocked.reason}"
        seen = f"read {len(self.items)} items on {self.pages} pages"
        if window.end_ts <= min(self.seen_until_ts, settled_ts):
            is_empty = not any((created_utc(item) or 0) in window for item in self.items)
            return (CoverageStatus.EMPTY if is_empty else CoverageStatus.COMPLETE), f"{seen}, past the window's end"
        if self.trouble:
            return CoverageStatus.FAILED, f"{seen}, up to {iso(self.seen_until_ts or self.start_ts)}: {self.trouble}"
        if window.end_ts > settled_ts:
            when = iso(window.end_ts + ARCTIC_SHIFT.settles_s)
            return CoverageStatus.FAILED, f"{seen}: Arctic Shift may still add to it; read it again after {when}"
        is_touched = window.start_ts < self.seen_until_ts
        cause = f"{seen}, up to {iso(self.seen_until_ts)}: the limit of submissions was reached"
        return (CoverageStatus.TRUNCATED if is_touched else CoverageStatus.UNREACHABLE), cause


def _check(things: Sequence[Any], subreddit: str, after: int) -> int:
    """Return when the newest of a page's items was created, or the second that the page begins with.

    Raises:
        SourceUnavailable: this is not what was asked for, so nothing can be concluded from it.
    """
    if not all(isinstance(item, Mapping) for item in things):
        raise SourceUnavailable("Arctic Shift sent a list of something else than items; run again later")
    if others := {str(item.get("subreddit")) for item in things if str(item.get("subreddit")).lower() != subreddit}:
        raise SourceUnavailable(f"Arctic Shift sent r/{min(others)[:21]} instead of r/{subreddit}; run again later")
    times = [after, *(time for item in things if (time := created_utc(item)) is not None)]
    if any(later < earlier for earlier, later in pairwise(times)):
        raise SourceUnavailable("Arctic Shift sent items that are not in the order of time; run again later")
    return times[-1] if len(times) > 1 else after + 1


def _time(item: Any) -> int | None:
    return created_utc(item) if isinstance(item, Mapping) else None
