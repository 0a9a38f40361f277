"""Two offsets that fit an engine to what a person said of a deployment's own mentions, and the error that is left.

How often people are neutral differs between communities more than engines do. Two numbers, added to the log
probabilities of negative and positive, take most of that difference away. What they leave is measured on labels that
they were not fitted on, so that figures can be corrected by it: prediction-powered inference, Angelopoulos et al. 2023
(Science 382, 669).
"""

import json
import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reddit_ingest.core.errors import DamagedState

from .measuring import Labels, figures
from .scoring import Probabilities, Scorer

FEWEST_LABELS = 60
FEWEST_OF_AN_ASPECT = 30
_FOLDS = 5
_GRID = np.linspace(-1.5, 1.5, 31)
_CAUTION = 0.01

Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """What people and an engine say of the same mentions.

    `weights` tell how many mentions of the deployment each stands for, `aspects` what about it is spoken of.
    """

    labels: Labels
    probabilities: Probabilities
    weights: Weights
    aspects: Sequence[Set[str]]

    @property
    def is_enough(self) -> bool:
        """Whether offsets can be fitted: there are enough labels, and not of one class only."""
        return len(self.labels) >= FEWEST_LABELS and len(np.unique(self.labels)) > 1


@dataclass(frozen=True, slots=True)
class Calibration:
    """Offsets of the log odds of negative and positive, for one engine and one version of its model.

    `net_bias` is what has to be added to a net sentiment (positive minus negative mentions, by all) that was computed
    from its answers, and `net_bias_se` the standard error of that; `by_aspect` has [bias, standard error, labels] of
    each aspect with enough labels.
    """

    engine: str
    model_hash: str
    negative: float
    positive: float
    labels: int
    labels_sha256: str
    net_bias: float
    net_bias_se: float
    by_aspect: Mapping[str, tuple[float, float, int]]

    def apply(self, probabilities: Probabilities) -> Probabilities:
        """Return probabilities with the offsets applied."""
        return shifted(probabilities, self.negative, self.positive)

    def fits(self, scorer: Scorer) -> bool:
        """Return whether it was fitted on the answers of this engine and model."""
        return (self.engine, self.model_hash) == (scorer.engine, scorer.model_hash)

    def to_json(self) -> str:
        """Return the file of the calibration."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, stored: str | bytes) -> "Calibration":
        """Return the calibration of a file.

        Raises:
            DamagedState: it is no such file.
        """
        try:
            told = json.loads(stored)
            numbers = {name: _finite(told[name]) for name in ("negative", "positive", "net_bias", "net_bias_se")}
            by_aspect = {
                name: (_finite(bias), _finite(se), int(count)) for name, (bias, se, count) in told["by_aspect"].items()
            }
            return cls(**{**told, **numbers, "by_aspect": by_aspect})
        except (ValueError, TypeError, KeyError, AttributeError) as cause:
            raise DamagedState(
                f"a calibration cannot be read ({cause}); fit it again: market-opinion calibrate fit"
            ) from cause


def _finite(told: Any) -> float:
    if not math.isfinite(told):
        raise ValueError(f"{told} is no figure")
    return float(told)


def shifted(probabilities: Probabilities, negative: float, positive: float) -> Probabilities:
    """Return probabilities whose log odds of negative and positive are moved."""
    moved = probabilities * np.exp(np.array([negative, 0.0, positive], np.float32))
    return np.asarray(moved / moved.sum(axis=1, keepdims=True), np.float32)


def fit_offsets(
    labels: Labels, probabilities: Probabilities, weights: NDArray[np.floating] | None = None
) -> tuple[float, float]:
    """Return the offsets of negative and positive that give the best mean of accuracy and macro F1.

    Offsets have to earn their size: a few labels should not move an engine far.
    """
    weights = np.ones(len(labels)) if weights is None else np.asarray(weights)
    logs = np.log(np.maximum(probabilities, 1e-6))
    best, found = -np.inf, (0.0, 0.0)
    for negative in _GRID:
        for positive in _GRID:
            answers = (logs + np.array([negative, 0.0, positive])).argmax(axis=1)
            table = np.bincount(labels * 3 + answers, weights, 9).reshape(3, 3).astype(np.float64)
            value = _worth(table) - _CAUTION * (negative**2 + positive**2)
            if value > best + 1e-12:
                best, found = value, (float(negative), float(positive))
    return found


def _worth(table: NDArray[np.floating]) -> float:
    right, both = np.diag(table), table.sum(axis=0) + table.sum(axis=1)
    used = table.sum(axis=1) > 0
    return float(right.sum() / table.sum() + (2 * right[used] / both[used]).mean()) / 2


def calibrate(scorer: Scorer, judged: Judged, labels_sha256: str) -> tuple[Calibration, dict[str, Any]]:
    """Return the calibration of an engine on labels, and the figures before and after it.

    Those after, and the error that is left, are of answers whose offsets were fitted without them. The labels have to
    be enough.
    """
    after = _cross_fitted(judged)
    (bias, se), by_aspect = _errors(judged, after)
    negative, positive = fit_offsets(judged.labels, judged.probabilities, judged.weights)
    made = Calibration(
        engine=scorer.engine,
        model_hash=scorer.model_hash,
        negative=negative,
        positive=positive,
        labels=len(judged.labels),
        labels_sha256=labels_sha256,
        net_bias=bias,
        net_bias_se=se,
        by_aspect=by_aspect,
    )
    answers = (("before", judged.probabilities), ("after", after))
    return made, {
        name: {
            **figures(judged.labels, some.argmax(axis=1)).to_dict(),
            "net_bias": net_bias(judged.labels, some.argmax(axis=1), judged.weights)[0],
        }
        for name, some in answers
    }


def _cross_fitted(judged: Judged) -> Probabilities:
    """Return the probabilities after offsets, each with those that were fitted on the other folds."""
    after = np.array(judged.probabilities)
    for fold in range(_FOLDS):
        mine = np.arange(len(judged.labels)) % _FOLDS == fold
        offsets = fit_offsets(judged.labels[~mine], judged.probabilities[~mine], judged.weights[~mine])
        after[mine] = shifted(judged.probabilities[mine], *offsets)
    return after


def _errors(judged: Judged, after: Probabilities) -> tuple[tuple[float, float], dict[str, tuple[float, float, int]]]:
    """Return bias and standard error of all, and with the number of labels those of each aspect with enough of them."""
    answers = after.argmax(axis=1)
    by_aspect = {}
    for aspect in sorted(set[str]().union(*judged.aspects)):
        own = np.array([aspect in aspects for aspects in judged.aspects])
        if own.sum() >= FEWEST_OF_AN_ASPECT:
            bias, se = net_bias(judged.labels[own], answers[own], judged.weights[own])
            by_aspect[aspect] = (bias, se, int(own.sum()))
    return net_bias(judged.labels, answers, judged.weights), by_aspect


def net_bias(labels: Labels, answers: Labels, weights: Weights) -> tuple[float, float]:
    """Return by how much answers show the net sentiment too low, and the standard error of that.

    A label counts 1 where it is positive, 0 where neutral, -1 where negative; the bias is the weighted mean of what the
    label counts more than the answer.
    """
    missing = (labels - answers).astype(np.float64)
    share = weights / weights.sum()
    bias = float(share @ missing)
    return bias, float(np.sqrt((share**2) @ ((missing - bias) ** 2)))
