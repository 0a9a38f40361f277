"""A process that is killed at any moment leaves a lake from which the next run goes on."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from reddit_sim import Simulator

from ..slow import one_in
from .conftest import HOUR, Person
from .test_hours_land import T0, busy_hours

NOW = T0 + 30 * HOUR + 300


def start(someone: Person, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "market_opinion.cli", *words, "--lake", str(someone.lake.root), "--now", str(NOW)]
    return subprocess.Popen(
        command, env={**os.environ, **someone.env}, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )


@pytest.mark.parametrize("seed", one_in(3, range(8)))
def test_killed_at_a_random_moment_and_run_again_the_view_is_the_same(reddit, person, world_of, seed: int) -> None:
    simulator: Simulator = reddit(world_of(*busy_hours(31)), NOW)
    words = ("backfill", "phones", "--start", str(T0 + 6 * HOUR), "--end", str(T0 + 30 * HOUR))
    calm, shaken = person(simulator, "calm"), person(simulator, "shaken")
    assert calm.types(*words, now=NOW).exit_code == 0

    process = start(shaken, *words)
    folder = shaken.lake.landing / "reddit" / "phones"
    target = random.Random(seed).randrange(24)
    while process.poll() is None and sum(1 for _ in folder.glob("*/*/manifest-*")) < target:
        time.sleep(0.001)
    time.sleep(random.Random(seed + 100).random() * 0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()

    assert shaken.types(*words, now=NOW).exit_code == 0
    for kind in ("submissions", "comments"):
        assert shaken.rows("phones", kind) == calm.rows("phones", kind)
    assert not [path for path in folder.rglob("*.jsonl") if path.stat().st_size == 0]


def test_ctrl_c_says_that_finished_windows_are_safe_and_exits_3(reddit, person, world_of) -> None:
    simulator: Simulator = reddit(
        world_of(*busy_hours(31)), NOW, hostile='[{"path": "/r/*/comments", "fault": "hang", "rate": 1.0}]'
    )
    someone: Person = person(simulator)
    command = [
        sys.executable,
        "-m",
        "market_opinion.cli",
        "ingest",
        "phones",
        "--lake",
        str(someone.lake.root),
        "--now",
        str(NOW),
    ]
    process = subprocess.Popen(
        command, env={**os.environ, **someone.env}, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    while not simulator.stats()["requests_total"]:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 3
    assert errors.decode().strip().splitlines()[-1].startswith("Interrupted: every finished window is safe")
