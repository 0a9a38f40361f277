"""Two offsets, and the error that they leave."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market_opinion.sentiment.calibrating import (
    FEWEST_OF_AN_ASPECT,
    Calibration,
    Judged,
    calibrate,
    fit_offsets,
    net_bias,
    shifted,
)
from reddit_ingest.core.errors import DamagedState


class Fixed:
    engine = "fixed"
    model_hash = "0123456789abcdef"


def biased(count: int = 300, seed: int = 7, weights: float = 1.0) -> Judged:
    """Labels, and an engine that says neutral where it should say negative."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    logits = np.where(np.arange(3) == labels[:, None], 2.0, 0.0) + np.array([-1.2, 0.6, 0.0])
    odds = np.exp(logits + random.normal(0, 0.5, (count, 3)))
    probabilities = (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
    aspects = [frozenset({"price"} if number % 6 < 2 else {"rare"} if number < 20 else ()) for number in range(count)]
    return Judged(labels, probabilities, np.full(count, weights), aspects)


def test_offsets_take_a_bias_away() -> None:
    made, found = calibrate(Fixed(), biased(), "ab" * 32)
    assert made.negative > 0.5
    assert found["after"]["accuracy"] > found["before"]["accuracy"] + 0.1
    assert found["after"]["macro_f1"] > found["before"]["macro_f1"] + 0.1
    assert found["before"]["net_bias"] < -0.1
    assert abs(found["after"]["net_bias"]) < 0.05
    assert (made.net_bias, made.labels, made.labels_sha256) == (found["after"]["net_bias"], 300, "ab" * 32)


def test_the_error_that_is_left_is_told_of_every_aspect_with_enough_labels() -> None:
    made, _ = calibrate(Fixed(), biased(), "")
    assert list(made.by_aspect) == ["price"]
    bias, se, count = made.by_aspect["price"]
    assert count == 100 >= FEWEST_OF_AN_ASPECT
    # A third of the labels, none of them positive: its own bias, and less sure.
    assert bias != made.net_bias
    assert se > made.net_bias_se


def test_the_error_that_is_left_is_that_of_labels_that_were_not_fitted() -> None:
    """An engine that knows nothing: what its offsets would show on their own labels is too good to be true."""
    random = np.random.default_rng(3)
    misses = []
    for _ in range(20):
        labels = random.integers(0, 3, 90)
        judged = Judged(labels, random.dirichlet([5, 5, 5], 90).astype(np.float32), np.ones(90), [frozenset()] * 90)
        made, found = calibrate(Fixed(), judged, "")
        own = (made.apply(judged.probabilities).argmax(axis=1) == labels).mean()
        misses.append(own - found["after"]["accuracy"])
    assert np.mean(misses) > 0.02


def test_an_engine_without_bias_is_left_alone() -> None:
    labels = np.arange(300) % 3
    right = np.full((300, 3), 0.2, np.float32)
    right[np.arange(300), labels] = 0.6
    assert fit_offsets(labels, right) == (0.0, 0.0)
    made, _ = calibrate(Fixed(), Judged(labels, right, np.ones(300), [frozenset()] * 300), "")
    assert (made.net_bias, made.net_bias_se) == (0, 0)


def test_a_row_counts_as_often_as_the_mentions_that_it_stands_for() -> None:
    labels = np.array([0] * 30 + [1] * 30)
    unsure = np.array([[0.5, 0.45, 0.05]] * 60, np.float32)
    many_neutral = fit_offsets(labels, unsure, np.array([1.0] * 30 + [50.0] * 30))
    many_negative = fit_offsets(labels, unsure, np.array([50.0] * 30 + [1.0] * 30))
    assert shifted(unsure, *many_neutral).argmax(axis=1)[0] == 1
    assert shifted(unsure, *many_negative).argmax(axis=1)[0] == 0


def test_too_few_labels_or_one_class_are_not_enough() -> None:
    assert biased(60).is_enough
    assert not biased(59).is_enough
    one = biased(100)
    assert not Judged(np.zeros(100, np.int64), one.probabilities, one.weights, one.aspects).is_enough


rows = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.floats(0.1, 50, allow_nan=False)), min_size=1, max_size=40
)


@given(rows, st.floats(0.01, 100))
def test_the_bias_is_what_the_net_sentiment_lacks_whatever_the_scale_of_the_weights(
    told: list[tuple[int, int, float]], scale: float
) -> None:
    labels, answers = (np.array([row[place] for row in told]) for place in (0, 1))
    weights = np.array([row[2] for row in told])
    bias, se = net_bias(labels, answers, weights)
    nets = [(weights[some == 2].sum() - weights[some == 0].sum()) / weights.sum() for some in (labels, answers)]
    assert nets[1] + bias == pytest.approx(nets[0])
    deviations = (labels - answers) - bias
    assert se == pytest.approx(np.sqrt((weights**2 * deviations**2).sum()) / weights.sum())
    assert net_bias(labels, answers, weights * scale) == pytest.approx((bias, se))


def test_with_equal_weights_the_standard_error_is_the_textbooks() -> None:
    labels, answers = np.array([2, 1, 0, 2, 1]), np.array([1, 1, 1, 0, 1])
    missing = labels - answers
    assert net_bias(labels, answers, np.full(5, 7.0)) == pytest.approx(
        (missing.mean(), missing.std() / np.sqrt(len(missing)))
    )


@settings(max_examples=50)
@given(
    st.lists(st.tuples(*[st.floats(0.01, 1)] * 3), min_size=1, max_size=20), st.floats(-1.5, 1.5), st.floats(-1.5, 1.5)
)
def test_shifted_probabilities_are_probabilities_and_can_be_shifted_back(
    odds: list[tuple[float, float, float]], negative: float, positive: float
) -> None:
    some = np.array(odds, np.float32)
    some /= some.sum(axis=1, keepdims=True)
    moved = shifted(some, negative, positive)
    np.testing.assert_allclose(moved.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(shifted(moved, -negative, -positive), some, rtol=1e-3, atol=1e-6)


def test_who_says_nothing_says_nothing_after_a_shift() -> None:
    silent = np.array([[0, 1, 0]], np.float32)
    np.testing.assert_array_equal(shifted(silent, 1.5, -1.5), silent)


def test_a_calibration_belongs_to_one_engine_and_model() -> None:
    made, _ = calibrate(Fixed(), biased(), "ab" * 32)
    assert Calibration.from_json(made.to_json()) == made
    assert made.fits(Fixed())
    other = Fixed()
    other.model_hash = "another"
    assert not made.fits(other)


@pytest.mark.parametrize(
    "change",
    [
        {"negative": "0"},
        {"positive": None},
        {"net_bias": float("nan")},
        {"by_aspect": {"price": [1]}},
        {"by_aspect": []},
        {"more": 1},
    ],
)
def test_a_calibration_that_was_tampered_with_is_refused(change: dict[str, object]) -> None:
    made, _ = calibrate(Fixed(), biased(), "")
    with pytest.raises(DamagedState, match="fit it again"):
        Calibration.from_json(json.dumps({**json.loads(made.to_json()), **change}))


@pytest.mark.parametrize("stored", ["", "[]", "null", '{"engine": "linear"}'])
def test_what_is_no_calibration_is_refused(stored: str) -> None:
    with pytest.raises(DamagedState, match="fit it again"):
        Calibration.from_json(stored)
