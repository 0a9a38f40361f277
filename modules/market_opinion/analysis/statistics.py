"""Shares and net sentiment with intervals that know that one author may speak often.

What one author says is one cluster: the variance of a ratio is the linearised one over clusters (Woodruff 1971;
Cochran, Sampling Techniques, 3rd ed., 6.3), with one author for and one against added to it, so that three happy people
are no certainty (Agresti and Caffo 2000). These two speak as often as authors do on average, so that one loud person is
none either. Quantiles of Student's t are by Wallace 1959 (Ann. Math. Stat. 30, 1124), which needs nothing but the
normal distribution; those of 95 % intervals are off by less than 2 % from three degrees of freedom on, those further
out by more, to the safe side.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

LEVEL = 0.95
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over authors of what is counted: `x` of all that the author said, `y` of the part or balance in question."""

    authors: int
    x: int
    y: int
    xx: int
    xy: int
    yy: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, its standard error with degrees of freedom, and the bounds that it cannot pass."""

    value: float
    error: float
    freedom: float
    floor: float = -1.0
    ceiling: float = 1.0

    @property
    def low(self) -> float:
        """The lower end of the 95 % interval."""
        return max(self.floor, self.value - self._reach)

    @property
    def high(self) -> float:
        """The upper end of the 95 % interval."""
        return min(self.ceiling, self.value + self._reach)

    @property
    def _reach(self) -> float:
        return student_quantile((1 + LEVEL) / 2, self.freedom) * self.error

    def plus(self, bias: float, error: float) -> "Estimate":
        """Return it corrected by a bias that is known with an error of its own (prediction-powered inference)."""
        value = min(self.ceiling, max(self.floor, self.value + bias))
        return Estimate(value, math.hypot(self.error, error), self.freedom, self.floor, self.ceiling)

    def minus(self, other: "Estimate") -> "Estimate":
        """Return how much it is more than another one of other days.

        Who speaks in both is taken for two people, which makes the interval rather too wide.
        """
        variances = (self.error**2, other.error**2)
        total = sum(variances)
        parts = sum(one**2 / freedom for one, freedom in zip(variances, (self.freedom, other.freedom), strict=True))
        freedom = total**2 / parts if parts else min(self.freedom, other.freedom)
        reach = self.ceiling - self.floor
        return Estimate(self.value - other.value, math.sqrt(total), freedom, -reach, reach)


def net_sentiment(sums: Sums) -> Estimate:
    """Return positive minus negative mentions by all; `y` is that balance. There has to be a mention."""
    return _ratio(sums, 0, 0, 2, -1.0)


def share(sums: Sums) -> Estimate:
    """Return the part that `y` is of `x`, between 0 and 1. There has to be a mention."""
    return _ratio(sums, 1, 1, 1, 0.0)


def _ratio(sums: Sums, y: int, xy: int, yy: int, floor: float) -> Estimate:
    """Return a ratio with the interval of one with two more authors, who speak as often as authors do on average.

    `y`, `xy` and `yy` are the sums over these two, if each spoke once.
    """
    weight = sums.x / sums.authors
    all_x, ratio = sums.x + 2 * weight, (sums.y + y * weight) / (sums.x + 2 * weight)
    squares = sums.yy - 2 * ratio * sums.xy + ratio**2 * sums.xx
    squares += weight**2 * (yy - 2 * ratio * xy + ratio**2 * 2)
    authors = sums.authors + 2
    error = math.sqrt(max(0.0, squares) * authors / (authors - 1)) / all_x
    return Estimate(sums.y / sums.x, error, authors - 1, floor, 1.0)


def student_quantile(probability: float, freedom: float) -> float:
    """Return the quantile of Student's t."""
    z = _NORMAL.inv_cdf(probability)
    scaled = z * (8 * freedom + 3) / (8 * freedom + 1)
    return math.copysign(math.sqrt(freedom * math.expm1(scaled**2 / freedom)), z)


def student_tail(t: float, freedom: float) -> float:
    """Return the probability that Student's t is as far from zero as this, on either side."""
    z = (8 * freedom + 1) / (8 * freedom + 3) * math.sqrt(freedom * math.log1p(t**2 / freedom))
    return math.erfc(z / math.sqrt(2))


def holm(probabilities: Sequence[float], level: float) -> list[bool]:
    """Return which of several tests reject, so that with nothing going on any does so at most at this level.

    Holm 1979 (Scand. J. Stat. 6, 65); it holds whatever the tests have to do with each other.
    """
    rejects = [False] * len(probabilities)
    order = sorted(range(len(probabilities)), key=lambda number: probabilities[number])
    for rank, number in enumerate(order):
        if probabilities[number] > level / (len(order) - rank):
            break
        rejects[number] = True
    return rejects
