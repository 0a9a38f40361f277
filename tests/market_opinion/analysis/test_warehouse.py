"""DuckDB over the augmented zone: what stands in the parts, and nothing else."""

import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from market_opinion.analysis.warehouse import VIEWS, open_warehouse, tables_behind
from market_opinion.augmented_store import part_key
from market_opinion.documents import BOT
from market_opinion.tables import COVERAGE, SCHEMAS, from_parquet
from reddit_ingest.core.errors import InvalidRequest, StorageFull
from reddit_ingest.storage import FilesystemLakeReader

from ...fakes import MemoryLake
from ...lakes import T0
from .zones import DAY, comparison, document, mention, zone_of

FIRST, SECOND = date(2026, 1, 1), date(2026, 1, 2)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files, which is empty afterwards."""
    folder = tmp_path / "it's temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert [*folder.iterdir()] == []


def two_days() -> MemoryLake:
    return zone_of(
        [
            mention("t1_a", "apple", label="positive", aspects=["battery"]),
            mention("t1_b", "google", label="negative", flags=[BOT]),
            mention("t1_c", "apple", created_utc=T0 + DAY),
        ],
        comparisons=[comparison("t1_a", "apple", "google")],
    )


def in_folder(zone: MemoryLake, root: Path) -> FilesystemLakeReader:
    for key, content in zone.objects.items():
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(content)
    return FilesystemLakeReader(root)


def test_rows_are_those_of_the_parts_with_the_day_and_subreddit_of_their_path() -> None:
    zone = two_days()
    with open_warehouse(zone) as connection:
        for table in SCHEMAS:
            columns = ", ".join(f'"{name}"' for name in SCHEMAS[table].names)
            for key in (key for key in zone.objects if f"/{table}/" in key):
                day = key.rpartition("/date=")[2].partition("/")[0]
                sql = f"SELECT {columns} FROM part_{table} WHERE date = '{day}' AND subreddit = 'phones'"
                assert connection.sql(sql).to_arrow_table().to_pylist() == from_parquet(zone.objects[key]).to_pylist()


def test_an_empty_zone_has_the_same_views_with_the_same_columns() -> None:
    described = []
    for zone in (two_days(), MemoryLake()):
        with open_warehouse(zone) as connection:
            described.append({view: connection.execute(f"DESCRIBE {view}").fetchall() for view in VIEWS})
            assert all(connection.execute(f"FROM {view}").fetchall() is not None for view in VIEWS)
    assert described[0] == described[1]


def test_times_are_utc_and_what_is_set_aside_is_told() -> None:
    with open_warehouse(two_days()) as connection:
        rows = connection.execute("SELECT created, opinion, is_counted FROM mentions ORDER BY fullname").fetchall()
        hour = connection.execute("SELECT date, hour, is_whole FROM coverage ORDER BY hour LIMIT 1").fetchone()
        assert connection.execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)
    assert rows == [
        (datetime(2026, 1, 1), 1, True),  # noqa: DTZ001
        (datetime(2026, 1, 1), -1, False),  # noqa: DTZ001
        (datetime(2026, 1, 2), 0, True),  # noqa: DTZ001
    ]
    assert hour == (FIRST, datetime(2026, 1, 1), True)  # noqa: DTZ001


@pytest.mark.parametrize(("first", "last", "found"), [(SECOND, None, "c"), (None, FIRST, "ab"), (FIRST, SECOND, "abc")])
def test_other_days_are_left_alone(first: date | None, last: date | None, found: str) -> None:
    zone = two_days()
    with open_warehouse(zone, first, last) as connection:
        names = [name for (name,) in connection.execute("SELECT fullname FROM mentions ORDER BY 1").fetchall()]
        assert connection.execute("SELECT newest_day()").fetchone() == (last or SECOND,)
    assert names == [f"t1_{letter}" for letter in found]


def test_a_subreddit_whose_name_is_a_number_is_a_name() -> None:
    zone = two_days()
    for key in [*zone.objects]:
        zone.objects[key.replace("=phones/", "=1984/")] = zone.objects.pop(key)
    with open_warehouse(zone) as connection:
        assert connection.execute(
            "SELECT DISTINCT subreddit FROM quotes JOIN coverage USING (subreddit)"
        ).fetchall() == [("1984",)]


@pytest.mark.parametrize("name", ["a lake", "it's", 'say "lake"', "[lake]", "l*ke", "l?ke", "{a,b}", "ünï", "$HOME;--"])
def test_a_lake_may_have_any_name(tmp_path: Path, name: str) -> None:
    zone = in_folder(two_days(), tmp_path / name)
    in_folder(zone_of([mention("t1_x")]), tmp_path / "lake")
    with open_warehouse(zone) as connection:
        assert connection.execute("SELECT count(*) FROM quotes").fetchone() == (3,)


def test_a_day_that_is_erased_while_it_is_listed_is_not_there() -> None:
    class Changing(MemoryLake):
        def keys(self, prefix: str) -> Iterator[str]:
            yield from [*super().keys(prefix)]
            self.objects.pop(part_key("mentions", "phones", "2026-01-02"), None)

    zone = Changing()
    zone.objects.update(two_days().objects)
    with open_warehouse(zone) as connection:
        assert connection.execute("SELECT date, count(*) FROM mentions GROUP BY date").fetchall() == [(FIRST, 2)]
        assert connection.execute("SELECT count(*) FROM documents").fetchone() == (3,)


def test_a_day_that_is_erased_later_is_not_there_either(tmp_path: Path) -> None:
    zone = in_folder(two_days(), tmp_path / "lake")
    with open_warehouse(zone) as connection:
        (tmp_path / "lake" / part_key("mentions", "phones", "2026-01-02")).unlink()
        assert connection.execute("SELECT date, count(*) FROM mentions GROUP BY date").fetchall() == [(FIRST, 2)]


def test_parts_of_another_version_are_told_of() -> None:
    zone = two_days()
    key = part_key("mentions", "phones", "2026-01-01")
    zone.objects[key] = zone.objects[part_key("documents", "phones", "2026-01-01")]
    with pytest.raises(InvalidRequest, match="another version; run `market-opinion augment`"), open_warehouse(zone):
        pass


def test_a_folder_without_room_for_the_copies_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(MemoryLake):
        def stage(self, key: str, target: Path) -> None:
            Path("/dev/full").write_bytes(self.read(key))

    zone = Full()
    zone.objects.update(two_days().objects)
    with pytest.raises(StorageFull, match="name another folder as TMPDIR"), open_warehouse(zone):
        pass


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT sum(mentions) FROM daily_opinion", {"daily_opinion"}),
        ("FROM quotes", {"mentions", "documents"}),
        ("FROM threads; FROM coverage", {"documents", "coverage"}),
        ("WITH mentions AS (SELECT 1) FROM mentions", set()),
        ("FROM Mentions WHERE EXISTS (FROM comparisons)", {"mentions", "comparisons"}),
        ("SHOW TABLES", set()),
        ("FROM query_table('men' || 'tions')", {*SCHEMAS, "coverage"}),
        ("CREATE VIEW mine AS FROM mentions; FROM mine", {*SCHEMAS, "coverage"}),
        ("UPDATE EXTENSIONS", {*SCHEMAS, "coverage"}),
        ("FROM no_such", set()),
    ],
)
def test_what_sql_needs_is_known_before_it_runs(sql: str, tables: set[str]) -> None:
    assert tables_behind(sql) == tables


def test_tables_that_are_not_needed_are_not_copied(temporary: Path) -> None:
    with open_warehouse(two_days(), tables=["daily_opinion", "mentions"]) as connection:
        copied = {path.relative_to(temporary).parts[3] for path in temporary.rglob("*.parquet")}
        assert copied == {"mentions"}
        assert connection.execute("SELECT count(*) FROM mentions").fetchone() == (3,)
        assert connection.execute("SELECT count(*) FROM documents").fetchone() == (0,)


@pytest.mark.parametrize(
    "sql",
    [
        "INSTALL httpfs",
        "INSTALL httpfs FROM community",
        "LOAD httpfs",
        "FROM 'https://127.0.0.1:9/a.parquet'",
        "FROM 'a.xlsx'",
    ],
)
def test_nothing_is_fetched_from_the_network(sql: str) -> None:
    with open_warehouse(two_days()) as connection:
        connection.execute("SELECT count(*) FROM mentions").fetchall()
        with pytest.raises(duckdb.Error, match=r"/dev/null|disabled|does not exist"):
            connection.execute(sql)
        with pytest.raises(duckdb.Error, match="Cannot enable external access"):
            connection.execute("SET enable_external_access = true")


def test_a_name_that_is_no_view_is_no_variable_of_the_program() -> None:
    rows = from_parquet(two_days().objects[part_key("mentions", "phones", "2026-01-01")])
    assert rows.num_rows
    with open_warehouse(two_days()) as connection, pytest.raises(duckdb.CatalogException):
        connection.execute("FROM rows")


def test_threads_tell_what_reddit_counts_and_what_was_seen() -> None:
    zone = zone_of(
        documents=[
            document("t3_1", kind="submissions", num_comments=5, title="A phone", thread="t3_1", created_utc=T0 - 60),
            document("t1_a", created_utc=T0),
            document("t1_b", created_utc=T0 + DAY),
        ]
    )
    with open_warehouse(zone) as connection:
        sql = "SELECT date, thread, title, comments_told, comments_seen FROM threads"
        assert connection.execute(sql).fetchall() == [(date(2025, 12, 31), "t3_1", "A phone", 5, 2)]


def test_coverage_has_its_columns_even_of_one_subreddit() -> None:
    with open_warehouse(two_days(), date.max, date.max) as connection:
        assert connection.execute("SELECT count(*) FROM coverage").fetchone() == (24,)
        columns = [name for name, *_ in connection.execute("DESCRIBE part_coverage").fetchall()]
    assert columns == [*COVERAGE.names, "subreddit"]
