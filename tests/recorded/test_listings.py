"""Every recorded page of a listing, read over HTTP by PRAW, our connection and our fetchers."""

import json
from collections.abc import Callable

import pytest

from reddit_ingest.core.items import created_utc
from reddit_ingest.fetchers import CommentFetcher, Ended, SubmissionFetcher, is_listing
from reddit_ingest.reddit_client import RedditConnection

from .replay import Answer, Exchange, Question, ReplayServer, things

Api = Callable[[str], list[Exchange]]

EMPTY = Answer(json.dumps({"kind": "Listing", "data": {"children": [], "after": None, "before": None, "dist": 0}}))
LATE_PAGE = "/user/kjoneslol/m/sfwpornnetwork/new"


def names_in(exchange: Exchange, kind: str) -> list[str]:
    return [data["name"] for found, data in things(exchange.json()) if found == kind]


def serve_single_pages(server: ReplayServer, pages: dict[int, Exchange]) -> None:
    """Serve page N as the first page of r/recN, with nothing below it."""

    def answer(question: Question) -> Answer:
        _, path, fields = question
        return EMPTY if "after" in fields else pages[int(path.split("/")[2].removeprefix("rec"))].answer

    server.answer = answer


@pytest.mark.parametrize(("name", "count"), [("listings_subreddit", 29), ("polling_streams", 57)])
def test_every_recorded_page_is_read_whole(
    api: Api, server: ReplayServer, connection: RedditConnection, name: str, count: int
) -> None:
    pages = {each.number: each for each in api(name) if each.answer.status == 200 and is_listing(each.json())}
    assert len(pages) == count
    serve_single_pages(server, pages)
    for number, page in pages.items():
        for kind, fetcher in (("t3", SubmissionFetcher(connection)), ("t1", CommentFetcher(connection))):
            read = fetcher.read_since(f"rec{number}", 1)
            assert read.trouble is None
            assert [item["name"] for item in read.items] == list(dict.fromkeys(names_in(page, kind))), page.path
            assert read.ended in (Ended.EXHAUSTED, Ended.ANCHOR_LOST)


def test_a_listing_paged_to_its_end_is_read_page_by_page_and_each_item_once(
    api: Api, server: ReplayServer, connection: RedditConnection
) -> None:
    pages = api("paging_to_exhaustion")
    by_anchor = {page.query.get("after"): page.answer for page in pages}
    children = [child for page in pages for child in page.json()["data"]["children"]]

    def answer(question: Question) -> Answer:
        anchor = question[2].get("after")
        if anchor in by_anchor:
            return by_anchor[anchor]
        below = next(n for n, child in enumerate(children, start=1) if child["data"]["name"] == anchor)
        rest = {"children": children[below : below + 100], "after": None}
        return Answer(json.dumps({"kind": "Listing", "data": rest}))

    server.answer = answer
    read = CommentFetcher(connection).read_since("rec", 1)
    expected = [name for page in pages for name in names_in(page, "t1")]
    assert [item["name"] for item in read.items] == expected
    assert len(expected) == 990
    assert [question[2].get("after") for question in server.questions][:11] == list(by_anchor)
    assert read.ended is Ended.EXHAUSTED


def test_a_page_that_holds_only_another_kind_does_not_end_a_listing(
    server: ReplayServer, connection: RedditConnection
) -> None:
    def page(kind: str, number: int, after: str | None) -> Answer:
        data = {"id": f"x{number}", "name": f"{kind}_x{number}", "created_utc": 1_767_225_600.0 - number}
        children = [{"kind": kind, "data": data}]
        return Answer(json.dumps({"kind": "Listing", "data": {"children": children, "after": after}}))

    pages = {None: page("t1", 1, "t1_x1"), "t1_x1": page("t3", 2, "t3_x2"), "t3_x2": page("t1", 3, None)}
    server.answer = lambda question: pages[question[2].get("after")]
    read = CommentFetcher(connection).read_since("rec", 1)
    assert [item["id"] for item in read.items] == ["x1", "x3"]
    assert read.ended is Ended.EXHAUSTED


def test_a_listing_whose_end_is_missing_is_asked_for_again_and_not_taken_for_whole(
    api: Api, server: ReplayServer, connection: RedditConnection
) -> None:
    pages = api("paging_to_exhaustion")[:4]
    by_anchor = {page.query.get("after"): page.answer for page in pages}
    server.answer = lambda question: by_anchor.get(question[2].get("after"), EMPTY)
    read = CommentFetcher(connection).read_since("rec", 1)
    assert len(read.items) == sum(len(names_in(page, "t1")) for page in pages)
    assert read.ended is Ended.ANCHOR_LOST
    assert not read.is_whole


def test_a_poll_repeated_gives_nothing_twice(api: Api, server: ReplayServer, connection: RedditConnection) -> None:
    """The same listing polled again is served as its own next page: neighbours overlap by nearly all items."""
    polls = [each for each in api("polling_streams") if each.path == "/r/all/comments" and "before" not in each.query]
    assert len(polls) >= 10
    answers = iter([*(poll.answer for poll in polls), *[EMPTY] * 50])
    server.answer = lambda question: next(answers)
    found = [item["name"] for item in CommentFetcher(connection).read_since("rec", 1).items]
    assert len(found) == len(set(found))
    assert set(found) == {name for poll in polls for name in names_in(poll, "t1")}


def test_the_two_posts_that_were_approved_late_are_found(
    api: Api, server: ReplayServer, connection: RedditConnection
) -> None:
    (page,) = (each for each in api("listings_subreddit") if each.path == LATE_PAGE)
    serve_single_pages(server, {page.number: page})
    read = SubmissionFetcher(connection).read_since(f"rec{page.number}", 1)
    late = list(read.late_items())
    assert len(late) == 2
    positions = {item["name"]: place for place, item in enumerate(read.items)}
    behind = sorted(
        max(created_utc(below) or 0 for below in read.items[positions[item["name"]] :]) - (created_utc(item) or 0)
        for item in late
    )
    assert behind == [336, 17_749]


def test_a_late_post_does_not_end_the_reading_of_a_window(
    api: Api, server: ReplayServer, connection: RedditConnection
) -> None:
    (page,) = (each for each in api("listings_subreddit") if each.path == LATE_PAGE)
    serve_single_pages(server, {page.number: page})
    times = sorted(created_utc(data) or 0 for kind, data in things(page.json()) if kind == "t3")
    start_ts, end_ts = times[len(times) // 2], times[-1] + 1
    found = list(SubmissionFetcher(connection).iterate_window(f"rec{page.number}", start_ts, end_ts))
    assert len(found) == sum(start_ts <= time < end_ts for time in times)


def test_pages_that_never_were_listings_are_not_taken_for_empty_ones(api: Api) -> None:
    others = [each for each in api("listings_subreddit") if each.answer.status != 200 or not is_listing(each.json())]
    assert sorted(each.number for each in others) == [16, 30]
