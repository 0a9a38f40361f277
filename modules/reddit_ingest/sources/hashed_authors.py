"""Any source, with hashes in place of its authors' names: nothing behind it ever sees a name."""

from collections.abc import Iterator, Sequence

from ..core.authors import AuthorKey
from ..core.ports import Deadline, Item, Lookup, Progress, Reading, Source
from ..core.windows import Window


class HashedAuthorsSource:
    """A `Source` that shows hashed authors."""

    def __init__(self, source: Source, key: AuthorKey) -> None:
        self.name = source.name
        self._source = source
        self._key = key

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
        """Read as the source does."""
        reading = self._source.read(
            subreddit,
            windows,
            look_back_s=look_back_s,
            include_comments=include_comments,
            max_submissions=max_submissions,
            deadline=deadline,
            progress=progress,
        )
        for window in (*reading.windows, *reading.earlier):
            window.submissions = [self._key.hashed(item) for item in window.submissions]
            window.comments = [self._key.hashed(item) for item in window.comments]
        return reading


class HashedAuthorsLookup:
    """A `Lookup` that shows hashed authors."""

    def __init__(self, lookup: Lookup, key: AuthorKey) -> None:
        self.name = lookup.name
        self._lookup = lookup
        self._key = key

    @property
    def requests_sent(self) -> int:
        """What has been spent so far, retries included."""
        return self._lookup.requests_sent

    def within(self, deadline: Deadline, progress: Progress) -> None:
        """Keep to this deadline from now on, and tell this hearer."""
        self._lookup.within(deadline, progress)

    def info(self, subreddit: str, fullnames: Sequence[str]) -> dict[str, Item]:
        """Return what there still is of some items."""
        found = self._lookup.info(subreddit, fullnames)
        return {name: self._key.hashed(item) for name, item in found.items()}

    def thread(self, fullname: str) -> Iterator[Item]:
        """Yield the comments of a submission's thread."""
        return map(self._key.hashed, self._lookup.thread(fullname))
