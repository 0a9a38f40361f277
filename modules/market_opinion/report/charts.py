"""Charts as SVG: Vega-Lite draws them here, without a browser and without a network.

Colours are variables of the page's style sheet, so that a chart follows the reader's light or dark. Wide charts come in
two widths, and the style sheet shows the one that fits. What comes out holds shapes and text and nothing else: any
other element or attribute is an error.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

import vl_convert

from reddit_ingest.core.coverage import CoverageStatus

from ..analysis.figures import NOT_LOOKED_AT, BrandFigures, Coverage, Day, Figures, SubredditCoverage
from ..analysis.periods import Period
from ..analysis.statistics import Estimate
from . import wording

Spec = dict[str, Any]

MOST_BRANDS = 6
"""So many brands have a line of their own; more could not be told apart."""

FEWEST_A_DAY = 5
"""The net sentiment of a day with fewer mentions is not drawn: its interval covers nearly all there is."""
STATUSES = (*map(str, CoverageStatus), NOT_LOOKED_AT)
"""What may be known of an hour, the best first."""

_WIDE, _NARROW = 840, 340
_INK, _MUTED, _LINE, _ACCENT, _MARK = "var(--ink)", "var(--muted)", "var(--line)", "var(--accent)", "var(--mark)"
_FONT = "system-ui, sans-serif"
_LABEL_GAP = 16
_DAYS_WITH_DOTS = 45
_SIGNED = "(datum.value > 0 ? '+' : datum.value < 0 ? '−' : '') + format(abs(datum.value), '.2f')"

_SHAPES = {"svg", "g", "path", "line", "rect", "text", "circle", "tspan"}
_ATTRIBUTES = {
    *("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "d", "width", "height", "viewBox", "transform", "dx", "dy"),
    *("fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-dashoffset"),
    *("stroke-miterlimit", "stroke-linecap", "stroke-linejoin", "opacity"),
    *("text-anchor", "font-family", "font-size", "font-weight", "font-style"),
}
# What programs that read pictures aloud would make of every shape; the chart has one sentence instead.
_DROPPED = re.compile(r"role|aria-.*|class|version|pointer-events|display|xmlns.*")


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart in one or two widths, with a sentence that says what it shows."""

    label: str
    wide: Spec
    narrow: Spec | None = None

    def __html__(self) -> str:
        """Return the markup."""
        if self.narrow is None:
            return _drawn(self.wide, self.label, "chart")
        wide, narrow = _drawn(self.wide, self.label, "chart wide"), _drawn(self.narrow, self.label, "chart narrow")
        return wide + narrow


def _drawn(spec: Spec, label: str, classes: str) -> str:
    root = _parsed(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))
    _clean(root)
    root.attrib |= {"class": classes, "role": "img", "aria-label": label}
    return ElementTree.tostring(root, encoding="unicode")


def _parsed(svg: str) -> ElementTree.Element:
    """Return a drawing as a tree; it has neither document type nor entities."""
    builder, parser = ElementTree.TreeBuilder(), expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler = builder.data
    parser.Parse(svg, True)
    return builder.close()


def _clean(element: ElementTree.Element) -> None:
    element.attrib = {name: value for name, value in element.attrib.items() if not _DROPPED.fullmatch(name)}
    strange = {*element.attrib} - _ATTRIBUTES
    if element.tag not in _SHAPES or strange:
        raise ValueError(f"a chart holds <{element.tag}> with {sorted(strange)}")
    for child in list(element):
        if child.get("display") == "none" or child.get("opacity") == "0" or child.get("d") in ("", "M0,0h0v0h0Z"):
            element.remove(child)
        else:
            _clean(child)


def shares_by_day(figures: Figures) -> Chart | None:
    """Return the shares of the most named brands day by day; None where fewer than two days were seen."""
    days = _seen_days(figures)
    if len(days) < 2:
        return None
    shown, rest = figures.brands[:MOST_BRANDS], figures.brands[MOST_BRANDS:]
    lines = [(brand.name, colour(number), _parts([brand], figures, days)) for number, brand in enumerate(shown)]
    if rest:
        lines.append(("Other", "var(--other)", _parts(rest, figures, days)))
    label = (
        f"Lines: share of voice by day, {wording.span(Period(days[0], days[-1]))}, of"
        f" {wording.listed([name for name, _, _ in lines])}. The table beside it has the numbers of the period."
    )
    return Chart(label, *(_share_lines(figures, days, lines, width) for width in (_WIDE, _NARROW)))


def _seen_days(figures: Figures) -> list[date]:
    """Return the days from the first on which anything was seen."""
    days = figures.brands[0].days if figures.brands else ()
    first = next((number for number, day in enumerate(days) if day.exposure), len(days))
    return [day.day for day in days[first:]]


def _parts(brands: Sequence[BrandFigures], figures: Figures, days: Sequence[date]) -> list[float | None]:
    """Return the part of all mentions by day; None where nothing was said."""
    skipped = figures.baseline.days - len(days)
    found: list[float | None] = []
    for number in range(skipped, figures.baseline.days):
        total = sum(brand.days[number].opinion.mentions for brand in figures.brands)
        own = sum(brand.days[number].opinion.mentions for brand in brands)
        found.append(own / total if total else None)
    return found


Line = tuple[str, str, list[float | None]]


def _share_lines(figures: Figures, days: Sequence[date], lines: Sequence[Line], width: int) -> Spec:
    height = 300
    top = 1.08 * max(part for _, _, parts in lines for part in parts if part is not None)
    x, y = _days_axis(days, 7 if width == _WIDE else 4), _scale(0, top)
    axis = {"format": ".0%", "tickCount": 5, "grid": True}
    layers = [_shade(figures, days)]
    for _, paint, parts in lines:
        mark = {"type": "line", "color": paint, "strokeWidth": 2, "point": _points(paint, days)}
        encoding = {"x": {**x, "field": "n"}, "y": {**y, "field": "part", "axis": axis}}
        layers.append(_layer([{"n": n, "part": part} for n, part in enumerate(parts)], mark, encoding))
    ends = [next(part for part in reversed(parts) if part is not None) for _, _, parts in lines]
    for (name, paint, _), at in zip(lines, _apart(ends, top * _LABEL_GAP / height, top), strict=True):
        mark = {"type": "text", "align": "left", "dx": 10, "color": paint, "fontSize": 12.5, "fontWeight": 600}
        value = {"n": len(days) - 1, "at": at, "name": _short(name)}
        encoding = {"x": {**x, "field": "n"}, "y": {**y, "field": "at"}, "text": {"field": "name"}}
        layers.append(_layer([value], mark, encoding))
    return {**_frame(width, height, 46, 110 if width == _WIDE else 92), "layer": layers}


def _apart(values: Sequence[float], gap: float, top: float) -> list[float]:
    """Return where labels may stand so that none covers another, as near to their values as that allows."""
    order = sorted(range(len(values)), key=lambda number: values[number])
    places = [values[number] for number in order]
    for _ in range(50):
        for low, high in pairwise(range(len(places))):
            if (lacking := gap - (places[high] - places[low])) > 0:
                places[low] -= lacking / 2
                places[high] += lacking / 2
        lift = min(0.0, top - places[-1]) or max(0.0, gap / 2 - places[0])
        places = [place + lift for place in places]
    return [place for _, place in sorted(zip(order, places, strict=True))]


def net_by_brand(figures: Figures) -> Chart | None:
    """Return the net sentiment of brands now and before, with intervals; None where there is no brand that has one."""
    known = [(brand, brand.opinion.net) for brand in figures.brands]
    rows = sorted(((brand, net) for brand, net in known if net), key=lambda one: (-one[1].value, one[0].brand))
    told = "; ".join(f"{brand.name} {wording.net(net.value)}" for brand, net in rows)
    label = f"Net sentiment of brands with 95% intervals, the best first: {told}."
    return Chart(label, *(_net_dots(figures, rows, width) for width in (_WIDE, _NARROW))) if rows else None


def _net_dots(figures: Figures, rows: Sequence[tuple[BrandFigures, Estimate]], width: int) -> Spec:
    values = []
    ends = [0.0]
    for n, (brand, net) in enumerate(rows):
        before = brand.before.net.value if brand.before.net and figures.is_comparable else None
        told = {"net": net.value, "low": net.low, "high": net.high, "before": before}
        values.append({"n": n, "name": _short(brand.name), **told})
        ends += [net.low, net.high, net.value if before is None else before]
    low, high = min(ends), max(ends)
    margin = 0.04 * (high - low)
    x = _scale(low - margin, high + margin)
    y = {**_scale(len(rows) - 0.5, -0.5), "field": "n", "axis": None}
    axis = {"labelExpr": _SIGNED, "tickCount": 7 if width == _WIDE else 3, "grid": True}
    marks = [
        ({"type": "rule", "color": _MUTED, "strokeWidth": 1}, {"x": {"datum": 0, **x}}),
        (
            {"type": "rule", "color": _ACCENT, "strokeWidth": 2.5, "opacity": 0.55},
            {"x": {**x, "field": "low", "axis": axis}, "x2": {"field": "high"}, "y": y},
        ),
        (
            {"type": "point", "color": _INK, "fill": "var(--paper)", "size": 58, "strokeWidth": 1.5, "opacity": 1},
            {"x": {**x, "field": "before"}, "y": y},
        ),
        (
            {"type": "point", "color": _ACCENT, "fill": _ACCENT, "size": 80, "opacity": 1},
            {"x": {**x, "field": "net"}, "y": y},
        ),
        (
            {"type": "text", "align": "right", "dx": -12, "color": _INK, "fontSize": 13},
            {"x": {"value": 0}, "y": y, "text": {"field": "name"}},
        ),
    ]
    layers = [_layer(values if "y" in encoding else [{}], mark, encoding) for mark, encoding in marks]
    return {**_frame(width, 34 * len(rows), 122 if width == _WIDE else 104, 14), "layer": layers}


def net_by_day(figures: Figures) -> list[tuple[BrandFigures, Chart]]:
    """Return a small chart of the daily net sentiment for each of the most named brands, all on one scale.

    Days with fewer than five mentions are left out; brands with less than two days that are left have no chart.
    """
    days = _seen_days(figures)
    skipped = figures.baseline.days - len(days)
    series = [(brand, [_day_net(day) for day in brand.days[skipped:]]) for brand in figures.brands[:MOST_BRANDS]]
    series = [(brand, nets) for brand, nets in series if sum(net is not None for net in nets) > 1]
    ends = [end for _, nets in series for net in nets if net for end in (net.low, net.high)]
    if not ends:
        return []
    y = _scale(min(-0.1, *ends), max(0.1, *ends))
    found = []
    for brand, nets in series:
        marks = [mark for mark in figures.marked_days if mark.brand == brand.brand]
        marked = f" Marked: {wording.listed(sorted({wording.day(mark.day) for mark in marks}))}." if marks else ""
        label = (
            f"Line: net sentiment of {brand.name} by day with its 95% interval,"
            f" {wording.span(Period(days[0], days[-1]))}.{marked}"
        )
        found.append((brand, Chart(label, _net_line(figures, days, nets, {mark.day for mark in marks}, y))))
    return found


def _day_net(day: Day) -> Estimate | None:
    return day.opinion.net if day.opinion.mentions >= FEWEST_A_DAY else None


def _net_line(
    figures: Figures, days: Sequence[date], nets: Sequence[Estimate | None], marked: set[date], y: Spec
) -> Spec:
    values = [
        {"n": n, "net": net and net.value, "low": net and net.low, "high": net and net.high}
        for n, net in enumerate(nets)
    ]
    x = {**_days_axis(days, 3), "field": "n"}
    axis = {"labelExpr": _SIGNED, "tickCount": 4, "grid": True}
    is_short = sum(net is not None for net in nets) < 4
    interval = {"type": "rule", "strokeWidth": 2, "opacity": 0.5} if is_short else {"type": "area", "opacity": 0.18}
    of_marked = [value for value, day in zip(values, days, strict=True) if day in marked and value["net"] is not None]
    layers = [
        _shade(figures, days),
        _layer([{}], {"type": "rule", "color": _MUTED, "strokeWidth": 1}, {"y": {"datum": 0, **y}}),
        _layer(
            values if not is_short else [value for value in values if value["net"] is not None],
            {**interval, "color": _ACCENT},
            {"x": x, "y": {**y, "field": "low", "axis": axis}, "y2": {"field": "high"}},
        ),
        _layer(
            values,
            {"type": "line", "color": _ACCENT, "strokeWidth": 2, "point": _points(_ACCENT, days)},
            {"x": x, "y": {**y, "field": "net", "axis": axis}},
        ),
        _layer(
            of_marked,
            {"type": "point", "shape": "diamond", "color": _MARK, "fill": _MARK, "size": 130, "opacity": 1},
            {"x": x, "y": {**y, "field": "net"}},
        ),
    ]
    return {**_frame(_NARROW, 130, 44, 14), "layer": layers}


def hours_seen(coverage: Coverage) -> Chart | None:
    """Return a bar for each subreddit with its hours by what was seen of them; None without a subreddit."""
    subreddits = coverage.subreddits
    told = "; ".join(f"r/{one.subreddit} {one.whole} of {one.hours}" for one in subreddits)
    label = f"Bars: hours of each subreddit by what was seen of them. Seen whole: {told}."
    return Chart(label, *(_bars(subreddits, width) for width in (_WIDE, _NARROW))) if subreddits else None


def _bars(subreddits: Sequence[SubredditCoverage], width: int) -> Spec:
    y = {**_scale(len(subreddits) - 0.5, -0.5), "field": "n", "axis": None}
    x = _scale(0, 1)
    layers = []
    for status in STATUSES:
        values = []
        for n, one in enumerate(subreddits):
            before = sum(one.by_status.get(other, 0) for other in STATUSES[: STATUSES.index(status)])
            start, end = (part / one.hours for part in (before, before + one.by_status.get(status, 0)))
            values += [{"n": n, "start": start, "end": end}] if end > start else []
        mark = {"type": "bar", "color": f"var(--{status.replace(' ', '-')})", "size": 16}
        axis = {"format": ".0%", "tickCount": 5}
        encoding = {"x": {**x, "field": "start", "axis": axis}, "x2": {"field": "end"}, "y": y}
        layers += [_layer(values, mark, encoding)] if values else []
    names = [{"n": n, "name": _short(f"r/{one.subreddit}", 18)} for n, one in enumerate(subreddits)]
    text = {"type": "text", "align": "right", "dx": -12, "color": _INK, "fontSize": 13}
    layers.append(_layer(names, text, {"x": {"value": 0}, "y": y, "text": {"field": "name"}}))
    return {**_frame(width, 30 * len(subreddits), 150 if width == _WIDE else 128, 22), "layer": layers}


def _frame(width: int, height: int, left: int, right: int) -> Spec:
    """Return a frame whose size does not depend on which fonts this machine has."""
    top, bottom = 8, 28
    axis = {
        "labelColor": _MUTED,
        "labelFontSize": 12,
        "labelFont": _FONT,
        "labelPadding": 8,
        "labelLimit": 0,
        "domain": False,
        "ticks": False,
        "grid": False,
        "gridColor": _LINE,
        "title": None,
    }
    return {
        "width": width - left - right,
        "height": height,
        "padding": {"left": left, "right": right, "top": top, "bottom": bottom},
        "autosize": {"type": "none"},
        "background": None,
        "config": {"aria": False, "view": {"stroke": None}, "axis": axis, "text": {"font": _FONT}},
    }


def _layer(values: Sequence[Mapping[str, Any]], mark: Spec, encoding: Spec) -> Spec:
    return {"data": {"values": [*values]}, "mark": mark, "encoding": encoding}


def _scale(low: float, high: float) -> Spec:
    return {"type": "quantitative", "scale": {"domain": [low, high], "nice": False, "zero": False}}


def _days_axis(days: Sequence[date], count: int) -> Spec:
    """Return a scale of days by their number, with some of them named, the last one always."""
    step = -(-len(days) // count)
    names = [f"{day.day} {day:%b}" for day in days]
    axis = {
        "values": [*range(len(days) - 1, -1, -step)],
        "labelExpr": f"{json.dumps(names)}[datum.value]",
        "labelFlush": False,
        "labelOverlap": False,
    }
    return {**_scale(-0.5, len(days) - 0.5), "axis": axis}


def _shade(figures: Figures, days: Sequence[date]) -> Spec:
    """Return the shade behind the period."""
    start = max(0, (figures.period.first - days[0]).days) - 0.5
    x = _scale(-0.5, len(days) - 0.5)
    mark = {"type": "rect", "color": "var(--shade)"}
    encoding = {"x": {**x, "field": "start"}, "x2": {"field": "end"}}
    return _layer([{"start": start, "end": len(days) - 0.5}], mark, encoding)


def _points(paint: str, days: Sequence[date]) -> Spec | bool:
    """Return dots on a line; without them a day between two gaps would not show."""
    return {"color": paint, "size": 22, "opacity": 1} if len(days) <= _DAYS_WITH_DOTS else False


def _short(name: str, most: int = 14) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def colour(number: int) -> str:
    """Return the colour of a brand by its rank."""
    return f"var(--c{number + 1})"
