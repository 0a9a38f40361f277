import base64
import hashlib
import re
from dataclasses import replace
from typing import Any

import pytest

from market_opinion.analysis.figures import NOTHING_SAID, Coverage, SetAside, Thread
from market_opinion.market import Market, load_market
from market_opinion.report.page import heat, link, measured, shown, to_html

from . import made
from .made import Page

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "\"' onmouseover='alert(1)' x=\"",
    "{{ 7 * 7 }}{% raw %}{# no #}",
    "<!-- --><![CDATA[ ]]>&lt;b&gt;&amp;amp;",
    "]]></svg></title></textarea></select>",
    "\u202eevil\u2066 \u200f",
    "😀" * 20 + "e\u0301" * 40,
    "x" * 300,
    "first line\nsecond line\tand a tab",
]


@pytest.fixture(scope="module")
def market() -> Market:
    return load_market("smartphones")


@pytest.fixture(scope="module")
def usual(market: Market) -> Page:
    return Page(to_html(made.figures(), market))


def page(market: Market, **told: Any) -> Page:
    return Page(to_html(made.figures(**told), market))


def test_the_page_is_well_formed_and_no_id_stands_twice(usual: Page) -> None:
    assert usual.unbalanced == []
    ids = [told["id"] for _, told in usual.elements if "id" in told]
    assert len(ids) == len(set(ids))
    assert {
        *("headlines", "key-figures", "share", "net", "marked", "aspects", "comparisons", "quotes"),
        *("set-aside", "coverage", "method", "main", "filters"),
    } <= set(ids)


def test_every_link_within_the_page_and_every_label_finds_its_target(usual: Page) -> None:
    ids = {told["id"] for _, told in usual.elements if "id" in told}
    targets = [told["href"] or "" for told in usual.of("a")]
    assert {target[1:] for target in targets if target.startswith("#")} <= ids
    labels = {told["aria-labelledby"] for _, told in usual.elements if "aria-labelledby" in told}
    assert labels <= ids


def test_the_policy_allows_what_stands_in_the_page_and_nothing_else(market: Market) -> None:
    source = to_html(made.figures(), market)
    (policy,) = [told["content"] or "" for told in Page(source).of("meta") if "http-equiv" in told]
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", source, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_nothing_in_the_page_needs_what_the_policy_forbids(usual: Page) -> None:
    attributes = {name for _, told in usual.elements for name in told}
    assert "style" not in attributes
    assert not [name for name in attributes if name.startswith("on")]
    assert not {"src", "srcset", "action", "xlink:href"} & attributes
    assert len(usual.of("script")) == len(usual.of("style")) == 1
    assert not {"iframe", "object", "embed", "link", "base", "img", "use", "image"} & {tag for tag, _ in usual.elements}


def test_the_page_names_no_address_but_reddits(market: Market) -> None:
    source = to_html(made.figures(), market)
    assert set(re.findall(r"https?://[^/\"'\s<]*", source)) == {"https://www.reddit.com"}


def test_links_to_the_outside_tell_nobody_where_they_come_from(usual: Page) -> None:
    outside = [told for told in usual.of("a") if not (told["href"] or "").startswith("#")]
    assert outside
    assert {told["rel"] for told in outside} == {"noopener noreferrer"}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text_wherever_it_stands(market: Market, usual: Page, text: str) -> None:
    told = {"title": text, "permalink": text, "subreddit": text}
    quotes = (made.quote(text, **told), made.quote(text, aspect="battery", **told))
    thread = Thread("t3_x", text, text, 1)
    figures = made.figures(
        quotes=quotes,
        set_aside=SetAside(1, {"bot": 1}, ((text, 1),), (thread,)),
        marked_days=(made.marked(threads=(thread,)),),
        coverage=Coverage((made.seen(100, subreddit=text),)),
    )
    strange = Page(to_html(figures, replace(market, title=text)))
    assert strange.unbalanced == []
    assert len(strange.of("script")) == 1
    known = {(tag, name) for tag, attributes in usual.elements for name in attributes}
    known |= {("div", "aria-labelledby"), ("ol", "class")}
    assert {(tag, name) for tag, attributes in strange.elements for name in attributes} <= known
    assert strange.texts["blockquote"] == [text, text]
    assert "49" not in strange.text("blockquote")
    assert not [told["href"] for told in strange.of("a") if not (told["href"] or "").startswith("#")]


def test_a_brand_of_a_market_file_cannot_break_a_chart(market: Market) -> None:
    name = '</text></svg><script>alert(1)</script>"&'
    brands = (made.brand("Apple", made.opinion(4, 4, 1), 9),)
    brands = (replace(brands[0], name=name),)
    strange = Page(to_html(made.figures(brands), market))
    assert strange.unbalanced == []
    assert len(strange.of("script")) == 1
    assert "</text></svg>" in strange.text("text")
    assert name in (strange.of("svg")[0]["aria-label"] or "")


@pytest.mark.parametrize(
    ("permalink", "is_link"),
    [
        ("/r/Android/comments/1abc/some_title/", True),
        ("/r/Android/comments/1abc/some_title/2def/", True),
        ("/r/u_name/comments/1abc/x/", True),
        ("/user/some-name/comments/1abc/x/", True),
        ("/r/phones/comments/1abc/日本語/2def/", True),
        ("//evil.example/r/x/comments/1/", False),
        ("/r/x/comments/1abc/../../../logout", False),
        ("/r/x/comments/1abc/title?next=//evil.example", False),
        ("https://evil.example/r/x/comments/1abc/", False),
        ("javascript:alert(1)", False),
        ('/r/x/comments/1abc/"onclick="alert(1)', False),
        ("/r/x/comments/1abc/\n", False),
        ("", False),
        (None, False),
    ],
)
def test_only_what_looks_like_a_permalink_becomes_a_link(permalink: str | None, is_link: bool) -> None:
    address = link(permalink)
    assert (address is not None) == is_link
    assert address is None or re.fullmatch(r"https://www\.reddit\.com/[\w/%.~-]+", address, re.ASCII)


def test_a_line_from_outside_shows_a_sign_for_what_no_page_can_show() -> None:
    assert shown("a\x00b\x1bc") == "a\ufffdb\ufffdc"


def test_poor_coverage_is_told_before_any_figure(market: Market) -> None:
    poor = Coverage((made.seen(168, subreddit="seen"), made.seen(24, told=10, got=4, subreddit="hardly")))
    source = to_html(made.figures(coverage=poor), market)
    assert source.index('id="warning"') < source.index('id="headlines"')
    text = Page(source).text("#warning")
    assert "r/hardly: 144 of 168 hours not seen whole, 6 of 10 comments missing" in text
    assert "r/seen" not in text


def test_good_coverage_needs_no_warning(usual: Page) -> None:
    assert "#warning" not in usual.texts


def test_without_a_calibration_the_page_says_what_intervals_lack(market: Market, usual: Page) -> None:
    assert "not the engine’s own error" in usual.text("#uncalibrated")
    fitted = Page(to_html(made.calibrated(made.figures()), market))
    assert "#uncalibrated" not in fitted.texts
    assert "Fitted to 300 labels" in fitted.text("#method")
    assert "+0.04" in fitted.text("#method")


def test_a_period_before_that_was_hardly_seen_is_not_compared_with(market: Market, usual: Page) -> None:
    assert "▼" in usual.text("#net-table")
    hardly = page(market, coverage_before=Coverage((made.seen(20),)))
    assert "▼" not in hardly.text("#net-table") + hardly.text("#share-table") + hardly.text("#aspect-table")
    assert "No changes are told" in hardly.text("#share")
    assert "+0.50" not in hardly.text("#net-table")


def test_a_cell_leads_to_its_quotes_and_tells_its_number_without_colour(usual: Page) -> None:
    assert "−0.88" in usual.text("#aspect-table")
    (cell,) = [told for told in usual.of("a") if told.get("data-aspect")]
    assert cell["href"] == "#quotes-apple--battery"
    assert "Its battery is a joke." in usual.text("#quotes-apple--battery")


def test_few_mentions_have_no_colour() -> None:
    assert heat(made.opinion(9, 0, 0)) == "few"
    assert heat(made.opinion(10, 0, 0)) == "best-3"
    assert heat(made.opinion(10, 0, 13)) == "worst-1"
    assert heat(made.opinion(10, 0, 10)) == "middle"
    assert heat(NOTHING_SAID) == "few"


def test_a_marked_day_tells_what_was_usual_and_its_threads(market: Market) -> None:
    told = page(market, marked_days=(made.marked(), made.marked(kind="net", observed=-0.6, expected=0.1)))
    text = told.text("#marked")
    assert "Apple, battery, was spoken of 40 times on 14 January 2026, where 6 were to be expected." in text
    assert "Usual: 2 to 12 mentions." in text
    assert "Apple, battery, was spoken worse of on 14 January 2026 than before: −0.60 against +0.10." in text
    assert "It explodes" in text


def test_days_that_could_not_be_tested_are_not_called_ordinary(market: Market, usual: Page) -> None:
    assert "No day stands out." in usual.text("#marked")
    untested = page(market, tested_days=0).text("#marked")
    assert "0 of the 7 days could be tested" in untested
    assert "No day stands out." not in untested


@pytest.mark.parametrize(
    "told",
    [
        {"brands": (made.brand("Apple", made.opinion(1, 0, 0), 1),), "cells": (), "duels": (), "quotes": ()},
        {"cells": (), "duels": (), "quotes": (), "set_aside": SetAside(0, {}, (), ())},
        {"coverage": Coverage(()), "coverage_before": Coverage(())},
        {"brands": tuple(made.brand(f"B{n}", made.opinion(n, 1, 1), 99) for n in range(1, 11))},
    ],
    ids=["one mention", "nothing but brands", "no coverage", "ten brands"],
)
def test_small_and_large_lakes_give_a_readable_page(market: Market, told: dict[str, Any]) -> None:
    small = page(market, **told)
    assert small.unbalanced == []
    assert small.text("#headlines")
    assert len(small.text("#share-table")) > 50


def test_where_nothing_counts_the_page_says_so(market: Market) -> None:
    nothing = replace(made.figures(), brands=(), mentions=0, cells=(), duels=(), quotes=())
    told = Page(to_html(nothing, market))
    assert "all of it was set aside" in told.text("#headlines")
    assert told.unbalanced == []


def test_the_same_figures_give_the_same_bytes(market: Market) -> None:
    assert to_html(made.figures(), market) == to_html(made.figures(), market)


def test_the_accuracy_that_is_told_is_that_of_the_model_that_was_used() -> None:
    method = made.figures().method
    own = measured(replace(method, engine="linear", model="63dcfcb32f328575"))
    assert {one["file"] for one in own} >= {"target_twitter.dev.tsv", "target_laptop.dev.tsv"}
    assert {one["engine"] for one in own} == {"linear"}
    assert measured(replace(method, engine="linear", model="0000000000000000")) == []
    assert {one["engine"] for one in measured(method)} == {"lexicon"}
