"""Listings behave as Reddit's do, read by PRAW itself."""

import pytest

from reddit_sim import Quota, SubredditSpec

from .conftest import T0, client, comment, post, world


def page(simulator, **params):
    return client(simulator).request(method="GET", path="/r/phones/new", params=params)["data"]


def names(data):
    return [child["data"]["name"] for child in data["children"]]


def test_a_page_holds_25_items_unless_asked_and_never_more_than_100(serve) -> None:
    simulator = serve(world([post(n, T0 + n) for n in range(300)]))
    assert len(page(simulator)["children"]) == 25
    assert len(page(simulator, limit=1024)["children"]) == 100
    assert len(page(simulator, limit=0)["children"]) == 1


def test_praw_pages_a_listing_to_its_end_at_a_thousand(serve) -> None:
    simulator = serve(world([post(n, T0 + n) for n in range(1_500)]))
    found = [item.fullname for item in client(simulator).subreddit("phones").new(limit=None)]
    assert found == [f"t3_p{n:05d}" for n in range(1_499, 499, -1)]
    assert simulator.stats()["requests"] == {"GET /r/{}/new": 10}


def test_removed_items_are_filtered_after_the_cut_so_fewer_than_a_thousand_are_left(serve) -> None:
    posts = [post(n, T0 + n, gone_ts=T0 + 5_000 if n % 10 == 0 else None) for n in range(1_500)]
    simulator = serve(world(posts))
    found = [item.fullname for item in client(simulator).subreddit("phones").new(limit=None)]
    assert len(found) == 900
    assert "t3_p00490" not in found


def test_a_page_after_a_removed_anchor_is_empty_and_no_error(serve) -> None:
    simulator = serve(world([post(n, T0 + n, gone_ts=T0 + 7_300 if n == 100 else None) for n in range(200)]))
    assert len(page(simulator, after="t3_p00100", limit=100)["children"]) == 100
    simulator.clock.set(T0 + 7_300)
    data = page(simulator, after="t3_p00100", limit=100)
    assert (data["children"], data["after"]) == ([], None)


def test_before_gives_the_items_just_above_an_anchor(serve) -> None:
    simulator = serve(world([post(n, T0 + n) for n in range(50)]))
    assert names(page(simulator, before="t3_p00040", limit=5)) == [f"t3_p{n:05d}" for n in (45, 44, 43, 42, 41)]


def test_a_late_approval_enters_at_its_time_with_its_old_creation(serve) -> None:
    posts = [post(n, T0 + n * 60) for n in range(50)]
    posts.append(post(99, T0 + 30, listed_ts=T0 + 40 * 60 + 5))
    simulator = serve(world(posts), now_ts=T0 + 39 * 60)
    assert "t3_p00099" not in names(page(simulator, limit=100))
    simulator.clock.set(T0 + 7_200)
    listed = page(simulator, limit=100)
    place = names(listed).index("t3_p00099")
    assert names(listed)[place - 1 : place + 2] == ["t3_p00041", "t3_p00099", "t3_p00040"]
    assert listed["children"][place]["data"]["created_utc"] == float(T0 + 30)


def test_an_item_is_listed_ten_seconds_after_it_was_written(serve) -> None:
    simulator = serve(world([post(1, T0)]), now_ts=T0 + 9)
    assert page(simulator)["children"] == []
    simulator.clock.advance(1)
    assert names(page(simulator)) == ["t3_p00001"]


def test_a_group_lists_all_that_is_public_in_it_and_drops_the_rest_without_a_word(serve) -> None:
    specs = [SubredditSpec("secret", access="private")]
    posts = [post(1, T0), post(2, T0 + 1, "tablets"), post(3, T0 + 2, "secret"), post(4, T0 + 3)]
    simulator = serve(world(posts, subreddits=specs))
    found = [item.fullname for item in client(simulator).subreddit("phones+tablets+secret+nosuch").new()]
    assert found == ["t3_p00004", "t3_p00002", "t3_p00001"]


def test_flat_comments_carry_their_thread_and_no_replies(serve) -> None:
    thread = post(1)
    first = comment(1, thread)
    simulator = serve(world([thread], [first, comment(2, thread, first)]))
    answer = client(simulator).request(method="GET", path="/r/phones/comments", params={"limit": 100})
    data = [child["data"] for child in answer["data"]["children"]]
    assert [item["name"] for item in data] == ["t1_c00002", "t1_c00001"]
    assert data[0]["parent_id"] == "t1_c00001"
    assert data[0]["replies"] == ""
    assert "depth" not in data[0]
    assert {data[0]["link_title"], data[0]["link_id"]} == {"Title 1", "t3_p00001"}
    assert data[0]["num_comments"] == 2


def test_scores_drift_edits_show_and_what_is_deleted_loses_text_and_author(serve) -> None:
    thing = post(1, T0, final_score=1_000, edit_ts=T0 + 3_600, edited_text="new", gone_ts=T0 + 90_000)
    simulator = serve(world([thing]), now_ts=T0 + 60)
    reddit = client(simulator)

    def seen() -> tuple[int, object, str, object]:
        (item,) = reddit.info(fullnames=["t3_p00001"])
        return item.score, item.edited, item.selftext, item.author

    score, edited, text, author = seen()
    assert (edited, text, str(author)) == (False, "text", "someone")
    simulator.clock.set(T0 + 7_200)
    grown, edited, text, _ = seen()
    assert grown > score
    assert (edited, text) == (float(T0 + 3_600), "new")
    simulator.clock.set(T0 + 90_000)
    assert page(simulator)["children"] == []
    assert seen()[2:] == ("[deleted]", None)


def test_num_comments_counts_deleted_ones_too(serve) -> None:
    thread = post(1)
    simulator = serve(world([thread], [comment(1, thread), comment(2, thread, gone_ts=T0 + 100)]))
    assert page(simulator)["children"][0]["data"]["num_comments"] == 2


def test_info_gives_what_there_is_of_up_to_100_names_and_refuses_more(serve) -> None:
    thread = post(1)
    hidden = post(2, subreddit="secret")
    specs = [SubredditSpec("secret", access="private")]
    simulator = serve(world([thread, hidden], [comment(1, thread)], subreddits=specs))
    found = client(simulator).info(fullnames=["t3_p00001", "t1_c00001", "t3_nosuch", "t3_p00002", "t5_phones"])
    assert [item.fullname for item in found] == ["t3_p00001", "t1_c00001", "t5_phones"]
    answer = client(simulator)
    with pytest.raises(Exception, match="400"):
        answer.request(method="GET", path="/api/info", params={"id": ",".join(["t3_x"] * 101)})


def test_about_tells_when_a_subreddit_began(serve) -> None:
    simulator = serve(world([post(1, T0 + 90)]))
    assert client(simulator).subreddit("phones").created_utc == float(T0)


def test_the_quota_is_told_in_the_headers_and_ends_in_429(serve) -> None:
    import prawcore

    simulator = serve(world([post(1)]), quota=Quota(limit=3, clock=lambda: 1_767_600_300.0))
    reddit = client(simulator)
    for used in (1, 2, 3):
        reddit.request(method="GET", path="/r/phones/new", params={})
        limits = reddit.auth.limits
        assert (limits["used"], limits["remaining"]) == (used, 3 - used)
        reddit._core.rate_limiter.next_request_timestamp_ns = None
    with pytest.raises(prawcore.TooManyRequests):
        reddit.request(method="GET", path="/r/phones/new", params={})


def test_a_second_token_is_fetched_only_when_the_first_is_refused(serve) -> None:
    simulator = serve(world([post(1)]))
    reddit = client(simulator)
    for _ in range(3):
        page_of = reddit.request(method="GET", path="/r/phones/new", params={})
        assert page_of["kind"] == "Listing"
    assert simulator.stats()["tokens"] == 1
