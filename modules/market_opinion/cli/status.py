"""`status`: what was seen of every subreddit and hour, what was not, and how far behind the clock the lake is."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import click

from reddit_ingest.core.errors import EXIT_DONE, EXIT_INCOMPLETE, DamagedState
from reddit_ingest.core.names import subreddit_key
from reddit_ingest.core.ports import Clock
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.core.tombstones import Graves
from reddit_ingest.core.windows import HOUR_S, last_settled_end
from reddit_ingest.view import WindowState, graves, ledger, subreddits_in

from .display import console, moment, status_text, table
from .options import ReadableLake, json_option, lake_to_read, now_option


@dataclass(frozen=True, slots=True)
class _Deletions:
    """What still has to be erased: tombstones whose content has not left the lake, and by when it must."""

    due: int
    overdue: int
    since_ts: int | None
    deadline_ts: int | None

    @classmethod
    def of(cls, buried: Graves, hours: int, now_ts: int) -> "_Deletions":
        noticed = sorted(each.noticed_at_ts for each in buried.waiting.values())
        allowed_s = hours * HOUR_S
        since_ts = noticed[0] if noticed else None
        overdue = sum(ts + allowed_s < now_ts for ts in noticed)
        return cls(len(noticed), overdue, since_ts, None if since_ts is None else since_ts + allowed_s)


@dataclass(frozen=True, slots=True)
class _Summary:
    subreddit: str
    watermark: int | None
    trouble: str | None
    lag_hours: int | None
    windows: list[WindowState]
    deletions: _Deletions

    @property
    def gaps(self) -> list[WindowState]:
        return [state for state in self.windows if not state.status.is_whole]

    def to_dict(self) -> dict[str, Any]:
        return {
            "subreddit": self.subreddit,
            "watermark": self.watermark,
            "trouble": self.trouble,
            "lag_hours": self.lag_hours,
            "gaps": len(self.gaps),
            "deletions": asdict(self.deletions),
            "windows": [_window_dict(state) for state in self.windows],
        }


@click.command()
@click.argument("subreddits", nargs=-1)
@lake_to_read
@now_option
@click.option("--hours", type=click.IntRange(min=1), default=24, show_default=True, help="Show so many newest hours.")
@json_option
def status(subreddits: Sequence[str], lake: ReadableLake, clock: Clock, hours: int, as_json: bool) -> None:
    """Show what was seen of every hour: coverage, counts, gaps, and the lag behind the clock.

    Gaps are always shown, however old. With --json every hour of the lake is printed.

    \b
    Examples:
      market-opinion status
      market-opinion status android --hours 72
      market-opinion status --aws
      market-opinion status --json | python3 -m json.tool

    Exit codes: 0 every hour was seen whole, 3 there are gaps or failed hours, or deletions past their deadline.
    """
    settings = IngestSettings.from_mapping(os.environ)
    names = [subreddit_key(name) for name in subreddits] or subreddits_in(lake.reader(), settings.landing_prefix)
    summaries = [_summary(lake, settings, name, clock.now_ts()) for name in names]
    if as_json:
        click.echo(json.dumps([summary.to_dict() for summary in summaries], indent=1))
    else:
        _print(summaries, hours)
    whole = all(not summary.gaps and not summary.trouble and not summary.deletions.overdue for summary in summaries)
    click.get_current_context().exit(EXIT_DONE if whole else EXIT_INCOMPLETE)


def _summary(lake: ReadableLake, settings: IngestSettings, subreddit: str, now_ts: int) -> _Summary:
    trouble = watermark = None
    try:
        watermark = lake.state(settings.environment).load_last_run_timestamp(subreddit)
    except DamagedState as damaged:
        trouble = str(damaged)
    lag = None if watermark is None else max(0, last_settled_end(now_ts) - watermark) // HOUR_S
    reader, place = lake.reader(), f"{settings.landing_prefix}{subreddit}/"
    deletions = _Deletions.of(graves(reader, place), settings.privacy.deletion_deadline_hours, now_ts)
    return _Summary(subreddit, watermark, trouble, lag, ledger(reader, place), deletions)


def _print(summaries: Sequence[_Summary], hours: int) -> None:
    out = console()
    columns = ["subreddit", "read up to (UTC)", "#hours behind", "#hours seen", "#gaps", "#submissions", "#comments"]
    out.print(table(columns, [_summary_row(summary) for summary in summaries]))
    columns = ["subreddit", "hour (UTC)", "coverage", "#submissions", "#new comments", "#attempts"]
    shown = [_window_row(state) for summary in summaries for state in summary.windows[-hours:]]
    out.print()
    out.print(table(columns, shown))
    _print_gaps([state for summary in summaries for state in summary.gaps])
    for summary in summaries:
        _print_deletions(summary.subreddit, summary.deletions)


def _summary_row(summary: _Summary) -> list[object]:
    return [
        summary.subreddit,
        summary.trouble or moment(summary.watermark),
        "-" if summary.lag_hours is None else summary.lag_hours,
        len(summary.windows),
        len(summary.gaps),
        sum(state.submissions for state in summary.windows),
        sum(state.new_comments for state in summary.windows),
    ]


def _window_row(state: WindowState) -> list[object]:
    start, status = moment(state.window.start_ts), status_text(state.status)
    return [state.subreddit, start, status, state.submissions, state.new_comments, state.attempts]


def _print_gaps(gaps: Sequence[WindowState]) -> None:
    if not gaps:
        return
    out = console()
    rows = [
        (
            state.subreddit,
            moment(state.window.start_ts),
            kind,
            status_text(claim.status),
            moment(claim.complete_from_ts),
            claim.reason,
        )
        for state in gaps
        for kind, claim in state.coverage.items()
        if not claim.status.is_whole
    ]
    out.print()
    columns = ("subreddit", "hour (UTC)", "kind", "gap", "complete from", "reason")
    out.print(table(columns, rows, title="Gaps: what could not be seen"))


def _print_deletions(subreddit: str, deletions: _Deletions) -> None:
    if not deletions.due:
        return
    late = f"; {deletions.overdue:,} are overdue: run `market-opinion forget --due`" if deletions.overdue else ""
    console().print(
        f"\nr/{subreddit}: {deletions.due:,} deletions to be honoured, the first noticed"
        f" {moment(deletions.since_ts)} UTC, by {moment(deletions.deadline_ts)} UTC{late}",
        soft_wrap=True,
    )


def _window_dict(state: WindowState) -> dict[str, Any]:
    return {
        "start_ts": state.window.start_ts,
        "end_ts": state.window.end_ts,
        "status": state.status,
        "coverage": {kind: claim.to_dict() for kind, claim in state.coverage.items()},
        "attempts": state.attempts,
        "submissions": state.submissions,
        "comments": state.comments,
        "new_comments": state.new_comments,
        "quarantined": state.quarantined,
        "requests": state.requests,
        "sources": state.sources,
    }
