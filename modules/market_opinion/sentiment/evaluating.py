"""Measures every engine on every labelled file of a folder, as it is or by cross-validation."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reddit_ingest.core.errors import FixConfiguration, InvalidRequest

from .calibrating import fit_offsets, shifted
from .comparing import OUTCOMES, Comparer, RuleComparer, pair_of
from .datasets import (
    Categorised,
    Labelled,
    LabelledPair,
    columns_of,
    read_categorised,
    read_labelled,
    read_pairs,
    text_fold,
)
from .linear import shipped_card
from .measuring import CategoryFigures, Figures, Labels, TopicFigures, answers_of, figures, mixed_rows, topic_figures
from .scoring import Probabilities, Scorer, make_scorer

CALIBRATION_ROWS = 300
SEEN = "SEEN IN TRAINING"
"""How an engine knows a file of which its figures prove nothing."""

_CALIBRATION_DRAWS = 3
_SEED = 20_140

Rows = Sequence[Labelled]
Sets = Mapping[str, Rows]


@dataclass(frozen=True, slots=True)
class Measured:
    """One engine on one file. `how` tells where its knowledge is from."""

    engine: str
    how: str
    figures: Figures
    topics: TopicFigures | None = None
    mixed: Figures | None = None
    calibrated: dict[str, float] | None = None
    per_second: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "engine": self.engine,
            "how": self.how,
            **self.figures.to_dict(),
            "topics": self.topics.to_dict() if self.topics else None,
            "mixed": self.mixed.to_dict() if self.mixed else None,
            "after_calibration": self.calibrated,
            "per_second": self.per_second,
        }


@dataclass(slots=True)
class Evaluation:
    """What was measured, file by file, and which files were not labelled for this."""

    files: dict[str, list[Measured]] = field(default_factory=dict)
    categories: dict[str, CategoryFigures] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        measured = {name: [one.to_dict() for one in rows] for name, rows in self.files.items()}
        categories = {name: found.to_dict() for name, found in self.categories.items()}
        return {"files": measured, "categories": categories, "skipped": self.skipped}


def evaluate(
    folder: Path, engines: Sequence[str], folds: int = 0, tell: Callable[[str], None] = lambda _: None
) -> Evaluation:
    """Measure the engines on every labelled file of a folder.

    With `folds` a model that was trained on a file is measured there by cross-validation, and so is a model that was
    trained on all files (never shipped): minutes, and scikit-learn, which only development has.

    Raises:
        InvalidRequest: there is no such folder, or nothing in it is labelled; an engine is unknown.
        FixConfiguration: scikit-learn is wanted and not there.
    """
    made = Evaluation()
    sets, pairs, categorised = _read(folder, made)
    if categorised and not folds:
        made.skipped |= dict.fromkeys(categorised, "categories are learned: --folds measures that")
    scorers = [make_scorer(engine) for engine in engines]
    learned = _cross_validated(sets, pairs, categorised, folds, tell) if folds else _Learned()
    trained_on = _trained_on(folder)
    for name, rows in sets.items():
        tell(f"measuring {name}")
        made.files[name] = list(_measured(name, rows, scorers, learned, trained_on, folds))
    for name, some in pairs.items():
        made.files[name] = list(_measured_pairs(some, learned.pairs.get(name), folds))
    made.categories = learned.categories
    return made


def _read(
    folder: Path, made: Evaluation
) -> tuple[dict[str, Rows], dict[str, list[LabelledPair]], dict[str, list[Categorised]]]:
    if not folder.is_dir():
        raise InvalidRequest(
            f"{folder} is no folder; name one with labelled files (*.tsv with columns id, label, text)"
        )
    sets: dict[str, Rows] = {}
    pairs: dict[str, list[LabelledPair]] = {}
    categorised: dict[str, list[Categorised]] = {}
    for path in sorted(folder.glob("*.tsv")):
        columns = columns_of(path)
        if {"id", "label", "text", "object_a", "object_b"} <= columns:
            pairs[path.name] = read_pairs(path)
        elif {"id", "label", "text"} <= columns:
            sets[path.name] = read_labelled(path)
        elif {"id", "opinions", "text"} <= columns:
            categorised[path.name] = read_categorised(path)
        else:
            made.skipped[path.name] = "no columns id, label and text"
    for found in (sets, pairs):
        for name in [name for name, rows in found.items() if len({row.label for row in rows}) < 2]:
            made.skipped[name] = "fewer than two classes of labels"
            del found[name]
    if not sets and not pairs and not categorised:
        raise InvalidRequest(f"no labelled file in {folder}; the format is *.tsv with columns id, label, text")
    return sets, pairs, categorised


def _trained_on(folder: Path) -> set[str]:
    """Return the files of the folder that the shipped models were trained on."""
    hashes = {data["sha256"] for data in shipped_card()["data"]}
    return {path.name for path in folder.glob("*.tsv") if hashlib.sha256(path.read_bytes()).hexdigest() in hashes}


@dataclass(slots=True)
class _Learned:
    """Answers by cross-validation: of the shipped recipe on its own files, of a model of all files, of pairs."""

    shipped: dict[str, Probabilities] = field(default_factory=dict)
    everything: dict[str, Probabilities] = field(default_factory=dict)
    pairs: dict[str, Probabilities] = field(default_factory=dict)
    categories: dict[str, CategoryFigures] = field(default_factory=dict)


def _cross_validated(
    sets: Sets,
    pairs: Mapping[str, list[LabelledPair]],
    categorised: Mapping[str, list[Categorised]],
    folds: int,
    tell: Callable[[str], None],
) -> _Learned:
    try:
        from . import categories, training
    except ImportError as cause:
        raise FixConfiguration(
            f"cross-validation trains models and needs {cause.name}; install the development set"
        ) from cause
    clean = {name: rows for name, rows in sets.items() if name in training.CLEAN_SETS}
    learned = _Learned()
    for fold in range(folds):
        tell(f"training for fold {fold + 1} of {folds}")
        if clean:
            _fill(learned.shipped, clean, fold, folds, training.train_clean)
        if sets:
            _fill(learned.everything, sets, fold, folds, training.train_for_each)
        for name, some in pairs.items():
            _fill_pairs(learned.pairs, name, some, fold, folds)
    for name, texts in categorised.items():
        tell(f"training and measuring {name}")
        learned.categories[name] = categories.measured(texts, folds)
    return learned


def _fill(answers: dict[str, Probabilities], sets: Sets, fold: int, folds: int, train: Callable[[Sets], Any]) -> None:
    from .linear import LinearModel, LinearScorer

    held = {name: np.array([text_fold(row.text, folds) == fold for row in rows]) for name, rows in sets.items()}
    trained = train(
        {name: [row for row, out in zip(rows, held[name], strict=True) if not out] for name, rows in sets.items()}
    )
    for name, rows in sets.items():
        model: LinearModel = trained[name] if isinstance(trained, dict) else trained
        mine = [row for row, out in zip(rows, held[name], strict=True) if out]
        made = answers.setdefault(name, np.zeros((len(rows), 3), np.float32))
        made[held[name]] = LinearScorer(model).score([row.text for row in mine], [row.span for row in mine])


def _fill_pairs(
    answers: dict[str, Probabilities], name: str, pairs: Sequence[LabelledPair], fold: int, folds: int
) -> None:
    from .comparing import LinearComparer
    from .training import train_pairs

    held = np.array([text_fold(pair.text, folds) == fold for pair in pairs])
    model = train_pairs([pair for pair, out in zip(pairs, held, strict=True) if not out])
    made = answers.setdefault(name, np.zeros((len(pairs), 3), np.float32))
    mine = [pair_of(pair.text, pair.first, pair.second) for pair, out in zip(pairs, held, strict=True) if out]
    made[held] = LinearComparer(model).outcomes(mine)


def _measured(
    name: str, rows: Rows, scorers: Sequence[Scorer], learned: _Learned, trained_on: set[str], folds: int
) -> Iterator[Measured]:
    labels = np.array([row.label for row in rows])
    commonest = np.full(len(labels), np.bincount(labels).argmax())
    yield Measured("majority", "", figures(labels, commonest))
    for scorer in scorers:
        started = time.process_time()
        answers = scorer.score([row.text for row in rows], [row.span for row in rows])
        per_second = len(rows) / (time.process_time() - started)
        how = "shipped"
        if scorer.engine == "lexicon":
            how = ""
        elif scorer.engine == "linear" and name in learned.shipped:
            answers, how = learned.shipped[name], f"{folds}-fold"
        elif name in trained_on:
            how = SEEN
        yield _one(scorer.engine, how, rows, labels, answers, per_second)
    if name in learned.everything:
        yield _one("linear-all", f"{folds}-fold", rows, labels, learned.everything[name], None)


def _one(
    engine: str, how: str, rows: Rows, labels: Labels, probabilities: Probabilities, per_second: float | None
) -> Measured:
    answers = answers_of(labels, probabilities)
    mixed = mixed_rows([row.text for row in rows], labels)
    return Measured(
        engine,
        how,
        figures(labels, answers, sure=probabilities[np.arange(len(labels)), answers]),
        topic_figures([row.topic for row in rows], labels, probabilities),
        figures(labels[mixed], answers[mixed]) if mixed.sum() >= CALIBRATION_ROWS else None,
        _after_calibration(labels, probabilities),
        per_second,
    )


def _after_calibration(labels: Labels, probabilities: Probabilities) -> dict[str, float] | None:
    """Return the figures with offsets fitted on 300 rows, measured on the others; the mean of some draws."""
    if len(labels) < 3 * CALIBRATION_ROWS or len(np.unique(labels)) < 3:
        return None
    made = []
    for draw in range(_CALIBRATION_DRAWS):
        order = np.random.default_rng(_SEED + draw).permutation(len(labels))
        fitted, rest = order[:CALIBRATION_ROWS], order[CALIBRATION_ROWS:]
        offsets = fit_offsets(labels[fitted], probabilities[fitted])
        made.append(figures(labels[rest], shifted(probabilities[rest], *offsets).argmax(axis=1)))
    return {
        "accuracy": float(np.mean([one.accuracy for one in made])),
        "macro_f1": float(np.mean([one.macro_f1 for one in made])),
    }


def _measured_pairs(pairs: Sequence[LabelledPair], learned: Probabilities | None, folds: int) -> Iterator[Measured]:
    labels = np.array([pair.label for pair in pairs])
    yield Measured("majority", "", figures(labels, np.full(len(labels), np.bincount(labels).argmax()), OUTCOMES))
    rule: Comparer = RuleComparer()
    started = time.process_time()
    answers = rule.outcomes([pair_of(pair.text, pair.first, pair.second) for pair in pairs])
    per_second = len(pairs) / (time.process_time() - started)
    yield Measured("rule", "shipped", figures(labels, answers.argmax(axis=1), OUTCOMES), per_second=per_second)
    if learned is not None:
        yield Measured("linear-all", f"{folds}-fold", figures(labels, learned.argmax(axis=1), OUTCOMES))
