"""Figures that tell how good an engine is: per row, per class, per topic, with intervals."""

from collections.abc import Sequence, Set
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .scoring import LABELS

Labels = NDArray[np.int64]
Matrix = NDArray[np.floating]

_RESAMPLES = 400
_SEED = 20_140
_CONFIDENCE_STEPS = 10
_MIN_TOPICS, _MIN_TEXTS = 5, 20


@dataclass(frozen=True, slots=True)
class Figures:
    """How the answers to `n` questions compare with what people said; shares between 0 and 1."""

    n: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_f1: float
    macro_f1_interval: tuple[float, float]
    macro_recall: float
    f1: dict[str, float]
    calibration_error: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TopicFigures:
    """How the shares per topic compare with those that people counted."""

    topics: int
    share_error: float  # mean absolute error of a class's share
    net_error: float  # mean absolute error of positive minus negative
    net_correlation: float
    two_class_recall: float  # mean over topics, neutral texts left out
    two_class_divergence: float  # Kullback-Leibler, smoothed, mean over topics

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CategoryFigures:
    """How the categories that were found in `n` texts compare with those that people found; F1 over all of them."""

    n: int
    categories: int
    f1: float
    entity_f1: float

    def to_dict(self) -> dict[str, float]:
        """Return plain data."""
        return asdict(self)


def answers_of(labels: Labels, probabilities: Matrix) -> Labels:
    """Return the likeliest class of every row, among the classes that people used in this file."""
    used = np.unique(labels)
    return np.asarray(used[probabilities[:, used].argmax(axis=1)])


def figures(labels: Labels, answers: Labels, classes: Sequence[str] = LABELS, sure: Matrix | None = None) -> Figures:
    """Return the figures of answers; `sure` are their probabilities, for the calibration error."""
    count = len(classes)
    table = np.bincount(labels * count + answers, minlength=count * count).reshape(count, count)
    # Resampling the rows of a file is drawing its confusion table from a multinomial.
    draws = np.random.default_rng(_SEED).multinomial(len(labels), table.ravel() / len(labels), _RESAMPLES)
    drawn = [_of_table(draw.reshape(count, count)) for draw in draws]
    accuracy, macro_f1, recall, per_class = _of_table(table)
    return Figures(
        n=len(labels),
        accuracy=accuracy,
        accuracy_interval=_interval([one[0] for one in drawn]),
        macro_f1=macro_f1,
        macro_f1_interval=_interval([one[1] for one in drawn]),
        macro_recall=recall,
        f1={name: float(value) for name, value in zip(classes, per_class, strict=True) if not np.isnan(value)},
        calibration_error=None if sure is None else _calibration_error(labels == answers, sure),
    )


def _interval(values: Sequence[float]) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def _of_table(table: NDArray[np.int64]) -> tuple[float, float, float, Matrix]:
    """Return accuracy, macro F1, macro recall and F1 per class (NaN: nobody used the class)."""
    right, said, meant = np.diag(table), table.sum(axis=0), table.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        f1 = np.where(meant > 0, 2 * right / (said + meant), np.nan)
        recall = np.where(meant > 0, right / meant, np.nan)
    return float(right.sum() / table.sum()), float(np.nanmean(f1)), float(np.nanmean(recall)), f1


def _calibration_error(right: NDArray[np.bool_], sure: Matrix) -> float:
    """Return the mean distance between how sure an engine is and how often it is right, over ten steps."""
    steps = np.minimum((sure * _CONFIDENCE_STEPS).astype(np.int64), _CONFIDENCE_STEPS - 1)
    gaps = np.bincount(steps, sure - right, _CONFIDENCE_STEPS)
    return float(np.abs(gaps).sum() / len(sure))


def topic_figures(topics: Sequence[str], labels: Labels, probabilities: Matrix) -> TopicFigures | None:
    """Return the figures per topic, of topics with enough texts; None where there are too few of them.

    Texts are classified and counted. Only the two-class figures leave neutral texts out.
    """
    names, which, counts = np.unique(np.array(topics), return_inverse=True, return_counts=True)
    rows = [
        np.flatnonzero(which == topic) for topic in range(len(names)) if names[topic] and counts[topic] >= _MIN_TEXTS
    ]
    if len(rows) < _MIN_TOPICS or set(np.unique(labels)) != {0, 1, 2}:
        return None
    answers = probabilities.argmax(axis=1)
    meant, said = (np.array([_shares(some[row]) for row in rows]) for some in (labels, answers))
    net_meant, net_said = meant[:, 2] - meant[:, 0], said[:, 2] - said[:, 0]
    pairs = [_two_class(labels[row], probabilities[row]) for row in rows]
    recalls = [recall for recall, _ in pairs if not np.isnan(recall)]
    return TopicFigures(
        topics=len(rows),
        share_error=float(np.abs(meant - said).mean()),
        net_error=float(np.abs(net_meant - net_said).mean()),
        net_correlation=float(np.corrcoef(net_meant, net_said)[0, 1]) if net_said.std() and net_meant.std() else 0.0,
        two_class_recall=float(np.mean(recalls)),
        two_class_divergence=float(np.mean([divergence for _, divergence in pairs])),
    )


def _shares(labels: Labels) -> Matrix:
    return np.bincount(labels, minlength=3) / len(labels)


def _two_class(labels: Labels, probabilities: Matrix) -> tuple[float, float]:
    """Return macro recall and smoothed divergence of the shares, over the rows that people called good or bad."""
    kept = labels != 1
    meant, said = labels[kept] == 2, (probabilities[kept, 2] > probabilities[kept, 0])
    if not len(meant):
        return float("nan"), 0.0
    recalls = [(said == side)[meant == side].mean() for side in (True, False) if (meant == side).any()]
    smooth = 1 / (2 * len(meant))
    true, found = ((some.mean() + smooth) / (1 + 2 * smooth) for some in (meant, said))
    divergence = true * np.log(true / found) + (1 - true) * np.log((1 - true) / (1 - found))
    return float(np.mean(recalls)) if len(recalls) == 2 else float("nan"), float(divergence)


def mixed_rows(texts: Sequence[str], labels: Labels) -> NDArray[np.bool_]:
    """Return which rows stand in a text that is good for one target and bad for another."""
    said: dict[str, set[int]] = {}
    for text, label in zip(texts, labels.tolist(), strict=True):
        said.setdefault(text, set()).add(label)
    return np.array([said[text] >= {0, 2} for text in texts], np.bool_)


def f1_of(meant: Sequence[Set[str]], found: Sequence[Set[str]]) -> float:
    """Return F1 over all texts together: twice what is in both, over what is in either counted twice."""
    both = sum(len(one & other) for one, other in zip(meant, found, strict=True))
    return 2 * both / max(1, sum(map(len, meant)) + sum(map(len, found)))
