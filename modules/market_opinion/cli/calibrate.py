"""`calibrate`: fit an engine to labels of one's own."""

import hashlib
import json
from pathlib import Path

import click

from reddit_ingest.core.errors import InvalidRequest

from ..sentiment.calibrating import before_and_after, read_sheet
from ..sentiment.calibrating import calibrate as fit
from ..sentiment.scoring import DEFAULT_ENGINE, ENGINES, make_scorer
from .display import console, table
from .options import json_option


@click.command()
@click.argument("sheet", type=click.Path(path_type=Path))
@click.option("--engine", default=DEFAULT_ENGINE, show_default=True, help=f"One of {', '.join(ENGINES)}.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the calibration here.  [default: SHEET with .json]")
@json_option
def calibrate(sheet: Path, engine: str, out: Path | None, as_json: bool) -> None:
    """Fit the two offsets of an engine to the labels that a person has filled into SHEET, a CSV file.

    Rows without a label are left out. The figures "after" are from rows that the offsets were not fitted on.

    \b
    Examples:
      market-opinion calibrate sheet.csv
      market-opinion calibrate sheet.csv --engine lexicon --out lexicon.json
    """
    scorer = make_scorer(engine)
    rows = read_sheet(sheet)
    made = fit(scorer, rows, hashlib.sha256(sheet.read_bytes()).hexdigest())
    found = before_and_after(scorer, rows)
    place = out or sheet.with_suffix(".json")
    try:
        place.write_text(made.to_json(), encoding="utf-8")
    except OSError as cause:
        raise InvalidRequest(f"the calibration cannot be written to {place}: {cause.strerror}") from cause
    if as_json:
        click.echo(json.dumps({"calibration": json.loads(made.to_json()), **found}, indent=1))
        return
    cells = [
        [name, *(f"{100 * one[key]:.1f}" for key in ("accuracy", "macro_f1", "macro_recall"))]
        for name, one in found.items()
    ]
    console().print(table([f"{made.labels} labels", "#accuracy", "#macro F1", "#macro recall"], cells))
    console().print(
        f"offsets of {engine}: negative {made.negative:+.1f}, positive {made.positive:+.1f}; written to {place}"
    )
