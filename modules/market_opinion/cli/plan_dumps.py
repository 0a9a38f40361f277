"""`plan` for dump files: what they hold, what their import would need, and which recorded gaps it would close."""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from reddit_ingest.archives.forecast import Closing, Forecast, Told, foresee
from reddit_ingest.archives.importer import ImportRequest
from reddit_ingest.archives.parallel import affordable
from reddit_ingest.bootstrap import LocalLake
from reddit_ingest.core.errors import EXIT_DONE, EXIT_FAILED
from reddit_ingest.core.ports import Clock
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.gaps import Gap
from reddit_ingest.view import subreddits_in

from .display import console, harmless, moment, table
from .gaps import known
from .plan import duration, size

Planned = list[tuple[Forecast, list[Closing]]]


class _Heard:
    """Hears of memory what an import would say."""

    def went(self, number: int, read_bytes: int, lines: int, rows: int) -> None:
        """Nothing is read here."""

    def said(self, note: str) -> None:
        """Say it at once."""
        click.echo(harmless(note), err=True)


def plan_dumps(
    files: Sequence[Path], request: ImportRequest, lake: LocalLake, clock: Clock, jobs: int, as_json: bool
) -> int:
    """Print what an import of dump files would do, and return the exit code: 1 where it would fail.

    A lake that is not there yet has no gaps, and is not made.
    """
    settings = IngestSettings.from_mapping(os.environ)
    jobs = affordable(files, min(jobs, len(files)), _Heard())
    gaps = _open_gaps(lake, settings, request, clock)
    made = [foresee(path, request, lake.imports, gaps, clock.now_ts()) for path in files]
    if as_json:
        click.echo(json.dumps([_to_dict(told, closings, request) for told, closings in made], indent=1))
    else:
        _print(made, gaps, request, lake, jobs)
    for told, _ in made:
        for note in told.notes:
            click.echo(harmless(f"{told.file}: {note}"), err=True)
        if told.trouble:
            click.echo(harmless(f"Error: {told.trouble}"), err=True)
    return EXIT_FAILED if any(told.trouble for told, _ in made) else EXIT_DONE


def _open_gaps(lake: LocalLake, settings: IngestSettings, request: ImportRequest, clock: Clock) -> list[Gap]:
    if not lake.landing.is_dir():
        return []
    names = subreddits_in(lake.reader(), settings.landing_prefix)
    wanted = request.subreddits
    return [
        gap for name in names if wanted is None or name in wanted for gap in known(lake, settings, name, clock).open
    ]


def _print(made: Planned, gaps: Sequence[Gap], request: ImportRequest, lake: LocalLake, jobs: int) -> None:
    out = console()
    columns = ("file", "kind", "from (UTC)", "to (UTC)", "#size", "#as JSON", "#memory", "#rows to land", "#time")
    out.print(table(columns, [_row(told) for told, _ in made]))
    wanted = request.subreddits
    out.print(f"\nAsked for: {'everything' if wanted is None else ', '.join(f'r/{name}' for name in sorted(wanted))}")
    seconds = [told.seconds for told, _ in made if not told.trouble]
    # The longest file, or all of them spread over the cores, whichever is more.
    in_all = max(max(seconds, default=0.0), sum(seconds) / jobs)
    out.print(f"In all about {duration(max(1.0, in_all))} with {jobs} at a time; ~ marks an estimate, as every time is")
    _print_closings(gaps, [(told, closing) for told, some in made for closing in some], lake)


def _print_closings(gaps: Sequence[Gap], closings: Sequence[tuple[Forecast, Closing]], lake: LocalLake) -> None:
    out = console()
    if not gaps:
        why = "" if lake.landing.is_dir() else f": there is no lake at {lake.root} yet"
        out.print(f"No recorded gap to close{why}", soft_wrap=True)
        return
    left, least = _left(gaps, closings)
    out.print(
        f"Of {len(gaps):,} gap hours of what is asked for {len(gaps) - left:,} would be closed"
        + (f", and {left - least:,} more where rows turn up" if least < left else "")
    )
    if closings:
        columns = ("subreddit", "from (UTC)", "to", "#hours", "gap", "closes", "by", "if")
        out.print(table(columns, [_closing_row(told, closing) for told, closing in closings]))


def _left(gaps: Iterable[Gap], closings: Iterable[tuple[Forecast, Closing]]) -> tuple[int, int]:
    """Return how many gap hours stay open, and how many if rows turn up wherever it depends on them."""
    sure: set[tuple[str, int, str]] = set()
    hoped: set[tuple[str, int, str]] = set()
    for _, closing in closings:
        for start in closing.hours():
            (hoped if closing.needs_rows else sure).add((closing.gap.subreddit, start, closing.kind))
    wanted = [{(gap.subreddit, gap.window.start_ts, kind) for kind in gap.kinds} for gap in gaps]
    return sum(not each <= sure for each in wanted), sum(not each <= sure | hoped for each in wanted)


def _row(told: Forecast) -> list[object]:
    if not told.kind:
        return [harmless(told.file), "-", "-", "-", size(told.bytes) if told.bytes else "-", "-", "-", "-", "-"]
    start, end = told.period or (None, None)
    return [
        harmless(told.file),
        told.kind,
        moment(start),
        _about(told.period_told) + moment(end),
        size(told.bytes),
        _about(told.plain_told) + size(told.plain_bytes),
        f"{told.memory_bytes // 2**20:,} MiB",
        f"{'' if told.plain_told is Told.COUNTED else '~'}{told.rows:,}",
        "done before" if told.was_done else f"~{duration(max(1.0, told.seconds))}",
    ]


def _closing_row(told: Forecast, closing: Closing) -> list[object]:
    gap = closing.gap
    condition = "it has rows of the day" if closing.needs_rows else ""
    if told.period_told.is_estimate:
        condition = " and ".join(filter(None, ("it goes so far", condition)))
    return [
        gap.subreddit,
        moment(gap.window.start_ts),
        moment(gap.window.end_ts),
        len(closing.hours()),
        gap.status or "hole",
        closing.kind,
        harmless(told.file),
        condition or "-",
    ]


def _about(told: Told) -> str:
    return "~" if told.is_estimate else ""


def _to_dict(told: Forecast, closings: Sequence[Closing], request: ImportRequest) -> dict[str, Any]:
    closes = [
        {
            "subreddit": closing.gap.subreddit,
            "start_ts": closing.gap.window.start_ts,
            "end_ts": closing.gap.window.end_ts,
            "hours": len(closing.hours()),
            "gap": closing.gap.status or "hole",
            "kind": closing.kind,
            "needs_rows": closing.needs_rows,
        }
        for closing in closings
    ]
    asked_for = None if request.subreddits is None else sorted(request.subreddits)
    return {**told.to_dict(), "subreddits": asked_for, "closes": closes}
