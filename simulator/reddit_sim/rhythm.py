"""When people write: the hours of a day, and counts drawn by chance."""

import random

DAY_S = 86_400
HOUR_S = 3_600

# How lively each hour of the day (UTC) is; the mean is 1.
HOURS = [
    1.2,
    1.1,
    1.0,
    0.9,
    0.7,
    0.5,
    0.4,
    0.4,
    0.5,
    0.6,
    0.8,
    0.9,
    1.0,
    1.1,
    1.2,
    1.3,
    1.3,
    1.3,
    1.3,
    1.3,
    1.3,
    1.3,
    1.3,
    1.3,
]


def poisson(dice: random.Random, mean: float) -> int:
    """Draw a count: by waiting times, which is exact and quick for the small means used here."""
    count, waited = 0, dice.expovariate(1.0)
    while waited < mean:
        count += 1
        waited += dice.expovariate(1.0)
    return count


def moments(dice: random.Random, day: int, per_hour: float) -> list[int]:
    """Return the moments of a day, counted from 1970, at which something happens so often in an hour; in order."""
    return sorted(
        day * DAY_S + hour * HOUR_S + dice.randrange(HOUR_S)
        for hour, liveliness in enumerate(HOURS)
        for _ in range(poisson(dice, per_hour * liveliness))
    )
