"""Listings as Reddit keeps them: the newest 1,000 entries, a page at a time, what is gone filtered after the cut."""

from collections.abc import Callable, Sequence
from typing import Any

from .things import FRESH_S, Comment, Post, Thing
from .world import World, up_to

KEPT = 1_000
_DEFAULT, _MOST = 25, 100


def listing(world: World, subreddits: Sequence[str], kind: str, params: dict[str, str], now: int) -> dict[str, Any]:
    """Return a page of `/new` (kind t3) or `/comments` (kind t1) of some subreddits together."""
    of_kind: Callable[[str], Sequence[Thing]] = world.posts if kind == "t3" else world.comments
    entries: list[Thing] = []
    for subreddit in subreddits:
        entries += up_to(of_kind(subreddit), now - FRESH_S, KEPT)
    if len(subreddits) > 1:
        entries.sort(key=lambda thing: thing.order, reverse=True)
    page, after = _page([thing for thing in entries if not thing.is_gone(now)], params)
    return listed([_child(world, thing, now) for thing in page], after)


def listed(children: list[dict[str, Any]], after: str | None = None) -> dict[str, Any]:
    """Return a listing of children in Reddit's form."""
    return {
        "kind": "Listing",
        "data": {
            "after": after,
            "dist": len(children),
            "modhash": None,
            "geo_filter": "",
            "children": children,
            "before": None,
        },
    }


def limit_of(params: dict[str, str], default: int = _DEFAULT, most: int = _MOST) -> int:
    """Return the limit that a request gets: clamped, never refused."""
    text = params.get("limit", "")
    return min(most, max(1, int(text))) if text.lstrip("-").isdigit() else default


def _page(entries: list[Thing], params: dict[str, str]) -> tuple[list[Thing], str | None]:
    limit = limit_of(params)
    names = {thing.name: place for place, thing in enumerate(entries)}
    start, end = 0, len(entries)
    if after := params.get("after"):
        if after not in names:
            return [], None  # the anchor has left the list: no error, just nothing
        start = names[after] + 1
    if before := params.get("before"):
        if before not in names:
            return [], None
        end = names[before]
        start = max(start, end - limit)
    page = entries[start : min(end, start + limit)]
    has_more = start + limit < len(entries)
    return page, page[-1].name if page and has_more else None


def _child(world: World, thing: Thing, now: int) -> dict[str, Any]:
    if isinstance(thing, Comment):
        post = world.by_name.get(f"t3_{thing.link_id}")
        return {"kind": "t1", "data": thing.shape(now, post if isinstance(post, Post) else None)}
    assert isinstance(thing, Post)  # noqa: S101  # there is no third kind
    return {"kind": "t3", "data": thing.shape(now)}
