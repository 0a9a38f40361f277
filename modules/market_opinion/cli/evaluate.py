"""`evaluate`: how good each engine of targeted sentiment is on labelled texts."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from ..sentiment.evaluating import Evaluation, Measured
from ..sentiment.evaluating import evaluate as measure
from ..sentiment.measuring import Figures
from ..sentiment.scoring import ENGINES, installed_engines
from .display import console, harmless, table
from .options import json_option


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("labelled"))
@click.option("--engine", "engines", multiple=True, help=f"Measure this engine only: {', '.join(ENGINES)}. Repeatable.")
@click.option("--folds", type=click.IntRange(0, 20), default=0, help="Cross-validate what was trained on these files.")
@json_option
def evaluate(folder: Path, engines: Sequence[str], folds: int, as_json: bool) -> None:
    """Measure the sentiment engines on every labelled file in FOLDER (./labelled).

    A file is *.tsv with a first line, columns id, label (positive, neutral, negative), text; for the sentiment towards
    a target also target and start, its place in the text. Comparisons have object_a, object_b, label (better, worse,
    none). Instead of label, a column opinions may hold a JSON list of [category, polarity]; that needs --folds.
    F1 per class is in the order negative/neutral/positive (worse/none/better); "calibrated" is accuracy/macro F1
    with offsets fitted on 300 of the rows, measured on the others. With --folds, the shipped recipe is cross-validated
    on the files it was trained on, and a model of all files (linear-all, never shipped) is measured beside it: some
    minutes, and scikit-learn.

    \b
    Examples:
      market-opinion evaluate labelled
      market-opinion evaluate labelled --engine lexicon --json
      market-opinion evaluate labelled --folds 5
    """
    chosen = list(engines) or installed_engines()
    if not engines and "minilm" not in chosen:
        click.echo("minilm was left out: pip install 'market-opinion[minilm]'", err=True)
    made = measure(folder, chosen, folds, lambda line: click.echo(line, err=True))
    if as_json:
        click.echo(json.dumps(made.to_dict(), indent=1))
    else:
        _print(made)
    for name, reason in made.skipped.items():
        click.echo(f"{harmless(name)} was left out: {reason}", err=True)


def _print(made: Evaluation) -> None:
    out = console()
    every = [(_short(name), one) for name, measured in made.files.items() for one in measured]
    columns = ["file", "engine", "how", "#n", "#accuracy", "#macro F1", "#95 % of F1", "#recall", "#F1 per class"]
    if every:
        out.print(table([*columns, "#calibrated", "#rows/s (CPU)"], [_row(name, one) for name, one in every]))
    mixed = [_figures_row(name, one, one.mixed) for name, one in every if one.mixed]
    if mixed:
        out.print()
        columns = ["file", "engine", "#n", "#accuracy", "#macro F1"]
        out.print(table(columns, mixed, title="Texts that are good for one target and bad for another"))
    topics = [_topic_row(name, one) for name, one in every if one.topics]
    if topics:
        out.print()
        columns = [
            "file",
            "engine",
            "#topics",
            "#share error",
            "#net error",
            "#net r",
            "#recall of 2",
            "#divergence of 2",
        ]
        out.print(table(columns, topics, title="Shares per topic"))
    if made.categories:
        out.print()
        rows = [
            [_short(name), one.n, one.categories, _percent(one.f1), _percent(one.entity_f1)]
            for name, one in made.categories.items()
        ]
        out.print(table(["file", "#n", "#categories", "#F1", "#F1 of entities"], rows, title="Categories of a text"))


def _short(name: str) -> str:
    return harmless(name.removesuffix(".tsv").removesuffix(".dev"))


def _row(name: str, one: Measured) -> list[object]:
    found, after = one.figures, one.calibrated
    return [
        name,
        one.engine,
        one.how,
        found.n,
        _percent(found.accuracy),
        _percent(found.macro_f1),
        "-".join(_percent(edge) for edge in found.macro_f1_interval),
        _percent(found.macro_recall),
        "/".join(f"{100 * value:.0f}" for value in found.f1.values()),
        f"{_percent(after['accuracy'])}/{_percent(after['macro_f1'])}" if after else "",
        "" if one.per_second is None else int(one.per_second),
    ]


def _figures_row(name: str, one: Measured, found: Figures) -> list[object]:
    return [name, one.engine, found.n, _percent(found.accuracy), _percent(found.macro_f1)]


def _topic_row(name: str, one: Measured) -> list[object]:
    found = one.topics
    if found is None:
        return []
    return [
        name,
        f"{one.engine} {one.how}",
        found.topics,
        f"{found.share_error:.3f}",
        f"{found.net_error:.3f}",
        f"{found.net_correlation:.2f}",
        f"{found.two_class_recall:.3f}",
        f"{found.two_class_divergence:.3f}",
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
