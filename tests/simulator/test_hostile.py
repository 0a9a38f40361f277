"""Every row of the table of Reddit's errors: PRAW raises what it raises at the real one."""

import contextlib
import json

import prawcore
import pytest
from praw.exceptions import RedditAPIException

from reddit_sim import HostilePlan, SubredditSpec

from .conftest import T0, client, post, world

ROWS = [
    *((f"status:{status}", 3, prawcore.ServerError) for status in (500, 502, 503, 504, 520, 522)),
    ("status:408", 3, prawcore.ResponseException),
    *((f"status:{status}", 1, prawcore.ResponseException) for status in (521, 524, 307, 418)),
    ("connection-reset", 3, prawcore.RequestException),
    ("short-body", 3, prawcore.RequestException),
    ("400-json", 1, KeyError),
    ("400-reason", 1, RedditAPIException),
    ("400-html", 1, RedditAPIException),
    ("401-invalid-token", 3, prawcore.InvalidToken),
    ("401-bare", 3, KeyError),
    ("403-bare-realm", 1, KeyError),
    ("403-private", 1, prawcore.Forbidden),
    ("404-banned", 1, prawcore.NotFound),
    ("redirect-search", 1, prawcore.Redirect),
    ("429-html-retry-after", 1, prawcore.TooManyRequests),
    ("429-json", 1, prawcore.TooManyRequests),
    ("429-date", 1, ValueError),
    ("451", 1, prawcore.UnavailableForLegalReasons),
    ("not-json", 1, prawcore.BadJSON),
    ("cut-json", 1, prawcore.BadJSON),
    ("error-dict-200", 1, ValueError),
    ("list-200", 1, IndexError),
    ("bad-ratelimit-headers", 1, ValueError),
]
TOKEN_ROWS = [
    ("token-401", prawcore.ResponseException),
    ("token-429", prawcore.ResponseException),
    ("token-500", prawcore.ResponseException),
    ("token-error-200", prawcore.OAuthException),
    ("token-not-json", ValueError),
]


def always(fault: str) -> HostilePlan:
    return HostilePlan.parse(json.dumps([{"fault": fault}]))


@pytest.mark.parametrize(("fault", "requests", "raised"), ROWS, ids=[row[0] for row in ROWS])
def test_a_faulty_listing_raises_what_the_real_one_does(
    serve, fault: str, requests: int, raised: type[Exception]
) -> None:
    simulator = serve(world([post(1)]), hostile=always(fault))
    with pytest.raises(raised) as caught:
        list(client(simulator).subreddit("phones").new())
    assert type(caught.value) is raised or raised in (ValueError, prawcore.ResponseException)
    assert simulator.stats()["requests_total"] == requests


@pytest.mark.parametrize(("fault", "raised"), TOKEN_ROWS, ids=[row[0] for row in TOKEN_ROWS])
def test_a_faulty_login_raises_what_the_real_one_does(serve, fault: str, raised: type[Exception]) -> None:
    simulator = serve(world([post(1)]), hostile=always(fault))
    with pytest.raises(raised):
        list(client(simulator).subreddit("phones").new())
    assert simulator.stats()["requests_total"] == 0


@pytest.mark.parametrize("fault", ["empty-body", "null-body", "empty-page"])
def test_an_answer_with_nothing_in_it_raises_nothing_in_praw(serve, fault: str) -> None:
    simulator = serve(world([post(1)]), hostile=always(fault))
    assert list(client(simulator).subreddit("phones").new()) == []


@pytest.mark.parametrize(
    ("access", "raised", "reason"),
    [
        ("private", prawcore.Forbidden, "private"),
        ("quarantined", prawcore.Forbidden, "quarantined"),
        ("banned", prawcore.NotFound, "banned"),
    ],
)
def test_a_subreddit_that_may_not_be_read_says_why(serve, access, raised, reason: str) -> None:
    simulator = serve(world([post(1)], subreddits=[SubredditSpec("phones", access=access)]))
    with pytest.raises(raised) as caught:
        list(client(simulator).subreddit("phones").new())
    assert caught.value.response.json()["reason"] == reason


def test_the_name_of_no_subreddit_leads_to_the_search_page(serve) -> None:
    with pytest.raises(prawcore.Redirect) as caught:
        list(client(serve(world([post(1)]))).subreddit("nosuch").new())
    assert caught.value.path.startswith("/subreddits/search")


def test_an_unknown_token_is_refused(serve) -> None:
    simulator = serve(world([post(1)]), reject_credentials=True)
    with pytest.raises(prawcore.ResponseException, match="401"):
        list(client(simulator).subreddit("phones").new())


def test_rules_strike_the_nth_the_first_few_every_so_many_or_a_share() -> None:
    def struck(**rule: object) -> list[int]:
        plan = HostilePlan.from_rules([{"path": "/r/*/new", "fault": "451", **rule}])
        return [n for n in range(1, 13) if plan.fault("/r/phones/new") is not None]

    assert struck(nth=3) == [3]
    assert struck(times=2) == [1, 2]
    assert struck(every=4) == [4, 8, 12]
    assert struck(rate=0.0) == []
    assert struck() == list(range(1, 13))
    assert HostilePlan.from_rules([{"path": "/api/*", "fault": "451"}]).fault("/r/phones/new") is None


def test_a_random_plan_depends_on_its_seed_alone() -> None:
    def drawn(text: str) -> list[str | None]:
        plan = HostilePlan.parse(text)
        return [rule.fault if (rule := plan.fault("/r/phones/new")) else None for _ in range(200)]

    assert drawn("random:5:0.2") == drawn("random:5:0.2")
    assert drawn("random:5:0.2") != drawn("random:6:0.2")
    assert 20 < sum(fault is not None for fault in drawn("random:5:0.2")) < 60


def test_every_fault_can_be_served(serve, caplog) -> None:
    simulator = serve(world([post(n, T0 + n) for n in range(150)]))
    for fault in HostilePlan.names():
        if fault == "hang" or fault.startswith("token"):
            continue
        simulator.set_hostile(json.dumps([{"fault": fault}]))
        with contextlib.suppress(Exception):  # what PRAW makes of it is tested above
            client(simulator).request(method="GET", path="/r/phones/new", params={})
    assert "the simulator failed" not in caplog.text
