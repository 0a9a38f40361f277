"""Figures against figures worked out by hand."""

import numpy as np
import pytest

from market_opinion.sentiment.measuring import answers_of, figures, mixed_rows, topic_figures


def test_figures_are_those_of_the_confusion_table() -> None:
    meant = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2])
    said = np.array([0, 0, 1, 2, 1, 2, 2, 2, 2, 0])
    found = figures(meant, said)
    assert found.n == 10
    assert found.accuracy == pytest.approx(0.6)
    assert found.f1 == pytest.approx({"negative": 4 / 7, "neutral": 2 / 4, "positive": 6 / 9})
    assert found.macro_f1 == pytest.approx((4 / 7 + 1 / 2 + 2 / 3) / 3)
    assert found.macro_recall == pytest.approx((1 / 2 + 1 / 2 + 3 / 4) / 3)
    assert found.accuracy_interval[0] < 0.6 < found.accuracy_interval[1]
    assert found == figures(meant, said)


def test_a_class_that_nobody_meant_does_not_count() -> None:
    found = figures(np.array([0, 2, 2]), np.array([0, 2, 0]))
    assert set(found.f1) == {"negative", "positive"}
    assert found.macro_f1 == pytest.approx(2 / 3)


def test_a_file_of_two_classes_is_answered_with_two() -> None:
    probabilities = np.array([[0.1, 0.8, 0.05], [0.0, 0.9, 0.1]])
    assert answers_of(np.array([0, 2]), probabilities).tolist() == [0, 2]
    assert answers_of(np.array([0, 1, 2]), probabilities).tolist() == [1, 1]


def test_the_interval_narrows_with_the_rows() -> None:
    few, many = (figures(np.tile([0, 1, 2, 0], n), np.tile([0, 1, 2, 1], n)) for n in (10, 1_000))
    assert np.diff(many.macro_f1_interval) < np.diff(few.macro_f1_interval) / 5


def test_an_engine_that_is_as_sure_as_it_is_right_has_no_calibration_error() -> None:
    meant, said = np.array([0] * 10), np.array([0] * 7 + [1] * 3)
    assert figures(meant, said, sure=np.full(10, 0.7)).calibration_error == pytest.approx(0)
    assert figures(meant, said, sure=np.full(10, 0.9)).calibration_error == pytest.approx(0.2)


def test_topic_figures_compare_shares() -> None:
    topics = [f"t{number // 30}" for number in range(150)]
    labels = np.array([0, 1, 2] * 50)
    labels[:30] = [2] * 20 + [0] * 10
    right = np.eye(3)[labels]
    exact = topic_figures(topics, labels, right)
    assert exact is not None
    assert (exact.topics, exact.share_error, exact.net_error, exact.two_class_recall) == (5, 0, 0, 1)
    assert exact.net_correlation == pytest.approx(1)
    assert exact.two_class_divergence == pytest.approx(0)
    wrong = np.array(right)
    wrong[:10] = [1, 0, 0]  # ten of the first topic's twenty positive texts are called negative
    off = topic_figures(topics, labels, wrong)
    assert off is not None
    assert off.share_error == pytest.approx((1 / 3 + 1 / 3) / 15)
    assert off.net_error == pytest.approx((2 / 3) / 5)
    assert off.two_class_recall == pytest.approx((0.75 + 4) / 5)
    assert off.two_class_divergence > 0


def test_too_few_topics_have_no_figures() -> None:
    labels = np.array([0, 1, 2] * 20)
    assert topic_figures(["a"] * 60, labels, np.eye(3)[labels]) is None


def test_mixed_texts_are_good_for_one_target_and_bad_for_another() -> None:
    assert mixed_rows(["a", "a", "b", "b", "c"], np.array([0, 2, 1, 2, 0])).tolist() == [
        True,
        True,
        False,
        False,
        False,
    ]
