"""Threads as Reddit shows them: 500 comments at first, ten levels, the rest behind `more`."""

import heapq
from collections.abc import Callable, Sequence
from typing import Any

from .listing import listed
from .things import Comment, Post

FIRST = 500
LEVELS = 10
MORECHILDREN = 100

_SORTS: dict[str, Callable[[Comment, int], tuple[float, str]]] = {
    "confidence": lambda comment, now: (-(comment.score(now) or 0), comment.id),
    "new": lambda comment, now: (-comment.created_utc, comment.id),
    "old": lambda comment, now: (comment.created_utc, comment.id),
}


class Thread:
    """One thread at one moment: what of it is visible, and in which order."""

    def __init__(self, post: Post, now: int, sort: str = "confidence") -> None:
        self._post = post
        self._now = now
        self._sort = _SORTS.get(sort, _SORTS["confidence"])
        self._comments = {comment.name: comment for comment in post.comments if comment.created_utc <= now}
        self._children: dict[str, list[Comment]] = {}
        for comment in self._comments.values():
            self._children.setdefault(comment.parent_id, []).append(comment)
        self._sizes: dict[str, int] = {}
        # Answers come after what they answer, so walking back in time meets every child before its parent.
        for comment in sorted(self._comments.values(), key=lambda c: c.created_utc, reverse=True):
            below = sum(self._size(child) for child in self._children.get(comment.name, ()))
            # What was deleted stays as a shell only while something visible hangs on it.
            self._sizes[comment.name] = 0 if comment.is_gone(now) and not below else 1 + below

    def page(self, root: str | None = None, limit: int = FIRST) -> list[dict[str, Any]]:
        """Return the thread's first page as things with nested replies, whole or below one comment."""
        if root is not None:
            start = [self._comments[root]] if root in self._comments else []
            return self._nested(start, self._chosen(start, limit), depth=0, parent=root)
        top = self._visible(self._post.name)
        return self._nested(top, self._chosen(top, limit), depth=0, parent=self._post.name)

    def more(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return hidden comments, flat: at most 100, and `more` things for what is still hidden."""
        asked = [self._comments[f"t1_{item}"] for item in ids if f"t1_{item}" in self._comments]
        asked = [comment for comment in asked if self._size(comment)]
        depths = {comment.name: self._depth(comment) for comment in asked}
        chosen = self._chosen(asked, MORECHILDREN, depths)
        things: list[dict[str, Any]] = []
        groups: dict[str, list[Comment]] = {}
        for comment in asked:
            if comment.name in chosen:
                self._flatten(comment, chosen, depths[comment.name], things)
            else:
                groups.setdefault(comment.parent_id, []).append(comment)
        for parent, hidden in groups.items():
            things.append(self._more(parent, hidden, depths[hidden[0].name]))
        return things

    def _size(self, comment: Comment) -> int:
        return self._sizes.get(comment.name, 0)

    def _visible(self, parent: str) -> list[Comment]:
        found = [comment for comment in self._children.get(parent, ()) if self._size(comment)]
        return sorted(found, key=lambda comment: self._sort(comment, self._now))

    def _depth(self, comment: Comment) -> int:
        depth = 0
        while (parent := self._comments.get(comment.parent_id)) is not None:
            comment, depth = parent, depth + 1
        return depth

    def _chosen(self, start: Sequence[Comment], limit: int, depths: dict[str, int] | None = None) -> set[str]:
        """Choose the best comments within the limit; a comment is chosen only after its parent."""
        known = dict(depths or {})
        first = min(known.values(), default=0)
        heap = [(self._sort(comment, self._now), comment.name, known.get(comment.name, 0)) for comment in start]
        heapq.heapify(heap)
        chosen: set[str] = set()
        while heap and len(chosen) < limit:
            _, name, depth = heapq.heappop(heap)
            chosen.add(name)
            if depth - first + 1 < LEVELS:
                for child in self._visible(name):
                    heapq.heappush(heap, (self._sort(child, self._now), child.name, depth + 1))
        return chosen

    def _nested(
        self, comments: Sequence[Comment], chosen: set[str], depth: int, parent: str | None
    ) -> list[dict[str, Any]]:
        things = []
        for comment in comments:
            if comment.name in chosen:
                shaped = comment.shape(self._now, None, depth)
                below = self._below(comment, chosen, depth)
                shaped["replies"] = listed(below) if below else ""
                things.append({"kind": "t1", "data": shaped})
        hidden = [comment for comment in comments if comment.name not in chosen]
        if hidden and parent is not None:
            things.append(self._more(parent, hidden, depth))
        return things

    def _below(self, comment: Comment, chosen: set[str], depth: int) -> list[dict[str, Any]]:
        children = self._visible(comment.name)
        if not children:
            return []
        if depth + 1 >= LEVELS:
            return [self._continue(comment.name, depth + 1)]
        return self._nested(children, chosen, depth + 1, comment.name)

    def _flatten(self, comment: Comment, chosen: set[str], depth: int, things: list[dict[str, Any]]) -> None:
        things.append({"kind": "t1", "data": comment.shape(self._now, None, depth)})
        children = self._visible(comment.name)
        if children and depth + 1 >= LEVELS:
            things.append(self._continue(comment.name, depth + 1))
            return
        for child in children:
            if child.name in chosen:
                self._flatten(child, chosen, depth + 1, things)
        hidden = [child for child in children if child.name not in chosen]
        if hidden:
            things.append(self._more(comment.name, hidden, depth + 1))

    def _more(self, parent: str, hidden: Sequence[Comment], depth: int) -> dict[str, Any]:
        data = {
            "count": sum(self._size(comment) for comment in hidden),
            "name": hidden[0].name,
            "id": hidden[0].id,
            "parent_id": parent,
            "depth": depth,
            "children": [comment.id for comment in hidden],
        }
        return {"kind": "more", "data": data}

    def _continue(self, parent: str, depth: int) -> dict[str, Any]:
        data = {"count": 0, "name": "t1__", "id": "_", "parent_id": parent, "depth": depth, "children": []}
        return {"kind": "more", "data": data}
