"""Which categories, ENTITY#ATTRIBUTE, a text speaks of: learned from labelled texts, to see what that would be worth.

Aspects in the tables are found by a market's terms and need none of this.
"""

from collections.abc import Sequence, Set

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from .datasets import Categorised, Labelled, text_fold
from .measuring import CategoryFigures, Labels, f1_of
from .training import feature_matrix, scaled, telling

# Chosen by cross-validation on the development file.
_STRENGTH, _SURE = 10.0, 0.15
_SEEN_AT_LEAST = 2
_FEWEST_TEXTS = 3


def measured(rows: Sequence[Categorised], folds: int) -> CategoryFigures:
    """Return the figures by cross-validation: a model for each category, and one for each entity."""
    matrix = feature_matrix([Labelled(row.text, None, 0) for row in rows])
    fold_of = np.array([text_fold(row.text, folds) for row in rows])
    meant = [row.categories for row in rows]
    entities = [frozenset(category.partition("#")[0] for category in each) for each in meant]
    return CategoryFigures(
        n=len(rows),
        categories=len(frozenset().union(*meant)),
        f1=f1_of(meant, _found(matrix, meant, fold_of)),
        entity_f1=f1_of(entities, _found(matrix, entities, fold_of)),
    )


def _found(matrix: sparse.csr_matrix, meant: Sequence[Set[str]], fold_of: Labels) -> list[set[str]]:
    """Return what models of the other folds find in each text."""
    found: list[set[str]] = [set() for _ in meant]
    for fold in np.unique(fold_of):
        learned, held = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        known, asked = matrix[learned], matrix[held]
        for category in sorted(frozenset().union(*meant)):
            labels = np.array([category in meant[row] for row in learned.tolist()], np.int64)
            if labels.sum() < _FEWEST_TEXTS:
                continue
            factors = telling(known, labels, _SEEN_AT_LEAST)
            used = np.flatnonzero(factors)
            solver = LogisticRegression(C=_STRENGTH, solver="liblinear", tol=1e-2)
            solver.fit(scaled(known, factors)[:, used], labels)
            sure = solver.predict_proba(scaled(asked, factors)[:, used])[:, 1]
            for row in held[sure > _SURE].tolist():
                found[row].add(category)
    return found
