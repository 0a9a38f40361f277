"""`augment`: bring the augmented zone, the tables of documents, mentions and comparisons, up to the landing zone."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from reddit_ingest.core.errors import EXIT_DONE, EXIT_INCOMPLETE, PlatformError
from reddit_ingest.core.names import subreddit_key
from reddit_ingest.core.settings import IngestSettings

from ..augmentation_service import AugmentationService, Outcome
from ..augmented_store import AugmentedStore
from ..builders import Recipe, builders
from ..label_store import LabelStore
from ..market import load_market
from ..sentiment.scoring import DEFAULT_ENGINE, ENGINES, make_scorer
from .display import LiveProgress, console, table
from .options import jobs_of, json_option, lake_to_read, market_option


@click.command()
@click.argument("subreddits", nargs=-1)
@lake_to_read
@market_option
@click.option(
    "--engine",
    type=click.Choice([*ENGINES]),
    default=DEFAULT_ENGINE,
    show_default=True,
    help="What reads the sentiment.",
)
@click.option(
    "--jobs", type=click.IntRange(min=0), default=1, show_default=True, help="Days at a time; 0: one per core."
)
@click.option("--rebuild", is_flag=True, help="Make every day again, changed or not.")
@json_option
def augment(
    subreddits: Sequence[str], lake: Any, market: str, engine: str, jobs: int, rebuild: bool, as_json: bool
) -> None:
    """Find brands and products in what was landed, and what people think of them, as tables in Parquet.

    Only days that have changed since the last time are made again. It may be killed at any moment and run again, and
    may run while others land. What was erased from the landing zone goes from the tables, too. Without SUBREDDITS the
    whole lake is augmented. With --aws, AUGMENTED_BUCKET_NAME says where the tables go. What `calibrate fit` has kept
    is used: the offsets of the engine, and what people said of single mentions.

    \b
    Examples:
      market-opinion augment
      market-opinion augment smartphones android --jobs 0
      market-opinion augment --market ./my-market.toml --engine lexicon --rebuild
      market-opinion augment --aws --json

    Exit codes: 0 done, 1 failed, 2 usage, 3 the landing zone was changing all the while: run it again.
    """
    chosen = list(dict.fromkeys(map(subreddit_key, subreddits)))
    with LiveProgress() as progress, lake.augmenting(progress):
        outcomes, troubles = run(lake, chosen, market, engine, jobs_of(jobs), rebuild, progress)
    if as_json:
        click.echo(json.dumps([asdict(outcome) for outcome in outcomes], indent=1))
    else:
        _print(outcomes)
    for subreddit, trouble in troubles:
        click.echo(f"Error: r/{subreddit}: {trouble}", err=True)
    click.get_current_context().exit(_exit_code(outcomes, [trouble for _, trouble in troubles]))


def run(
    lake: Any, subreddits: Sequence[str], market: str, engine: str, jobs: int, rebuild: bool, progress: LiveProgress
) -> tuple[list[Outcome], list[tuple[str, PlatformError]]]:
    """Augment subreddits (none named: all), under the lock of the zone, and return what became of them.

    Trouble with one keeps no other from being augmented.

    Raises:
        InvalidRequest, InvalidSetting: there is no such market or engine, or no place for the tables; nothing was done.
    """
    zone, known, scorer = lake.augmented(), load_market(market), make_scorer(engine)
    store, labels = AugmentedStore(zone), LabelStore(zone, known.name)
    prefix = IngestSettings.from_mapping(os.environ).landing_prefix
    service = AugmentationService(lake.reader(), store, labels, known, scorer, prefix)
    store.tidy()
    labels.tidy()
    calibration = labels.calibration(engine)
    if calibration and not calibration.fits(scorer):
        click.echo(
            f"the calibration of {engine} for {known.name} belongs to another version of its model and is not used;"
            " run `market-opinion calibrate fit` to fit it anew",
            err=True,
        )
    outcomes, troubles = [], []
    with builders(Recipe(lake, market, engine), jobs) as build:
        for subreddit in subreddits or service.subreddits():
            try:
                outcomes.append(service.augment(subreddit, build, _Told(progress), is_rebuild=rebuild))
            except PlatformError as trouble:
                troubles.append((subreddit, trouble))
    return outcomes, troubles


class _Told:
    """Tells a person how the work goes on."""

    def __init__(self, progress: LiveProgress) -> None:
        self._progress = progress

    def built(self, subreddit: str, date: str, rows: dict[str, int], done: int, total: int) -> None:
        """Show a partition that was made."""
        counts = f"{rows['documents']:,} documents, {rows['mentions']:,} mentions"
        self._progress.done(f"r/{subreddit} {date}: {counts} ({done:,} of {total:,})")


def _print(outcomes: Sequence[Outcome]) -> None:
    columns = ("subreddit", "#days made", "unchanged", "removed", "#documents", "#mentions", "#comparisons")
    names = [column if column[0] == "#" or column == "subreddit" else f"#{column}" for column in columns]
    console().print(table(names, [_row(outcome) for outcome in outcomes]))
    for outcome in outcomes:
        if not outcome.is_settled:
            click.echo(f"r/{outcome.subreddit} was changing all the while; run it again", err=True)


def _row(outcome: Outcome) -> list[object]:
    rows = (outcome.rows[name] for name in ("documents", "mentions", "comparisons"))
    return [outcome.subreddit, outcome.built, outcome.unchanged, outcome.removed, *rows]


def _exit_code(outcomes: Sequence[Outcome], troubles: Sequence[PlatformError]) -> int:
    if troubles:
        return min(trouble.exit_code for trouble in troubles)
    return EXIT_DONE if all(outcome.is_settled for outcome in outcomes) else EXIT_INCOMPLETE
