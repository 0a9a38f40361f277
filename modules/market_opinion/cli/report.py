"""`report`: the figures of a market in a period as one page, as JSON, as CSV."""

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click
import duckdb

from reddit_ingest.bootstrap import LocalLake
from reddit_ingest.core.errors import InvalidRequest
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.view import graves

from ..analysis.figures import BrandFigures, Figures
from ..analysis.periods import Period, utc_day
from ..analysis.reporting import baseline_of, default_period, figures_of, last_day
from ..analysis.warehouse import open_warehouse
from ..label_store import LabelStore
from ..labels import NO_LABELS, Labels
from ..market import Market, load_market
from ..report import wording
from ..report.exports import to_csv, to_json, to_tables
from .display import LiveProgress, console, harmless, table
from .options import REPORTS, Day, json_option, lake_to_read, market_option

DAYS_AT_MOST = 366
_FIRST_DAY = date(2005, 6, 23)
"""When Reddit began."""
_LATE = timedelta(7)
"""For so long threads are looked at again; what Reddit counts in them is mostly known by then."""
_TABLES = ("documents", "mentions", "comparisons", "coverage")
_CURVE = 28
_BARS = "▁▂▃▄▅▆▇█"


@click.command()
@lake_to_read
@market_option
@click.option("--since", type=Day(), show_default="a week", help="First day, in the market's time zone.")
@click.option("--until", type=Day(), show_default="the last whole day that was looked at", help="Last day.")
@click.option(
    "--days",
    type=click.IntRange(1, DAYS_AT_MOST),
    default=7,
    show_default=True,
    help="So many days up to the last one, where --since is not given.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    show_default="reports/ in the lake",
    help="File of the page.",
)
@click.option("--csv", "folder", type=click.Path(path_type=Path, file_okay=False), help="Folder for tables as CSV.")
@json_option
def report(
    lake: Any,
    market: str,
    since: date | None,
    until: date | None,
    days: int,
    output: Path | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Tell what was said of a market in some days, against as many days before, on one page for a browser.

    The page needs no network and nothing beside it; every figure has its interval, every claim its quotes, and what was
    not seen is told first. It is made from the tables of `augment`; what was deleted since is not quoted. The same
    tables give the same bytes. With --json all figures are printed, and a page is written only where --output names it.

    The page holds people's words, and leaves the lake when you send it: make it anew after `forget`.

    \b
    Examples:
      market-opinion report
      market-opinion report --since 2026-01-05 --until 2026-01-11 --output week.html
      market-opinion report --market espresso --days 28 --csv tables
      market-opinion report --aws --json
    """
    known = load_market(market)
    with LiveProgress() as progress:
        progress.step("reading the tables")
        figures = figures_from(lake, known, lambda connection: _period(connection, known, since, until, days))
        if folder:
            for name, (columns, rows) in to_tables(figures).items():
                write(folder / f"{name}.csv", to_csv(columns, rows))
        target = None if as_json and not output else output or default_output(lake, figures)
        if target:
            progress.step("drawing the page")
            write_page(figures, known, target)
    if as_json:
        click.echo(to_json(figures), nl=False)
    else:
        print_summary(figures, *shares_by_day(figures))
    if target and not as_json:
        click.echo(f"\n{target}")


def figures_from(lake: Any, market: Market, choose: Callable[[duckdb.DuckDBPyConnection], Period]) -> Figures:
    """Return the figures of a lake in the period that `choose` picks, given a connection that sees the coverage only.

    Raises:
        InvalidRequest: there are no tables, or nothing was said.
        DamagedState: tables, labels or tombstones cannot be read, or a quote does not stand in its text.
    """
    zone = lake.augmented()
    with open_warehouse(zone.reader, tables=("coverage",)) as connection:
        period = choose(connection)
    baseline = baseline_of(period)
    first = utc_day(baseline.start_ts(market.time_zone))
    last = utc_day(baseline.end_ts(market.time_zone) - 1)
    with open_warehouse(zone.reader, first, last + _LATE, _TABLES) as connection:
        labels = _labels(connection, LabelStore(zone, market.name), market, period)
        buried = graves(lake.reader(), IngestSettings.from_mapping(os.environ).landing_prefix)
        return figures_of(connection, market, period, labels, buried.hidden, buried.__contains__)


def _labels(connection: duckdb.DuckDBPyConnection, store: LabelStore, market: Market, period: Period) -> Labels:
    """Return the calibration that belongs to the engine of the tables, if there is one."""
    made = connection.execute(
        "SELECT DISTINCT engine, model FROM mentions WHERE market = $market AND date BETWEEN $first AND $last",
        {"market": market.name, **{key: period.bounds(market.time_zone)[key] for key in ("first", "last")}},
    ).fetchall()
    for engine, model in made:
        calibration = store.calibration(engine)
        if calibration and calibration.model_hash == model:
            return Labels(calibration)
    return NO_LABELS


def _period(
    connection: duckdb.DuckDBPyConnection, market: Market, since: date | None, until: date | None, days: int
) -> Period:
    latest = last_day(connection, market.time_zone)
    last = until or (latest if since == latest else default_period(connection, market.time_zone).last)
    period = Period(since, last) if since else Period.ending(last, days)
    if period.last < period.first:
        raise InvalidRequest(f"the period ends on {period.last}, before it begins on {period.first}")
    if period.last > latest:
        raise InvalidRequest(f"nobody has looked at {period.last} yet; the last day in the lake is {latest}")
    if period.first < _FIRST_DAY:
        raise InvalidRequest(f"the period begins on {period.first}; Reddit began on {_FIRST_DAY}")
    if period.days > DAYS_AT_MOST:
        raise InvalidRequest(f"{period} is {period.days:,} days; a report tells of {DAYS_AT_MOST} at most")
    return period


def default_output(lake: Any, figures: Figures) -> Path:
    """Return where a page goes: into the lake, if it is in a folder, else here."""
    folder = lake.root / REPORTS if isinstance(lake, LocalLake) else Path()
    return folder / f"{figures.market}-{figures.period.first}-{figures.period.last}.html"


def write_page(figures: Figures, market: Market, target: Path) -> None:
    """Draw the page, and put it in its place in one step."""
    # What draws the charts takes a second to load.
    from ..report.page import to_html

    write(target, to_html(figures, market))


def write(target: Path, content: str) -> None:
    """Write a file in one step: who reads it meanwhile sees the old one or the new one.

    Raises:
        InvalidRequest: it cannot be written there; nothing is left half written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:80]}.", suffix=".tmp", dir=target.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, ValueError) as cause:
        why = cause.strerror if isinstance(cause, OSError) else cause
        raise InvalidRequest(f"{str(target)!r} cannot be written: {why}; name another place") from cause


def print_summary(figures: Figures, series: Mapping[str, Sequence[float]], over: str) -> None:
    """Print the brands with their figures and a small curve each; `over` says of what the curves are."""
    columns = ("brand", "#mentions", "#share", "#positive", "#neutral", "#negative", "#net sentiment", over)
    top = max((value for values in series.values() for value in values), default=0)
    rows = [
        [
            harmless(brand.name),
            brand.opinion.mentions,
            wording.share(brand.share),
            *(brand.opinion.positive, brand.opinion.neutral, brand.opinion.negative),
            f"{wording.net_of(brand.opinion.net)} ({wording.net_interval(brand.opinion.net)})",
            sparkline(series.get(brand.brand, ()), top),
        ]
        for brand in figures.brands
    ]
    console().print(table(columns, rows))


def sparkline(values: Iterable[float], top: float) -> str:
    """Return a curve of bars as high as the values are, the highest bar for `top`; nothing for 0."""
    steps = len(_BARS) - 1
    return "".join(_BARS[round(value / top * steps)] if value else " " for value in values)


def shares_by_day(figures: Figures) -> tuple[dict[str, list[float]], str]:
    """Return the share of each brand on the days of the period and the one before, the last four weeks of them."""
    return {brand.brand: _shares(brand, figures) for brand in figures.brands}, "share day by day"


def _shares(brand: BrandFigures, figures: Figures) -> list[float]:
    totals = {
        day: sum(one.days[number].opinion.mentions for one in figures.brands)
        for number, day in enumerate(figures.baseline)
    }
    shown = [day for day in brand.days if day.day >= figures.before.first][-_CURVE:]
    return [day.opinion.mentions / (totals[day.day] or 1) for day in shown]
