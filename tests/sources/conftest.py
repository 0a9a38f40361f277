"""The archive's client and source, pointed at a simulator."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from reddit_ingest import arctic_client
from reddit_ingest.arctic_client import ArcticShiftConnection
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.ports import Reading
from reddit_ingest.core.settings import ArcticShiftEndpoint
from reddit_ingest.core.windows import hourly
from reddit_ingest.sources.arctic_shift import ArcticShiftSource
from reddit_sim import Simulator, World

HOUR = 3_600
T0 = 1_767_600_000


class NoDeadline:
    def remaining_s(self) -> float:
        return float("inf")


@dataclass
class Listener:
    """Hears of pauses."""

    pauses: list[tuple[float, str]] = field(default_factory=list)

    def page(self, *_: object) -> None:
        pass

    def waiting(self, seconds: float, why: str) -> None:
        self.pauses.append((seconds, why))

    def window(self, record: object) -> None:
        pass


@dataclass
class Reader:
    """Reads a simulator's archive, without waiting for anything."""

    simulator: Simulator
    slept: list[float] = field(default_factory=list)
    listener: Listener = field(default_factory=Listener)

    def __post_init__(self) -> None:
        self.connection = ArcticShiftConnection(ArcticShiftEndpoint(self.simulator.url), self.slept.append)
        self.source = ArcticShiftSource(self.connection, FixedClock(self.simulator.clock.now()))

    def read(self, start: int, end: int, subreddit: str = "phones", **options: object) -> Reading:
        """Read the hours of a span in one pass."""
        options = {"deadline": NoDeadline(), "progress": self.listener, **options}
        return self.source.read(subreddit, hourly(start, end), **options)  # type: ignore[arg-type]


def found(reading: Reading, kind: str) -> Sequence[str]:
    """Return the ids that a reading placed into its windows, in order."""
    return [item["id"] for window in reading.windows for item in getattr(window, kind)]


@pytest.fixture(autouse=True)
def no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests follow each other at once; longer pauses are counted, not waited for."""
    monkeypatch.setattr(arctic_client, "PACE_S", 0.0)


@pytest.fixture
def archive() -> Iterator[Callable[..., Reader]]:
    """Start simulators that end with the test, a week after the things in them."""
    started: list[Simulator] = []

    def start(world: World, now_ts: int = T0 + 7 * 24 * HOUR, **more: object) -> Reader:
        started.append(Simulator(world, now_ts=now_ts, **more).__enter__())  # type: ignore[arg-type]
        return Reader(started[-1])

    yield start
    for simulator in started:
        simulator.__exit__(None, None, None)
