"""The engine that needs no model: VADER on the part of the sentence that names the target."""

import hashlib
import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .passages import Passage, Span
from .scoring import Probabilities, passages, silence_others
from .words import BUT, analyzer

# VADER's own threshold; its compound score lies between -1 and 1.
_NEUTRAL_BELOW = 0.05
_STEEPNESS = 4.0


class LexiconScorer:
    """VADER with a clause rule: what stands behind a "but", or in another sentence, is said of something else."""

    engine = "lexicon"

    def __init__(self) -> None:
        known = json.dumps([analyzer().lexicon, analyzer().emojis], sort_keys=True)
        self.model_hash = hashlib.sha256(known.encode()).hexdigest()[:16]

    def score(
        self,
        texts: Sequence[str],
        spans: Sequence[Span | None],
        others: Sequence[Sequence[Span]] | None = None,
    ) -> Probabilities:
        """See `Scorer.score`."""
        read = passages(texts, spans, others)
        compound = np.array([_compound(passage) for passage in read], np.float32)
        return silence_others(_probabilities(compound), read)


def _compound(passage: Passage) -> float:
    said = " ".join(clause(passage)).replace(" n't", "n't")
    return float(analyzer().polarity_scores(said)["compound"])


def clause(passage: Passage) -> tuple[str, ...]:
    """Return the tokens of the target's sentence, cut at words like "but"."""
    if passage.at < 0:
        return passage.tokens
    start = end = passage.at
    while start > 0 and not _divides(passage.tokens[start - 1]):
        start -= 1
    while end < len(passage.tokens) and not _divides(passage.tokens[end]):
        end += 1
    # What ends the clause may be the strongest word in it: "!!!".
    return passage.tokens[start : end + 1]


def _divides(token: str) -> bool:
    return token[0] in ".!?\n" or token in BUT


def _probabilities(compound: NDArray[np.float32]) -> Probabilities:
    """Return three probabilities whose largest is the class that VADER's threshold gives."""
    strengths = np.stack([-compound - _NEUTRAL_BELOW, np.zeros_like(compound), compound - _NEUTRAL_BELOW], axis=1)
    odds = np.exp(_STEEPNESS * strengths)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True), np.float32)
