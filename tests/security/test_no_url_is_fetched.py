"""S7: whatever Reddit says or an item holds, no other server is ever spoken to."""

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3.util.connection

from reddit_ingest.core.errors import PlatformError
from reddit_ingest.core.windows import HOUR_S
from reddit_sim import ItemWorld, Simulator
from reddit_sim.answers import Answer

from ..faults.scripted.station import END, NOW, T0, Station, busy_world, comment, post


class Trap:
    """A port that counts who comes."""

    def __init__(self) -> None:
        self.visitors = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:
                return
            self.visitors += 1
            visitor.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def trap() -> Iterator[Trap]:
    made = Trap()
    yield made
    made.close()


@pytest.fixture
def spoken_to(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, int]]:
    """Every address that an HTTP client of this process has tried to reach."""
    addresses: set[tuple[str, int]] = set()
    real = urllib3.util.connection.create_connection

    def create(address: tuple[str, int], *args: Any, **more: Any) -> Any:
        addresses.add(address)
        if not address[0].startswith("127."):
            raise OSError("nobody is to be spoken to")
        return real(address, *args, **more)

    monkeypatch.setattr(urllib3.util.connection, "create_connection", create)
    return addresses


@pytest.fixture(scope="module")
def busy() -> Iterator[Simulator]:
    with Simulator(busy_world(20), now_ts=NOW) as simulator:
        yield simulator


PATHS = ["/api/v1/access_token", "/r/phones/new", "/r/phones/comments"]
TARGETS = [
    "http://127.0.0.1:{port}/latest/meta-data/",
    "http://localhost:{port}/",
    "http://127.1:{port}/",
    "//127.0.0.1:{port}/api/v1/access_token",
    "http://user:pass@127.0.0.1:{port}/r/phones/new",
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "http://[::1]:{port}/",
    "http://[fd00:ec2::254]/latest/",
    "file:///etc/passwd",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/_GET",
    "https://example.com/r/phones/new",
]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("path", PATHS)
def test_a_redirect_to_another_server_is_not_followed(
    busy: Simulator,
    trap: Trap,
    spoken_to: set[tuple[str, int]],
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    target: str,
    status: int,
) -> None:
    place = target.format(port=trap.port)
    real: Callable[[Any], Answer] = busy._api.answer

    def answer(request: Any) -> Answer:
        return Answer(status, b"", {"location": place}) if request.path == path else real(request)

    monkeypatch.setattr(busy._api, "answer", answer)
    station = Station(busy)
    try:
        station.run()
    except PlatformError as told:
        assert "\n" not in str(told)  # noqa: PT017  # whether it raises depends on the path
    assert trap.visitors == 0
    assert {f"http://{host}:{port}" for host, port in spoken_to} == {busy.url}
    assert station.state.watermarks == {}
    assert not [state for state in station.windows().values() if state.status.is_whole]


FIELDS = [
    "url", "permalink", "thumbnail", "media", "preview", "secure_media", "url_overridden_by_dest", "link_permalink",
    "link_url", "crosspost_parent_list", "gallery_data", "author_flair_richtext", "selftext", "body", "next", "after",
]  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_an_address_inside_of_an_item_is_never_asked(trap: Trap, spoken_to: set[tuple[str, int]], field: str) -> None:
    address = f"http://127.0.0.1:{trap.port}/{field}"
    posts = [post(f"p{n}", T0 + n) for n in range(30)]
    answers = [comment(f"c{n}", T0 + n, f"p{n}") for n in range(30)]
    for thing in (*posts, *answers):
        thing.fields[field] = [{"url": address, "x": {"u": address}}] if field.endswith(("data", "list")) else address
    with Simulator(ItemWorld(posts, answers), now_ts=NOW) as simulator:
        station = Station(simulator)
        station.state.watermarks["phones"] = T0 - HOUR_S
        station.run()
        assert station.due(T0, END) <= station.seen()
        assert {f"http://{host}:{port}" for host, port in spoken_to} == {simulator.url}
    assert trap.visitors == 0
