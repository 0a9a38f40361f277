"""Known items by their names, through `/api/info`, 100 a request; and whole threads."""

from collections.abc import Iterator, Sequence

from ..core.errors import SourceUnavailable
from ..core.ports import Deadline, Item, Progress
from ..fetchers import CommentFetcher, is_listing
from ..reddit_client import RedditConnection
from .reddit_api import RedditApiSource, is_subreddit

MOST = 100
"""So many names fit into one request; more are an error."""


class RedditLookup:
    """Asks Reddit's API for known items."""

    name = RedditApiSource.name

    def __init__(self, connection: RedditConnection) -> None:
        self._connection = connection
        self._comments = CommentFetcher(connection)
        self._pages = self._items = 0

    @property
    def requests_sent(self) -> int:
        """HTTP requests sent so far, retries and token requests included."""
        return self._connection.requests_sent

    def within(self, deadline: Deadline, progress: Progress) -> None:
        """Keep to this deadline from now on, and tell this hearer."""
        self._connection.deadline, self._connection.progress = deadline, progress
        self._pages = self._items = 0

    def info(self, subreddit: str, fullnames: Sequence[str]) -> dict[str, Item]:
        """Return what Reddit shows of at most 100 items of a subreddit. One request; two more where it shows nothing.

        `/api/info` leaves out what is unknown to it, and everything in a subreddit that cannot be read. An answer that
        holds none of the items is believed when the subreddit can be read and the next answer holds at least that.
        """
        if found := self._info(subreddit, fullnames):
            return found
        about = self._connection.get(f"/r/{subreddit}/about", {}, is_subreddit, subreddit)
        itself = str(about["data"].get("name"))
        again = self._info(subreddit, [itself, *fullnames[: MOST - 1]])
        if itself not in again:
            raise SourceUnavailable(
                f"Reddit answers with nothing when asked for items of r/{subreddit}; run again later"
            )
        return {name: item for name, item in again.items() if name != itself}

    def thread(self, fullname: str) -> Iterator[Item]:
        """Yield the comments of a thread: a request for the first 500 or so, one per 100 hidden ones."""
        return self._comments.iterate_comments({"name": fullname})

    def _info(self, subreddit: str, fullnames: Sequence[str]) -> dict[str, Item]:
        answer = self._connection.get("/api/info", {"id": ",".join(fullnames)}, is_listing, subreddit)
        items: list[Item] = [child["data"] for child in answer["data"]["children"]]
        asked = set(fullnames)
        found = {str(item["name"]): item for item in items if item.get("name") in asked}
        self._pages, self._items = self._pages + 1, self._items + len(found)
        self._connection.progress.page(subreddit, "refresh", self._pages, self._items, self._connection.quota_left)
        return found
