"""The default engine: a linear model over hashed features, stored in the package and read with numpy alone."""

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reddit_ingest.core.errors import DamagedState

from .features import COLUMNS, Batch, Featurizer
from .passages import Passage, Span
from .scoring import Probabilities, passages, silence_others

_AT_ONCE = 2_000
_STEPS = 127


@dataclass(frozen=True, slots=True)
class LinearModel:
    """A weight for every column and class, and one number a class."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    sha256: str = ""

    def probabilities(self, batch: Batch) -> Probabilities:
        """Return a row of class probabilities for every row of the batch."""
        said = self.weights[batch.columns] * batch.values[:, None]
        sums = [np.bincount(batch.rows, said[:, which], batch.count) for which in range(len(self.bias))]
        odds = np.stack(sums, axis=1) + self.bias
        odds = np.exp(odds - odds.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True), np.float32)

    def to_bytes(self) -> bytes:
        """Return the file of the model: columns that matter, weights in 255 steps a class; always the same bytes."""
        steps = np.abs(self.weights).max(axis=0) / _STEPS
        small = np.rint(self.weights / steps).astype(np.int8)
        kept = np.flatnonzero(small.any(axis=1)).astype(np.uint32)
        file = io.BytesIO()
        np.savez_compressed(
            file,
            gaps=np.diff(kept, prepend=np.uint32(0)),
            weights=small[kept].T,
            steps=steps.astype(np.float32),
            bias=self.bias.astype(np.float32),
            columns=np.array(COLUMNS),
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, stored: bytes) -> "LinearModel":
        """Return the model of a file that `to_bytes` made.

        Raises:
            ValueError: the bytes are no such file.
        """
        with np.load(io.BytesIO(stored), allow_pickle=False) as parts:
            if int(parts["columns"]) != COLUMNS:
                raise ValueError(f"made for {parts['columns']} columns, there are {COLUMNS}")
            kept = np.cumsum(parts["gaps"], dtype=np.int64)
            weights = np.zeros((COLUMNS, len(parts["bias"])), np.float32)
            weights[kept] = parts["weights"].T * parts["steps"]
            return cls(weights, parts["bias"], hashlib.sha256(stored).hexdigest())


def checked_model(stored: bytes, sha256: str, name: str) -> LinearModel:
    """Return a stored model whose hash is the one that its card tells.

    Raises:
        DamagedState: the hash or the content is another.
    """
    found = hashlib.sha256(stored).hexdigest()
    if found != sha256:
        raise DamagedState(
            f"the model {name} is damaged: SHA-256 {found[:16]}, its card says {sha256[:16]}; install the package again"
        )
    try:
        return LinearModel.from_bytes(stored)
    except (ValueError, KeyError, OSError) as cause:
        raise DamagedState(f"the model {name} cannot be read ({cause}); install the package again") from cause


def shipped_card() -> dict[str, Any]:
    """Return what is known of the shipped models: data, hashes, licences, figures."""
    card: dict[str, Any] = json.loads((files(__package__) / "models" / "card.json").read_text(encoding="utf-8"))
    return card


def shipped_model(name: str = "linear") -> LinearModel:
    """Return a model of the package.

    Raises:
        DamagedState: it is missing or is not the one that was trained.
    """
    try:
        card = shipped_card()["models"][name]
        stored = (files(__package__) / "models" / card["file"]).read_bytes()
    except (OSError, ValueError, KeyError) as cause:
        raise DamagedState(f"the model {name} is not there ({cause}); install the package again") from cause
    return checked_model(stored, card["sha256"], name)


class LinearScorer:
    """Reads the words near the target, the clause, the sentence, and what lexicons say of them."""

    engine = "linear"

    def __init__(self, model: LinearModel) -> None:
        self._model = model
        self._featurizer = Featurizer()
        self.model_hash = model.sha256[:16]

    def score(
        self,
        texts: Sequence[str],
        spans: Sequence[Span | None],
        others: Sequence[Sequence[Span]] | None = None,
    ) -> Probabilities:
        """See `Scorer.score`."""
        read = passages(texts, spans, others)
        return silence_others(self._probabilities(read), read)

    def _probabilities(self, read: Sequence[Passage]) -> Probabilities:
        chunks = [read[start : start + _AT_ONCE] for start in range(0, len(read), _AT_ONCE)]
        scored = [self._model.probabilities(self._featurizer.batch(chunk)) for chunk in chunks]
        return np.concatenate([np.zeros((0, 3), np.float32), *scored])
