"""Augmented zones in memory, written row by row, and figures counted from the same rows by hand."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from market_opinion.augmented_store import PREFIX, part_key
from market_opinion.tables import COMPARISONS, COVERAGE, DOCUMENTS, MENTIONS, to_parquet

from ...fakes import MemoryLake
from ...lakes import T0

Row = dict[str, Any]

DAY = 86_400
STAMP = {"market": "smartphones", "market_version": "1", "engine": "lexicon", "model": "m"}


def mention(fullname: str, brand: str = "apple", **told: Any) -> Row:
    """Return the row of a mention on the first day."""
    usual = {
        "number": 0,
        "created_utc": T0,
        "quote": "This phone has a fine battery.",
        "quote_start": 0,
        "label": "neutral",
        "calibrated": False,
        "aspects": [],
        "author": "ann",
        "thread": "t3_1",
        "score": 1,
        "flags": [],
        **{f"p_{label}": 0.9 if told.get("label", "neutral") == label else 0.05 for label in LABEL_NAMES},
    }
    return {"fullname": fullname, "brand": brand, **STAMP, **usual, **told}


LABEL_NAMES = ("negative", "neutral", "positive")


def document(fullname: str, text: str = "This phone has a fine battery.", **told: Any) -> Row:
    """Return the row of a comment on the first day."""
    usual = {"kind": "comments", "created_utc": T0, "author": "ann", "thread": "t3_1", "flags": [], "title": ""}
    return {"fullname": fullname, "text": text, "permalink": f"/r/x/comments/1/_/{fullname}/", **STAMP, **usual, **told}


def comparison(fullname: str, winner: str, loser: str, **told: Any) -> Row:
    """Return the row of a comparison on the first day."""
    usual = {"created_utc": T0, "author": "ann", "thread": "t3_1", "flags": [], "aspects": []}
    return {"fullname": fullname, "winner_brand": winner, "loser_brand": loser, **STAMP, **usual, **told}


def seen(hours: Iterable[int], status: str = "complete") -> list[Row]:
    """Return coverage rows of hours, counted from the first one."""
    claims = {"submissions_status": status, "comments_status": status}
    sources = {"submissions_source": "reddit-api", "comments_source": "reddit-api"}
    return [{"hour_ts": T0 + 3600 * hour, "status": status, **claims, **sources} for hour in hours]


def zone_of(
    mentions: Iterable[Row] = (),
    documents: Iterable[Row] | None = None,
    comparisons: Iterable[Row] = (),
    coverage: Mapping[str, list[Row]] | None = None,
) -> MemoryLake:
    """Return a zone of these rows, all in the subreddit `phones`; without documents each mention has one of its own."""
    zone = MemoryLake()
    mentions = list(mentions)
    if documents is None:
        told = {row["fullname"]: row for row in mentions}
        copied = ("created_utc", "author", "thread", "score", "flags")
        documents = [document(name, row["quote"], **{key: row[key] for key in copied}) for name, row in told.items()]
    tables = {
        "mentions": (mentions, MENTIONS),
        "documents": (documents, DOCUMENTS),
        "comparisons": (comparisons, COMPARISONS),
    }
    for table, (rows, schema) in tables.items():
        by_day = defaultdict(list)
        for row in rows:
            by_day[f"{datetime.fromtimestamp(row['created_utc'], UTC):%Y-%m-%d}"].append(row)
        for day, own in by_day.items():
            zone.objects[part_key(table, "phones", day)] = to_parquet(pa.Table.from_pylist(own, schema))
    for subreddit, rows in (coverage if coverage is not None else {"phones": seen(range(24))}).items():
        key = f"{PREFIX}coverage/subreddit={subreddit}/part.parquet"
        zone.objects[key] = to_parquet(pa.Table.from_pylist(rows, COVERAGE))
    return zone
