"""Training of the linear engine. Needs scikit-learn, which running a model does not.

Every set shares one model and may have another of its own on top: what is true of tweets and reviews alike is learned
once. A model that is to read texts of another origin has the shared part only.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from .comparing import comparison_batch, pair_of
from .datasets import Labelled, LabelledPair
from .features import COLUMNS, Batch, Featurizer
from .linear import LinearModel
from .passages import Span, passage_of
from .tokens import Vocabulary
from .words import is_common

# Chosen by cross-validation on the development files.
STRENGTH = 0.1  # of the weights: the inverse of the penalty
OWN_STRENGTH, OWN_BALANCE = 0.1, 0.4
PAIR_STRENGTH = 0.3
PAIR_BALANCE = 0.3
ROUNDS = 100
_SEEN_AT_LEAST, _OWN_SEEN_AT_LEAST = 2, 3
_MOST_TELLING = 3.0
_CLASSES = 3
_NEVER = -20.0  # the bias of a class that no row has
_AT_ONCE = 4_000
_NAME_MASK = re.compile(r"\[NAME\]")
_WORD = re.compile(r"(?<!\w)[A-Za-z]{3,}(?!\w)")

# What the shipped model may be trained on: sets whose terms allow it, as they were then (SHA-256).
CLEAN_SETS = {
    "target_mams.dev.tsv": ("Apache-2.0", "5a61e70c722e3283d736ba20331aacd4dc9355e1a9639a4354c92e6cdfac8181"),
    "reddit_goemotions.dev.tsv": ("Apache-2.0", "bcc51cd7bcef446475a53532ab3cb10348c9519b08607ebfeb9e78684f300c4b"),
    "reddit_crypto.dev.tsv": ("MIT", "ddbb5c31f5ea3a91fa9b8f02b67098b1011ed7e7b326da99d3eb31488329cb20"),
    "amazon_phones.dev.tsv": ("CC BY 4.0", "43406f585dc4e61e317fb061c6d93f302b07710545feb570c972f88757ef4c55"),
}

Sets = Mapping[str, Sequence[Labelled]]
Weights = NDArray[np.float64]


def feature_matrix(rows: Sequence[Labelled]) -> sparse.csr_matrix:
    """Return the features of labelled rows."""
    featurizer = Featurizer()
    read = [passage_of(row.text, row.span) for row in rows]
    batches = (featurizer.batch(read[start : start + _AT_ONCE]) for start in range(0, len(read), _AT_ONCE))
    return sparse.vstack([_matrix(batch) for batch in batches], format="csr")


def _matrix(batch: Batch) -> sparse.csr_matrix:
    return sparse.csr_matrix((batch.values, (batch.rows, batch.columns)), shape=(batch.count, COLUMNS))


def with_stand_ins(rows: Iterable[Labelled]) -> list[Labelled]:
    """Return the rows, and those without a target once more with a word of theirs that stands for one.

    What a comment says, it nearly always says of what it names: so the engine learns to look around a target, too,
    from texts that were labelled as a whole. The word is chosen by the text's hash.
    """
    made = list(rows)
    made += [replace(row, span=span) for row in made if row.span is None and (span := stand_in(row.text))]
    return made


def stand_in(text: str) -> Span | None:
    """Return the place of a word that can stand for the target of a text; the same text has the same one."""
    words = [found.span() for found in _NAME_MASK.finditer(text)] or [
        found.span() for found in _WORD.finditer(text) if not is_common(found.group().lower())
    ]
    digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    return words[int.from_bytes(digest[:8], "big") % len(words)] if words else None


def train(sets: Sets) -> LinearModel:
    """Return a model of what the sets have in common; the same sets give the same model."""
    matrices = [feature_matrix(rows) for rows in sets.values()]
    return fitted(matrices, [_labels(rows) for rows in sets.values()])


def train_clean(sets: Sets) -> LinearModel:
    """Return the model as it is shipped, from the sets whose terms allow it."""
    return train({name: with_stand_ins(rows) for name, rows in sets.items()})


def train_pairs(pairs: Sequence[LabelledPair]) -> LinearModel:
    """Return a model of comparisons."""
    batch = comparison_batch([pair_of(pair.text, pair.first, pair.second) for pair in pairs], Vocabulary())
    return fitted([_matrix(batch)], [np.array([pair.label for pair in pairs])], PAIR_BALANCE, PAIR_STRENGTH)


def train_for_each(sets: Sets) -> dict[str, LinearModel]:
    """Return a model for each set: what it shares with the others, and what is its own."""
    matrices = [feature_matrix(rows) for rows in sets.values()]
    labels = [_labels(rows) for rows in sets.values()]
    every = sparse.vstack(matrices, format="csr")
    shared = telling(every, np.concatenate(labels), _SEEN_AT_LEAST)
    own = [telling(matrix, mine, _OWN_SEEN_AT_LEAST) for matrix, mine in zip(matrices, labels, strict=True)]
    blocks = sparse.block_diag([scaled(matrix, factors) for matrix, factors in zip(matrices, own, strict=True)])
    model = fitted([sparse.hstack([scaled(every, shared), blocks])], labels, OWN_BALANCE, OWN_STRENGTH)
    common, *rest = np.split(model.weights, len(sets) + 1)
    return {
        name: LinearModel(common * shared[:, None] + weights * factors[:, None], model.bias)
        for name, weights, factors in zip(sets, rest, own, strict=True)
    }


def telling(matrix: sparse.csr_matrix, labels: NDArray[np.int64], seen_at_least: int) -> NDArray[np.float32]:
    """Return how much each column tells of the classes: the root of its naive Bayes log ratio, 0 where it is rare.

    A column counts for more before the weights are learned if it tells more: Wang and Manning 2012 (ACL).
    """
    total = _rows_with(matrix)
    kept = np.flatnonzero(total >= seen_at_least)
    strongest = np.zeros(len(kept))
    for each in np.unique(labels):
        mine = _rows_with(matrix[labels == each])[kept]
        share, rest = (some / some.sum() for some in (mine + 1, total[kept] - mine + 1))
        strongest = np.maximum(strongest, np.abs(np.log(share / rest)))
    made = np.zeros(matrix.shape[1], np.float32)
    made[kept] = np.sqrt(np.minimum(strongest, _MOST_TELLING))
    return made


def _rows_with(matrix: sparse.csr_matrix) -> NDArray[np.int64]:
    return np.bincount(matrix.indices, minlength=matrix.shape[1])


def scaled(matrix: sparse.csr_matrix, factors: NDArray[np.float32]) -> sparse.csr_matrix:
    """Return the matrix with its columns multiplied."""
    made = (matrix @ sparse.diags(factors)).tocsr()
    made.eliminate_zeros()
    return made


def _labels(rows: Sequence[Labelled]) -> NDArray[np.int64]:
    return np.array([row.label for row in rows])


def fitted(
    matrices: Sequence[sparse.csr_matrix],
    labels: Sequence[NDArray[np.int64]],
    balance: float = 1.0,
    strength: float = STRENGTH,
) -> LinearModel:
    """Return a model of the sets; `balance` 1 gives the classes of a set equal weight, 0 leaves them as they are."""
    matrix = sparse.vstack(matrices, format="csr")
    often = _rows_with(matrix) >= _SEEN_AT_LEAST
    used = np.flatnonzero(often)
    solver = LogisticRegression(C=strength, max_iter=ROUNDS, tol=1e-3)
    weights = np.concatenate([_row_weights(answers, balance) for answers in labels])
    solver.fit(matrix[:, used], np.concatenate(labels), sample_weight=weights)
    learned, bias = np.zeros((matrix.shape[1], _CLASSES), np.float32), np.full(_CLASSES, _NEVER, np.float32)
    # Of two classes the solver tells the second only; the first is what it is measured against.
    told = solver.classes_ if len(solver.classes_) > 2 else solver.classes_[1:]
    bias[solver.classes_] = 0
    bias[told] = solver.intercept_
    for number, which in enumerate(told):
        learned[used, which] = solver.coef_[number]
    return LinearModel(learned, bias)


def _row_weights(labels: NDArray[np.int64], balance: float) -> Weights:
    counts = np.bincount(labels)
    shares = len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return np.asarray((shares**balance)[labels])
