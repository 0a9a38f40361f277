"""Questions to the tables in SQL: the documented ones, in every form, at a prompt, and interrupted."""

import csv
import io
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from market_opinion.analysis.warehouse import VIEWS, open_warehouse
from market_opinion.cli import main
from market_opinion.cli.query import _interruptible
from market_opinion.cli.simulator import environment
from reddit_ingest.bootstrap import LocalLake
from reddit_sim import GeneratedWorld, Simulator, SubredditSpec

from ..market_opinion.analysis.zones import mention, zone_of
from .conftest import HOUR, Person

T0 = 1_767_571_200  # 2026-01-05 00:00 UTC
START = T0 + 18 * HOUR
END = START + 12 * HOUR
DOCS = Path(__file__).parents[2] / "docs" / "queries.md"
PATIENCE_S = 120
SLOW = "SELECT count(*) FROM range(100000000) a, range(100000) b WHERE a.range % 7 = b.range % 11"
UNKNOWN = "Which products does the market not know yet?"


@pytest.fixture(scope="module")
def augmented(tmp_path_factory: pytest.TempPathFactory) -> LocalLake:
    """A lake with a night of two subreddits, and its tables; nobody changes it."""
    lake = LocalLake(tmp_path_factory.mktemp("augmented") / "lake")
    world = GeneratedWorld(
        seed=11, start_ts=T0, subreddits=[SubredditSpec("phones", 16, 8), SubredditSpec("tablets", 1, 4)]
    )
    with Simulator(world, now_ts=END + 200) as simulator:
        someone = Person(lake, environment(simulator.url))
        someone.types("backfill", "phones", "tablets", "--start", str(START), "--end", str(END), now=END + 200)
        assert someone.types("augment", "--engine", "lexicon").exit_code == 0
    return lake


@pytest.fixture
def someone(augmented: LocalLake) -> Person:
    return Person(augmented, {})


def questions() -> list[tuple[str, str, str]]:
    """Return the documented questions, their SQL, and what is said of the answer."""
    text = DOCS.read_text(encoding="utf-8").split("## Questions")[1]
    return re.findall(r"^### (.+?)\n```sql\n(.*?)```\n(.*?)(?=^###|\Z)", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("question", "sql", "said"), questions(), ids=[question for question, _, _ in questions()])
def test_a_documented_question_is_answered(someone: Person, question: str, sql: str, said: str) -> None:
    answer = someone.types("query", sql, "--format", "csv")
    assert answer.exit_code == 0, answer.output
    columns, *rows = csv.reader(io.StringIO(answer.stdout))
    assert rows or question == UNKNOWN
    assert [column for column in columns if f"`{column}`" not in said] == []


def test_there_are_a_dozen_questions() -> None:
    assert len(questions()) >= 12
    assert DOCS.read_text(encoding="utf-8").count("```sql") == len(questions())


def test_a_product_that_the_market_does_not_know_is_found() -> None:
    ((_, sql, _),) = [each for each in questions() if each[0] == UNKNOWN]
    zone = zone_of([mention("t1_a", product="unknown", alias="iPhone 99"), mention("t1_b", product="iphone-17")])
    with open_warehouse(zone) as connection:
        assert [row[:3] for row in connection.execute(sql).fetchall()] == [("apple", "iphone 99", 1)]


def test_every_view_and_column_is_documented(someone: Person) -> None:
    text = DOCS.read_text(encoding="utf-8")
    with open_warehouse(someone.lake.augmented().reader) as connection:
        meanings = dict(
            connection.execute("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal").fetchall()
        )
        for view in VIEWS:
            section = text.split(f"### {view}\n")[1].split("\n### ")[0].split("\n## ")[0]
            assert f"A row is {meanings[view]}" in " ".join(section.split()), view
            for column, *_ in connection.execute(f"DESCRIBE {view}").fetchall():
                assert f"`{column}`" in text, (view, column)


def test_every_form_gives_the_same_rows(someone: Person, tmp_path: Path) -> None:
    sql = (
        "SELECT fullname, aspects, p_positive, score, is_counted, date, created FROM mentions ORDER BY fullname, number"
    )
    told = json.loads(someone.types("query", sql, "--json").stdout)
    with open_warehouse(someone.lake.augmented().reader) as connection:
        expected = connection.sql(sql).to_arrow_table().to_pylist()
    assert len(told) == len(expected) > 300
    for row, true in zip(told, expected, strict=True):
        times = {name: true[name].isoformat() for name in ("date", "created")}
        assert row == {**true, **times, "p_positive": pytest.approx(true["p_positive"], rel=1e-6)}
    rows = [*csv.DictReader(io.StringIO(someone.types("query", sql, "--format", "csv").stdout))]
    assert [row["fullname"] for row in rows] == [row["fullname"] for row in told]
    assert [json.loads(row["aspects"]) for row in rows] == [row["aspects"] for row in told]
    file = tmp_path / "answer.parquet"
    assert someone.types("query", sql, "--output", str(file)).exit_code == 0
    assert pq.read_table(file).to_pylist() == expected
    piped = CliRunner().invoke(main, ["query", sql, "--format", "parquet", "--lake", str(someone.lake.root)])
    assert pq.read_table(io.BytesIO(piped.stdout_bytes)).to_pylist() == expected


ODD = """SELECT 1 AS a, 2 AS a, '=1+"2"' AS text, '' AS empty, NULL AS nothing, [1, NULL] AS list, {'k': 'v'} AS struct,
    0.1::FLOAT AS float, sum(i) AS sum, true AS yes, 1 / 0 AS infinite, 1.50::DECIMAL(9, 2) AS decimal,
    interval 1 day AS day, TIMESTAMPTZ '2026-01-01 10:00:00+02' AS moment FROM range(3) t(i)"""


def test_odd_values_keep_their_meaning(someone: Person, tmp_path: Path) -> None:
    assert json.loads(someone.types("query", ODD, "--json").stdout) == [
        {
            "a": 1,
            "a_1": 2,
            "text": '=1+"2"',
            "empty": "",
            "nothing": None,
            "list": [1, None],
            "struct": {"k": "v"},
            "float": 0.1,
            "sum": 3,
            "yes": True,
            "infinite": None,
            "decimal": 1.5,
            "day": "1 day, 0:00:00",
            "moment": "2026-01-01T08:00:00+00:00",
        }
    ]
    assert someone.types("query", ODD, "--format", "csv").stdout.splitlines()[1] == (
        '1,2,"=1+""2""","",,"[1, null]","{""k"": ""v""}",0.1,3,true,inf,1.5,"1 day, 0:00:00",2026-01-01T08:00:00+00:00'
    )
    assert someone.types("query", "SELECT NULL AS x, 'NULL' AS y").stdout.split() == ["x", "y", "NULL", "NULL"]
    file = tmp_path / "odd.parquet"
    refused = someone.types("query", ODD, "--output", str(file))
    assert refused.exit_code == 1
    assert "cast it in the SQL" in refused.stderr
    assert not file.exists()
    without = ODD.replace("interval 1 day AS day,", "")
    assert someone.types("query", without, "--output", str(file)).exit_code == 0
    assert pq.read_table(file)["sum"].to_pylist() == [3]


def test_a_table_is_cut_and_says_so_and_the_others_are_whole(someone: Person, tmp_path: Path) -> None:
    sql = "SELECT i FROM range(100000) t(i) ORDER BY i DESC"
    shown = someone.types("query", sql)
    assert len(shown.stdout.splitlines()) == 1_001
    assert shown.stdout.split()[1] == "99,999"
    assert "the first 1,000 of 100,000 rows" in shown.stderr
    assert len(json.loads(someone.types("query", sql, "--json").stdout)) == 100_000
    assert len(someone.types("query", sql, "--format", "csv").stdout.splitlines()) == 100_001
    file = tmp_path / "all.parquet"
    someone.types("query", sql, "--output", str(file))
    assert pq.read_metadata(file).num_rows == 100_000
    assert someone.types("query", "SELECT 1 WHERE false", "--json").stdout == "[]\n"


def test_many_columns_are_shown_one_below_the_other(someone: Person) -> None:
    shown = someone.types("query", "FROM mentions LIMIT 2").stdout
    assert [line.split() for line in shown.splitlines() if line.startswith("row")] == [["row", "1"], ["row", "2"]]
    assert re.search(r"^brand +\w+ *$", shown, re.MULTILINE)


def test_what_people_wrote_commands_no_terminal(someone: Person) -> None:
    sql = "SELECT 'a' || chr(27) || '[31m' || chr(8238) AS \"[bold]x[/bold]\""
    shown = someone.types("query", sql).stdout
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "[bold]x[/bold]" in shown
    assert json.loads(someone.types("query", sql, "--json").stdout) == [{"[bold]x[/bold]": "a\x1b[31m\u202e"}]
    failed = someone.types("query", "SELECT error('a' || chr(27) || '[31m')")
    assert failed.exit_code == 1
    assert "\x1b" not in failed.stderr


def test_the_sql_may_come_from_a_file_or_from_stdin(someone: Person, tmp_path: Path) -> None:
    script = tmp_path / "some.sql"
    script.write_text(
        "-- ünï\nCREATE TEMP TABLE mine AS FROM mentions;\nSELECT count(*) > 0 AS some FROM mine;\n", "utf-8"
    )
    words = ["query", "--lake", str(someone.lake.root), "--format", "csv"]
    told = [
        CliRunner().invoke(main, [*words, "--file", str(script)]),
        CliRunner().invoke(main, [*words, "-"], input=script.read_text("utf-8")),
        CliRunner().invoke(main, words, input=script.read_text("utf-8")),
    ]
    assert [one.stdout for one in told] == ["some\ntrue\n"] * 3


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["SELEC 1"], 1, ['syntax error at or near "SELEC"', "LINE 1: SELEC 1\n        ^^^^^"]),
        (["SELECT 1;\n\nSELECT br\nFROM mentions"], 1, ['"br" not found', "Candidate", "LINE 3: SELECT br\n  "]),
        (["FROM opinions"], 1, ["there is no view opinions; there are documents, mentions,", "LINE 1"]),
        (["SELECT CAST('x' AS INT)"], 1, ["Could not convert"]),
        (["INSTALL httpfs"], 1, ["nothing is fetched from the network"]),
        (["FROM 'no-such.csv'"], 1, ["no-such.csv"]),
        ([""], 2, ["there is no SQL to run"]),
        (["SELECT 1", "--file", "x.sql"], 2, ["not both"]),
        (["--file", "no-such.sql"], 2, ["'no-such.sql' cannot be read: No such file"]),
        (["SELECT 1", "--output", "answer"], 2, ["add --format csv, json or parquet"]),
        (["SELECT 1", "--output", "no/such/folder.csv"], 2, ["cannot be written: No such file"]),
        (["SELECT 1", "--since", "yesterday"], 2, ["write 2026-01-05"]),
        (["SELECT 1", "--since", "2026-01-06", "--until", "2026-01-05"], 2, ["before they begin"]),
        (["SELECT 1", "--format", "xlsx"], 2, ["is not one of"]),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_told_clearly(
    someone: Person, words: list[str], code: int, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for form in ([], ["--json"]):
        result = someone.types("query", *words, *(form if "--format" not in words and "--output" not in words else []))
        assert result.exit_code == code
        assert [part for part in said if part not in result.stderr] == []
        assert "Traceback" not in result.stderr
        assert str(someone.lake.root) not in result.stderr
    assert [*tmp_path.iterdir()] == []


def test_a_lake_without_tables_says_how_they_are_made(tmp_path: Path) -> None:
    lake = LocalLake(tmp_path / "lake")
    lake.landing.mkdir(parents=True)
    result = Person(lake, {}).types("query", "SELECT 1")
    assert result.exit_code == 2
    assert "run `market-opinion augment` first" in result.stderr


def test_a_damaged_part_is_named_with_what_to_do(someone: Person, tmp_path: Path) -> None:
    lake = LocalLake(shutil.copytree(someone.lake.root, tmp_path / "lake"))
    for part in (lake.root / "augmented" / "mentions").rglob("part.parquet"):
        part.write_bytes(b"PAR1 and nothing else")
    result = Person(lake, {}).types("query", "FROM mentions")
    assert result.exit_code == 1
    assert re.search(r"[\"']augmented/mentions/subreddit=\w+/date=[\d-]+/part.parquet[\"']", result.stderr)
    assert "`market-opinion augment --rebuild` makes them anew" in result.stderr


def test_a_file_that_is_there_is_left_alone(someone: Person, tmp_path: Path) -> None:
    file = tmp_path / "answer.csv"
    file.write_text("mine", encoding="utf-8")
    result = someone.types("query", "SELECT 1", "--output", str(file))
    assert (result.exit_code, file.read_text(encoding="utf-8")) == (2, "mine")
    assert "is there already" in result.stderr


def test_days_that_are_not_asked_for_are_not_in_the_answer(someone: Person) -> None:
    sql = "SELECT DISTINCT date FROM documents ORDER BY date"
    (both, late, early) = (
        someone.types("query", sql, "--format", "csv", *days).stdout.split()[1:]
        for days in ([], ["--since", "2026-01-06"], ["--until", "2026-01-05"])
    )
    assert (both, late, early) == (["2026-01-05", "2026-01-06"], ["2026-01-06"], ["2026-01-05"])


def test_what_was_forgotten_is_not_in_the_answers(someone: Person, tmp_path: Path) -> None:
    person = Person(LocalLake(shutil.copytree(someone.lake.root, tmp_path / "lake")), {})
    sql = "SELECT author FROM quotes WHERE author IS NOT NULL GROUP BY author ORDER BY count(*) DESC, author LIMIT 1"
    victim = person.json("query", sql)[0]["author"]
    tables = ("documents", "mentions", "quotes", "comparisons")
    traces = " UNION ALL ".join(f"SELECT fullname FROM {table} WHERE author = '{victim}'" for table in tables)
    assert person.json("query", traces)
    assert person.types("forget", "--author", victim, "--yes").exit_code == 0
    assert person.types("augment", "--engine", "lexicon").exit_code == 0
    assert person.json("query", traces) == []


class Terminal:
    """`market-opinion query` at a terminal of its own."""

    def __init__(self, lake: LocalLake, folder: Path, *words: str) -> None:
        self.folder = folder
        self._here, there = pty.openpty()
        environ = {**os.environ, "TMPDIR": str(folder), "TERM": "dumb", "COLUMNS": "100"}
        program = [sys.executable, "-m", "market_opinion.cli", "query", "--lake", str(lake.root), *words]
        self.process = subprocess.Popen(
            program, stdin=there, stdout=there, stderr=there, env=environ, start_new_session=True
        )
        STARTED.append(self.process)
        os.close(there)
        self.seen = ""

    def types(self, text: str) -> None:
        os.write(self._here, text.encode())

    def shows(self, text: str) -> str:
        """Wait for a text, and return what stood before it since the last time."""
        end = time.monotonic() + PATIENCE_S
        while text not in self.seen:
            left = end - time.monotonic()
            assert left > 0 and select.select([self._here], [], [], left)[0], self.seen  # noqa: PT018
            try:
                self.seen += os.read(self._here, 65_536).decode(errors="replace")
            except OSError:  # the terminal is closed
                assert text in self.seen, self.seen
        before, _, self.seen = self.seen.partition(text)
        return before

    def ends(self) -> int:
        code = self.process.wait(timeout=PATIENCE_S)
        os.close(self._here)
        assert [*self.folder.iterdir()] == []
        return code


def test_a_prompt_answers_one_question_after_the_other(someone: Person, tmp_path: Path) -> None:
    terminal = Terminal(someone.lake, tmp_path)
    terminal.shows("query> ")
    terminal.types("SELECT 40\n")
    terminal.shows("...> ")
    terminal.types(" + 2 AS answer;\n")
    assert "42" in terminal.shows("query> ")[-40:]
    terminal.types("FROM nothing;\n")
    assert "there is no view nothing" in terminal.shows("query> ")
    terminal.types(".views\n")
    assert "daily_opinion" in terminal.shows("query> ")
    terminal.types(".schema quotes\n")
    assert "permalink" in terminal.shows("query> ")
    terminal.types(".schema no\n")
    assert "one of documents" in terminal.shows("query> ")
    terminal.types("CREATE TEMP TABLE kept AS SELECT 7 AS seven;\n")
    terminal.shows("query> ")
    terminal.types("FROM kept;\n")
    assert "seven" in terminal.shows("query> ")
    terminal.types(".help\n")
    assert ".quit" in terminal.shows("query> ")
    terminal.types("\x04")
    assert terminal.ends() == 0


def test_ctrl_c_at_the_prompt_ends_what_runs_and_nothing_else(someone: Person, tmp_path: Path) -> None:
    terminal = Terminal(someone.lake, tmp_path)
    terminal.shows("query> ")
    terminal.types(f"{SLOW};\n")
    time.sleep(2)
    terminal.process.send_signal(signal.SIGINT)
    terminal.shows("query> ")
    terminal.types("SELECT (\n")
    terminal.shows("...> ")
    time.sleep(0.5)  # a signal between the prompt and the reading is heard with the next key only: Python's own gap
    terminal.process.send_signal(signal.SIGINT)
    terminal.shows("query> ")
    terminal.types("SELECT 40 + 2 AS answer;\n")
    assert "42" in terminal.shows("query> ")[-40:]
    terminal.types(".quit\n")
    assert terminal.ends() == 0


def test_ctrl_c_while_a_statement_is_being_started_leaves_none_running(
    someone: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, ends = ThreadPoolExecutor.submit, []

    def work() -> None:
        try:
            connection.execute("SELECT count(*) FROM range(5000000000) WHERE range % 7 = 3").fetchall()
        except duckdb.InterruptException as end:
            ends.append(end)

    def submit(pool: ThreadPoolExecutor, task: Callable[[], None]) -> object:
        begun = begin(pool, task)
        if task is work:
            raise KeyboardInterrupt
        return begun

    with open_warehouse(someone.lake.augmented().reader) as connection:
        monkeypatch.setattr(ThreadPoolExecutor, "submit", submit)
        with pytest.raises(KeyboardInterrupt):
            _interruptible(connection, work)
        assert len(ends) == 1
        assert connection.execute("SELECT 40 + 2").fetchall() == [(42,)]


def test_a_terminal_gets_no_parquet_and_obeys_no_text(someone: Person, tmp_path: Path) -> None:
    terminal = Terminal(someone.lake, tmp_path, "SELECT 1", "--format", "parquet")
    terminal.shows("Parquet is not for a terminal; add --output FILE")
    assert terminal.ends() == 2
    terminal = Terminal(someone.lake, tmp_path, "SELECT 'a' || chr(27) || '[31m' AS x", "--format", "csv")
    assert "\x1b" not in terminal.shows("a\ufffd[31m")
    assert terminal.ends() == 0


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_interrupted_nothing_is_left_half_written(someone: Person, tmp_path: Path, form: str) -> None:
    folder, file = tmp_path / "temporary", tmp_path / f"answer.{form}"
    folder.mkdir()
    sql = "SELECT i, 'text ' || i AS t FROM range(1000000000) t(i)"
    process = start(someone.lake, folder, sql, "--output", str(file))
    wait_until(lambda: file.exists() and file.stat().st_size > 0)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 3
    assert "Interrupted" in said
    assert [*tmp_path.iterdir()] == [folder]
    assert [*folder.iterdir()] == []


def test_a_reader_that_has_seen_enough_is_no_error(someone: Person, tmp_path: Path) -> None:
    process = start(someone.lake, tmp_path, "FROM range(100000000)", "--format", "csv")
    assert process.stdout
    assert process.stdout.readline() == "range\n"
    process.stdout.close()
    assert process.wait(timeout=PATIENCE_S) == 0
    assert process.stderr
    assert process.stderr.read() == ""
    process.stderr.close()
    assert [*tmp_path.iterdir()] == []


def test_an_error_in_the_middle_leaves_no_file(someone: Person, tmp_path: Path) -> None:
    sql = "SELECT CASE WHEN i = 900000 THEN error('no further') ELSE i END AS i FROM range(1000000) t(i)"
    for form in ("csv", "json", "parquet"):
        result = someone.types("query", sql, "--output", str(tmp_path / f"answer.{form}"))
        assert result.exit_code == 1
        assert "no further" in result.stderr
    assert [*tmp_path.iterdir()] == []


STARTED: list["subprocess.Popen[Any]"] = []


@pytest.fixture(autouse=True)
def _what_is_started_hears_and_ends() -> Iterator[None]:
    # What runs in the background of a shell hears no Ctrl-C, nor does what it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
    while STARTED:
        process = STARTED.pop()
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()


def start(lake: LocalLake, folder: Path, *words: str) -> "subprocess.Popen[str]":
    program = [sys.executable, "-m", "market_opinion.cli", "query", "--lake", str(lake.root), *words]
    environ = {**os.environ, "TMPDIR": str(folder)}
    process = subprocess.Popen(
        program,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
    )
    STARTED.append(process)
    return process


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)
