"""Makes the models that are shipped, and their card: `python -m market_opinion.sentiment.making FOLDER`."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import click

from reddit_ingest.core.errors import InvalidRequest, PlatformError

from . import training
from .datasets import read_labelled, read_pairs
from .evaluating import SEEN, Evaluation, Measured, evaluate
from .minilm import sha256_of, stored_minilm
from .scoring import ENGINES

_MODELS = Path(__file__).parent / "models"
_LIMITS = (
    "Trained on restaurant reviews (targets) and on Reddit comments and phone reviews (whole texts); no public set has"
    " people's judgement of what a Reddit comment says of a phone brand.",
    "How many texts are neutral differs between communities: without a calibration on labels of your own"
    " (`market-opinion calibrate`) shares lean towards the training sets.",
    "English only; other languages get neutral. Irony, and what only the thread tells, is not understood.",
    "GoEmotions was labelled by raters of one country, mostly without context, and carries their judgement of dialects"
    " and slurs. Brand names are masked, names of groups of people are not.",
    "Tweets and product features of 2004 to 2017 are measured here, not the language of today.",
)


def make_shipped(folder: Path, folds: int) -> None:
    """Train the shipped model `linear`, measure it and `minilm` beside it, and write model and card.

    Raises:
        InvalidRequest: a training set is missing or is not the one that the card names.
    """
    sets = {name: read_labelled(checked(folder / name, sha256)) for name, (_, sha256) in training.CLEAN_SETS.items()}
    _MODELS.mkdir(exist_ok=True)
    stored = training.train_clean(sets).to_bytes()
    (_MODELS / "linear.npz").write_bytes(stored)
    card = _card(stored, {name: len(rows) for name, rows in sets.items()})
    _write_card(card)
    card["figures"] = _figures(evaluate(folder, [*ENGINES], folds, _tell))
    _write_card(card)


def make_all(folder: Path, out: Path) -> None:
    """Train on every labelled file of the folder, for measuring and for those who may: never shipped."""
    files = [path for path in sorted(folder.glob("*.tsv")) if path.name != "comparative.dev.tsv"]
    sets = {
        path.name: rows
        for path in files
        if "label" in path.open(encoding="utf-8").readline() and (rows := read_labelled(path))
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "linear.npz").write_bytes(
        training.train({name: training.with_stand_ins(rows) for name, rows in sets.items()}).to_bytes()
    )
    if (folder / "comparative.dev.tsv").exists():
        (out / "comparing.npz").write_bytes(training.train_pairs(read_pairs(folder / "comparative.dev.tsv")).to_bytes())


def checked(path: Path, sha256: str) -> Path:
    """Return the path of a training set that is the one of the card.

    Raises:
        InvalidRequest: it is another, or not there.
    """
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as cause:
        raise InvalidRequest(f"the training set {path} cannot be read: {cause}") from cause
    if found != sha256:
        raise InvalidRequest(f"{path} is not the training set of the card: SHA-256 {found[:16]}, not {sha256[:16]}")
    return path


def _card(stored: bytes, rows: dict[str, int]) -> dict[str, Any]:
    minilm = stored_minilm()
    return {
        "models": {
            "linear": {"file": "linear.npz", "sha256": hashlib.sha256(stored).hexdigest(), "bytes": len(stored)},
            "minilm": {"file": "minilm.onnx", "sha256": sha256_of(**minilm), "bytes": len(minilm["model"])},
        },
        "recipe": {
            "strength": training.STRENGTH,
            "rounds": training.ROUNDS,
            "seeds": "none: nothing is drawn by chance",
        },
        "data": [
            {"file": name, "rows": rows[name], "licence": licence, "sha256": sha256}
            for name, (licence, sha256) in training.CLEAN_SETS.items()
        ],
        "limits": list(_LIMITS),
    }


def _write_card(card: dict[str, Any]) -> None:
    (_MODELS / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def _figures(evaluation: Evaluation) -> list[dict[str, Any]]:
    every = ((name, one) for name, measured in evaluation.files.items() for one in measured)
    return [_figure(name, one) for name, one in every if one.how != SEEN]


def _figure(name: str, one: Measured) -> dict[str, Any]:
    found = one.figures
    return {
        "file": name,
        "engine": one.engine,
        "how": one.how,
        "n": found.n,
        "accuracy": round(found.accuracy, 3),
        "macro_f1": round(found.macro_f1, 3),
        "macro_recall": round(found.macro_recall, 3),
        "macro_f1_interval": [round(edge, 3) for edge in found.macro_f1_interval],
    }


def card_page(card: dict[str, Any]) -> str:
    """Return the card as a page of Markdown."""
    linear, minilm = card["models"]["linear"], card["models"]["minilm"]
    data = [f"| {one['file']} | {one['rows']:,} | {one['licence']} | `{one['sha256'][:16]}…` |" for one in card["data"]]
    figures = [
        f"| {one['file'].split('.')[0]} | {one['engine']} | {one['how']} | {one['n']:,} | {one['accuracy']:.1%}"
        f" | {one['macro_f1']:.1%} | {one['macro_f1_interval'][0]:.1%} to {one['macro_f1_interval'][1]:.1%}"
        f" | {one['macro_recall']:.1%} |"
        for one in card["figures"]
    ]
    return "\n".join(
        [
            "# Model card: targeted sentiment",
            "",
            "Made by `make model` from `card.json` beside the model; change neither by hand.",
            "",
            "## What it is",
            "`linear`: logistic regression on hashed words and letters by their place around a masked target, and on"
            f" what two lexicons say there. {linear['bytes'] / 1e6:.1f} MB, SHA-256 `{linear['sha256']}`.",
            "",
            "`minilm`: all-MiniLM-L6-v2 (Apache-2.0), fine-tuned by `make model-minilm` on the same sets, on the mean"
            " of the text and of the target's place in it; integer weights of 7 bits, so that processors with and"
            " without VNNI count alike. It needs two more libraries: `pip install 'market-opinion[minilm]'`."
            f" {minilm['bytes'] / 1e6:.1f} MB, SHA-256 with its tokenizer `{minilm['sha256']}`.",
            "",
            "Both answer with the probabilities of negative, neutral, positive. Comparisons are found by a rule,"
            " without a model.",
            "",
            "## Data",
            "Only sets whose terms allow a model to be shipped. Nothing of their text is in the package.",
            "",
            "| file | rows | licence | SHA-256 |",
            "| --- | ---: | --- | --- |",
            *data,
            "",
            "## Figures",
            "`shipped`: the shipped model on a set it never saw; there is no such figure of `minilm` for the sets it"
            " was trained on. `5-fold`: trained on four fifths of the texts,"
            " measured on the rest, five times; texts that differ in case, links or @names only are on one side."
            " `linear-all` was trained on all the files, with weights for each on top, and is not shipped: it shows"
            " what labels of your own are worth. Files with two classes are answered with two. The interval is that of"
            " macro F1, 95 %.",
            "",
            "| file | engine | how | n | accuracy | macro F1 | interval | macro recall |",
            "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |",
            *figures,
            "",
            "## Limits",
            *[f"- {limit}" for limit in card["limits"]],
            "",
        ]
    )


def _tell(line: str) -> None:
    click.echo(line, err=True)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--folds", default=5, show_default=True, help="Folds of the card's cross-validation.")
@click.option("--page", type=click.Path(path_type=Path), help="Write the card as Markdown here, too.")
@click.option("--all", "out", type=click.Path(path_type=Path), help="Train on every file instead, into this folder.")
def main(folder: Path, folds: int, page: Path | None, out: Path | None) -> None:
    """Train the models of targeted sentiment on the labelled files of FOLDER."""
    try:
        if out:
            make_all(folder, out)
            return
        make_shipped(folder, folds)
        if page:
            page.write_text(
                card_page(json.loads((_MODELS / "card.json").read_text(encoding="utf-8"))), encoding="utf-8"
            )
    except PlatformError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
