"""Two weeks of a world whose truth is known: figures hold it within the intervals that they state."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from market_opinion.analysis.figures import Figures
from market_opinion.analysis.periods import Period
from market_opinion.analysis.reporting import figures_of
from market_opinion.analysis.warehouse import open_warehouse
from market_opinion.label_store import LabelStore
from market_opinion.labels import NO_LABELS, Labels
from market_opinion.market import load_market
from market_opinion.sentiment.scoring import make_scorer
from reddit_ingest.bootstrap import LocalLake
from reddit_sim import GeneratedWorld

from ..judges import fill
from ..worlds import BOT, DAYS, FIRST_DAY, FLOOD, Truth, truth_of
from .conftest import Person

BOTH_WEEKS = Period(FIRST_DAY, FIRST_DAY + timedelta(DAYS - 1))
SECOND_WEEK = Period.ending(BOTH_WEEKS.last, 7)
MARKET = load_market("smartphones")


def figures(lake: LocalLake, period: Period, labels: Labels = NO_LABELS) -> Figures:
    with open_warehouse(lake.augmented().reader) as connection:
        return figures_of(connection, MARKET, period, labels, lambda _: False)


@pytest.fixture(scope="module")
def both_weeks(eventful: tuple[GeneratedWorld, LocalLake]) -> tuple[Figures, Truth]:
    world, lake = eventful
    return figures(lake, BOTH_WEEKS), truth_of(world, BOTH_WEEKS.first, BOTH_WEEKS.days)


@pytest.fixture(scope="module")
def calibrated(
    eventful: tuple[GeneratedWorld, LocalLake], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Figures, Truth]]:
    """The second week, calibrated on 300 mentions that somebody judged who knows the truth."""
    world, lake = eventful
    folder = tmp_path_factory.mktemp("calibrated")
    someone = Person(LocalLake(shutil.copytree(lake.root, folder / "lake")), {})
    sheet = folder / "labels.csv"
    assert someone.types("calibrate", "sheet", str(sheet)).exit_code == 0
    fill(world, sheet)
    assert someone.types("calibrate", "fit", str(sheet)).exit_code == 0
    assert someone.types("augment").exit_code == 0
    labels = LabelStore(someone.lake.augmented(), MARKET.name).labels(make_scorer("linear"))
    yield figures(someone.lake, SECOND_WEEK, labels), truth_of(world, SECOND_WEEK.first, SECOND_WEEK.days)
    shutil.rmtree(folder)


def test_share_of_voice_holds_the_truth(both_weeks: tuple[Figures, Truth]) -> None:
    found, truth = both_weeks
    assert [one.brand for one in found.brands if truth.count(one.brand).mentions] == sorted(
        truth.brands, key=lambda brand: -truth.count(brand).mentions
    )
    for one in found.brands:
        share = truth.count(one.brand).mentions / truth.count().mentions
        assert one.share.low <= share <= one.share.high
        assert one.share.value == pytest.approx(share, abs=0.005)


def test_net_sentiment_and_aspects_hold_the_truth_in_nine_of_ten_intervals(
    calibrated: tuple[Figures, Truth],
) -> None:
    found, truth = calibrated
    assert found.method.is_calibrated
    told = [(one.opinion.net, truth.count(one.brand)) for one in found.brands]
    told += [(cell.opinion.net, truth.count(cell.brand, cell.aspect)) for cell in found.cells]
    held = [net.low <= count.net <= net.high for net, count in told if net and count.mentions]
    assert len(held) >= 40
    assert sum(held) >= 0.9 * len(held)


def test_a_flood_and_a_bot_do_not_move_the_figures_and_it_is_told_how_far_they_would(
    both_weeks: tuple[Figures, Truth],
) -> None:
    found, truth = both_weeks
    for one in found.brands:
        assert one.opinion.mentions == pytest.approx(truth.count(one.brand).mentions, abs=4, rel=0.01)
    by_brand = {one.brand: one for one in found.brands}
    flooded, botted = by_brand[FLOOD.brand.lower()], by_brand[BOT.brand.lower()]
    assert flooded.everything.mentions - flooded.opinion.mentions >= FLOOD.copies
    assert botted.everything.mentions - botted.opinion.mentions >= 0.9 * DAYS * BOT.comments_per_day
    for one in (flooded, botted):
        assert not one.share.low <= one.share_of_everything <= one.share.high
    assert flooded.everything.net is not None
    assert flooded.opinion.net is not None
    assert flooded.everything.net.value < flooded.opinion.net.low
    assert {name for name, _ in found.set_aside.authors} >= {FLOOD.author, BOT.name}


def test_the_trouble_shows_in_its_cell_and_in_no_other_of_that_size(
    eventful: tuple[GeneratedWorld, LocalLake],
) -> None:
    _, lake = eventful
    found = figures(lake, SECOND_WEEK)
    fallen = [cell for cell in found.cells if cell.net_change and cell.opinion.mentions >= 30]
    worst = min(fallen, key=lambda cell: cell.net_change.value)  # type: ignore[union-attr]
    assert (worst.brand, worst.aspect) == ("samsung", "battery")
    assert worst.net_change is not None
    assert worst.net_change.high < 0
    assert worst.opinion.mentions > 3 * worst.before.mentions


def test_two_imported_weeks_were_seen_whole(both_weeks: tuple[Figures, Truth]) -> None:
    coverage = both_weeks[0].coverage
    assert coverage.whole_share == 1.0
    assert not coverage.is_poor


def test_reading_a_lake_changes_nothing_in_it(eventful: tuple[GeneratedWorld, LocalLake]) -> None:
    lake = eventful[1]
    before = _files(lake.root)
    figures(lake, SECOND_WEEK)
    assert _files(lake.root) == before


def _files(root: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in sorted(root.rglob("*")) if path.is_file()}
