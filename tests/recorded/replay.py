"""A server on loopback that answers as Reddit once did, and the recorded exchanges it answers with."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TOKEN = json.dumps({"access_token": "t", "token_type": "bearer", "expires_in": 86_400, "scope": "*"})
_SPEAKING = ("date", "content-type", "location", "retry-after", "www-authenticate")


@dataclass(frozen=True)
class Answer:
    """What the server says to one request."""

    body: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json; charset=UTF-8"})


@dataclass(frozen=True)
class Exchange:
    """One recorded request and its answer."""

    number: int
    run: str
    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    answer: Answer

    def json(self) -> Any:
        """Return the answer's body, parsed."""
        return json.loads(self.answer.body)


Question = tuple[str, str, dict[str, str]]
"""Method, path, and the fields of the query and the form together."""


def recorded(path: Path) -> list[Exchange]:
    """Return the exchanges of a file of `shared/data/reddit/api`."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        return [_exchange(number, json.loads(line)) for number, line in enumerate(file, start=1)]


def _exchange(number: int, line: dict[str, Any]) -> Exchange:
    if "response" not in line:  # the fixtures of another client hold bodies only
        return Exchange(number, line["src"], "GET", "/", {}, {}, Answer(line["body"]))
    asked, told = line["request"], line["response"]
    headers = {k: v for k, v in told["headers"].items() if k in _SPEAKING or k.startswith("x-ratelimit")}
    return Exchange(
        number=number,
        run=line["src"].partition("#")[0],
        method=asked["method"],
        path=asked["path"].rstrip("/"),
        query=dict(parse_qsl(asked["query"] or "")),
        form=dict(parse_qsl(asked["body"] or "")) if asked["method"] == "POST" else {},
        answer=Answer(told["body"] or "", told["status"], headers),
    )


def things(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (kind, data) of every submission, comment and `more` at any depth of an answer."""
    if isinstance(value, dict):
        if value.get("kind") in ("t1", "t3", "more") and isinstance(value.get("data"), dict):
            yield value["kind"], value["data"]
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from things(part)


class ReplayServer:
    """Answers token requests by itself and everything else through `answer`; remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: Callable[[Question], Answer] = lambda question: Answer("{}", 404)
        self.token = Answer(TOKEN)
        self.questions: list[Question] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def _serve(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                form = dict(parse_qsl(self.rfile.read(length).decode()))
                address = urlsplit(self.path)
                question = (self.command, address.path.rstrip("/"), dict(parse_qsl(address.query)) | form)
                if question[1] == "/api/v1/access_token":
                    self._say(outer.token)
                else:
                    outer.questions.append(question)
                    self._say(outer.answer(question))

            do_GET = do_POST = do_PUT = do_DELETE = _serve  # names of the library

            def _say(self, answer: Answer) -> None:
                content = answer.body.encode()
                self.send_response_only(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if self.close_connection:  # as PRAW asks when it fetches its token
                    self.send_header("connection", "close")
                if answer.status != 204:
                    self.send_header("content-length", str(len(content)))
                self.end_headers()
                if answer.status != 204:
                    self.wfile.write(content)
                self.wfile.flush()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        """Where the server listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "ReplayServer":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
