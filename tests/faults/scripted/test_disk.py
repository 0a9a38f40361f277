"""Row 25 of the fault table: the disk fails at any call of a run, and what was landed before is intact."""

import errno
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from reddit_ingest import view
from reddit_ingest.bootstrap import LocalLake
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.errors import LakeNotUsable, PlatformError, StorageFull
from reddit_ingest.core.invocation import IngestRequest, Mode
from reddit_ingest.core.items import Line
from reddit_ingest.core.windows import HOUR_S
from reddit_ingest.ingestion_service import RedditIngestionService
from reddit_ingest.local_state import SqliteRunRecorder, SqliteStateStore
from reddit_ingest.pipeline import Pipeline
from reddit_ingest.storage import FilesystemJsonlWriter

from ...fakes import ScriptedSource
from ...slow import one_in
from .conftest import NOW, T0, hours, names_of

LAST = T0 + 2 * HOUR_S
CODES = {"ENOSPC": StorageFull, "EDQUOT": StorageFull, "EIO": LakeNotUsable, "EROFS": LakeNotUsable}
CALLS = {"fsync": 13, "link": 6, "fchmod": 6, "open": 13, "fdopen": 6}
"""How often a run of one hour makes each call at least."""


class Local:
    """The main job into a folder, over and over."""

    def __init__(self, root: Path) -> None:
        self.lake = LocalLake(root)
        self.now = NOW

    def run(self, prefix: str = "reddit/") -> Any:
        clock, state = FixedClock(self.now), self.lake.root / "state.sqlite"
        pipeline = Pipeline(
            RedditIngestionService(ScriptedSource(hours), FilesystemJsonlWriter(self.lake.landing), clock, prefix),
            SqliteStateStore(state, "test"),
            SqliteRunRecorder(state),
            clock,
            environment="test",
            max_windows=24,
            look_back_hours=2,
        )
        (outcome,) = pipeline.run(IngestRequest(Mode.INCREMENTAL, ("phones",)))
        if outcome.trouble:
            raise outcome.trouble
        return outcome

    def seen(self) -> set[str]:
        reader = self.lake.reader()
        return {name for kind in ("submissions", "comments") for name in view.rows(reader, "reddit/", kind)}

    def files(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.lake.landing.rglob("*") if path.is_file()}

    def check_intact(self, before: dict[Path, bytes]) -> None:
        """Nothing changed, nothing half written has a final name, no temporary file is left."""
        after = self.files()
        assert before.items() <= after.items()
        assert not [path for path in after if path.name.startswith(".")]
        for path in after.keys() - before.keys():
            assert after[path].endswith(b"\n")
            assert after[path] in self.whole
        self.seen()

    def learn(self, other: "Local") -> None:
        """Remember what an undisturbed run writes."""
        other.now = self.now
        other.run()
        self.whole = set(other.files().values())


@pytest.fixture
def local(tmp_path: Path) -> Local:
    """A lake that holds an hour and is about to be given the next."""
    made = Local(tmp_path / "lake")
    made.now -= HOUR_S
    made.run()
    made.now += HOUR_S
    model = Local(tmp_path / "model")
    model.now = made.now - HOUR_S
    model.run()
    made.learn(model)
    return made


def failing(real: Callable[..., Any], nth: int, code: int, calls: list[int]) -> Callable[..., Any]:
    def call(*args: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == nth:
            raise OSError(code, os.strerror(code))
        return real(*args, **more)

    return call


CASES = [(call, nth, code) for call, most in CALLS.items() for nth in range(1, most + 1, 1) for code in CODES]


@pytest.mark.parametrize(("call", "nth", "code"), one_in(5, CASES))
def test_a_disk_that_fails_at_any_call_leaves_what_was_there_and_the_next_run_makes_it_good(
    local: Local, monkeypatch: pytest.MonkeyPatch, call: str, nth: int, code: str
) -> None:
    before, calls = local.files(), []
    number = getattr(errno, code)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing(getattr(os, call), nth, number, calls))
        try:
            local.run()
        except PlatformError as told:
            trouble: PlatformError | None = told
        else:
            trouble = None
    assert (trouble is None) == (len(calls) < nth), "a failure is told"
    if trouble:
        _check_told(trouble, CODES[code], str(local.lake.root), os.strerror(number))
    local.check_intact(before)
    local.now += 60
    local.run()
    assert local.seen() == names_of(T0 + HOUR_S, LAST + HOUR_S) | {"t3_late"}


def _check_told(trouble: PlatformError, meaning: type[PlatformError], place: str, what: str) -> None:
    assert isinstance(trouble, meaning)
    assert place in str(trouble)
    assert what in str(trouble)
    assert "\n" not in str(trouble)
    assert trouble.exit_code == 1
    if meaning is StorageFull:
        assert "bytes" in str(trouble)


def test_the_calls_that_are_made_to_fail_are_made(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, list[int]] = {call: [] for call in CALLS}
    with monkeypatch.context() as patch:
        for call, calls in made.items():
            patch.setattr(os, call, failing(getattr(os, call), -1, 0, calls))
        local.run()
    assert all(len(made[call]) >= least for call, least in CALLS.items())


@pytest.mark.parametrize(("nth", "share", "code"), one_in(5, product(range(1, 7), [0.0, 0.5, 1.0], CODES)))
def test_a_disk_that_fails_while_bytes_are_written_leaves_no_half_file(
    local: Local, monkeypatch: pytest.MonkeyPatch, nth: int, share: float, code: str
) -> None:
    before, number, real, opened = local.files(), getattr(errno, code), os.fdopen, []

    class Failing:
        def __init__(self, handle: int, mode: str) -> None:
            opened.append(1)
            self._file, self._fails = real(handle, mode), len(opened) == nth

        def __enter__(self) -> "Failing":
            return self

        def __exit__(self, *_: object) -> None:
            self._file.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def write(self, block: bytes) -> int:
            if self._fails:
                self._file.write(block[: int(len(block) * share)])
                raise OSError(number, os.strerror(number))
            return int(self._file.write(block))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdopen", Failing)
        with pytest.raises(CODES[code]) as told:
            local.run()
    _check_told(told.value, CODES[code], str(local.lake.root), os.strerror(number))
    local.check_intact(before)
    local.now += 60
    local.run()
    assert local.seen() == names_of(T0 + HOUR_S, LAST + HOUR_S) | {"t3_late"}


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("says", ["database or disk is full", "disk I/O error", "attempt to write a readonly database"])
def test_a_state_file_that_cannot_be_written_is_told_and_what_was_landed_is_there(
    local: Local, monkeypatch: pytest.MonkeyPatch, nth: int, says: str
) -> None:
    opened: list[int] = []
    real = sqlite3.connect

    def connect(*args: Any, **more: Any) -> Any:
        opened.append(1)
        if len(opened) == nth:
            raise sqlite3.OperationalError(says)
        return real(*args, **more)

    before = local.files()
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", connect)
        with pytest.raises(LakeNotUsable, match=rf"state\.sqlite: {says}"):
            local.run()
    local.check_intact(before)
    local.now += 60
    local.run()
    assert local.seen() == names_of(T0 + HOUR_S, LAST + HOUR_S) | {"t3_late"}


@pytest.mark.parametrize("prefix", ["x" * 256 + "/", "ü" * 128 + "/", "x/" * 2_100])
def test_a_name_that_is_too_long_is_told_with_its_place(local: Local, prefix: str) -> None:
    before = local.files()
    with pytest.raises(LakeNotUsable, match="File name too long") as told:
        local.run(prefix)
    assert prefix[:100] in str(told.value)
    local.check_intact(before)


# A real file system that is full.


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"there is no mount here: {error}")
    if done.returncode:
        pytest.skip(f"a file system of 1 MiB cannot be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.parametrize("size", [300_000, 700_000, 2_000_000])
def test_on_a_disk_of_one_mebibyte_a_lake_fills_up_and_stays_whole(small_disk: Path, size: int) -> None:
    writer = FilesystemJsonlWriter(small_disk / "landing")
    landed: dict[str, bytes] = {}

    def fill() -> None:
        for number in range(20):
            folder = f"reddit/phones/2026-01-01/{number:02d}0000/"
            line = bytes([97 + number]) * (size - 1) + b"\n"
            (made,) = writer.land(folder, "comments", [Line(line, T0)])
            landed[folder + made.name] = line

    with pytest.raises(StorageFull, match=r"no room for .* bytes at .*; free some space and run again") as told:
        fill()
    assert str(small_disk) in str(told.value)
    files = [path for path in small_disk.rglob("*") if path.is_file()]
    assert {path.relative_to(small_disk / "landing").as_posix(): path.read_bytes() for path in files} == landed


def test_on_a_disk_that_is_read_only_the_place_is_told(small_disk: Path) -> None:
    local = Local(small_disk / "lake")
    local.run()
    before = local.files()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    local.now += HOUR_S
    with pytest.raises(LakeNotUsable, match=str(small_disk)):
        local.run()
    assert local.files() == before
    assert local.seen() == names_of(LAST, LAST + HOUR_S) | {"t3_late"}
