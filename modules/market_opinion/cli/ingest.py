"""`ingest` and `backfill`: read hours and land them."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from reddit_ingest.bootstrap import LocalLake, local_pipeline
from reddit_ingest.core.coverage import CoverageStatus
from reddit_ingest.core.errors import EXIT_DONE, EXIT_FAILED, EXIT_INCOMPLETE
from reddit_ingest.core.invocation import parse_event
from reddit_ingest.core.ports import Clock
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.ingestion_service import RedditIngestionResult
from reddit_ingest.pipeline import SubredditOutcome

from .deployed import drive
from .display import LiveProgress, console, harmless, moment, status_text, table
from .options import Moment, TimeLimit, json_option, lake_option, now_option


def _reading_options(command: Any) -> Any:
    for option in (
        click.argument("subreddits", nargs=-1),
        lake_option(),
        now_option,
        click.option("--no-comments", is_flag=True, help="Read submissions only."),
        click.option("--max-submissions", type=click.IntRange(min=1), help="Safety cap; reaching it is a gap."),
        click.option("--time-limit", type=click.FloatRange(min=1), help="Stop cleanly after so many seconds."),
        json_option,
    ):
        command = option(command)
    return command


@click.command()
@_reading_options
@click.option("--hours", type=click.IntRange(1, 1000), default=48, show_default=True, help="At most so many hours.")
def ingest(hours: int, **options: Any) -> None:
    """Read the hours that are due and land them.

    The first run of a subreddit reads the previous full hour; later runs go on from the watermark, all missed hours in
    one pass. SUBREDDITS defaults to the environment variable of that name. Reddit's credentials come from
    REDDIT_CLIENT_ID, REDDIT_CLIENT_SECRET and REDDIT_USER_AGENT; REDDIT_OAUTH_URL and REDDIT_URL point at a simulator.

    \b
    Examples:
      market-opinion ingest android iphone
      market-opinion ingest android --json
      SUBREDDITS=android,iphone market-opinion ingest

    Exit codes: 0 everything seen, 1 something must be changed, 3 gaps or trouble that may pass.
    """
    _run({}, hours=hours, **options)


@click.command()
@_reading_options
@click.option("--start", "start_ts", type=Moment(), required=True, help="From here: 2026-01-05T10:00 or seconds UTC.")
@click.option("--end", "end_ts", type=Moment(), required=True, help="To here, not included.")
@click.option("--function", help="Let this deployed function do it, into the lake on AWS, again and again to the end.")
def backfill(start_ts: int, end_ts: int, function: str | None, **options: Any) -> None:
    """Read the hours that touch a range of time again; the watermark stays where it is.

    Reddit shows about the newest 1,000 submissions and comments of a subreddit; older hours are recorded as gaps.

    \b
    Examples:
      market-opinion backfill android --start 2026-01-05 --end 2026-01-06
      market-opinion backfill android --start 1767607200 --end 1767618000 --no-comments
      market-opinion backfill android --start 2026-01-05 --end 2026-01-06 \
        --function tf-prod-smartcomp-lambda-reddit-ingestion

    Exit codes: 0 everything seen, 1 something must be changed, 3 gaps or trouble that may pass.
    """
    if function:
        drive(function, start_ts=start_ts, end_ts=end_ts, **options)
        return
    _run({"mode": "backfill", "start_ts": start_ts, "end_ts": end_ts}, hours=1, **options)


def _run(
    event: dict[str, Any],
    *,
    subreddits: Sequence[str],
    lake: LocalLake,
    clock: Clock,
    hours: int,
    no_comments: bool,
    max_submissions: int | None,
    time_limit: float | None,
    as_json: bool,
) -> None:
    settings = replace(IngestSettings.from_mapping(os.environ), max_windows_per_run=hours)
    if subreddits:
        event["subreddits"] = list(subreddits)
    if max_submissions:
        event["max_submissions"] = max_submissions
    request = parse_event(event, settings, clock.now_ts())
    with LiveProgress() as progress:
        pipeline = local_pipeline(lake, settings, os.environ, clock, progress)
        with lake.locked(progress):
            outcomes = list(pipeline.run(request, TimeLimit(time_limit), include_comments=not no_comments))
    if as_json:
        click.echo(json.dumps([outcome.to_dict() for outcome in outcomes], indent=1))
    else:
        print_outcomes(outcomes, lake)
    click.get_current_context().exit(exit_code(outcomes))


def exit_code(outcomes: Sequence[SubredditOutcome]) -> int:
    """Return 0 when everything planned was seen, 1 when a person must act, 3 when later may be better."""
    troubles = [outcome.trouble.exit_code for outcome in outcomes if outcome.trouble]
    statuses = {result.status for outcome in outcomes for result in outcome.results}
    if CoverageStatus.BLOCKED in statuses or any(code != EXIT_INCOMPLETE for code in troubles):
        return EXIT_FAILED
    is_whole = all(outcome.is_whole for outcome in outcomes)
    return EXIT_DONE if is_whole else EXIT_INCOMPLETE


def print_outcomes(outcomes: Sequence[SubredditOutcome], lake: LocalLake) -> None:
    """Print a line per window, then what went wrong and what to do about it."""
    out = console()
    results = [result for outcome in outcomes for result in outcome.results]
    if results:
        columns = ("subreddit", "hour (UTC)", "coverage", "#submissions", "#comments", "#requests")
        out.print(table(columns, [_row(result) for result in results]))
        out.print(f"\nLanded in {lake.landing}", soft_wrap=True)
    for outcome in outcomes:
        if outcome.trouble:
            click.echo(f"Error: r/{outcome.subreddit}: {outcome.trouble}", err=True)
        elif outcome.remaining:
            start, end = map(moment, outcome.remaining)
            click.echo(f"r/{outcome.subreddit}: the time was over; still to do: {start} to {end} UTC", err=True)
        elif not outcome.results:
            out.print(f"r/{outcome.subreddit}: nothing new, read up to {moment(outcome.watermark)} UTC")
    for result in results:
        for kind, claim in result.coverage.items():
            if not claim.status.is_whole:
                since = f", complete from {moment(claim.complete_from_ts)}" if claim.complete_from_ts else ""
                where = f"r/{result.subreddit} {moment(result.window_start_ts)}"
                click.echo(harmless(f"{where} {kind} {claim.status}{since}: {claim.reason}"), err=True)


def _row(result: RedditIngestionResult) -> list[object]:
    return [
        result.subreddit,
        moment(result.window_start_ts),
        status_text(result.status),
        result.submissions_count,
        result.comments_count,
        result.requests,
    ]
