"""`plan`: which source would serve which hours of a backfill, and what that would cost."""

import json
import os
from collections.abc import Sequence
from typing import Any

import click

from reddit_ingest.bootstrap import LocalLake
from reddit_ingest.core.abilities import ABILITIES
from reddit_ingest.core.errors import EXIT_DONE, EXIT_INCOMPLETE
from reddit_ingest.core.invocation import parse_event
from reddit_ingest.core.keys import COMMENTS, SUBMISSIONS
from reddit_ingest.core.ports import Clock
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.core.windows import Window
from reddit_ingest.planning import AUTO, Leg, Traffic

from .display import console, harmless, moment, table
from .gaps import known, named
from .options import Moment, json_option, lake_option, now_option

SOURCES = (AUTO, *ABILITIES)


def span_options(command: Any) -> Any:
    """Add `--start`, `--end`, `--gaps` and `--source`."""
    for option in (
        click.option("--source", type=click.Choice(SOURCES), help="Who is asked; auto: the best for each hour."),
        click.option("--gaps", "only_gaps", is_flag=True, help="The recorded gaps, instead of a range of time."),
        click.option("--end", "end_ts", type=Moment(), help="To here, not included."),
        click.option("--start", "start_ts", type=Moment(), help="From here: 2026-01-05T10:00 or seconds UTC."),
    ):
        command = option(command)
    return command


def check_span(start_ts: int | None, end_ts: int | None, only_gaps: bool) -> None:
    """Refuse anything but a range of time or `--gaps`."""
    if only_gaps and (start_ts is not None or end_ts is not None):
        raise click.UsageError("--gaps means the recorded gaps, wherever they are; leave out --start and --end")
    if not only_gaps and (start_ts is None or end_ts is None):
        raise click.UsageError("give --start and --end, for example --start 2026-01-05 --end 2026-01-06, or --gaps")


@click.command()
@click.argument("subreddits", nargs=-1)
@lake_option()
@now_option
@span_options
@json_option
def plan(
    subreddits: Sequence[str],
    lake: LocalLake,
    clock: Clock,
    start_ts: int | None,
    end_ts: int | None,
    only_gaps: bool,
    source: str | None,
    as_json: bool,
) -> None:
    """Say before a backfill who would serve which hours, in how many requests, bytes and seconds.

    No request is made. The figures are estimates from what the lake has seen of the subreddit. Without --source the
    best source is taken for each hour: Reddit's API while its listings reach back so far, else Arctic Shift.

    \b
    Examples:
      market-opinion plan android --start 2026-01-05 --end 2026-01-08
      market-opinion plan android --start 2020-01-01 --end 2020-02-01 --source arctic-shift
      market-opinion plan --gaps

    Exit codes: 0 every hour can be served, 3 something speaks against some.
    """
    check_span(start_ts, end_ts, only_gaps)
    settings = IngestSettings.from_mapping(os.environ)
    legs, traffic = planned(lake, settings, clock, subreddits, start_ts, end_ts, source or AUTO)
    if as_json:
        click.echo(json.dumps([_to_dict(leg) for leg in legs], indent=1))
    else:
        _print(legs, traffic)
    is_clear = all(leg.source and not leg.reason for leg in legs)
    click.get_current_context().exit(EXIT_DONE if is_clear else EXIT_INCOMPLETE)


def planned(
    lake: LocalLake,
    settings: IngestSettings,
    clock: Clock,
    subreddits: Sequence[str],
    start_ts: int | None,
    end_ts: int | None,
    source: str,
) -> tuple[list[Leg], dict[str, Traffic]]:
    """Return the legs for a range of time or, without one, for the recorded gaps; and the traffic they assume.

    Raises:
        InvalidRequest: a name or the range is not usable.
        LakeNotUsable: gaps are asked for, and there is no lake.
    """
    windows: Sequence[Window] | None = None
    if start_ts is None:
        lake.check_exists()
        names = named(lake, settings, subreddits)
    else:
        event = {"mode": "backfill", "start_ts": start_ts, "end_ts": end_ts}
        request = parse_event(
            {**event, "subreddits": list(subreddits)} if subreddits else event, settings, clock.now_ts()
        )
        names, windows = list(request.subreddits), request.windows
    legs: list[Leg] = []
    traffic: dict[str, Traffic] = {}
    for name in names:
        what = known(lake, settings, name, clock)
        legs += what.planner.legs(windows if windows is not None else [gap.window for gap in what.open], source)
        traffic[name] = what.planner.traffic
    return legs, traffic


def _print(legs: Sequence[Leg], traffic: dict[str, Traffic]) -> None:
    out = console()
    if not legs:
        out.print("no gaps: nothing to do")
        return
    columns = ("subreddit", "from (UTC)", "to", "#hours", "source", "#requests", "#size", "#time", "why not")
    out.print(table(columns, [_row(leg) for leg in legs]))
    served = [leg for leg in legs if leg.source]
    hours, open_hours = (sum(len(leg.windows) for leg in some) for some in (legs, [x for x in legs if not x.source]))
    out.print(
        f"\nIn all {hours:,} hours: about {sum(leg.requests for leg in served):,} requests,"
        f" {_size(sum(leg.bytes for leg in served))}, {_time(sum(leg.seconds for leg in served))}"
        + (f"; {open_hours:,} hours that no source can serve" if open_hours else "")
    )
    for name, each in traffic.items():
        rates = f"{each.per_hour[SUBMISSIONS]:,.1f} submissions and {each.per_hour[COMMENTS]:,.1f} comments an hour"
        how = "as the lake has seen" if each.is_measured else "assumed, for the lake has seen nothing of it"
        out.print(f"r/{name}: {rates}, {how}")


def _row(leg: Leg) -> list[object]:
    cost = (leg.requests, _size(leg.bytes), _time(leg.seconds)) if leg.source else ("-", "-", "-")
    ends = moment(leg.windows[0].start_ts), moment(leg.windows[-1].end_ts)
    return [leg.subreddit, *ends, len(leg.windows), leg.source or "none", *cost, harmless(leg.reason)]


def _size(size: int) -> str:
    return f"{size / 10**6:,.1f} MB" if size < 10**9 else f"{size / 10**9:,.1f} GB"


def _time(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"


def _to_dict(leg: Leg) -> dict[str, Any]:
    return {
        "subreddit": leg.subreddit,
        "start_ts": leg.windows[0].start_ts,
        "end_ts": leg.windows[-1].end_ts,
        "hours": len(leg.windows),
        "source": leg.source,
        "requests": leg.requests,
        "bytes": leg.bytes,
        "seconds": leg.seconds,
        "reason": leg.reason,
    }
