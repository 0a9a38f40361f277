"""Rows 15 to 21 of the fault table: PRAW reads, over HTTP, a Reddit that misbehaves on any page of its listings."""

import random
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from reddit_ingest import reddit_client
from reddit_ingest.core.coverage import CoverageStatus
from reddit_ingest.core.errors import CredentialsRejected
from reddit_ingest.core.invocation import Mode
from reddit_ingest.core.windows import HOUR_S
from reddit_ingest.fetchers import CommentFetcher, Ended, SubmissionFetcher
from reddit_sim import ItemWorld, Simulator, SubredditSpec

from ...slow import one_in
from .station import END, HOURS, NOW, T0, Hook, Station, Strikes, busy_world, comment, lost, post

PAGES = {"/r/phones/new": 3, "/r/phones/comments": 3}
"""How many pages an undisturbed reading of the three hours takes."""

PASSING = [
    "status:500", "status:502", "status:503", "status:504", "connection-reset", "short-body", "hang",
    "429-html-retry-after", "429-json", "429-date", "not-json", "cut-json", "error-dict-200", "list-200",
    "empty-body", "null-body", "empty-page", "repeated-page", "401-invalid-token", "400-html", "400-json",
    "bad-ratelimit-headers", "403-bare-realm",
]  # fmt: skip
BLOCKING = {
    "403-private": "private",
    "404-banned": "banned",
    "451": "withheld for legal reasons",
    "redirect-search": "no subreddit",
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reddit_client, "READ_TIMEOUT_S", 0.15)


@pytest.fixture(scope="module")
def busy() -> Iterator[Simulator]:
    with Simulator(busy_world(), now_ts=NOW) as simulator:
        yield simulator


@pytest.fixture
def station(busy: Simulator) -> Iterator[Station]:
    """A station that is three hours behind."""
    made = Station(busy)
    made.state.watermarks["phones"] = T0
    busy.reset_stats()
    yield made
    busy._api.hostile = None


def test_an_undisturbed_reading_takes_as_many_pages_as_are_spoiled(station: Station) -> None:
    station.run()
    assert station.simulator.stats()["requests"] == {"GET /r/{}/comments": 3, "GET /r/{}/new": 3}
    check_whole(station)


def check_whole(station: Station) -> None:
    station.check_claims()
    assert station.due() <= station.seen()
    assert station.statuses() == {CoverageStatus.COMPLETE}
    assert len(station.windows()) == HOURS
    assert station.state.watermarks["phones"] == END


@pytest.mark.parametrize(("path", "page", "fault"), one_in(4, product(PAGES, (1, 2, 3), PASSING)))
def test_trouble_that_passes_on_any_page_costs_a_retry_and_nothing_else(
    station: Station, path: str, page: int, fault: str
) -> None:
    station.hostile(Strikes(path, fault, page, seconds=0.3))
    station.run()
    check_whole(station)


# An empty listing that is well-formed, twice, of a subreddit that is there to be read, is what an empty one looks like.
STAYING = [
    (path, page, fault)
    for path in PAGES
    for page in (1, 2, 3)
    for fault in PASSING
    if (fault, page) != ("empty-page", 1)
]
REJECTING = {"401-invalid-token"}


@pytest.mark.parametrize(("path", "page", "fault"), one_in(4, STAYING))
def test_trouble_that_stays_from_any_page_on_is_never_taken_for_an_end(
    station: Station, path: str, page: int, fault: str
) -> None:
    station.hostile(Strikes(path, fault, page, times=1e9, seconds=0.3))
    with pytest.raises(CredentialsRejected) if fault in REJECTING else nullcontext():
        station.run()
    station.check_claims()
    station.hostile(None)
    station.now += 60
    station.run()
    station.check_claims()
    assert station.due() <= station.seen() or station.statuses() & {CoverageStatus.TRUNCATED}
    assert station.state.watermarks["phones"] == END


@pytest.mark.parametrize("fault", ["empty-body", "null-body", "list-200", "error-dict-200", "not-json", "cut-json"])
@pytest.mark.parametrize("path", PAGES)
def test_nothing_at_all_is_no_empty_hour(station: Station, path: str, fault: str) -> None:
    station.hostile(Strikes(path, fault, times=1e9))
    station.run()
    assert station.statuses() == {CoverageStatus.FAILED}
    assert station.state.watermarks["phones"] == T0
    reasons = {claim.reason for state in station.windows().values() for claim in state.coverage.values()}
    assert all(len(reason) < 400 and "\n" not in reason for reason in reasons)


@pytest.mark.parametrize("fault", ["empty-page", "repeated-page"])
@pytest.mark.parametrize("both", [True, False], ids=["both listings", "one listing"])
def test_an_empty_listing_of_a_subreddit_that_exists_is_believed_only_with_proof(
    station: Station, fault: str, both: bool
) -> None:
    station.hostile(Strikes("/r/phones/*" if both else "/r/phones/comments", fault, times=1e9))
    station.run()
    if fault == "repeated-page":
        station.check_claims()
    for state in station.windows().values():
        for claim in state.coverage.values():
            assert claim.pages > 1 or claim.items_seen, "one empty page is no proof"


# Row 15: Reddit asks for a pause.


class Left:
    """So many seconds are left."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def remaining_s(self) -> float:
        return self._seconds


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize("path", PAGES)
def test_a_pause_that_reddit_asks_for_is_kept(station: Station, path: str, page: int) -> None:
    station.hostile(Strikes(path, "429-html-retry-after", page))
    station.run()
    assert station.slept == [4.0]
    check_whole(station)


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize("path", PAGES)
def test_a_pause_that_does_not_fit_ends_the_reading_and_the_next_run_goes_on(
    station: Station, path: str, page: int
) -> None:
    station.hostile(Strikes(path, "429-html-retry-after", page))
    station.run(deadline=Left(reddit_client.CALL_RESERVE_S + 1))
    station.check_claims()
    assert CoverageStatus.FAILED in station.statuses()
    assert station.slept == []
    station.hostile(None)
    station.now += 60
    station.run()
    check_whole(station)


# Row 19: the token is not accepted any more.


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize("path", PAGES)
def test_a_token_that_expires_on_the_way_is_renewed_once(station: Station, path: str, page: int) -> None:
    tokens = station.simulator.stats()["tokens"]
    station.hostile(Strikes(path, "401-invalid-token", page))
    station.run()
    assert station.simulator.stats()["tokens"] == tokens + 2
    check_whole(station)


@pytest.mark.parametrize("fault", ["401-invalid-token", "401-bare"])
@pytest.mark.parametrize("page", [1, 2, 3])
def test_credentials_that_are_rejected_on_the_way_are_one_clear_error(station: Station, page: int, fault: str) -> None:
    station.hostile(Strikes("/r/phones/new", fault, page, times=1e9))
    with pytest.raises(CredentialsRejected, match="rejects the credentials at GET /r/phones/new; check REDDIT_CLIENT"):
        station.run()
    assert station.state.watermarks["phones"] == T0
    assert station.simulator.stats()["requests_total"] < 12


# Row 20: more than a listing holds, items that go while they are read, pages that come again.

AT_ONCE = ["the anchor", "the last 10", "a third", "the whole page", "all but one"]
FACTORS = [0.5, 0.9, 0.97, 1.0, 1.03, 1.1, 1.5, 2, 5, 20]


@pytest.mark.parametrize(("hours", "kind", "factor"), one_in(3, product([1, 3], ["submissions", "comments"], FACTORS)))
def test_more_than_a_listing_holds_is_a_gap_that_says_from_when_on_it_is_complete(
    serve: Callable[..., Station], kind: str, factor: float, hours: int
) -> None:
    count, start = int(1_000 * factor), END - hours * HOUR_S
    old = [post(f"o{n}", start - 3_000 - n) for n in range(60)]
    times = [start + n * hours * HOUR_S // count for n in range(count)]
    if kind == "submissions":
        station = serve(ItemWorld([*old, *(post(f"p{n}", each) for n, each in enumerate(times))]))
    else:
        station = serve(ItemWorld(old, [comment(f"c{n}", each, "o1") for n, each in enumerate(times)]))
    station.state.watermarks["phones"] = station.first = start
    station.run()
    station.check_claims()
    claims = [station.windows()[at].coverage[kind] for at in range(start, END, HOUR_S)]
    # Below 1,000 the listing goes on to the older ones, if there are any.
    is_whole = factor < 1 and (kind == "submissions" or count < 100)
    assert claims[-1].status is not CoverageStatus.UNREACHABLE
    assert (claims[0].status is CoverageStatus.COMPLETE) == is_whole, claims[0].reason
    if factor >= 1.03:
        gap = claims[-1] if factor >= hours else claims[0]
        assert gap.status in (CoverageStatus.TRUNCATED, CoverageStatus.UNREACHABLE)
    assert station.state.watermarks["phones"] == END, "waiting would not show more"


@pytest.fixture
def serve() -> Iterator[Callable[..., Station]]:
    started: list[Simulator] = []

    def start(world: ItemWorld) -> Station:
        started.append(Simulator(world, now_ts=NOW).__enter__())
        return Station(started[-1])

    yield start
    for simulator in started:
        simulator.__exit__(None, None, None)


@pytest.mark.parametrize(
    ("page", "kind", "what"), one_in(3, product([1, 2, 3, 4], ["submissions", "comments"], AT_ONCE))
)
def test_items_that_go_while_they_are_read_take_no_other_with_them(
    serve: Callable[..., Station], kind: str, page: int, what: str
) -> None:
    world = busy_world()
    station = serve(world)
    station.state.watermarks["phones"] = T0
    things: list[Any] = [*(world.posts("phones") if kind == "submissions" else world.comments("phones"))][::-1]

    def happens() -> None:
        read = things[: (page - 1) * 100]
        dice = random.Random(page)
        gone = {
            "the anchor": read[-1:],
            "the last 10": read[-10:],
            "a third": dice.sample(things, len(things) // 3),
            "the whole page": read[-100:],
            "all but one": things[1:],
        }[what]
        lost(gone, NOW)

    path = "/r/phones/new" if kind == "submissions" else "/r/phones/comments"
    station.hostile(Hook(path, page, happens))
    station.run()
    station.check_claims()
    station.hostile(None)
    station.now += 60
    if station.state.watermarks["phones"] < END:
        station.run()
    assert station.due() <= station.seen() or station.statuses() & {CoverageStatus.TRUNCATED}


class Pages:
    """A connection on which a listing answers with pages by their number, whatever is asked for."""

    quota_left = None
    progress = SimpleNamespace(page=lambda *_: None)

    def __init__(self, page_of: Callable[[int], dict[str, Any]]) -> None:
        self.asked = 0
        self._page_of = page_of

    def get(self, *_: object, **__: object) -> dict[str, Any]:
        self.asked += 1
        return {"kind": "Listing", "data": self._page_of(self.asked)}


def page_of(kind: str, number: int, after: str | None) -> dict[str, Any]:
    items = [
        {"kind": kind, "data": {"name": f"{kind}_{number}x{n}", "created_utc": END - number * 100 - n}}
        for n in range(100)
    ]
    return {"children": items, "after": after}


LOOPS: dict[str, Callable[[str, int], dict[str, Any]]] = {
    "the first page again and again": lambda kind, n: page_of(kind, 1, f"{kind}_1x99"),
    "the first page with ever new anchors": lambda kind, n: page_of(kind, 1, f"{kind}_{n}"),
    "two pages in turn": lambda kind, n: page_of(kind, n % 2, f"{kind}_{n % 2}x99"),
    "three pages in turn": lambda kind, n: page_of(kind, n % 3, f"{kind}_{n % 3}x99"),
    "the third page for ever": lambda kind, n: page_of(kind, min(n, 3), f"{kind}_{min(n, 3)}x99"),
    "empty pages with an anchor": lambda kind, n: {"children": [], "after": f"{kind}_{n}"},
    "an anchor that names itself": lambda kind, n: {**page_of(kind, 1, f"{kind}_x"), "children": []},
    "only things of another kind": lambda kind, n: page_of("t5", 1, "t5_x"),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("kind", ["t3", "t1"])
def test_pages_that_come_again_end_and_prove_nothing(kind: str, loop: str) -> None:
    pages: Any = Pages(lambda n: LOOPS[loop](kind, n))
    fetcher: Any = SubmissionFetcher(pages) if kind == "t3" else CommentFetcher(pages)
    read = fetcher.read_since("phones", T0)
    assert pages.asked < 60
    assert read.ended in (Ended.ANCHOR_LOST, Ended.EXHAUSTED)
    if read.ended is Ended.EXHAUSTED:
        assert read.items == []
    assert len({item["name"] for item in read.items}) == len(read.items)


# Row 21: subreddits that may not be read.


@pytest.fixture
def two(serve: Callable[..., Station]) -> Station:
    """A station at a Reddit of two subreddits, both three hours behind."""
    world, other = busy_world(20), busy_world(20, subreddit="tablets")
    world.add(other.posts("tablets"), other.comments("tablets"))
    station = serve(world)
    station.state.watermarks |= {"phones": T0, "tablets": T0}
    return station


CLOSED = ["private", "banned", "quarantined", "missing", "withheld"]


def close(station: Station, how: str) -> None:
    spec: SubredditSpec = station.simulator.world.subreddits["phones"]
    if how == "withheld":
        station.hostile(Strikes("/r/phones/*", "451", times=1e9))
    else:
        station.simulator.world.subreddits["phones"] = replace(spec, access=how)  # type: ignore[arg-type]


@pytest.mark.parametrize("order", [("phones", "tablets"), ("tablets", "phones")], ids="-".join)
@pytest.mark.parametrize("how", CLOSED)
def test_a_subreddit_that_is_closed_keeps_its_watermark_and_never_stops_the_others(
    two: Station, how: str, order: tuple[str, str]
) -> None:
    close(two, how)
    outcomes = {outcome.subreddit: outcome for outcome in two.run(*order)}
    assert two.statuses("phones") == {CoverageStatus.BLOCKED}
    assert two.state.watermarks == {"phones": T0, "tablets": END}
    assert two.due(subreddit="tablets") <= two.seen("tablets")
    assert not outcomes["phones"].is_whole
    assert outcomes["tablets"].is_whole
    (reason,) = {claim.reason for state in two.windows().values() for claim in state.coverage.values()}
    assert reason.startswith("r/phones: ")
    assert len(reason) < 80


@pytest.mark.parametrize("how", CLOSED)
def test_a_subreddit_that_opens_again_is_caught_up(two: Station, how: str) -> None:
    close(two, how)
    for _ in range(3):
        two.run("phones")
        two.now += 60
    assert two.state.watermarks["phones"] == T0
    two.hostile(None)
    close(two, "public")
    two.run("phones")
    check_whole(two)


@pytest.mark.parametrize("fault", BLOCKING)
@pytest.mark.parametrize("page", [2, 3])
@pytest.mark.parametrize("path", PAGES)
def test_a_subreddit_that_closes_while_it_is_read_claims_nothing(
    station: Station, path: str, page: int, fault: str
) -> None:
    station.hostile(Strikes(path, fault, page, times=1e9))
    station.run()
    station.check_claims()
    assert station.statuses() == {CoverageStatus.BLOCKED}
    assert station.state.watermarks["phones"] == T0
    assert any(BLOCKING[fault] in claim.reason for claim in station.windows()[T0].coverage.values())


@pytest.mark.parametrize("mode", [Mode.INCREMENTAL, Mode.BACKFILL])
@pytest.mark.parametrize("cap", [1, 50, 99, 100, 101, 150, 239, 240, 250, 1_000])
def test_a_cap_that_is_reached_is_a_gap(station: Station, cap: int, mode: Mode) -> None:
    station.run(mode=mode, cap=cap)
    station.check_claims()
    submissions = [state.coverage["submissions"].status for state in station.windows().values()]
    assert all(status is CoverageStatus.COMPLETE for status in submissions) == (cap >= 250)
