"""The tables of the augmented zone: what their rows hold, and how they become Parquet."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_TEXT, _WHOLE, _SHARE = pa.string(), pa.int64(), pa.float32()

_OF_DOCUMENT = [("author", _TEXT), ("thread", _TEXT), ("score", _WHOLE), ("flags", pa.list_(_TEXT))]
OF_DOCUMENT = tuple(name for name, _ in _OF_DOCUMENT)
"""What rows of mentions and comparisons repeat of their document, so that most questions need no join."""

# What made a row: the same market, model and text give the same row.
_STAMP = [("market", _TEXT), ("market_version", _TEXT), ("engine", _TEXT), ("model", _TEXT)]

ITEMS = pa.schema(
    [
        ("fullname", _TEXT),
        ("kind", _TEXT),
        ("created_utc", _WHOLE),
        ("observed_at_ts", _WHOLE),
        ("subreddit", _TEXT),
        ("author", _TEXT),
        ("score", _WHOLE),
        ("score_hidden", pa.bool_()),
        ("num_comments", _WHOLE),
        ("edited", _WHOLE),
        ("permalink", _TEXT),
        ("link_id", _TEXT),
        ("parent_id", _TEXT),
        ("title", _TEXT),
        ("selftext", _TEXT),
        ("body", _TEXT),
        ("removed_by_category", _TEXT),
        ("crosspost_parent", _TEXT),
        ("link_title", _TEXT),
    ]
)
"""The newest of every item, in the landing zone's own names; lives in memory only."""

DOCUMENTS = pa.schema(
    [
        ("fullname", _TEXT),
        ("kind", _TEXT),
        ("created_utc", _WHOLE),
        ("observed_at_ts", _WHOLE),
        ("edited", _WHOLE),
        ("author", _TEXT),
        ("thread", _TEXT),
        ("parent", _TEXT),
        ("score", _WHOLE),
        ("num_comments", _WHOLE),
        ("permalink", _TEXT),
        ("title", _TEXT),
        ("text", _TEXT),
        ("language", _TEXT),
        ("flags", pa.list_(_TEXT)),
        *_STAMP,
    ]
)

CONTEXT = pa.schema([("subreddit", _TEXT), ("thread_title", _TEXT), ("parent_text", _TEXT)])
"""What a document answers, beside its own columns in a batch to be augmented; never stored."""

MENTIONS = pa.schema(
    [
        ("fullname", _TEXT),
        ("number", pa.int32()),
        ("created_utc", _WHOLE),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("quote", _TEXT),
        ("quote_start", pa.int32()),
        ("quote_end", pa.int32()),
        ("brand", _TEXT),
        ("product", _TEXT),
        ("alias", _TEXT),
        ("rule", _TEXT),
        ("confidence", _SHARE),
        ("p_negative", _SHARE),
        ("p_neutral", _SHARE),
        ("p_positive", _SHARE),
        ("label", _TEXT),
        ("calibrated", pa.bool_()),
        ("aspects", pa.list_(_TEXT)),
        *_OF_DOCUMENT,
        *_STAMP,
    ]
)

COMPARISONS = pa.schema(
    [
        ("fullname", _TEXT),
        ("created_utc", _WHOLE),
        ("winner", pa.int32()),
        ("loser", pa.int32()),
        ("winner_brand", _TEXT),
        ("winner_product", _TEXT),
        ("loser_brand", _TEXT),
        ("loser_product", _TEXT),
        ("aspects", pa.list_(_TEXT)),
        ("probability", _SHARE),
        ("start", pa.int32()),
        ("end", pa.int32()),
        *_OF_DOCUMENT,
        *_STAMP,
    ]
)

DAILY_OPINION = pa.schema(
    [
        ("brand", _TEXT),
        ("aspect", _TEXT),
        *((name, _WHOLE) for name in ("mentions", "authors", "negative", "neutral", "positive")),
        *((name, _WHOLE) for name in ("all_mentions", "all_negative", "all_neutral", "all_positive")),
        *_STAMP,
    ]
)

SCHEMAS = {
    "documents": DOCUMENTS,
    "mentions": MENTIONS,
    "comparisons": COMPARISONS,
    "daily_opinion": DAILY_OPINION,
}
"""The tables that have a part a day."""

COVERAGE = pa.schema(
    [
        ("hour_ts", _WHOLE),
        ("status", _TEXT),
        ("submissions_status", _TEXT),
        ("comments_status", _TEXT),
        ("submissions_source", _TEXT),
        ("comments_source", _TEXT),
    ]
)
"""What is claimed of every hour that anybody looked at; one part a subreddit."""

_ORDER = ("created_utc", "hour_ts", "fullname")
# Level 3 makes parts 2% smaller and takes a quarter more time to write them.
_LEVEL = 2
# What takes few values; a dictionary of texts, names and ids costs time and room.
_REPEATED = (
    *("kind", "language", "flags.list.element", "rule", "label", "aspects.list.element"),
    *("submissions_status", "comments_status", "submissions_source", "comments_source", "status"),
    *("brand", "product", "alias", "aspect", "winner_brand", "winner_product", "loser_brand", "loser_product"),
    *("market", "market_version", "engine", "model"),
)
_ROWS_A_GROUP = 65_536


def batch_of(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Return rows as a batch."""
    return pa.RecordBatch.from_pylist(list(rows), schema)


def to_parquet(table: pa.Table) -> bytes:
    """Return a table as Parquet; the same rows give the same bytes."""
    buffer = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata(None),
        buffer,
        compression="zstd",
        compression_level=_LEVEL,
        use_dictionary=[name for name in _REPEATED if name.partition(".")[0] in table.schema.names],
        row_group_size=_ROWS_A_GROUP,
        sorting_columns=pq.SortingColumn.from_ordering(
            table.schema, [(name, "ascending") for name in _ORDER if name in table.schema.names]
        ),
    )
    return buffer.getvalue()


def from_parquet(content: bytes) -> pa.Table:
    """Return the table that Parquet holds."""
    return pq.read_table(pa.BufferReader(content))
