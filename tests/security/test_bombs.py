"""S8: answers and items made to break a reader cost one record, or one run, and no hours."""

import json
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest

from reddit_ingest import view
from reddit_ingest.core.coverage import CoverageStatus
from reddit_ingest.core.windows import HOUR_S
from reddit_sim import ItemWorld, Simulator
from reddit_sim.answers import Answer

from ..faults.scripted.station import END, NOW, Station, comment, post
from ..slow import one_in

# A reader whose work grows with the square of what it reads would take hours for each of these; what is here takes
# seconds.
pytestmark = pytest.mark.timeout(240)


def nested(depth: int) -> Any:
    inside: Any = 1
    for _ in range(depth):
        inside = [inside]
    return inside


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, Any]], Station]]:
    """A station at a Reddit where one item among many has these fields besides its own."""
    started: list[Simulator] = []

    def start(fields: dict[str, Any]) -> Station:
        posts = [post(f"p{n}", END - 1_000 + n) for n in range(30)]
        answers = [comment(f"c{n}", END - 900 + n, f"p{n}") for n in range(30)]
        posts[7].fields |= fields
        answers[7].fields |= fields
        started.append(Simulator(ItemWorld(posts, answers), now_ts=NOW).__enter__())
        return Station(started[-1])

    yield start
    for simulator in started:
        simulator.__exit__(None, None, None)


BOMBS: dict[str, tuple[Callable[[], dict[str, Any]], int]] = {
    "a line of 5 MiB": (lambda: {"selftext": "x" * 5 * 2**20, "body": "x" * 5 * 2**20}, 2),
    "5 MiB that double when escaped": (lambda: {"mood": "\\" * 5 * 2**20}, 2),
    "keys by the hundred thousand": (lambda: {"mood": {f"k{n}": 0 for n in range(4 * 10**5)}}, 2),
    "a million empty lists": (lambda: {"mood": [[]] * 2 * 10**6}, 2),
    "nested 400 deep": (lambda: {"mood": nested(400)}, 0),
    "a number of 4,000 digits": (lambda: {"mood": 10**4_000}, 0),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_an_item_that_is_a_bomb_is_set_aside_and_the_others_land(
    serve: Callable[[dict[str, Any]], Station], bomb: str
) -> None:
    make, set_aside = BOMBS[bomb]
    station = serve(make())
    (outcome,) = station.run()
    (result,) = outcome.results
    assert result.quarantined_count == set_aside
    assert len(station.seen()) == 60 - set_aside
    for key, content in station.lake.objects.items():
        assert len(content) < 20 * 2**20, key


BODIES: dict[str, Callable[[], bytes]] = {
    "lists a hundred thousand deep": lambda: b"[" * 100_000,
    "a listing with an item a hundred thousand deep": lambda: (
        b'{"kind":"Listing","data":{"after":null,"children":[{"kind":"t3","data":{"x":' + b"[" * 100_000
    ),
    "objects a hundred thousand deep": lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "keys by the hundred thousand and no listing": lambda: json.dumps({f"k{n}": n for n in range(3 * 10**5)}).encode(),
    "a number of a million digits": lambda: b"1" * 10**6,
    "text of 10 MiB": lambda: b'"' + b"x" * 10 * 2**20 + b'"',
    "bytes that are no text": lambda: bytes(range(256)) * 4_000,
    "children without end": lambda: b'{"kind":"Listing","data":{"after":null,"children":' + b"[" * 50_000,
}


@pytest.mark.parametrize(("body", "path"), one_in(2, product(BODIES, ["/r/phones/new", "/r/phones/comments"])))
def test_an_answer_that_is_a_bomb_fails_the_hour_and_nothing_else(
    serve: Callable[[dict[str, Any]], Station], monkeypatch: pytest.MonkeyPatch, body: str, path: str
) -> None:
    station, content = serve({}), BODIES[body]()
    api = station.simulator._api
    real = api.answer
    monkeypatch.setattr(api, "answer", lambda request: Answer(200, content) if request.path == path else real(request))
    station.run()
    assert station.statuses() == {CoverageStatus.FAILED}
    (state,) = station.windows().values()
    reasons = [claim.reason for claim in state.coverage.values()]
    assert max(map(len, reasons)) < 500
    assert station.state.watermarks == {}


def test_many_rows_are_read_in_bounded_memory(serve: Callable[[dict[str, Any]], Station]) -> None:
    world = ItemWorld([post(f"p{n}", END - HOUR_S + n) for n in range(990)])
    for each in world.posts("phones"):
        each.fields["selftext"] = "x" * 40_000
    with Simulator(world, now_ts=NOW) as simulator:
        station = Station(simulator)
        tracemalloc.start()
        station.run()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    # The lake itself lies in memory here: 40 MB of rows, and as much on the way.
    assert peak < 400 * 2**20
    assert len(view.rows(station.lake, "reddit/", "submissions")) > 900
