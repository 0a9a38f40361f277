"""`calibrate`: a sheet of the lake's own mentions for a person to judge, and an engine fitted to what was judged."""

import hashlib
import json
from pathlib import Path
from typing import Any

import click

from reddit_ingest.core.errors import InvalidRequest, RunIncomplete

from ..augmented_store import AugmentedStore
from ..label_store import LabelStore
from ..labelling import SHEET_ROWS, draw_sheet, judged_by, matches, mentions_to_judge, read_sheet, write_sheet
from ..labels import newest, to_lines
from ..market import load_market
from ..sentiment.calibrating import FEWEST_LABELS, Calibration
from ..sentiment.calibrating import calibrate as calibrated
from ..sentiment.scoring import DEFAULT_ENGINE, ENGINES, make_scorer
from .display import LiveProgress, console, table
from .options import json_option, lake_to_read, market_option


@click.group()
def calibrate() -> None:
    """Let a person judge some mentions, fit an engine to that, and keep what the person said.

    Without it, how many mentions are neutral leans towards the texts that the engine was trained on, and reports say
    "uncalibrated".

    \b
    Examples:
      market-opinion augment
      market-opinion calibrate sheet labels.csv
      (fill in the column "label": negative, neutral, positive, or nothing)
      market-opinion calibrate fit labels.csv
      market-opinion augment
    """


@calibrate.command()
@click.argument("file", type=click.Path(path_type=Path))
@lake_to_read
@market_option
@click.option("--rows", type=click.IntRange(min=1), default=SHEET_ROWS, show_default=True, help="Mentions to judge.")
@json_option
def sheet(file: Path, lake: Any, market: str, rows: int, as_json: bool) -> None:
    """Write mentions from the tables of `augment` to FILE, a CSV, for a person to judge.

    As many of each brand and answer as there are, up to a fair part of the rows; no bots, copies or removed texts, and
    nothing that was judged before. Fill in "label": what the author thinks of the »marked« name; leave it empty where
    something else is meant or you cannot tell. Leave the other columns as they are.

    FILE holds people's words and leaves the lake by your wish: no deletion on Reddit reaches it. Delete it when the
    labels are fitted; they are kept in the lake without any words.

    \b
    Examples:
      market-opinion calibrate sheet labels.csv
      market-opinion calibrate sheet labels.csv --rows 100 --market ./my-market.toml
      market-opinion calibrate sheet labels.csv --aws
    """
    known = load_market(market)
    zone = lake.augmented()
    with LiveProgress() as progress, lake.augmenting(progress):
        store, labels = AugmentedStore(zone), LabelStore(zone, known.name)
        drawn = draw_sheet(mentions_to_judge(store, known.name, labels.corrections()), rows)
    if not drawn:
        raise InvalidRequest(
            f"the tables hold no mention of the market {known.name} that is left to judge;"
            f" run `market-opinion augment --market {market}` first"
        )
    write_sheet(drawn, file)
    told = {"file": str(file), "market": known.name, "rows": len(drawn), "of": round(sum(row.weight for row in drawn))}
    if as_json:
        click.echo(json.dumps(told, indent=1))
        return
    click.echo(f"{told['rows']:,} of {told['of']:,} mentions written to {file}")
    click.echo('it holds people\'s words: delete it after "calibrate fit"', err=True)


@calibrate.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@lake_to_read
@market_option
@click.option(
    "--engine",
    type=click.Choice([*ENGINES]),
    default=DEFAULT_ENGINE,
    show_default=True,
    help="What is fitted.",
)
@json_option
def fit(file: Path | None, lake: Any, market: str, engine: str, as_json: bool) -> None:
    """Keep the labels that a person has filled into FILE, and fit the engine to all labels of the market.

    The next `augment` uses both: mentions that were judged get the person's label, all others the engine's after two
    offsets. Of two labels for one mention the newer counts; one whose text was edited or deleted since does not. The
    figures "after" are of answers whose offsets were fitted without them; the net bias is what has to be added to the
    net sentiment. Without FILE the labels that were kept before are fitted again, for example to another engine.

    \b
    Examples:
      market-opinion calibrate fit labels.csv
      market-opinion calibrate fit --engine lexicon
      market-opinion calibrate fit labels.csv --aws --json

    Exit codes: 0 fitted, 1 failed, 2 usage, 3 labels kept, but too few of them to fit: label more.
    """
    known, scorer = load_market(market), make_scorer(engine)
    given = read_sheet(file) if file else []
    if file and not given:
        raise InvalidRequest(
            f"no label is filled into {file}; write negative, neutral or positive into the column label"
        )
    zone = lake.augmented()
    with LiveProgress() as progress, lake.augmenting(progress):
        store, labels = AugmentedStore(zone), LabelStore(zone, known.name)
        new = [match.correction for match in matches(store, known.name, newest(given))]
        if given and not new:
            raise InvalidRequest(
                f"none of the mentions in {file} stands in the tables of the market {known.name} (any more);"
                " name the lake and the market that the sheet was drawn from"
            )
        found = matches(store, known.name, newest([*labels.corrections(), *new]))
        judged = judged_by(scorer, found)
        kept = labels.add(new)
        if not judged.is_enough:
            raise RunIncomplete(
                f"{len(kept):,} labels are kept, and {len(found):,} of them hold for a text of today; for a calibration"
                f" at least {FEWEST_LABELS} are needed, of two classes: label more and fit again"
            )
        used = hashlib.sha256(to_lines(match.correction for match in found)).hexdigest()
        made, figures = calibrated(scorer, judged, used)
        labels.keep(made)
    counts = {"given": len(given), "new": len(new), "kept": len(kept), "used": len(found)}
    if as_json:
        told = {"market": known.name, "labels": counts, "calibration": json.loads(made.to_json()), **figures}
        click.echo(json.dumps(told, indent=1))
    else:
        _print(made, figures)
    if gone := len(newest(given)) - len(new):
        click.echo(f"{gone:,} labels are for what was edited or deleted since; they are not kept", err=True)


def _print(made: Calibration, found: dict[str, Any]) -> None:
    columns = (f"{made.labels:,} labels", "#accuracy", "#macro F1", "#macro recall", "#net bias")
    cells = [
        [name, *(f"{100 * one[key]:.1f}" for key in ("accuracy", "macro_f1", "macro_recall", "net_bias"))]
        for name, one in found.items()
    ]
    console().print(table(columns, cells))
    console().print(
        f"offsets of {made.engine}: negative {made.negative:+.1f}, positive {made.positive:+.1f};"
        f" net bias {100 * made.net_bias:+.1f} ± {100 * made.net_bias_se:.1f} points; augment again to use them"
    )
