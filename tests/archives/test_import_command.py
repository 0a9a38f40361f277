"""`market-opinion import` as a person types it: real processes, real files, kills."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from market_opinion.cli import importing as command
from market_opinion.cli import main
from reddit_ingest.archives import memory, parallel

from ..slow import one_in
from .making import DAY, MARCH, Lake, comment, frame, month, submission, text, write


def types(lake: Lake, *words: object) -> Result:
    result = CliRunner().invoke(main, ["import", *map(str, words), "--lake", str(lake.root)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result


def test_real_dumps_import_whole(lake: Lake, shared_data: Path) -> None:
    folder = shared_data / "reddit" / "pushshift"
    result = types(lake, *sorted(folder.glob("*.gz")), "--json")
    assert result.exit_code == 0, result.output
    told = {outcome["file"]: outcome for outcome in json.loads(result.stdout)}
    assert told["AskWomen_2019-10_submissions.ndjson.gz"]["rows"] == 8_271
    assert told["RC_2005-12_comments.ndjson.gz"]["rows"] == 1_075
    assert len(lake.rows("askwomen", "submissions")) == 8_271
    old = lake.rows("reddit.com")
    with gzip.open(folder / "RC_2005-12_comments.ndjson.gz") as file:
        recorded = [json.loads(raw) for raw in file]
    assert len(recorded[0]) == 18
    assert {name: row["body"] for name, row in old.items()} == {f"t1_{row['id']}": row["body"] for row in recorded}


def test_the_answer_names_every_file_and_what_was_landed(tmp_path: Path, lake: Lake) -> None:
    one = write(tmp_path / "RC_2025-03.zst", text(month(300)))
    two = write(tmp_path / "RS_2025-03.gz", text([submission(n, MARCH + n * DAY) for n in range(31)]))
    result = types(lake, one, two, one, "--subreddit", "Smartphones", "--jobs", 2)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["RC_2025-03.zst", "RS_2025-03.gz"]
    assert " ".join(lines[1].split()[1:-1]) == "comments 2025-03-01 00:00 2025-04-01 00:00 1 31 100"
    assert types(lake, one, "--subreddit", "smartphones").stdout.splitlines()[1].endswith("done before")


def test_names_may_come_from_a_file(tmp_path: Path, lake: Lake) -> None:
    (tmp_path / "names.txt").write_text("# phones\nr/Smartphones\n\nother_1  # noise\n")
    path = write(tmp_path / "RC_2025-03.zst", text(month(300)))
    assert types(lake, path, "--subreddits-file", tmp_path / "names.txt").exit_code == 0
    assert {row["subreddit"] for row in lake.all_rows().values()} == {"Smartphones", "Other_1"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing.zst"], "there is no file missing.zst"),
        ([], "Missing argument"),
        (["{dump}", "--subreddit", "../etc"], "not a subreddit name"),
        (["{dump}", "--subreddits-file", "{empty}"], "names no subreddit"),
        (["{dump}", "--start", "2025-03-02", "--end", "2025-03-01"], "--start lies before --end"),
        (["{dump}", "--start", "yesterday"], "is no time"),
        (["{dump}", "--jobs", "0"], "--jobs"),
        (["{folder}"], "there is no file"),
    ],
)
def test_bad_input_is_one_clear_line_and_touches_nothing(
    tmp_path: Path, lake: Lake, words: list[str], said: str
) -> None:
    places = {
        "{dump}": write(tmp_path / "x.zst", text([comment(1, MARCH)])),
        "{empty}": write(tmp_path / "empty.txt", b"# nothing\n"),
        "{folder}": tmp_path,
    }
    result = types(lake, *(places.get(word, word) for word in words))
    assert result.exit_code == 2
    assert said in result.stderr
    assert not lake.root.exists()


def test_a_damaged_file_does_not_keep_the_others_out(tmp_path: Path, lake: Lake) -> None:
    damaged = tmp_path / "RC_2025-03.zst"
    damaged.write_bytes(frame(text(month(300)))[:-30])
    fine = write(tmp_path / "RS_2025-03.zst", text([submission(1, MARCH)]))
    for jobs in (1, 2):
        result = types(lake, damaged, fine, "--jobs", jobs)
        assert result.exit_code == 1
        assert "Error: RC_2025-03.zst" in result.stderr
        assert lake.all_rows("submissions").keys() == {"t3_s000001"}


def test_a_large_window_is_announced_and_too_many_at_a_time_are_not_begun(
    tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = []
    for name in ("RC_2025-03.zst", "RC_2025-04.zst"):
        paths.append(tmp_path / name)
        paths[-1].write_bytes(frame(text(month(30)), 1, window_log=31))
    for module in (memory, parallel):
        monkeypatch.setattr(module, "available_bytes", lambda: 3 * 2**30)
    result = types(lake, *paths, "--jobs", 2)
    assert result.exit_code == 0
    assert "RC_2025-03.zst needs 2,048 MiB of memory for its window (zstd --long); 3,072 MiB are free" in result.stderr
    assert "there is memory for 1 of these files at a time, not for 2" in result.stderr
    for module in (memory, parallel):
        monkeypatch.setattr(module, "available_bytes", lambda: 2**30)
    result = types(Lake(tmp_path / "other"), paths[0])
    assert result.exit_code == 1
    assert "needs 2,144 MiB of memory, and 1,024 MiB are free" in result.stderr


def test_progress_tells_bytes_rows_a_second_and_the_time_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_LINE_EVERY_S", -1.0)
    meter = command._Meter([write(tmp_path / "a", b"x" * 1_000), write(tmp_path / "b", b"x" * 3_000)])
    meter._began -= 10
    meter.went(0, 1_000, 5_000, 20)
    meter.went(1, 1_000, 5_000, 30)
    assert capsys.readouterr().err.splitlines()[1].startswith("50 % of 0.00 GB in 2 files, ")
    meter.went(1, 1_000, 5_000, 30)
    assert "rows/s, 50 kept, 0:00:10 left" in capsys.readouterr().err


def start(lake: Lake, paths: list[Path]) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "market_opinion.cli", "import", *map(str, paths), "--lake", str(lake.root)]
    return subprocess.Popen(
        [*words, "--jobs", "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], Lake]:
    """Six files of many days, and the lake that an undisturbed import makes of them."""
    folder = tmp_path_factory.mktemp("year")
    paths = [
        write(
            folder / f"file{number}_comments.zst",
            text(
                comment(n * 10 + number, MARCH + n * DAY // 90 + number * 40 * DAY, f"Sub{n % 3}") for n in range(900)
            ),
        )
        for number in range(6)
    ]
    calm = Lake(folder / "calm")
    assert types(calm, *paths).exit_code == 0
    return paths, calm


@pytest.mark.parametrize("seed", one_in(2, range(4)))
def test_killed_at_any_moment_and_run_again_the_view_is_the_same_and_finished_files_are_not_read(
    year: tuple[list[Path], Lake], tmp_path: Path, seed: int
) -> None:
    paths, calm = year
    shaken = Lake(tmp_path / "shaken")
    process = start(shaken, paths)
    wanted = random.Random(seed).randrange(5)
    while process.poll() is None and finished(shaken) < wanted:
        time.sleep(0.002)
    time.sleep(random.Random(seed).random() * 0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    wait_for_orphans(process.pid)

    done = finished(shaken)
    result = types(shaken, *paths, "--json")
    assert result.exit_code == 0, result.output
    assert sum(outcome["was_done"] for outcome in json.loads(result.stdout)) == done
    assert shaken.all_rows() == calm.all_rows()
    for subreddit in ("sub0", "sub1", "sub2"):
        assert shaken.states(subreddit) == calm.states(subreddit)
    assert not list((shaken.root / "imports").glob("*.spool"))


def finished(lake: Lake) -> int:
    journals = list((lake.root / "imports").glob("*.json"))
    return sum(json.loads(journal.read_bytes())["result"] is not None for journal in journals)


def wait_for_orphans(group: int) -> None:
    """Wait until the processes that read the files have noticed that nobody listens."""
    for _ in range(500):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    pytest.fail("a process went on although the one that started it is gone")


def test_a_process_that_is_killed_is_told_and_the_other_file_lands(
    tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = write(tmp_path / "one.zst", text([comment(1, MARCH)]))
    two = write(tmp_path / "two.zst", text([comment(2, MARCH)]))
    real = parallel._work

    def work(importer, path, request, wire) -> None:  # type: ignore[no-untyped-def]
        if path == one:
            os.kill(os.getpid(), signal.SIGKILL)
        real(importer, path, request, wire)

    monkeypatch.setattr(parallel, "_work", work)
    result = types(lake, one, two, "--jobs", 2)
    assert result.exit_code == 1
    assert "one.zst: its import was ended from outside (exit code -9); run it again" in result.stderr
    assert lake.all_rows().keys() == {"t1_c000002"}


def test_a_process_that_nobody_listens_to_ends() -> None:
    context = get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    ours.close()
    process = context.Process(target=parallel._Afar(theirs).went, args=(1, 2, 3))
    process.start()
    process.join()
    assert process.exitcode == 1


def test_ctrl_c_ends_every_process_and_says_that_nothing_is_lost(year: tuple[list[Path], Lake], tmp_path: Path) -> None:
    paths, calm = year
    shaken = Lake(tmp_path / "shaken")
    process = start(shaken, paths)
    while process.poll() is None and not finished(shaken):
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    if process.returncode != 0:  # it may just have been done
        assert process.returncode == 3
        assert said.decode().strip().splitlines()[-1].startswith("Interrupted: every finished window is safe")
    wait_for_orphans(process.pid)
    assert types(shaken, *paths).exit_code == 0
    assert shaken.all_rows() == calm.all_rows()
