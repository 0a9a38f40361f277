"""`backfill --function`: the deployed function does the work, and is asked again until nothing remains."""

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

import click

from reddit_ingest.core.coverage import CoverageStatus
from reddit_ingest.core.errors import EXIT_DONE, EXIT_FAILED, EXIT_INCOMPLETE
from reddit_ingest.core.invocation import parse_event
from reddit_ingest.core.ports import Clock
from reddit_ingest.core.settings import IngestSettings

from .display import console, moment, status_text, table

_LOCAL_ONLY = ("no_comments", "time_limit")

Window = dict[str, Any]


def drive(
    function: str,
    *,
    start_ts: int,
    end_ts: int,
    subreddits: Sequence[str],
    clock: Clock,
    max_submissions: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Drive a backfill on AWS to its end, one subreddit after the other, and end with its exit code."""
    if unused := [name for name in _LOCAL_ONLY if options.get(name)]:
        raise click.UsageError(f"--{unused[0].replace('_', '-')} is for a local lake; leave it out with --function")
    event = {"mode": "backfill", "start_ts": start_ts, "end_ts": end_ts, "subreddits": list(subreddits)}
    # Checked here, so that a wrong name or range costs no invocation.
    request = parse_event(event, IngestSettings.from_mapping(os.environ), clock.now_ts())
    windows = [
        window
        for subreddit in request.subreddits
        for window in _windows(function, subreddit, start_ts, end_ts, max_submissions)
    ]
    if as_json:
        click.echo(json.dumps(windows, indent=1))
    else:
        columns = ("subreddit", "hour (UTC)", "coverage", "#submissions", "#comments", "#requests")
        console().print(table(columns, [_row(window) for window in windows]))
    click.get_current_context().exit(_exit_code({window["status"] for window in windows}))


def _windows(
    function: str, subreddit: str, start_ts: int, end_ts: int, max_submissions: int | None
) -> Iterator[Window]:
    # The SDK costs more time than all the rest; only those who ask for AWS wait for it.
    from reddit_ingest.bootstrap_aws import backfill_event, drive_backfill

    for answer in drive_backfill(function, backfill_event(subreddit, start_ts, end_ts, max_submissions)):
        (outcome,) = answer["subreddits"]
        yield from outcome["windows"]
        rest = answer.get("remaining")
        until = f", still to do from {moment(rest['start_ts'])} UTC" if rest else ", done"
        click.echo(f"r/{subreddit}: {len(outcome['windows']):,} hours landed{until}", err=True)


def _row(window: Window) -> list[object]:
    return [
        window["subreddit"],
        moment(window["window_start_ts"]),
        status_text(window["status"]),
        window["submissions_count"],
        window["comments_count"],
        window["requests"],
    ]


def _exit_code(statuses: set[str]) -> int:
    if CoverageStatus.BLOCKED in statuses:
        return EXIT_FAILED
    return EXIT_DONE if all(CoverageStatus(status).is_whole for status in statuses) else EXIT_INCOMPLETE
