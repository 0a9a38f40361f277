"""The prompt of `query`: one statement after the other."""

import importlib
import sys
from collections.abc import Callable
from contextlib import suppress

import click

from reddit_ingest.core.errors import PlatformError

from ..analysis.warehouse import VIEWS

_HELP = """\
SQL ends with ";" and may take several lines. Ctrl-C drops the line, or ends what is running; Ctrl-D leaves.
  .views         what there is to ask
  .schema VIEW   columns of a view
  .help          this
  .quit          leave
Columns, and questions with their SQL: docs/queries.md"""


def converse(run: Callable[[str], None]) -> None:
    """Read statements from the terminal and run each, until there are no more; what fails is told, and ends nothing."""
    with suppress(ImportError):
        importlib.import_module("readline")  # makes `input` edit lines, and keeps what was typed, in memory only
    click.echo('SQL ends with ";"; .help tells more', err=True)
    lines: list[str] = []
    while True:
        try:
            line = _read("   ...> " if lines else "query> ")
            if not lines and line.strip().startswith("."):
                if line.strip() == ".quit":
                    return
                _obey(line.split(), run)
            elif lines or line.strip():
                lines.append(line)
            if lines and lines[-1].rstrip().endswith(";"):
                asked, lines = "\n".join(lines), []
                _try(asked, run)
        except KeyboardInterrupt:
            lines = []
            click.echo("", err=True)
        except EOFError:
            click.echo("", err=True)
            return


def _read(prompt: str) -> str:
    if sys.stdout.isatty():
        return input(prompt)
    click.echo(prompt, nl=False, err=True)
    return input()


def _obey(words: list[str], run: Callable[[str], None]) -> None:
    match words:
        case [".views"]:
            _try("SELECT view_name AS view, comment AS rows FROM duckdb_views() WHERE comment IS NOT NULL", run)
        case [".schema", name] if name.lower() in VIEWS:
            _try(f"DESCRIBE {name}", run)
        case [".schema", *_]:
            click.echo(f".schema VIEW, one of {', '.join(VIEWS)}", err=True)
        case _:
            click.echo(_HELP, err=True)


def _try(sql: str, run: Callable[[str], None]) -> None:
    try:
        run(sql)
    except PlatformError as error:
        click.echo(f"Error: {error}", err=True)
