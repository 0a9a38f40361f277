"""The ingestion function between a scripted source and AWS in this process: a run costs some milliseconds."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from reddit_ingest import reddit_client, view
from reddit_ingest.bootstrap_aws import IngestionFunction
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.coverage import Coverage, CoverageStatus
from reddit_ingest.core.ports import Deadline, Reading, WindowReading
from reddit_ingest.core.windows import HOUR_S, Window, last_settled_end

from ...conftest import SECRET
from ...fakes import Crash, ScriptedSource
from ...pauses import skip_pauses
from .in_process_aws import InProcessAws, Sdk

T0 = 1_767_225_600  # 2026-01-01 00:00 UTC
NOW = T0 + 3 * HOUR_S + 300
COMPLETE = Coverage(CoverageStatus.COMPLETE, "read 3 items on 1 pages")
WATERMARK = "/reddit-ingest/prod/phones/last_run_ts"
ENVIRON = {
    "LANDING_BUCKET_NAME": "landing-zone",
    "REDDIT_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:reddit",
    "SUBREDDITS": "phones",
    "ENVIRONMENT": "prod",
    "MAX_HOURLY_WINDOWS_PER_RUN": "24",
}
_SDK = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_ENDPOINT_URL": "http://aws.invalid",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}


@pytest.fixture(scope="session")
def sdk() -> Sdk:
    """One set of clients for all cases."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _SDK.items():
            patch.setenv(name, value)
        return Sdk()


@pytest.fixture
def scripted(sdk: Sdk, monkeypatch: pytest.MonkeyPatch) -> Sdk:
    """The same, and a function made now reads what its lab's source shows instead of Reddit."""
    sdk.connections.clear()

    def source(connection: object) -> ScriptedSource:
        sdk.connections.append(connection)
        return sdk.source

    monkeypatch.setattr("reddit_ingest.bootstrap_aws.RedditApiSource", source)
    return sdk


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries pause for seconds; here nobody waits, and every case has the retries of a new process."""
    skip_pauses(monkeypatch)
    monkeypatch.setattr(reddit_client, "_FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda self, context: 0)
    monkeypatch.setattr("botocore.retries.quota.RetryQuota.acquire", lambda self, amount: True)


def submission(name: str, created: int, **fields: Any) -> dict[str, Any]:
    """Return a submission as the API lists it."""
    return {"name": f"t3_{name}", "id": name, "created_utc": float(created), "title": name, "selftext": "", **fields}


def comment(name: str, created: int, link: str, **fields: Any) -> dict[str, Any]:
    """Return a comment as the API lists it."""
    return {"name": f"t1_{name}", "id": name, "created_utc": float(created), "body": "fine", "link_id": link, **fields}


def hours(subreddit: str, windows: Sequence[Window], deadline: Deadline | None = None) -> Reading:
    """A source that sees a submission and two comments in every hour, one item that came late, and one unusable."""
    readings = [_hour(window) for window in windows]
    readings[-1].submissions.append(submission("unusable", windows[-1].start_ts, score=float("nan")))
    late = WindowReading(Window(T0 - HOUR_S, T0), [submission("late", T0 - 9)])
    return Reading(readings, [late], requests=3)


def _hour(window: Window) -> WindowReading:
    start = window.start_ts
    answers = [comment(f"{n}x{start}", start + n, f"t3_{start}") for n in (1, 2)]
    claims = {"submissions": COMPLETE, "comments": COMPLETE}
    return WindowReading(window, [submission(str(start), start + 1)], answers, claims)


def names_of(start_ts: int, end_ts: int) -> set[str]:
    """Return the fullnames that `hours` shows of a span."""
    starts = range(start_ts, end_ts, HOUR_S)
    return {name for start in starts for name in (f"t3_{start}", f"t1_1x{start}", f"t1_2x{start}")}


class Lab:
    """The function, invoked over and over against one account; every invocation is a cold start."""

    def __init__(self, sdk: Sdk) -> None:
        self.sdk = sdk
        self.aws = sdk.account = InProcessAws(secret=json.dumps(SECRET))
        self.clients = sdk.clients
        self.source = sdk.source = ScriptedSource(hours)
        self.now = NOW
        self.first = last_settled_end(NOW) - HOUR_S

    def function(self, **settings: str) -> IngestionFunction:
        """Return the function as a new process has it, but for the clients."""
        function = IngestionFunction({**ENVIRON, **settings}, FixedClock(self.now))
        function._clients = self.clients
        return function

    def invoke(
        self, event: Mapping[str, Any] | None = None, left_ms: Callable[[], int] = lambda: 600_000, **settings: str
    ) -> dict[str, Any]:
        """Return the answer to an event."""
        return self.function(**settings).serve(event or {}, left_ms)

    def dies(self, point: int) -> bool:
        """Let an invocation die after so many calls; False where it needed no more than these."""
        self.aws.die_at(point)
        try:
            self.invoke()
        except Crash:
            return True
        finally:
            self.aws.fault = lambda action, nth: None
        return False

    @property
    def watermark(self) -> int | None:
        """The watermark, as a number."""
        value = self.aws.parameters.get(WATERMARK)
        return None if value is None else int(value)

    @watermark.setter
    def watermark(self, value: object) -> None:
        self.aws.parameters[WATERMARK] = str(value)

    def seen(self) -> set[str]:
        """Return every fullname that the lake shows."""
        return {name for kind in ("submissions", "comments") for name in view.rows(self.aws.lake(), "reddit/", kind)}

    def check_promises(self) -> None:
        """What must hold at any moment: the watermark passes only hours that are committed; objects never change."""
        states = {state.window.start_ts: state for state in view.ledger(self.aws.lake(), "reddit/phones/")}
        for start in range(self.first, self.watermark or self.first, HOUR_S):
            assert states[start].status.moves_watermark, f"the watermark has passed {start}"
        self.seen()  # raises where an object is missing or was changed

    def check_whole(self, start_ts: int, end_ts: int) -> None:
        """What must hold in the end: everything is there, each once, and the watermark stands behind it."""
        self.check_promises()
        assert self.seen() == names_of(start_ts, end_ts) | {"t3_late"}
        assert self.watermark == end_ts
        windows = {state.window.start_ts for state in view.ledger(self.aws.lake(), "reddit/phones/")}
        assert windows == set(range(start_ts, end_ts, HOUR_S))
        runs = {int(sk.split("#")[1]) for _, sk in self.aws.items if sk.startswith("RUN#")}
        assert runs == windows


@pytest.fixture
def lab(scripted: Sdk) -> Lab:
    """A lab whose account is empty."""
    return Lab(scripted)


@pytest.fixture
def three_hours(lab: Lab) -> Lab:
    """A lab that is three hours behind."""
    lab.watermark = lab.first = T0
    return lab
