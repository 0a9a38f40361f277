"""`ingest` and `backfill`: read hours and land them."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import click

from reddit_ingest.bootstrap import LocalLake, local_pipeline
from reddit_ingest.core.abilities import REDDIT_API
from reddit_ingest.core.coverage import CoverageStatus
from reddit_ingest.core.errors import EXIT_DONE, EXIT_FAILED, EXIT_INCOMPLETE
from reddit_ingest.core.invocation import IngestRequest, Mode, parse_event
from reddit_ingest.core.ports import Clock, Progress
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.ingestion_service import RedditIngestionResult
from reddit_ingest.pipeline import Pipeline, SubredditOutcome
from reddit_ingest.planning import AUTO, Leg

from .deployed import drive
from .display import LiveProgress, console, harmless, moment, status_text, table
from .options import TimeLimit, json_option, lake_option, now_option
from .plan import check_span, planned, span_options


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
@span_options
@click.option("--function", help="Let this deployed function do it, into the lake on AWS, again and again to the end.")
def backfill(
    start_ts: int | None,
    end_ts: int | None,
    only_gaps: bool,
    source: str | None,
    function: str | None,
    **options: Any,
) -> None:
    """Read the hours that touch a range of time again, or the recorded gaps; the watermark stays where it is.

    A range is read from Reddit's API, which shows about the newest 1,000 submissions and comments of a subreddit;
    older hours are recorded as gaps. --gaps closes those from the best source for each hour. The archive Arctic Shift
    needs no key; ARCTIC_SHIFT_URL points at another server that speaks its API. `market-opinion plan` tells the cost.

    \b
    Examples:
      market-opinion backfill android --start 2026-01-05 --end 2026-01-06
      market-opinion backfill android --start 1767607200 --end 1767618000 --no-comments
      market-opinion backfill android --start 2026-01-05 --end 2026-01-06 \
        --function tf-prod-smartcomp-lambda-reddit-ingestion
      market-opinion backfill --gaps
      market-opinion backfill android --start 2020-01-01 --end 2020-01-08 --source arctic-shift

    Exit codes: 0 everything seen, 1 something must be changed, 3 gaps or trouble that may pass.
    """
    check_span(start_ts, end_ts, only_gaps)
    if function:
        if start_ts is None or end_ts is None or source:
            raise click.UsageError("--function reads a range from Reddit's API; leave out --gaps and --source")
        drive(function, start_ts=start_ts, end_ts=end_ts, **options)
    elif only_gaps or source not in (None, REDDIT_API.name):
        _run_planned(start_ts, end_ts, source or AUTO, **options)
    else:
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


def _run_planned(
    start_ts: int | None,
    end_ts: int | None,
    source: str,
    *,
    subreddits: Sequence[str],
    lake: LocalLake,
    clock: Clock,
    no_comments: bool,
    max_submissions: int | None,
    time_limit: float | None,
    as_json: bool,
) -> None:
    settings = IngestSettings.from_mapping(os.environ)
    with LiveProgress() as progress:
        work = _Planned(lake, settings, clock, progress, TimeLimit(time_limit), not no_comments, max_submissions)
        legs, _ = planned(lake, settings, clock, subreddits, start_ts, end_ts, source)
        # An explicit source that cannot be read at all is an error; a source that is only left out is not.
        if source != AUTO:
            work.pipeline(source)
        with lake.locked(progress):
            for leg in legs:
                work.serve(leg)
    outcomes = list(work.outcomes.values())
    if as_json:
        click.echo(json.dumps([outcome.to_dict() for outcome in outcomes], indent=1))
    elif not legs:
        console().print("no gaps: nothing to do")
    else:
        print_outcomes(outcomes, lake)
    unserved = [leg for leg in legs if leg.source is None]
    for leg in unserved:
        start, end = moment(leg.windows[0].start_ts), moment(leg.windows[-1].end_ts)
        where = f"r/{leg.subreddit} {start} to {end} UTC"
        click.echo(harmless(f"{where}: {len(leg.windows):,} hours stay open: {leg.reason}"), err=True)
    click.get_current_context().exit(exit_code(outcomes) or (EXIT_INCOMPLETE if unserved else EXIT_DONE))


@dataclass(slots=True)
class _Planned:
    """Serves legs pass by pass, and gives a source up when a whole pass of it has failed."""

    lake: LocalLake
    settings: IngestSettings
    clock: Clock
    progress: Progress
    deadline: TimeLimit
    include_comments: bool
    max_submissions: int | None
    outcomes: dict[str, SubredditOutcome] = field(default_factory=dict)
    _pipelines: dict[str, Pipeline] = field(default_factory=dict)
    _given_up: set[str] = field(default_factory=set)

    def pipeline(self, source: str) -> Pipeline:
        """Return the pipeline that reads a source."""
        if source not in self._pipelines:
            self._pipelines[source] = local_pipeline(
                self.lake, self.settings, os.environ, self.clock, self.progress, source
            )
        return self._pipelines[source]

    def serve(self, leg: Leg) -> None:
        """Read and land a leg; what there is no time left for, or no use in trying, is what remains."""
        if leg.source is None:
            return
        outcome = self.outcomes.setdefault(leg.subreddit, SubredditOutcome(leg.subreddit))
        for windows in leg.passes():
            if leg.source in self._given_up:
                _remain(outcome, windows[0].start_ts, leg.windows[-1].end_ts)
                return
            request = IngestRequest(Mode.BACKFILL, (leg.subreddit,), windows, self.max_submissions)
            (done,) = self.pipeline(leg.source).run(request, self.deadline, self.include_comments)
            outcome.results += done.results
            outcome.watermark, outcome.trouble = done.watermark, outcome.trouble or done.trouble
            if done.remaining:
                _remain(outcome, *done.remaining)
            if all(result.status is CoverageStatus.FAILED for result in done.results):
                self._given_up.add(leg.source)


def _remain(outcome: SubredditOutcome, start_ts: int, end_ts: int) -> None:
    first_ts = outcome.remaining[0] if outcome.remaining else start_ts
    outcome.remaining = (first_ts, end_ts)


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
            click.echo(f"r/{outcome.subreddit}: not all could be done; still to do: {start} to {end} UTC", err=True)
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
