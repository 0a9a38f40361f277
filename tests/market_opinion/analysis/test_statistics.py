"""Intervals hold what they promise, authors are what counts, and several tests share one level."""

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from market_opinion.analysis.statistics import (
    Estimate,
    Sums,
    holm,
    net_sentiment,
    share,
    student_quantile,
    student_tail,
)

from ...slow import one_in

Said = Sequence[tuple[int, int]]
"""By author: how much, and the balance or part of it."""


def sums(said: Said) -> Sums:
    x, y = zip(*said, strict=True)
    products = (sum(a * b for a, b in zip(*pair, strict=True)) for pair in ((x, x), (x, y), (y, y)))
    return Sums(len(said), sum(x), sum(y), *products)


balances = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6)).filter(any).map(lambda n: (sum(n), n[0] - n[1])),
    min_size=1,
    max_size=40,
)
parts = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 12)).map(lambda n: (n[0], min(n))), min_size=1, max_size=40
)


@pytest.mark.parametrize("freedom", [3, 4, 5, 8, 15, 27, 60, 300])
@pytest.mark.parametrize("probability", [0.9, 0.95, 0.975])
def test_the_quantiles_of_intervals_are_near_the_exact_ones(probability: float, freedom: int) -> None:
    exact = float(scipy.stats.t.ppf(probability, freedom))
    assert student_quantile(probability, freedom) == pytest.approx(exact, rel=0.02)
    assert student_quantile(1 - probability, freedom) == pytest.approx(-exact, rel=0.02)


@pytest.mark.parametrize("freedom", [3, 4, 5, 8, 15, 27, 60, 300])
@pytest.mark.parametrize("t", [0.5, 1.0, 2.0, 3.0, 5.0, 8.0])
def test_a_tail_is_that_of_a_t_within_two_percent_or_errs_on_the_safe_side(t: float, freedom: int) -> None:
    exact, least = (float(2 * scipy.stats.t.sf(t * factor, freedom)) for factor in (0.98, 1.02))
    assert student_tail(t, freedom) >= least
    assert student_tail(t, freedom) <= exact or t > 2
    assert student_tail(-t, freedom) == student_tail(t, freedom)


@given(st.floats(0.5001, 0.9999), st.floats(1, 500))
def test_quantile_and_tail_undo_each_other(probability: float, freedom: float) -> None:
    tail = student_tail(student_quantile(probability, freedom), freedom)
    assert tail == pytest.approx(2 * (1 - probability), rel=1e-6)


def clustered(dice: np.random.Generator, authors: int, net: float) -> list[tuple[int, int]]:
    """Return what authors say who repeat themselves: each has an opinion of its own, around the true one."""
    n = dice.geometric(0.6, authors)
    own = np.where(dice.random(authors) < 0.5, np.clip(net + dice.choice([-0.3, 0.3], authors), -1, 1), net)
    return [(int(k), 2 * int(dice.binomial(k, (1 + p) / 2)) - int(k)) for k, p in zip(n, own, strict=True)]


@pytest.mark.parametrize(("authors", "net"), one_in(2, product([8, 30, 200], [-0.6, 0.0, 0.4])))
def test_the_interval_of_net_sentiment_holds_the_true_one(authors: int, net: float) -> None:
    dice, held, runs = np.random.default_rng(authors), 0, 2_000
    for _ in range(runs):
        found = net_sentiment(sums(clustered(dice, authors, net)))
        assert -1 <= found.low <= found.high <= 1
        held += found.low <= net <= found.high
    assert held >= 0.93 * runs


@pytest.mark.parametrize(("part", "authors"), one_in(2, product([0.1, 0.5], [40, 100, 300])))
def test_the_interval_of_a_share_holds_the_true_one(authors: int, part: float) -> None:
    dice, held, runs = np.random.default_rng(authors), 0, 2_000
    for _ in range(runs):
        x = dice.geometric(0.5, authors)
        # Half of all authors are fans: they name the brand twice as often, or never.
        own = np.where(dice.random(authors) < 0.5, part, part * dice.choice([0, 2], authors))
        found = share(sums(list(zip(x.tolist(), dice.binomial(x, own).tolist(), strict=True))))
        assert 0 <= found.low <= found.high <= 1
        held += found.low <= part <= found.high
    assert held >= 0.93 * runs


@given(balances)
def test_a_net_sentiment_lies_in_its_interval_and_within_bounds(said: Said) -> None:
    found = net_sentiment(sums(said))
    assert found.value == sum(y for _, y in said) / sum(x for x, _ in said)
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found.error > 0


@given(parts)
def test_a_share_lies_in_its_interval_and_within_bounds(said: Said) -> None:
    found = share(sums(said))
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.error > 0


@given(st.lists(st.lists(st.integers(0, 5), min_size=3, max_size=3).filter(any), min_size=1, max_size=30))
def test_the_shares_of_all_brands_sum_to_one(by_author: list[list[int]]) -> None:
    found = [share(sums([(sum(row), row[brand]) for row in by_author])) for brand in range(3)]
    assert sum(one.value for one in found) == pytest.approx(1)


@given(st.lists(st.sampled_from([(1, 1), (1, -1), (2, 0), (3, 2), (1, 0)]), min_size=10, max_size=60))
def test_as_many_authors_again_make_the_error_smaller_by_the_root_of_two(more: Said) -> None:
    said = [*more, *[(1, 1), (1, -1)] * 30]
    once, twice = net_sentiment(sums(said)), net_sentiment(sums([*said, *said]))
    assert twice.value == once.value
    # The two authors that are added to small numbers weigh half as much.
    assert once.error / twice.error == pytest.approx(math.sqrt(2), rel=0.03)


@given(st.integers(1, 10_000))
def test_one_author_who_repeats_itself_makes_nothing_more_certain(times: int) -> None:
    once, often = (net_sentiment(sums([(n, n)])) for n in (1, times))
    assert often.error == pytest.approx(once.error)
    assert often.low == -1


@given(st.integers(1, 10_000))
def test_a_loud_author_in_a_crowd_makes_it_hardly_more_certain(times: int) -> None:
    crowd = [(1, 1), (1, -1), (1, 0), (1, 1), (1, -1), (1, 0)]
    once, often = (net_sentiment(sums([*crowd, (n, n)])) for n in (1, times))
    assert often.error >= 0.85 * once.error


def test_a_difference_knows_the_errors_of_both() -> None:
    found = Estimate(0.5, 0.3, 10).minus(Estimate(0.1, 0.4, 20))
    assert (found.value, found.error) == (pytest.approx(0.4), pytest.approx(0.5))
    assert 10 < found.freedom < 30
    assert (found.floor, found.ceiling) == (-2, 2)


def test_what_a_calibration_adds_never_leaves_the_bounds() -> None:
    found = Estimate(0.95, 0.03, 50).plus(0.2, 0.04)
    assert (found.value, found.error) == (1.0, pytest.approx(0.05))


probabilities = st.lists(st.sampled_from([1e-9, 1e-4, 0.001, 0.004, 0.005, 0.01, 0.02, 0.5, 1.0]), max_size=9)


@given(probabilities, st.sampled_from([0.01, 0.05]))
def test_holm_rejects_what_its_definition_does(tests: list[float], level: float) -> None:
    """Closed testing: a test is rejected where Bonferroni rejects every set of tests that it is in."""
    number = len(tests)

    def rejects(at: int) -> bool:
        sets = ([n for n in range(number) if mask >> n & 1] for mask in range(1 << number) if mask >> at & 1)
        return all(min(tests[n] for n in chosen) <= level / len(chosen) for chosen in sets)

    assert holm(tests, level) == [rejects(at) for at in range(number)]


@given(probabilities, st.integers(0, 8))
def test_holm_rejects_no_less_when_a_probability_falls(tests: list[float], which: int) -> None:
    before = holm(tests, 0.01)
    lower = [p / 10 if n == which else p for n, p in enumerate(tests)]
    after = holm(lower, 0.01)
    assert all(now for now, was in zip(after, before, strict=True) if was)
