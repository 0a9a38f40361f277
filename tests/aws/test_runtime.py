"""The zip under Lambda's own runtime client, from cold start to landed hour, and what it logs."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reddit_ingest.core.windows import HOUR_S, last_settled_end
from reddit_sim import GeneratedWorld, Simulator, SubredditSpec

from ..conftest import SECRET
from ..emulator import Deployment
from .runtime import Run, run_function

DAY_S = 86_400


@pytest.fixture
def reddit_now() -> Iterator[Simulator]:
    """A simulated Reddit whose clock is the machine's, as the function's is."""
    now = int(time.time())
    world = GeneratedWorld(
        seed=5, start_ts=(now - 2 * DAY_S) // DAY_S * DAY_S, subreddits=[SubredditSpec("phones", 6, 4)]
    )
    with Simulator(world, now_ts=now, ticking=True) as simulator:
        yield simulator


def served(
    code: Path, runtime: Path, deployment: Deployment, reddit: Simulator, events: list[dict[str, object]], **more: str
) -> Run:
    """Serve events with the rights that the specification grants, and no others."""
    variables = {
        **deployment.environ(),
        **deployment.sdk(keys=deployment.role(deployment.granted())),
        "REDDIT_OAUTH_URL": reddit.url,
        "REDDIT_URL": reddit.url,
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        **more,
    }
    return run_function(code, runtime, events, variables)


def test_a_cold_and_a_warm_start_land_the_hour_once(
    code: Path, runtime: Path, deployment: Deployment, reddit_now: Simulator
) -> None:
    run = served(code, runtime, deployment, reddit_now, [{}, {}])
    assert [outcome for outcome, _ in run.answers] == ["response", "response"], run.log
    cold, warm = (answer["subreddits"][0]["windows"] for _, answer in run.answers)
    assert [window["status"] for window in cold] == ["complete"]
    assert warm == [] or warm[0]["window_start_ts"] == cold[0]["window_end_ts"]
    assert int(deployment.watermark("phones") or 0) in (ends := last_settled_end(int(time.time())), ends - HOUR_S)
    assert reddit_now.stats()["tokens"] == 1


def test_the_log_is_json_with_a_field_for_every_fact(
    code: Path, runtime: Path, deployment: Deployment, reddit_now: Simulator
) -> None:
    run = served(code, runtime, deployment, reddit_now, [{}], AWS_LAMBDA_LOG_LEVEL="INFO")
    (landed,) = [line for line in run.logged() if line["message"].startswith("window landed")]
    answer = run.answers[0][1]["subreddits"][0]["windows"][0]
    assert landed["level"] == "INFO"
    assert (landed["subreddit"], landed["status"], landed["mode"]) == ("phones", "complete", "incremental")
    assert (landed["submissions"], landed["comments"]) == (answer["submissions_count"], answer["comments_count"])
    assert landed["requestId"]


@pytest.mark.parametrize("fault", ["", "token-401", "not-json"])
def test_no_log_at_any_level_holds_the_secret(
    code: Path, runtime: Path, deployment: Deployment, reddit_now: Simulator, fault: str
) -> None:
    if fault:
        reddit_now.set_hostile(json.dumps([{"path": "*", "fault": fault}]))
    run = served(code, runtime, deployment, reddit_now, [{}], AWS_LAMBDA_LOG_LEVEL="DEBUG")
    assert run.log
    assert (run.answers[0][0] == "error") == bool(fault)
    everything = run.log + json.dumps(run.answers)
    assert SECRET["REDDIT_CLIENT_ID"] not in everything
    assert SECRET["REDDIT_CLIENT_SECRET"] not in everything
