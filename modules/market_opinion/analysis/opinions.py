"""From mentions to figures: sums over authors by SQL, shares and net sentiment from the sums.

All sums are of whole numbers, so that the order in which many cores add them up does not show.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from ..labels import Labels
from .figures import NOTHING_SAID, Day, Duel, Opinion
from .periods import Period
from .statistics import Estimate, Sums, net_sentiment, share

Key = tuple[Any, ...]

NOW, BEFORE = "now", "before"

# One row per author and thing; from it the sums that variances need.
_SUMS = """
SELECT {keys}, count(*), sum(n)::BIGINT, sum(y)::BIGINT, sum(n * n)::BIGINT, sum(n * y)::BIGINT, sum(y * y)::BIGINT,
    sum(opinionated)::BIGINT
FROM (
    SELECT {keys}, author, count(*) AS n, sum(opinion)::BIGINT AS y, sum(abs(opinion))::BIGINT AS opinionated
    FROM {source} WHERE {condition} GROUP BY {keys}, author
) GROUP BY {keys}
"""


@dataclass(frozen=True, slots=True)
class Correction:
    """What a calibration knows of the error that is left: (bias, standard error) of all, and by aspect."""

    overall: tuple[float, float] = (0.0, 0.0)
    by_aspect: Mapping[str, tuple[float, float]] | None = None

    @classmethod
    def of(cls, labels: Labels) -> "Correction":
        """Return what the calibration among labels knows; without one nothing is corrected."""
        made = labels.calibration
        if made is None:
            return cls()
        by_aspect = {aspect: (bias, error) for aspect, (bias, error, _) in made.by_aspect.items()}
        return cls((made.net_bias, made.net_bias_se), by_aspect)

    def of_aspect(self, aspect: str | None) -> tuple[float, float]:
        """Return bias and error of an aspect, those of all where it is not known by itself."""
        return (self.by_aspect or {}).get(aspect, self.overall) if aspect else self.overall

    def applied(self, opinion: Opinion, aspect: str | None = None) -> Opinion:
        """Return an opinion whose net sentiment is corrected."""
        if opinion.net is None:
            return opinion
        counts = (opinion.mentions, opinion.authors, opinion.positive, opinion.neutral, opinion.negative)
        return Opinion(*counts, opinion.net.plus(*self.of_aspect(aspect)))


def load_mentions(connection: duckdb.DuckDBPyConnection, market: str, zone: str, days: Period, period: Period) -> None:
    """Read the mentions of a market in some days, and make of them what all figures are counted from.

    The table `days_said` has them all, `said` those of a period and of the one before, with `span`, which is now or
    before. Authors are hashed, and who has no name is somebody else each time.
    """
    moment = "make_timestamp(ts * 1000000)"
    if zone != "UTC":  # by way of the zone's rules it takes four times as long
        moment = f"timezone('{zone}', timezone('UTC', {moment}))"
    connection.execute(f"CREATE OR REPLACE TEMP MACRO local_day(ts) AS CAST({moment} AS DATE)")
    # Sums do not depend on the order of rows, and numbers are grouped faster than names.
    connection.execute("SET preserve_insertion_order = false")
    bounds = days.bounds(zone)
    connection.execute(
        f"""
        CREATE OR REPLACE TYPE named_brand AS ENUM (
            SELECT DISTINCT brand FROM mentions WHERE date BETWEEN '{bounds["first"]}' AND '{bounds["last"]}'
            ORDER BY brand
        )
        """  # noqa: S608 - only days stand in it
    )
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE days_said AS
        SELECT local_day(created_utc) AS day, brand::named_brand AS brand, product, aspects,
            opinion::TINYINT AS opinion, hash(coalesce(author, fullname)) AS author, is_counted
        FROM mentions
        WHERE market = $market AND date BETWEEN $first AND $last AND created_utc >= $start AND created_utc < $end
        """,
        {"market": market} | bounds,
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP VIEW said AS
        SELECT *, CASE WHEN day >= '{period.first}' THEN '{NOW}' ELSE '{BEFORE}' END AS span
        FROM days_said WHERE day BETWEEN '{period.before.first}' AND '{period.last}'
        """  # noqa: S608 - only days stand in it
    )


def opinions(
    connection: duckdb.DuckDBPyConnection, keys: Sequence[str], source: str = "said", condition: str = "is_counted"
) -> dict[Key, Opinion]:
    """Return what is said, without corrections, by columns of a table that has `author` and `opinion`."""
    query = _SUMS.format(keys=", ".join(keys), source=source, condition=condition)
    return {row[: len(keys)]: _opinion(row[len(keys) :]) for row in connection.execute(query).fetchall()}


def _opinion(row: Sequence[int]) -> Opinion:
    authors, n, y, xx, xy, yy, opinionated = row
    net = net_sentiment(Sums(authors, n, y, xx, xy, yy))
    return Opinion(n, authors, (opinionated + y) // 2, n - opinionated, (opinionated - y) // 2, net)


def by_aspect(connection: duckdb.DuckDBPyConnection) -> dict[Key, Opinion]:
    """Return what is said by span, brand and aspect."""
    source = "(SELECT span, brand, author, opinion, is_counted, unnest(aspects) AS aspect FROM said)"
    return opinions(connection, ("span", "brand", "aspect"), source)


def shares(connection: duckdb.DuckDBPyConnection) -> dict[Key, Estimate]:
    """Return each brand's part of all mentions, by span and brand; an author who never names it counts, too."""
    rows = connection.execute(
        """
        WITH by_brand AS (
            SELECT span, author, brand, count(*) AS y FROM said WHERE is_counted GROUP BY span, author, brand
        ), by_author AS (
            SELECT span, author, sum(y) AS x FROM by_brand GROUP BY span, author
        ), total AS (
            SELECT span, count(*) AS authors, sum(x) AS x, sum(x * x) AS xx FROM by_author GROUP BY span
        )
        SELECT span, brand, any_value(authors)::BIGINT, any_value(total.x)::BIGINT, sum(y)::BIGINT,
            any_value(total.xx)::BIGINT, sum(by_author.x * y)::BIGINT, sum(y * y)::BIGINT
        FROM by_brand JOIN by_author USING (span, author) JOIN total USING (span)
        GROUP BY span, brand
        """
    ).fetchall()
    return {row[:2]: share(Sums(*row[2:])) for row in rows}


def daily(
    connection: duckdb.DuckDBPyConnection, zone: str, days: Period
) -> dict[tuple[str, str | None], tuple[Day, ...]]:
    """Return every day by brand and aspect (None: all that is said of the brand), days in order.

    The mentions of these days have to be loaded.
    """
    exposure: dict[date, int] = dict(
        connection.execute(
            """
            SELECT local_day(created_utc) AS day, count(*) FROM documents
            WHERE is_counted AND date BETWEEN $first AND $last AND created_utc >= $start AND created_utc < $end
            GROUP BY day
            """,
            days.bounds(zone),
        ).fetchall()
    )
    found = opinions(connection, ("day", "brand"), "days_said")
    told = {(brand, None, day): opinion for (day, brand), opinion in found.items()}
    source = "(SELECT day, brand, author, opinion, is_counted, unnest(aspects) AS aspect FROM days_said)"
    by_cell = opinions(connection, ("day", "brand", "aspect"), source)
    told |= {(brand, aspect, day): opinion for (day, brand, aspect), opinion in by_cell.items()}
    series = sorted({(brand, aspect) for brand, aspect, _ in told}, key=lambda one: (one[0], one[1] or ""))
    return {
        (brand, aspect): tuple(
            Day(day, told.get((brand, aspect, day), NOTHING_SAID), exposure.get(day, 0)) for day in days
        )
        for brand, aspect in series
    }


def duels(connection: duckdb.DuckDBPyConnection, market: str, zone: str, period: Period) -> tuple[Duel, ...]:
    """Return who is said to be better than whom in a period, the most spoken of first."""
    rows = connection.execute(
        """
        SELECT winner_brand, loser_brand, coalesce(author, fullname) AS who, aspects, count(*)
        FROM comparisons
        WHERE market = $market AND is_counted AND winner_brand <> loser_brand AND date BETWEEN $first AND $last
            AND created_utc >= $start AND created_utc < $end
        GROUP BY ALL
        """,
        {"market": market} | period.bounds(zone),
    ).fetchall()
    pairs: dict[tuple[str, str], list[Any]] = {}
    for winner, loser, who, aspects, times in rows:
        pairs.setdefault((min(winner, loser), max(winner, loser)), []).append((winner, who, aspects, times))
    found = [_duel(pair, said) for pair, said in pairs.items()]
    return tuple(sorted(found, key=lambda duel: (-duel.one_better - duel.other_better, duel.one, duel.other)))


def _duel(pair: tuple[str, str], said: Iterable[tuple[str, str, list[str], int]]) -> Duel:
    said = list(said)
    better = {brand: sum(times for winner, _, _, times in said if winner == brand) for brand in pair}
    one, other = sorted(pair, key=lambda brand: (-better[brand], brand))
    by_author: dict[str, list[int]] = {}
    aspects: dict[str, list[int]] = {}
    for winner, who, named, times in said:
        own = by_author.setdefault(who, [0, 0])
        own[0] += times
        own[1] += times * (winner == one)
        for aspect in named:
            aspects.setdefault(aspect, [0, 0])[winner != one] += times
    x, y = (sum(own[number] for own in by_author.values()) for number in (0, 1))
    xx, xy, yy = (sum(own[i] * own[j] for own in by_author.values()) for i, j in ((0, 0), (0, 1), (1, 1)))
    return Duel(
        one,
        other,
        better[one],
        better[other],
        len(by_author),
        share(Sums(len(by_author), x, y, xx, xy, yy)),
        {aspect: (counts[0], counts[1]) for aspect, counts in sorted(aspects.items())},
    )
