"""What every engine of targeted sentiment is: texts and the places of targets in, probabilities out."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reddit_ingest.core.errors import InvalidRequest

from .passages import Passage, Span, passage_of

LABELS = ("negative", "neutral", "positive")
Probabilities = NDArray[np.float32]

NO_OPINION = np.array([0, 1, 0], np.float32)


class Scorer(Protocol):
    """Says what the author of a text thinks of a target in it."""

    @property
    def engine(self) -> str:
        """The engine's name, one of `ENGINES`."""
        ...

    @property
    def model_hash(self) -> str:
        """The first 16 hex digits of the SHA-256 of what the engine knows: it changes when its answers may."""
        ...

    def score(
        self,
        texts: Sequence[str],
        spans: Sequence[Span | None],
        others: Sequence[Sequence[Span]] | None = None,
    ) -> Probabilities:
        """Return n rows of probabilities, in the order of `LABELS`.

        `spans` are the character offsets of each target in its text; None means the text as a whole. `others` are the
        offsets of the other names in each text: neither they nor the target's own name have a say in the answer.
        A target that stands in a quote, a link or a signature, and a text that is not English, get `NO_OPINION`.

        Raises:
            ValueError: a span does not lie in its text, or the sequences differ in length.
        """
        ...


def passages(
    texts: Sequence[str], spans: Sequence[Span | None], others: Sequence[Sequence[Span]] | None = None
) -> list[Passage]:
    """Return the passage around every target."""
    around = others if others is not None else [()] * len(texts)
    return [passage_of(text, span, names) for text, span, names in zip(texts, spans, around, strict=True)]


def silence_others(probabilities: Probabilities, read: Sequence[Passage]) -> Probabilities:
    """Return the probabilities, with `NO_OPINION` where the author said nothing about the target that can be read."""
    silent = np.fromiter((not passage.is_readable for passage in read), np.bool_, len(read))
    return np.where(silent[:, None], NO_OPINION, probabilities).astype(np.float32)


def _lexicon() -> Scorer:
    from .lexicon import LexiconScorer

    return LexiconScorer()


def _linear() -> Scorer:
    from .linear import LinearScorer, shipped_model

    return LinearScorer(shipped_model())


def _minilm() -> Scorer:
    from .minilm import installed_minilm

    return installed_minilm()


# Built on demand: what one engine needs, the others should not load.
ENGINES: dict[str, Callable[[], Scorer]] = {"lexicon": _lexicon, "linear": _linear, "minilm": _minilm}

# The most accurate of the engines that read the busiest hour, 10,000 mentions, in less than a minute on a core of any
# machine: minilm took 15 s on one and 70 s on another.
DEFAULT_ENGINE = "linear"


def installed_engines() -> list[str]:
    """Return the engines whose libraries are there."""
    return [name for name in ENGINES if name != "minilm" or find_spec("onnxruntime")]


def make_scorer(engine: str = DEFAULT_ENGINE) -> Scorer:
    """Return a ready engine.

    Raises:
        InvalidRequest: there is no engine of this name.
        FixConfiguration: what it needs is not installed.
        DamagedState: its model file is missing or is not the one that was trained.
    """
    if engine not in ENGINES:
        raise InvalidRequest(f"no sentiment engine is called {engine[:40]!r}; there are {', '.join(ENGINES)}")
    return ENGINES[engine]()
