"""`import`: days from dump files of the public archives."""

import gc
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reddit_ingest.bootstrap import LocalLake, dump_importer
from reddit_ingest.core.errors import EXIT_DONE, EXIT_FAILED, InvalidRequest
from reddit_ingest.core.names import subreddit_key
from reddit_ingest.core.ports import Clock
from reddit_ingest.core.settings import IngestSettings

from .display import console, harmless, moment, table
from .options import Moment, jobs_of, json_option, lake_option, now_option

if TYPE_CHECKING:
    from reddit_ingest.archives.importer import FileOutcome, ImportRequest

_LINE_EVERY_S = 10.0
_REDRAW_EVERY_S = 0.2
_COLLECT_EVERY = 100_000
"""Millions of rows, and no cycle among them: looking for one after every 700 would cost more than it frees."""


def wanted_options(command: Any) -> Any:
    """Add `--subreddit` (as `wanted`), `--subreddits-file` and `--jobs`."""
    for option in (
        click.option("--jobs", type=click.IntRange(min=1), show_default="one per core", help="Files read at a time."),
        click.option(
            "--subreddits-file",
            type=click.Path(path_type=Path),
            help="Of dump files only those in this file, one a line; # begins a comment.",
        ),
        click.option("--subreddit", "wanted", multiple=True, help="Of dump files only this one; may be given again."),
    ):
        command = option(command)
    return command


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@lake_option()
@click.option("--start", "start_ts", type=Moment(), help="Only the days from this one on: 2019-10-01 or seconds UTC.")
@click.option("--end", "end_ts", type=Moment(), help="Only the days before this moment.")
@wanted_options
@now_option
@json_option
def import_dumps(
    files: Sequence[Path],
    lake: LocalLake,
    start_ts: int | None,
    end_ts: int | None,
    wanted: Sequence[str],
    subreddits_file: Path | None,
    jobs: int | None,
    clock: Clock,
    as_json: bool,
) -> None:
    """Land the days of dump files: Pushshift or Arctic Shift, .zst, .gz or plain, a month or a subreddit.

    What a file holds is told from its content. It is read to its end, then its days are landed; a file that was
    finished is not read again, and one that was stopped begins anew but keeps the days that are landed. A damaged file
    lands what lies before the damage, and the exit code tells. Without --subreddit everything is landed.

    \b
    Examples:
      market-opinion import RC_2019-10.zst RS_2019-10.zst --subreddit android --subreddit iphone
      market-opinion import RC_2024-*.zst --subreddits-file phones.txt --jobs 4
      market-opinion import Android_comments.zst --start 2019-01-01 --end 2020-01-01

    Exit codes: 0 everything landed, 1 a file is damaged, unusable or there is no room, 3 the lake is busy.
    """
    from reddit_ingest.archives.parallel import import_files

    request = import_request(wanted, subreddits_file, start_ts, end_ts)
    paths = files_there(files)
    gc.set_threshold(_COLLECT_EVERY)
    importer = dump_importer(lake, IngestSettings.from_mapping(os.environ), clock)
    with _Meter(paths) as meter:
        outcomes = import_files(importer, paths, request, jobs_of(jobs), meter)
    if as_json:
        click.echo(json.dumps([outcome.to_dict() for outcome in outcomes], indent=1))
    else:
        _print(outcomes, lake)
    _tell_trouble(outcomes)
    click.get_current_context().exit(_exit_code(outcomes))


def import_request(
    subreddits: Sequence[str], subreddits_file: Path | None, start_ts: int | None, end_ts: int | None
) -> "ImportRequest":
    """Return what the options ask for.

    Raises:
        InvalidRequest: a name is none, or the file of names cannot be used.
        UsageError: the span is none.
    """
    from reddit_ingest.archives.importer import FOR_EVER_TS, ImportRequest

    wanted = _wanted(subreddits, subreddits_file)
    start, end = start_ts or 0, FOR_EVER_TS if end_ts is None else end_ts
    if start >= end:
        raise click.UsageError("--start lies before --end")
    return ImportRequest(wanted, start, end)


def files_there(files: Sequence[Path]) -> list[Path]:
    """Return the files, each once; one that is not there is a usage error."""
    if missing := [path for path in files if not path.is_file()]:
        raise click.UsageError(f"there is no file {missing[0]}")
    return list({path.resolve(): path for path in files}.values())


def _wanted(subreddits: Sequence[str], subreddits_file: Path | None) -> frozenset[str] | None:
    names = list(subreddits)
    if subreddits_file:
        try:
            lines = subreddits_file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidRequest(f"cannot read {subreddits_file}: {error}") from error
        names += [name for line in lines if (name := line.partition("#")[0].strip())]
        if not names:
            raise InvalidRequest(f"{subreddits_file} names no subreddit; write one a line")
    return frozenset(subreddit_key(name.removeprefix("r/")) for name in names) or None


def _print(outcomes: "Sequence[FileOutcome]", lake: LocalLake) -> None:
    columns = ("file", "kind", "from (UTC)", "to (UTC)", "#subreddits", "#days landed", "#rows", "#seconds")
    out = console()
    out.print(table(columns, [_row(outcome) for outcome in outcomes]))
    out.print(f"\nLanded in {lake.landing}", soft_wrap=True)


def _row(outcome: "FileOutcome") -> list[object]:
    start, end = outcome.period or (None, None)
    took = "done before" if outcome.was_done else f"{outcome.seconds:.1f}"
    return [
        harmless(outcome.file),
        outcome.kind or "-",
        moment(start),
        moment(end),
        outcome.subreddits,
        outcome.windows,
        outcome.rows,
        took,
    ]


def _tell_trouble(outcomes: "Sequence[FileOutcome]") -> None:
    for outcome in outcomes:
        for note in outcome.notes:
            click.echo(harmless(f"{outcome.file}: {note}"), err=True)
        if outcome.quarantined:
            click.echo(harmless(f"{outcome.file}: {outcome.quarantined:,} rows are in quarantine"), err=True)
        if outcome.trouble:
            click.echo(harmless(f"Error: {outcome.trouble}"), err=True)


def _exit_code(outcomes: "Sequence[FileOutcome]") -> int:
    codes = {outcome.trouble_code for outcome in outcomes}
    return EXIT_FAILED if EXIT_FAILED in codes else max(codes, default=EXIT_DONE)


class _Meter:
    """Tells on stderr how far all files are: one line that changes on a terminal, a line now and then elsewhere."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files = len(paths)
        self._total = sum(path.stat().st_size for path in paths)
        self._far: dict[int, tuple[int, int, int]] = {}
        self._began = self._told = time.monotonic()
        self._is_terminal = sys.stderr.isatty()
        self._width = 0

    def __enter__(self) -> "_Meter":
        return self

    def __exit__(self, *_: object) -> None:
        if self._width:
            self._draw("")

    def went(self, number: int, read_bytes: int, lines: int, rows: int) -> None:
        """Show how far the files are."""
        self._far[number] = (read_bytes, lines, rows)
        now = time.monotonic()
        if now - self._told > (_REDRAW_EVERY_S if self._is_terminal else _LINE_EVERY_S):
            self._told = now
            self._show(now - self._began)

    def said(self, note: str) -> None:
        """Show a note that stays."""
        if self._width:
            self._draw("")
        click.echo(harmless(note), err=True)

    def _show(self, seconds: float) -> None:
        read, lines, rows = (sum(column) for column in zip(*self._far.values(), strict=True))
        left = seconds / read * (self._total - read) if read else 0
        text = (
            f"{100 * read // max(1, self._total)} % of {self._total / 1e9:,.2f} GB in {self._files:,} files,"
            f" {lines / seconds:,.0f} rows/s, {rows:,} kept, {_clock(left)} left"
        )
        if self._is_terminal:
            self._draw(text)
        else:
            click.echo(text, err=True)

    def _draw(self, text: str) -> None:
        click.echo("\r" + text.ljust(self._width) + ("\r" if not text else ""), nl=False, err=True)
        self._width = len(text)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
