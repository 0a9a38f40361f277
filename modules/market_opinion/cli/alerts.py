"""`alerts`: spikes of volume and shifts of net sentiment, with the threads that brought them."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import click

from reddit_ingest.core.errors import EXIT_DONE, EXIT_INCOMPLETE, InvalidRequest
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.view import graves

from ..analysis import alerting
from ..analysis.alerting import LEVEL, NET, VOLUME, Signal, baseline_of, signals
from ..analysis.evidence import DrivingThread, threads_behind
from ..analysis.figures import POOR_COVERAGE, Coverage
from ..analysis.opinions import daily, load_mentions
from ..analysis.periods import Period, utc_day
from ..analysis.reporting import default_period
from ..analysis.seen import coverage
from ..analysis.warehouse import open_warehouse
from ..market import Market, load_market
from ..webhook import VARIABLE, Webhook
from .display import console, harmless, table
from .options import Day, ReadableLake, json_option, lake_to_read, market_option

EXIT_ALERTS = 4

_LONGEST_TITLE = 150
_SLACK_SECTIONS = 45
_SLACK_SECTION = 3_000


@dataclass(frozen=True, slots=True)
class _Alert:
    signal: Signal
    net: Signal
    name: str
    threads: tuple[DrivingThread, ...]

    @property
    def subject(self) -> str:
        return self.name + (f", {self.signal.aspect}" if self.signal.aspect else "")

    @property
    def said(self) -> str:
        """What happened, in one line."""
        signal = self.signal
        who = f"{signal.mentions:,} mentions by {signal.authors:,} authors"
        if signal.kind == VOLUME:
            usual = f"where {_count(signal.expected)} ({_count(signal.low)} to {_count(signal.high)}) are usual"
            net = f"net sentiment {_net(self.net.observed)}, before {_net(self.net.expected)}"
            return f"{who}, {usual}; {net}"
        usual = f"where {_net(signal.expected)} ({_net(signal.low)} to {_net(signal.high)}) is usual"
        return f"net sentiment {_net(signal.observed)}, {usual}; {who}"

    def to_dict(self) -> dict[str, Any]:
        net = {"observed": self.net.observed, "before": self.net.expected}
        threads = [asdict(thread) for thread in self.threads]
        return {**_signal_dict(self.signal), "brand_name": self.name, "net_sentiment": net, "threads": threads}


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was found on a day: every test, the alerts among them, and how much of the day was seen."""

    day: date
    signals: list[Signal]
    alerts: list[_Alert]
    coverage: Coverage

    @property
    def tests(self) -> list[Signal]:
        return [one for one in self.signals if one.probability is not None]

    @property
    def is_judged(self) -> bool:
        """Whether there was a day to judge, and a baseline to hold it against."""
        return any(one.kind == VOLUME and one.expected is not None for one in self.signals)

    @property
    def hours(self) -> tuple[int, int]:
        """How many hours were seen whole, of how many."""
        return sum(each.whole for each in self.coverage.subreddits), sum(
            each.hours for each in self.coverage.subreddits
        )

    @property
    def is_poor(self) -> bool:
        """Whether so few hours were seen whole that this may be all that is out of the ordinary."""
        return self.coverage.whole_share < POOR_COVERAGE

    def to_dict(self, explain: bool) -> dict[str, Any]:
        whole, hours = self.hours
        told: dict[str, Any] = {
            "day": self.day.isoformat(),
            "is_judged": self.is_judged,
            "coverage": {"hours": hours, "whole": whole, "is_poor": self.is_poor},
            "series": len(self.signals) // 2,
            "tests": len(self.tests),
            "smallest_probability": min((one.probability or 0.0 for one in self.tests), default=None),
            "alerts": [alert.to_dict() for alert in self.alerts],
        }
        return told | ({"signals": [_signal_dict(one) for one in self.signals]} if explain else {})


def _signal_dict(signal: Signal) -> dict[str, Any]:
    return {**asdict(signal), "day": signal.day.isoformat()}


@click.command()
@lake_to_read
@market_option
@click.option(
    "--day",
    type=Day(),
    help="Day to look at, in the market's time zone.  [default: the last whole day that was looked at]",
)
@click.option(
    "--days", type=click.IntRange(1, 366), default=1, show_default=True, help="Look at so many days up to that one."
)
@click.option(
    "--level",
    type=click.FloatRange(0, 0.5, min_open=True),
    default=LEVEL,
    show_default=True,
    help="The part of quiet days that may have an alert.",
)
@click.option("--explain", is_flag=True, help="Show every test, and why it is an alert or not.")
@click.option(
    "--webhook",
    envvar=VARIABLE,
    show_envvar=True,
    metavar="URL",
    help="Post alerts there, if there are any. It is a secret, and safer in the variable.",
)
@click.option(
    "--form",
    type=click.Choice(["generic", "slack"]),
    default="generic",
    show_default=True,
    help="What is posted: the JSON of --json, or a message for Slack.",
)
@json_option
def alerts(
    lake: ReadableLake,
    market: str,
    day: date | None,
    days: int,
    level: float,
    explain: bool,
    webhook: str | None,
    form: str,
    as_json: bool,
) -> None:
    """Tell what is out of the ordinary: spikes of volume and shifts of net sentiment, by brand and aspect.

    A day is held against the 28 days before it, of which it needs 7. On at most one quiet day in a hundred anything is
    told that is none (--level). Run `augment` first.

    \b
    Examples:
      market-opinion alerts
      market-opinion alerts --day 2026-01-13 --explain
      market-opinion alerts --days 7 --json
      market-opinion alerts --market ./my-market.toml --form slack   # with MARKET_OPINION_WEBHOOK set

    Exit codes: 0 nothing out of the ordinary, 4 there are alerts, 3 a day could not be judged (nothing was seen, or too
    little before it) or nobody took what was posted, 1 failed, 2 usage.
    """
    known, hook = load_market(market), Webhook(webhook) if webhook else None
    looked = _look(lake, known, day, days, level)
    told = {"market": known.name, "time_zone": known.time_zone, "level": level}
    body = told | {"days": [each.to_dict(explain) for each in looked]}
    if as_json:
        click.echo(json.dumps(body, indent=1))
    else:
        for each in looked:
            _print(each, explain)
    fired = [each for each in looked if each.alerts]
    if fired and hook:
        hook.post(_slack(known, fired) if form == "slack" else body)
    judged = all(each.is_judged for each in looked)
    click.get_current_context().exit(EXIT_ALERTS if fired else EXIT_DONE if judged else EXIT_INCOMPLETE)


def _look(lake: Any, market: Market, day: date | None, days: int, level: float) -> list[_Looked]:
    reader, zone = lake.augmented().reader, market.time_zone
    with open_warehouse(reader, tables=("coverage",)) as connection:
        newest = default_period(connection, zone, days=1).last
    if day and day > newest:
        raise InvalidRequest(f"{day} is not over, or nobody has looked so far; the last whole day is {newest}")
    period = Period.ending(day or newest, days)
    span = Period(baseline_of(period.first).first, period.last)
    first, last = utc_day(span.start_ts(zone)), utc_day(span.end_ts(zone) - 1)
    with open_warehouse(reader, first, last, ("documents", "mentions", "coverage")) as connection:
        load_mentions(connection, market.name, zone, span, period)
        series = daily(connection, zone, span)
        if not series:
            raise InvalidRequest(
                f"nothing was said of the market {market.name} from {span};"
                f" name another --day or --market, or run `market-opinion augment --market {market.name}`"
            )
        is_buried = graves(lake.reader(), IngestSettings.from_mapping(os.environ).landing_prefix).hidden
        names: dict[str, str] = {brand.id: brand.name for brand in market.brands}

        def alert(signal: Signal, found: Sequence[Signal]) -> _Alert:
            same = (signal.brand, signal.aspect, NET)
            net = next(one for one in found if (one.brand, one.aspect, one.kind) == same)
            threads = threads_behind(connection, market.name, zone, signal, is_buried)
            return _Alert(signal, net, names.get(signal.brand, signal.brand), threads)

        looked = []
        for each in period:
            found = signals(series, each, level)
            fired = [alert(signal, found) for signal in alerting.alerts(found)]
            looked.append(_Looked(each, found, fired, coverage(connection, zone, Period(each, each))))
        return looked


def _print(looked: _Looked, explain: bool) -> None:
    for alert in looked.alerts:
        click.echo(f"{looked.day}  {harmless(alert.subject)}: {alert.said}")
        click.echo(
            f"  p {_chance(alert.signal.probability)}, where less than {_chance(alert.signal.allowed)} is an alert"
        )
        for thread in alert.threads:
            click.echo(f"  {_counts(thread)}  {_title(thread)}")
            if thread.address:
                click.echo(f"    {thread.address}")
    if looked.alerts:
        click.echo(f"  {_seen(looked)}")
    elif looked.is_judged:
        least = min((one.probability or 0.0 for one in looked.tests), default=1.0)
        counts = f"{len(looked.signals) // 2:,} series, {len(looked.tests):,} tests, the smallest p {least:.2g}"
        click.echo(f"{looked.day}  nothing out of the ordinary in {counts}; {_seen(looked)}")
    else:
        click.echo(f"{looked.day}  cannot be judged: {looked.signals[0].reason}; {_seen(looked)}")
    if explain:
        _explain(looked)


def _seen(looked: _Looked) -> str:
    whole, hours = looked.hours
    poor = "; WARNING: so much is missing that it may tell of the gaps more than of people"
    return f"{whole:,} of {hours:,} hours seen whole{poor if looked.is_poor else ''}"


def _counts(thread: DrivingThread) -> str:
    before = f", {thread.before} before" if thread.before else ""
    return f"{thread.mentions} mentions ({thread.positive} positive, {thread.negative} negative{before})"


def _title(thread: DrivingThread) -> str:
    if thread.title is None:
        return f"{thread.fullname}, which the lake does not hold"
    title = " ".join(harmless(thread.title).split()) or thread.fullname
    return title if len(title) <= _LONGEST_TITLE else f"{title[:_LONGEST_TITLE]}..."


def _explain(looked: _Looked) -> None:
    columns = (
        "brand",
        "aspect",
        "test",
        "#that day",
        "#usual",
        "range",
        "#mentions",
        "#authors",
        "#p",
        "#allowed",
        "why",
    )
    ordered = sorted(looked.signals, key=lambda one: 2.0 if one.probability is None else one.probability)
    console().print(table(columns, [_explained(signal) for signal in ordered]))


def _explained(signal: Signal) -> list[object]:
    shown = _count if signal.kind == VOLUME else _net
    bounds = "" if signal.low is None else f"{shown(signal.low)} to {shown(signal.high)}"
    chances = map(_chance, (signal.probability, signal.allowed))
    why = f"ALERT: {signal.reason}" if signal.is_alert else signal.reason
    return [
        harmless(signal.brand),
        harmless(signal.aspect or ""),
        signal.kind,
        shown(signal.observed),
        shown(signal.expected),
        bounds,
        signal.mentions,
        signal.authors,
        *chances,
        why,
    ]


def _chance(value: float | None) -> str:
    return "" if value is None else f"{value:.1g}"


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}" if value < 10 and value % 1 else f"{value:,.0f}"


def _net(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"


def _slack(market: Market, looked: Sequence[_Looked]) -> dict[str, Any]:
    """Return a message for an incoming webhook of Slack, within its limits of 50 blocks and 3,000 characters each."""
    alerts = [(each, alert) for each in looked for alert in each.alerts]
    days = ", ".join(dict.fromkeys(each.day.isoformat() for each in looked))
    title = _escaped(f"{market.title}: {len(alerts)} out of the ordinary, {days}")[:_SLACK_SECTION]
    sections = [_slack_alert(each, alert) for each, alert in alerts[:_SLACK_SECTIONS]]
    if more := len(alerts) - len(sections):
        sections.append(f"and {more} more")
    sections.append("\n".join(f"{each.day}: {_seen(each)}" for each in looked)[:_SLACK_SECTION])
    return {"text": title, "blocks": [_section(text) for text in (title, *sections)]}


def _section(text: str) -> dict[str, Any]:
    # Verbatim: no name in a title calls anybody, and no address in it becomes a link.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _slack_alert(looked: _Looked, alert: _Alert) -> str:
    lines = [f"*{_escaped(alert.subject)}* ({looked.day}): {_escaped(alert.said)}"]
    for thread in alert.threads:
        title = _escaped(_title(thread))
        shown = f"<{_escaped(thread.address)}|{title.replace('|', '/')}>" if thread.address else title
        line = f"• {_counts(thread)}: {shown}"
        if sum(map(len, lines)) + len(lines) + len(line) <= _SLACK_SECTION:
            lines.append(line)
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return harmless(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
