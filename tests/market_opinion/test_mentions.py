import gzip
import json
import pickle
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market_opinion.documents import Context
from market_opinion.market import Market
from market_opinion.mentions import Mention, MentionFinder
from reddit_sim import phrases

from ..slow import one_in
from .growth import grows_with_length, long
from .hard_cases import HARD_CASES, Case
from .making import comment, submission

NOWHERE = Context("", "", "")
Labelled = Callable[[str], list[dict[str, str]]]


def told(mentions: list[Mention]) -> str:
    return "; ".join(f"{one.alias} = {one.brand} / {one.product or '-'}" for one in mentions)


@pytest.mark.parametrize("case", HARD_CASES, ids=lambda case: case.text[:40] or "empty")
def test_hard_case(finder: MentionFinder, case: Case) -> None:
    found = finder.find(comment(case.text), Context(case.title, case.parent, case.subreddit))
    assert told(found) == case.expected


def test_there_are_a_hundred_hard_cases() -> None:
    assert len({(case.text, case.title, case.parent, case.subreddit) for case in HARD_CASES}) >= 100


def test_a_mention_tells_where_it_stands(finder: MentionFinder) -> None:
    document = comment("> quoted\n\nGood. My **iPhone** 15 Pro is fine! Bye.")
    (found,) = finder.find(document, NOWHERE)
    assert document.text[found.start : found.end] == "iPhone** 15 Pro"
    assert document.clean[found.clean_start : found.clean_end] == found.alias == "iPhone 15 Pro"
    assert document.clean[slice(*found.sentence)] == "My iPhone 15 Pro is fine!"
    assert (found.rule, found.confidence) == ("product", 0.98)


@pytest.mark.parametrize(
    ("text", "context", "rule"),
    [
        ("Samsung did it", NOWHERE, "strong"),
        ("Apple 15 Pro", NOWHERE, "brand+model"),
        ("Apple makes phones", NOWHERE, "weak:sentence"),
        ("My iPhone is old. Apple knows.", NOWHERE, "weak:comment"),
        ("Apple knows", Context("", "my iPhone", ""), "weak:parent"),
        ("Apple knows", Context("Which phone?", "", ""), "weak:title"),
        ("Apple knows", Context("", "", "Android"), "weak:subreddit"),
        ("a phone by Nothing", NOWHERE, "common:sentence"),
        ("Samsung it is. The S24", NOWHERE, "short:comment"),
        ("the S24", Context("Samsung", "", ""), "short:title"),
        ("the S24", Context("", "", "Android"), "short:only"),
        ("the 17 is nice", Context("", "iPhone?", ""), "bare:parent"),
        ("the 17 is nice", Context("", "", "iphone"), "bare:subreddit"),
    ],
)
def test_the_rule_tells_why_a_mention_counts(finder: MentionFinder, text: str, context: Context, rule: str) -> None:
    assert finder.find(comment(text), context)[-1].rule == rule


def test_what_is_surer_has_more_confidence(finder: MentionFinder) -> None:
    def confidence(text: str, context: Context = NOWHERE) -> float:
        return finder.find(comment(text), context)[-1].confidence

    here = Context("", "", "iphone")
    order = [
        confidence("the 17 is nice", here),
        confidence("Apple knows", here),
        confidence("Samsung"),
        confidence("iPhone 17"),
    ]
    assert order == sorted(order)
    assert len(set(order)) == len(order)


def test_an_inherited_brand_is_the_one_named_last(finder: MentionFinder) -> None:
    (*_, found) = finder.find(comment("iPhone or Xiaomi? The 15 Pro!"), NOWHERE)
    assert found.product == "xiaomi-15-pro"
    (*_, found) = finder.find(comment("Xiaomi or iPhone? The 15 Pro!"), NOWHERE)
    assert found.product == "iphone-15-pro"


def test_every_product_of_the_simulator_is_found(finder: MentionFinder) -> None:
    for brand, products in phrases.BRANDS.items():
        for product in products:
            for _, praise, complaint, plain in phrases.ASPECTS.values():
                for phrase in (*praise, *complaint, *plain):
                    found = finder.find(comment(phrase.format(x=product)), NOWHERE)
                    assert [one.alias for one in found] == [product], phrase
                    assert found[0].brand == brand.lower()
                    assert found[0].product not in (None, "unknown"), product


def test_every_title_of_the_simulator_names_its_product(finder: MentionFinder) -> None:
    products = [product for of_brand in phrases.BRANDS.values() for product in of_brand]
    for title in phrases.TITLES:
        for product in products:
            found = finder.find(submission(title.format(x=product, y="iPhone 16", aspect="camera")), NOWHERE)
            assert product in [one.alias for one in found]


def test_the_same_code_serves_quite_another_market(espresso: Market) -> None:
    finder = MentionFinder(espresso)
    text = (
        "The Gaggia Classic Evo Pro steams better than my Breville Bambino Plus."
        " A rocket is fast; a Rocket is a nice machine."
    )
    assert told(finder.find(comment(text), Context("", "", "espresso"))) == (
        "Gaggia Classic Evo Pro = gaggia / gaggia-classic-evo; Breville Bambino Plus = breville / bambino-plus;"
        " Rocket = rocket / -"
    )
    assert finder.find(comment("a decent espresso from my iPhone app, with flair"), Context("", "", "espresso")) == []
    assert told(finder.find(comment("the Bambino Max"), NOWHERE)) == "Bambino Max = breville / unknown"


def test_strong_aliases_are_recalled(finder: MentionFinder, labelled: Labelled) -> None:
    strong = re.compile(r"(?<!\w)(?:i-?phones?|ipads?)(?:\d\w?)?(?!\w)", re.IGNORECASE)
    texts = [row["text"] for row in labelled("brand_sxsw") if strong.search(row["text"])]
    found = sum(any(one.brand == "apple" for one in finder.find(comment(text), NOWHERE)) for text in texts)
    assert len(texts) > 2_000
    assert found / len(texts) >= 0.99


def test_comments_about_anything_are_left_alone(finder: MentionFinder, labelled: Labelled) -> None:
    texts = [row["text"] for row in labelled("reddit_goemotions")]
    # All of these, right ones too: what is right was looked at by hand.
    hits = sum(bool(finder.find(comment(text), NOWHERE)) for text in texts)
    assert hits / len(texts) <= 0.002


RIGHT = re.compile(r"iphone|ipad|\bios\b|pixel xl|Samsung S7|Xiaomi mi 9|Moto g6|galaxy A50|Google", re.IGNORECASE)


def test_recorded_comments_have_few_false_hits(finder: MentionFinder, shared_data: Path) -> None:
    bodies = dict(recorded_comments(shared_data / "reddit"))
    found = [
        one for body, subreddit in bodies.items() for one in finder.find(comment(body), Context("", "", subreddit))
    ]
    false = [one for one in found if not RIGHT.fullmatch(one.alias) and not RIGHT.search(one.alias)]
    assert len(bodies) > 3_000
    assert len(false) / len(bodies) <= 0.002


def recorded_comments(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted((folder / "api").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            for line in file:
                try:
                    yield from comments_in(json.loads(json.loads(line)["response"]["body"]))
                except (KeyError, ValueError):
                    continue
    for path in sorted((folder / "pushshift").glob("RC*.ndjson.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            yield from ((row["body"], row["subreddit"]) for row in map(json.loads, file))


def comments_in(part: Any) -> Iterator[tuple[str, str]]:
    if isinstance(part, dict):
        data = part.get("data")
        if part.get("kind") == "t1" and isinstance(data, dict):
            yield data.get("body") or "", data.get("subreddit") or ""
        for value in part.values():
            yield from comments_in(value)
    elif isinstance(part, list):
        for value in part:
            yield from comments_in(value)


WORDS = "iphone iPhone 17 Pro Max S24 Ultra Samsung Apple Nothing one plus Pixel 8 , and the . my ( ) (2a) Phone 💥 İ ß"


@given(st.lists(st.sampled_from(WORDS.split())).map(" ".join))
def test_mentions_are_in_order_never_overlap_and_repeat_themselves(finder: MentionFinder, text: str) -> None:
    document = comment(text)
    context = Context("iPhone or Pixel", "Samsung", "android")
    found = finder.find(document, context)
    assert found == finder.find(document, context)
    ends = [0]
    for one in found:
        assert ends[-1] <= one.clean_start < one.clean_end <= one.sentence[1]
        assert one.sentence[0] <= one.clean_start
        assert text[one.start : one.end] == one.alias
        ends.append(one.clean_end)


HOSTILE = {
    "apple": long("apple "),
    "S24": long("S24 "),
    "versions": "Pixel 8" + long(", 9"),
    "Nothing": long("Nothing "),
    "brackets": long("iphone ("),
    "one word": long("iphone"),
    "bare numbers": long("the 17, "),
}


@grows_with_length
@pytest.mark.parametrize("text", one_in(2, HOSTILE))
def test_the_work_for_a_text_grows_with_its_length_and_not_with_the_square(finder: MentionFinder, text: str) -> None:
    finder.find(comment(HOSTILE[text]), Context("phones", "iPhone", "android"))


def test_mentions_travel_between_processes(finder: MentionFinder) -> None:
    document = comment("my **iPhone**")
    found = finder.find(document, NOWHERE)
    assert pickle.loads(pickle.dumps((document, found))) == (document, found)
