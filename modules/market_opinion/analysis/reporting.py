"""All figures of a report, from the views of a warehouse."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import duckdb

from reddit_ingest.core.errors import InvalidRequest
from reddit_ingest.core.windows import HOUR_S

from ..labels import Labels
from ..market import Market
from .alerting import BASELINE_DAYS, Signal, alerts, signals
from .evidence import DrivingThread, threads_behind
from .figures import (
    NOTHING_SAID,
    BrandFigures,
    Cell,
    Day,
    Figures,
    MarkedDay,
    Method,
    Opinion,
    ProductFigures,
    SetAside,
    Thread,
)
from .opinions import BEFORE, NOW, Correction, Key, by_aspect, daily, duels, load_mentions, opinions, shares
from .periods import Period, local_day
from .quotes import quotes
from .seen import coverage
from .statistics import Estimate

_LOUDEST = 3


def default_period(connection: duckdb.DuckDBPyConnection, zone: str, days: int = 7) -> Period:
    """Return the last whole days that anybody has looked at.

    Raises:
        InvalidRequest: nobody has looked at a whole day.
    """
    first_ts, end_ts = _looked_at(connection)
    last = local_day(end_ts, zone) - timedelta(1)
    if last < local_day(first_ts, zone):
        raise InvalidRequest("the lake does not hold a whole day yet; let more hours land, or name a period")
    return Period.ending(last, days)


def last_day(connection: duckdb.DuckDBPyConnection, zone: str) -> date:
    """Return the last day that anybody has looked at, whole or not.

    Raises:
        InvalidRequest: nobody has looked at anything.
    """
    return local_day(_looked_at(connection)[1] - 1, zone)


def _looked_at(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    first_ts, last_ts = connection.execute("SELECT min(hour_ts), max(hour_ts) FROM coverage").fetchone() or (None, None)
    if last_ts is None:
        raise InvalidRequest("the tables are empty; run `market-opinion augment` first")
    return first_ts, last_ts + HOUR_S


def baseline_of(period: Period) -> Period:
    """Return the days that a trend is shown from, to the end of the period."""
    return Period(min(period.before.first, period.first - timedelta(BASELINE_DAYS)), period.last)


def figures_of(
    connection: duckdb.DuckDBPyConnection,
    market: Market,
    period: Period,
    labels: Labels,
    is_buried: Callable[[str], bool],
    is_anonymous: Callable[[str], bool] | None = None,
) -> Figures:
    """Return all figures of a market in a period.

    `labels` are those that the tables were made with: their calibration tells what has to be added to net sentiment.
    `is_buried` tells of a fullname whether it was deleted since the tables were made: it counts as long as they hold
    it, but none of its words, nor its author's name, are told. `is_anonymous` tells of whom only the name went.

    Raises:
        InvalidRequest: nobody has said anything of the market in the period.
        DamagedState: a quote does not stand in the text of its document.
    """
    zone = market.time_zone
    method = _method(connection, market, period, labels)
    correction = Correction.of(labels) if method.is_calibrated else Correction()
    baseline = baseline_of(period)
    with ThreadPoolExecutor(1) as pool, connection.cursor() as other:
        # Some steps keep one core busy, not all: what needs no loaded mentions is read beside them.
        beside = pool.submit(_beside, other, market, period, is_buried, is_anonymous or is_buried)
        load_mentions(connection, market.name, zone, baseline, period)
        series = daily(connection, zone, baseline)
        tests = [signals(series, day) for day in period]
        mentions, authors = _totals(connection)
        return Figures(
            market=market.name,
            time_zone=zone,
            period=period,
            before=period.before,
            baseline=baseline,
            documents=sum(day.exposure for day in next(iter(series.values()), ()) if day.day >= period.first),
            mentions=mentions,
            authors=authors,
            brands=_brands(connection, market, correction, series),
            cells=_cells(connection, correction),
            marked_days=_marked_days(connection, market.name, zone, tests, is_buried),
            tested_days=sum(any(test.probability is not None for test in of_day) for of_day in tests),
            method=method,
            **beside.result(),
        )


def _beside(
    connection: duckdb.DuckDBPyConnection,
    market: Market,
    period: Period,
    is_buried: Callable[[str], bool],
    is_anonymous: Callable[[str], bool],
) -> dict[str, Any]:
    """Return the figures that need the views only, by name."""
    name, zone = market.name, market.time_zone
    return {
        "quotes": quotes(connection, name, zone, period, is_buried),
        "set_aside": _set_aside(connection, name, zone, period, is_buried, is_anonymous),
        "duels": duels(connection, name, zone, period),
        "coverage": coverage(connection, zone, period),
        "coverage_before": coverage(connection, zone, period.before),
    }


def _totals(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    told = connection.execute(
        "SELECT count(*), count(DISTINCT author) FROM said WHERE is_counted AND span = 'now'"
    ).fetchone()
    return told or (0, 0)


def _method(connection: duckdb.DuckDBPyConnection, market: Market, period: Period, labels: Labels) -> Method:
    made = connection.execute(
        """
        SELECT DISTINCT market_version, engine, model, calibrated FROM mentions
        WHERE market = $market AND date BETWEEN $first AND $last AND created_utc >= $start AND created_utc < $end
        ORDER BY ALL
        """,
        {"market": market.name} | period.bounds(market.time_zone),
    ).fetchall()
    if not made:
        raise InvalidRequest(
            f"nothing was said of the market {market.name} from {period}; name another period with --since and --until,"
            f" or run `market-opinion augment --market {market.name}`"
        )
    if len(made) > 1:
        raise InvalidRequest(
            f"the tables from {period} were made by different engines, models or versions of the market;"
            f" run `market-opinion augment --market {market.name}` to make them alike"
        )
    version, engine, model, is_calibrated = made[0]
    offsets = labels.calibration if is_calibrated else None
    return Method(
        market.name,
        version,
        engine,
        model,
        offsets is not None,
        offsets.labels if offsets else 0,
        offsets.net_bias if offsets else 0.0,
        offsets.net_bias_se if offsets else 0.0,
    )


def _brands(
    connection: duckdb.DuckDBPyConnection,
    market: Market,
    correction: Correction,
    series: Mapping[tuple[str, str | None], tuple[Day, ...]],
) -> tuple[BrandFigures, ...]:
    raw, parts = opinions(connection, ("span", "brand")), shares(connection)
    everything = opinions(connection, ("span", "brand"), condition=f"span = '{NOW}'")
    total = sum(opinion.mentions for opinion in everything.values())
    products = _products(connection, market, correction)
    names: dict[str, str] = {brand.id: brand.name for brand in market.brands}
    found = [
        BrandFigures(
            brand=brand,
            name=names.get(brand, str(brand)),
            opinion=correction.applied(raw[NOW, brand]),
            before=correction.applied(raw.get((BEFORE, brand), NOTHING_SAID)),
            share=parts[NOW, brand],
            share_before=parts.get((BEFORE, brand)),
            share_change=_change(parts[NOW, brand], parts.get((BEFORE, brand))),
            net_change=_net_change(raw, (brand,)),
            everything=correction.applied(everything[NOW, brand]),
            share_of_everything=everything[NOW, brand].mentions / total,
            days=tuple(_corrected(day, correction) for day in series[brand, None]),
            products=products.get(brand, ()),
        )
        for span, brand in raw
        if span == NOW
    ]
    return tuple(sorted(found, key=lambda one: (-one.opinion.mentions, one.brand)))


def _corrected(day: Day, correction: Correction) -> Day:
    return Day(day.day, correction.applied(day.opinion), day.exposure)


def _change(now: Estimate | None, before: Estimate | None) -> Estimate | None:
    return now.minus(before) if now and before else None


def _net_change(raw: Mapping[Key, Opinion], key: Key) -> Estimate | None:
    """Return by how much a net sentiment has changed; what an engine always gets wrong is in neither."""
    now, before = (raw.get((span, *key), NOTHING_SAID) for span in (NOW, BEFORE))
    return _change(now.net, before.net)


def _products(
    connection: duckdb.DuckDBPyConnection, market: Market, correction: Correction
) -> dict[str, tuple[ProductFigures, ...]]:
    raw = opinions(connection, ("span", "brand", "product"), condition="is_counted AND product IS NOT NULL")
    names: dict[str, str] = {product.id: product.name for product in market.products}
    found: dict[str, list[ProductFigures]] = {}
    for (span, brand, product), opinion in raw.items():
        if span == NOW:
            before = correction.applied(raw.get((BEFORE, brand, product), NOTHING_SAID))
            change = _net_change(raw, (brand, product))
            told = ProductFigures(
                product, names.get(product, str(product)), correction.applied(opinion), before, change
            )
            found.setdefault(brand, []).append(told)
    return {
        brand: tuple(sorted(told, key=lambda one: (-one.opinion.mentions, one.product)))
        for brand, told in found.items()
    }


def _cells(connection: duckdb.DuckDBPyConnection, correction: Correction) -> tuple[Cell, ...]:
    raw = by_aspect(connection)
    return tuple(
        Cell(
            brand,
            aspect,
            correction.applied(raw[NOW, brand, aspect], aspect),
            correction.applied(raw.get((BEFORE, brand, aspect), NOTHING_SAID), aspect),
            _net_change(raw, (brand, aspect)),
        )
        for brand, aspect in sorted((brand, aspect) for span, brand, aspect in raw if span == NOW)
    )


def _set_aside(
    connection: duckdb.DuckDBPyConnection,
    market: str,
    zone: str,
    period: Period,
    is_buried: Callable[[str], bool],
    is_anonymous: Callable[[str], bool],
) -> SetAside:
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE set_aside_mentions AS
        SELECT fullname, author, thread, list_intersect(flags, set_aside()) AS flags FROM mentions
        WHERE market = $market AND NOT is_counted AND date BETWEEN $first AND $last
            AND created_utc >= $start AND created_utc < $end
        """,
        {"market": market} | period.bounds(zone),
    )
    total = connection.execute("SELECT count(*) FROM set_aside_mentions").fetchone() or (0,)
    flags = connection.execute(
        "SELECT flag, count(*) FROM (SELECT unnest(flags) AS flag FROM set_aside_mentions) GROUP BY flag ORDER BY flag"
    ).fetchall()
    names = connection.execute(
        "SELECT fullname, author, count(*) FROM set_aside_mentions WHERE author IS NOT NULL GROUP BY fullname, author"
    ).fetchall()
    authors: Counter[str] = Counter()
    for fullname, author, mentions in names:
        if not (is_buried(fullname) or is_anonymous(fullname)):
            authors[author] += mentions
    loudest = sorted(authors.items(), key=lambda one: (-one[1], one[0]))[:_LOUDEST]
    threads = connection.execute(
        """
        WITH loudest AS MATERIALIZED (
            SELECT thread, count(*) AS mentions FROM set_aside_mentions GROUP BY thread ORDER BY 2 DESC, 1 LIMIT ?
        )
        SELECT loudest.thread, coalesce(title, ''), permalink, mentions
        FROM loudest LEFT JOIN (
            SELECT fullname, title, permalink FROM documents
            WHERE kind = 'submissions' AND fullname IN (SELECT thread FROM loudest)
        ) ON fullname = loudest.thread ORDER BY mentions DESC, loudest.thread
        """,
        [_LOUDEST],
    ).fetchall()
    shown = tuple(Thread(row[0], "", None, row[3]) if is_buried(row[0]) else Thread(*row) for row in threads)
    return SetAside(total[0], dict(flags), tuple(loudest), shown)


def _marked_days(
    connection: duckdb.DuckDBPyConnection,
    market: str,
    zone: str,
    tests: Sequence[Sequence[Signal]],
    is_buried: Callable[[str], bool],
) -> tuple[MarkedDay, ...]:
    return tuple(
        _marked(signal, threads_behind(connection, market, zone, signal, is_buried))
        for of_day in tests
        for signal in alerts(of_day)
    )


def _marked(signal: Signal, threads: Sequence[DrivingThread]) -> MarkedDay:
    told = (signal.observed, signal.expected, signal.low, signal.high, signal.probability)
    observed, expected, low, high, probability = (0.0 if value is None else value for value in told)
    return MarkedDay(
        day=signal.day,
        brand=signal.brand,
        aspect=signal.aspect,
        kind=signal.kind,
        observed=observed,
        expected=expected,
        low=low,
        high=high,
        mentions=signal.mentions,
        authors=signal.authors,
        probability=probability,
        baseline_days=signal.baseline_days,
        threads=tuple(
            Thread(one.fullname, one.title or "", urlsplit(one.address).path if one.address else None, one.mentions)
            for one in threads
        ),
    )
