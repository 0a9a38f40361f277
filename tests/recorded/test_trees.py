"""Recorded threads, replayed so that our reader has to find every comment that was recorded."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from reddit_ingest.core.errors import PlatformError, TryLater
from reddit_ingest.fetchers import CommentFetcher
from reddit_ingest.reddit_client import RedditConnection

from .replay import Answer, Exchange, Question, ReplayServer, things

Api = Callable[[str], list[Exchange]]

NOTHING: dict[str, Any] = {"kind": "Listing", "data": {"children": [], "after": None}}


class RecordedThread:
    """One thread as some run recorded it: asked for hidden comments by id, it returns what the run got for that id."""

    def __init__(self, first: Exchange, others: Iterable[Exchange] = ()) -> None:
        self.first = first
        self.pages = {each.path: each.answer for each in others if each.path.startswith("/comments/")}
        self.batches = [
            (set(each.form["children"].split(",")), each.json()["json"]["data"]["things"])
            for each in others
            if each.path == "/api/morechildren" and each.answer.status == 200
        ]

    def answer(self, question: Question) -> Answer:
        method, path, fields = question
        if method == "POST" and path == "/api/morechildren":
            found = list(self._of(set(fields["children"].split(","))))
            return Answer(json.dumps({"json": {"errors": [], "data": {"things": found}}}))
        if path.count("/") == 2:
            return self.first.answer
        return self.pages.get(path, Answer(json.dumps([NOTHING, NOTHING])))

    def _of(self, asked: set[str]) -> Iterable[dict[str, Any]]:
        given: set[tuple[str, str, str]] = set()
        for children, found in self.batches:
            if not children & asked:
                continue
            # The server names a `more` after its first child, so a comment and a `more` may share a name.
            parents = {each["data"]["name"]: each["data"]["parent_id"] for each in found if each["kind"] == "t1"}
            for thing in found:
                top = thing["data"]["name"] if thing["kind"] == "t1" else thing["data"]["parent_id"]
                while parents.get(top) in parents:
                    top = parents[top]
                # What stands under another comment than those asked for was the answer to another question.
                belongs = top.removeprefix("t1_") in asked or top not in parents
                key = (thing["kind"], thing["data"]["name"], thing["data"]["parent_id"])
                if belongs and key not in given:
                    given.add(key)
                    yield thing


def names(exchanges: Iterable[Exchange]) -> set[str]:
    return {data["name"] for each in exchanges for kind, data in things(each.json()) if kind == "t1"}


@pytest.mark.parametrize(
    ("run", "requests", "comments"),
    [
        ("test_replace__all.json", 19, 541),
        ("test_replace__all_with_comment_limit.json", 51, 536),
        ("test_replace__all_with_comment_sort.json", 35, 536),
        ("test_replace__on_comment_from_submission.json", 8, None),
    ],
)
def test_every_comment_that_a_run_recorded_is_found_with_fewer_requests(
    api: Api, server: ReplayServer, connection: RedditConnection, run: str, requests: int, comments: int | None
) -> None:
    exchanges = [each for each in api("trees_3hahrw") if each.run.endswith("." + run)]
    assert len(exchanges) == requests
    server.answer = RecordedThread(exchanges[0], exchanges[1:]).answer
    found = [item["name"] for item in CommentFetcher(connection).iterate_comments("3hahrw")]
    assert len(found) == len(set(found))
    assert set(found) == names(exchanges)
    assert comments is None or len(found) == comments
    assert comments is None or len(server.questions) < requests


def test_the_runs_are_all_that_was_recorded_of_the_thread(api: Api) -> None:
    assert len(api("trees_3hahrw")) == 19 + 51 + 35 + 8


def test_no_call_asks_for_more_than_a_hundred_and_few_are_asked_for_again(
    api: Api, server: ReplayServer, connection: RedditConnection
) -> None:
    exchanges = [
        each for each in api("trees_3hahrw") if each.run.endswith(".test_replace__all_with_comment_limit.json")
    ]
    server.answer = RecordedThread(exchanges[0], exchanges[1:]).answer
    list(CommentFetcher(connection).iterate_comments("t3_3hahrw"))
    batches = [fields["children"].split(",") for method, _, fields in server.questions if method == "POST"]
    asked = [child for batch in batches for child in batch]
    # What did not fit into an answer is named in it again, and asked for again.
    assert len(asked) < 2 * len(set(asked))
    assert max(map(len, batches)) <= 100


def test_other_recorded_threads_are_read_whole(api: Api, server: ReplayServer, connection: RedditConnection) -> None:
    exchanges = api("trees_other")
    firsts = [each for each in exchanges if each.method == "GET" and each.path.startswith("/comments/")]
    assert len(firsts) == 22
    for first in firsts:
        others = [each for each in exchanges if each.run == first.run and each.path == "/api/morechildren"]
        server.answer = RecordedThread(first, others).answer
        found = [item["name"] for item in CommentFetcher(connection).iterate_comments(first.path.split("/")[2])]
        assert len(found) == len(set(found))
        assert set(found) == names([first, *others]), first.path


def test_thousands_of_hidden_comments_cost_a_request_per_hundred(
    api: Api, server: ReplayServer, connection: RedditConnection
) -> None:
    """ablzuq: one `more` of 4,682 children; its recorded answer holds 100 comments and 96 further `more`."""
    run = [each for each in api("trees_other") if each.run.endswith("test_comment_forest_refresh_error.json")]
    (first,) = (each for each in run if each.path == "/comments/ablzuq")
    (more,) = (each for each in run if each.path == "/api/morechildren")
    server.answer = RecordedThread(first, [more]).answer
    found = list(CommentFetcher(connection).iterate_comments("ablzuq"))
    hidden = {
        child for kind, data in things([first.json(), more.json()]) if kind == "more" for child in data["children"]
    }
    assert len(hidden) > 6_000
    assert {item["name"] for item in found} == names([first, more])
    posts = sum(method == "POST" for method, _, _ in server.questions)
    # What the recording lacks is asked for a second time at most.
    assert posts <= 2 * len(hidden) // 100


def test_the_fixtures_of_another_client_are_read(api: Api, server: ReplayServer, connection: RedditConnection) -> None:
    fixtures = {each.run.rpartition("testdata/")[2]: each for each in api("go_reddit_fixtures")}
    first, more = fixtures["post/post.json"], fixtures["post/more.json"]
    served = {"GET": first.answer, "POST": more.answer}
    server.answer = lambda question: (
        served[question[0]] if question[1].count("/") == 2 else Answer(json.dumps([NOTHING, NOTHING]))
    )
    found = {item["name"] for item in CommentFetcher(connection).iterate_comments("abc123")}
    assert names([first]) <= found
    if server.questions[-1][0] == "POST":
        assert found == names([first, more])


def test_comments_for_which_an_answer_had_no_room_are_asked_for_again(
    server: ReplayServer, connection: RedditConnection
) -> None:
    """As recorded in trees_3hahrw, lines 21, 22 and 26: of 156 ids asked for, 38 came back with their replies, and 110
    came back as the children of a `more`; two of them needed a third call."""
    hidden = [f"h{number:03d}" for number in range(150)]

    def comments(child: str) -> list[dict[str, Any]]:
        replies = [{"kind": "t1", "data": {"id": f"{child}r{n}", "name": f"t1_{child}r{n}"}} for n in range(3)]
        return [{"kind": "t1", "data": {"id": child, "name": f"t1_{child}", "parent_id": "t3_a"}}, *replies]

    def more(children: list[str]) -> dict[str, Any]:
        data = {"name": f"t1_{children[0]}", "parent_id": "t3_a", "count": len(children), "children": children}
        return {"kind": "more", "data": data}

    def answer(question: Question) -> Answer:
        if question[0] == "GET":
            return thread_of(more(hidden))
        asked = question[2]["children"].split(",")
        told = [thing for child in asked[:25] for thing in comments(child)]
        told += [more(asked[25:])] if asked[25:] else []
        return Answer(json.dumps({"json": {"errors": [], "data": {"things": told}}}))

    server.answer = answer
    found = {item["id"] for item in CommentFetcher(connection).iterate_comments("a")}
    assert len(found) == 150 * 4


def test_a_hidden_comment_whose_replies_are_on_a_page_of_their_own_is_followed_there(
    server: ReplayServer, connection: RedditConnection
) -> None:
    deep = {"kind": "t1", "data": {"id": "x", "name": "t1_x", "parent_id": "t3_a"}}
    reply = {"kind": "t1", "data": {"id": "z", "name": "t1_z", "parent_id": "t1_x"}}
    go_on = {"kind": "more", "data": {"id": "_", "name": "t1__", "parent_id": "t1_x", "count": 0, "children": []}}
    answers = {
        "/comments/a": thread_of(MORE),
        "/api/morechildren": Answer(json.dumps({"json": {"errors": [], "data": {"things": [deep, go_on]}}})),
        "/comments/a/_/x": thread_of({**deep, "data": {**deep["data"], "replies": {"data": {"children": [reply]}}}}),
    }
    server.answer = lambda question: answers[question[1]]
    assert {item["id"] for item in CommentFetcher(connection).iterate_comments("a")} == {"x", "z"}


def test_an_id_that_is_named_again_and_again_and_never_shown_does_not_keep_the_reader(
    server: ReplayServer, connection: RedditConnection
) -> None:
    server.answer = lambda question: (
        thread_of(MORE)
        if question[0] == "GET"
        else Answer(json.dumps({"json": {"errors": [], "data": {"things": [MORE]}}}))
    )
    assert list(CommentFetcher(connection).iterate_comments("a")) == []
    assert len(server.questions) < 20


def thread_of(*children: Any) -> Answer:
    return Answer(json.dumps([NOTHING, {"kind": "Listing", "data": {"children": list(children), "after": None}}]))


MORE = {"kind": "more", "data": {"id": "x", "name": "t1_x", "parent_id": "t3_a", "count": 2, "children": ["x", "y"]}}


@pytest.mark.parametrize(
    "body",
    [
        "null",
        "[]",
        "{}",
        '{"json": null}',
        '{"json": {}}',
        '{"json": {"data": null}}',
        '{"json": {"data": []}}',
        '{"json": {"errors": [["BAD_ID", "no such thing", "link_id"]]}}',
        '{"json": {"data": {"things": null}}}',
        '{"json": {"data": {"things": [null]}}}',
        '{"json": {"data": {"things": [{"data": {}}]}}}',
        '{"json": {"data": {"things": [{"kind": "t1", "data": null}]}}}',
    ],
)
def test_an_answer_that_holds_no_hidden_comments_is_trouble_with_the_source(
    server: ReplayServer, connection: RedditConnection, body: str
) -> None:
    server.answer = lambda question: thread_of(MORE) if question[0] == "GET" else Answer(body)
    with pytest.raises(TryLater):
        list(CommentFetcher(connection).iterate_comments("a"))


@pytest.mark.parametrize(
    "child",
    [
        {"data": {"id": "b"}},
        {"kind": "t1", "data": {"id": "b", "name": "t1_b", "replies": {}}},
        {"kind": "t1", "data": {"id": "b", "name": "t1_b", "replies": {"data": {"children": [None]}}}},
        {"kind": "more", "data": {"children": 5}},
        {"kind": "more", "data": {"children": [None, 7]}},
    ],
    ids=["no kind", "replies without data", "a reply of null", "children of 5", "children that are no ids"],
)
def test_an_odd_thing_in_a_thread_is_read_past_or_trouble_with_the_source(
    server: ReplayServer, connection: RedditConnection, child: Any
) -> None:
    good = {"kind": "t1", "data": {"id": "good", "name": "t1_good"}}
    server.answer = lambda question: thread_of(good, child) if question[0] == "GET" else Answer("{}")
    try:
        found = list(CommentFetcher(connection).iterate_comments("a"))
    except PlatformError:
        return
    assert "t1_good" in {item["name"] for item in found if "name" in item}
