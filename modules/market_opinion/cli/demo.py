"""`demo`: the main job end to end with no account, from a day of three simulated subreddits to the report."""

import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import click

from reddit_ingest.bootstrap import LocalLake, local_pipeline
from reddit_ingest.core.invocation import IngestRequest, Mode
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.core.windows import HOUR_S, SETTLE_S
from reddit_ingest.pipeline import SubredditOutcome
from reddit_sim import GeneratedWorld, Simulator

from ..analysis.figures import Figures
from ..analysis.periods import Period, utc_day
from ..analysis.warehouse import open_warehouse
from ..market import Market, load_market
from ..sentiment.scoring import DEFAULT_ENGINE
from .augment import run
from .display import LiveProgress, console, moment, table
from .ingest import exit_code
from .options import DEFAULT_MARKET, lake_option
from .report import default_output, figures_from, print_summary, shares_by_day, write_page
from .simulator import environment

SUBREDDITS = ("android", "smartphones", "pocketphones")
_WORLD_START_TS = 1_767_571_200  # 2026-01-05 00:00 UTC
_FIRST_HOUR_TS = _WORLD_START_TS + 24 * HOUR_S


@dataclass(slots=True)
class _Clock:
    ts: int

    def now_ts(self) -> int:
        return self.ts


@click.command()
@lake_option("lake-demo")
@click.option(
    "--hours", type=click.IntRange(1, 240), default=24, show_default=True, help="Simulated hours to live through."
)
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of the simulated world.")
def demo(lake: LocalLake, hours: int, seed: int) -> None:
    """Live through a day of a simulated Reddit, land it hour by hour through PRAW over HTTP, and tell what was said.

    Nothing leaves this machine and no account is needed. Running it again reads nothing twice.

    \b
    Examples:
      market-opinion demo
      market-opinion demo --hours 48 --lake /tmp/demo
    """
    began = time.monotonic()
    outcomes, requests = _live_through(lake, hours, seed)
    _print_account(outcomes, requests, time.monotonic() - began)
    _augment(lake)
    market = load_market(DEFAULT_MARKET)
    figures = _figures(lake, market, hours)
    _print_opinions(lake, figures)
    page = default_output(lake, figures)
    write_page(figures, market, page)
    _print_places(outcomes, lake, page)
    click.get_current_context().exit(exit_code(outcomes))


def _live_through(lake: LocalLake, hours: int, seed: int) -> tuple[list[SubredditOutcome], int]:
    outcomes: list[SubredditOutcome] = []
    clock = _Clock(_FIRST_HOUR_TS)
    world = GeneratedWorld(seed=seed, start_ts=_WORLD_START_TS)
    with Simulator(world, now_ts=clock.ts) as reddit, LiveProgress() as progress, lake.locked(progress):
        pipeline = local_pipeline(lake, IngestSettings(), environment(reddit.url), clock, progress)
        for hour in range(1, hours + 1):
            clock.ts = _FIRST_HOUR_TS + hour * HOUR_S + SETTLE_S
            reddit.clock.set(clock.ts)
            outcomes.extend(pipeline.run(IngestRequest(Mode.INCREMENTAL, SUBREDDITS)))
        return outcomes, reddit.stats()["requests_total"]


def _augment(lake: LocalLake) -> None:
    with LiveProgress() as progress, lake.augmenting(progress):
        _, troubles = run(lake, SUBREDDITS, DEFAULT_MARKET, DEFAULT_ENGINE, 1, False, progress)
    for _, trouble in troubles:
        raise trouble


def _print_account(outcomes: list[SubredditOutcome], requests: int, seconds: float) -> None:
    out = console()
    columns = ("subreddit", "#hours", "complete", "empty", "other", "#submissions", "#new comments", "read up to (UTC)")
    out.print(
        table(
            [
                column if column[0] == "#" or column in ("subreddit", "read up to (UTC)") else f"#{column}"
                for column in columns
            ],
            [_account(name, outcomes) for name in SUBREDDITS],
        )
    )
    out.print(f"\n{requests:,} requests to the simulated Reddit in {seconds:.1f} s. What was said there:\n")


def _figures(lake: LocalLake, market: Market, hours: int) -> Figures:
    """Return the figures of the whole days that were lived through, a week at most; of the first day if none is."""
    first, days = utc_day(_FIRST_HOUR_TS), min(max(hours // 24, 1), 7)
    last = first + timedelta(max(hours // 24, 1) - 1)
    return figures_from(lake, market, lambda _: Period.ending(last, days))


def _print_opinions(lake: LocalLake, figures: Figures) -> None:
    if figures.period.days == 1:
        print_summary(figures, _mentions_by_hour(lake, figures), "mentions by hour")
    else:
        print_summary(figures, *shares_by_day(figures))


def _mentions_by_hour(lake: LocalLake, figures: Figures) -> dict[str, list[float]]:
    bounds = figures.period.bounds(figures.time_zone)
    days = (figures.period.first, figures.period.last)
    with open_warehouse(lake.augmented().reader, *days, tables=("mentions",)) as connection:
        rows = connection.execute(
            """
            SELECT brand, (created_utc - $start) // 3600, count(*) FROM mentions
            WHERE is_counted AND created_utc >= $start AND created_utc < $end GROUP BY ALL
            """,
            {name: bounds[name] for name in ("start", "end")},
        ).fetchall()
    found: dict[str, list[float]] = {brand.brand: [0.0] * 24 for brand in figures.brands}
    for brand, hour, mentions in rows:
        found[brand][hour] = mentions
    return found


def _print_places(outcomes: list[SubredditOutcome], lake: LocalLake, page: Path) -> None:
    out = console()
    out.print("\nThe report, with intervals, days, aspects, quotes and their proof; open it in a browser:")
    out.print(f"  {page}", soft_wrap=True)
    out.print("Where things lie:")
    out.print(f"  {lake.landing}/reddit/  rows and manifests, a folder an hour", soft_wrap=True)
    out.print(f"  {lake.root}/augmented/       documents, mentions and comparisons in Parquet", soft_wrap=True)
    out.print(f"  {lake.root}/state.sqlite     watermarks and run records", soft_wrap=True)
    out.print("Look at them:")
    out.print(f"  .venv/bin/market-opinion status --lake {lake.root} --now {_now_text(outcomes)}", soft_wrap=True)
    out.print(f"  .venv/bin/market-opinion show smartphones --lake {lake.root} --limit 3", soft_wrap=True)


def _account(name: str, outcomes: list[SubredditOutcome]) -> tuple[object, ...]:
    own = [outcome for outcome in outcomes if outcome.subreddit == name]
    results = [result for outcome in own for result in outcome.results]
    counts = [sum(result.status == status for result in results) for status in ("complete", "empty")]
    return (
        name,
        len(results),
        *counts,
        len(results) - sum(counts),
        sum(result.submissions_count for result in results),
        sum(result.new_comments_count for result in results),
        moment(max((outcome.watermark or 0 for outcome in own), default=0)),
    )


def _now_text(outcomes: list[SubredditOutcome]) -> str:
    return moment(max(outcome.watermark or 0 for outcome in outcomes) + SETTLE_S).replace(" ", "T")
