"""What the simulated Reddit answers: status, headers, body; and how it breaks an answer on purpose."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from .hostile import Rule


@dataclass(slots=True)
class Answer:
    """One HTTP answer. `announced` is a content length other than the true one; `resets` cuts the connection."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json; charset=UTF-8"})
    announced: int | None = None
    resets: bool = False
    delay_s: float = 0.0


def as_json(content: Any, status: int = 200, **headers: str) -> Answer:
    """Return content as JSON."""
    answer = Answer(status, json.dumps(content).encode())
    answer.headers |= {name.replace("_", "-"): value for name, value in headers.items()}
    return answer


def as_page(text: str, status: int, **headers: str) -> Answer:
    """Return a page for people, as front-end servers send it."""
    body = f"<html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>".encode()
    return Answer(
        status,
        body,
        {"content-type": "text/html; charset=UTF-8", **{k.replace("_", "-"): v for k, v in headers.items()}},
    )


def refusal(status: int, message: str, reason: str | None = None, **more: str) -> Answer:
    """Return an error in the API's own form."""
    body: dict[str, Any] = {"message": message, "error": status, **more}
    return as_json({"reason": reason, **body} if reason else body, status)


def to_search(name: str) -> Answer:
    """Return what the name of no subreddit leads to."""
    return Answer(302, b"", {"location": f"/subreddits/search?q={name}", "content-type": "text/html; charset=UTF-8"})


def invalid_token() -> Answer:
    """Return the answer to a token that is not valid (any more)."""
    return as_json(
        {"message": "Unauthorized", "error": 401},
        401,
        www_authenticate='Bearer realm="reddit", error="invalid_token"',
    )


_OUTRIGHT: dict[str, Callable[[], Answer]] = {
    "connection-reset": lambda: Answer(resets=True),
    "400-json": lambda: as_json({"whatever": "no reason"}, 400),
    "400-reason": lambda: as_json({"reason": "BAD_PAGE", "explanation": "that page is bad"}, 400),
    "400-html": lambda: as_page("400 Bad request", 400),
    "401-invalid-token": invalid_token,
    "401-bare": lambda: as_json({"message": "Unauthorized", "error": 401}, 401),
    "403-bare-realm": lambda: as_json(
        {"message": "Forbidden", "error": 403}, 403, www_authenticate='Bearer realm="reddit"'
    ),
    "403-private": lambda: refusal(403, "Forbidden", "private"),
    "404-banned": lambda: refusal(404, "Not Found", "banned"),
    "redirect-search": lambda: to_search("nothing"),
    "429-html-retry-after": lambda: as_page("Too Many Requests", 429, retry_after="4"),
    "429-json": lambda: as_json({"message": "Too Many Requests", "error": 429}, 429),
    "429-date": lambda: as_json(
        {"message": "Too Many Requests", "error": 429}, 429, retry_after=formatdate(time.time() + 5, usegmt=True)
    ),
    "451": lambda: refusal(451, "Unavailable For Legal Reasons"),
    "not-json": lambda: as_page("Our CDN was unable to reach our servers", 200),
    "empty-body": lambda: Answer(200, b""),
    "null-body": lambda: Answer(200, b"null"),
    "error-dict-200": lambda: as_json({"message": "Internal Server Error", "error": 500}),
    "list-200": lambda: as_json([]),
    "archive-error-200": lambda: as_json({"data": None, "error": "Slow down a little"}),
    "archive-timeout-422": lambda: as_json({"data": None, "error": "Timeout. Maybe slow down a bit"}, 422),
    "token-401": lambda: as_json({"message": "Unauthorized", "error": 401}, 401),
    "token-429": lambda: as_json({"message": "Too Many Requests", "error": 429}, 429),
    "token-500": lambda: as_page("500 Internal Server Error", 500),
    "token-error-200": lambda: as_json({"error": "unsupported_grant_type"}),
    "token-not-json": lambda: as_page("Reddit is busy", 200),
}


def spoil(rule: Rule, good: Callable[[], Answer]) -> Answer:
    """Return the answer that a fault makes of a good one."""
    if rule.fault.startswith("status:"):
        status = int(rule.fault.removeprefix("status:"))
        location = {"location": "/"} if status == 307 else {}
        return as_page(f"{status} from the simulator", status, **location)
    if rule.fault in _OUTRIGHT:
        return _OUTRIGHT[rule.fault]()
    answer = good()
    if rule.fault == "hang":
        answer.delay_s = rule.seconds
    elif rule.fault == "short-body":
        answer.announced = len(answer.body) + 100
    elif rule.fault == "cut-json":
        answer.body = answer.body[: len(answer.body) // 2] or b"{"
    elif rule.fault == "bad-ratelimit-headers":
        answer.headers |= {"x-ratelimit-remaining": "many", "x-ratelimit-used": "few", "x-ratelimit-reset": "soon"}
    else:
        answer.body = _edited(rule.fault, answer.body)
    return answer


def _edited(fault: str, body: bytes) -> bytes:
    content = json.loads(body)
    data = content.get("data") if isinstance(content, dict) else None
    if not isinstance(data, dict) or "children" not in data:
        return body
    if fault == "empty-page":
        data |= {"children": [], "after": None, "dist": 0}
    elif fault == "repeated-page" and data["children"]:
        data["after"] = "t3_again"
    elif fault == "null-author":
        for child in data["children"]:
            child["data"]["author"] = None
    return json.dumps(content).encode()
