"""How often `alerts` cries wolf, how soon and how surely it finds what is there, on series with a known truth.

Quiet series: days on which nothing but chance, habit and mood is at work. A day counts as false where any of its tests
is an alert; the promise is at most `LEVEL`. The series are made here, in four temperaments, and by the simulator's
quiet worlds, where authors differ much in how often and how they speak (read from the world's truth: what the engines
misread is noise of the same kind on all days). Then the same with a planted event: on which day of it the first alert
of the brand comes. Minutes, most of them for the worlds.

    python -m bench.false_alarms [--days 10000] [--worlds 100] [--json]
"""

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from statistics import NormalDist
from typing import Any

import numpy as np
from tests.worlds import BATTERY, FIRST_DAY, SUBREDDITS

from market_opinion.analysis.alerting import BASELINE_DAYS, FEWEST_DAYS, LEVEL, Series, signals
from market_opinion.analysis.figures import Day, Opinion
from market_opinion.analysis.periods import utc_day
from market_opinion.analysis.statistics import Sums, net_sentiment
from reddit_sim import Event, GeneratedWorld

BRANDS = {"one": 60, "two": 40, "three": 30, "four": 20, "five": 12, "six": 8, "seven": 5, "eight": 3}
"""Mentions in 1,000 documents."""
ASPECTS = {"battery": 0.15, "camera": 0.1, "price": 0.08, "screen": 0.05, "software": 0.05, "heat": 0.03, "sound": 0.02}
"""The part of a brand's mentions that each has."""
WEEK = (1, 1.05, 1, 1, 0.95, 0.7, 0.65)
FIRST = date(2026, 1, 5)
DOCUMENTS = 1_000
PART = 100
KNOWN = (BASELINE_DAYS, FEWEST_DAYS)
TESTED = 14
"""Days that are tested of each world."""


@dataclass(frozen=True)
class Temperament:
    """How uneven quiet talk is.

    `repeats` is how many more mentions an author makes on average, `swings` by how much a series' rate varies from day
    to day (one of these for each), `carried` the part of it that stays for the next day, `mood` how much all opinions
    of a day move together, `spread` how much authors differ from each other.
    """

    repeats: float = 0.0
    swings: tuple[float, ...] = (0.0,)
    carried: float = 0.0
    mood: float = 0.0
    spread: float = 0.2


TEMPERAMENTS = {
    "plain": Temperament(),
    "lively": Temperament(0.4, (0.3,), mood=0.05, spread=0.4),
    "uneven": Temperament(0.4, (0.05, 0.2, 0.5), mood=0.1, spread=0.4),
    "persistent": Temperament(0.4, (0.25,), carried=0.6, mood=0.05, spread=0.4),
}


@dataclass(frozen=True)
class Planted:
    """From day number `start` on, `mentions` a day more of an aspect of a brand, 85 % of them negative."""

    start: int
    mentions: float
    brand: str = "two"
    aspect: str = "battery"


def made_series(
    seed: int, days: int, kind: Temperament, planted: Planted | None = None
) -> dict[Series, tuple[Day, ...]]:
    """Return made-up daily series of all brands and aspects."""
    dice = np.random.default_rng(seed)
    exposure = dice.poisson(DOCUMENTS * np.array([WEEK[n % 7] for n in range(days)]) * dice.lognormal(0, 0.1, days))
    cells: list[Series] = [(brand, aspect) for brand in BRANDS for aspect in (*ASPECTS, None)]
    parts = ASPECTS | {None: 1 - sum(ASPECTS.values())}
    rates = np.array([BRANDS[brand] * parts[aspect] / 1_000 for brand, aspect in cells])
    swing = np.array([kind.swings[n % len(kind.swings)] for n in range(len(cells))])[:, None]
    wave = _waves(dice, len(cells), days, kind.carried)
    # The mean of the factor is 1 whatever the swing.
    expected = rates[:, None] * exposure * np.exp(swing * wave - swing**2 / 2)
    nets = np.clip(dice.uniform(-0.4, 0.4, len(cells))[:, None] + kind.mood * dice.normal(size=expected.shape), -1, 1)
    sums = _said(dice, expected / (1 + kind.repeats), nets, kind)
    if planted:
        added = np.zeros_like(expected)
        added[cells.index((planted.brand, planted.aspect)), planted.start :] = planted.mentions
        sums = sums + _said(dice, added, np.full_like(expected, -0.8), replace(kind, repeats=0.0, spread=0.0))
    told = dict(zip(cells, sums, strict=True))
    for brand in BRANDS:
        told[brand, None] = sum(told[brand, aspect] for aspect in (*ASPECTS, None))
    return {one: tuple(_day(n, counts, exposure) for n, counts in enumerate(row)) for one, row in told.items()}


def _waves(dice: np.random.Generator, series: int, days: int, carried: float) -> np.ndarray:
    wave = dice.normal(size=(series, days))
    for day in range(1, days):
        wave[:, day] = carried * wave[:, day - 1] + math.sqrt(1 - carried**2) * wave[:, day]
    return wave


def _said(dice: np.random.Generator, authors: np.ndarray, nets: np.ndarray, kind: Temperament) -> np.ndarray:
    """Return by series and day: authors, mentions, balance, the sums of their products, positive, negative."""
    speakers = dice.poisson(authors)
    spot = np.repeat(np.arange(speakers.size), speakers.ravel())
    n = 1 + (dice.geometric(1 / (1 + kind.repeats), len(spot)) - 1 if kind.repeats else np.zeros(len(spot), int))
    own = np.clip(nets.ravel()[spot] + kind.spread * dice.normal(size=len(spot)), -1, 1)
    spoken = 0.6 + 0.4 * np.abs(own)  # the rest is neutral
    positive = dice.binomial(n, np.clip((spoken + own) / 2, 0, 1))
    left = np.clip((spoken - own) / 2, 0, 1) / np.clip(1 - (spoken + own) / 2, 1e-9, None)
    negative = dice.binomial(n - positive, np.clip(left, 0, 1))
    y = positive - negative
    columns = (np.ones_like(n), n, y, n * n, n * y, y * y, positive, negative)
    sums = [np.bincount(spot, column, speakers.size).reshape(speakers.shape) for column in columns]
    return np.stack(sums, axis=-1).astype(int)


def _day(number: int, counts: Sequence[int], exposure: Sequence[int]) -> Day:
    authors, n, y, xx, xy, yy, positive, negative = map(int, counts)
    net = net_sentiment(Sums(authors, n, y, xx, xy, yy)) if n else None
    opinion = Opinion(n, authors, positive, n - positive - negative, negative, net)
    return Day(FIRST + timedelta(number), opinion, int(exposure[number]))


def series_of(world: GeneratedWorld, first: date, days: int) -> dict[Series, tuple[Day, ...]]:
    """Return what a reader who misreads nothing makes of a world; what bots say is left out."""
    world.prepare(int(BATTERY.start_ts) + days * 86_400)
    said: dict[tuple[Series, date], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    exposure: dict[date, int] = defaultdict(int)
    things = (thing for name in world.subreddits for kind in (world.posts, world.comments) for thing in kind(name))
    for thing in things:
        if not {"bot", "flood", "spam"} & set(world.flags(thing.name)):
            day = utc_day(thing.created_utc)
            exposure[day] += 1
            for opinion in world.truth(thing.name):
                for aspect in {opinion.aspect, ""}:
                    by_author = said[(opinion.brand, aspect or None), day]
                    by_author[thing.fields["author"]].append(opinion.polarity)
    span = [first + timedelta(number) for number in range(days)]
    return {
        one: tuple(Day(day, _opinion(said[one, day]), exposure[day]) for day in span)
        for one in sorted({series for series, _ in said}, key=str)
    }


def _opinion(by_author: Mapping[str, list[int]]) -> Opinion:
    spoken = [(len(said), sum(said)) for said in by_author.values()]
    x, y = (sum(one[at] for one in spoken) for at in (0, 1))
    xx, xy, yy = (sum(one[i] * one[j] for one in spoken) for i, j in ((0, 0), (0, 1), (1, 1)))
    positive, negative = (sum(said.count(sign) for said in by_author.values()) for sign in (1, -1))
    net = net_sentiment(Sums(len(spoken), x, y, xx, xy, yy)) if x else None
    return Opinion(x, len(spoken), positive, x - positive - negative, negative, net)


def false_days(series: Mapping[Series, Sequence[Day]], days: Sequence[date], known: int = BASELINE_DAYS) -> int:
    """Return on how many days there is any alert, where no more than `known` days before are known."""
    count = 0
    for day in days:
        first = day - timedelta(known)
        seen = {one: [each for each in told if first <= each.day <= day] for one, told in series.items()}
        count += any(one.is_alert for one in signals(seen, day))
    return count


def quiet_days(kind: Temperament, days: int, seed: int = 1) -> dict[int, int]:
    """Return on how many of so many quiet days there is a false alarm, by how many days before are known."""
    found = dict.fromkeys(KNOWN, 0)
    for begun in range(0, days, PART):
        some = min(PART, days - begun)
        series = made_series(seed + begun, BASELINE_DAYS + some, kind)
        for known in KNOWN:
            found[known] += false_days(series, [FIRST + timedelta(BASELINE_DAYS + n) for n in range(some)], known)
    return found


def interval(found: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a rate (Wilson 1927)."""
    z = NormalDist().inv_cdf(0.975)
    middle = (found + z**2 / 2) / (total + z**2)
    reach = z / (total + z**2) * math.sqrt(found * (total - found) / total + z**2 / 4)
    return max(0.0, middle - reach), middle + reach


def found_on(series: Mapping[Series, Sequence[Day]], brand: str, aspect: str, start: date, days: int) -> int | None:
    """Return on which day of an event, counted from 1, it or its brand first is an alert."""
    for number in range(days):
        day = start + timedelta(number)
        if any(one.is_alert and one.brand == brand and one.aspect in (aspect, None) for one in signals(series, day)):
            return number + 1
    return None


def quiet_worlds(seeds: Sequence[int], tested: int) -> dict[int, int]:
    """Return the same of so many days of each of the simulator's quiet worlds."""
    found = dict.fromkeys(KNOWN, 0)
    for seed in seeds:
        world = GeneratedWorld(seed, _start_ts(), SUBREDDITS, talk="varied")
        series = series_of(world, FIRST_DAY, BASELINE_DAYS + tested)
        for known in KNOWN:
            found[known] += false_days(series, [FIRST_DAY + timedelta(BASELINE_DAYS + n) for n in range(tested)], known)
    return found


def _start_ts() -> int:
    return int(BATTERY.start_ts) - 9 * 86_400  # as the worlds of the tests do: a day before the first


def events(runs: int) -> list[dict[str, Any]]:
    """Return how many planted events of each size are found on their first day, and within three."""
    found = []
    for name, kind in TEMPERAMENTS.items():
        for mentions in (6, 9, 12, 18, 24):
            start = FIRST + timedelta(BASELINE_DAYS)
            first = [
                found_on(
                    made_series(10**6 + seed, BASELINE_DAYS + 3, kind, Planted(BASELINE_DAYS, mentions)),
                    "two",
                    "battery",
                    start,
                    3,
                )
                for seed in range(runs)
            ]
            found.append(_power(f"{name}, 6 a day and {mentions} more", first))
    return found


def world_events(seeds: Sequence[int]) -> dict[str, Any]:
    """Return the same of the simulator's worlds with trouble of 24 mentions a day where there are about six."""
    first = []
    for seed in seeds:
        start = FIRST_DAY + timedelta(BASELINE_DAYS)
        event = Event("Samsung", "battery", -1, _start_ts() + (BASELINE_DAYS + 1) * 86_400, 24)
        world = GeneratedWorld(seed, _start_ts(), SUBREDDITS, (event,), talk="varied")
        series = series_of(world, FIRST_DAY, BASELINE_DAYS + 3)
        first.append(found_on(series, "Samsung", "battery", start, 3))
    return _power("worlds, 6 a day and 24 more", first)


def _power(name: str, first: Sequence[int | None]) -> dict[str, Any]:
    of_days = [sum(day is not None and day <= within for day in first) / len(first) for within in (1, 2, 3)]
    return {"event": name, "events": len(first), "day_1": of_days[0], "day_2": of_days[1], "day_3": of_days[2]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=10_000, help="quiet days of each temperament")
    parser.add_argument("--worlds", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    quiet = [(name, asked.days, quiet_days(kind, asked.days)) for name, kind in TEMPERAMENTS.items()]
    quiet.append(("worlds", asked.worlds * TESTED, quiet_worlds(range(asked.worlds), TESTED)))
    told = [
        {
            "series": f"{name}, {known} days known",
            "days": days,
            "false": found[known],
            "rate": found[known] / days,
            "interval": interval(found[known], days),
        }
        for name, days, found in quiet
        for known in KNOWN
    ]
    power = [*events(max(1, asked.days // 100)), world_events(range(max(1, asked.worlds // 4)))]
    if asked.json:
        print(json.dumps({"level": LEVEL, "quiet": told, "events": power}, indent=1))
        return
    print(f"quiet days with any alert, of a promised {100 * LEVEL:.0f} %          days  false      %  95 % interval")
    for row in told:
        low, high = row["interval"]
        rate = f"{100 * row['rate']:6.2f}  {100 * low:.2f} to {100 * high:.2f}"
        print(f"  {row['series']:48} {row['days']:8,} {row['false']:6} {rate}")
    print("events found, % of them, by the end of their                      events  day 1  day 2  day 3")
    for row in power:
        print(f"  {row['event']:60} {row['events']:8,}", *(f"{100 * row[f'day_{n}']:6.0f}" for n in (1, 2, 3)))


if __name__ == "__main__":
    main()
