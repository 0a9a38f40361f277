import re
from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest

from market_opinion.analysis.figures import NOTHING_SAID, Coverage, Day
from market_opinion.analysis.reporting import baseline_of
from market_opinion.report import charts

from . import made


def over_days(name: str, *counts: tuple[int, int, int], of: int = 100):
    """A brand of which was said so much on the last days."""
    days = [Day(day, NOTHING_SAID, 0) for day in baseline_of(made.PERIOD)]
    for number, (positive, neutral, negative) in enumerate(reversed(counts), start=1):
        days[-number] = Day(days[-number].day, made.opinion(positive, neutral, negative), of)
    return made.brand(name, made.opinion(*counts[-1]), of, days=tuple(days))


def drawn(chart: charts.Chart | None) -> str:
    assert chart is not None
    return chart.__html__()


def test_a_chart_holds_shapes_and_text_and_one_sentence() -> None:
    told = made.figures([over_days("Apple", (4, 3, 1), (5, 2, 2)), over_days("Samsung", (2, 2, 2), (1, 1, 7))])
    for chart in (charts.shares_by_day(told), charts.net_by_brand(told), charts.hours_seen(told.coverage)):
        source = drawn(chart)
        assert set(re.findall(r"<(\w+)", source)) <= {"svg", "g", "path", "line", "rect", "text"}
        assert source.count('role="img"') == source.count("<svg") == 2
        assert not re.findall(r"xmlns|style=|href|url\(| id=|<style|aria-hidden", source)


def test_colours_are_those_of_the_page() -> None:
    told = made.figures([over_days("Apple", (4, 3, 1), (5, 2, 2))])
    source = drawn(charts.shares_by_day(told)) + drawn(charts.net_by_brand(told))
    painted = set(re.findall(r'(?:fill|stroke)="([^"]+)"', source))
    assert {colour for colour in painted if not re.fullmatch(r"var\(--[\w-]+\)|none|transparent", colour)} == set()


def test_each_chart_says_in_words_what_it_shows() -> None:
    told = made.figures()
    assert "Apple +0.17; Samsung 0.00" in drawn(charts.net_by_brand(told))
    assert "r/phones 168 of 168" in drawn(charts.hours_seen(told.coverage))


def test_a_line_needs_two_days() -> None:
    assert charts.shares_by_day(made.figures([over_days("Apple", (4, 3, 1))])) is None
    assert charts.shares_by_day(made.figures([over_days("Apple", (4, 3, 1), (4, 3, 1))])) is not None


def test_brands_beyond_the_sixth_share_a_line() -> None:
    told = made.figures([over_days(f"Brand{n}", (9 - n, 1, 1), (9 - n, 1, 1)) for n in range(8)])
    source = drawn(charts.shares_by_day(told))
    assert source.count(">Other<") == 2
    assert ">Brand5<" in source
    assert ">Brand6<" not in source


def test_a_day_without_a_word_is_a_gap() -> None:
    told = made.figures([over_days("Apple", (4, 3, 1), (4, 3, 1), (0, 0, 0), (4, 3, 1), (4, 3, 1))])
    (line,) = re.findall(r'd="(M[^"]+)" stroke="var\(--c1\)"', drawn(charts.shares_by_day(told)).split("<svg")[1])
    assert line.count("M") == 2


def test_days_with_few_mentions_have_no_net_sentiment_in_the_chart() -> None:
    few = made.figures([over_days("Apple", (2, 1, 1), (2, 1, 1), (2, 1, 1))])
    assert charts.net_by_day(few) == []
    enough = made.figures([over_days("Apple", (3, 1, 1), (3, 1, 1), (2, 1, 1))])
    assert [brand.name for brand, _ in charts.net_by_day(enough)] == ["Apple"]


def test_a_marked_day_is_marked_in_the_chart_of_its_brand_only() -> None:
    days = [(8, 3, 1)] * 7
    told = made.figures([over_days("Apple", *days), over_days("Samsung", *days)], marked_days=(made.marked(),))
    apple, samsung = (chart for _, chart in charts.net_by_day(told))
    assert drawn(apple).count("var(--mark)") == 2
    assert "14 January 2026" in drawn(apple)
    assert "var(--mark)" not in drawn(samsung)


def test_labels_at_the_end_of_lines_never_cover_each_other() -> None:
    told = made.figures([over_days(f"Brand{n}", (5, 1, 1), (5, 1, 1)) for n in range(6)])
    source = drawn(charts.shares_by_day(told)).split("<svg")[1]
    heights = sorted(float(y) for y in re.findall(r'translate\([\d.]+,([\d.]+)\)"[^>]*font-weight="600"', source))
    assert len(heights) == 6
    assert min(high - low for low, high in pairwise(heights)) >= 14


def test_bars_of_hours_are_as_wide_as_their_part() -> None:
    half = Coverage((made.seen(84), made.seen(168, subreddit="other")))
    source = drawn(charts.hours_seen(half)).split("<svg")[1]
    widths = {
        paint: float(width)
        for width, paint in re.findall(r'd="M[\d.]+,[\d.]+h([\d.]+)v16[^"]*" fill="([^"]+)"', source)
    }
    whole = max(widths.values())
    assert widths["var(--not-looked-at)"] == pytest.approx(whole / 2, rel=0.01)


def test_anything_but_shapes_is_an_error() -> None:
    with pytest.raises(ValueError, match="image"):
        charts._drawn(
            {"data": {"values": [{}]}, "mark": {"type": "image", "url": "data:,", "width": 9, "height": 9}}, "", ""
        )


def test_days_are_named_in_order_with_the_last_one_always() -> None:
    days = list(baseline_of(made.PERIOD))
    axis = charts._days_axis(days, 4)["axis"]
    assert axis["values"][0] == len(days) - 1
    assert len(axis["values"]) <= 4
    assert days[-1] == date(2026, 1, 18)
    assert '"18 Jan"' in axis["labelExpr"]


def test_without_brands_there_are_no_charts_of_them() -> None:
    nothing = replace(made.figures(), brands=())
    assert charts.shares_by_day(nothing) is None
    assert charts.net_by_brand(nothing) is None
    assert charts.net_by_day(nothing) == []
