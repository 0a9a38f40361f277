"""Reading Reddit: listings to beyond a moment, and the trees of single threads, as plain dicts.

PRAW's models are not used here: a field that a listed model lacks costs a hidden request, and building models costs
several times the parsing. `RedditConnection` keeps PRAW's login, pacing and retries.
"""

import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import praw

from .core.errors import SkipRecord, SourceUnavailable, TryLater, WindowNotCovered
from .core.items import created_utc, fullname
from .core.keys import COMMENTS, SUBMISSIONS
from .core.names import subreddit_key
from .core.windows import iso
from .reddit_client import RedditConnection

Item = Mapping[str, Any]

PAGE = 100
PREFIX = {SUBMISSIONS: "t3_", COMMENTS: "t1_"}
_ENDPOINT = {SUBMISSIONS: "new", COMMENTS: "comments"}

TAIL = 25
"""So many items in a row that are older than the start end a listing: single old ones are late approvals."""

_OVERLAP_TAIL = 5
"""So many items in a row must be older than the overlap, too."""

LATE_S = 120
"""An item this much older than something below it was put into the listing after its time."""

_WHOLE_LISTING = PAGE
"""A listing that ends before this many items was not cut: Reddit keeps 1,000 and hides the removed ones after that."""

_ANCHORS_BACK = (2, 5, 20)

_STALE_PAGES = 20
"""So many pages in a row that bring nothing new end a listing: its 1,000 entries are ten pages, read again at most."""

_MORECHILDREN = 100


class Ended(Enum):
    """Why the reading of a listing stopped."""

    PAST_START = auto()
    EXHAUSTED = auto()
    CAPPED = auto()
    ANCHOR_LOST = auto()
    STOPPED = auto()


@dataclass(slots=True)
class ListingRead:
    """What one pass over a listing saw, newest position first, each fullname once."""

    items: list[Item] = field(default_factory=list)
    pages: int = 0
    ended: Ended = Ended.STOPPED
    trouble: TryLater | None = None

    @property
    def is_whole(self) -> bool:
        """The listing ended although it was too short to have been cut."""
        return self.ended is Ended.EXHAUSTED and len(self.items) < _WHOLE_LISTING

    def reached_ts(self) -> int | None:
        """Return the moment from which everything listed was seen; None if nothing was seen at all.

        The lowest items tell it. The newest of several is taken, since one alone may be a late approval, and the second
        itself is left out, since ids inside one second are in no order.
        """
        tail = self.items[-min(TAIL, max(1, len(self.items) // 4)) :]
        times = [time for item in tail if (time := created_utc(item)) is not None]
        return max(times) + 1 if times else None

    def oldest_ts(self) -> int | None:
        """Return when the oldest item seen was created."""
        return min((time for item in self.items if (time := created_utc(item)) is not None), default=None)

    def late_items(self) -> Iterator[Item]:
        """Yield the items that stand above newer ones: they entered the listing after their time."""
        newest_below = 0
        for item in reversed(self.items):
            created = created_utc(item)
            if created is None:
                continue
            if created + LATE_S < newest_below:
                yield item
            newest_below = max(newest_below, created)


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of a listing: the items of our kind, whether it held anything at all, and the anchor of the next one."""

    items: list[Item]
    is_empty: bool
    after: str | None


class _ListingReader:
    """Reads one listing page by page, past lost anchors and repeated pages."""

    def __init__(self, connection: RedditConnection, subreddit: str, kind: str) -> None:
        self._connection = connection
        self._subreddit = subreddit
        self._kind = kind
        self._seen: set[str] = set()
        self._anchors: set[str | None] = set()
        self.read = ListingRead()

    def run(
        self, start_ts: int, overlap_s: int = 0, until_ts: int = sys.maxsize, cap: int | None = None
    ) -> ListingRead:
        """Read from now back to beyond `start_ts` and some overlap, or as far as the listing or the cap allows.

        The cap counts the items created from the beginning of the overlap until `until_ts`.

        Trouble on the way is kept in the result beside what was seen before it; `SubredditBlocked` and
        `CredentialsRejected` are raised.
        """
        try:
            self.read.ended = self._pages(start_ts, start_ts - overlap_s, until_ts, cap)
        except TryLater as trouble:
            self.read.ended, self.read.trouble = Ended.STOPPED, trouble
        return self.read

    def _pages(self, start_ts: int, since_ts: int, until_ts: int, cap: int | None) -> Ended:
        after, has_restarted, stale_pages = None, False, 0
        while True:
            page = self._page(after)
            stale_pages = 0 if self._add(page) else stale_pages + 1
            is_news = not stale_pages or (page.after not in self._anchors and stale_pages < _STALE_PAGES)
            after = page.after
            self._anchors.add(after)
            if cap is not None and self._trim(since_ts, until_ts, cap):
                return Ended.CAPPED
            if self._is_past(start_ts, since_ts):
                return Ended.PAST_START
            if not page.is_empty and after is None:
                return Ended.EXHAUSTED
            if not page.is_empty and is_news:
                continue
            # An empty page, or one already seen: the end, or an anchor that was removed from the list meanwhile.
            ended, after = self._recover(has_restarted)
            if ended is not None:
                return ended
            has_restarted, stale_pages = has_restarted or after is None, 0

    def _recover(self, has_restarted: bool) -> tuple[Ended | None, str | None]:
        """Find the way on: (why it ended, None), or (None, the anchor to go on from; None for the top)."""
        items = self.read.items
        if not items:
            page = self._page(None)
            if self._add(page) and page.after:
                return None, page.after
            # A page that shows nothing of ours and yet names a next one is no end.
            return (Ended.ANCHOR_LOST if page.after else Ended.EXHAUSTED), None
        for back in _ANCHORS_BACK:
            anchor = fullname(items[-back], PREFIX[self._kind]) if len(items) >= back else None
            page = self._page(anchor) if anchor else _Page([], True, None)
            added = self._add(page)
            if not page.is_empty and page.after is None:
                return Ended.EXHAUSTED, None
            if added:
                return None, page.after
        return (Ended.ANCHOR_LOST, None) if has_restarted else (None, None)

    def _page(self, after: str | None) -> _Page:
        path = f"/r/{self._subreddit}/{_ENDPOINT[self._kind]}"
        params: dict[str, str | int] = {"limit": PAGE}
        if after:
            params |= {"after": after, "count": len(self.read.items)}
        data = self._connection.get(path, params, is_listing, self._subreddit)["data"]
        self.read.pages += 1
        self._connection.progress.page(
            self._subreddit, self._kind, self.read.pages, len(self.read.items), self._connection.quota_left
        )
        # A listing of one kind may carry others (advertisements, "more"); they are none of ours.
        wanted = PREFIX[self._kind][:2]
        items = [child["data"] for child in data["children"] if child.get("kind") == wanted]
        return _Page(items, not data["children"], data.get("after"))

    def _add(self, page: _Page) -> int:
        """Append what was not seen before and return how much that was."""
        before = len(self.read.items)
        for item in page.items:
            name = fullname(item, PREFIX[self._kind])
            if name is None or name not in self._seen:
                self.read.items.append(item)
                self._seen.add(name or "")
        return len(self.read.items) - before

    def _is_past(self, start_ts: int, since_ts: int) -> bool:
        times = [created_utc(item) or sys.maxsize for item in self.read.items[-TAIL:]]
        return len(times) == TAIL and max(times) < start_ts and max(times[-_OVERLAP_TAIL:]) < since_ts

    def _trim(self, since_ts: int, until_ts: int, cap: int) -> bool:
        """Cut what was read behind the item that fills the cap; False while it is not filled."""
        counted = [n for n, item in enumerate(self.read.items) if since_ts <= (created_utc(item) or 0) < until_ts]
        if len(counted) < cap:
            return False
        del self.read.items[counted[cap - 1] + 1 :]
        return True


class SubmissionFetcher:
    """Reads `/r/{name}/new`. Cost: one request per 100 submissions, from now back to beyond the start."""

    def __init__(self, connection: RedditConnection) -> None:
        self._connection = connection

    def read_since(
        self, subreddit: str, start_ts: int, overlap_s: int = 0, until_ts: int = sys.maxsize, cap: int | None = None
    ) -> ListingRead:
        """Read from now back to beyond `start_ts` and `overlap_s` more; at most `cap` submissions until `until_ts`."""
        return _ListingReader(self._connection, subreddit, SUBMISSIONS).run(start_ts, overlap_s, until_ts, cap)

    def iterate_window(self, subreddit_name: str, start_ts: int, end_ts: int) -> Iterator[Item]:
        """Yield the submissions created in `[start_ts, end_ts)`, newest position first.

        Raises:
            WindowNotCovered: after the last submission, when the listing does not reach back to `start_ts`.
            SubredditBlocked, CredentialsRejected, TryLater: Reddit cannot be read.
        """
        read = self.read_since(subreddit_key(subreddit_name), start_ts)
        for item in read.items:
            if start_ts <= (created_utc(item) or -1) < end_ts:
                yield item
        if read.trouble:
            raise read.trouble
        reached = read.reached_ts()
        if read.ended is not Ended.PAST_START and not read.is_whole and (reached is None or reached > start_ts):
            raise WindowNotCovered(
                f"r/{subreddit_name}/new ends at {iso(reached) if reached else 'nothing'}, after {iso(start_ts)}:"
                " what is older comes from an archive"
            )


class CommentFetcher:
    """Reads comments: `/r/{name}/comments` at 100 a request, and whole threads where that is not enough."""

    def __init__(self, connection: RedditConnection) -> None:
        self._connection = connection

    def read_since(self, subreddit: str, start_ts: int, overlap_s: int = 0) -> ListingRead:
        """Read from now back to beyond `start_ts` and `overlap_s` more: comments at any depth, on any thread."""
        return _ListingReader(self._connection, subreddit, COMMENTS).run(start_ts, overlap_s)

    def iterate_comments(self, submission: object) -> Iterator[Item]:
        """Yield every comment of a thread that Reddit shows, each once, in no particular order.

        `submission` is a PRAW submission, a plain dict, or an id. Costs one request for the first 500 or so, one per
        100 hidden behind `more`, and one per "continue this thread".

        Raises:
            SubredditBlocked, CredentialsRejected, TryLater: Reddit cannot be read.
        """
        link_id = _submission_id(submission)
        tree = _Tree()
        yield from tree.add(self._thread(f"/comments/{link_id}", {"limit": 2048, "sort": "confidence"}))
        while True:
            if tree.hidden:
                batch, found_before = tree.next_hidden(), tree.found
                yield from tree.add(self._morechildren(link_id, batch))
                if tree.found == found_before:
                    tree.give_up(batch)
            elif tree.continued:
                parent = tree.continued.popleft()
                yield from tree.add(self._thread(f"/comments/{link_id}/_/{parent}", {"limit": 2048}))
            else:
                return

    def _thread(self, path: str, params: Mapping[str, str | int]) -> list[Any]:
        answer = self._connection.get(path, params, _is_thread)
        return answer[1]["data"]["children"]  # type: ignore[no-any-return]  # _is_thread has looked

    def _morechildren(self, link_id: str, batch: list[str]) -> list[Any]:
        data = {"link_id": f"t3_{link_id}", "children": ",".join(batch), "sort": "confidence"}
        answer = self._connection.post("/api/morechildren", data, _is_things)
        return answer["json"]["data"]["things"]  # type: ignore[no-any-return]  # _is_things has looked


class _Tree:
    """What is still hidden of a thread: ids behind `more`, and comments whose replies are on a page of their own."""

    def __init__(self) -> None:
        self.hidden: dict[str, None] = {}
        self.continued: deque[str] = deque()
        self.found = 0
        self._opened: set[str] = set()
        self._given_up: set[str] = set()
        self._seen: set[str] = set()

    def next_hidden(self) -> list[str]:
        """Take the next ids to ask for."""
        batch = list(self.hidden)[:_MORECHILDREN]
        for item_id in batch:
            del self.hidden[item_id]
        return batch

    def give_up(self, batch: Sequence[str]) -> None:
        """Never ask for these again: an answer about them brought nothing new."""
        self._given_up.update(batch)
        for item_id in batch:
            self.hidden.pop(item_id, None)

    def add(self, things: Sequence[Any]) -> Iterator[Item]:
        """Take in things at any depth; yield the comments not seen before and remember what they hide.

        Raises:
            SourceUnavailable: a thing has no form that a thread can hold.
        """
        pending = deque(things)
        while pending:
            try:
                data = self._open(pending.popleft(), pending)
            except (KeyError, TypeError, AttributeError) as error:
                raise SourceUnavailable(
                    f"Reddit sent a thread that cannot be read ({error!r}); run again later"
                ) from error
            if data is not None:
                self.found += 1
                yield data

    def _open(self, thing: Any, pending: deque[Any]) -> Item | None:
        """Queue what a thing holds; return it if it is a comment not seen before."""
        data = thing["data"]
        if thing["kind"] == "more":
            self._remember(data["children"], str(data.get("parent_id", "")).removeprefix("t1_"))
            return None
        replies = data.get("replies")
        if replies:
            pending.extend(replies["data"]["children"])
        name = fullname(data, "t1_")
        if name in self._seen:
            return None
        if name is not None:
            self._seen.add(name)
        return data  # type: ignore[no-any-return]  # .get above has shown that it is a mapping

    def _remember(self, children: Sequence[str], parent: str) -> None:
        if not children and parent and parent not in self._opened:
            self._opened.add(parent)
            self.continued.append(parent)
        for child in children:
            # An answer holds about 100 comments and names again what was asked for and did not fit.
            if "t1_" + child not in self._seen and child not in self._given_up:
                self.hidden[child] = None


def is_listing(answer: Any) -> bool:
    """Tell whether an answer is a well-formed listing, empty or not."""
    data = answer.get("data") if isinstance(answer, dict) and answer.get("kind") == "Listing" else None
    return (
        isinstance(data, dict)
        and isinstance(data.get("children"), list)
        and (data.get("after") is None or isinstance(data["after"], str))
        and all(_is_thing(child) for child in data["children"])
    )


def _is_thread(answer: Any) -> bool:
    return isinstance(answer, list) and len(answer) == 2 and all(is_listing(part) for part in answer)


def _is_things(answer: Any) -> bool:
    data = answer.get("json") if isinstance(answer, dict) else None
    inner = data.get("data") if isinstance(data, dict) else None
    things = inner.get("things") if isinstance(inner, dict) else None
    return isinstance(things, list) and all(_is_thing(thing) for thing in things)


def _is_thing(thing: Any) -> bool:
    return isinstance(thing, dict) and isinstance(thing.get("data"), dict)


def _submission_id(submission: object) -> str:
    if isinstance(submission, Mapping):
        submission = submission.get("id") or submission.get("name")
    elif isinstance(submission, praw.models.Submission):
        submission = submission.id
    bare = submission.removeprefix("t3_") if isinstance(submission, str) else ""
    if not bare.isascii() or not bare.isalnum():
        raise SkipRecord(f"not a submission: {str(submission)[:80]!r}")
    return bare
