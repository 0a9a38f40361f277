"""The shipped model and its card."""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from market_opinion.sentiment import linear as module
from market_opinion.sentiment import minilm, training
from market_opinion.sentiment.features import COLUMNS
from market_opinion.sentiment.linear import LinearModel, checked_model, shipped_card, shipped_model
from market_opinion.sentiment.making import card_page
from reddit_ingest.core.errors import DamagedState, FixConfiguration

ROOT = Path(__file__).parents[3]
MODELS = ROOT / "modules" / "market_opinion" / "sentiment" / "models"


def a_model() -> LinearModel:
    weights = np.zeros((COLUMNS, 3), np.float32)
    weights[[0, 7, COLUMNS - 1]] = [[1, -0.5, 0.25], [0.1, 0.2, -2], [0, 0, 1]]
    return LinearModel(weights, np.array([0.5, 0, -0.5], np.float32))


def test_a_model_comes_back_from_its_file_up_to_rounding() -> None:
    stored = a_model().to_bytes()
    assert stored == a_model().to_bytes()
    back = LinearModel.from_bytes(stored)
    np.testing.assert_allclose(back.weights, a_model().weights, atol=2 / 254 + 1e-6)
    np.testing.assert_array_equal(back.bias, a_model().bias)
    np.testing.assert_array_equal(np.flatnonzero(back.weights.any(axis=1)), [0, 7, COLUMNS - 1])


@pytest.mark.parametrize("spoil", [lambda b: b[:-1], lambda b: b[:100] + b"\0" + b[101:], lambda b: b""])
def test_a_damaged_model_is_named_and_not_used(spoil) -> None:
    stored = a_model().to_bytes()
    right = LinearModel.from_bytes(stored).sha256
    with pytest.raises(DamagedState, match="the model linear is damaged"):
        checked_model(spoil(stored), right, "linear")


def test_a_file_that_is_no_model_is_refused_even_with_the_right_hash() -> None:
    with pytest.raises(DamagedState, match="the model linear cannot be read"):
        checked_model(b"PK no", hashlib.sha256(b"PK no").hexdigest(), "linear")


def test_a_model_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "files", lambda _: tmp_path)
    with pytest.raises(DamagedState, match="the model linear is not there"):
        shipped_model()


def test_the_shipped_model_is_the_one_of_the_card_and_small() -> None:
    card = shipped_card()["models"]["linear"]
    assert shipped_model().sha256 == card["sha256"]
    assert (MODELS / card["file"]).stat().st_size == card["bytes"] <= 4_000_000


def test_the_shipped_model_was_trained_on_sets_whose_terms_allow_it_only() -> None:
    assert {one["file"]: (one["licence"], one["sha256"]) for one in shipped_card()["data"]} == training.CLEAN_SETS
    assert {licence for licence, _ in training.CLEAN_SETS.values()} <= {"Apache-2.0", "MIT", "CC BY 4.0"}


def test_the_page_of_the_card_is_up_to_date() -> None:
    card = json.loads((MODELS / "card.json").read_text(encoding="utf-8"))
    assert (ROOT / "docs" / "model-card.md").read_text(encoding="utf-8") == card_page(card)


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(minilm, "files", lambda _: tmp_path)
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def test_the_engine_minilm_says_how_to_get_its_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(FixConfiguration, match=r"needs onnxruntime: pip install 'market-opinion\[minilm\]'"):
        minilm.installed_minilm()


def test_the_shipped_transformer_is_the_one_of_the_card_and_small() -> None:
    card = shipped_card()["models"]["minilm"]
    assert card["sha256"].startswith(minilm.installed_minilm().model_hash)
    assert (MODELS / card["file"]).stat().st_size == card["bytes"] <= 25_000_000


def test_a_damaged_minilm_is_not_used(beside: Path) -> None:
    (beside / "minilm.json").write_text(
        '{"model": "m", "tokenizer": "t", "model_sha256": "0", "tokenizer_sha256": "0"}'
    )
    with pytest.raises(DamagedState, match="is not there"):
        minilm.installed_minilm()
    for name in ("m", "t"):
        (beside / name).write_bytes(b"x")
    with pytest.raises(DamagedState, match="is damaged"):
        minilm.installed_minilm()
