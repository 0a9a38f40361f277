"""Threads behave as Reddit's do: what PRAW expands is exactly what is visible."""

import random

import pytest

from reddit_ingest.core.settings import RedditCredentials, RedditEndpoint
from reddit_ingest.fetchers import CommentFetcher
from reddit_ingest.reddit_client import RedditClientFactory, RedditConnection

from .conftest import T0, client, comment, post, world


def big_thread(count: int, seed: int):
    dice = random.Random(seed)
    thread = post(1)
    made = []
    for number in range(count):
        parent = dice.choice(made) if made and dice.random() < 0.7 else None
        gone = T0 + 100_000 if dice.random() < 0.05 else None
        made.append(
            comment(number, thread, parent, created=T0 + 60 + number, final_score=dice.randrange(50), gone_ts=gone)
        )
    return thread, made


def ours(simulator) -> set[str]:
    connection = RedditConnection(
        RedditClientFactory.create(
            RedditCredentials("x", "y", "test:opinion:v0 (by u/x)"), RedditEndpoint(simulator.url, simulator.url)
        )
    )
    found = [item["name"] for item in CommentFetcher(connection).iterate_comments("p00001")]
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.parametrize(("count", "seed"), [(3, 1), (120, 2), (700, 3), (1_600, 4)])
def test_praw_and_our_reader_find_every_visible_comment(serve, count: int, seed: int) -> None:
    thread, made = big_thread(count, seed)
    simulator = serve(world([thread], made), now_ts=T0 + 7_200)
    expected = {each.name for each in made}
    submission = client(simulator).submission("p00001")
    submission.comments.replace_more(limit=None)
    assert {each.fullname for each in submission.comments.list()} == expected
    theirs = simulator.stats()["requests_total"]
    simulator.reset_stats()
    assert ours(simulator) == expected
    assert simulator.stats()["requests_total"] <= theirs


def test_a_first_answer_holds_500_comments_in_ten_levels(serve) -> None:
    thread = post(1)
    chain = [comment(0, thread)]
    for number in range(1, 25):
        chain.append(comment(number, thread, chain[-1]))
    simulator = serve(world([thread], chain))
    submission = client(simulator).submission("p00001")
    depth, level = 0, submission.comments
    while type(level[0]).__name__ == "Comment":
        assert level[0].depth == depth
        depth, level = depth + 1, level[0].replies
    assert depth == 10
    assert (level[0].count, level[0].id, level[0].children) == (0, "_", [])
    assert ours(simulator) == {each.name for each in chain}


def test_deleted_comments_stay_as_shells_only_while_something_hangs_on_them(serve) -> None:
    thread = post(1)
    answered = comment(1, thread, gone_ts=T0 + 500)
    lonely = comment(2, thread, gone_ts=T0 + 500, gone_by="moderator")
    simulator = serve(world([thread], [answered, lonely, comment(3, thread, answered)]))
    submission = client(simulator).submission("p00001")
    shown = {each.fullname: (each.body, each.author) for each in submission.comments.list()}
    assert shown.keys() == {"t1_c00001", "t1_c00003"}
    assert shown["t1_c00001"] == ("[deleted]", None)
