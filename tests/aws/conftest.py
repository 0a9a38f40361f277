"""The ingestion function in this process, between a simulated Reddit and an emulated AWS."""

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reddit_ingest import aws, reddit_client
from reddit_ingest.bootstrap_aws import IngestionFunction
from reddit_ingest.clocks import FixedClock
from reddit_sim import GeneratedWorld, Simulator, SubredditSpec

from ..emulator import Deployment, Wire
from ..pauses import skip_pauses
from .runtime import lay_out_runtime
from .zipped import build

HOUR = 3_600
T0 = 1_767_571_200  # 2026-01-05 00:00 UTC: the world begins
NOW = T0 + 30 * HOUR + 300
LAST = T0 + 29 * HOUR
"""The start of the last full hour."""

SUBREDDITS = [
    SubredditSpec("phones", 6, 4),
    SubredditSpec("tablets", 2, 3),
    SubredditSpec("closed", access="private"),
    SubredditSpec("gone", access="banned"),
]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries pause for seconds; here nobody waits."""
    skip_pauses(monkeypatch)
    monkeypatch.setattr(reddit_client, "_FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda self, context: 0)
    assert aws.CLIENT_CONFIG.retries["total_max_attempts"] == 4


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The function's zip."""
    return build(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="session")
def code(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip, unpacked."""
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Lambda's Python brings along."""
    return lay_out_runtime(tmp_path_factory.mktemp("runtime"))


@pytest.fixture
def reddit() -> Iterator[Simulator]:
    """A small simulated Reddit."""
    with Simulator(GeneratedWorld(seed=5, start_ts=T0, subreddits=SUBREDDITS), now_ts=NOW) as simulator:
        yield simulator


@dataclass
class Invoker:
    """Invokes the function as Lambda would and remembers nothing between tests."""

    deployment: Deployment
    wire: Wire
    reddit: Simulator
    environ: dict[str, str]
    function: IngestionFunction
    clock: FixedClock

    def invoke(self, event: Mapping[str, Any] | None = None, left_ms: Callable[[], int] = lambda: 600_000) -> Any:
        """Return the answer as JSON would carry it."""
        return json.loads(json.dumps(self.function.serve(event or {}, left_ms)))

    def later(self, hours: int, warm: bool = True) -> "Invoker":
        """Return the function some hours later, in the same process or a new one."""
        now = self.clock.ts + hours * HOUR
        self.reddit.clock.set(now)
        clock = FixedClock(now)
        function = self.function if warm else IngestionFunction(self.environ, clock)
        function._clock = clock
        return Invoker(self.deployment, self.wire, self.reddit, self.environ, function, clock)

    def with_settings(self, **settings: str) -> "Invoker":
        """Return a cold function with other settings."""
        environ = {**self.environ, **settings}
        function = IngestionFunction(environ, self.clock)
        return Invoker(self.deployment, self.wire, self.reddit, environ, function, self.clock)

    def spoil_reddit(self, path: str, fault: str, **rule: Any) -> None:
        """Let Reddit answer badly."""
        self.reddit.set_hostile(json.dumps([{"path": path, "fault": fault, **rule}]))

    def visible(self, subreddit: str, start_ts: int, end_ts: int) -> set[str]:
        """Return what Reddit would show of a span now."""
        return self.reddit.visible_in(subreddit, start_ts, end_ts)


@pytest.fixture
def lambda_(deployment: Deployment, wire: Wire, reddit: Simulator, monkeypatch: pytest.MonkeyPatch) -> Invoker:
    """The function with the rights that the specification grants, and no others."""
    for name, value in deployment.sdk(wire.endpoint, deployment.role(deployment.granted())).items():
        monkeypatch.setenv(name, value)
    environ = {**deployment.environ(), "REDDIT_OAUTH_URL": reddit.url, "REDDIT_URL": reddit.url}
    clock = FixedClock(NOW)
    return Invoker(deployment, wire, reddit, environ, IngestionFunction(environ, clock), clock)


def recorded_windows(invoker: Invoker) -> int:
    """Return how many windows have been recorded so far, by anyone on this wire."""
    return invoker.wire.calls.count("cloudwatch:PutMetricData")
