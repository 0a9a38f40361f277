"""The augmented zone for SQL: DuckDB over its parts, with named views."""

import re
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from importlib.resources import files
from pathlib import Path

import duckdb
import pyarrow as pa

from reddit_ingest.core.errors import DamagedState, InvalidRequest, ObjectMissing, StorageFull
from reddit_ingest.core.ports import StagingReader

from ..augmented_store import PREFIX
from ..documents import SET_ASIDE
from ..tables import COVERAGE, SCHEMAS

VIEWS = ("documents", "mentions", "comparisons", "daily_opinion", "quotes", "threads", "coverage")
"""The views that a warehouse has; `views.sql` says what is in them."""

_TABLES = {**SCHEMAS, "coverage": COVERAGE}
NO_EXTENSIONS = "/dev/null"
"""Where extensions cannot be installed; stands in the error of who tries."""

_HIVE = (("subreddit", "VARCHAR", pa.string()), ("date", "DATE", pa.date32()))
_FETCHES = 16
_PATH_OF_PARTS = re.compile(r"""(["'])[^"']*/parts/(?=augmented/)""")
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    # A name that is no view is an error, never a variable of this program.
    "python_enable_replacements": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # INSTALL would ask the network in spite of enable_external_access.
    "extension_directory": f"{NO_EXTENSIONS}/none",
}


@contextmanager
def open_warehouse(
    zone: StagingReader, first: date | None = None, last: date | None = None, tables: Iterable[str] = tuple(_TABLES)
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield DuckDB with the views of the augmented zone, as it stands now.

    Only parts of the UTC days from `first` to `last` are looked at, where these are given, and only those of `tables`;
    the others are as if they were empty. Parts in a folder are read where they stand; those of a bucket are copied to a
    temporary folder that is gone afterwards, one request a part. The views and what SQL makes live in memory, and
    DuckDB itself reaches for no network.

    Raises:
        InvalidRequest: the parts were written by another version.
        StorageFull: there is no room for the temporary folder.
        DamagedState: DuckDB could not go on, above all because of a part that is none; from where the block is left.
    """
    with tempfile.TemporaryDirectory(prefix="market-opinion-") as folder, _damage_told():
        place = Path(folder)
        staged = _stage(zone, place / "parts", tables, first, last)
        with _connected(place / "parts", staged, first, last) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET enable_progress_bar = false")
            connection.execute(f"SET temp_directory = {_quoted(place / 'spill')}")
            connection.execute("SET allowed_directories = ['/']")
            connection.execute("SET enable_external_access = false")
            yield connection


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as cause:
        raise damage_of(told_by(cause)) from cause


def told_by(error: Exception) -> str:
    """Return what DuckDB says of an error, with the keys of parts in the place of their paths."""
    return _PATH_OF_PARTS.sub(r"\1", str(error))


def damage_of(told: str) -> DamagedState:
    """Return what to tell a person of parts that DuckDB cannot read."""
    first = told.partition("\n")[0]
    return DamagedState(
        f"the tables cannot be read: {first}; if they were changed just now, run this again;"
        " else `market-opinion augment --rebuild` makes them anew"
    )


def tables_behind(sql: str) -> set[str]:
    """Return the tables whose parts SQL needs: all of them, where that cannot be told before it runs.

    Raises:
        duckdb.ParserException: it is no SQL.
    """
    with _connected(Path(), set()) as connection:
        statements = connection.extract_statements(sql)
        try:
            if any(statement.type != duckdb.StatementType.SELECT for statement in statements):
                return set(_TABLES)
            named = {name for statement in statements for name in connection.get_table_names(statement.query)}
        except (duckdb.Error, ValueError):  # DuckDB's Python names not all of its statements
            return set(_TABLES)
    return {table for table in _TABLES if f"part_{table}" in named}


@contextmanager
def _connected(
    place: Path, staged: set[str], first: date | None = None, last: date | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config=_CONFIG) as connection:
        _make_views(connection, place, staged, f"date BETWEEN '{first or date.min}' AND '{last or date.max}'")
        yield connection


def _stage(zone: StagingReader, place: Path, tables: Iterable[str], first: date | None, last: date | None) -> set[str]:
    """Make the parts readable under a folder; return the keys of those that are."""
    wanted = [
        key
        for table in tables
        for key in zone.keys(f"{PREFIX}{table}/")
        if key.endswith("/part.parquet") and _is_between(_day_of(key), first, last)
    ]
    if folder := zone.folder():
        place.mkdir()
        (place / PREFIX).symlink_to((folder / PREFIX).resolve())
        return set(wanted)
    for key in wanted:
        (place / key).parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(_FETCHES) as pool:
        are_there = pool.map(lambda key: _stage_one(zone, key, place / key), wanted)
        return {key for key, is_there in zip(wanted, are_there, strict=True) if is_there}


def _stage_one(zone: StagingReader, key: str, target: Path) -> bool:
    try:
        zone.stage(key, target)
    except ObjectMissing:
        return False  # its day was erased since the zone was listed
    except OSError as cause:
        raise StorageFull(
            f"no room for a copy of {key} in {tempfile.gettempdir()}: {cause.strerror}; free some, name another folder"
            " as TMPDIR, or ask for fewer days"
        ) from cause
    return True


def _day_of(key: str) -> str | None:
    return key.rpartition("/date=")[2].partition("/")[0] if "/date=" in key else None


def _is_between(day: str | None, first: date | None, last: date | None) -> bool:
    return day is None or ((not first or first.isoformat() <= day) and (not last or day <= last.isoformat()))


def _make_views(connection: duckdb.DuckDBPyConnection, place: Path, staged: set[str], days: str) -> None:
    tables = {key.removeprefix(PREFIX).partition("/")[0] for key in staged}
    for table, schema in _TABLES.items():
        name, hive = f"part_{table}", _HIVE[: 1 if table == "coverage" else 2]
        if table in tables:
            parts = place / PREFIX / table / Path(*["*"] * len(hive)) / "part.parquet"
            # Types are told, not guessed: there are subreddits whose names look like numbers.
            types = ", ".join(f"{column}: {kind}" for column, kind, _ in hive)
            source = f"read_parquet({_quoted(parts)}, hive_partitioning = true, hive_types = {{{types}}})"
            condition = "" if table == "coverage" else f" WHERE {days}"
            connection.execute(f"CREATE VIEW {name} AS FROM {source}{condition}")
        else:
            empty = pa.schema([*schema, *(pa.field(column, kind) for column, _, kind in hive)]).empty_table()
            connection.from_arrow(empty).create(name)
    flags = ", ".join(f"'{flag}'" for flag in sorted(SET_ASIDE))
    connection.execute(f"CREATE MACRO set_aside() AS [{flags}]")
    # Known from the names of the parts; max(date) would open every one.
    newest = max(filter(None, map(_day_of, staged)), default=None)
    day = f"'{newest}'" if newest else "NULL"
    connection.execute(f"CREATE MACRO newest_day() AS CAST({day} AS DATE)")
    try:
        connection.execute(files(__package__).joinpath("views.sql").read_text())
    except duckdb.BinderException as cause:
        raise InvalidRequest(
            "the tables were made by another version; run `market-opinion augment` to make them anew"
        ) from cause


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
