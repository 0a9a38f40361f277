"""What an impatient user and an attacker type: one clear line, the documented exit code, nothing half written."""

import errno
import os
import socket
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from market_opinion.cli import main

from .conftest import HOUR, Person
from .test_hours_land import T0, busy_hours

NOW = T0 + 5 * HOUR + 300
NAMES = [
    "../x",
    "a/b",
    "a%2fb",
    "x\0y",
    "a" * 300,
    "..",
    "",
    " ",
    "ａndroid",
    "a\nb",
    "-rf",
    "CON.",
    "r/android",
    "a" * 22,
]


@pytest.fixture
def someone(reddit, person, world_of) -> Person:
    return person(reddit(world_of(*busy_hours(8)), NOW))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("words", [["ingest"], ["backfill", "--start", "0", "--end", "1"], ["status"], ["show"]])
def test_a_name_that_reddit_could_not_have_given_is_a_usage_error(someone: Person, words: list[str], name: str) -> None:
    someone.lake.landing.mkdir(parents=True)
    result = (
        someone.types(*words, "--", name)
        if False
        else CliRunner().invoke(main, [*words, "--lake", str(someone.lake.root), "--", name], env=someone.env)
    )
    assert result.exit_code == 2, result.output
    assert len(result.stderr.strip().splitlines()[-1]) < 300
    assert [path for path in someone.lake.root.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        ("yesterday", "2026-01-05", "is no time"),
        ("2026-13-01", "2026-01-05", "is no time"),
        ("9" * 30, "2026-01-05", "is no time"),
        ("2026-01-05", "2026-01-04", "start_ts < end_ts"),
        ("1999-01-01", "2026-01-04", "start_ts < end_ts"),
        ("2036-01-01", "2036-01-02", "try an earlier range"),
        ("2007-01-01", "2026-01-04", "split the range"),
    ],
)
def test_wrong_dates_are_usage_errors_that_show_how_to_write_them(
    someone: Person, start: str, end: str, says: str
) -> None:
    result = someone.types("backfill", "phones", "--start", start, "--end", end, now=NOW)
    assert result.exit_code == 2
    assert says in result.stderr
    assert not someone.lake.root.exists()


@pytest.mark.parametrize("missing", ["REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET", "REDDIT_USER_AGENT"])
def test_a_missing_credential_is_named_with_the_way_to_do_without(someone: Person, missing: str) -> None:
    someone.env[missing] = ""
    result = someone.types("ingest", "phones", now=NOW)
    assert result.exit_code == 1
    assert result.stderr.strip().startswith(f"Error: {missing} is missing in the environment")
    assert "market-opinion demo" in result.stderr
    assert not someone.lake.root.exists()


def test_no_subreddit_at_all_is_a_usage_error(someone: Person) -> None:
    result = someone.types("ingest", now=NOW)
    assert result.exit_code == 2
    assert "no subreddit" in result.stderr


def test_a_lake_that_cannot_be_written_is_named(someone: Person) -> None:
    someone.lake.root.parent.mkdir(parents=True, exist_ok=True)
    someone.lake.root.write_text("a file where the lake should be")
    result = someone.types("ingest", "phones", now=NOW)
    assert result.exit_code == 1
    assert str(someone.lake.root) in result.stderr


def test_a_lake_that_is_not_there_is_named(someone: Person) -> None:
    for words in (["status"], ["show", "phones"]):
        result = someone.types(*words)
        assert result.exit_code == 1
        assert f"no lake at {someone.lake.root}" in result.stderr
        assert not someone.lake.root.exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_stops_the_run_and_leaves_nothing_half_written(
    someone: Person, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def full(handle: int) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        result = someone.types("ingest", "phones", now=NOW)
    assert result.exit_code == 1
    assert "no room" in result.stderr
    assert [path for path in someone.lake.landing.rglob("*") if path.is_file()] == []
    assert someone.types("ingest", "phones", now=NOW).exit_code == 0


def test_a_port_that_is_taken_is_named_with_the_option_to_change_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = CliRunner().invoke(main, ["simulator", "--port", str(taken.getsockname()[1])])
    assert result.exit_code == 1
    assert "choose another with --port" in result.stderr


@pytest.mark.parametrize("plan", ["{", "[1]", '[{"fault": "nonsense"}]', "random:x", "/no/such/file"])
def test_a_broken_hostile_plan_is_a_usage_error(plan: str) -> None:
    result = CliRunner().invoke(main, ["simulator", "--port", "0", "--hostile", plan])
    assert result.exit_code == 2, result.output
    assert "--hostile" in result.stderr


def test_a_damaged_watermark_is_an_error_that_touches_nothing(someone: Person) -> None:
    assert someone.types("ingest", "phones", now=NOW).exit_code == 0
    files = sorted(someone.lake.landing.rglob("*"))
    for damaged in (-3_600, 4_102_444_800, T0 + 17, 0):
        someone.lake.state("local").save_last_run_timestamp("phones", damaged)
        result = someone.types("ingest", "phones", now=NOW + HOUR)
        assert result.exit_code == 1
        assert str(damaged) in result.stderr
        assert someone.watermark("phones") == damaged
        assert sorted(someone.lake.landing.rglob("*")) == files


def test_every_command_has_help_with_an_example() -> None:
    names = main.list_commands(click.Context(main))
    assert len(names) >= 13
    for name in names:
        command = main.get_command(click.Context(main), name)
        assert command, name
        result = CliRunner().invoke(main, [name, "--help"])
        assert result.exit_code == 0
        assert f"market-opinion {name}" in result.stdout, name
        assert command.get_short_help_str()


def test_hostile_text_from_reddit_cannot_speak_to_the_terminal(reddit, person, world_of) -> None:
    from .conftest import submission

    nasty = "\x1b[2J\x1b]0;owned\x07 \u202egnp.exe \x9b31m"
    post = submission(1, T0 + 4 * HOUR + 5, title=nasty, selftext=nasty, author="evil\x1b[31m")
    reader: Person = person(reddit(world_of([post]), NOW))
    assert reader.types("ingest", "phones", now=NOW).exit_code == 0
    shown = reader.types("show", "phones").stdout
    assert "t3_s00001" in shown
    assert not set("\x1b\x07\x9b\u202e") & set(shown)
    assert reader.json("show", "phones")["title"] == nasty


def test_the_lake_path_may_hold_spaces_and_letters_of_any_script(reddit, person, world_of, tmp_path: Path) -> None:
    reader: Person = person(reddit(world_of(*busy_hours(8)), NOW), "mein See 🐟 水")
    assert reader.types("ingest", "phones", now=NOW).exit_code == 0
    assert reader.types("status", now=NOW).exit_code == 0
