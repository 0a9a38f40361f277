"""`demo`: the main job end to end with no account, from a day of three simulated subreddits to what people think."""

import time
from collections import Counter, defaultdict
from dataclasses import dataclass

import click

from reddit_ingest.bootstrap import LocalLake, local_pipeline
from reddit_ingest.core.invocation import IngestRequest, Mode
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.core.windows import HOUR_S, SETTLE_S
from reddit_ingest.pipeline import SubredditOutcome
from reddit_sim import GeneratedWorld, Simulator

from ..augmented_store import AugmentedStore
from ..sentiment.scoring import DEFAULT_ENGINE
from .augment import DEFAULT_MARKET, run
from .display import LiveProgress, console, moment, table
from .ingest import exit_code
from .options import lake_option
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
    _print_opinions(lake)
    _print_places(outcomes, lake)
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


def _print_opinions(lake: LocalLake) -> None:
    store = AugmentedStore(lake.augmented())
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for subreddit in SUBREDDITS:
        for day in store.days("mentions", subreddit):
            mentions = store.read("mentions", subreddit, day)
            for brand, label in zip(mentions["brand"].to_pylist(), mentions["label"].to_pylist(), strict=True):
                said[brand][label] += 1
    rows = [_opinion(brand, said[brand]) for brand in sorted(said, key=lambda brand: (-said[brand].total(), brand))]
    columns = ("brand", "#mentions", "#positive", "#neutral", "#negative", "#net sentiment")
    console().print(table(columns, rows))


def _opinion(brand: str, labels: Counter[str]) -> list[object]:
    positive, neutral, negative = (labels[name] for name in ("positive", "neutral", "negative"))
    return [brand, labels.total(), positive, neutral, negative, f"{(positive - negative) / labels.total():+.2f}"]


def _print_places(outcomes: list[SubredditOutcome], lake: LocalLake) -> None:
    out = console()
    out.print("\nWhere things lie:")
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
