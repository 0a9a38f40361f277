"""`plan`: which source would serve which hours of a backfill, at what cost; or what an import of files would do."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from reddit_ingest.bootstrap import LocalLake
from reddit_ingest.core.abilities import ABILITIES
from reddit_ingest.core.errors import EXIT_DONE, EXIT_INCOMPLETE, InvalidRequest
from reddit_ingest.core.invocation import parse_event
from reddit_ingest.core.keys import COMMENTS, SUBMISSIONS
from reddit_ingest.core.names import subreddit_key
from reddit_ingest.core.ports import Clock
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.core.windows import Window
from reddit_ingest.planning import AUTO, Leg, Traffic

from .display import console, harmless, moment, table
from .gaps import known, named
from .importing import files_there, import_request, wanted_options
from .options import Moment, jobs_of, json_option, lake_option, now_option

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
@click.argument("words", nargs=-1, metavar="[SUBREDDITS]... [FILES]...")
@lake_option()
@now_option
@span_options
@wanted_options
@json_option
def plan(
    words: Sequence[str],
    lake: LocalLake,
    clock: Clock,
    start_ts: int | None,
    end_ts: int | None,
    only_gaps: bool,
    source: str | None,
    wanted: Sequence[str],
    subreddits_file: Path | None,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Say before a backfill who would serve which hours, in how many requests, bytes and seconds.

    No request is made. The figures are estimates from what the lake has seen of the subreddit. Without --source the
    best source is taken for each hour: Reddit's API while its listings reach back so far, else Arctic Shift.

    Given dump files, it says before an import what each of them holds, what its import would need, and which recorded
    gaps it would close; the other options are those of `import`. Nothing is written.

    \b
    Examples:
      market-opinion plan android --start 2026-01-05 --end 2026-01-08
      market-opinion plan android --start 2020-01-01 --end 2020-02-01 --source arctic-shift
      market-opinion plan --gaps
      market-opinion plan RC_2019-10.zst RS_2019-10.zst --subreddit android

    Exit codes: 0 every hour can be served, every file imported; 1 a file cannot; 3 something speaks against some hours.
    """
    subreddits = [word for word in words if not _is_file(word)]
    if files := [Path(word) for word in words if _is_file(word)]:
        if only_gaps or source:
            raise click.UsageError("--gaps and --source are about a backfill; leave them out with dump files")
        # Only those who have archives wait for what reads them.
        from .plan_dumps import plan_dumps

        request = import_request([*subreddits, *wanted], subreddits_file, start_ts, end_ts)
        click.get_current_context().exit(plan_dumps(files_there(files), request, lake, clock, jobs_of(jobs), as_json))
    if wanted or subreddits_file or jobs:
        raise click.UsageError("--subreddit, --subreddits-file and --jobs are about dump files; name one or more")
    check_span(start_ts, end_ts, only_gaps)
    settings = IngestSettings.from_mapping(os.environ)
    legs, traffic = planned(lake, settings, clock, subreddits, start_ts, end_ts, source or AUTO)
    if as_json:
        click.echo(json.dumps([_to_dict(leg) for leg in legs], indent=1))
    else:
        _print(legs, traffic)
    is_clear = all(leg.source and not leg.reason for leg in legs)
    click.get_current_context().exit(EXIT_DONE if is_clear else EXIT_INCOMPLETE)


def _is_file(word: str) -> bool:
    """Tell whether a word means a dump file: it cannot be a subreddit's name, and is there or looks like a path."""
    try:
        subreddit_key(word)
    except InvalidRequest:
        return os.path.exists(word) or "/" in word or "." in word  # noqa: PTH110  # a word may be no path at all
    return False


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
        f" {size(sum(leg.bytes for leg in served))}, {duration(sum(leg.seconds for leg in served))}"
        + (f"; {open_hours:,} hours that no source can serve" if open_hours else "")
    )
    for name, each in traffic.items():
        rates = f"{each.per_hour[SUBMISSIONS]:,.1f} submissions and {each.per_hour[COMMENTS]:,.1f} comments an hour"
        how = "as the lake has seen" if each.is_measured else "assumed, for the lake has seen nothing of it"
        out.print(f"r/{name}: {rates}, {how}")


def _row(leg: Leg) -> list[object]:
    cost = (leg.requests, size(leg.bytes), duration(leg.seconds)) if leg.source else ("-", "-", "-")
    ends = moment(leg.windows[0].start_ts), moment(leg.windows[-1].end_ts)
    return [leg.subreddit, *ends, len(leg.windows), leg.source or "none", *cost, harmless(leg.reason)]


def size(count: int) -> str:
    """Return bytes for people."""
    return f"{count / 10**6:,.1f} MB" if count < 10**9 else f"{count / 10**9:,.1f} GB"


def duration(seconds: float) -> str:
    """Return a time that something takes, for people."""
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
