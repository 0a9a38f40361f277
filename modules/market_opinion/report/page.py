"""The page of a report: one HTML file that needs no network, brings no code of others, and runs only its own script.

All values pass through autoescape; a name that a template misspells is an error. The policy in the page's head allows
exactly the style sheet and the script that stand in it, by their hashes.
"""

import base64
import hashlib
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote as percent_encoded

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from ..analysis.alerting import BASELINE_DAYS, FEWEST_DAYS
from ..analysis.figures import POOR_COVERAGE, Coverage, Figures, Method, Opinion, Quote, SubredditCoverage
from ..analysis.quotes import VOTED
from ..market import Market
from . import charts, wording
from .headlines import FEWEST_MENTIONS, headlines, mark_told

REDDIT = "https://www.reddit.com"
"""The only place that a page links to."""

FEW = 10
"""A cell with fewer mentions is pale."""

_PERMALINK = re.compile(r"/(?:r/\w+|user/[\w-]+|r/u_[\w-]+)/comments/[a-z0-9]{1,20}(?:/[\w%.~-]*){0,3}/?")
_STEPS = (0.05, 0.15, 0.3)
_TARGETED = "target_"


@dataclass(frozen=True, slots=True)
class _Own:
    """A file of this package, which goes into the page as it is."""

    content: str

    def __html__(self) -> str:
        return self.content


def to_html(figures: Figures, market: Market) -> str:
    """Return the page; the same figures give the same text.

    Takes some seconds, nearly all of it for the charts. Holds the words of everybody it quotes.
    """
    style, script = (_file(name) for name in ("report.css", "report.js"))
    page = _environment().get_template("page.html.j2")
    return page.render(
        figures=figures,
        market=market,
        headlines=headlines(figures),
        style=_Own(style),
        script=_Own(script),
        policy=_policy(style, script),
        names={brand.id: brand.name for brand in market.brands},
        products={product.id: product.name for product in market.products},
        share_chart=charts.shares_by_day(figures),
        net_chart=charts.net_by_brand(figures),
        day_charts=charts.net_by_day(figures),
        hours_chart=charts.hours_seen(figures.coverage),
        aspects=[aspect for aspect in market.aspects if any(cell.aspect == aspect for cell in figures.cells)],
        cells={(cell.brand, cell.aspect): cell for cell in figures.cells},
        quotes=_grouped(figures.quotes),
        poorly_seen=[one for one in figures.coverage.subreddits if _is_poor(one)],
        statuses=[status for status in charts.STATUSES if _has(figures.coverage, status)],
        measured=measured(figures.method),
        limits=_card()["limits"],
        poor=POOR_COVERAGE,
        few=FEW,
        baseline_days=BASELINE_DAYS,
        fewest_days=FEWEST_DAYS,
        fewest_a_day=charts.FEWEST_A_DAY,
        fewest_mentions=FEWEST_MENTIONS,
        most_brands=charts.MOST_BRANDS,
        voted=VOTED,
    )


def measured(method: Method) -> list[Mapping[str, Any]]:
    """Return how well an engine read the sets with labelled targets, by its card; nothing of a model that is not in it.

    The engine is known by its name, and where the card tells the hash of its model, by that.
    """
    model = _card()["models"].get(method.engine)
    if model and not model["sha256"].startswith(method.model):
        return []
    return [one for one in _card()["figures"] if one["engine"] == method.engine and one["file"].startswith(_TARGETED)]


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _card() -> Mapping[str, Any]:
    card = files("market_opinion.sentiment").joinpath("models", "card.json").read_text(encoding="utf-8")
    found: Mapping[str, Any] = json.loads(card)
    return found


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "count": wording.count,
        "percent": wording.percent,
        "share": wording.share,
        "share_interval": wording.share_interval,
        "net": wording.net,
        "net_of": wording.net_of,
        "net_interval": wording.net_interval,
        "points": wording.points,
        "points_interval": wording.points_interval,
        "direction": wording.direction,
        "day": wording.day,
        "span": wording.span,
        "moment": wording.moment,
        "iso": wording.iso,
        "difference": wording.difference,
        "link": link,
        "code": code,
        "text": shown,
        "heat": heat,
        "mark_told": mark_told,
    }
    made.globals["nothing"] = wording.NOTHING
    return made


def link(permalink: str | None) -> str | None:
    """Return where a permalink leads; None for what does not look like one."""
    if permalink is None or not _PERMALINK.fullmatch(permalink):
        return None
    return REDDIT + percent_encoded(permalink, safe="/%~")


def shown(text: str) -> str:
    """Return a line of text from outside with a sign in the place of what cannot be shown or turns the line around."""
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in ("Cc", "Cs") else char for char in text)


def code(text: str) -> Markup:
    """Return text whose parts between backticks are code."""
    parts = text.split("`")
    marked = (
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )
    return Markup("").join(marked)


def heat(opinion: Opinion) -> str:
    """Return the class of a cell: its place on a scale from `worst-3` to `best-3`, and `few`."""
    if opinion.net is None or opinion.mentions < FEW:
        return "few"
    step = sum(abs(opinion.net.value) >= bound for bound in _STEPS)
    return f"{'best' if opinion.net.value > 0 else 'worst'}-{step}" if step else "middle"


def _grouped(quotes: Sequence[Quote]) -> dict[str, dict[str | None, list[Quote]]]:
    found: dict[str, dict[str | None, list[Quote]]] = defaultdict(lambda: defaultdict(list))
    for quote in quotes:
        found[quote.brand][quote.aspect].append(quote)
    return found


def _is_poor(one: SubredditCoverage) -> bool:
    return Coverage((one,)).is_poor


def _has(coverage: Coverage, status: str) -> bool:
    return any(one.by_status.get(status) for one in coverage.subreddits)
