"""Answers to SQL as a table for people, or as CSV, JSON or Parquet for programs, batch by batch."""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, time
from decimal import Decimal
from typing import Any, BinaryIO

import click
import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.markup import escape
from rich.text import Text

from reddit_ingest.core.errors import DamagedState, FixConfiguration, InvalidRequest

from ..analysis.warehouse import NO_EXTENSIONS, VIEWS, damage_of, told_by
from .display import console, harmless, table

TABLE, CSV, JSON, PARQUET = FORMATS = ("table", "csv", "json", "parquet")
TABLE_ROWS = 1_000
"""So many rows of an answer are shown as a table."""

_BATCH_ROWS = 65_536
_NARROWEST = 10  # where columns would be narrower than this, each row is a list of its own
_DONE = ["Success"]  # the columns of what answers nothing
_QUOTED = re.compile(r'[",\r\n]|^$')
_UNKNOWN = re.compile(r"Catalog Error: Table with name (.+?) does not exist!")


def answer(connection: duckdb.DuckDBPyConnection, sql: str, form: str, target: BinaryIO) -> None:
    """Run statements, and write what the last one answers; a table goes to the console, all else to `target`.

    Raises:
        FixConfiguration: DuckDB cannot answer it; the message is its own, with the place in the SQL.
        DamagedState: it cannot read a part.
    """
    try:
        queries = _queries(connection, sql)
        if not queries:
            raise InvalidRequest("there is no SQL to run; for example: SELECT count(*) FROM mentions")
        for query in queries[:-1]:
            connection.execute(query)
            connection.abort()  # its rows are not wanted
        _WRITERS[form](connection, queries[-1], target)
    except duckdb.Error as cause:
        raise refusal(cause) from cause


def _queries(connection: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    """Return the statements one by one, each so far down that DuckDB counts its lines as a person does."""
    found: list[str] = []
    above = 0
    for statement in connection.extract_statements(sql):
        found.append("\n" * above + statement.query)
        above += statement.query.count("\n")
    return found


def refusal(error: Exception) -> FixConfiguration | DamagedState:
    """Return what to tell a person of an error of DuckDB: its first lines, and where in the SQL it is."""
    told, mark, place = harmless(told_by(error)).partition("\nLINE ")
    first, *more = (line for line in told.split("\n") if line)
    pointer = f"\nLINE {place}" if mark else ""
    if unknown := _UNKNOWN.match(first):
        return FixConfiguration(f"there is no view {unknown[1]}; there are {', '.join(VIEWS)}{pointer}")
    if NO_EXTENSIONS in first:
        return FixConfiguration("there are no extensions here: nothing is fetched from the network")
    if "augmented/" in first and "part.parquet" in first:
        return damage_of(first)
    return FixConfiguration(
        "\n".join([first, *(line for line in more if mark or line.startswith("Candidate"))]) + pointer
    )


def _print_table(connection: duckdb.DuckDBPyConnection, query: str, _: BinaryIO) -> None:
    connection.execute(query)
    columns = [name for name, *_ in connection.description or []]
    rows = connection.fetchmany(TABLE_ROWS + 1)
    connection.abort()
    if columns == _DONE and not rows:
        return
    names, shown, out = list(map(harmless, columns)), rows[:TABLE_ROWS], console()
    if len(names) * _NARROWEST > out.width:
        for number, row in enumerate(shown, 1):
            out.print(table((f"row {number:,}", ""), zip(names, map(_cell, row), strict=True)))
    else:
        numbers = [all(_is_number(row[at]) for row in shown if row[at] is not None) for at in range(len(names))]
        titles = [f"#{escape(name)}" if number else escape(name) for name, number in zip(names, numbers, strict=True)]
        out.print(table(titles, (list(map(_cell, row)) for row in shown)))
    if len(rows) > TABLE_ROWS:
        ((total,),) = connection.sql(query).aggregate("count(*)").fetchall()
        click.echo(
            f"the first {TABLE_ROWS:,} of {total:,} rows; --format csv, json or parquet gives all of them", err=True
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _cell(value: Any) -> int | str | Text:
    if value is None:
        return Text("NULL", style="dim")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        small = 0 < abs(value) < 0.001
        return f"{value:.3g}" if small or not math.isfinite(value) else f"{value:,.4f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        return f"[{', '.join(str(_cell(one)) for one in value)}]"
    return harmless(value)


def _write_csv(connection: duckdb.DuckDBPyConnection, query: str, target: BinaryIO) -> None:
    write = _writing(target)
    names, batches = _rows(connection, query)
    write(_line(names))
    for rows in batches:
        write("".join(map(_line, rows)))


def _line(row: Sequence[Any]) -> str:
    return ",".join("" if value is None else _field(value) for value in row) + "\n"


def _field(value: Any) -> str:
    """Return a value as CSV. Empty text is quoted, since an empty field is NULL; nothing is done for spreadsheets."""
    plain = str(value) if isinstance(value, float) else _plain(value)
    text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def _write_json(connection: duckdb.DuckDBPyConnection, query: str, target: BinaryIO) -> None:
    write = _writing(target)
    names, batches = _rows(connection, query)
    before = "[\n"
    for rows in batches:
        lines = (json.dumps(dict(zip(names, map(_plain, row), strict=True)), ensure_ascii=False) for row in rows)
        write(before + ",\n".join(lines))
        before = ",\n"
    write("[]\n" if before == "[\n" else "\n]\n")


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[list[str], Iterator[Iterable[Sequence[Any]]]]:
    connection.execute(query)
    columns = connection.description or []
    # FLOAT comes as the double that it is: 0.1 would be told as 0.10000000149011612.
    floats = [at for at, (_, kind, *_) in enumerate(columns) if str(kind) == "FLOAT"]

    def shortened(row: tuple[Any, ...]) -> Sequence[Any]:
        values = list(row)
        for at in floats:
            values[at] = None if row[at] is None else float(str(np.float32(row[at])))
        return values

    def batches() -> Iterator[Iterable[Sequence[Any]]]:
        try:
            while rows := connection.fetchmany(_BATCH_ROWS // 8):
                yield [shortened(row) for row in rows] if floats else rows
        finally:
            connection.abort()

    return _distinct([name for name, *_ in columns]), batches()


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: what JSON has no word for as text, NaN and infinity as null."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, date | time):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)


def _write_parquet(connection: duckdb.DuckDBPyConnection, query: str, target: BinaryIO) -> None:
    found = connection.sql(query)
    reader = found.to_arrow_reader(_BATCH_ROWS)
    names = _distinct(found.columns)
    # Sums of whole numbers are HUGEINT, which Arrow has not; as decimals nobody could count with them.
    kinds = [
        pa.int64() if str(told) == "HUGEINT" else kind
        for told, kind in zip(found.types, reader.schema.types, strict=True)
    ]
    schema = pa.schema(list(zip(names, kinds, strict=True)))
    try:
        with pq.ParquetWriter(pa.PythonFile(_Counted(target), mode="w"), schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch.rename_columns(names).cast(schema))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as cause:
        raise FixConfiguration(f"not all of it fits into Parquet ({cause}); cast it in the SQL") from cause
    except OSError as cause:
        if cause.errno is None:  # it comes from DuckDB, by way of Arrow
            raise refusal(cause) from cause
        raise


class _Counted:
    """What Arrow wants to know of a file, for pipes too."""

    closed = False

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._written = 0

    def write(self, content: bytes) -> int:
        self._target.write(content)
        self._written += len(content)
        return len(content)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        self._target.flush()

    def close(self) -> None:
        self.flush()


def _writing(target: BinaryIO) -> Callable[[str], object]:
    # A terminal would obey what people have written.
    shown = harmless if target.isatty() else str
    return lambda text: target.write(shown(text).encode())


def _distinct(names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        number, free = 0, name
        while free in found:
            number += 1
            free = f"{name}_{number}"
        found.append(free)
    return found


_WRITERS = {TABLE: _print_table, CSV: _write_csv, JSON: _write_json, PARQUET: _write_parquet}
