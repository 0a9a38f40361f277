"""A person finds out what is wrong with a lake in a folder, and mends it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from market_opinion.cli import main
from reddit_sim import Simulator

from .conftest import HOUR, Person
from .test_hours_land import T0, busy_hours

NOW = T0 + 12 * HOUR + 300
HOURS = ("--hours", "8")


@pytest.fixture
def someone(reddit, person, world_of) -> Person:
    """A person with a lake of eight hours in which all is well."""
    reader: Person = person(reddit(world_of(*busy_hours(13)), NOW))
    state = reader.lake.state("local")
    state.save_last_run_timestamp("phones", T0 + 4 * HOUR)
    assert reader.types("ingest", "phones", *HOURS, now=NOW).exit_code == 0
    return reader


def findings(someone: Person) -> list[tuple[str, str, str]]:
    answer = someone.json("verify", now=NOW)
    return [(each["severity"], each["kind"], each["place"]) for each in answer["findings"]]


def files(someone: Person, pattern: str) -> list[Path]:
    return sorted(someone.lake.landing.rglob(pattern))


def key_of(someone: Person, file: Path) -> str:
    return file.relative_to(someone.lake.landing).as_posix()


def test_a_sound_lake_is_checked_to_the_last_row_and_nothing_is_written(someone: Person) -> None:
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files(someone, "*") if path.is_file()}
    result = someone.types("verify", now=NOW)
    assert result.exit_code == 0, result.output
    assert "no damage, 0 notes" in result.stdout
    answer = someone.json("verify", "phones", now=NOW)
    data = files(someone, "*.jsonl")
    assert answer["bytes"] == sum(path.stat().st_size for path in data)
    assert answer["rows"] == sum(path.read_bytes().count(b"\n") for path in data) > 100
    assert (answer["windows"], answer["objects"], answer["is_sound"]) == (8, len(data), True)
    after = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files(someone, "*") if path.is_file()}
    assert after == before
    assert someone.types("repair", now=NOW).stdout == "nothing to repair\n"


def test_a_flipped_bit_is_found_with_its_file_and_gone_when_the_file_is_restored(someone: Person) -> None:
    file = files(someone, "comments.jsonl")[3]
    content = file.read_bytes()
    file.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    result = someone.types("verify", now=NOW)
    assert result.exit_code == 1
    assert "1 damage, 0 notes" in result.stdout
    assert findings(someone) == [("damage", "object", key_of(someone, file))]
    file.write_bytes(content)
    assert findings(someone) == []


def test_what_is_lost_for_good_is_deleted_with_its_manifest_and_read_again(someone: Person) -> None:
    status, rows = _told(someone), {name: row["body"] for name, row in someone.rows("phones", "comments").items()}
    folder = someone.lake.landing / "reddit/phones/2026-01-05/140000"
    (folder / "comments.jsonl").unlink()
    assert findings(someone) == [("damage", "object", "reddit/phones/2026-01-05/140000/comments.jsonl")]
    assert someone.types("show", "phones", "--kind", "comments").exit_code == 1
    for manifest in folder.glob("manifest-*"):
        manifest.unlink()

    result = someone.types("repair", now=NOW)
    assert result.exit_code == 3
    assert "2026-01-05T14:00:00Z/2026-01-05T15:00:00Z is still to be read" in result.stderr
    result = someone.types("repair", "--rerun", now=NOW)
    assert result.exit_code == 0, result.output
    # Its record is all that is left of the attempt that is gone.
    assert [(severity, kind) for severity, kind, _ in findings(someone)] == [("note", "run record")]
    assert {name: row["body"] for name, row in someone.rows("phones", "comments").items()} == rows
    assert _told(someone) == status


def _told(someone: Person) -> Any:
    told = someone.json("status", "phones", now=NOW)[0]
    kept = ("start_ts", "status", "submissions", "new_comments")
    return told["watermark"], [{name: window[name] for name in kept} for window in told["windows"]]


@pytest.mark.parametrize("rubbish", [None, b"this is no database, " * 100])
def test_a_lost_state_is_rebuilt_and_status_says_what_it_said_before(someone: Person, rubbish: bytes | None) -> None:
    before = someone.json("status", now=NOW)
    state = someone.lake.root / "state.sqlite"
    state.unlink()
    if rubbish:
        state.write_bytes(rubbish)
        result = someone.types("verify", now=NOW)
        assert result.exit_code == 1
        assert findings(someone) == [("damage", "state", "watermark of r/phones")]
        assert someone.types("repair", now=NOW).exit_code == 1
        state.unlink()
    assert {severity for severity, _, _ in findings(someone)} == {"note"}
    assert someone.types("repair", now=NOW).exit_code == 0
    assert someone.json("status", now=NOW) == before
    assert findings(someone) == []


def test_what_a_killed_run_has_landed_is_adopted(someone: Person, reddit, person, world_of) -> None:
    simulator: Simulator = reddit(world_of(*busy_hours(13)), NOW)
    shaken: Person = person(simulator, "shaken")
    shaken.env["REDDIT_OAUTH_URL"] = shaken.env["REDDIT_URL"] = simulator.url
    _killed_before_its_manifest(shaken)
    orphans = [place for _, kind, place in findings(shaken) if kind == "orphan"]
    assert orphans == ["reddit/phones/2026-01-05/190000/comments.jsonl"]
    assert shaken.types("repair", now=NOW).exit_code == 0
    assert shaken.types("ingest", "phones", now=NOW + 60).exit_code == 0
    steps = shaken.json("repair", now=NOW + 60)["steps"]
    assert [step["place"] for step in steps if step["outcome"] == "done"] == orphans
    assert shaken.json("verify", now=NOW + 60)["findings"] == []


def _killed_before_its_manifest(someone: Person) -> None:
    """Kill a run when the comments of its hour stand in the lake, before anything else is landed."""
    code = (
        "import os, signal, sys\n"
        "from reddit_ingest.storage import FilesystemJsonlWriter as Writer\n"
        "land = Writer.land\n"
        "def dying(self, folder, kind, lines):\n"
        "    landed = land(self, folder, kind, lines)\n"
        "    if '/190000/' in folder and landed:\n"
        "        open(self._root / folder / '.tmp-half', 'w').close()\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return landed\n"
        "Writer.land = dying\n"
        "from market_opinion.cli import main\n"
        "main()\n"
    )
    words = ["ingest", "phones", "--lake", str(someone.lake.root), "--now", str(NOW)]
    done = subprocess.run([sys.executable, "-c", code, *words], env={**os.environ, **someone.env}, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_orphans_and_half_written_files_are_removed_on_demand(someone: Person) -> None:
    folder = someone.lake.landing / "reddit/phones/2026-01-05/140000"
    (folder / "comments-part2.jsonl").write_text('{"half": 1}\n')
    (folder / ".tmp-abc").write_text("half")
    (folder / "notes.txt").write_text("mine")
    assert sorted(kind for _, kind, _ in findings(someone)) == ["leftover", "orphan", "stray"]
    result = someone.types("repair", now=NOW)
    assert result.exit_code == 0
    assert "not adopted, since comments-part2.jsonl does not fit" in " ".join(result.stdout.split())
    assert someone.types("repair", "--drop-orphans", now=NOW).exit_code == 0
    assert [kind for _, kind, _ in findings(someone)] == ["stray"]
    assert not (folder / ".tmp-abc").exists()


def test_failed_hours_are_read_again_and_the_watermark_goes_on(reddit, person, world_of) -> None:
    simulator: Simulator = reddit(world_of(*busy_hours(13)), NOW)
    someone: Person = person(simulator)
    simulator.set_hostile('[{"path": "/r/*/comments", "fault": "status:503", "rate": 1.0}]')
    assert someone.types("ingest", "phones", now=NOW).exit_code == 3
    someone.lake.state("local").save_last_run_timestamp("phones", T0 + 11 * HOUR)
    assert [(severity, kind) for severity, kind, _ in findings(someone)] == [("note", "failed")]
    simulator.set_hostile("[]")
    result = someone.types("repair", "--rerun", now=NOW)
    assert result.exit_code == 0, result.output
    assert someone.watermark("phones") == T0 + 12 * HOUR
    assert findings(someone) == []


def test_a_rerun_without_credentials_says_so_before_anything_is_touched(someone: Person) -> None:
    (someone.lake.root / "state.sqlite").unlink()
    someone.env["REDDIT_CLIENT_ID"] = ""
    result = someone.types("repair", "--rerun", now=NOW)
    assert result.exit_code == 1
    assert "REDDIT_CLIENT_ID is missing" in result.stderr
    assert not (someone.lake.root / "state.sqlite").exists()


def test_a_repair_waits_for_whoever_works_on_the_lake(someone: Person, tmp_path: Path) -> None:
    done = tmp_path / "done"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time, pathlib\n"
            "from reddit_ingest.lake_lock import locked\n"
            "from reddit_ingest.core.ports import Silent\n"
            "with locked(pathlib.Path(sys.argv[1]), Silent()):\n"
            "    print('held', flush=True); time.sleep(2); pathlib.Path(sys.argv[2]).touch()\n",
            str(someone.lake.root),
            str(done),
        ],
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    result = someone.types("repair", now=NOW)
    assert done.exists()
    assert holder.wait(120) == 0
    holder.stdout.close()
    assert result.exit_code == 0
    assert f"process {holder.pid} works on" in result.stderr


def typed(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def test_where_verify_cannot_look_it_exits_2(tmp_path: Path) -> None:
    result = typed("verify", "--lake", str(tmp_path / "nowhere"))
    assert result.exit_code == 2
    assert "no lake at" in result.stderr
    assert result.stderr.count("\n") == 1
    (tmp_path / "lake" / "landing").mkdir(parents=True)
    for words in (["--lake", str(tmp_path / "lake"), "../x"], ["--no-such-option"]):
        assert typed("verify", *words).exit_code == 2
    assert typed("verify", "--lake", str(tmp_path / "lake")).exit_code == 0


def test_a_repair_of_no_lake_makes_none(tmp_path: Path) -> None:
    result = typed("repair", "--lake", str(tmp_path / "nowhere"))
    assert result.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_what_a_file_is_called_cannot_paint_the_terminal(someone: Person) -> None:
    (someone.lake.landing / "reddit/phones/2026-01-05/140000/\x1b[31mred\nline").write_text("x")
    result = someone.types("verify", now=NOW)
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert json.loads(someone.types("verify", "--json", now=NOW).stdout)["findings"][0]["kind"] == "stray"
