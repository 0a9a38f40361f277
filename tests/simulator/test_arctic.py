"""The archive beside the simulated Reddit, with the traps of the real one."""

import json
from typing import Any

import pytest
import requests

from reddit_sim import Quota, Simulator, SubredditSpec
from reddit_sim.arctic import FIRST_LOOK_S, SECOND_LOOK_S

from .conftest import T0, comment, post, world

LATER = T0 + 30 * 86_400


def ask(simulator: Simulator, path: str, **params: object) -> requests.Response:
    return requests.get(f"{simulator.url}/api/{path}", params=params, timeout=5)  # type: ignore[arg-type]


def data(simulator: Simulator, path: str, **params: object) -> list[dict[str, Any]]:
    answer = ask(simulator, path, **params)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def ids(simulator: Simulator, path: str = "posts/search", **params: object) -> list[str]:
    return [item["id"] for item in data(simulator, path, subreddit="phones", **params)]


def test_after_and_before_leave_out_their_own_second(serve) -> None:
    simulator = serve(world([post(n, T0 + n // 2) for n in range(8)]), now_ts=LATER)
    assert ids(simulator, sort="asc", after=T0, before=T0 + 3) == ["p00002", "p00003", "p00004", "p00005"]


def test_paging_by_the_last_second_loses_its_ties(serve) -> None:
    simulator = serve(world([post(n, T0 + n // 3) for n in range(30)]), now_ts=LATER)
    seen: list[str] = []
    after = T0 - 1
    while page := data(simulator, "posts/search", subreddit="phones", sort="asc", after=after, limit=10):
        seen += [item["id"] for item in page]
        after = page[-1]["created_utc"]
    assert len(seen) < 30


def test_the_newest_25_come_first_unless_asked_for_otherwise(serve) -> None:
    simulator = serve(world([post(n, T0 + n) for n in range(1_500)]), now_ts=LATER)
    assert ids(simulator) == [f"p{n:05d}" for n in range(1_499, 1_474, -1)]
    assert len(ids(simulator, limit=100)) == 100
    sizes = {len(ids(simulator, limit="auto", after=T0 + n)) for n in range(8)}
    assert len(sizes) > 1
    assert all(100 <= size <= 1_000 for size in sizes)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("posts/search", {"limit": 101}),
        ("posts/search", {"limit": 0}),
        ("posts/search", {"limit": "many"}),
        ("comments/search", {"sort": "up"}),
        ("comments/search", {"after": "yesterday"}),
        ("posts/ids", {"ids": ",".join(["x"] * 501)}),
    ],
)
def test_a_wrong_parameter_is_an_error_with_no_data(serve, path: str, params: dict[str, object]) -> None:
    answer = ask(serve(world([post(1)])), path, **params)
    assert answer.status_code == 400
    assert answer.json()["data"] is None
    assert answer.json()["error"]


def test_moments_may_be_seconds_milliseconds_or_dates(serve) -> None:
    simulator = serve(world([post(1, T0), post(2, T0 + 90_000)]), now_ts=LATER)
    for after in (T0 + 5, (T0 + 5) * 1_000, "2026-01-06", "2026-01-05T08:00:05.000Z", "2026-01-05 08:00:05"):
        assert ids(simulator, after=after) == ["p00002"], after


def test_an_item_is_seen_a_minute_after_it_was_written_and_again_36_hours_later(serve) -> None:
    thing = post(1, T0, final_score=1_000, edit_ts=T0 + 600, edited_text="new", gone_ts=T0 + 7_200)
    thread = [comment(n, thread_of, created=T0 + 10) for n, thread_of in enumerate([thing] * 3)]
    simulator = serve(world([thing], thread), now_ts=T0 + FIRST_LOOK_S - 1)
    assert ids(simulator) == []
    simulator.clock.set(T0 + FIRST_LOOK_S)
    (first,) = data(simulator, "posts/search", subreddit="phones")
    assert (first["selftext"], first["score"], first["num_comments"]) == ("text", 1, 0)
    assert first["retrieved_on"] == T0 + FIRST_LOOK_S
    assert "_meta" not in first
    simulator.clock.set(T0 + SECOND_LOOK_S)
    (second,) = data(simulator, "posts/search", subreddit="phones")
    assert (second["selftext"], second["num_comments"]) == ("text", 3)
    assert second["score"] > 100
    told = {"retrieved_2nd_on": T0 + SECOND_LOOK_S, "is_edited": True}
    assert second["_meta"] == {**told, "was_deleted_later": True, "removal_type": "deleted"}


def test_one_item_in_fifty_is_only_there_at_the_second_look(serve) -> None:
    simulator = serve(world([post(n, T0) for n in range(400)]), now_ts=T0 + 3_600)
    early = {item["id"] for n in range(4) for item in data(simulator, "posts/ids", ids=_hundred(n))}
    assert 380 < len(early) < 400
    simulator.clock.set(T0 + SECOND_LOOK_S)
    late = [item for n in range(4) for item in data(simulator, "posts/ids", ids=_hundred(n)) if item["id"] not in early]
    assert len(late) == 400 - len(early)
    assert all(item["_meta"]["note"] == "initially_unavailable" for item in late)


def _hundred(n: int) -> str:
    return ",".join(f"t3_p{n * 100 + k:05d}" for k in range(100))


def test_ids_bring_what_there_is_with_or_without_their_prefix(serve) -> None:
    thread = post(1)
    simulator = serve(world([thread], [comment(1, thread)]), now_ts=LATER)
    assert [item["id"] for item in data(simulator, "posts/ids", ids="p00001,t3_nosuch")] == ["p00001"]
    assert [item["id"] for item in data(simulator, "comments/ids", ids="t1_c00001")] == ["c00001"]


def test_what_is_private_or_quarantined_is_not_there_and_what_was_banned_is(serve) -> None:
    specs = [SubredditSpec(name, access=name) for name in ("private", "quarantined", "banned")]  # type: ignore[arg-type]
    simulator = serve(world([post(n, T0, spec.name) for n, spec in enumerate(specs)], subreddits=specs), now_ts=LATER)
    assert [item["subreddit"] for item in data(simulator, "posts/search")] == ["banned"]
    assert data(simulator, "posts/ids", ids="p00000,p00001") == []
    assert [item["display_name"] for item in data(simulator, "subreddits/search", subreddit="banned")] == ["banned"]
    assert data(simulator, "subreddits/search", subreddit="private") == []


def test_no_token_is_asked_for_and_the_quota_is_told_and_ends_in_429(serve) -> None:
    quota = Quota(limit=2, slice_s=60, clock=lambda: 1_767_600_030.0)
    simulator = serve(world([post(1)]), now_ts=LATER, archive_quota=quota)
    answers = [ask(simulator, "posts/search") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1.0", "0.0", "0.0"]
    assert answers[2].headers["X-RateLimit-Reset"] == "30"
    assert answers[2].json() == {"data": None, "error": "Too many requests"}
    assert simulator.stats() | {"items_served": 0} == {
        "requests": {"GET /api/posts/search": 3},
        "requests_total": 3,
        "tokens": 0,
        "items_served": 0,
    }


@pytest.mark.parametrize(("fault", "status"), [("archive-error-200", 200), ("archive-timeout-422", 422)])
def test_a_query_that_takes_too_long_fails_as_the_real_one_does(serve, fault: str, status: int) -> None:
    simulator = serve(world([post(1)]), now_ts=LATER)
    simulator.set_hostile(json.dumps([{"path": "/api/posts/*", "fault": fault, "nth": 1}]))
    answer = ask(simulator, "posts/search")
    assert answer.status_code == status
    assert answer.json()["data"] is None
    assert "low down" in answer.json()["error"]
    assert ask(simulator, "posts/search").json()["data"]


def test_a_random_plan_spoils_the_archive_with_what_passes(serve) -> None:
    simulator = serve(world([post(1)]), now_ts=LATER)
    simulator.set_hostile("random:3:0.5")
    good = bad = 0
    for _ in range(40):
        try:
            good += isinstance(ask(simulator, "posts/search").json()["data"], list)
        except (requests.RequestException, ValueError, TypeError, LookupError):
            bad += 1
    assert good > 5
    assert bad > 2


def test_an_archive_that_stands_still_shows_nothing_newer(serve) -> None:
    simulator = serve(world([post(n, T0 + n * 3_600) for n in range(5)]), now_ts=LATER)
    simulator.stop_archive(T0 + 2 * 3_600 + FIRST_LOOK_S)
    assert ids(simulator, sort="asc") == ["p00000", "p00001", "p00002"]
    simulator.stop_archive(None)
    assert len(ids(simulator)) == 5
