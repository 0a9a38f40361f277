"""Small figures, as a lake would give them, and the page read the way a browser reads it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from typing import Any

from market_opinion.analysis.figures import (
    NOTHING_SAID,
    BrandFigures,
    Cell,
    Coverage,
    Day,
    Duel,
    Figures,
    MarkedDay,
    Method,
    Opinion,
    ProductFigures,
    Quote,
    SetAside,
    SubredditCoverage,
    Thread,
)
from market_opinion.analysis.periods import Period
from market_opinion.analysis.reporting import baseline_of
from market_opinion.analysis.statistics import Estimate, Sums, net_sentiment, share

PERIOD = Period(date(2026, 1, 12), date(2026, 1, 18))


def opinion(positive: int, neutral: int, negative: int) -> Opinion:
    """Return what so many people said, each once."""
    n, y = positive + neutral + negative, positive - negative
    if not n:
        return NOTHING_SAID
    return Opinion(n, n, positive, neutral, negative, net_sentiment(Sums(n, n, y, n, y, positive + negative)))


def part(y: int, x: int) -> Estimate:
    """Return the share of y people among x."""
    return share(Sums(x, x, y, x, y, y))


def brand(name: str, now: Opinion, of: int, before: Opinion = NOTHING_SAID, of_before: int = 0, **told: Any) -> Any:
    """Return the figures of a brand that is told `now` among `of` mentions; all was said on the last day."""
    days = [Day(day, now if day == PERIOD.last else NOTHING_SAID, of) for day in baseline_of(PERIOD)]
    was = part(before.mentions, of_before) if before.mentions else None
    is_share = part(now.mentions, of)
    usual = {
        "brand": name.lower(),
        "name": name,
        "opinion": now,
        "before": before,
        "share": is_share,
        "share_before": was,
        "share_change": is_share.minus(was) if was else None,
        "net_change": now.net.minus(before.net) if now.net and before.net else None,
        "everything": now,
        "share_of_everything": now.mentions / of,
        "days": tuple(days),
        "products": (),
    }
    return BrandFigures(**{**usual, **told})


def quote(text: str, of: str = "apple", aspect: str | None = None, **told: Any) -> Quote:
    """Return a quote."""
    usual = {
        "picked_as": "negative",
        "fullname": "t1_c1",
        "start": 0,
        "label": "negative",
        "product": None,
        "subreddit": "phones",
        "created_utc": 1_768_730_400,
        "score": 3,
        "permalink": "/r/phones/comments/s1/title/c1/",
        "title": "A thread",
    }
    return Quote(brand=of, aspect=aspect, text=text, **{**usual, **told})


def seen(whole: int, hours: int = 168, told: int = 0, got: int = 0, subreddit: str = "phones") -> SubredditCoverage:
    """Return the coverage of a subreddit."""
    statuses = {name: count for name, count in (("complete", whole), ("not looked at", hours - whole)) if count}
    return SubredditCoverage(subreddit, hours, Counter(statuses), Counter({"reddit-api": whole}), 2, told, got)


def marked(of: str = "apple", **told: Any) -> MarkedDay:
    """Return a day on which battery was spoken of far too often."""
    usual = {
        "day": date(2026, 1, 14),
        "aspect": "battery",
        "kind": "volume",
        "observed": 40.0,
        "expected": 6.2,
        "low": 2.0,
        "high": 12.0,
        "mentions": 40,
        "authors": 31,
        "probability": 1e-9,
        "baseline_days": 28,
        "threads": (Thread("t3_s1", "It explodes", "/r/phones/comments/s1/it_explodes/", 12),),
    }
    return MarkedDay(brand=of, **{**usual, **told})


def figures(brands: Sequence[BrandFigures] = (), **told: Any) -> Figures:
    """Return figures of a lake that saw all and holds little; without brands, of two of the smartphones'."""
    brands = brands or (
        brand("Apple", opinion(40, 60, 20), 200, opinion(60, 30, 10), 200, products=(product(),)),
        brand("Samsung", opinion(20, 40, 20), 200, opinion(30, 40, 30), 200),
    )
    mentions = sum(one.opinion.mentions for one in brands)
    usual: dict[str, Any] = {
        "market": "smartphones",
        "time_zone": "UTC",
        "period": PERIOD,
        "before": PERIOD.before,
        "baseline": baseline_of(PERIOD),
        "documents": 300,
        "mentions": mentions,
        "authors": mentions,
        "cells": (Cell("apple", "battery", opinion(1, 2, 30), NOTHING_SAID, None),),
        "duels": (Duel("apple", "samsung", 9, 0, 9, part(9, 9), {"battery": (3, 0)}),),
        "quotes": (quote("The iPhone dies at noon."), quote("Its battery is a joke.", aspect="battery")),
        "set_aside": SetAside(5, {"bot": 5}, (("a_bot", 5),), (Thread("t3_s2", "Sale", None, 5),)),
        "coverage": Coverage((seen(168, told=10, got=10),)),
        "coverage_before": Coverage((seen(168),)),
        "marked_days": (),
        "tested_days": 7,
        "method": Method("smartphones", "2026.2", "lexicon", "0123456789abcdef", False, 0, 0.0, 0.0),
    }
    return Figures(brands=tuple(brands), **{**usual, **told})


def product() -> ProductFigures:
    """Return the figures of a product."""
    return ProductFigures("iphone-17", "iPhone 17", opinion(10, 5, 5), NOTHING_SAID, None)


def calibrated(told: Figures) -> Figures:
    """Return figures that a calibration went into."""
    return replace(
        told, method=replace(told.method, is_calibrated=True, labels=300, net_bias=0.04, net_bias_error=0.02)
    )


class Page(HTMLParser):
    """A page, taken apart: its elements with their attributes, and the text of all elements of a name or an id."""

    _VOID = frozenset({"meta", "input", "link", "br", "img"})

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[tuple[str, str | None]] = []
        self.unbalanced: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        assert len(told) == len(attrs), f"<{tag}> has an attribute twice"
        self.elements.append((tag, told))
        if tag not in self._VOID:
            self._open.append((tag, told.get("id")))
            for name in self._names(tag, told.get("id")):
                self.texts.setdefault(name, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            self.unbalanced.append(tag)
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for tag, name in self._open:
            for key in self._names(tag, name):
                self.texts[key][-1] += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements of a name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, name: str) -> str:
        """Return the text of the element `tag` or `#id`, with single spaces."""
        return " ".join(" ".join(self.texts.get(name, [])).split())

    @staticmethod
    def _names(tag: str, name: str | None) -> list[str]:
        return [tag, f"#{name}"] if name else [tag]
