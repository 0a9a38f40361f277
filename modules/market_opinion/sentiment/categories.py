"""Which categories, ENTITY#ATTRIBUTE, a text speaks of: learned from labelled texts, to see what that would be worth.

Aspects in the tables are found by a market's terms and need none of this.
"""

from collections.abc import Sequence, Set
from dataclasses import asdict, dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from .datasets import Categorised, Labelled, text_fold
from .training import feature_matrix, scaled, telling

# Chosen by cross-validation on the development file.
_STRENGTH, _SURE = 10.0, 0.2
_SEEN_AT_LEAST = 2
_FEWEST_TEXTS = 3


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


def measured(rows: Sequence[Categorised], folds: int) -> CategoryFigures:
    """Return the figures by cross-validation: a model for each category, and one for each entity."""
    meant = [row.categories for row in rows]
    entities = [frozenset(category.partition("#")[0] for category in each) for each in meant]
    return CategoryFigures(
        n=len(rows),
        categories=len(frozenset().union(*meant)),
        f1=f1_of(meant, _found(rows, meant, folds)),
        entity_f1=f1_of(entities, _found(rows, entities, folds)),
    )


def f1_of(meant: Sequence[Set[str]], found: Sequence[Set[str]]) -> float:
    """Return F1 over all texts together: twice what is in both, over what is in either counted twice."""
    both = sum(len(one & other) for one, other in zip(meant, found, strict=True))
    return 2 * both / max(1, sum(map(len, meant)) + sum(map(len, found)))


def _found(rows: Sequence[Categorised], meant: Sequence[Set[str]], folds: int) -> list[set[str]]:
    matrix = feature_matrix([Labelled(row.text, None, 0) for row in rows])
    fold_of = np.array([text_fold(row.text, folds) for row in rows])
    found: list[set[str]] = [set() for _ in rows]
    for fold in range(folds):
        learned, held = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        for category in sorted(frozenset().union(*meant)):
            labels = np.array([category in meant[row] for row in learned.tolist()], np.int64)
            if labels.sum() < _FEWEST_TEXTS or not len(held):
                continue
            factors = telling(matrix[learned], labels, _SEEN_AT_LEAST)
            used = np.flatnonzero(factors)
            solver = LogisticRegression(C=_STRENGTH, solver="liblinear", tol=1e-2)
            solver.fit(scaled(matrix[learned], factors)[:, used], labels)
            sure = solver.predict_proba(scaled(matrix[held], factors)[:, used])[:, 1]
            for row in held[sure > _SURE].tolist():
                found[row].add(category)
    return found
