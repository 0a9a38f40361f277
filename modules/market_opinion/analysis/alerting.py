"""What is out of the ordinary on a day: spikes of volume and shifts of net sentiment against the own baseline.

Volume. Of a series, a brand or an aspect of one, `mean` mentions are to be expected: the exposure of the day times what
the baseline has by exposure, half a mention added. Counts vary more than Poisson's (one thread brings ten of them), by
a dispersion that is the larger of the series' own and that of all series of its level, Pearson's chi2 over its degrees
of freedom, and never below 1 (Farrington et al. 1996, J. R. Stat. Soc. A 159, 547). The probability of so many is that
of a negative binomial (Noufaily et al. 2013, Stat. Med. 32, 1206) whose variance includes the error of the mean; with
dispersion 1 that is the exact predictive distribution. It is read as a quantile of Student's t where the dispersion
is the series' own, known from few days. Authors are tested in the same way, and the larger probability counts, so that
one loud person is no spike.

Net sentiment. The day's, with authors as clusters, less the baseline's, with days as clusters. The day's variance is
multiplied by how much more the baseline's days differ than their authors explain, again the larger of own and pooled.

Days of the baseline that were out of the ordinary themselves (a standardised residual above 2.58) are left out of it.
All tests of a day share one level by Holm's rule. A series counts as tested for volume however little is said of it, as
one that shows nothing: to count only those with enough mentions would be to choose the tests by their result.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from .figures import Day, Opinion
from .periods import Period
from .statistics import Estimate, holm, student_tail

VOLUME, NET = "volume", "net"

LEVEL = 0.01
"""With nothing going on, one day in a hundred has any alert at most."""
BASELINE_DAYS = 28
FEWEST_DAYS = 7
"""A baseline needs so many days on which anything was seen."""
FEWEST_MENTIONS, FEWEST_AUTHORS = 10, 5
"""Fewer mentions on a day, or by fewer authors, are no matter for an alert."""
FEWEST_BEFORE = 30
"""A shift of net sentiment needs so many mentions in the baseline, on as many days as there have to be."""
LEAST_SHIFT = 0.2
"""A smaller shift of net sentiment is not worth a person's time, however certain."""

Series = tuple[str, str | None]
"""A brand, and an aspect or None for all that is said of the brand."""

_OUT_OF_THE_ORDINARY = 2.58
_PRIOR = 0.5
_MANY = 1e6
_ORDINARY = 0.95
_NORMAL = NormalDist()

_Numbers = npt.NDArray[np.float64]
_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Signal:
    """A test of a series on a day.

    `observed` and `expected` are mentions, or net sentiments (of the day, of the baseline; None without a mention);
    `low` and `high` bound what 95 % of ordinary days show. `probability` is that of something at least as unusual with
    nothing going on, and `allowed` what Holm's rule allows it; both are None where nothing was tested. `reason` tells
    why it is an alert or not. `baseline_days` is how many days of the baseline count.
    """

    day: date
    brand: str
    aspect: str | None
    kind: str
    observed: float | None
    expected: float | None
    low: float | None
    high: float | None
    mentions: int
    authors: int
    probability: float | None
    allowed: float | None
    is_alert: bool
    reason: str
    baseline_days: int


def baseline_of(day: date) -> Period:
    """Return the days that a day is held against."""
    return Period.ending(day - timedelta(1), BASELINE_DAYS)


def signals(series: Mapping[Series, Sequence[Day]], day: date, level: float = LEVEL) -> list[Signal]:
    """Return every test of a day, fired or not: of each series its volume, then its net sentiment.

    `series` are those of `opinions.daily`, uncorrected, all with the same days: the tested one, and as many of the
    28 before it as are known; further days are not looked at. What a calibration adds to a net sentiment moves both
    sides of a shift alike. With nothing going on, any signal of a day is an alert with a probability of at most
    `level`. 300 series take about 30 ms.
    """
    if not series:
        return []
    table = _Table(series, day)
    if trouble := table.trouble:
        rows = range(len(table.names))
        days = len(table.exposures)
        return [_untested(table, row, kind, None, trouble, days) for row in rows for kind in (VOLUME, NET)]
    found = [signal for pair in zip(_volumes(table), _nets(table), strict=True) for signal in pair]
    tested = [number for number, one in enumerate(found) if one.probability is not None]
    unjudged = sum(one.kind == VOLUME and one.probability is None for one in found)
    for number, signal in zip(tested, _judged([found[n] for n in tested], unjudged, level), strict=True):
        found[number] = signal
    return found


def alerts(found: Sequence[Signal]) -> list[Signal]:
    """Return those of a day's signals that are alerts, a brand's together, the most telling first."""
    fired = sorted((one for one in found if one.is_alert), key=lambda one: (_probability(one), one.aspect or ""))
    brands = list(dict.fromkeys(one.brand for one in fired))
    return sorted(fired, key=lambda one: brands.index(one.brand))


def _probability(signal: Signal) -> float:
    return 1.0 if signal.probability is None else signal.probability


class _Table:
    """The series as arrays, a row each: `now` is the tested day, columns are the days of its baseline."""

    def __init__(self, series: Mapping[Series, Sequence[Day]], day: date) -> None:
        days = next(iter(series.values()))
        span = baseline_of(day)
        before = [n for n, one in enumerate(days) if span.first <= one.day <= span.last and one.exposure]
        at = next(n for n, one in enumerate(days) if one.day == day)
        self.day = day
        self.names = list(series)
        self.now = [told[at].opinion for told in series.values()]
        self.exposure = days[at].exposure
        self.exposures = np.array([days[n].exposure for n in before], float)
        told = [_counts(told[n].opinion) for told in series.values() for n in before]
        counts = np.array(told, float).reshape(len(series), len(before), 4)
        self.mentions, self.authors, self.balances, errors = np.moveaxis(counts, 2, 0)
        self.variances = errors**2
        self.levels = [np.array([(aspect is None) == whole for _, aspect in self.names]) for whole in (True, False)]

    @property
    def trouble(self) -> str:
        """Why nothing of the day can be tested; nothing where it can."""
        if not self.exposure:
            return "nothing was seen on that day"
        if len(self.exposures) < FEWEST_DAYS:
            return f"too little baseline: {len(self.exposures)} days on which anything was seen, {FEWEST_DAYS} needed"
        return ""


def _counts(opinion: Opinion) -> tuple[int, int, int, float]:
    error = opinion.net.error if opinion.net else 0.0
    return opinion.mentions, opinion.authors, opinion.positive - opinion.negative, error


def _untested(table: _Table, row: int, kind: str, expected: float | None, reason: str, days: int) -> Signal:
    return _signal(table, row, kind, (expected, None, None), None, days, reason)


def _signal(
    table: _Table,
    row: int,
    kind: str,
    expected: tuple[float | None, float | None, float | None],
    probability: float | None,
    days: int,
    reason: str = "",
) -> Signal:
    (brand, aspect), now = table.names[row], table.now[row]
    net = now.net.value if now.net else None
    observed = now.mentions if kind == VOLUME else net
    counts = (now.mentions, now.authors)
    return Signal(table.day, brand, aspect, kind, observed, *expected, *counts, probability, None, False, reason, days)


def _judged(tests: Sequence[Signal], unjudged: int, level: float) -> list[Signal]:
    """Return tests with what all of the day together make of each; `unjudged` more ones count, too."""
    probabilities = [*map(_probability, tests), *(1.0 for _ in range(unjudged))]
    rejects = holm(probabilities, level)
    ranks = {number: rank for rank, number in enumerate(sorted(range(len(tests)), key=probabilities.__getitem__))}
    found = []
    for number, test in enumerate(tests):
        allowed = level / (len(probabilities) - min(ranks[number], sum(rejects)))
        too_small = rejects[number] and _is_small(test)
        reason = "as chance has it"
        if rejects[number]:
            reason = f"the shift is smaller than {LEAST_SHIFT}" if too_small else "chance alone would hardly bring it"
        fires = rejects[number] and not too_small
        found.append(replace(test, allowed=allowed, is_alert=fires, reason=reason))
    return found


def _is_small(test: Signal) -> bool:
    return test.kind == NET and abs((test.observed or 0.0) - (test.expected or 0.0)) < LEAST_SHIFT


def _few(now: Opinion) -> str:
    """Return why nothing can be said of a day, or nothing."""
    if now.mentions >= FEWEST_MENTIONS and now.authors >= FEWEST_AUTHORS:
        return ""
    return f"too little said: {FEWEST_MENTIONS} mentions by {FEWEST_AUTHORS} authors are needed"


@dataclass(frozen=True, slots=True)
class _Expected:
    """What a baseline lets expect of the counts of a day, by row; `kept` are the days that count."""

    mean: _Numbers
    variance: _Numbers
    freedom: _Numbers
    kept: _Mask


def _expected(table: _Table, counts: _Numbers) -> _Expected:
    everything = np.ones_like(counts, dtype=bool)
    mean, dispersion, _, _ = _fitted(table, counts, everything)
    # Anscombe's residuals: nearly normal for counts, small ones too.
    residuals = 1.5 * (counts ** (2 / 3) - mean ** (2 / 3)) / (mean ** (1 / 6) * np.sqrt(dispersion[:, None]))
    kept = residuals <= _OUT_OF_THE_ORDINARY
    _, dispersion, freedom, rate = _fitted(table, counts, kept)
    mean = rate * table.exposure
    error = table.exposure / (kept * table.exposures).sum(axis=1)
    return _Expected(mean, dispersion * mean * (1 + error), freedom, kept)


def _fitted(table: _Table, counts: _Numbers, kept: _Mask) -> tuple[_Numbers, _Numbers, _Numbers, _Numbers]:
    """Return the means of the days, the dispersion with its degrees of freedom, and the rate by exposure."""
    rate = ((counts * kept).sum(axis=1) + _PRIOR) / (kept * table.exposures).sum(axis=1)
    mean = rate[:, None] * table.exposures
    freedom = np.maximum(kept.sum(axis=1) - 1.0, 1.0)
    own = ((counts - mean) ** 2 / mean * kept).sum(axis=1) / freedom
    dispersion, is_own = _larger(table, own, freedom)
    return mean, dispersion, np.where(is_own, freedom, _MANY), rate


def _larger(table: _Table, own: _Numbers, freedom: _Numbers) -> tuple[_Numbers, _Mask]:
    """Return for each row its own dispersion or that of its level, the larger, and whether it is the own."""
    pooled = np.ones_like(own)
    for level in table.levels:
        if (total := freedom[level].sum()) > 0:
            pooled[level] = max(1.0, (own[level] * freedom[level]).sum() / total)
    return np.maximum(own, pooled), own > pooled


def _volumes(table: _Table) -> list[Signal]:
    mentions, authors = _expected(table, table.mentions), _expected(table, table.authors)
    means, days = mentions.mean.tolist(), mentions.kept.sum(axis=1).tolist()
    found = []
    for row, now in enumerate(table.now):
        if few := _few(now):
            found.append(_untested(table, row, VOLUME, means[row], few, days[row]))
            continue
        of_mentions, low, high = _tail(now.mentions, mentions, row)
        of_authors, _, _ = _tail(now.authors, authors, row)
        probability = max(of_mentions, of_authors)
        found.append(_signal(table, row, VOLUME, (means[row], low, high), probability, days[row]))
    return found


def _tail(count: int, expected: _Expected, row: int) -> tuple[float, float, float]:
    """Return the probability of at least so many, and the bounds of ordinary days."""
    mean, variance = float(expected.mean[row]), float(expected.variance[row])
    weights = _negative_binomial(mean, variance, count)
    tail = min(1.0, float(weights[count:].sum()))
    so_far = np.cumsum(weights)
    low, high = (float(np.searchsorted(so_far, edge)) for edge in ((1 - _ORDINARY) / 2, (1 + _ORDINARY) / 2))
    freedom = float(expected.freedom[row])
    if freedom < _MANY and tail < 0.5:
        # Beyond 8 the quantile cannot be told from 1 any more; nothing depends on what is smaller.
        tail = student_tail(_NORMAL.inv_cdf(1 - tail) if tail > 1e-15 else 8.0, freedom) / 2
    return tail, low, high


def _negative_binomial(mean: float, variance: float, count: int) -> _Numbers:
    """Return the probabilities of 0, 1, ... up to where next to nothing is left; the variance is above the mean."""
    size = mean**2 / (variance - mean)
    last = int(max(count, mean) + 12 * math.sqrt(variance) + 60)
    number = np.arange(last, dtype=float)
    steps = np.log((number + size) / (number + 1) * (mean / (size + mean)))
    return np.exp(np.concatenate(([0.0], np.cumsum(steps))) - size * math.log1p(mean / size))


def _nets(table: _Table) -> list[Signal]:
    kept = _ordinary_nets(table) & (table.mentions > 0)
    dispersion, days = _net_dispersion(table, kept), kept.sum(axis=1).tolist()
    before = (table.mentions * kept).sum(axis=1).astype(int).tolist()
    balances = (table.balances * kept).sum(axis=1).tolist()
    found = []
    for row, now in enumerate(table.now):
        was = balances[row] / before[row] if before[row] else None
        reason = _few(now)
        if before[row] < FEWEST_BEFORE or days[row] < FEWEST_DAYS:
            told = f"{before[row]} mentions on {days[row]} days, {FEWEST_BEFORE} on {FEWEST_DAYS} needed"
            reason = reason or f"too little baseline: {told}"
        if reason or not now.net:
            found.append(_untested(table, row, NET, was, reason, days[row]))
            continue
        usual = _net_before(table, row, kept[row])
        shift = replace(now.net, error=now.net.error * math.sqrt(dispersion[row])).minus(usual)
        ordinary = replace(shift, value=usual.value, floor=-1.0, ceiling=1.0)
        probability = student_tail(shift.value / shift.error, shift.freedom)
        found.append(_signal(table, row, NET, (was, ordinary.low, ordinary.high), probability, days[row]))
    return found


def _net_before(table: _Table, row: int, kept: _Mask) -> Estimate:
    """Return the net sentiment of the baseline, days taken for clusters."""
    x, y = table.mentions[row][kept], table.balances[row][kept]
    days, ratio = len(x), float(y.sum() / x.sum())
    squares = float(((y - ratio * x) ** 2).sum())
    return Estimate(ratio, math.sqrt(squares * days / (days - 1)) / float(x.sum()), days - 1)


def _ordinary_nets(table: _Table) -> _Mask:
    """Return the days whose net sentiment counts."""
    everything = np.ones_like(table.mentions, dtype=bool)
    dispersion = _net_dispersion(table, everything)
    return _net_residuals(table, everything) <= _OUT_OF_THE_ORDINARY**2 * dispersion[:, None]


def _net_residuals(table: _Table, kept: _Mask) -> _Numbers:
    """Return by day the squared distance from the baseline's net, in variances of the day; 0 where few spoke."""
    enough = table.authors >= FEWEST_AUTHORS
    total = np.maximum((table.mentions * kept).sum(axis=1), 1.0)
    was = (table.balances * kept).sum(axis=1) / total
    nets = table.balances / np.maximum(table.mentions, 1.0)
    return np.where(enough, (nets - was[:, None]) ** 2 / np.where(enough, table.variances, 1.0), 0.0)


def _net_dispersion(table: _Table, kept: _Mask) -> _Numbers:
    counted = kept & (table.authors >= FEWEST_AUTHORS)
    freedom = np.maximum(counted.sum(axis=1) - 1.0, 0.0)
    own = (_net_residuals(table, kept) * counted).sum(axis=1) / np.maximum(freedom, 1.0)
    own = np.where(freedom >= FEWEST_DAYS - 1, own, 1.0)
    dispersion, _ = _larger(table, own, freedom)
    return dispersion
