"""PRAW and our reader over real HTTP against a server that repeats what Reddit said; nothing sleeps."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import praw
import prawcore.rate_limit
import prawcore.sessions
import pytest

from reddit_ingest.core.settings import RedditCredentials, RedditEndpoint
from reddit_ingest.reddit_client import RedditClientFactory, RedditConnection

from .replay import TOKEN, Answer, Exchange, ReplayServer, recorded


@pytest.fixture(scope="session")
def api(shared_data: Path) -> Callable[[str], list[Exchange]]:
    """Return the exchanges of a recorded file, each file read once."""
    read: dict[str, list[Exchange]] = {}

    def exchanges(name: str) -> list[Exchange]:
        if name not in read:
            read[name] = recorded(shared_data / "reddit" / "api" / f"{name}.jsonl.gz")
        return read[name]

    return exchanges


@pytest.fixture(scope="module")
def running_server() -> Iterator[ReplayServer]:
    with ReplayServer() as server:
        yield server


@pytest.fixture
def server(running_server: ReplayServer) -> ReplayServer:
    """A server that has been asked nothing yet."""
    running_server.questions.clear()
    running_server.token = Answer(TOKEN)
    return running_server


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What PRAW and our connection would have slept."""
    pauses: list[float] = []
    for module in (prawcore.sessions, prawcore.rate_limit):
        real = module.time
        still = SimpleNamespace(sleep=pauses.append, monotonic=real.monotonic, monotonic_ns=real.monotonic_ns)
        monkeypatch.setattr(module, "time", still)
    return pauses


@pytest.fixture
def connect(server: ReplayServer, slept: list[float]) -> Iterator[Callable[[], RedditConnection]]:
    """Make connections as new processes would."""

    def connection() -> RedditConnection:
        credentials = RedditCredentials("id", "secret", "test:market-opinion:v1 (by /u/nobody)")
        reddit = RedditClientFactory.create(credentials, RedditEndpoint(server.url, server.url))
        opened.append(reddit)
        return RedditConnection(reddit, sleep=slept.append)

    opened: list[praw.Reddit] = []
    yield connection
    for reddit in opened:
        reddit._core.requestor.close()


@pytest.fixture
def connection(connect: Callable[[], RedditConnection]) -> RedditConnection:
    return connect()
