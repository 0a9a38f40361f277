"""The endpoints: from a request to an answer, over a world at a moment."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from . import answers
from .answers import Answer
from .arctic import Archive, failed
from .clock import Clock
from .hostile import HostilePlan, Rule
from .listing import limit_of, listed, listing
from .quota import Quota
from .things import Comment, Post, Thing
from .tree import FIRST, Thread
from .world import World

_TOKEN_LIFE_S = 86_400


@dataclass(slots=True)
class Request:
    """What came over the wire."""

    method: str
    path: str
    params: dict[str, str]
    authorization: str


def parse(method: str, target: str, body: bytes, authorization: str) -> Request:
    """Take a request line and body apart; `.json` at the end of a path means nothing."""
    path, _, query = target.partition("?")
    form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True) if method == "POST" else []
    params = dict(parse_qsl(query, keep_blank_values=True) + form)
    path = "/" + path.strip("/").removesuffix(".json")
    return Request(method, path, params, authorization)


@dataclass(slots=True)
class Stats:
    """What was asked for."""

    requests: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    items_served: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain data."""
        return {
            "requests": dict(sorted(self.requests.items())),
            "requests_total": sum(self.requests.values()),
            "tokens": self.tokens,
            "items_served": self.items_served,
        }


class Api:
    """Reddit, as far as it is read."""

    def __init__(
        self,
        world: World,
        clock: Clock,
        quota: Quota | None,
        hostile: HostilePlan | None,
        reject_credentials: bool,
        archive_quota: Quota,
    ) -> None:
        self.world = world
        self.clock = clock
        self.quota = quota
        self.hostile = hostile
        self.reject_credentials = reject_credentials
        self.archive = Archive(world)
        self.archive_quota = archive_quota
        self.stats = Stats()
        self._tokens: set[str] = set()
        self._issued = 0
        self._last_page: dict[str, Answer] = {}

    def answer(self, request: Request) -> Answer:
        """Answer a request, or break the answer as the hostile plan says."""
        rule = self.hostile.fault(request.path) if self.hostile else None
        if request.path == "/api/v1/access_token":
            self.stats.tokens += 1
            return answers.spoil(rule, lambda: self._token(request)) if rule else self._token(request)
        self.stats.requests[f"{request.method} {_pattern(request.path)}"] += 1
        if self.archive.serves(request.path):
            return self._archived(request, rule)
        return self._with_quota(request, rule)

    def _archived(self, request: Request, rule: Rule | None) -> Answer:
        headers = self.archive_quota.spend()
        if self.archive_quota.is_spent:
            return self._stamped(failed("Too many requests", 429), headers)

        def good() -> Answer:
            with self.world.lock:
                self.world.prepare(self.clock.now())
                return self.archive.answer(request.path, request.params, self.clock.now())

        answer = answers.spoil(rule, good) if rule else good()
        return answer if rule and rule.fault == "bad-ratelimit-headers" else self._stamped(answer, headers)

    def _with_quota(self, request: Request, rule: Rule | None) -> Answer:
        headers = self.quota.spend() if self.quota else {}
        if self.quota and self.quota.is_spent:
            answer = answers.as_json({"message": "Too Many Requests", "error": 429}, 429)
        elif rule:
            answer = answers.spoil(rule, lambda: self._authorized(request))
            return answer if rule.fault == "bad-ratelimit-headers" else self._stamped(answer, headers)
        else:
            answer = self._authorized(request)
        return self._stamped(answer, headers)

    @staticmethod
    def _stamped(answer: Answer, headers: dict[str, str]) -> Answer:
        answer.headers |= headers
        return answer

    def _token(self, request: Request) -> Answer:
        has_key = request.authorization.startswith("Basic ") and request.authorization != "Basic Og=="
        if not has_key or self.reject_credentials:
            return answers.as_json({"message": "Unauthorized", "error": 401}, 401)
        if request.params.get("grant_type") != "client_credentials":
            return answers.as_json({"error": "unsupported_grant_type"})
        self._issued += 1
        token = f"simulated-token-{self._issued}"
        self._tokens.add(token)
        return answers.as_json(
            {"access_token": token, "token_type": "bearer", "expires_in": _TOKEN_LIFE_S, "scope": "*"}
        )

    def _authorized(self, request: Request) -> Answer:
        kind, _, token = request.authorization.partition(" ")
        if kind.lower() != "bearer" or token not in self._tokens:
            return answers.invalid_token()
        with self.world.lock:
            self.world.prepare(self.clock.now())
            for pattern, endpoint in _ROUTES:
                if found := re.fullmatch(pattern, request.path):
                    return endpoint(self, request.params, **found.groupdict())
        return answers.refusal(404, "Not Found")

    def _listing(self, params: dict[str, str], names: str, what: str) -> Answer:
        asked = [name.lower() for name in names.split("+")]
        if len(asked) == 1 and (refused := self._refused(asked[0])):
            return refused
        # In a group, names that cannot be read are dropped without a word.
        known = [name for name in asked if not self._refused(name)]
        if not known:
            return answers.refusal(404, "Not Found")
        page = listing(self.world, known, "t3" if what == "new" else "t1", params, self.clock.now())
        self.stats.items_served += page["data"]["dist"]
        return answers.as_json(page)

    def _refused(self, name: str) -> Answer | None:
        spec = self.world.subreddits.get(name)
        if spec is None or spec.access == "missing":
            return answers.to_search(name)
        if spec.access == "private":
            return answers.refusal(403, "Forbidden", "private")
        if spec.access == "quarantined":
            return answers.refusal(403, "Forbidden", "quarantined", quarantine_message="Are you sure?")
        return answers.refusal(404, "Not Found", "banned") if spec.access == "banned" else None

    def _about(self, params: dict[str, str], name: str) -> Answer:
        return self._refused(name.lower()) or answers.as_json(self._subreddit(name.lower()))

    def _subreddit(self, name: str) -> dict[str, Any]:
        spec = self.world.subreddits[name]
        born = float(self.world.born(name))
        fullname = _subreddit_fullname(name)
        data = {
            "id": fullname.removeprefix("t5_"),
            "name": fullname,
            "display_name": spec.name,
            "display_name_prefixed": f"r/{spec.name}",
            "title": f"Talk about {spec.name}",
            "public_description": "A simulated subreddit.",
            "subreddit_type": "public",
            "subscribers": 1_000 + len(self.world.posts(name)),
            "created_utc": born,
            "created": born,
            "over18": False,
            "quarantine": False,
            "url": f"/r/{spec.name}/",
        }
        return {"kind": "t5", "data": data}

    def _thread(self, params: dict[str, str], link: str, below: str | None = None) -> Answer:
        post = self.world.by_name.get(f"t3_{link}")
        now = self.clock.now()
        if not isinstance(post, Post) or post.listed_ts > now:
            return answers.refusal(404, "Not Found")
        if refused := self._refused(post.subreddit.lower()):
            return refused
        thread = Thread(post, now, params.get("sort", "confidence"))
        things = thread.page(f"t1_{below}" if below else None, limit_of(params, FIRST, FIRST))
        self.stats.items_served += 1
        return answers.as_json([listed([{"kind": "t3", "data": post.shape(now)}]), listed(things)])

    def _morechildren(self, params: dict[str, str]) -> Answer:
        post = self.world.by_name.get(params.get("link_id", ""))
        if not isinstance(post, Post) or self._refused(post.subreddit.lower()):
            return answers.refusal(404, "Not Found")
        ids = [item for item in params.get("children", "").split(",") if item]
        things = Thread(post, self.clock.now(), params.get("sort", "confidence")).more(ids)
        self.stats.items_served += len(things)
        return answers.as_json({"json": {"errors": [], "data": {"things": things}}})

    def _info(self, params: dict[str, str]) -> Answer:
        names = [name for name in params.get("id", "").split(",") if name]
        if len(names) > 100:
            return answers.refusal(400, "Bad Request")
        children = [child for name in names if (child := self._by_name(name))]
        self.stats.items_served += len(children)
        return answers.as_json(listed(children))

    def _by_name(self, name: str) -> dict[str, Any] | None:
        now = self.clock.now()
        for known in self.world.subreddits:
            if name == _subreddit_fullname(known):
                return None if self._refused(known) else self._subreddit(known)
        thing = self.world.by_name.get(name)
        if thing is None or thing.created_utc > now or self._refused(thing.subreddit.lower()):
            return None
        if isinstance(thing, Comment):
            return {"kind": "t1", "data": thing.shape(now, None)}
        return {"kind": "t3", "data": thing.shape(now)}

    def control(self, request: Request, body: bytes) -> Answer:
        """Serve the endpoints that move the simulation from outside."""
        what = request.path.removeprefix("/_sim/")
        if what == "stats":
            return answers.as_json(self.stats.to_dict())
        if what == "truth":
            return self._truth(request.params)
        try:
            content = json.loads(body) if request.method == "POST" else None
            if what == "hostile" and request.method == "POST":
                self.hostile = HostilePlan.from_rules(content)
                return answers.as_json({"rules": len(self.hostile.rules)})
            if what == "clock":
                if isinstance(content, dict):
                    self._move_clock(content)
                return answers.as_json({"now": self.clock.now(), "iso": _iso(self.clock.now())})
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            return answers.as_json({"error": str(error)}, 400)
        return answers.refusal(404, "Not Found")

    def _move_clock(self, content: dict[str, Any]) -> None:
        if "advance" in content:
            self.clock.advance(int(content["advance"]))
            return
        now = content["now"]
        if isinstance(now, str):
            moment = datetime.fromisoformat(now)
            now = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        self.clock.set(int(now))

    def _truth(self, params: dict[str, str]) -> Answer:
        start, end = int(params.get("start_ts", 0)), int(params.get("end_ts", self.clock.now()))
        wanted = params.get("subreddit", "").lower()
        with self.world.lock:
            self.world.prepare(self.clock.now())
            names = [wanted] if wanted else list(self.world.subreddits)
            things: list[Thing] = [
                thing for name in names for thing in [*self.world.posts(name), *self.world.comments(name)]
            ]
            lines = [
                json.dumps(
                    {
                        "fullname": thing.name,
                        "created_utc": thing.created_utc,
                        "author": thing.fields.get("author"),
                        "opinions": [vars_of(opinion) for opinion in self.world.truth(thing.name)],
                        "flags": self.world.flags(thing.name),
                    }
                )
                for thing in things
                if start <= thing.created_utc < end
            ]
        return Answer(200, ("\n".join(lines) + "\n").encode(), {"content-type": "application/x-ndjson"})


def vars_of(opinion: Any) -> dict[str, Any]:
    """Return an opinion as plain data."""
    return {name: getattr(opinion, name) for name in ("brand", "product", "aspect", "polarity", "kind")}


def _iso(ts: int) -> str:
    return datetime.fromtimestamp(ts, UTC).isoformat()


def _subreddit_fullname(name: str) -> str:
    return "t5_" + "".join(char for char in name.lower() if char.isalnum())[:6]


def _pattern(path: str) -> str:
    """Return a path with its names and ids replaced, for counting."""
    if path.startswith("/api/"):
        return path
    path = re.sub(r"^/r/[^/]+", "/r/{}", path)
    return re.sub(
        r"/comments/[^/]+(/_/[^/]+)?.*", lambda found: "/comments/{id}" + ("/_/{id}" if found[1] else ""), path
    )


_NAMES, _ID = r"(?P<names>[A-Za-z0-9_+-]+)", r"[A-Za-z0-9]+"
_ROUTES: tuple[tuple[str, Callable[..., Answer]], ...] = (
    (rf"/r/{_NAMES}/(?P<what>new|comments)", Api._listing),
    (r"/r/(?P<name>[A-Za-z0-9_-]+)/about", Api._about),
    (rf"(?:/r/[^/]+)?/comments/(?P<link>{_ID})(?:/[^/]*)?", Api._thread),
    (rf"(?:/r/[^/]+)?/comments/(?P<link>{_ID})/[^/]*/(?P<below>{_ID})", Api._thread),
    (r"/api/morechildren", Api._morechildren),
    (r"/api/info", Api._info),
)
