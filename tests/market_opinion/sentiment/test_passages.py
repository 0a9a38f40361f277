"""What an author says around a target, and what is not theirs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market_opinion.sentiment.passages import OTHER, TARGET, TARGET_AGAIN, passage_of

from ..growth import grows_with_length


def said(text: str, name: str = "Pixel", others: tuple[str, ...] = ()) -> list[str]:
    start = text.index(name)
    places = [(text.index(other), text.index(other) + len(other)) for other in others]
    return list(passage_of(text, (start, start + len(name)), places).tokens)


def test_the_target_is_masked_wherever_it_is_named_and_other_names_too() -> None:
    tokens = said("My Pixel beats the iPhone; no pixel is slow, but a Pixelbook is.", others=("iPhone",))
    assert tokens.count(TARGET) == 1
    assert tokens.count(TARGET_AGAIN) == 1
    assert tokens[tokens.index("beats") + 2] == OTHER
    assert "pixelbook" in tokens


@pytest.mark.parametrize(
    "text",
    [
        "I like it.\n\n> the Pixel is awful\n",
        "I like it.\n\n&gt; the Pixel is awful",
        "I like it: https://example.com/Pixel-is-awful",
        "I like it.\n\nSent from my Pixel",
        "I like it. Sent from my Pixel using Tapatalk.",
        "I like it.\n\n-- \nJoe\nPixel owner",
        "[I like it](https://example.com/Pixel)",
    ],
)
def test_an_author_who_names_the_target_in_quote_link_or_signature_only_says_nothing_of_it(text: str) -> None:
    assert said(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "The Pixel is great",
        "> I hate all phones\n\nThe Pixel is great",
        "The Pixel is great https://example.com/i-hate-it",
        "The [Pixel](https://example.com/awful) is great",
        "The Pixel is great\n\n^(I am a bot, and this action was performed automatically.)",
        "The Pixel is great\n\nSent from my iPhone",
        "The Pixel is great\n--\nHater of everything",
    ],
)
def test_what_others_say_links_and_signatures_leave_no_trace(text: str) -> None:
    assert said(text) == ["the", TARGET, "is", "great"]


def test_a_sentence_about_sending_is_no_signature() -> None:
    assert "love" in said("I got it. Sent from China, and I love my Pixel so much that I bought another one today")


def test_tokens_are_the_same_however_the_text_was_typed() -> None:
    assert said("I don’t like the Pixel!!! It’s sooooo slow") == said("i do n't like the Pixel!! it's soo slow")


def test_a_mask_in_the_text_itself_is_no_target() -> None:
    assert said(f"{TARGET} is bad, the Pixel is good").count(TARGET) == 1


@grows_with_length
def test_only_what_stands_near_counts_however_long_the_post_is() -> None:
    text = "awful " * 70_000 + "x" * 3_000 + " the Pixel is good " + "[" * 100_000 + "-- \n" * 10_000 + "> " * 100_000
    tokens = said(text)
    assert "good" in tokens
    assert "awful" not in tokens


@pytest.mark.parametrize("span", [(-1, 2), (3, 3), (5, 2), (0, 11), (11, 12)])
def test_a_span_outside_the_text_is_refused(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="do not lie in a text of 10"):
        passage_of("0123456789", span)
    with pytest.raises(ValueError, match="do not lie in a text of 10"):
        passage_of("0123456789", (0, 1), [span])


@given(st.text(max_size=80), st.text(min_size=1, max_size=8), st.text(max_size=80))
def test_every_text_can_be_read(before: str, name: str, behind: str) -> None:
    passage = passage_of(before + name + behind, (len(before), len(before) + len(name)))
    assert passage.tokens == () or passage.tokens[passage.at] == TARGET
    assert all(passage.tokens)
    passage_of(before + name + behind, None)
