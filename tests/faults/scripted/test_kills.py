"""Rows 26 and 27 of the fault table: processes that are killed at a call or at any moment, and two on one lake.

The processes are forks of this one: real, killed by the kernel, and there at once. `tests/journeys/test_kill.py` kills
the command line itself.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reddit_ingest import view
from reddit_ingest.core.errors import LakeBusy
from reddit_ingest.core.ports import Silent
from reddit_ingest.core.windows import HOUR_S
from reddit_ingest.lake_lock import locked

from ...slow import one_in
from .conftest import NOW, T0, names_of
from .test_disk import Local

LAST = T0 + 2 * HOUR_S
POINTS = [
    (call, nth, when)
    for call, most in {"fsync": 13, "link": 6, "fchmod": 6, "unlink": 6}.items()
    for nth in range(1, most + 1)
    for when in ("before", "after")
]


@pytest.fixture(autouse=True)
def no_pauses() -> None:
    """Here time passes."""


def forked(work: Callable[[], Any]) -> int:
    """Do some work in a process of its own and return its id."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return child


def killing(call: str, nth: int, when: str) -> None:
    """Let this process be killed before or after the nth call from now."""
    real, calls = getattr(os, call), []

    def call_and_die(*args: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == nth and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **more)
        if len(calls) == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(os, call, call_and_die)


@pytest.fixture
def local(tmp_path: Path) -> Local:
    """A lake that holds an hour and is about to be given the next."""
    made = Local(tmp_path / "lake")
    made.now -= HOUR_S
    made.run()
    made.now += HOUR_S
    return made


def check_after_the_kill(local: Local, before: dict[Path, bytes]) -> None:
    after = {path: content for path, content in local.files().items() if not path.name.startswith(".")}
    assert before.items() <= after.items()
    assert all(content.endswith(b"\n") for content in after.values()), "a final name holds the whole object"
    assert names_of(T0 + HOUR_S, LAST) <= local.seen()
    watermark = local.lake.state("test").load_last_run_timestamp("phones")
    committed = {state.window.end_ts for state in view.ledger(local.lake.reader(), "reddit/phones/")}
    assert watermark in committed
    local.now += 60
    local.run()
    assert local.seen() == names_of(T0 + HOUR_S, LAST + HOUR_S) | {"t3_late"}
    assert local.lake.state("test").load_last_run_timestamp("phones") == LAST + HOUR_S


@pytest.mark.parametrize(("call", "nth", "when"), one_in(3, POINTS))
def test_killed_at_a_call_the_lake_is_whole_and_the_next_run_goes_on(
    local: Local, call: str, nth: int, when: str
) -> None:
    def work() -> None:
        killing(call, nth, when)
        local.run()

    before = local.files()
    _, status = os.waitpid(forked(work), 0)
    assert os.WIFSIGNALED(status), "the call was made"
    check_after_the_kill(local, before)


@pytest.mark.parametrize("seed", one_in(3, range(50)))
def test_killed_at_any_moment_the_lake_is_whole_and_the_next_run_goes_on(local: Local, seed: int) -> None:
    before = local.files()
    child = forked(local.run)
    time.sleep(random.Random(seed).uniform(0.0, 0.015))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    check_after_the_kill(local, before)


# Two processes on one lake.


@pytest.mark.parametrize("seed", one_in(2, range(20)))
def test_two_processes_that_take_turns_land_everything_once(tmp_path: Path, seed: int) -> None:
    local = Local(tmp_path / "lake")

    def work() -> None:
        time.sleep(random.Random(os.getpid() + seed).uniform(0.0, 0.003))
        with locked(local.lake.root, Silent()):
            local.run()

    for child in [forked(work) for _ in range(2)]:
        assert os.waitpid(child, 0)[1] == 0
    assert local.seen() == names_of(LAST, LAST + HOUR_S) | {"t3_late"}
    (state,) = view.ledger(local.lake.reader(), "reddit/phones/")
    assert state.attempts == 1, "the second found nothing new"


@pytest.mark.parametrize("seed", range(10))
def test_two_processes_without_the_lock_double_nothing_either(tmp_path: Path, seed: int) -> None:
    local = Local(tmp_path / "lake")

    def work() -> None:
        local.now = NOW + os.getpid() % 7
        local.run()

    for child in [forked(work) for _ in range(2)]:
        assert os.waitpid(child, 0)[1] == 0
    assert local.seen() == names_of(LAST, LAST + HOUR_S) | {"t3_late"}


def holding(root: Path) -> int:
    """Return a process that holds the lock."""
    ready, begun = os.pipe()

    def work() -> None:
        with locked(root, Silent()):
            os.write(begun, b".")
            time.sleep(60)

    child = forked(work)
    os.read(ready, 1)
    return child


@pytest.mark.parametrize("patience", [0.0, 0.5, 5.0])
def test_a_lake_that_another_process_holds_is_told_with_its_id(tmp_path: Path, patience: float) -> None:
    child = holding(tmp_path)
    slept: list[float] = []
    try:
        with (
            pytest.raises(LakeBusy, match=f"is locked by process {child}, .*run again") as told,
            locked(tmp_path, Silent(), patience, slept.append),
        ):
            pytest.fail("two hold one lock")
        assert told.value.exit_code == 3
        assert patience <= sum(slept) <= patience + 1
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGABRT])
def test_the_lock_of_a_process_that_died_is_nobodys(tmp_path: Path, how: signal.Signals) -> None:
    child = holding(tmp_path)
    os.kill(child, how)
    os.waitpid(child, 0)
    with locked(tmp_path, Silent(), 0.0):
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"
