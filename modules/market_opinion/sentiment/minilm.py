"""The most accurate engine: a small transformer, fine-tuned. Needs onnxruntime and tokenizers (the extra `minilm`)."""

import hashlib
import json
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reddit_ingest.core.errors import DamagedState, FixConfiguration

from .passages import OTHER, TARGET, TARGET_AGAIN, Passage, Span
from .scoring import Probabilities, passages, silence_others
from .words import analyzer

_MASK = "[MASK]"
# What the tokenizer would take for its own marks.
_MARKS = re.compile(r"\[(MASK|SEP|CLS|PAD|UNK)\]")
_REACH = 48  # tokens on either side of the target

Encoded = tuple[list[int], int]
Inputs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def encode(tokenizer: Any, passage: Passage) -> Encoded:
    """Return the token ids of a passage and the place of its target among them (-1: no target)."""
    text = (
        _MARKS.sub(r"\1", passage.text).replace(TARGET, _MASK, 1).replace(TARGET_AGAIN, "it").replace(OTHER, "another")
    )
    if not text.isascii():
        names = analyzer().emojis
        text = "".join(f" {names[char]} " if char in names else char for char in text)
    ids: list[int] = tokenizer.encode(text.encode("utf-8", "replace").decode()).ids
    if passage.at < 0:
        return ids[: 2 * _REACH], -1
    at = ids.index(tokenizer.token_to_id(_MASK))
    start, end = max(1, at - _REACH), min(len(ids) - 1, at + _REACH)
    return [ids[0], *ids[start:end], ids[-1]], at - start + 1


def padded(encoded: Sequence[Encoded]) -> Inputs:
    """Return ids, which of them are text, and which of them are meant: the target, or all of a text without one."""
    longest = max(len(ids) for ids, _ in encoded)
    made, text, aim = (np.zeros((len(encoded), longest), np.int64) for _ in range(3))
    for row, (ids, at) in enumerate(encoded):
        made[row, : len(ids)] = ids
        text[row, : len(ids)] = 1
        aim[row, slice(at, at + 1) if at >= 0 else slice(len(ids))] = 1
    return made, text, aim


class MiniLMScorer:
    """Reads a passage with a transformer that knows the language, and looks at the target's place in it.

    One passage at a time: counting in 8 bits, the answers of a batch depend on its largest numbers, and on one core a
    batch is no faster.
    """

    engine = "minilm"

    def __init__(self, model: bytes, tokenizer: bytes) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_str(tokenizer.decode())
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.model_hash = sha256_of(model, tokenizer)[:16]

    def score(
        self,
        texts: Sequence[str],
        spans: Sequence[Span | None],
        others: Sequence[Sequence[Span]] | None = None,
    ) -> Probabilities:
        """See `Scorer.score`."""
        return self.judge(passages(texts, spans, others))

    def judge(self, read: Sequence[Passage]) -> Probabilities:
        """Return what `score` does, of passages that were found already."""
        made = np.zeros((len(read), 3), np.float32)
        for place, passage in enumerate(read):
            if passage.tokens:
                made[place] = self._answer(padded([encode(self._tokenizer, passage)]))
        return silence_others(made, read)

    def _answer(self, inputs: Inputs) -> Probabilities:
        names = ("ids", "text", "aim")
        (scores,) = self._session.run(None, dict(zip(names, inputs, strict=True)))
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True), np.float32)


def sha256_of(model: bytes, tokenizer: bytes) -> str:
    """Return the hash of what the engine knows."""
    return hashlib.sha256(model + tokenizer).hexdigest()


def stored_minilm() -> dict[str, bytes]:
    """Return `model` and `tokenizer` as they stand beside the package.

    Raises:
        DamagedState: they are not those that were trained.
    """
    folder = files(__package__) / "models"
    try:
        card = json.loads((folder / "minilm.json").read_text(encoding="utf-8"))
        stored = {name: (folder / card[name]).read_bytes() for name in ("model", "tokenizer")}
        sound = all(hashlib.sha256(part).hexdigest() == card[f"{name}_sha256"] for name, part in stored.items())
    except (OSError, ValueError, KeyError) as cause:
        raise DamagedState(f"the model minilm is not there ({cause}); install the package again") from cause
    if not sound:
        raise DamagedState("the model minilm is damaged: its SHA-256 is not that of its card; install it again")
    return stored


def installed_minilm() -> MiniLMScorer:
    """Return the engine with the model that stands beside the package.

    Raises:
        FixConfiguration: its libraries are not installed.
        DamagedState: the model is not the one that was trained.
    """
    stored = stored_minilm()
    try:
        return MiniLMScorer(**stored)
    except ImportError as cause:
        raise FixConfiguration(
            f"the engine minilm needs {cause.name}: pip install 'market-opinion[minilm]', or name --engine linear"
        ) from cause
