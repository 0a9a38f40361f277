"""What is out of the ordinary is told, and what is not is not, as seldom wrongly as promised."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
import scipy.stats
from bench.false_alarms import FIRST, TEMPERAMENTS, Planted, found_on, made_series, quiet_days

from market_opinion.analysis import alerting
from market_opinion.analysis.alerting import (
    BASELINE_DAYS,
    LEVEL,
    NET,
    VOLUME,
    Series,
    Signal,
    alerts,
    baseline_of,
    signals,
)
from market_opinion.analysis.figures import NOTHING_SAID, Day, Opinion
from market_opinion.analysis.statistics import Sums, net_sentiment

TESTED = date(2026, 2, 2)
QUIET_DAYS = 300


def said(positive: int, neutral: int = 0, negative: int = 0, authors: int | None = None) -> Opinion:
    """Return what so many mentions say, by as many authors, or by fewer who each say as much."""
    n, y = positive + neutral + negative, positive - negative
    if not n:
        return NOTHING_SAID
    authors = authors or n
    sums = Sums(authors, n, y, n * n // authors, n * y // authors, max(positive + negative, y * y // authors))
    return Opinion(n, authors, positive, neutral, negative, net_sentiment(sums))


def series(*told: Opinion, exposures: Sequence[int] | None = None) -> tuple[Day, ...]:
    """Return days that end with the tested one."""
    exposures = exposures or [1000] * len(told)
    first = TESTED - timedelta(len(told) - 1)
    days = zip(told, exposures, strict=True)
    return tuple(Day(first + timedelta(n), opinion, exposure) for n, (opinion, exposure) in enumerate(days))


def usual(mentions: int, days: int = BASELINE_DAYS) -> list[Opinion]:
    """Return ordinary days: a few mentions more or less, as many for as against."""
    around = (mentions + (-1) ** n * min(mentions, 2) for n in range(days))
    return [said(n // 3, n - 2 * (n // 3), n // 3) for n in around]


def told(found: Sequence[Signal], kind: str, series: Series = ("one", None)) -> Signal:
    (signal,) = (each for each in found if (each.brand, each.aspect, each.kind) == (*series, kind))
    return signal


def look(*days: Opinion, kind: str = VOLUME, exposures: Sequence[int] | None = None) -> Signal:
    """Return the test of a brand that is the only one."""
    return told(signals({("one", None): series(*days, exposures=exposures)}, TESTED), kind)


def test_many_more_mentions_by_as_many_authors_are_a_spike() -> None:
    spike = look(*usual(12), said(15, 15, 15))
    assert spike.is_alert
    assert (spike.observed, spike.mentions, spike.authors, spike.baseline_days) == (45, 45, 45, BASELINE_DAYS)
    assert spike.expected == pytest.approx(12, abs=0.1)
    assert spike.low < 12 < spike.high < 45
    assert spike.probability < spike.allowed == LEVEL / 2
    assert spike.reason == "chance alone would hardly bring it"


def test_a_usual_day_and_a_silent_one_are_none() -> None:
    assert look(*usual(12), said(5, 4, 5)).reason == "as chance has it"
    silent = look(*usual(12), NOTHING_SAID)
    assert not silent.is_alert
    assert silent.reason.startswith("too little said")
    assert silent.expected == pytest.approx(12, abs=0.1)


def test_one_loud_person_is_no_spike() -> None:
    loud = look(*usual(12), said(15, 15, 15, authors=12))
    assert loud.mentions == 45
    assert not loud.is_alert
    assert loud.probability > 0.3


def test_a_day_on_which_more_was_seen_may_have_more_mentions() -> None:
    days = [*usual(12), said(15, 15, 15)]
    assert not look(*days, exposures=[1000] * BASELINE_DAYS + [3750]).is_alert
    assert look(*days, exposures=[250] * BASELINE_DAYS + [250]).is_alert


def test_days_of_which_little_was_seen_make_no_gap_in_the_baseline() -> None:
    whole = look(*usual(12), said(15, 15, 15))
    days, exposures = usual(12), [1000] * BASELINE_DAYS
    for cut in range(0, BASELINE_DAYS, 2):
        days[cut], exposures[cut] = said(1, 1, 1), 250
    assert look(*days, said(15, 15, 15), exposures=[*exposures, 1000]).expected == pytest.approx(
        whole.expected, rel=0.15
    )


def test_days_on_which_nothing_was_seen_are_left_out_of_the_baseline() -> None:
    days, exposures = usual(12), [1000] * BASELINE_DAYS
    for gap in range(10):
        days[gap], exposures[gap] = NOTHING_SAID, 0
    found = look(*days, said(4, 4, 4), exposures=[*exposures, 1000])
    assert found.baseline_days == BASELINE_DAYS - 10
    assert found.expected == pytest.approx(12, abs=0.2)


@pytest.mark.parametrize(("days", "is_enough"), [(6, False), (7, True)])
def test_a_baseline_needs_seven_days(days: int, is_enough: bool) -> None:
    found = look(*usual(12, days), said(20, 20, 20))
    assert found.is_alert == is_enough
    assert is_enough or found.reason == "too little baseline: 6 days on which anything was seen, 7 needed"


def test_a_day_on_which_nothing_was_seen_is_not_judged() -> None:
    for kind in (VOLUME, NET):
        found = look(*usual(12), NOTHING_SAID, kind=kind, exposures=[1000] * BASELINE_DAYS + [0])
        assert (found.probability, found.expected, found.reason) == (None, None, "nothing was seen on that day")


@pytest.mark.parametrize("opinion", [said(3, 3, 3), said(40, authors=4)])
def test_a_few_mentions_or_authors_are_never_an_alert(opinion: Opinion) -> None:
    found = signals({("one", "battery"): series(*[NOTHING_SAID] * BASELINE_DAYS, opinion)}, TESTED)
    assert alerts(found) == []
    assert all(one.reason.startswith("too little said") for one in found)


def test_what_nobody_ever_spoke_of_is_a_spike_and_has_no_net_sentiment_to_shift() -> None:
    found = signals({("one", "hinge"): series(*[NOTHING_SAID] * BASELINE_DAYS, said(1, 4, 7))}, TESTED)
    assert told(found, VOLUME, ("one", "hinge")).is_alert
    shift = told(found, NET, ("one", "hinge"))
    assert (shift.is_alert, shift.reason) == (False, "too little baseline: 0 mentions on 0 days, 30 on 7 needed")


@pytest.mark.parametrize("sign", [1, -1])
def test_net_sentiment_shifts_in_both_directions(sign: int) -> None:
    bad = said(1, 2, 17) if sign < 0 else said(17, 2, 1)
    shift = look(*usual(12), bad, kind=NET)
    assert shift.is_alert
    assert shift.observed == pytest.approx(sign * 0.8)
    assert shift.expected == pytest.approx(0, abs=0.02)
    assert shift.low < 0 < shift.high
    assert not shift.low <= shift.observed <= shift.high


def test_one_lively_day_is_no_baseline_for_net_sentiment() -> None:
    once = [NOTHING_SAID] * 20 + [said(0, 0, 60)] + [NOTHING_SAID] * 7
    found = look(*once, said(30), kind=NET)
    assert (found.is_alert, found.reason) == (False, "too little baseline: 60 mentions on 1 days, 30 on 7 needed")


def test_a_probability_too_small_for_words_is_one_all_the_same() -> None:
    found = look(*usual(12), said(3000, 3000, 3000))
    assert found.is_alert
    assert 0 <= found.probability < 1e-9


def test_a_few_loud_people_do_not_shift_net_sentiment() -> None:
    assert look(*usual(12), said(1, 2, 17), kind=NET).is_alert
    assert not look(*usual(12), said(1, 2, 17, authors=5), kind=NET).is_alert


def test_a_small_shift_is_no_alert_however_certain() -> None:
    shift = look(*usual(600), said(160, 200, 240), kind=NET)
    assert shift.probability < shift.allowed
    assert (shift.is_alert, shift.reason) == (False, "the shift is smaller than 0.2")


def test_moody_days_in_the_baseline_make_a_shift_less_of_a_surprise() -> None:
    moody = [said(20, 10, 0) if n % 2 else said(0, 10, 20) for n in range(BASELINE_DAYS)]
    assert look(*usual(30), said(3, 10, 17), kind=NET).is_alert
    assert not look(*moody, said(3, 10, 17), kind=NET).is_alert


def test_a_day_that_was_out_of_the_ordinary_itself_is_left_out_of_the_baseline() -> None:
    days = usual(12)
    days[9] = said(0, 50, 150)
    found = look(*days, said(15, 15, 15))
    assert found.is_alert
    assert found.baseline_days == BASELINE_DAYS - 1
    assert found.expected == pytest.approx(12, abs=0.2)


def test_trouble_that_lasts_is_told_on_its_first_day_and_then_becomes_the_usual() -> None:
    days = [*usual(12), *[said(10, 10, 20)] * 21]
    first = TESTED - timedelta(20)
    every = {("one", None): series(*days)}
    fired = [told(signals(every, first + timedelta(n)), VOLUME).is_alert for n in range(21)]
    assert fired[0]
    assert not fired[-1]


def test_a_series_counts_as_tested_however_little_is_said_of_it() -> None:
    spike = series(*usual(12), said(15, 15, 15))
    silent = series(*usual(1), NOTHING_SAID)
    others = {("other", f"aspect{n}"): silent for n in range(98)}
    alone, among = (told(signals({("one", None): spike} | more, TESTED), VOLUME) for more in ({}, others))
    assert alone.allowed == LEVEL / 2
    assert among.allowed == LEVEL / 100  # with its own net sentiment


def test_alerts_of_a_brand_stand_together_the_most_telling_first() -> None:
    spikes = {("one", None): 40, ("two", "price"): 90, ("two", None): 45, ("three", None): 12, ("one", "price"): 70}
    every = {one: series(*usual(12), said(n // 3, n - 2 * (n // 3), n // 3)) for one, n in spikes.items()}
    fired = alerts(signals(every, TESTED))
    assert [(one.brand, one.aspect) for one in fired] == [
        ("two", "price"),
        ("two", None),
        ("one", "price"),
        ("one", None),
    ]


def test_every_series_has_a_test_of_volume_and_one_of_net_sentiment() -> None:
    every = {("one", None): series(*usual(12), said(5, 5, 5)), ("one", "price"): series(*usual(2), said(1, 0, 0))}
    found = signals(every, TESTED)
    assert [(one.aspect, one.kind) for one in found] == [(None, VOLUME), (None, NET), ("price", VOLUME), ("price", NET)]
    assert all(one.reason for one in found)
    assert signals({}, TESTED) == []


def test_days_after_the_tested_one_and_long_before_it_change_nothing() -> None:
    every = made_series(3, 60, TEMPERAMENTS["lively"])
    day = FIRST + timedelta(40)
    near = {one: [each for each in days if baseline_of(day).first <= each.day <= day] for one, days in every.items()}
    assert signals(every, day) == signals(near, day) == signals(every, day)


def test_the_order_of_the_series_changes_nothing() -> None:
    every = made_series(5, 41, TEMPERAMENTS["plain"], Planted(30, 20))
    for number in range(BASELINE_DAYS, 41):
        day = FIRST + timedelta(number)
        backwards = signals(dict(reversed(every.items())), day)
        found = {(one.brand, one.aspect, one.kind): one for one in backwards}
        for one in signals(every, day):
            other = found[one.brand, one.aspect, one.kind]
            assert (other.is_alert, other.reason) == (one.is_alert, one.reason)
            assert other.probability == pytest.approx(one.probability)


@pytest.mark.parametrize(("mean", "variance", "count"), [(3, 5, 12), (0.02, 0.03, 10), (60, 61, 90), (900, 4000, 1200)])
def test_the_tail_of_a_count_is_that_of_a_negative_binomial(mean: float, variance: float, count: int) -> None:
    exact = scipy.stats.nbinom(mean**2 / (variance - mean), mean / variance)
    weights = alerting._negative_binomial(mean, variance, count)
    assert float(weights[count:].sum()) == pytest.approx(float(exact.sf(count - 1)), rel=1e-6)
    assert float(weights.sum()) == pytest.approx(1)


def most_false(days: int) -> float:
    """Return how many days may be false: more come less often than once in 10,000 times if the promise is kept."""
    return float(scipy.stats.binom.isf(1e-4, days, LEVEL))


def test_quiet_days_have_no_more_false_alarms_than_promised() -> None:
    found = quiet_days(TEMPERAMENTS["uneven"], QUIET_DAYS)
    assert max(found.values()) <= most_false(QUIET_DAYS), found


def test_tests_that_do_not_share_a_level_have_too_many_false_alarms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerting, "holm", lambda tests, level: [one <= level for one in tests])
    found = quiet_days(TEMPERAMENTS["uneven"], QUIET_DAYS)
    assert max(found.values()) > most_false(QUIET_DAYS), found


def test_planted_trouble_is_found_on_its_first_day() -> None:
    starts = FIRST + timedelta(BASELINE_DAYS)
    planted = Planted(BASELINE_DAYS, 24)
    first = [
        found_on(made_series(seed, BASELINE_DAYS + 1, TEMPERAMENTS["plain"], planted), "two", "battery", starts, 1)
        for seed in range(20)
    ]
    assert first.count(1) >= 19
