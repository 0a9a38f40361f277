"""Arctic Shift's endpoints over a world: an archive that looks at every item twice, with the traps of the real one.

It sees an item a minute after it was written, and again 36 hours later; text is of the first look, scores and counts of
the second. One item in fifty it misses at the first look. What is private or quarantined it does not hold.
"""

import json
import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from . import answers
from .answers import Answer
from .things import Comment, Post, Thing
from .world import World

FIRST_LOOK_S = 60
SECOND_LOOK_S = 36 * 3_600

_KINDS = {"posts": "t3", "comments": "t1"}
_LOOK_UPS = 500
_MOST = 100
_MOST_OF_AUTO = 1_000


class Archive:
    """The archive of a world. `stands_still_at` is when it ceased to see anything; None while it is well."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.stands_still_at: int | None = None

    @staticmethod
    def serves(path: str) -> bool:
        """Tell whether a path is one of the archive's."""
        return path in _ROUTES

    def answer(self, path: str, params: dict[str, str], now: int) -> Answer:
        """Answer a request at a moment."""
        if self.stands_still_at is not None:
            now = min(now, self.stands_still_at)
        try:
            found = _ROUTES[path](self, path.split("/")[2], params, now)
        except ValueError as error:
            return failed(str(error), 400)
        return answers.as_json({"data": found})

    def _search(self, kind: str, params: dict[str, str], now: int) -> list[dict[str, Any]]:
        limit, sort = _limit(params), params.get("sort", "desc")
        if sort not in ("asc", "desc"):
            raise ValueError("sort must be asc or desc")
        after, before = _moment(params, "after", 0), _moment(params, "before", 2**40)
        # `after` and `before` both leave out their own second; a page may end inside one.
        things = [
            thing
            for name in self._readable(params.get("subreddit"))
            for thing in self._things(kind, name)
            if after < thing.created_utc < before and _first_look(thing) <= now
        ]
        things.sort(key=lambda thing: (thing.created_utc, thing.id), reverse=sort == "desc")
        return [self._shape(thing, now) for thing in things[:limit]]

    def _ids(self, kind: str, params: dict[str, str], now: int) -> list[dict[str, Any]]:
        ids = [text for text in params.get("ids", "").split(",") if text]
        if len(ids) > _LOOK_UPS:
            raise ValueError(f"at most {_LOOK_UPS} ids")
        found = (self._world.by_name.get(f"{_KINDS[kind]}_{text.removeprefix(_KINDS[kind] + '_')}") for text in ids)
        readable = set(self._readable(None))
        return [
            self._shape(thing, now)
            for thing in found
            if thing and thing.subreddit.lower() in readable and _first_look(thing) <= now
        ]

    def _subreddits(self, kind: str, params: dict[str, str], now: int) -> list[dict[str, Any]]:
        wanted = params.get("subreddit", "").lower()
        return [
            {"display_name": self._world.subreddits[name].name, "created_utc": self._world.born(name)}
            for name in self._readable(wanted or None)
            if self._world.born(name) <= now
        ]

    def _readable(self, subreddit: str | None) -> list[str]:
        wanted = (subreddit or "").lower().removeprefix("r/")
        return [
            name
            for name, spec in self._world.subreddits.items()
            if wanted in ("", name) and spec.access in ("public", "banned")
        ]

    def _things(self, kind: str, subreddit: str) -> Sequence[Thing]:
        return self._world.posts(subreddit) if kind == "posts" else self._world.comments(subreddit)

    def _shape(self, thing: Thing, now: int) -> dict[str, Any]:
        first, second = _first_look(thing), thing.created_utc + SECOND_LOOK_S
        item = {**self._at(thing, first), "retrieved_on": first, "score": 1}
        if isinstance(thing, Post):
            item["num_comments"] = 0
        if second <= now:
            later = self._at(thing, second)
            item |= {name: later[name] for name in ("score", "num_comments") if name in later}
            item["_meta"] = {"retrieved_2nd_on": second, **_fate(thing, first, second)}
        return {name: value for name, value in item.items() if not name.endswith("_html")}

    def _at(self, thing: Thing, moment: int) -> dict[str, Any]:
        assert isinstance(thing, Post | Comment)  # noqa: S101  # there is no third kind
        shaped = thing.shape(moment) if isinstance(thing, Post) else thing.shape(moment, None)
        return {**shaped, "created_utc": thing.created_utc}


def failed(error: str, status: int = 200) -> Answer:
    """Return a failure as the archive tells it, often enough under the status 200."""
    return answers.as_json({"data": None, "error": error}, status)


def _first_look(thing: Thing) -> int:
    is_missed = zlib.crc32(thing.name.encode()) % 50 == 0
    return thing.created_utc + (SECOND_LOOK_S if is_missed else FIRST_LOOK_S)


def _fate(thing: Thing, first: int, second: int) -> dict[str, Any]:
    told: dict[str, Any] = {"note": "initially_unavailable"} if first == second else {}
    if thing.is_edited(second) and not thing.is_edited(first):
        told["is_edited"] = True
    if thing.is_gone(second) and not thing.is_gone(first):
        by_author = thing.gone_by == "author"
        told |= {"was_deleted_later": True, "removal_type": "deleted" if by_author else "removed"}
    return told


def _limit(params: dict[str, str]) -> int:
    text = params.get("limit", "25")
    if text == "auto":
        # As many as the server can spare just now.
        return _MOST + zlib.crc32(json.dumps(params, sort_keys=True).encode()) % (_MOST_OF_AUTO - _MOST + 1)
    if not text.isdigit() or not 1 <= int(text) <= _MOST:
        raise ValueError(f'limit must be 1 to {_MOST} or "auto"')
    return int(text)


def _moment(params: dict[str, str], name: str, default: int) -> int:
    text = params.get(name, "")
    if not text:
        return default
    if text.isdigit():
        return int(text) // (1_000 if int(text) > 10**11 else 1)
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


_ROUTES: dict[str, Callable[[Archive, str, dict[str, str], int], list[dict[str, Any]]]] = {
    "/api/posts/search": Archive._search,
    "/api/comments/search": Archive._search,
    "/api/posts/ids": Archive._ids,
    "/api/comments/ids": Archive._ids,
    "/api/subreddits/search": Archive._subreddits,
}
