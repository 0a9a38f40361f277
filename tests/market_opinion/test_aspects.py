from functools import cache

import pytest

from market_opinion.aspects import aspects_of
from market_opinion.documents import Context
from market_opinion.market import Market
from market_opinion.mentions import MentionFinder
from reddit_sim import phrases

from .making import comment

NOWHERE = Context("", "", "")


finder_of = cache(MentionFinder)


def aspects(market: Market, text: str) -> list[tuple[str, tuple[str, ...]]]:
    document = comment(text)
    mentions = finder_of(market).find(document, NOWHERE)
    return [(one.alias, found) for one, found in zip(mentions, aspects_of(document, mentions, market), strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The iPhone 15 is nice", [("iPhone 15", ())]),
        ("The battery of my iPhone 15 drains", [("iPhone 15", ("battery",))]),
        (
            "The iPhone 15 has a great camera but the Galaxy S24 has better battery life",
            [("iPhone 15", ("camera",)), ("Galaxy S24", ("battery",))],
        ),
        (
            "The camera is better on the Pixel 8 than on the iPhone 15",
            [("Pixel 8", ("camera",)), ("iPhone 15", ("camera",))],
        ),
        (
            "iPhone 15: nice screen. Galaxy S24: nice price.",
            [("iPhone 15", ("display",)), ("Galaxy S24", ("price",))],
        ),
        ("I have a Pixel 8. The battery is awful.", [("Pixel 8", ("battery",))]),
        ("I have a Pixel 8. Nice day. The battery is awful.", [("Pixel 8", ())]),
        ("I have a Pixel 8 and an iPhone 15. The battery is awful.", [("Pixel 8", ()), ("iPhone 15", ())]),
        ("Charging the Pixel 8 overheats the screen", [("Pixel 8", ("battery", "display", "performance"))]),
        ("The Light Phone is fine", [("Light Phone", ())]),
        ("One UI is fine", [("One UI", ("software",))]),
        ("discharged pixels", []),
        ("", []),
    ],
)
def test_an_aspect_belongs_to_what_it_is_said_of(
    smartphones: Market, text: str, expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    assert aspects(smartphones, text) == expected


def test_most_phrases_of_the_simulator_tell_their_aspect(smartphones: Market) -> None:
    told = missed = 0
    for aspect, (_, praise, complaint, plain) in phrases.ASPECTS.items():
        for phrase in (*praise, *complaint, *plain):
            ((_, found),) = aspects(smartphones, phrase.format(x="iPhone 17"))
            told += aspect in found
            missed += aspect not in found
    assert told / (told + missed) >= 0.9


def test_another_market_has_other_aspects(espresso: Market) -> None:
    assert aspects(espresso, "The Gaggia Classic has weak steam but it is cheap") == [
        ("Gaggia Classic", ("steam", "price"))
    ]


def test_a_long_text_full_of_terms_takes_a_moment(smartphones: Market) -> None:
    (found,) = aspects(smartphones, "Pixel 8 " + "battery " * 5_000)
    assert found[1] == ("battery",)
