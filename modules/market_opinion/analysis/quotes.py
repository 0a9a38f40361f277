"""Sentences that back a figure: which to show, and the proof that they stand in the lake."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import duckdb

from reddit_ingest.core.errors import DamagedState

from .figures import Quote
from .periods import Period

VOTED = "voted"

_EACH = 2
_SPARE = 3
_SHORTEST, _LONGEST = 20, 320
# No page can show these as they stand: controls, but for the end of a line and the tab.
_UNSHOWABLE = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"
# A link to a comment says the title of its thread.
_SLUG = re.compile(r"(/comments/[^/]+/)[^/]+")

# The best of each author in a place: those that the engine is sure of, then those that readers voted for. The sentences
# themselves are looked up at the end, for the few that are chosen.
_PICKED = """
CREATE OR REPLACE TEMP TABLE picked AS
WITH said AS (
    SELECT brand, unnest(list_append(aspects, NULL)) AS aspect, label, hash(coalesce(author, fullname)) AS author,
        score, fullname, number, greatest(p_negative, p_neutral, p_positive) < 0.6 AS is_unsure
    FROM mentions
    WHERE market = $market AND is_counted AND date BETWEEN $first AND $last
        AND created_utc >= $start AND created_utc < $end
        AND length(quote) BETWEEN $shortest AND $longest AND NOT regexp_matches(quote, $unshowable)
), ranked AS (
    SELECT *, label AS picked_as FROM said WHERE label <> 'neutral'
    UNION ALL
    SELECT * REPLACE (false AS is_unsure), 'voted' AS picked_as FROM said WHERE score > 1
), best AS (
    SELECT brand, aspect, picked_as, min({
        'is_unsure': is_unsure, 'points': -coalesce(score, -1000000), 'fullname': fullname, 'number': number
    }) AS place
    FROM ranked GROUP BY brand, aspect, picked_as, author
)
SELECT brand, aspect, picked_as, place, place.fullname AS fullname, place.number AS number
FROM best QUALIFY row_number() OVER (PARTITION BY brand, aspect, picked_as ORDER BY place) <= $most
"""

_CANDIDATES = """
SELECT p.brand, p.aspect, picked_as, fullname, number, product, label, created_utc, subreddit, quote, quote_start, date
FROM picked p JOIN mentions USING (fullname, number)
WHERE market = $market AND date BETWEEN $first AND $last
ORDER BY p.brand, p.aspect NULLS FIRST, picked_as, place
"""


def quotes(
    connection: duckdb.DuckDBPyConnection, market: str, zone: str, period: Period, is_buried: Callable[[str], bool]
) -> tuple[Quote, ...]:
    """Return, for each brand and each aspect of it, up to two negative, positive, and most voted sentences.

    `is_buried` tells of a fullname whether it was deleted since the tables were made; such items are not quoted, and
    what is quoted does not tell the title of such a thread.

    Raises:
        DamagedState: a sentence does not stand in the text of its document, where it was found.
    """
    bounds = {"market": market} | period.bounds(zone)
    limits = {"shortest": _SHORTEST, "longest": _LONGEST, "most": _EACH + _SPARE, "unshowable": _UNSHOWABLE}
    connection.execute(_PICKED, bounds | limits)
    days = {name: bounds[name] for name in ("market", "first", "last")}
    found = connection.execute(_CANDIDATES, days).fetchall()
    alive = [row for row in found if not is_buried(row[3])]
    chosen = list(_first_of_each(alive))
    documents = _documents(connection, chosen)
    return tuple(_quote(row, documents[row[3]], is_buried) for row in chosen)


def _first_of_each(rows: Iterable[Any]) -> Iterator[Any]:
    """Yield the best rows of every place; what backs one pick does not back the next."""
    for _, of_place in groupby(rows, key=lambda row: row[:2]):
        shown: set[tuple[str, int]] = set()
        for _, of_pick in groupby(of_place, key=lambda row: row[2]):
            for row in [row for row in of_pick if (row[3], row[4]) not in shown][:_EACH]:
                shown.add((row[3], row[4]))
                yield row


def _documents(connection: duckdb.DuckDBPyConnection, rows: Sequence[Any]) -> dict[str, Any]:
    days = [row[11] for row in rows]
    if not days:
        return {}
    found = connection.execute(
        """
        WITH own AS MATERIALIZED (
            SELECT fullname, text, score, permalink, thread FROM documents
            WHERE date BETWEEN $first AND $last AND fullname IN (SELECT unnest($names))
        )
        SELECT own.*, coalesce(threads.title, '')
        FROM own LEFT JOIN (
            SELECT fullname, title FROM documents WHERE kind = 'submissions' AND fullname IN (SELECT thread FROM own)
        ) AS threads ON threads.fullname = own.thread
        """,
        {"first": min(days), "last": max(days), "names": sorted({row[3] for row in rows})},
    ).fetchall()
    return {row[0]: row[1:] for row in found}


def _quote(row: Any, document: Any, is_buried: Callable[[str], bool]) -> Quote:
    brand, aspect, picked_as, fullname, _, product, label, created_utc, subreddit, quote, start, _ = row
    text, score, permalink, thread, title = document
    if text[start : start + len(quote)] != quote:
        raise DamagedState(
            f"a sentence of {fullname} does not stand in its text; run `market-opinion augment --rebuild {subreddit}`"
        )
    if thread and is_buried(thread):
        permalink, title = permalink and untitled(permalink), ""
    told = (subreddit, created_utc, score, permalink, title)
    return Quote(brand, aspect, picked_as, fullname, start, quote, label, product, *told)


def untitled(permalink: str) -> str:
    """Return a link that does not say its thread's title any more; it leads to the same place."""
    return _SLUG.sub(r"\1_", permalink)
