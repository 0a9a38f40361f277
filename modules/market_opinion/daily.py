"""A day's opinions in a few rows, so that a question about years need not read every mention."""

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from .documents import SET_ASIDE
from .sentiment.scoring import LABELS
from .tables import DAILY_OPINION

Row = dict[str, Any]

_STAMP = ("market", "market_version", "engine", "model")


@dataclass(slots=True)
class _Cell:
    """What is said of a brand, or of an aspect of it."""

    stamp: Row
    labels: list[str] = field(default_factory=list)
    authors: set[str] = field(default_factory=set)
    nameless: int = 0
    all_labels: list[str] = field(default_factory=list)

    def add(self, mention: Row) -> None:
        self.all_labels.append(mention["label"])
        if SET_ASIDE.isdisjoint(mention["flags"]):
            self.labels.append(mention["label"])
            if mention["author"] is None:
                self.nameless += 1
            else:
                self.authors.add(mention["author"])

    def row(self) -> Row:
        return {
            "mentions": len(self.labels),
            "authors": len(self.authors) + self.nameless,
            **{label: self.labels.count(label) for label in LABELS},
            "all_mentions": len(self.all_labels),
            **{f"all_{label}": self.all_labels.count(label) for label in LABELS},
            **self.stamp,
        }


def daily_opinion(mentions: pa.Table) -> pa.Table:
    """Return the counts of a part's mentions, of the schema `DAILY_OPINION`, by brand and aspect, in this order.

    A mention of two aspects counts for both, and once in the row without an aspect, which is of all of the brand.
    """
    columns = ("brand", "aspects", "label", "author", "flags", *_STAMP)
    cells: dict[tuple[str, str | None], _Cell] = {}
    for mention in mentions.select(columns).to_pylist():
        for aspect in (None, *mention["aspects"]):
            key = (mention["brand"], aspect)
            if key not in cells:
                cells[key] = _Cell({name: mention[name] for name in _STAMP})
            cells[key].add(mention)
    ordered = sorted(cells, key=lambda key: (key[0], key[1] or ""))
    rows = [{"brand": brand, "aspect": aspect, **cells[brand, aspect].row()} for brand, aspect in ordered]
    return pa.Table.from_pylist(rows, DAILY_OPINION)
