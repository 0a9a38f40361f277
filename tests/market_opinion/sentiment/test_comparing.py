"""Which of two things is said to be better."""

import numpy as np
import pytest

from market_opinion.sentiment.comparing import Comparison, LinearComparer, RuleComparer, compare
from market_opinion.sentiment.datasets import LabelledPair
from market_opinion.sentiment.training import train_pairs


def said(text: str, comparer=None) -> dict[str, str]:
    spans = {name: (text.index(name), text.index(name) + len(name)) for name in ("Pixel", "iPhone")}
    rows = compare(comparer or RuleComparer(), text, spans["Pixel"], spans["iPhone"])
    return {text[slice(*row.subject)]: row.outcome for row in rows}


PIXEL_WINS = [
    "The Pixel is better than the iPhone",
    "The iPhone is worse than the Pixel",
    "Pixel takes nicer photos than my iPhone ever did",
    "the iPhone is slower than the Pixel",
    "I prefer the Pixel over the iPhone",
    "The Pixel beats the iPhone",
    "my iPhone is not as good as the Pixel",
    "The Pixel is more reliable than the iPhone",
    "The Pixel is less annoying than the iPhone",
    "The iPhone is not better than the Pixel",
    "The iPhone is more annoying than the Pixel",
    "I don't think the iPhone is better than the Pixel",
    "Switching from iPhone to Pixel",
]


@pytest.mark.parametrize("text", PIXEL_WINS)
def test_a_comparison_gives_two_opposite_rows(text: str) -> None:
    assert said(text) == {"Pixel": "better", "iPhone": "worse"}


@pytest.mark.parametrize("text", PIXEL_WINS)
def test_the_names_exchanged_the_result_is_exchanged(text: str) -> None:
    swapped = text.replace("Pixel", "@").replace("iPhone", "Pixel").replace("@", "iPhone")
    assert said(swapped) == {"iPhone": "better", "Pixel": "worse"}


@pytest.mark.parametrize(
    "text",
    [
        "I have a Pixel and an iPhone",
        "The Pixel is good. Better than nothing. The iPhone is good too",
        "I wonder whether the Pixel is better than the iPhone",
        "Both Pixel and iPhone are faster than my old phone",
        "> The Pixel is better than the iPhone\n\nno comment",
    ],
)
def test_two_names_alone_are_no_comparison(text: str) -> None:
    assert said(text) == {}


def test_the_order_in_which_the_things_are_asked_for_does_not_matter() -> None:
    text = "The Pixel is better than the iPhone"
    one = compare(RuleComparer(), text, (4, 9), (29, 35))
    assert one == compare(RuleComparer(), text, (29, 35), (4, 9))
    assert one[0] == Comparison((4, 9), (29, 35), "better", pytest.approx(0.8))


def test_things_that_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot share characters"):
        compare(RuleComparer(), "Pixel Pixel", (0, 8), (6, 11))


def test_a_trained_comparer_learns_a_verb_that_the_rule_does_not_know() -> None:
    pairs = []
    for number in range(12):
        for verb, label in (("wallops", 2), ("trails", 0), ("joins", 1)):
            text = f"the thing{number} {verb} the other{number}"
            first = (4, 4 + len(f"thing{number}"))
            pairs.append(LabelledPair(text, first, (text.index("other"), len(text)), label))
    trained = LinearComparer(train_pairs(pairs))
    assert said("the Pixel wallops the iPhone", trained) == {"Pixel": "better", "iPhone": "worse"}
    assert said("the Pixel trails the iPhone", trained) == {"Pixel": "worse", "iPhone": "better"}
    assert said("the Pixel joins the iPhone", trained) == {}
    assert said("> the Pixel wallops the iPhone", trained) == {}
    assert trained.outcomes([]).shape == (0, 3)


def test_all_rules_answer_with_probabilities() -> None:
    assert RuleComparer().outcomes([]).shape == (0, 3)
    np.testing.assert_allclose(0.8 + 0.1 + 0.1, 1)
