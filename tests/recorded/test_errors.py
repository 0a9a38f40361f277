"""Every recorded error answer, and some that were not recorded: our connection knows what each of them means."""

from collections.abc import Callable

import pytest

from reddit_ingest.core.errors import (
    CredentialsRejected,
    DeadlineReached,
    PlatformError,
    QuotaSpent,
    SourceUnavailable,
    SubredditBlocked,
    TryLater,
)
from reddit_ingest.fetchers import is_listing
from reddit_ingest.reddit_client import CALL_RESERVE_S, RedditConnection

from .replay import Answer, Exchange, ReplayServer

Api = Callable[[str], list[Exchange]]
Connect = Callable[[], RedditConnection]

BY_STATUS: dict[int, type[PlatformError]] = {
    200: SourceUnavailable,
    202: SourceUnavailable,
    204: SourceUnavailable,
    301: SubredditBlocked,
    302: SubredditBlocked,
    400: SourceUnavailable,
    401: CredentialsRejected,
    403: SubredditBlocked,
    404: SubredditBlocked,
    409: SourceUnavailable,
    413: SourceUnavailable,
    414: SourceUnavailable,
    415: SourceUnavailable,
    429: QuotaSpent,
    451: SubredditBlocked,
    500: SourceUnavailable,
    502: SourceUnavailable,
    503: SourceUnavailable,
    504: SourceUnavailable,
    520: SourceUnavailable,
    522: SourceUnavailable,
}
BY_LINE: dict[int, type[PlatformError]] = {100: CredentialsRejected}
"""403 with insufficient_scope is about the credentials, not the subreddit."""


def test_the_table_knows_every_recorded_status(api: Api) -> None:
    assert {each.answer.status for each in api("errors")} == set(BY_STATUS)
    assert len(api("errors")) == 102


@pytest.mark.parametrize("number", range(1, 103))
def test_a_recorded_error_means_exactly_one_thing(
    api: Api, server: ReplayServer, connect: Connect, number: int
) -> None:
    exchange = api("errors")[number - 1]
    assert exchange.number == number
    server.answer = lambda question: exchange.answer
    if exchange.path == "/api/v1/access_token":
        server.token = exchange.answer
    connection = connect()
    with pytest.raises(PlatformError) as raised:
        connection.get("/r/android/new", {"limit": 100}, is_listing, "android")
    expected = BY_LINE.get(number, BY_STATUS[exchange.answer.status])
    assert type(raised.value) is expected
    assert "\n" not in str(raised.value)
    assert "secret" not in str(raised.value)
    assert connection.requests_sent <= 10


@pytest.mark.parametrize("number", range(1, 103, 7))
def test_a_recorded_error_means_the_same_to_a_post(
    api: Api, server: ReplayServer, connect: Connect, number: int
) -> None:
    exchange = api("errors")[number - 1]
    server.answer = lambda question: exchange.answer
    with pytest.raises(BY_STATUS[exchange.answer.status]):
        connect().post("/api/morechildren", {"children": "a"}, is_listing, "android")


def test_a_429_with_a_pause_is_obeyed_three_times_and_then_told(
    api: Api, server: ReplayServer, connection: RedditConnection, slept: list[float]
) -> None:
    exchange = api("errors")[93]
    assert exchange.answer.headers["retry-after"] == "4"
    server.answer = lambda question: exchange.answer
    with pytest.raises(QuotaSpent) as spent:
        connection.get("/r/android/new", {}, is_listing, "android")
    assert spent.value.retry_after_s == 4.0
    assert slept.count(4.0) == 2
    assert len(server.questions) == 3


def test_an_error_that_passes_is_forgotten(api: Api, server: ReplayServer, connection: RedditConnection) -> None:
    page = next(each for each in api("listings_subreddit") if each.path == "/r/askreddit/new")
    answers = iter([api("errors")[93].answer, api("errors")[69].answer, page.answer])
    server.answer = lambda question: next(answers)
    assert connection.get("/r/askreddit/new", {}, is_listing, "askreddit") == page.json()


class Short:
    """A deadline that leaves some seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def remaining_s(self) -> float:
        return self._seconds


def test_a_pause_that_does_not_fit_before_the_deadline_is_not_begun(
    api: Api, server: ReplayServer, connection: RedditConnection, slept: list[float]
) -> None:
    server.answer = lambda question: api("errors")[93].answer
    connection.deadline = Short(CALL_RESERVE_S + 3)
    with pytest.raises(DeadlineReached):
        connection.get("/r/android/new", {}, is_listing, "android")
    assert 4.0 not in slept
    assert len(server.questions) == 1


@pytest.mark.parametrize("deadline", [None, Short(900)], ids=["no deadline", "fifteen minutes"])
def test_a_pause_of_a_day_is_not_slept(
    server: ReplayServer, connection: RedditConnection, slept: list[float], deadline: Short | None
) -> None:
    server.answer = lambda question: Answer("", 429, {"retry-after": "86400"})
    connection.deadline = deadline
    with pytest.raises(TryLater):
        connection.get("/r/android/new", {}, is_listing, "android")
    assert max(slept, default=0) <= 660


ODD = {
    "a body nested beyond measure": Answer("[" * 100_000),
    "null": Answer("null"),
    "an empty list": Answer("[]"),
    "an error with status 200": Answer('{"message": "Internal Server Error", "error": 500}'),
    "a listing of nothing but null": Answer('{"kind": "Listing", "data": null}'),
    "children of null": Answer('{"kind": "Listing", "data": {"children": [null], "after": null}}'),
    "an after that is a number": Answer('{"kind": "Listing", "data": {"children": [], "after": 5}}'),
    "bytes that are no text": Answer("\x00\x01\x02"),
    "a quota of words": Answer("{}", 200, {"x-ratelimit-remaining": "lots", "x-ratelimit-reset": "soon"}),
    "half a quota": Answer("{}", 200, {"x-ratelimit-remaining": "5"}),
    "a pause in words": Answer("", 429, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}),
    "401 without a reason": Answer("{}", 401),
    "403 with half a reason": Answer("{}", 403, {"www-authenticate": 'Bearer realm="reddit"'}),
    "a teapot": Answer("", 418),
    "408": Answer("", 408),
    "521": Answer("", 521),
    "a redirect without a place": Answer("", 302),
}


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD.keys())
def test_an_odd_answer_is_one_of_our_errors(server: ReplayServer, connection: RedditConnection, answer: Answer) -> None:
    server.answer = lambda question: answer
    with pytest.raises((TryLater, SubredditBlocked, CredentialsRejected)):
        connection.get("/r/android/new", {}, is_listing, "android")


@pytest.mark.parametrize(
    "token",
    [
        Answer('{"error": "invalid_grant"}'),
        Answer("not JSON"),
        Answer(""),
        Answer("{}"),
        Answer("[]"),
        Answer("null"),
        Answer('{"access_token": "t", "token_type": "bearer", "expires_in": "soon", "scope": "*"}'),
        Answer("", 500),
        Answer('{"message": "Unauthorized", "error": 401}', 401),
    ],
    ids=["error", "no JSON", "empty", "no token", "list", "null", "odd time", "500", "401"],
)
def test_an_odd_answer_to_the_login_is_one_of_our_errors(
    server: ReplayServer, connection: RedditConnection, token: Answer
) -> None:
    server.token = token
    with pytest.raises((TryLater, CredentialsRejected)) as raised:
        connection.get("/r/android/new", {}, is_listing, "android")
    assert server.questions == []
    assert (token.status == 401) <= isinstance(raised.value, CredentialsRejected)
