"""All figures of a report as JSON, and as tables in CSV; docs/report.md describes both."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

from ..analysis.figures import Day, Figures, Opinion, SubredditCoverage
from ..analysis.periods import Period
from ..analysis.statistics import Estimate
from ..new_files import for_spreadsheet
from .headlines import headlines

Cells = Sequence[object]
Rows = list[list[object]]


def to_json(figures: Figures) -> str:
    """Return all figures, with the headlines that are made from them; the same figures give the same text."""
    told = _plain(figures)
    coverage = {"coverage": figures.coverage, "coverage_before": figures.coverage_before}
    for name, one in coverage.items():
        told[name] |= {"whole_share": one.whole_share, "capture_share": one.capture_share, "is_poor": one.is_poor}
    told |= {"is_comparable": figures.is_comparable, "headlines": headlines(figures)}
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Estimate):
        return {"value": value.value, "low": value.low, "high": value.high, "error": value.error}
    if isinstance(value, Period):
        return {"first": str(value.first), "last": str(value.last)}
    if is_dataclass(value):
        told = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return {**told, "whole": value.whole} if isinstance(value, SubredditCoverage) else told
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in sorted(value.items())}
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, date) else value


def to_tables(figures: Figures) -> dict[str, tuple[list[str], Rows]]:
    """Return columns and rows of each table, by name; None stands for what is not known."""
    return {
        "brands": _brands(figures),
        "products": _products(figures),
        "cells": _cells(figures),
        "daily": _daily(figures),
        "duels": _duels(figures),
        "quotes": _records(figures.quotes, _QUOTE),
        "marked_days": _records(figures.marked_days, _MARKED),
        "coverage": _coverage(figures),
        "set_aside": _set_aside(figures),
    }


def to_csv(columns: Sequence[str], rows: Sequence[Cells]) -> str:
    """Return a table as CSV that a spreadsheet can open: text that it would take for a formula begins with `'`."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def _cell(cell: object) -> object:
    return for_spreadsheet(cell) if isinstance(cell, str) else cell


_COUNTS = ("mentions", "authors", "positive", "neutral", "negative")
_QUOTE = (
    *("brand", "aspect", "picked_as", "fullname", "start", "text", "label", "product"),
    *("subreddit", "created_utc", "score", "permalink", "title"),
)
_MARKED = (
    *("day", "brand", "aspect", "kind", "observed", "expected", "low", "high"),
    *("mentions", "authors", "probability", "baseline_days"),
)


def _counts(opinion: Opinion) -> list[object]:
    return [getattr(opinion, name) for name in _COUNTS]


def _estimate(name: str) -> list[str]:
    return [name, f"{name}_low", f"{name}_high"]


def _bounds(estimate: Estimate | None) -> list[object]:
    return [None] * 3 if estimate is None else [estimate.value, estimate.low, estimate.high]


def _both(opinion: Opinion, before: Opinion, change: Estimate | None) -> list[object]:
    return [
        *(*_counts(opinion), *_bounds(opinion.net)),
        *(before.mentions, before.authors, *_bounds(before.net), *_bounds(change)),
    ]


_BOTH = [
    *(*_COUNTS, *_estimate("net")),
    *("mentions_before", "authors_before", *_estimate("net_before"), *_estimate("net_change")),
]


def _brands(figures: Figures) -> tuple[list[str], Rows]:
    shares = [*_estimate("share"), *_estimate("share_before"), *_estimate("share_change")]
    everything = ["all_mentions", "all_authors", "all_positive", "all_neutral", "all_negative", *_estimate("all_net")]
    rows: Rows = [
        [
            *(brand.brand, brand.name),
            *(*_bounds(brand.share), *_bounds(brand.share_before), *_bounds(brand.share_change)),
            *_both(brand.opinion, brand.before, brand.net_change),
            *(*_counts(brand.everything), *_bounds(brand.everything.net), brand.share_of_everything),
        ]
        for brand in figures.brands
    ]
    return ["brand", "name", *shares, *_BOTH, *everything, "share_of_everything"], rows


def _products(figures: Figures) -> tuple[list[str], Rows]:
    rows: Rows = [
        [brand.brand, one.product, one.name, *_both(one.opinion, one.before, one.net_change)]
        for brand in figures.brands
        for one in brand.products
    ]
    return ["brand", "product", "name", *_BOTH], rows


def _cells(figures: Figures) -> tuple[list[str], Rows]:
    rows: Rows = [
        [cell.brand, cell.aspect, *_both(cell.opinion, cell.before, cell.net_change)] for cell in figures.cells
    ]
    return ["brand", "aspect", *_BOTH], rows


def _daily(figures: Figures) -> tuple[list[str], Rows]:
    rows: Rows = [[brand.brand, *_day(day)] for brand in figures.brands for day in brand.days]
    return ["brand", "day", "documents", *_COUNTS, *_estimate("net")], rows


def _day(day: Day) -> list[object]:
    return [str(day.day), day.exposure, *_counts(day.opinion), *_bounds(day.opinion.net)]


def _duels(figures: Figures) -> tuple[list[str], Rows]:
    """Return a row for each pair, and one for each aspect of it; only the pair's has an interval."""
    rows: Rows = []
    for duel in figures.duels:
        rows.append(
            [duel.one, duel.other, None, duel.one_better, duel.other_better, duel.authors, *_bounds(duel.share)]
        )
        for aspect, counts in duel.aspects.items():
            rows.append([duel.one, duel.other, aspect, *counts, None, None, None, None])
    return ["one", "other", "aspect", "one_better", "other_better", "authors", *_estimate("share")], rows


def _records(found: Sequence[Any], names: Sequence[str]) -> tuple[list[str], Rows]:
    return [*names], [[_plain(getattr(one, name)) for name in names] for one in found]


def _coverage(figures: Figures) -> tuple[list[str], Rows]:
    """Return hours in rows: a subreddit's by status, then by source; `comments_…` stand in its first row."""
    rows: Rows = []
    for period, coverage in (("now", figures.coverage), ("before", figures.coverage_before)):
        for one in coverage.subreddits:
            comments: list[object] = [one.threads, one.comments_told, one.comments_seen]
            rows.append([period, one.subreddit, "all", None, one.hours, *comments])
            for what, hours in (("status", one.by_status), ("source", one.by_source)):
                for name, count in sorted(hours.items()):
                    rows.append([period, one.subreddit, what, name, count, None, None, None])
    return ["period", "subreddit", "by", "name", "hours", "threads", "comments_told", "comments_seen"], rows


def _set_aside(figures: Figures) -> tuple[list[str], Rows]:
    return ["by", "name", "title", "permalink", "mentions"], [*_set_aside_rows(figures)]


def _set_aside_rows(figures: Figures) -> Iterator[list[object]]:
    aside = figures.set_aside
    yield ["all", None, None, None, aside.mentions]
    for flag, count in aside.by_flag.items():
        yield ["flag", flag, None, None, count]
    for author, count in aside.authors:
        yield ["author", author, None, None, count]
    for thread in aside.threads:
        yield ["thread", thread.fullname, thread.title, thread.permalink, thread.mentions]
