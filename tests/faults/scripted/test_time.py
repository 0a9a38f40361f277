"""Rows 9 and 10 of the fault table: clocks that step, and items that appear late or share a second with a bound."""

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from reddit_ingest import view
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.errors import DamagedState, InvalidRequest
from reddit_ingest.core.invocation import IngestRequest, Mode, parse_event
from reddit_ingest.core.keys import window_folder
from reddit_ingest.core.ports import Silent
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.core.windows import HOUR_S, SETTLE_S, hour_of, iso, last_settled_end, plan_incremental
from reddit_ingest.fetchers import PAGE
from reddit_ingest.ingestion_service import RedditIngestionService
from reddit_ingest.pipeline import Pipeline
from reddit_ingest.sources.reddit_api import RedditApiSource
from reddit_sim import ItemWorld, SubredditSpec
from reddit_sim.listing import listing
from reddit_sim.things import FRESH_S

from ...fakes import MemoryLake, MemoryRecorder, MemoryState
from ...slow import one_in
from .station import comment, post

T0 = 1_767_600_000


class Listings:
    """The connection's part of `RedditConnection`, over the listings of a world: no HTTP, no login."""

    requests_sent = 0
    quota_left = None

    def __init__(self, world: ItemWorld, now: int) -> None:
        self.deadline: Any = None
        self.progress: Any = Silent()
        self._world, self._now = world, now

    @property
    def server_ts(self) -> int:
        return self._now

    def get(self, path: str, params: dict[str, str], expect: Callable[[Any], bool], subreddit: str = "") -> Any:
        """Return a page, or what is told of the subreddit."""
        what = path.rpartition("/")[2]
        if what == "about":
            return {"kind": "t5", "data": {"created_utc": float(self._world.born(subreddit))}}
        asked = {name: str(value) for name, value in params.items()}
        return listing(self._world, [subreddit], "t3" if what == "new" else "t1", asked, self._now)


class Day:
    """A lake that is filled hour by hour from a world, by clocks that may be wrong."""

    def __init__(self, world: ItemWorld) -> None:
        self.world = world
        self.lake, self.state, self.recorder = MemoryLake(), MemoryState(), MemoryRecorder()

    def run(self, now: int, *, skew: int = 0, max_windows: int = 24) -> Any:
        """Run at a moment, with a clock that is so many seconds ahead."""
        clock = FixedClock(now + skew)
        source = RedditApiSource(Listings(self.world, now))  # type: ignore[arg-type]
        pipeline = Pipeline(
            RedditIngestionService(source, self.lake, clock),
            self.state,
            self.recorder,
            clock,
            environment="test",
            max_windows=max_windows,
            look_back_hours=2,
        )
        (outcome,) = pipeline.run(IngestRequest(Mode.INCREMENTAL, ("phones",)))
        return outcome

    @property
    def watermark(self) -> int | None:
        return self.state.watermarks.get("phones")

    def places(self, name: str) -> list[int]:
        """Return the starts of the hours in which an item stands."""
        kind = "submissions" if name.startswith("t3_") else "comments"
        folders = {folder for folder, _ in view.manifests(self.lake, "reddit/phones/")}
        return sorted(
            hour_of(int(row["created_utc"])).start_ts
            for folder in folders
            if (row := view.rows(self.lake, folder, kind).get(name))
        )


def steady(hours: int, per_hour: int = 4) -> ItemWorld:
    step = HOUR_S // per_hour
    posts = [post(f"p{n:04d}", T0 + n * step) for n in range(hours * per_hour)]
    return ItemWorld(posts, [comment(f"c{each.id}", each.created_utc + 3, each.id) for each in posts])


# Row 9: the clock.


@pytest.mark.parametrize("seed", one_in(3, range(120)))
def test_however_the_clock_steps_the_hours_that_are_claimed_tile_time(seed: int) -> None:
    dice = random.Random(seed)
    day = Day(steady(30))
    claimed: list[int] = []
    for hour in range(4, 20):
        before = day.watermark
        skew = dice.choice([0, 0, dice.randint(-2 * HOUR_S, 2 * HOUR_S), -HOUR_S, HOUR_S, -1, 1])
        outcome = day.run(T0 + hour * HOUR_S + dice.randint(0, 900), skew=skew)
        if outcome.trouble:
            assert isinstance(outcome.trouble, DamagedState), "the watermark lies in the future of this clock"
            assert day.watermark == before
            assert outcome.results == []
        claimed += [result.window_start_ts for result in outcome.results if result.status.moves_watermark]
        assert before is None or (day.watermark or 0) >= before
    day.run(T0 + 24 * HOUR_S + 300)
    starts = sorted({state.window.start_ts for state in view.ledger(day.lake, "reddit/phones/")})
    assert starts == list(range(starts[0], T0 + 24 * HOUR_S, HOUR_S))
    assert len(claimed) == len(set(claimed)), "no hour is claimed twice"
    assert day.watermark == T0 + 24 * HOUR_S


@pytest.mark.parametrize("skew", [-2 * HOUR_S, -HOUR_S, -1_800, -61, -1])
def test_a_clock_that_is_behind_loses_nothing(skew: int) -> None:
    day = Day(steady(12))
    for hour in range(4, 10):
        day.run(T0 + hour * HOUR_S + 130, skew=skew)
    day.run(T0 + 11 * HOUR_S + 130)
    first = min(state.window.start_ts for state in view.ledger(day.lake, "reddit/phones/"))
    due = day.world.visible_in("phones", first, T0 + 11 * HOUR_S, T0 + 11 * HOUR_S + 130)
    shown = {name for kind in ("submissions", "comments") for name in view.rows(day.lake, "reddit/", kind)}
    assert due <= shown


@pytest.mark.parametrize("seconds", [0, 1, 60, 119, 120, 121, 300])
@pytest.mark.parametrize("ahead", [0, 10, 60, 110])
def test_a_clock_that_is_a_little_ahead_reads_no_hour_before_its_end(seconds: int, ahead: int) -> None:
    assert ahead <= SETTLE_S - FRESH_S
    day = Day(steady(12))
    day.state.watermarks["phones"] = T0 + 4 * HOUR_S
    real = T0 + 5 * HOUR_S + seconds
    day.run(real, skew=ahead)
    assert (day.watermark == T0 + 5 * HOUR_S) == (seconds + ahead >= SETTLE_S)
    assert (day.watermark or 0) <= real


ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]
SWITCHES = [
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2016, 12, 31, 23, tzinfo=UTC),  # a leap second
]


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: f"{switch:%Y-%m-%d}")
def test_when_clocks_are_put_forward_or_back_hours_and_places_are_those_of_utc(zone: str, switch: datetime) -> None:
    middle = int(switch.timestamp())
    windows = plan_incremental(middle - 3 * HOUR_S, middle + 3 * HOUR_S + 300, 24)
    assert [window.start_ts for window in windows] == list(range(middle - 3 * HOUR_S, middle + 3 * HOUR_S, HOUR_S))
    for window in windows:
        moment = datetime.fromtimestamp(window.start_ts, UTC)
        assert window_folder("", "phones", window) == f"phones/{moment:%Y-%m-%d/%H%M%S}/"
        assert iso(window.start_ts) == f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("factor", [1_000, 1_000_000, 10**9])
def test_a_range_in_milliseconds_is_refused(factor: int) -> None:
    event = {"mode": "backfill", "subreddit": "phones", "start_ts": T0 * factor, "end_ts": (T0 + HOUR_S) * factor}
    with pytest.raises(InvalidRequest):
        parse_event(event, IngestSettings(), T0 + 5 * HOUR_S)


@pytest.mark.parametrize("factor", [1_000, 1_000_000])
def test_a_watermark_in_milliseconds_is_damaged(factor: int) -> None:
    day = Day(steady(3))
    day.state.watermarks["phones"] = T0 * factor
    outcome = day.run(T0 + 3 * HOUR_S + 300)
    assert isinstance(outcome.trouble, DamagedState)
    assert day.lake.objects == {}


# Row 10: late, and at the same second.

_MINUTES = [0, 1, 59, 119, 121, 599, 601, 1_800, 3_599, 3_600, 3_601, 5_400, 7_100, 7_199]
DELAYS = [*_MINUTES, *(hours * HOUR_S for hours in range(2, 49))]


@pytest.mark.parametrize("place", [0, 1_799, 3_599], ids=["first second", "half past", "last second"])
@pytest.mark.parametrize("delay", DELAYS, ids=lambda delay: f"{delay / HOUR_S:.1f}h")
@pytest.mark.parametrize("kind", ["t3", "t1"])
def test_an_item_that_appears_late_lands_in_the_hour_it_belongs_to(kind: str, delay: int, place: int) -> None:
    created = T0 + 3 * HOUR_S + place
    world = steady(60)
    late = post("late", created) if kind == "t3" else comment("late", created, "p0001")
    late.listed_ts = created + delay
    world.add([late] if kind == "t3" else [], [late] if kind == "t1" else [])
    day = Day(world)
    # The run of its own hour, and the first after it has appeared; those between them cannot see it.
    own, shown = last_settled_end(created + HOUR_S + SETTLE_S), last_settled_end(created + delay + HOUR_S + SETTLE_S)
    day.state.watermarks["phones"] = own - HOUR_S
    day.run(own + SETTLE_S)
    if shown > own:
        day.state.watermarks["phones"] = shown - HOUR_S
        day.run(shown + SETTLE_S)
    assert set(day.places(f"{kind}_late")) == {T0 + 3 * HOUR_S}
    folder = window_folder("reddit/", "phones", hour_of(created))
    assert f"{kind}_late" in view.rows(day.lake, folder, "submissions" if kind == "t3" else "comments")


@pytest.mark.parametrize("delay", [0, 60, 1_800, 3_600, 5_400, 7_000])
@pytest.mark.parametrize("place", [0, 1_799, 3_599], ids=["first second", "half past", "last second"])
def test_in_a_quiet_subreddit_a_submission_may_be_late_by_the_look_back(delay: int, place: int) -> None:
    created = T0 + 3 * HOUR_S + place
    late = post("late", created, listed_ts=created + delay)
    world = ItemWorld([post("old", T0 - 400 * HOUR_S), late], [], [SubredditSpec("phones", created_utc=T0 - 10**7)])
    day = Day(world)
    day.state.watermarks["phones"] = T0 + 3 * HOUR_S
    for hour in range(4, 8):
        day.run(T0 + hour * HOUR_S + SETTLE_S)
    assert set(day.places("t3_late")) == {T0 + 3 * HOUR_S}


@pytest.mark.parametrize("kind", ["t3", "t1"])
@pytest.mark.parametrize("count", [1, 2, 99, 100, 101, 150])
@pytest.mark.parametrize("bound", [0, HOUR_S - 1, HOUR_S, HOUR_S + 1, 2 * HOUR_S - 1, 2 * HOUR_S])
def test_items_of_one_second_at_a_bound_all_land_each_in_its_hour(kind: str, count: int, bound: int) -> None:
    created = T0 + 3 * HOUR_S + bound
    world = steady(12)
    if kind == "t3":
        world.add([post(f"t{n}", created) for n in range(count)], [])
    else:
        world.add([], [comment(f"t{n}", created, "p0001") for n in range(count)])
    day = Day(world)
    day.state.watermarks["phones"] = T0 + 3 * HOUR_S
    day.run(T0 + 5 * HOUR_S + SETTLE_S)
    day.run(T0 + 6 * HOUR_S + SETTLE_S)
    shown = view.rows(
        day.lake,
        window_folder("reddit/", "phones", hour_of(created)),
        "submissions" if kind == "t3" else "comments",
    )
    assert {f"{kind}_t{n}" for n in range(count)} <= shown.keys()


@pytest.mark.parametrize("seed", range(40))
def test_items_of_one_second_across_pages_all_land(seed: int) -> None:
    dice = random.Random(seed)
    seconds = sorted(dice.choices(range(T0 + 3 * HOUR_S, T0 + 5 * HOUR_S, 600), k=dice.randint(90, 400)))
    posts = [post(f"x{seed}n{n}", second) for n, second in enumerate(seconds)]
    world = steady(3)
    world.add(posts, [comment(f"y{seed}n{n}", second, "p0001") for n, second in enumerate(seconds)])
    day = Day(world)
    day.state.watermarks["phones"] = T0 + 3 * HOUR_S
    day.run(T0 + 5 * HOUR_S + SETTLE_S)
    assert len(seconds) > PAGE - 20
    shown = {name for kind in ("submissions", "comments") for name in view.rows(day.lake, "reddit/", kind)}
    assert world.visible_in("phones", T0 + 3 * HOUR_S, T0 + 5 * HOUR_S, T0 + 6 * HOUR_S) <= shown
    assert day.watermark == T0 + 5 * HOUR_S


@pytest.mark.parametrize("ahead", [1_800, 3_000])
def test_a_clock_that_is_far_ahead_claims_no_hour_before_its_end(ahead: int) -> None:
    day = Day(steady(12, per_hour=60))
    day.state.watermarks["phones"] = T0 + 4 * HOUR_S
    day.run(T0 + 5 * HOUR_S - 1_200, skew=ahead)
    for hour in (6, 7):
        day.run(T0 + hour * HOUR_S + SETTLE_S)
    due = day.world.visible_in("phones", T0 + 4 * HOUR_S, T0 + 7 * HOUR_S, T0 + 8 * HOUR_S)
    shown = {name for kind in ("submissions", "comments") for name in view.rows(day.lake, "reddit/", kind)}
    assert due <= shown
