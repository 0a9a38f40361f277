"""`refresh`: look again at what the lake knows, and honour what was deleted."""

import json
import os
from collections.abc import Sequence

import click

from reddit_ingest.bootstrap import LocalLake, local_refresh
from reddit_ingest.core.capture import CapturePoint
from reddit_ingest.core.errors import EXIT_DONE, EXIT_INCOMPLETE
from reddit_ingest.core.names import subreddit_key
from reddit_ingest.core.ports import Clock
from reddit_ingest.core.settings import IngestSettings, RefreshSettings
from reddit_ingest.core.windows import HOUR_S
from reddit_ingest.refresh_service import RefreshReport
from reddit_ingest.view import subreddits_in

from .display import LiveProgress, console, harmless, table
from .options import TimeLimit, json_option, lake_option, now_option


@click.command()
@click.argument("subreddits", nargs=-1)
@lake_option()
@now_option
@click.option("--budget", type=click.IntRange(min=1), help="At most about so many requests.  [default: 300]")
@click.option(
    "--time-limit",
    type=click.FloatRange(min=1),
    help="Stop cleanly after so many seconds; fewer than 30 are too few for a request and the landing.",
)
@json_option
def refresh(
    subreddits: Sequence[str],
    lake: LocalLake,
    clock: Clock,
    budget: int | None,
    time_limit: float | None,
    as_json: bool,
) -> None:
    """Look again at known items: scores, edits, deletions, and comments that no listing has shown.

    Items are looked at about 2 hours, 36 hours and 7 days after they were written (REFRESH_LADDER_HOURS), 100 with one
    request, most active threads first; all subreddits of the lake unless some are named. What was deleted is hidden and
    then erased from the lake. What the budget (REFRESH_REQUESTS) or the time leaves over, the next run does: let it run
    every hour, after `ingest`. The capture curve tells what share of the comments had been seen by which age.

    \b
    Examples:
      market-opinion refresh
      market-opinion refresh android --budget 50
      market-opinion refresh --time-limit 300 --json

    Exit codes: 0 everything due was looked at, 1 something must be changed, 3 items are left: run it again.
    """
    settings = IngestSettings.from_mapping(os.environ)
    lake.check_exists()
    names = list(dict.fromkeys(map(subreddit_key, subreddits))) or subreddits_in(lake.reader(), settings.landing_prefix)
    requests = budget or RefreshSettings.from_mapping(os.environ).requests
    service = local_refresh(lake, settings, os.environ, clock)
    with LiveProgress() as progress, lake.locked(progress):
        reports = list(service.refresh_all(names, requests, TimeLimit(time_limit), progress))
    if as_json:
        click.echo(json.dumps([report.to_dict() for report in reports], indent=1))
    else:
        _print(reports)
    for report in reports:
        _tell_rest(report)
    click.get_current_context().exit(_exit_code(reports))


def _print(reports: Sequence[RefreshReport]) -> None:
    out = console()
    columns = (
        "subreddit",
        "#due",
        "#looked at",
        "#rescored",
        "#edited",
        "#removed",
        "#missing",
        "#deleted",
        "#new comments",
        "#requests",
        "#left",
    )
    out.print(table(columns, [_row(report) for report in reports]))
    out.print()
    ages = [_age(point) for point in reports[0].curve] if reports else []
    out.print("Comments seen by the age of ..., of all known (of all that the threads tell of):")
    out.print(table(("subreddit", *(f"#{age}" for age in ages)), [_curve_row(report) for report in reports]))


def _row(report: RefreshReport) -> list[object]:
    return [
        report.subreddit,
        report.due,
        report.asked,
        report.rescored,
        report.edited,
        report.removed,
        report.missing,
        report.deleted + report.gone + report.anonymous,
        report.new_comments,
        report.requests,
        report.remaining,
    ]


def _age(point: CapturePoint) -> str:
    hours = point.age_s // HOUR_S
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"


def _curve_row(report: RefreshReport) -> list[object]:
    return [report.subreddit, *map(_shares, report.curve)]


def _shares(point: CapturePoint) -> str:
    return f"{point.seen / point.comments:.1%} ({point.seen / point.told:.1%})" if point.comments else "-"


def _tell_rest(report: RefreshReport) -> None:
    where = f"r/{report.subreddit}"
    if report.trouble:
        click.echo(harmless(f"{where}: {report.trouble}"), err=True)
    if report.remaining:
        click.echo(f"{where}: {report.remaining:,} of {report.due:,} items are left; run it again to go on", err=True)
    if report.deletions_due:
        click.echo(f"{where}: {report.deletions_due:,} deleted items are hidden, not yet erased", err=True)


def _exit_code(reports: Sequence[RefreshReport]) -> int:
    troubles = [report.trouble.exit_code for report in reports if report.trouble]
    if serious := [code for code in troubles if code != EXIT_INCOMPLETE]:
        return serious[0]
    return EXIT_DONE if all(report.is_whole for report in reports) else EXIT_INCOMPLETE
