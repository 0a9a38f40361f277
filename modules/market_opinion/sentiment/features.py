"""Numbers for a linear model out of passages: hashed words and letters by place, and what lexicons say by place.

Everything is computed for a whole batch at once. A hashed feature is one of `BUCKETS` columns; numbers have columns of
their own behind them. Columns depend on nothing but the text, so that a stored model stays valid.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .passages import Passage
from .tokens import Bools, Floats, Hashes, Ints, TokenTable, Vocabulary, hash_of

_BUCKET_BITS = 20
BUCKETS = 1 << _BUCKET_BITS
COLUMNS = BUCKETS + 64

_WINDOW = 5
_NEAR = ((-6, -4), (-3, -2), (-1, -1), (1, 1), (2, 3), (4, 6))
_NEGATED = np.uint64(0xA5A5A5A5A5)


@dataclass(frozen=True, slots=True)
class Batch:
    """A sparse matrix, one row per passage: `values` at (`rows`, `columns`), in no order, columns may repeat."""

    count: int
    rows: Ints
    columns: Ints
    values: Floats


class FeatureGroups:
    """Collects features group by group; the hashed ones of a group and row have length 1 together."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._parts: list[tuple[Ints, Ints, Floats]] = []
        self._next_column = BUCKETS

    def hashed(self, group: str, rows: Ints, hashes: Hashes) -> None:
        """Add a feature for every hash; the same hash is another feature in another group."""
        mixed = (hashes ^ np.uint64(hash_of(group))) * np.uint64(0x9E3779B97F4A7C15)
        columns = (mixed >> np.uint64(64 - _BUCKET_BITS)).astype(np.int64)
        lengths = np.sqrt(np.maximum(np.bincount(rows, minlength=self.count), 1))
        self._parts.append((rows, columns, (1 / lengths)[rows].astype(np.float32)))

    def number(self, values: NDArray[np.floating]) -> None:
        """Add a number for every row."""
        rows = np.flatnonzero(values)
        self._parts.append((rows, np.full(len(rows), self._next_column), values[rows].astype(np.float32)))
        self._next_column += 1

    def total(self, rows: Ints, strengths: NDArray[np.floating], softness: float = 15.0) -> None:
        """Add the sum of every row, pressed between -1 and 1 as VADER does."""
        totals = np.bincount(rows, strengths, self.count)
        self.number(totals / np.sqrt(totals**2 + softness))

    def batch(self) -> Batch:
        """Return all that was added."""
        rows, columns, values = zip(*self._parts, strict=True)
        return Batch(self.count, np.concatenate(rows), np.concatenate(columns), np.concatenate(values))


class Featurizer:
    """Turns passages into rows of features."""

    def __init__(self) -> None:
        self._vocabulary = Vocabulary()

    def batch(self, passages: Sequence[Passage]) -> Batch:
        """Return the features of all passages."""
        table = TokenTable(passages, self._vocabulary)
        groups = FeatureGroups(table.count)
        places = _places(table)
        near = {f"near {first}": table.aimed & _between(table.offset, first, last) for first, last in _NEAR}
        for place, inside in places.items():
            add_words(groups, table, place, inside)
            add_pairs(groups, table, place, inside)
        for place, inside in near.items():
            add_words(groups, table, place, inside)
        for place in ("whole", "clause"):
            add_letters(groups, table, self._vocabulary, place, places[place])
        _add_shapes(groups, table)
        _add_lexicons(groups, table, [*places.values(), *near.values()])
        groups.total(table.rows, table.valences.sum(axis=0))
        for inside in (table.sentence, table.clause):
            groups.total(table.rows[inside], table.valences.sum(axis=0)[inside])
        groups.number(table.has_target.astype(np.float32))
        groups.number(np.log1p(table.lengths) / 5)
        return groups.batch()


def _between(offset: Ints, first: int, last: int) -> Bools:
    return (first <= offset) & (offset <= last)


def _places(table: TokenTable) -> dict[str, Bools]:
    return {
        "whole": np.ones(len(table.words), np.bool_),
        "sentence": table.sentence,
        "clause": table.clause,
        "left": table.aimed & _between(table.offset, -_WINDOW, -1),
        "right": table.aimed & _between(table.offset, 1, _WINDOW),
    }


def add_words(groups: FeatureGroups, table: TokenTable, place: str, inside: Bools) -> None:
    """Add the words inside, those under a negation as words of their own."""
    marked = np.where(table.negated, table.hashes ^ _NEGATED, table.hashes)
    groups.hashed(f"{place} word", table.rows[inside], marked[inside])


def add_pairs(groups: FeatureGroups, table: TokenTable, place: str, inside: Bools) -> None:
    """Add the pairs of neighbours inside."""
    places, pairs = table.runs(table.hashes, inside, 2)
    groups.hashed(f"{place} pair", table.rows[places], pairs)


def add_letters(groups: FeatureGroups, table: TokenTable, words: Vocabulary, place: str, inside: Bools) -> None:
    """Add the 3 to 5 letters in a row of the words inside."""
    grams, starts = words.letters()
    chosen = np.flatnonzero(inside)
    counts = (starts[1:] - starts[:-1])[table.words[chosen]]
    token = np.repeat(chosen, counts)
    within = np.arange(len(token)) - np.repeat(np.cumsum(counts) - counts, counts)
    hashes = grams[starts[table.words[token]] + within]
    hashes = np.where(table.negated[token], hashes ^ _NEGATED, hashes)
    groups.hashed(f"{place} letters", table.rows[token], hashes)


def _add_shapes(groups: FeatureGroups, table: TokenTable) -> None:
    """Add runs around the target in which opinion words are only good or bad: "the <t> is so <+>"."""
    inside = table.sentence & (np.abs(table.offset) <= _WINDOW + 1)
    for size in (2, 3, 4):
        places, runs = table.runs(table.shapes, inside, size)
        groups.hashed(f"shape {size}", table.rows[places], runs)
        if size > 2:
            holds = _between(table.offset[places], 1 - size, 0)
            placed = runs[holds] ^ (-table.offset[places[holds]]).astype(np.uint64)
            groups.hashed(f"shape {size} with target", table.rows[places[holds]], placed)


def _add_lexicons(groups: FeatureGroups, table: TokenTable, places: Sequence[Bools]) -> None:
    decay = np.where(table.aimed, 1 / (1 + np.abs(table.offset) / 4), 0)
    for valences in table.valences:
        for sign in (1, -1):
            strengths = np.maximum(sign * valences, 0)
            for inside in places:
                groups.total(table.rows[inside], strengths[inside])
            groups.total(table.rows, strengths * decay, softness=4.0)
