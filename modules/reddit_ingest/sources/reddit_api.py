"""Reddit's own API as a source: one pass over two listings serves any number of contiguous hours.

History: the newest 1,000 or so of each listing. Comments: the listing, and the trees of the windows' own submissions
where the listing falls short. Cost: about one request per 100 items.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..core.coverage import Coverage, CoverageStatus
from ..core.errors import SkipRecord, SubredditBlocked, TryLater
from ..core.items import created_utc, fullname
from ..core.keys import COMMENTS, SUBMISSIONS
from ..core.ports import Deadline, Item, Progress, Reading, WindowReading
from ..core.windows import Window, hour_of, iso
from ..fetchers import PREFIX, CommentFetcher, Ended, ListingRead, SubmissionFetcher
from ..reddit_client import RedditConnection

OVERLAP_S = 600
"""Listings are read this much further back than the first window, for what they were slow to show."""

_UNCUT = 500
"""Of a listing cut at 1,000 entries so many would still be visible, even if half of them were removed."""

_BEHIND_S = 15
"""Listings run up to 12 s behind: an hour read earlier after its end, by Reddit's clock, may lack something."""

_CAUSE = {
    Ended.EXHAUSTED: "Reddit's listing ends there",
    Ended.CAPPED: "the limit of submissions was reached",
    Ended.ANCHOR_LOST: "the listing was lost on the way (its items were removed)",
}


class RedditApiSource:
    """Reads subreddits through Reddit's API."""

    name = "reddit-api"

    def __init__(self, connection: RedditConnection) -> None:
        self._connection = connection
        self._submissions = SubmissionFetcher(connection)
        self._comments = CommentFetcher(connection)
        self._born: dict[str, int] = {}

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
        """Read contiguous hours in one pass, and the submissions of some time before them for what appeared late.

        Raises:
            CredentialsRejected: nothing can be read at all.
        """
        self._connection.deadline, self._connection.progress = deadline, progress
        sent = self._connection.requests_sent
        reading = _Pass(windows, look_back_s)
        trouble = self._read_submissions(subreddit, reading, max_submissions)
        if include_comments and trouble:
            reading.claim(COMMENTS, ListingRead(trouble=trouble), None)
        elif include_comments:
            self._read_comments(subreddit, reading)
        reading.withdraw_claims(self._connection.server_ts)
        return Reading(
            windows=reading.windows,
            earlier=[reading.earlier[window] for window in sorted(reading.earlier)],
            requests=self._connection.requests_sent - sent,
        )

    def _read_submissions(self, subreddit: str, reading: "_Pass", cap: int | None) -> TryLater | None:
        """Read the submissions; return what makes it useless to go on to the comments."""
        try:
            overlap_s = reading.overlap_s[SUBMISSIONS]
            listing = self._submissions.read_since(subreddit, reading.start_ts, overlap_s, reading.end_ts, cap)
            reached = self._reached(subreddit, listing, reading.start_ts)
        except SubredditBlocked as blocked:
            reading.claim_blocked(SUBMISSIONS, blocked)
            return None
        reading.place_submissions(listing)
        reading.claim(SUBMISSIONS, listing, reached)
        return listing.trouble

    def _read_comments(self, subreddit: str, reading: "_Pass") -> None:
        try:
            listing = self._comments.read_since(subreddit, reading.start_ts, reading.overlap_s[COMMENTS])
            reached = self._reached(subreddit, listing, reading.start_ts)
        except SubredditBlocked as blocked:
            reading.claim_blocked(COMMENTS, blocked)
            return
        reading.place_comments(listing.items)
        reading.place_earlier(COMMENTS, listing)
        note = self._expand_threads(reading, listing, reached)
        reading.claim(COMMENTS, listing, reached, note)

    def _reached(self, subreddit: str, listing: ListingRead, start_ts: int) -> int | None:
        """Return from when on the listing shows everything there was; None if it shows nothing certain.

        A listing that ends without having been cut shows everything: a short one, and one of medium length when the
        subreddit is younger than the window. An empty one counts only of a subreddit that is there to be read. Both
        are asked for, once.
        """
        reached = 0 if listing.is_whole and listing.items else listing.reached_ts()
        if listing.ended is Ended.PAST_START:
            return start_ts
        if listing.ended is not Ended.EXHAUSTED or (reached is not None and reached <= start_ts):
            return reached
        try:
            born = self._created(subreddit)
        except TryLater as trouble:
            listing.ended, listing.trouble = Ended.STOPPED, trouble
            return reached
        is_young = born >= start_ts and len(listing.items) < _UNCUT
        return 0 if not listing.items or is_young else reached

    def _created(self, subreddit: str) -> int:
        if subreddit not in self._born:
            about = self._connection.get(f"/r/{subreddit}/about", {}, is_subreddit, subreddit)
            self._born[subreddit] = created_utc(about["data"]) or 0
        return self._born[subreddit]

    def _expand_threads(self, reading: "_Pass", listing: ListingRead, reached: int | None) -> str:
        """Read the trees of the windows' own submissions that lack comments; return what to add to the evidence."""
        if listing.trouble:
            return ""
        expanded = added = 0
        listed = Counter(item.get("link_id") for item in listing.items)
        for submission in [item for window in reading.windows for item in window.submissions]:
            if not _falls_short(submission, listed, reached):
                continue
            try:
                added += reading.place_comments(self._comments.iterate_comments(submission))
                expanded += 1
            except (SubredditBlocked, SkipRecord):
                continue  # the thread itself is gone; the listing has shown what there was
            except TryLater as trouble:
                return f"; {expanded} threads read whole, then: {trouble}"
            self._connection.progress.page(
                str(submission.get("subreddit")), "threads", expanded, added, self._connection.quota_left
            )
        return f"; {expanded} threads read whole, {added} comments more" if expanded else ""


class _Pass:
    """Puts what one pass sees into the windows it belongs to."""

    def __init__(self, windows: Sequence[Window], look_back_s: int) -> None:
        self.windows = [WindowReading(window) for window in windows]
        self.earlier: dict[Window, WindowReading] = {}
        self.start_ts = windows[0].start_ts
        # Submissions are few, so the hours before are read again whole; comments are many, and a short overlap shows
        # those that a listing was slow to show.
        self.overlap_s = {SUBMISSIONS: max(look_back_s, OVERLAP_S), COMMENTS: OVERLAP_S}
        self._starts = [window.start_ts for window in windows]
        self.end_ts = windows[-1].end_ts
        self._thread_home: dict[str, WindowReading] = {}
        self._placed: set[tuple[int, str]] = set()

    def place_submissions(self, listing: ListingRead) -> None:
        for item in listing.items:
            home = self._home(item)
            if home and self._place(SUBMISSIONS, item, home):
                self._thread_home[str(item.get("name"))] = home
        self.place_earlier(SUBMISSIONS, listing)

    def place_comments(self, items: Iterable[Item]) -> int:
        """Place comments into the window they were created in and that of their submission; return how many."""
        placed = 0
        for item in items:
            homes = [self._home(item), self._thread_home.get(str(item.get("link_id")))]
            placed += sum(self._place(COMMENTS, item, home) for home in homes if home) > 0
        return placed

    def place_earlier(self, kind: str, listing: ListingRead) -> None:
        """Place what was met of hours before all windows: everything in the overlap, and older items that came late."""
        late = {id(item) for item in listing.late_items()}
        for item in listing.items:
            created = created_utc(item)
            if created is None or created >= self.start_ts:
                continue
            if created >= self.start_ts - self.overlap_s[kind] or id(item) in late:
                window = hour_of(created)
                self._place(kind, item, self.earlier.setdefault(window, WindowReading(window)))

    def claim(self, kind: str, listing: ListingRead, reached: int | None, note: str = "") -> None:
        for reading in self.windows:
            items = reading.submissions if kind == SUBMISSIONS else reading.comments
            reading.coverage[kind] = _coverage(reading.window, items, listing, reached, note)

    def claim_blocked(self, kind: str, blocked: SubredditBlocked) -> None:
        for reading in self.windows:
            reading.coverage[kind] = Coverage(CoverageStatus.BLOCKED, f"{blocked.where}: {blocked.reason}")

    def withdraw_claims(self, server_ts: int | None) -> None:
        """Claim nothing of hours that had not settled by Reddit's own clock, whatever this machine's said."""
        for reading in self.windows:
            if server_ts is not None and server_ts < reading.window.end_ts + _BEHIND_S:
                reason = f"by Reddit's clock it was {iso(server_ts)}, too early; set this machine's clock, run again"
                reading.coverage = {kind: Coverage(CoverageStatus.FAILED, reason) for kind in reading.coverage}

    def _home(self, item: Item) -> WindowReading | None:
        created = created_utc(item)
        if created is None:
            return self.windows[-1]  # unusable, so the serializer will say, and quarantine keeps it
        if not self.start_ts <= created < self.end_ts:
            return None
        return self.windows[bisect_right(self._starts, created) - 1]

    def _place(self, kind: str, item: Item, home: WindowReading) -> bool:
        name = fullname(item, PREFIX[kind]) or f"unnamed {id(item)}"
        if (home.window.start_ts, name) in self._placed:
            return False
        self._placed.add((home.window.start_ts, name))
        (home.submissions if kind == SUBMISSIONS else home.comments).append(item)
        return True


def _falls_short(submission: Item, listed: Mapping[Any, int], reached: int | None) -> bool:
    """Tell whether a thread has comments that the listing did not show.

    `num_comments` counts deleted and removed ones, so where the listing reaches back to the thread's start a small
    difference means nothing.
    """
    told = submission.get("num_comments")
    if not isinstance(told, int) or isinstance(told, bool):
        return False
    missing = told - listed[submission.get("name")]
    is_listed_whole = reached is not None and reached <= (created_utc(submission) or 0)
    return missing > (max(5, told // 5) if is_listed_whole else 0)


def _coverage(window: Window, items: Sequence[Item], listing: ListingRead, reached: int | None, note: str) -> Coverage:
    status, complete_from, reason = _verdict(window, items, listing, reached)
    return Coverage(
        status=status,
        reason=reason + note,
        complete_from_ts=complete_from,
        pages=listing.pages,
        items_seen=len(listing.items),
        oldest_seen_ts=listing.oldest_ts(),
    )


def _verdict(
    window: Window, items: Sequence[Item], listing: ListingRead, reached: int | None
) -> tuple[CoverageStatus, int | None, str]:
    seen = f"{len(listing.items)} items on {listing.pages} pages"
    if reached is not None and reached <= window.start_ts:
        has_own = any((created_utc(item) or 0) in window for item in items)
        back_to = f"back to {iso(reached)}" if reached else "the whole listing"
        return (CoverageStatus.COMPLETE if has_own else CoverageStatus.EMPTY), None, f"read {seen}, {back_to}"
    cause = str(listing.trouble) if listing.trouble else _CAUSE[listing.ended]
    back_to = f"back to {iso(reached)}" if reached else "nothing"
    reason = f"read {seen}, {back_to}: {cause}"
    if listing.ended in (Ended.STOPPED, Ended.ANCHOR_LOST):
        return CoverageStatus.FAILED, reached if reached and reached < window.end_ts else None, reason
    if reached is not None and reached < window.end_ts:
        return CoverageStatus.TRUNCATED, reached, reason
    return CoverageStatus.UNREACHABLE, None, reason


def is_subreddit(answer: Any) -> bool:
    """Tell whether an answer is what `/about` says of a subreddit that can be read."""
    return isinstance(answer, dict) and answer.get("kind") == "t5" and isinstance(answer.get("data"), dict)
