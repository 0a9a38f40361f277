"""What a report tells, as data: everything on its page, and the whole of its JSON.

Figures are of `is_counted` mentions: without bots, copies, floods and what was deleted or removed. `everything` has
them all, so that the difference can be told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from .periods import Period
from .statistics import Estimate

NOT_LOOKED_AT = "not looked at"
"""Stands for the status of an hour that nobody has claimed anything about."""

POOR_COVERAGE = 0.9
"""A report warns at its top where a smaller part of the hours, or of the comments, was seen than this."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is said of something in a span of days; `net` is positive minus negative by all, None without a mention."""

    mentions: int
    authors: int
    positive: int
    neutral: int
    negative: int
    net: Estimate | None


NOTHING_SAID = Opinion(0, 0, 0, 0, 0, None)


@dataclass(frozen=True, slots=True)
class Day:
    """A brand, or an aspect of one, on a day; `exposure` is the number of documents that all wrote on that day."""

    day: date
    opinion: Opinion
    exposure: int


@dataclass(frozen=True, slots=True)
class ProductFigures:
    """A product, or family, in the period and in the one before."""

    product: str
    name: str
    opinion: Opinion
    before: Opinion
    net_change: Estimate | None


@dataclass(frozen=True, slots=True)
class BrandFigures:
    """A brand in the period and in the one before; `share` is its part of all mentions of brands.

    `everything` and `share_of_everything` are told with bots, copies and floods. `days` has every day from the baseline
    on to the end of the period.
    """

    brand: str
    name: str
    opinion: Opinion
    before: Opinion
    share: Estimate
    share_before: Estimate | None
    share_change: Estimate | None
    net_change: Estimate | None
    everything: Opinion
    share_of_everything: float
    days: tuple[Day, ...]
    products: tuple[ProductFigures, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """What is said of an aspect of a brand."""

    brand: str
    aspect: str
    opinion: Opinion
    before: Opinion
    net_change: Estimate | None


@dataclass(frozen=True, slots=True)
class Duel:
    """How often one brand is said to be better than another, and the other way round.

    `one` is the brand that wins more often; `share` is its part of all, `aspects` how often each was the point.
    """

    one: str
    other: str
    one_better: int
    other_better: int
    authors: int
    share: Estimate
    aspects: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence that stands in the lake, byte for byte, at `start` of its document's text.

    `picked_as` tells why it is shown: negative, positive or voted (the highest score). `aspect` is None where it was
    picked for all that is said of the brand. `title` is that of the thread, empty where it is not known or was deleted.
    """

    brand: str
    aspect: str | None
    picked_as: str
    fullname: str
    start: int
    text: str
    label: str
    product: str | None
    subreddit: str
    created_utc: int
    score: int | None
    permalink: str | None
    title: str


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread and how many mentions of what is in question it holds."""

    fullname: str
    title: str
    permalink: str | None
    mentions: int


@dataclass(frozen=True, slots=True)
class SubredditCoverage:
    """How much of a subreddit was seen in the period, in hours by status; who showed it, in hours by source.

    `comments_told` is how many comments the threads of the period have by Reddit's own count, as last seen;
    `comments_seen` how many of these are in the lake, no more than told for any thread.
    """

    subreddit: str
    hours: int
    by_status: Mapping[str, int]
    by_source: Mapping[str, int]
    threads: int
    comments_told: int
    comments_seen: int

    @property
    def whole(self) -> int:
        """The hours that were seen whole."""
        return self.by_status.get("complete", 0) + self.by_status.get("empty", 0)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the period was seen."""

    subreddits: tuple[SubredditCoverage, ...]

    @property
    def whole_share(self) -> float:
        """The part of all hours that was seen whole."""
        hours = sum(each.hours for each in self.subreddits)
        return sum(each.whole for each in self.subreddits) / hours if hours else 0.0

    @property
    def capture_share(self) -> float | None:
        """The part of the comments that Reddit counts that is in the lake; None where it counts none."""
        told = sum(each.comments_told for each in self.subreddits)
        return sum(each.comments_seen for each in self.subreddits) / told if told else None

    @property
    def is_poor(self) -> bool:
        """Whether so much is missing that the figures may tell of the gaps more than of people."""
        return min(self.whole_share, 1.0 if self.capture_share is None else self.capture_share) < POOR_COVERAGE


@dataclass(frozen=True, slots=True)
class SetAside:
    """Mentions that do not count, by flag (one may have several), and the authors and threads with most of them."""

    mentions: int
    by_flag: Mapping[str, int]
    authors: tuple[tuple[str, int], ...]
    threads: tuple[Thread, ...]


@dataclass(frozen=True, slots=True)
class MarkedDay:
    """A day on which more was said than chance brings, or the net sentiment was another one; see `alerting.Signal`.

    `threads` are those that hold most of what was said of it on that day.
    """

    day: date
    brand: str
    aspect: str | None
    kind: str
    observed: float
    expected: float
    low: float
    high: float
    mentions: int
    authors: int
    probability: float
    baseline_days: int
    threads: tuple[Thread, ...]


@dataclass(frozen=True, slots=True)
class Method:
    """What made the figures: market, engine and model of the rows, and the calibration, if there is one."""

    market: str
    market_version: str
    engine: str
    model: str
    is_calibrated: bool
    labels: int
    net_bias: float
    net_bias_error: float


@dataclass(frozen=True, slots=True)
class Figures:
    """All that a report tells of a market, a period, and the period before it.

    `tested_days` is how many days of the period had enough days before them to be marked.
    """

    market: str
    time_zone: str
    period: Period
    before: Period
    baseline: Period
    documents: int
    mentions: int
    authors: int
    brands: tuple[BrandFigures, ...]
    cells: tuple[Cell, ...]
    duels: tuple[Duel, ...]
    quotes: tuple[Quote, ...]
    set_aside: SetAside
    coverage: Coverage
    coverage_before: Coverage
    marked_days: tuple[MarkedDay, ...]
    tested_days: int
    method: Method

    @property
    def is_comparable(self) -> bool:
        """Whether so much of the period before was seen that a change is one of people, not of what was looked at."""
        return not self.coverage_before.is_poor and any(brand.share_before for brand in self.brands)
