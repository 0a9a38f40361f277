"""What people mean: from documents to mentions with their sentiment, and to comparisons.

`augment_batch` is the unit of all augmentation: a record batch of documents in, a record batch of mentions out, with
nothing else known and nothing else changed. It runs the same on one machine, in many processes, or in a cluster.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, groupby
from typing import Any

import numpy as np
import pyarrow as pa

from reddit_ingest.core.keys import COMMENTS, SUBMISSIONS

from .aspects import aspects_of
from .documents import Context, Document, document_of, flag_repeats
from .labels import NO_LABELS, Labels
from .market import Market
from .mentions import Mention, MentionFinder
from .sentiment.comparing import Comparer, RuleComparer, pair_of
from .sentiment.passages import REACH, Passage, Span
from .sentiment.scoring import LABELS, Probabilities, Scorer
from .tables import COMPARISONS, CONTEXT, DOCUMENTS, ITEMS, MENTIONS, OF_DOCUMENT, batch_of

Row = dict[str, Any]

BATCH_ROWS = 4_096

_WORSE, _BETTER = 0, 2
# A post may name something in every third of its 40,000 characters: what is quoted and read around each is bounded.
_QUOTED = 500
_AROUND = REACH + 200  # engines take out what is not the writer's before they count
# A sentence that lists more names than this compares nothing.
_MOST_IN_A_SENTENCE = 8


@dataclass(frozen=True, slots=True)
class Augmented:
    """What a batch of documents says."""

    mentions: pa.RecordBatch
    comparisons: pa.RecordBatch


@dataclass(frozen=True, slots=True)
class _Found:
    """A document that names something."""

    document: Document
    mentions: list[Mention]
    aspects: list[tuple[str, ...]]
    said: Row


def augment_batch(batch: pa.RecordBatch, market: Market, scorer: Scorer, labels: Labels = NO_LABELS) -> pa.RecordBatch:
    """Return the mentions in a batch of documents, of the schema `MENTIONS`, in the order of the documents.

    The batch has the columns of `DOCUMENTS` and of `CONTEXT`; more may be there. `labels` are those of the market.
    """
    return read_batch(batch, market, scorer, labels).mentions


def read_batch(batch: pa.RecordBatch, market: Market, scorer: Scorer, labels: Labels = NO_LABELS) -> Augmented:
    """Return the mentions and comparisons in a batch of documents."""
    finder = _finder(market)
    found = []
    for row in batch.to_pylist():
        document = document_of(_landed(row), row["kind"])
        context = Context(row["thread_title"] or "", row["parent_text"] or "", row["subreddit"])
        if mentions := sorted(finder.find(document, context), key=lambda mention: (mention.start, mention.end)):
            said = {name: row[name] for name in OF_DOCUMENT}
            found.append(_Found(document, mentions, aspects_of(document, mentions, market), said))
    stamp = stamp_of(market, scorer)
    return Augmented(
        batch_of([*_mention_rows(found, scorer, labels, stamp)], MENTIONS),
        batch_of([*_comparison_rows(found, RuleComparer(), stamp)], COMPARISONS),
    )


def stamp_of(market: Market, scorer: Scorer) -> dict[str, str]:
    """Return what every row tells of how it was made."""
    return {
        "market": market.name,
        "market_version": market.version,
        "engine": scorer.engine,
        "model": scorer.model_hash,
    }


@lru_cache(maxsize=4)
def _finder(market: Market) -> MentionFinder:
    return MentionFinder(market)


def _landed(row: Row) -> Row:
    """Return a document's row with the names that its text has in the landing zone."""
    if row["kind"] == COMMENTS:
        return {**row, "body": row["text"], "link_id": row["thread"], "parent_id": row["parent"]}
    return {**row, "selftext": row["text"][len(row["title"] or "") + 2 :]}


def _mention_rows(found: Sequence[_Found], scorer: Scorer, labels: Labels, stamp: Row) -> Iterator[Row]:
    places = ((each.document, [(one.clean_start, one.clean_end) for one in each.mentions]) for each in found)
    mentions = (
        (each.document.fullname, one.start, one.end, one.brand, each.document.text)
        for each in found
        for one in each.mentions
    )
    probabilities = iter(labels.applied(mentions, _scored(places, scorer)))
    for each in found:
        text = each.document.text
        for number, (mention, aspects) in enumerate(zip(each.mentions, each.aspects, strict=True)):
            shares = next(probabilities)
            start, end = each.document.original(*_quoted(mention))
            yield {
                "fullname": each.document.fullname,
                "number": number,
                "created_utc": each.document.created_utc,
                "start": mention.start,
                "end": mention.end,
                "quote": text[start:end],
                "quote_start": start,
                "quote_end": end,
                "brand": mention.brand,
                "product": mention.product,
                "alias": mention.alias,
                "rule": mention.rule,
                "confidence": mention.confidence,
                "p_negative": shares[0],
                "p_neutral": shares[1],
                "p_positive": shares[2],
                "label": LABELS[int(shares.argmax())],
                "calibrated": labels.calibration is not None,
                "aspects": list(aspects),
                **each.said,
                **stamp,
            }


def _quoted(mention: Mention) -> Span:
    """Return where the sentence of a mention stands in `clean`, or of a very long one what is around the name."""
    start, end = mention.sentence
    return max(start, mention.clean_start - _QUOTED), min(end, mention.clean_end + _QUOTED)


def score_again(read: Iterable[tuple[Row, Sequence[Row]]], scorer: Scorer) -> Probabilities:
    """Return what an engine by itself, without labels, says of all mentions of some documents.

    A document and its mentions are rows of `DOCUMENTS` and `MENTIONS`; one that has mentions needs all of them.
    """
    documents = ((document_of(_landed(row), row["kind"]), mentions) for row, mentions in read)
    return _scored(
        (
            (document, [_in_clean(document, mention["start"], mention["end"]) for mention in mentions])
            for document, mentions in documents
        ),
        scorer,
    )


def _in_clean(document: Document, start: int, end: int) -> Span:
    """Return where in `clean` a name stands that was found there; the way back of `Document.original`."""
    return bisect_left(document.offsets, start), bisect_left(document.offsets, end - 1) + 1


def _scored(named: Iterable[tuple[Document, Sequence[Span]]], scorer: Scorer) -> Probabilities:
    """Return what an engine says of the names in documents, which stand in this order at these places in `clean`.

    What is written alike around two names is read once: a post may say the same words a thousand times.
    """
    numbers: dict[tuple[str, Span, tuple[Span, ...]], int] = {}
    asked = [
        numbers.setdefault(_surroundings(document.clean, places, number), len(numbers))
        for document, places in named
        for number in range(len(places))
    ]
    if not asked:
        return np.zeros((0, len(LABELS)), np.float32)
    texts, spans, others = zip(*numbers, strict=True)
    return scorer.score(texts, spans, others)[asked]


def _surroundings(clean: str, places: Sequence[Span], number: int) -> tuple[str, Span, tuple[Span, ...]]:
    """Return the text around a name, the name's place in it, and those of the other names in it."""
    start, end = places[number]
    first, last = max(0, start - _AROUND), end + _AROUND
    begin = bisect_left(places, (first, 0))
    near = places[begin : bisect_left(places, (last, 0))]
    others = ((one - first, other - first) for one, other in near if other <= last and (one, other) != (start, end))
    return clean[first:last], (start - first, end - first), tuple(others)


def _comparison_rows(found: Sequence[_Found], comparer: Comparer, stamp: Row) -> Iterator[Row]:
    pairs = [(each, first, second) for each in found for first, second in _pairs(each)]
    if not pairs:
        return
    outcomes = comparer.outcomes([_passage(each, first, second) for each, first, second in pairs])
    for (each, first, second), shares in zip(pairs, outcomes, strict=True):
        best = int(shares.argmax())
        if best not in (_WORSE, _BETTER):
            continue
        winner, loser = (first, second) if best == _BETTER else (second, first)
        start, end = each.document.original(*each.mentions[first].sentence)
        yield {
            "fullname": each.document.fullname,
            "created_utc": each.document.created_utc,
            "winner": winner,
            "loser": loser,
            "winner_brand": each.mentions[winner].brand,
            "winner_product": each.mentions[winner].product,
            "loser_brand": each.mentions[loser].brand,
            "loser_product": each.mentions[loser].product,
            "aspects": sorted({*each.aspects[first], *each.aspects[second]}),
            "probability": shares[best],
            "start": start,
            "end": end,
            **each.said,
            **stamp,
        }


def _pairs(found: _Found) -> Iterator[tuple[int, int]]:
    """Yield the numbers of mentions of different things in one sentence, the earlier one first."""
    numbered = enumerate(found.mentions)
    for _, together in groupby(numbered, key=lambda each: each[1].sentence):
        said = list(together)
        if len(said) > _MOST_IN_A_SENTENCE:
            continue
        for (first, one), (second, other) in combinations(said, 2):
            if (one.brand, one.product) != (other.brand, other.product) and one.clean_end <= other.clean_start:
                yield first, second


def _passage(found: _Found, first: int, second: int) -> Passage:
    one, other = found.mentions[first], found.mentions[second]
    start, end = one.sentence
    spans = ((each.clean_start - start, each.clean_end - start) for each in (one, other))
    return pair_of(found.document.clean[start:end], *spans)


def documents_of(items: pa.Table, market: Market, scorer: Scorer) -> pa.Table:
    """Return the documents of a day's items (of the schema `ITEMS`), of the schema `DOCUMENTS`."""
    stamp = stamp_of(market, scorer)
    rows = items.select(ITEMS.names).to_pylist()
    read = [document_of(row, row["kind"]) for row in rows]
    repeats = flag_repeats(read)
    told = [
        {
            **{name: row[name] for name in ("num_comments", "edited", "title")},
            **{name: getattr(document, name) for name in _OF_DOCUMENT},
            "flags": sorted(document.flags | repeats.get(document.fullname, frozenset())),
            **stamp,
        }
        for row, document in zip(rows, read, strict=True)
    ]
    return pa.Table.from_pylist(told, DOCUMENTS)


_OF_DOCUMENT = (
    *("fullname", "kind", "created_utc", "observed_at_ts", "author", "thread", "parent", "score", "permalink"),
    *("text", "language"),
)


def with_context(documents: pa.Table, items: pa.Table, subreddit: str) -> pa.Table:
    """Return documents with what they answer, as far as these items tell: their own and those of the days before."""
    texts = dict(zip(items["fullname"].to_pylist(), _texts(items), strict=True))
    titles = dict(zip(items["fullname"].to_pylist(), items["title"].to_pylist(), strict=True))
    told = dict(zip(items["fullname"].to_pylist(), items["link_title"].to_pylist(), strict=True))
    names, threads, parents = (documents[name].to_pylist() for name in ("fullname", "thread", "parent"))
    columns = {
        "subreddit": [subreddit] * len(names),
        "thread_title": [
            None if name == thread else titles.get(thread) or told.get(name)
            for name, thread in zip(names, threads, strict=True)
        ],
        "parent_text": [texts.get(parent) for parent in parents],
    }
    for field in CONTEXT:
        documents = documents.append_column(field, pa.array(columns[field.name], field.type))
    return documents


def _texts(items: pa.Table) -> Iterator[str]:
    columns = (items[name].to_pylist() for name in ("kind", "title", "selftext", "body"))
    for kind, title, selftext, body in zip(*columns, strict=True):
        yield "\n\n".join(part for part in (title, selftext) if part) if kind == SUBMISSIONS else body or ""
