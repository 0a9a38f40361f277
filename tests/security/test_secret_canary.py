"""S1: on no path through any fault, at no level of logging, does the key to Reddit appear anywhere.

`tests/aws/test_function.py` shows it on the emulator for some; here every call meets every fault.
"""

import logging
import traceback
from collections.abc import Iterator

import pytest

from reddit_ingest.core.errors import PlatformError
from reddit_ingest.core.settings import RedditCredentials
from reddit_sim import HostilePlan, Simulator

from ..conftest import SECRET
from ..emulator import LOSE_REPLY, RESET, Reply
from ..faults.scripted import station as stations
from ..faults.scripted.conftest import Lab
from ..faults.scripted.in_process_aws import TIMEOUT_AFTER, TIMEOUT_BEFORE
from ..faults.scripted.station import NOW, Station, Strikes, busy_world

CANARIES = (SECRET["REDDIT_CLIENT_ID"], SECRET["REDDIT_CLIENT_SECRET"], "simulated-token")
ACTIONS = [
    "s3:PutObject", "ssm:GetParameter", "ssm:PutParameter", "dynamodb:PutItem", "cloudwatch:PutMetricData",
    "secretsmanager:GetSecretValue",
]  # fmt: skip
FAULTS: dict[str, Reply | str] = {
    "throttled": Reply(400, b'{"__type":"ThrottlingException","message":"slow"}'),
    "500": Reply(500, b"{}"),
    "503 in HTML": Reply(503, b"<html>busy</html>"),
    "denied": Reply(403, b'{"__type":"AccessDeniedException","message":"no"}'),
    "missing": Reply(404, b'{"__type":"ResourceNotFoundException","message":"none"}'),
    "no sense": Reply(200, b"<html>"),
    "cut": Reply(200, b'{"SecretString": "{\\"REDDIT_CLIENT_SECRET\\": \\"' + SECRET["REDDIT_CLIENT_SECRET"].encode()),
    "reset": RESET,
    "reply lost": LOSE_REPLY,
    "timeout before": TIMEOUT_BEFORE,
    "timeout after": TIMEOUT_AFTER,
}


def whole_story(error: BaseException | None) -> str:
    """Return all that an error and its causes would tell."""
    told = ""
    while error is not None:
        told += "".join(traceback.format_exception(error)) + repr(error) + repr(error.args)
        error = error.__cause__ or error.__context__
    return told


@pytest.mark.parametrize("times", [1, 99])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("action", ACTIONS)
def test_no_fault_of_aws_brings_the_secret_to_light(
    lab: Lab, caplog: pytest.LogCaptureFixture, action: str, fault: str, times: int
) -> None:
    caplog.set_level(logging.DEBUG)
    lab.aws.spoil(action, FAULTS[fault], times=times)
    error: BaseException | None = None
    try:
        lab.invoke()
    except PlatformError as told:
        error = told
    check_nowhere(
        whole_story(error),
        caplog.text,
        *(str(vars(record)) for record in caplog.records),
        *map(str, lab.aws.items.values()),
        *(content.decode() for content in lab.aws.objects.values()),
        str(lab.aws.figures),
        str(lab.aws.parameters),
    )


def check_nowhere(*texts: str) -> None:
    assert not [(canary, text[:300]) for canary in CANARIES for text in texts if canary in text]


@pytest.fixture(scope="module")
def busy() -> Iterator[Simulator]:
    with Simulator(busy_world(4), now_ts=NOW) as simulator:
        yield simulator


def test_the_canary_is_seen_where_nobody_keeps_the_libraries_quiet(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    function = lab.function()
    logging.getLogger("botocore").setLevel(logging.DEBUG)
    function.serve({}, lambda: 600_000)
    assert SECRET["REDDIT_CLIENT_SECRET"] in caplog.text, "so the tests above can fail"


@pytest.mark.parametrize("always", [True, False], ids=["always", "once"])
@pytest.mark.parametrize("fault", [name for name in HostilePlan.names() if name != "hang"])
def test_no_fault_of_reddit_brings_the_secret_to_light(
    busy: Simulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: str, always: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    for library in ("praw", "prawcore", "urllib3"):
        logging.getLogger(library).setLevel(logging.DEBUG)
    monkeypatch.setattr(stations, "CREDENTIALS", RedditCredentials.from_mapping(SECRET))
    path = "/api/v1/access_token" if fault.startswith("token") else "/r/phones/*"
    station = Station(busy)
    station.hostile(Strikes(path, fault, times=1e9 if always else 1))
    error: BaseException | None = None
    try:
        station.run()
    except PlatformError as told:
        error = told
    finally:
        station.hostile(None)
        logging.getLogger("urllib3").setLevel(logging.NOTSET)
    check_nowhere(
        whole_story(error),
        caplog.text,
        *(content.decode() for content in station.lake.objects.values()),
        str(station.recorder.runs),
    )
