"""Simulated worlds of two weeks whose truth is known, lakes of them, and the truth to hold figures against.

A lake of one takes about as long as its augmentation. What is looked for in the eventful world lies in `BATTERY`,
`FLOOD` and `BOT`; the quiet world has the same talk of the same size, and nothing else.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from market_opinion.augmentation_service import AugmentationService, DayBuilder
from market_opinion.augmented_store import AugmentedStore
from market_opinion.label_store import LabelStore
from market_opinion.market import Market, load_market
from market_opinion.sentiment.scoring import Scorer, make_scorer
from reddit_ingest.archives.importer import ImportRequest
from reddit_ingest.bootstrap import LocalLake, dump_importer
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.core.windows import DAY_S, HOUR_S
from reddit_sim import BotAccount, Comment, Event, Flood, GeneratedWorld, Post, SubredditSpec, World

FIRST_DAY = date(2026, 1, 5)
"""A Monday. The worlds begin a day earlier, so that on the first day there are threads to answer."""
DAYS = 14
SUBREDDITS = (
    SubredditSpec("android", submissions_per_hour=0.66, comments_per_submission=7),
    SubredditSpec("smartphones", submissions_per_hour=0.33, comments_per_submission=6),
    SubredditSpec("pocketphones", submissions_per_hour=0.1, comments_per_submission=4),
)
MARKET, ENGINE = "smartphones", "linear"

_SEEN_AFTER_S = 36 * HOUR_S
_MARGIN_S = 6 * HOUR_S
"""A file proves the days between its first and its last row, so it holds something of the days around."""


def _ts(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


_START_TS = _ts(FIRST_DAY) - DAY_S
BATTERY = Event("Samsung", "battery", -1, _ts(FIRST_DAY) + 8 * DAY_S, mentions_per_day=24)
"""Trouble from the ninth day on, where there were about six mentions of that aspect of the brand a day."""
FLOOD = Flood("truth_about_pixels", "Google", "camera", -1, copies=300, at_ts=_ts(FIRST_DAY) + 4 * DAY_S + 10 * HOUR_S)
BOT = BotAccount("phone_facts_daily", "Xiaomi", "price", 1, comments_per_day=24)


def quiet_world(seed: int) -> GeneratedWorld:
    """Return a world in which nothing happens."""
    return GeneratedWorld(seed, _START_TS, SUBREDDITS, talk="varied")


def eventful_world(seed: int) -> GeneratedWorld:
    """Return a world with a brand's trouble, another brand's flood, and a third one's bot."""
    return GeneratedWorld(seed, _START_TS, SUBREDDITS, (BATTERY, FLOOD, BOT), talk="varied")


@dataclass(frozen=True, slots=True)
class Count:
    """How many mentions there are, and of which kind."""

    positive: int
    neutral: int
    negative: int

    @property
    def mentions(self) -> int:
        return self.positive + self.neutral + self.negative

    @property
    def net(self) -> float:
        """The net sentiment: the share of positive mentions less that of negative ones."""
        return (self.positive - self.negative) / self.mentions


class Truth:
    """What was really said, by brand (as the market calls it), aspect ("" where none is spoken of) and day.

    Spam counts, as a mention that is neutral: one by one it cannot be told from what people say.
    """

    def __init__(self, opinions: Sequence[tuple[str, str, date, int, bool]]) -> None:
        self._counts: Counter[tuple[str | None, str | None, date | None, int, bool]] = Counter()
        for brand, aspect, day, polarity, is_noise in opinions:
            for key in product((brand, None), (aspect, None), (day, None)):
                self._counts[*key, polarity, is_noise] += 1
        self.brands = sorted({brand for brand, *_ in opinions})
        self.aspects = sorted({aspect for _, aspect, *_ in opinions if aspect})
        self.days = sorted({day for _, _, day, *_ in opinions})

    def count(
        self, brand: str | None = None, aspect: str | None = None, day: date | None = None, *, with_noise: bool = False
    ) -> Count:
        """Count mentions, of any where it is not said; what bots and floods say only with `with_noise`."""
        kinds = (False, True) if with_noise else (False,)
        return Count(
            *(
                sum(self._counts[brand, aspect, day, polarity, is_noise] for is_noise in kinds)
                for polarity in (1, 0, -1)
            )
        )


def truth_of(world: GeneratedWorld, first_day: date = FIRST_DAY, days: int = DAYS) -> Truth:
    """Return the truth of what a lake of these days shows; items that were deleted are not in it."""
    start_ts, end_ts = _span(first_day, days)
    live_through(world, first_day, days)
    return Truth(
        [
            (
                opinion.brand.lower(),
                opinion.aspect,
                datetime.fromtimestamp(thing.created_utc, UTC).date(),
                opinion.polarity,
                not {"bot", "flood"}.isdisjoint(world.flags(thing.name)),
            )
            for things in (world.posts, world.comments)
            for thing in _between(world, things, start_ts, end_ts)
            if not thing.is_gone(end_ts + _SEEN_AFTER_S)
            for opinion in world.truth(thing.name)
        ]
    )


def live_through(world: World, first_day: date = FIRST_DAY, days: int = DAYS) -> None:
    """Let everything happen that a lake of these days shows, and that its truth is about."""
    world.prepare(_span(first_day, days)[1] + _SEEN_AFTER_S)


def lake_of(world: World, folder: Path, first_day: date = FIRST_DAY, days: int = DAYS) -> LocalLake:
    """Land days of a world in a new lake in `folder`, and augment it.

    They come as two dump files, written 36 hours after the last day and imported: every day is proven complete.
    """
    start_ts, end_ts = _span(first_day, days)
    now = end_ts + _SEEN_AFTER_S
    live_through(world, first_day, days)
    folder.mkdir(parents=True, exist_ok=True)
    lake = LocalLake(folder / "lake")
    importer = dump_importer(lake, IngestSettings(), FixedClock(now))
    request = ImportRequest(frozenset(world.subreddits), start_ts, end_ts)
    for name, things in (("submissions", world.posts), ("comments", world.comments)):
        file = folder / f"world_{name}.ndjson"
        around = _between(world, things, start_ts - _MARGIN_S, end_ts + _MARGIN_S)
        rows = sorted((_dumped(thing, now) for thing in around), key=lambda row: (row["created_utc"], row["id"]))
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        outcome = importer.import_file(file, request, _Nobody())
        assert not outcome.trouble, outcome.trouble
        file.unlink()
    _augment(lake)
    return lake


def _span(first_day: date, days: int) -> tuple[int, int]:
    return _ts(first_day), _ts(first_day + timedelta(days))


def _between(world: World, things: Any, start_ts: int, end_ts: int) -> Iterator[Post | Comment]:
    return (thing for name in world.subreddits for thing in things(name) if start_ts <= thing.created_utc < end_ts)


def _dumped(thing: Post | Comment, now: int) -> dict[str, Any]:
    """Return the row of a dump: what the API shows at `now`, without what archives leave out."""
    shaped = thing.shape(now) if isinstance(thing, Post) else thing.shape(now, None)
    row = {name: value for name, value in shaped.items() if not name.endswith("_html")}
    return {**row, "created_utc": thing.created_utc, "retrieved_on": now}


def _augment(lake: LocalLake) -> None:
    market, scorer = _market(), _scorer()
    zone = lake.augmented()
    service = AugmentationService(lake.reader(), AugmentedStore(zone), LabelStore(zone, market.name), market, scorer)
    build = DayBuilder(lake.reader(), market, scorer)
    for subreddit in service.subreddits():
        assert service.augment(subreddit, build).is_settled


@cache
def _market() -> Market:
    return load_market(MARKET)


@cache
def _scorer() -> Scorer:
    return make_scorer(ENGINE)


class _Nobody:
    """Watches no import."""

    def went(self, read_bytes: int, lines: int, rows: int) -> None:
        pass

    def said(self, note: str) -> None:
        pass
