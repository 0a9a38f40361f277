"""`gaps`: what was not seen, since when, and who may close it or has closed it."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from reddit_ingest.bootstrap import unusable_sources
from reddit_ingest.core.errors import EXIT_DONE, EXIT_INCOMPLETE, DamagedState
from reddit_ingest.core.names import subreddit_key
from reddit_ingest.core.ports import Clock
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.core.windows import HOUR_S, check_watermark
from reddit_ingest.gaps import Gap, attempts_by_hour, gaps_of, spans
from reddit_ingest.planning import Planner, measured
from reddit_ingest.view import manifests, subreddits_in

from .display import console, harmless, moment, status_text, table
from .options import ReadableLake, json_option, lake_to_read, now_option


@dataclass(frozen=True, slots=True)
class Known:
    """What the lake knows of a subreddit: its gaps hour by hour, closed ones too, and how to plan for it."""

    gaps: list[Gap]
    planner: Planner

    @property
    def open(self) -> list[Gap]:
        """The gaps that are not closed."""
        return [gap for gap in self.gaps if not gap.closed_by]


def known(lake: ReadableLake, settings: IngestSettings, subreddit: str, clock: Clock) -> Known:
    """Look at a subreddit's manifests and watermark."""
    found = [manifest for _, manifest in manifests(lake.reader(), f"{settings.landing_prefix}{subreddit}/")]
    attempts, now_ts = attempts_by_hour(found), clock.now_ts()
    watermark = lake.state(settings.environment).load_last_run_timestamp(subreddit)
    if watermark is not None:
        check_watermark(watermark, now_ts)
    planner = Planner(subreddit, attempts, measured(found), now_ts, unusable_sources(os.environ, clock))
    return Known(gaps_of(subreddit, attempts, watermark), planner)


def named(lake: ReadableLake, settings: IngestSettings, subreddits: Sequence[str]) -> list[str]:
    """Return the subreddits that are meant: those that are named, or all of the lake."""
    return [subreddit_key(name) for name in subreddits] or subreddits_in(lake.reader(), settings.landing_prefix)


@click.command()
@click.argument("subreddits", nargs=-1)
@lake_to_read
@now_option
@click.option("--closed", is_flag=True, help="Show the gaps that were closed, and by whom.")
@json_option
def gaps(subreddits: Sequence[str], lake: ReadableLake, clock: Clock, closed: bool, as_json: bool) -> None:
    """List the hours that were not seen whole, and the holes that no run has looked at.

    Hours that are alike are joined. The column `closable by` names the source that `backfill --gaps` would ask.

    \b
    Examples:
      market-opinion gaps
      market-opinion gaps android --json
      market-opinion gaps --closed

    Exit codes: 0 there are none (or --closed), 3 there are some.
    """
    settings = IngestSettings.from_mapping(os.environ)
    found: list[Gap] = []
    closers: list[tuple[str | None, str]] = []
    for name in named(lake, settings, subreddits):
        what = _known_or_error(lake, settings, name, clock)
        for gap, closer in _spans(what, closed):
            found.append(gap)
            closers.append(closer)
    if as_json:
        click.echo(json.dumps([_to_dict(gap, *closer) for gap, closer in zip(found, closers, strict=True)], indent=1))
    elif not found:
        console().print("no gap was ever closed" if closed else "no gaps")
    elif closed:
        _print_closed(found)
    else:
        _print_open(found, closers)
    click.get_current_context().exit(EXIT_INCOMPLETE if found and not closed else EXIT_DONE)


def _known_or_error(lake: ReadableLake, settings: IngestSettings, name: str, clock: Clock) -> Known:
    try:
        return known(lake, settings, name, clock)
    except DamagedState as error:
        raise DamagedState(f"r/{name}: {error}") from error


def _spans(what: Known, closed: bool) -> list[tuple[Gap, tuple[str | None, str]]]:
    """Return what to show, joined where neighbours are alike and the same source may close them."""
    if closed:
        return [(gap, (None, "")) for gap in spans([gap for gap in what.gaps if gap.closed_by])]
    joined: list[tuple[Gap, tuple[str | None, str]]] = []
    for gap in what.open:
        closer = what.planner.choose(gap.window)
        if joined and joined[-1][1] == closer and len(both := list(spans([joined[-1][0], gap]))) == 1:
            joined[-1] = (both[0], closer)
        else:
            joined.append((gap, closer))
    return joined


def _print_open(found: Sequence[Gap], closers: Sequence[tuple[str | None, str]]) -> None:
    columns = ("subreddit", "from (UTC)", "to", "#hours", "kinds", "gap", "recorded", "closable by", "reason")
    rows = []
    for gap, (source, objection) in zip(found, closers, strict=True):
        why = f"{gap.reason} | nobody: {objection}" if source is None else gap.reason
        rows.append([*_span(gap), moment(gap.since_ts), source or "-", harmless(why)])
    console().print(table(columns, rows))


def _print_closed(found: Sequence[Gap]) -> None:
    columns = ("subreddit", "from (UTC)", "to", "#hours", "kinds", "was", "recorded", "closed by", "closed")
    rows = [[*_span(gap), moment(gap.since_ts), gap.closed_by, moment(gap.closed_at_ts)] for gap in found]
    console().print(table(columns, rows))


def _span(gap: Gap) -> list[object]:
    return [
        gap.subreddit,
        moment(gap.window.start_ts),
        moment(gap.window.end_ts),
        _hours(gap),
        ", ".join(gap.kinds),
        "hole" if gap.status is None else status_text(gap.status),
    ]


def _hours(gap: Gap) -> int:
    return (gap.window.end_ts - gap.window.start_ts) // HOUR_S


def _to_dict(gap: Gap, source: str | None, objection: str) -> dict[str, Any]:
    return {
        "subreddit": gap.subreddit,
        "start_ts": gap.window.start_ts,
        "end_ts": gap.window.end_ts,
        "hours": _hours(gap),
        "kinds": gap.kinds,
        "gap": gap.status or "hole",
        "reason": gap.reason,
        "since_ts": gap.since_ts,
        "closed_by": gap.closed_by,
        "closed_at_ts": gap.closed_at_ts,
        "closable_by": source,
        "objection": objection,
    }
