"""Worlds: the subreddits and all that is ever said in them. The server asks a world, and knows nothing of its kind."""

import threading
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from .things import Comment, Post, Thing

Access = Literal["public", "private", "banned", "quarantined", "missing"]


@dataclass(frozen=True, slots=True)
class SubredditSpec:
    """A subreddit: its traffic (generated worlds), who may read it, and when it began (None: with the world)."""

    name: str
    submissions_per_hour: float = 0.0
    comments_per_submission: float = 0.0
    access: Access = "public"
    created_utc: int | None = None


@dataclass(frozen=True, slots=True)
class Opinion:
    """A ground truth: what an item says of a product."""

    brand: str
    product: str
    aspect: str
    polarity: int
    kind: str = "plain"


class World:
    """A fixed set of things. Subclasses may add more as time goes on (`prepare`)."""

    def __init__(self, subreddits: Iterable[SubredditSpec] = ()) -> None:
        self.lock = threading.RLock()
        self.subreddits = {spec.name.lower(): spec for spec in subreddits}
        self.by_name: dict[str, Post | Comment] = {}
        self._posts: dict[str, list[Post]] = {}
        self._comments: dict[str, list[Comment]] = {}

    def prepare(self, now: int) -> None:
        """Make sure that everything up to `now` is there."""

    def posts(self, subreddit: str) -> list[Post]:
        """Return a subreddit's submissions by their place in `/new`, oldest first."""
        return self._posts.get(subreddit.lower(), [])

    def comments(self, subreddit: str) -> list[Comment]:
        """Return a subreddit's comments by their place in `/comments`, oldest first."""
        return self._comments.get(subreddit.lower(), [])

    def truth(self, fullname: str) -> list[Opinion]:
        """Return what an item really says; nothing is known of recorded ones."""
        return []

    def flags(self, fullname: str) -> list[str]:
        """Return what an item is besides an opinion: sarcasm, spam, bot, flood, or part of an event."""
        return []

    def visible_in(self, subreddit: str, start_ts: int, end_ts: int, now: int) -> set[str]:
        """Return the fullnames created in `[start_ts, end_ts)` that a listing could show at `now`."""
        with self.lock:
            self.prepare(now)
            things: list[Thing] = [*self.posts(subreddit), *self.comments(subreddit)]
            return {
                thing.name
                for thing in things
                if start_ts <= thing.created_utc < end_ts and thing.listed_ts <= now and not thing.is_gone(now)
            }

    def add(self, posts: Iterable[Post], comments: Iterable[Comment]) -> None:
        """Take in things and bring every list into order; a comment may come long after its submission."""
        changed: set[str] = set()
        threads: dict[str, Post] = {}
        for post in posts:
            self.by_name[post.name] = post
            self._posts.setdefault(post.subreddit.lower(), []).append(post)
            changed.add(post.subreddit.lower())
        for comment in comments:
            self.by_name[comment.name] = comment
            self._comments.setdefault(comment.subreddit.lower(), []).append(comment)
            changed.add(comment.subreddit.lower())
            thread = self.by_name.get(f"t3_{comment.link_id}")
            if isinstance(thread, Post):
                thread.comments.append(comment)
                threads[thread.id] = thread
        for thread in threads.values():
            thread.comments.sort(key=lambda comment: comment.created_utc)
        for subreddit in changed:
            self._posts.get(subreddit, []).sort(key=lambda post: post.order)
            self._comments.get(subreddit, []).sort(key=lambda comment: comment.order)
            self.subreddits.setdefault(subreddit, SubredditSpec(subreddit))

    def born(self, subreddit: str) -> int:
        """Return when a subreddit began: as specified, or with the hour of its first item."""
        spec = self.subreddits[subreddit.lower()]
        if spec.created_utc is not None:
            return spec.created_utc
        firsts = [things[0].created_utc for things in (self.posts(spec.name), self.comments(spec.name)) if things]
        return min(firsts, default=0) // 3_600 * 3_600


class ItemWorld(World):
    """A world of things given one by one, for tests."""

    def __init__(
        self,
        posts: Iterable[Post] = (),
        comments: Iterable[Comment] = (),
        subreddits: Iterable[SubredditSpec] = (),
    ) -> None:
        super().__init__(subreddits)
        self.add(posts, comments)


def up_to(things: Sequence[Thing], now: int, most: int) -> list[Thing]:
    """Return the newest `most` entries of a listing at `now`, newest first."""
    end = bisect_right(things, now, key=lambda thing: thing.listed_ts)
    return list(things[max(0, end - most) : end][::-1])
