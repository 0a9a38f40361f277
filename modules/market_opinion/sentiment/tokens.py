"""The tokens of many passages in columns: what each one is, where it stands, what stands before it."""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .passages import OTHER, TARGET, TARGET_AGAIN, Passage
from .words import BOOSTERS, BUT, FUNCTION_WORDS, NEGATIONS, product_words, vader_words

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

# What a word does to the text around it, as bits.
_ENDS_SENTENCE, _ENDS_CLAUSE, _OPENS_CLAUSE, _NEGATES, _BOOSTS = 1, 2, 4, 8, 16
_NEGATION_REACH = 4
# VADER's figures: a negation turns a word round and weakens it, an intensifier adds to it.
_TURNED, _BOOST = -0.74, 0.3
_STRONG = 0.5
_LONGEST_WORD = 40


def hash_of(text: str) -> int:
    """Return 32 bits that depend on the text alone."""
    return zlib.crc32(text.encode("utf-8", "replace"))


class Vocabulary:
    """What is known of every word that was met; forgets all of them when they are too many."""

    LIMIT = 300_000

    def __init__(self) -> None:
        self._lexicons = (vader_words(), product_words())
        self._clear()

    def _clear(self) -> None:
        self._index: dict[str, int] = {}
        self._known: list[tuple[int, int, int, float, float]] = []
        self._letters: list[list[int]] = []
        self._columns: tuple[Hashes, Hashes, Ints, Floats] | None = None
        self._letter_columns: tuple[Hashes, Ints] | None = None

    def indices(self, words: Sequence[str]) -> Ints:
        """Return the index of every word; indices of earlier calls may be void afterwards."""
        if len(self._index) > self.LIMIT:
            self._clear()
        for word in sorted(set(words) - self._index.keys()):
            self._add(word)
        return np.fromiter(map(self._index.__getitem__, words), np.int64, len(words))

    def _add(self, word: str) -> None:
        vader, ours = (lexicon.get(word, 0.0) for lexicon in self._lexicons)
        self._index[word] = len(self._known)
        self._known.append((hash_of(word), hash_of(_shape(word, vader or ours)), _role(word), vader, ours))
        self._letters.append(_letter_grams(word))
        self._columns = self._letter_columns = None

    def columns(self) -> tuple[Hashes, Hashes, Ints, Floats]:
        """Return hash, hash of the shape, role and the two valences of all words, by index."""
        if self._columns is None:
            words, shapes, roles, vader, ours = zip(*self._known, strict=True) if self._known else [()] * 5
            self._columns = (
                np.array(words, np.uint64),
                np.array(shapes, np.uint64),
                np.array(roles, np.int64),
                np.array([vader, ours], np.float32),
            )
        return self._columns

    def letters(self) -> tuple[Hashes, Ints]:
        """Return the hashes of the letter n-grams of all words, and where those of each word begin."""
        if self._letter_columns is None:
            starts = np.cumsum([0, *map(len, self._letters)], dtype=np.int64)
            self._letter_columns = (np.array([gram for grams in self._letters for gram in grams], np.uint64), starts)
        return self._letter_columns


def _shape(word: str, valence: float) -> str:
    if word in (TARGET, TARGET_AGAIN):
        return "<t>"
    if word == OTHER:
        return "<o>"
    if abs(valence) >= _STRONG:
        return "<+>" if valence > 0 else "<->"
    return word if word in FUNCTION_WORDS or not word[0].isalpha() else "<w>"


def _role(word: str) -> int:
    role = 0
    if word[0] in ".!?\n":
        role |= _ENDS_SENTENCE | _ENDS_CLAUSE
    if word in {",", ";", ":", "(", ")", "-", "–", "—", '"'}:
        role |= _ENDS_CLAUSE
    if word in BUT:
        role |= _OPENS_CLAUSE
    if word in NEGATIONS:
        role |= _NEGATES
    if word in BOOSTERS:
        role |= _BOOSTS
    return role


def _letter_grams(word: str) -> list[int]:
    if not word[0].isalpha() or len(word) > _LONGEST_WORD:
        return []
    framed = f"<{word}>"
    return [hash_of(framed[start : start + size]) for size in (3, 4, 5) for start in range(len(framed) - size + 1)]


class TokenTable:
    """The tokens of all passages one behind the other."""

    def __init__(self, passages: Sequence[Passage], vocabulary: Vocabulary) -> None:
        tokens = [token for passage in passages for token in passage.tokens]
        self.count = len(passages)
        self.lengths: Ints = np.array([len(passage.tokens) for passage in passages], np.int64)
        starts = np.cumsum(self.lengths) - self.lengths
        at = np.array([passage.at for passage in passages], np.int64)
        self.has_target: Bools = at >= 0
        self.rows: Ints = np.repeat(np.arange(self.count), self.lengths)
        self.words = vocabulary.indices(tokens)
        hashes, shapes, roles, valences = vocabulary.columns()
        self.hashes: Hashes = hashes[self.words]
        self.shapes: Hashes = shapes[self.words]
        self._roles: Ints = roles[self.words]
        target = np.where(self.has_target, starts + at, 0)[self.rows]
        self.aimed: Bools = self.has_target[self.rows]
        self.offset: Ints = np.arange(len(tokens)) - target
        self.sentence_ids = np.cumsum(self._follows(_ENDS_SENTENCE))
        self.clause_ids = np.cumsum(self._follows(_ENDS_CLAUSE) | (self._roles & _OPENS_CLAUSE > 0))
        self.sentence: Bools = self.aimed & (self.sentence_ids == self.sentence_ids[target])
        self.clause: Bools = self.aimed & (self.clause_ids == self.clause_ids[target])
        self.negated = self._negated()
        turned = np.where(self.negated, _TURNED, 1.0) * (1 + _BOOST * self._follows(_BOOSTS))
        self.valences: Floats = (valences[:, self.words] * turned).astype(np.float32)

    def _follows(self, role: int) -> Bools:
        """Return whether the token before has the role."""
        has = self._roles & role > 0
        return np.concatenate((np.zeros(1, np.bool_), has))[:-1]

    def _negated(self) -> Bools:
        negated = np.zeros(len(self.words), np.bool_)
        negates = self._roles & _NEGATES > 0
        for step in range(1, _NEGATION_REACH + 1):
            near = (self.clause_ids[step:] == self.clause_ids[:-step]) & (self.rows[step:] == self.rows[:-step])
            negated[step:] |= negates[:-step] & near
        return negated

    def runs(self, hashes: Hashes, inside: Bools, size: int) -> tuple[Ints, Hashes]:
        """Return the places where `size` tokens in a row, of one passage, are all inside, and a hash of each run."""
        count = max(0, len(self.words) - size + 1)
        joined, whole = hashes[:count], inside[:count].copy()
        for step in range(1, size):
            joined = (joined * np.uint64(0x100000001B3)) ^ (hashes[step : step + count] + np.uint64(0x9E3779B9))
            whole &= inside[step : step + count] & (self.rows[step : step + count] == self.rows[:count])
        places = np.flatnonzero(whole)
        return places, joined[places]
