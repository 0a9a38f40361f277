"""The augmented zone for SQL: DuckDB over its parts, with named views."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from importlib.resources import files
from pathlib import Path

import duckdb
import pyarrow as pa

from reddit_ingest.core.errors import InvalidRequest, ObjectMissing
from reddit_ingest.core.ports import StagingReader

from ..augmented_store import PREFIX
from ..documents import SET_ASIDE
from ..tables import COVERAGE, SCHEMAS

VIEWS = ("documents", "mentions", "comparisons", "daily_opinion", "quotes", "threads", "coverage")
"""The views that a warehouse has; `views.sql` says what is in them."""

_FETCHES = 16
_HIVE = {"subreddit": pa.string(), "date": pa.date32()}


@contextmanager
def open_warehouse(
    zone: StagingReader, first: date | None = None, last: date | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield DuckDB with the views of the augmented zone, as it stands now.

    Only parts of the UTC days from `first` to `last` are looked at, where these are given. Parts in a folder are read
    where they stand; of a bucket, they are copied to a temporary folder that is gone afterwards, one request a part.
    Nothing that SQL does here changes the zone, and DuckDB itself reaches for no network.

    Raises:
        InvalidRequest: the parts were written by another version.
    """
    with tempfile.TemporaryDirectory(prefix="market-opinion-") as folder:
        place = Path(folder)
        staged = _stage(zone, place / "parts", first, last)
        with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET enable_progress_bar = false")
            connection.execute(f"SET temp_directory = '{place / 'spill'}'")
            _make_views(connection, place / "parts", staged)
            yield connection


def _stage(zone: StagingReader, place: Path, first: date | None, last: date | None) -> set[str]:
    """Make the parts readable under a folder; return the tables that have any."""
    wanted = []
    for table in (*SCHEMAS, "coverage"):
        for key in zone.keys(f"{PREFIX}{table}/"):
            day = key.rpartition("/date=")[2].partition("/")[0] if "/date=" in key else None
            if key.endswith("/part.parquet") and _is_between(day, first, last):
                wanted.append((table, key))
    for _, key in wanted:
        (place / key).parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(_FETCHES) as pool:
        there = pool.map(lambda one: one[0] if _stage_one(zone, one[1], place / one[1]) else None, wanted)
        return {table for table in there if table}


def _stage_one(zone: StagingReader, key: str, target: Path) -> bool:
    try:
        zone.stage(key, target)
    except ObjectMissing:
        return False  # its day was erased since the zone was listed
    return True


def _is_between(day: str | None, first: date | None, last: date | None) -> bool:
    return day is None or ((not first or first.isoformat() <= day) and (not last or day <= last.isoformat()))


def _make_views(connection: duckdb.DuckDBPyConnection, place: Path, staged: set[str]) -> None:
    for table, schema in {**SCHEMAS, "coverage": COVERAGE}.items():
        name = f"part_{table}"
        if table in staged:
            parts = place / PREFIX / table
            depth = "*/part.parquet" if table == "coverage" else "*/*/part.parquet"
            connection.read_parquet(str(parts / depth), hive_partitioning=True).create_view(name)
        else:
            hive = [field for field in _HIVE.items() if field[0] == "subreddit" or table != "coverage"]
            empty = pa.schema([*schema, *(pa.field(*field) for field in hive)]).empty_table()
            connection.from_arrow(empty).create(name)
    flags = ", ".join(f"'{flag}'" for flag in sorted(SET_ASIDE))
    connection.execute(f"CREATE MACRO set_aside() AS [{flags}]")
    try:
        connection.execute(files(__package__).joinpath("views.sql").read_text())
    except duckdb.BinderException as cause:
        raise InvalidRequest(
            "the tables were made by another version; run `market-opinion augment` to make them anew"
        ) from cause
