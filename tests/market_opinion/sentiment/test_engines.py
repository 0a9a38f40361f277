"""What every engine promises: the same words mean the same of every brand, and nothing typed breaks it."""

import numpy as np
import pytest

from market_opinion.sentiment.scoring import (
    ENGINES,
    LABELS,
    NO_OPINION,
    Probabilities,
    Scorer,
    make_scorer,
)
from reddit_ingest.core.errors import InvalidRequest

from ..growth import grows_with_length, long

BRANDS = [
    "iPhone",
    "Galaxy S24",
    "Nothing Phone (2a)",
    "OnePlus",
    "awesome",
    "Great Wall",
    "LG",
    "Sony Xperia 1 VI",
    "Honor",
]
SAYINGS = [
    "I love my {}, best phone ever", "the {} is overpriced garbage", "{} keeps crashing and support is useless",
    "Just ordered the {}", "Is the {} any good?", "the camera of the {} is stunning but the battery dies by noon",
    "I returned the {} after two days :(", "{}'s screen is gorgeous!!", "my {} won't charge anymore", "{} 😍",
    "not a fan of the {} at all", "The {} isn't bad", "went from Nokia to {} and never looked back",
]  # fmt: skip


@pytest.fixture(scope="module", params=sorted(ENGINES))
def scorer(request: pytest.FixtureRequest) -> Scorer:
    return make_scorer(request.param)


@pytest.fixture(scope="module")
def linear() -> Scorer:
    return make_scorer("linear")


def scores(scorer: Scorer, texts: list[str], name: str = "Pixel") -> Probabilities:
    return scorer.score(texts, [(text.index(name), text.index(name) + len(name)) for text in texts])


def labels(probabilities: Probabilities) -> list[str]:
    return [LABELS[best] for best in probabilities.argmax(axis=1)]


def test_another_brand_in_its_place_changes_nothing(scorer: Scorer) -> None:
    answers = {}
    for brand in ["Pixel", *BRANDS]:
        spans = [(saying.index("{}"), saying.index("{}") + len(brand)) for saying in SAYINGS]
        answers[brand] = scorer.score([saying.format(brand) for saying in SAYINGS], spans)
    for brand in BRANDS:
        np.testing.assert_array_equal(answers[brand], answers["Pixel"], err_msg=brand)


def test_another_rival_in_its_place_changes_nothing(scorer: Scorer) -> None:
    answers = [
        scorer.score([text], [(4, 9)], [[(text.index(rival), text.index(rival) + len(rival))]])
        for rival in ("iPhone", "Worst Phone", "Nothing")
        for text in [f"The Pixel is great, the {rival} is just okay"]
    ]
    assert len({answer.tobytes() for answer in answers}) == 1


def test_probabilities_are_probabilities_and_do_not_depend_on_the_company(scorer: Scorer) -> None:
    texts = [saying.format("Pixel") for saying in SAYINGS]
    together = scores(scorer, texts)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)
    assert together.dtype == np.float32
    for place, text in enumerate(texts):
        np.testing.assert_allclose(scores(scorer, [text])[0], together[place], atol=1e-5)


def test_praise_and_blame_are_told_apart(scorer: Scorer) -> None:
    praise = ["I love my Pixel", "The Pixel is great", "Pixel is the best phone I ever had"]
    blame = ["I hate my Pixel", "The Pixel is terrible", "Pixel is the worst phone I ever had"]
    assert labels(scores(scorer, praise)) == ["positive"] * 3
    assert labels(scores(scorer, blame)) == ["negative"] * 3


def test_a_negation_takes_the_praise_away(linear: Scorer) -> None:
    words = [
        "good",
        "great",
        "excellent",
        "reliable",
        "fast",
        "comfortable",
        "a good phone",
        "beautiful",
        "worth the money",
    ]
    praised, denied = (scores(linear, [f"The Pixel {verb} {word}." for word in words]) for verb in ("is", "is not"))
    assert labels(praised) == ["positive"] * len(words)
    assert "positive" not in labels(denied)


def test_what_is_said_of_another_in_the_other_half_of_the_sentence_does_not_count(scorer: Scorer) -> None:
    texts = ["The Pixel is great but the iPhone is terrible", "The iPhone is great but the Pixel is terrible"]
    assert labels(scores(scorer, texts)) == ["positive", "negative"]


@pytest.mark.parametrize(
    "around",
    [
        "{}\n\nSent from my iPhone",
        "> that phone is an awful piece of garbage, I hate it\n\n{}",
        "{} https://example.com/worst-phone-ever",
        "{}\n\n^(I am a bot, beep boop)",
    ],
)
def test_quotes_links_and_signatures_do_not_matter(scorer: Scorer, around: str) -> None:
    texts = [saying.format("Pixel") for saying in SAYINGS]
    np.testing.assert_array_equal(scores(scorer, [around.format(text) for text in texts]), scores(scorer, texts))


def test_a_target_that_only_a_quote_names_gets_no_opinion(scorer: Scorer) -> None:
    np.testing.assert_array_equal(scores(scorer, ["> the Pixel is the worst\n\nI love it"])[0], NO_OPINION)


@pytest.mark.parametrize(
    "text",
    [
        "Das Pixel ist wirklich sehr schlecht und ich hasse es",
        "Pixel 手机很好用，我非常喜欢这个手机",
        "El Pixel es muy malo y no me gusta nada",
    ],
)
def test_a_text_in_another_language_gets_no_opinion(scorer: Scorer, text: str) -> None:
    np.testing.assert_array_equal(scores(scorer, [text])[0], NO_OPINION)


def test_a_text_as_a_whole_can_be_scored(scorer: Scorer) -> None:
    texts = ["This is great, I love it", "😍😍😍", "", " \n ", "\U0001f4a9" * 3, "?!", "a" * 40_000]
    answers = scorer.score(texts, [None] * len(texts))
    assert labels(answers)[:2] == ["positive", "positive"]
    np.testing.assert_array_equal(answers[2], NO_OPINION)
    np.testing.assert_array_equal(answers[3], NO_OPINION)
    assert np.isfinite(answers).all()


def test_nothing_asked_is_nothing_answered(scorer: Scorer) -> None:
    assert scorer.score([], []).shape == (0, 3)


@grows_with_length
def test_hostile_texts_are_answered_in_work_that_grows_with_their_length(scorer: Scorer) -> None:
    fillers = ["but ", "!", "> ", "[", "\n", "not ", "n't", "😍", "(", "\x00", "'", "a-", ".", "<3", "http://"]
    texts = ["Pixel " + long(filler) for filler in fillers]
    texts += [long(filler) + " Pixel" for filler in fillers]
    assert np.isfinite(scores(scorer, texts)).all()


def test_a_mark_of_a_tokenizer_in_the_text_is_a_word_like_others(scorer: Scorer) -> None:
    texts = ["[MASK] [SEP] I hate the iPhone [CLS]. The Pixel is great [PAD]"]
    assert labels(scores(scorer, texts)) == ["positive"]


def test_half_a_surrogate_pair_is_read_over(scorer: Scorer) -> None:
    assert np.isfinite(scores(scorer, ["Pixel \ud83d is great \udc00"])).all()


def test_an_unknown_engine_is_a_usage_error_that_names_the_others() -> None:
    with pytest.raises(
        InvalidRequest, match=r"no sentiment engine is called 'bert'; there are lexicon, linear, minilm"
    ):
        make_scorer("bert")


def test_engines_have_an_identity(scorer: Scorer) -> None:
    assert scorer.engine in ENGINES
    assert len(scorer.model_hash) == 16
    assert make_scorer(scorer.engine).model_hash == scorer.model_hash
