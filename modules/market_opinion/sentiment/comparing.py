"""Comparisons: which of two things in a text is said to be better.

A rule about "than", "over" and their like needs no model. A model that was trained on labelled comparisons is better by
ten points; none is shipped while the terms of the only data are not confirmed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .features import Batch, FeatureGroups, add_letters, add_pairs, add_words
from .linear import LinearModel
from .passages import OTHER, TARGET, Passage, Span, passage_of
from .scoring import Probabilities
from .tokens import Bools, TokenTable, Vocabulary
from .words import NEGATIONS, product_words, vader_words, words_of

# As seen from the thing that is named first in the text.
OUTCOMES = ("worse", "none", "better")
NOT_COMPARED = np.array([0, 1, 0], np.float32)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A text says that the thing at `subject` is better or worse (`outcome`) than the one at `rival`."""

    subject: Span
    rival: Span
    outcome: str
    probability: float


class Comparer(Protocol):
    """Says how two things in a text compare."""

    def outcomes(self, pairs: Sequence[Passage]) -> Probabilities:
        """Return a row of probabilities in the order of `OUTCOMES` for each passage that `pair_of` made."""
        ...


def pair_of(text: str, first: Span, second: Span) -> Passage:
    """Return the passage about two things; `first` must stand before `second`."""
    return passage_of(text, first, (second,))


def compare(comparer: Comparer, text: str, one: Span, other: Span) -> tuple[Comparison, ...]:
    """Return two opposite rows, one for each of the two things, or none where they are not compared.

    Raises:
        ValueError: a span does not lie in the text, or they overlap.
    """
    first, second = sorted((one, other))
    if first[1] > second[0]:
        raise ValueError(f"two things cannot share characters {second[0]} to {first[1]}")
    (row,) = comparer.outcomes([pair_of(text, first, second)])
    best = int(row.argmax())
    if OUTCOMES[best] == "none":
        return ()
    probability = float(row[best])
    return (
        Comparison(first, second, OUTCOMES[best], probability),
        Comparison(second, first, OUTCOMES[2 - best], probability),
    )


_BETTER = words_of("""
    better best faster quicker cheaper nicer smoother stronger lighter sharper brighter cleaner clearer easier
    safer cooler prettier superior smarter happier healthier longer richer tastier greater higher preferable
    stable
""")
_WORSE = words_of("""
    worse worst slower heavier weaker pricier harder uglier dumber poorer inferior lower shorter noisier louder
    buggier riskier messier clunkier sadder crappier laggier behind
""")
_FIRST_WINS = re.compile(
    r"\b(?:beats?|outperforms?|outclass\w*|destroys?|crush\w*|smok(?:es|ed)|trumps?|surpass\w*|blows? away|superior to"
    r"|over|instead of|ahead of|rather than|> ?)\b|>"
)
_SECOND_WINS = re.compile(
    r"\b(?:inferior to|lags? behind|falls? behind|no match for|loses? to|lost to|replaced (?:\w+ )?(?:by|with)"
    r"|(?:not|n't) (?:\w+ )?(?:as|so) \w+ as|(?:switch|mov|upgrad|chang)\w+ (?:\w+ )?to)\b|<"
)
_LEAVING = re.compile(r"\b(?:switch|mov|upgrad|chang|convert|went)\w* from(?: (?:the|my|a|an))?$")
_PREFERENCE = re.compile(r"\b(?:prefer\w*|rather|choose|chose|pick\w*|recommend\w*|favou?r\w*|take|like|love|better)\b")


_OPEN = re.compile(r"\b(?:whether|if)(?: (?:the|my|a|an))?$")
_DOUBTED = re.compile(r"\b(?:n't (?:think|believe|see|buy)|not convinced|no way|skeptical|doubt\w*)\b")


class RuleComparer:
    """ "A is better than B", "I prefer A over B", "A beats B", "A is not as good as B"."""

    def outcomes(self, pairs: Sequence[Passage]) -> Probabilities:
        """See `Comparer.outcomes`."""
        said = np.array([_said_of_first(pair) for pair in pairs], np.int64)
        made = np.full((len(pairs), 3), 0.1, np.float32)
        made[np.arange(len(pairs)), said + 1] = 0.8
        return made


def _said_of_first(pair: Passage) -> int:
    """Return 1 where the thing named first is better, -1 where it is worse, 0 where nothing is compared."""
    if TARGET not in pair.tokens or OTHER not in pair.tokens:
        return 0
    first, second = pair.tokens.index(TARGET), pair.tokens.index(OTHER)
    before, between = pair.tokens[:first], pair.tokens[first + 1 : second]
    if any(token[0] in ".!?\n;" for token in between):
        return 0
    if "than" in between:
        than = first + 1 + between.index("than")
        said = _direction(pair.tokens[max(0, than - 8) : than])
        asked = " ".join(before[-12:])
        return 0 if _OPEN.search(asked) else -said if _DOUBTED.search(asked) else said
    if "than" in before and ("," in between or len(between) > 2):
        than = len(before) - 1 - before[::-1].index("than")
        return -_direction(pair.tokens[max(0, than - 6) : than])
    return _without_than(" ".join(before[-6:]), " ".join(between))


def _direction(words: Sequence[str]) -> int:
    """Return what the comparative nearest to the end says: "is not much worse" is 1."""
    for place in range(len(words) - 1, -1, -1):
        sign = _comparative(words[place], words[place + 1] if place + 1 < len(words) else "")
        if sign:
            return -sign if NEGATIONS & set(words[max(0, place - 3) : place]) else sign
    return 0


def _comparative(word: str, following: str) -> int:
    if word in _BETTER:
        return 1
    if word in _WORSE:
        return -1
    if word in ("more", "less"):
        valence = vader_words().get(following, 0.0) or product_words().get(following, 0.0)
        return (-1 if valence < 0 else 1) * (1 if word == "more" else -1)
    return 0


def _without_than(before: str, between: str) -> int:
    if len(between.split()) > 10:
        return 0
    if _SECOND_WINS.search(between) or (_LEAVING.search(before) and re.search(r"\bto\b", between)):
        return -1
    found = _FIRST_WINS.search(between)
    if not found or (found.group() == "over" and not _PREFERENCE.search(f"{before} {between}")):
        return 0
    return -1 if NEGATIONS & set(between.split()) else 1


class LinearComparer:
    """A linear model over the words before, between and behind the two things, and what the rule says."""

    def __init__(self, model: LinearModel) -> None:
        self._model = model
        self._vocabulary = Vocabulary()

    def outcomes(self, pairs: Sequence[Passage]) -> Probabilities:
        """See `Comparer.outcomes`."""
        probabilities = self._model.probabilities(comparison_batch(pairs, self._vocabulary))
        silent = np.array([OTHER not in pair.tokens for pair in pairs], np.bool_)
        return np.where(silent[:, None], NOT_COMPARED, probabilities).astype(np.float32)


def comparison_batch(pairs: Sequence[Passage], vocabulary: Vocabulary) -> Batch:
    """Return the features of pairs."""
    table = TokenTable(pairs, vocabulary)
    groups = FeatureGroups(table.count)
    second = np.array([_place(pair) for pair in pairs], np.int64)[table.rows]
    places = {
        "before": table.offset < 0,
        "between": (table.offset > 0) & (table.offset < second),
        "behind": table.offset > second,
    }
    for place, inside in places.items():
        add_words(groups, table, f"pair {place}", inside)
        add_pairs(groups, table, f"pair {place}", inside)
        for valences in table.valences:
            groups.total(table.rows[inside], valences[inside])
        _add_shape_runs(groups, table, place, inside)
    add_letters(groups, table, vocabulary, "pair between", places["between"])
    said = np.array([_said_of_first(pair) for pair in pairs], np.int64)
    for outcome in (-1, 0, 1):
        groups.number((said == outcome).astype(np.float32))
    between = np.bincount(table.rows[places["between"]], minlength=table.count)
    groups.number(np.log1p(between) / 3)
    return groups.batch()


def _place(pair: Passage) -> int:
    return pair.tokens.index(OTHER) - pair.at if OTHER in pair.tokens else len(pair.tokens)


def _add_shape_runs(groups: FeatureGroups, table: TokenTable, place: str, inside: Bools) -> None:
    for size in (2, 3):
        places, runs = table.runs(table.shapes, inside, size)
        groups.hashed(f"pair {place} shape {size}", table.rows[places], runs)
