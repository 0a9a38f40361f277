"""`query`: SQL over the tables of `augment`."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

import click
import duckdb

from reddit_ingest.core.errors import EXIT_INCOMPLETE, InvalidRequest
from reddit_ingest.core.ports import StagingReader

from ..analysis.warehouse import open_warehouse, tables_behind
from ..augmented_store import PREFIX
from ..new_files import new_file
from .answers import FORMATS, PARQUET, TABLE, answer, refusal
from .display import LiveProgress
from .options import Day, lake_to_read
from .prompt import converse


@click.command()
@click.argument("sql", required=False)
@lake_to_read
@click.option("--file", "script", type=click.Path(path_type=Path), help="Read the SQL from this file.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    show_default="as the name of --output ends, else table",
    help="Form of the answer.",
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@click.option("--output", type=click.Path(path_type=Path), help="A new file for the answer: csv, json or parquet.")
@click.option("--since", type=Day(), show_default="everything", help="Leave parts of earlier UTC days alone.")
@click.option("--until", type=Day(), show_default="everything", help="Leave parts of later UTC days alone.")
def query(
    sql: str | None,
    lake: Any,
    script: Path | None,
    form: str | None,
    output: Path | None,
    since: date | None,
    until: date | None,
) -> None:
    """Answer SQL from the tables of `augment`, or several questions at a prompt where no SQL is given.

    The views documents, mentions, comparisons, daily_opinion, quotes, threads and coverage are described in
    docs/queries.md, with a dozen questions and the SQL that answers them. The SQL is DuckDB's. SQL that is "-" is read
    from stdin, and so is it where there is none and stdin is no terminal. Of several statements the last one's answer
    is given. Nothing is fetched from the network, extensions neither.

    A table shows 1,000 rows at most; csv, json and parquet have all of them. CSV has every text as it was written: to a
    spreadsheet, one that begins with "=" is a formula. With --aws, the parts that the SQL needs are copied to a
    temporary folder first, one request a part (for a prompt, all): --since and --until save time and requests.

    Answers hold people's words and leave the lake by your wish: no deletion on Reddit reaches them.

    \b
    Examples:
      market-opinion query "SELECT brand, sum(mentions) FROM daily_opinion WHERE aspect IS NULL GROUP BY brand"
      market-opinion query --file weekly.sql --output weekly.parquet
      market-opinion query --aws --since 2026-01-05 --json "SELECT * FROM quotes WHERE brand = 'apple' LIMIT 5"
      market-opinion query

    Exit codes: 0 done, 1 failed (DuckDB's message says where), 2 usage, 3 interrupted, or trouble that may pass.
    """
    if since and until and until < since:
        raise InvalidRequest(f"the days end on {until}, before they begin on {since}")
    text = _sql(sql, script)
    chosen = _form(form, output, is_prompt=text is None)
    zone = lake.augmented().reader
    try:
        with ExitStack() as stack:
            target = stack.enter_context(_target(output, chosen))
            with LiveProgress() as progress:
                progress.step("reading the tables")
                connection = stack.enter_context(_warehouse(zone, text, since, until))

            def run(asked: str) -> None:
                _interruptible(connection, lambda: answer(connection, asked, chosen, target))
                target.flush()

            converse(run) if text is None else run(text)
    except KeyboardInterrupt:
        click.echo("Interrupted; no file is left half written.", err=True)
        click.get_current_context().exit(EXIT_INCOMPLETE)


def _sql(sql: str | None, script: Path | None) -> str | None:
    """Return the SQL, None where it is to be asked for."""
    if sql is not None and script:
        raise click.UsageError("give the SQL or --file, not both")
    if script:
        try:
            return script.read_text(encoding="utf-8")
        except (OSError, ValueError) as cause:
            why = cause.strerror if isinstance(cause, OSError) else "it is not UTF-8"
            raise InvalidRequest(f"{str(script)!r} cannot be read: {why}") from cause
    if sql == "-" or (sql is None and not sys.stdin.isatty()):
        return sys.stdin.buffer.read().decode(errors="replace")
    return sql


def _form(form: str | None, output: Path | None, is_prompt: bool) -> str:
    if output:
        if is_prompt:
            raise click.UsageError("--output is for one answer; give the SQL, too")
        form = form or output.suffix.removeprefix(".").lower()
        if form not in FORMATS or form == TABLE:
            raise click.UsageError(f"in which form shall {output} be? add --format csv, json or parquet")
    if form == PARQUET and not output and sys.stdout.isatty():
        raise click.UsageError("Parquet is not for a terminal; add --output FILE")
    return form or TABLE


@contextmanager
def _target(output: Path | None, form: str) -> Iterator[BinaryIO]:
    if output:
        with new_file(output, f"{str(output)!r} cannot be written") as file:
            yield file
    else:
        yield sys.stdout.buffer


@contextmanager
def _warehouse(
    zone: StagingReader, sql: str | None, since: date | None, until: date | None
) -> Iterator[duckdb.DuckDBPyConnection]:
    if not any(key.endswith("/part.parquet") for key in zone.keys(PREFIX)):
        raise InvalidRequest("there are no tables to ask yet; run `market-opinion augment` first")
    try:
        needed = () if sql is None else (tables_behind(sql),)
    except duckdb.Error as cause:
        raise refusal(cause) from cause
    with open_warehouse(zone, since, until, *needed) as connection:
        yield connection


def _interruptible(connection: duckdb.DuckDBPyConnection, work: Callable[[], None]) -> None:
    """Do work that waits for DuckDB, so that Ctrl-C ends it: DuckDB itself does not hear of it."""
    with ThreadPoolExecutor(1) as pool:
        try:
            pool.submit(work).result()
        except KeyboardInterrupt:
            # Heard while the work was begun, it comes before there is anything to wait for but what follows the work.
            after = pool.submit(lambda: None)
            while not after.done():
                connection.interrupt()
                wait([after], timeout=0.1)
            raise
