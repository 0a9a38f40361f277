"""Figures are what counting by hand gives, with intervals from whole numbers only."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market_opinion.analysis.figures import NOT_LOOKED_AT, Figures
from market_opinion.analysis.periods import Period
from market_opinion.analysis.reporting import default_period, figures_of
from market_opinion.analysis.statistics import Sums, net_sentiment, share
from market_opinion.analysis.warehouse import open_warehouse
from market_opinion.documents import BOT, CROSSPOST, FLOOD, SET_ASIDE
from market_opinion.labels import NO_LABELS, Labels
from market_opinion.market import Market, load_market
from market_opinion.sentiment.calibrating import Calibration
from reddit_ingest.core.errors import DamagedState, InvalidRequest

from ...fakes import MemoryLake
from ...lakes import T0
from .zones import DAY, LABEL_NAMES, Row, comparison, document, mention, seen, zone_of

FIRST = date(2026, 1, 1)
ONE_DAY = Period(FIRST, FIRST)


@pytest.fixture(scope="module")
def market() -> Market:
    return load_market("smartphones")


def figures(zone: MemoryLake, market: Market, period: Period = ONE_DAY, labels: Labels = NO_LABELS) -> Figures:
    with open_warehouse(zone) as connection:
        return figures_of(connection, market, period, labels, lambda fullname: fullname == "t1_buried")


mentions_of_two_days = st.lists(
    st.fixed_dictionaries(
        {
            "brand": st.sampled_from(["apple", "google", "samsung"]),
            "product": st.sampled_from([None, "iphone-17", "unknown"]),
            "label": st.sampled_from(LABEL_NAMES),
            "author": st.sampled_from(["ann", "ben", "cid", None]),
            "aspects": st.lists(st.sampled_from(["battery", "camera"]), unique=True),
            "flags": st.lists(st.sampled_from([BOT, FLOOD, CROSSPOST]), unique=True),
            "created_utc": st.integers(T0 - DAY, T0 + DAY - 1),
        }
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=15)
@given(mentions_of_two_days)
def test_figures_are_what_counting_by_hand_gives(told: list[Row]) -> None:
    market = load_market("smartphones")
    rows = [mention(f"t1_{number}", **row) for number, row in enumerate(told)]
    counted = [row for row in rows if not SET_ASIDE & {*row["flags"]}]
    now = [row for row in counted if row["created_utc"] >= T0]
    if not any(row["created_utc"] >= T0 for row in rows):
        with pytest.raises(InvalidRequest, match="nothing was said"):
            figures(zone_of(rows), market)
        return
    found = figures(zone_of(rows), market)
    assert {one.brand for one in found.brands} == {row["brand"] for row in now}
    assert (found.mentions, found.authors) == (len(now), len({_who(row) for row in now}))
    for one in found.brands:
        own = [row for row in now if row["brand"] == one.brand]
        assert _counts(one.opinion) == _by_hand(own)
        assert one.opinion.net == net_sentiment(_sums(own, own))
        assert one.share == share(_sums(now, own, is_share=True))
        before = [row for row in counted if row["created_utc"] < T0 and row["brand"] == one.brand]
        assert _counts(one.before) == _by_hand(before)
        everything = [row for row in rows if row["created_utc"] >= T0 and row["brand"] == one.brand]
        assert _counts(one.everything) == _by_hand(everything)
        assert {each.product: each.opinion.mentions for each in one.products} == {
            product: sum(row["product"] == product for row in own)
            for product in {row["product"] for row in own} - {None}
        }
    cells = {(row["brand"], aspect) for row in now for aspect in row["aspects"]}
    assert {(cell.brand, cell.aspect) for cell in found.cells} == cells
    for cell in found.cells:
        own = [row for row in now if row["brand"] == cell.brand and cell.aspect in row["aspects"]]
        assert _counts(cell.opinion) == _by_hand(own)
        assert cell.opinion.net == net_sentiment(_sums(own, own))
    assert found.set_aside.mentions == sum(row["created_utc"] >= T0 and row not in counted for row in rows)
    assert sum(one.share.value for one in found.brands) == pytest.approx(1 if now else 0)


def _who(row: Row) -> str:
    return str(row["author"] or row["fullname"])


def _by_hand(rows: list[Row]) -> tuple[int, ...]:
    labels = [row["label"] for row in rows]
    return (len(rows), len({_who(row) for row in rows}), *(labels.count(label) for label in reversed(LABEL_NAMES)))


def _counts(opinion: object) -> tuple[int, ...]:
    return tuple(getattr(opinion, name) for name in ("mentions", "authors", "positive", "neutral", "negative"))


def _sums(rows: list[Row], own: list[Row], *, is_share: bool = False) -> Sums:
    people = {_who(row) for row in rows}
    pairs = []
    for who in people:
        mine = [row for row in own if _who(row) == who]
        balance = sum(LABEL_NAMES.index(row["label"]) - 1 for row in mine)
        pairs.append((sum(_who(row) == who for row in rows), len(mine) if is_share else balance))
    return Sums(
        len(people),
        sum(x for x, _ in pairs),
        sum(y for _, y in pairs),
        sum(x * x for x, _ in pairs),
        sum(x * y for x, y in pairs),
        sum(y * y for _, y in pairs),
    )


def test_a_period_is_in_the_days_of_the_markets_time_zone(market: Market) -> None:
    there = replace(market, time_zone="Pacific/Auckland")  # thirteen hours ahead in January
    rows = [mention("t1_a", created_utc=T0 - 13 * 3600), mention("t1_b", created_utc=T0 - 13 * 3600 - 1)]
    found = figures(zone_of(rows), there)
    assert (found.mentions, found.brands[0].before.mentions) == (1, 1)
    assert [day.opinion.mentions for day in found.brands[0].days][-2:] == [1, 1]


def test_one_loud_author_makes_the_interval_wide(market: Market) -> None:
    many = [mention(f"t1_{n}", author=f"author{n}", label=LABEL_NAMES[2 * (n % 2)]) for n in range(40)]
    loud = [{**row, "author": "ann" if row["label"] == "positive" else row["author"]} for row in many]
    widths = []
    for rows in (many, loud):
        net = figures(zone_of(rows), market).brands[0].opinion.net
        assert net is not None
        widths.append(net.high - net.low)
    assert widths[1] > 1.5 * widths[0]


def test_a_calibration_moves_net_sentiment_and_widens_it_and_leaves_the_change_alone(market: Market) -> None:
    made = Calibration("lexicon", "m", 0.1, 0.1, 99, "x", -0.2, 0.05, {"battery": (0.1, 0.02, 40)})
    rows = [
        mention(
            f"t1_{n}",
            author=f"a{n}",
            label=("positive", "neutral")[n % 2],
            aspects=["battery"],
            calibrated=True,
            created_utc=T0 - DAY * (n % 3 == 0),
        )
        for n in range(60)
    ]
    plain, corrected = (figures(zone_of(rows), market, labels=labels) for labels in (NO_LABELS, Labels(made)))
    before, after = (one.brands[0].opinion.net for one in (plain, corrected))
    assert before is not None
    assert after is not None
    assert after.value == pytest.approx(before.value - 0.2)
    assert after.high - after.low > before.high - before.low
    cells = [one.cells[0].opinion.net for one in (plain, corrected)]
    assert cells[1].value == pytest.approx(cells[0].value + 0.1)  # type: ignore[union-attr]
    assert plain.brands[0].net_change == corrected.brands[0].net_change
    assert (corrected.method.is_calibrated, corrected.method.labels) == (True, 99)
    assert not plain.method.is_calibrated


def test_duels_count_both_ways_and_by_aspect(market: Market) -> None:
    rows = [
        comparison("t1_1", "apple", "google", author="ann", aspects=["camera"]),
        comparison("t1_2", "apple", "google", author="ben"),
        comparison("t1_3", "google", "apple", author="cid", aspects=["camera"]),
        comparison("t1_4", "google", "apple", author="bot", flags=[BOT]),
        comparison("t1_5", "apple", "apple"),
    ]
    found = figures(zone_of([mention("t1_0")], comparisons=rows), market).duels
    assert [(duel.one, duel.other, duel.one_better, duel.other_better, duel.authors) for duel in found] == [
        ("apple", "google", 2, 1, 3)
    ]
    assert found[0].aspects == {"camera": (1, 1)}


def test_coverage_tells_hours_by_status_and_the_comments_that_are_missing(market: Market) -> None:
    thread = {"kind": "submissions", "num_comments": 4}
    documents = [
        document("t3_1", **thread),
        document("t1_0"),
        document("t1_later", created_utc=T0 + DAY),
        document("t3_2", kind="submissions", num_comments=0),
        document("t1_8", thread="t3_2"),
    ]
    zone = zone_of(
        [mention("t1_0")],
        documents,
        coverage={"phones": [*seen(range(-5, 20)), *seen([20, 21], "truncated")], "tablets": []},
    )
    found = figures(zone, market).coverage
    phones = found.subreddits[0]
    assert phones.by_status == {"complete": 20, "truncated": 2, NOT_LOOKED_AT: 2}
    assert phones.by_source == {"reddit-api": 22}
    assert (phones.threads, phones.comments_told, phones.comments_seen) == (2, 4, 2)
    assert (found.whole_share, found.capture_share) == (20 / 24, 0.5)
    assert found.is_poor


def test_a_day_that_was_seen_whole_is_not_poor(market: Market) -> None:
    assert not figures(zone_of([mention("t1_0")]), market).coverage.is_poor


def test_quotes_stand_in_their_texts_and_each_place_has_its_own(market: Market) -> None:
    rows = [
        mention(
            f"t1_{n}",
            author=f"a{n}",
            label="negative",
            aspects=["battery"],
            score=n,
            quote=f"The battery died after {n} days.",
            quote_start=4,
        )
        for n in range(9)
    ]
    texts = [document(row["fullname"], "Oh! " + row["quote"], score=row["score"], author=row["author"]) for row in rows]
    found = figures(zone_of(rows, texts), market).quotes
    text_of = {row["fullname"]: row["text"] for row in texts}
    assert all(text_of[quote.fullname][quote.start :].startswith(quote.text) for quote in found)
    assert [(quote.aspect, quote.picked_as, quote.score) for quote in found] == [
        (aspect, pick, score)
        for aspect in (None, "battery")
        for pick, scores in (("negative", (8, 7)), ("voted", (6, 5)))
        for score in scores
    ]


def test_an_author_is_quoted_once_for_a_place(market: Market) -> None:
    rows = [mention(f"t1_{n}", label="positive", score=1, author="ann") for n in range(5)]
    assert len(figures(zone_of(rows), market).quotes) == 1


def test_what_was_deleted_since_is_not_quoted(market: Market) -> None:
    rows = [mention("t1_buried", label="positive", score=0)]
    assert figures(zone_of(rows), market).quotes == ()


def test_bots_and_copies_are_not_quoted(market: Market) -> None:
    rows = [mention("t1_1"), mention("t1_2", label="positive", score=99, flags=[BOT])]
    assert figures(zone_of(rows), market).quotes == ()


def test_a_sentence_that_is_not_in_its_text_stops_the_report(market: Market) -> None:
    with pytest.raises(
        DamagedState, match=r"t1_1 does not stand in its text; run `market-opinion augment --rebuild phones`"
    ):
        figures(
            zone_of([mention("t1_1", label="positive")], [document("t1_1", "Something else entirely here.")]), market
        )


def test_tables_of_two_engines_are_not_mixed(market: Market) -> None:
    rows = [mention("t1_1"), mention("t1_2", engine="linear")]
    with pytest.raises(InvalidRequest, match="different engines"):
        figures(zone_of(rows), market)


def test_mentions_of_another_market_do_not_count(market: Market) -> None:
    rows = [mention("t1_1"), mention("t1_2", market="espresso")]
    assert figures(zone_of(rows), market).mentions == 1


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(24, Period(FIRST, FIRST)), (47, Period(FIRST, FIRST)), (48, Period(FIRST, date(2026, 1, 2)))],
)
def test_the_usual_period_ends_with_the_last_whole_day(hours: int, expected: Period) -> None:
    with open_warehouse(zone_of(coverage={"phones": seen(range(hours))})) as connection:
        assert default_period(connection, "UTC", expected.days) == expected


@pytest.mark.parametrize(("rows", "message"), [([], "tables are empty"), (seen(range(23)), "not hold a whole day")])
def test_without_a_whole_day_there_is_no_usual_period(rows: list[Row], message: str) -> None:
    with open_warehouse(zone_of(coverage={"phones": rows})) as connection, pytest.raises(InvalidRequest, match=message):
        default_period(connection, "UTC")


def test_the_same_tables_give_the_same_figures(market: Market) -> None:
    rows = [
        mention(f"t1_{n}", author=f"a{n % 7}", label=LABEL_NAMES[n % 3], brand=("apple", "google")[n % 2], score=n % 5)
        for n in range(200)
    ]
    zone = zone_of(rows, comparisons=[comparison(f"t1_{n}", "apple", "google", author=f"a{n}") for n in range(9)])
    assert figures(zone, market) == figures(zone, market)
