"""PRAW itself, pointed at a simulator."""

from collections.abc import Callable, Iterator
from typing import Any

import praw
import pytest

from reddit_sim import ItemWorld, Simulator, World
from reddit_sim.shapes import comment_fields, post_fields
from reddit_sim.things import Comment, Post

from ..pauses import skip_pauses

T0 = 1_767_600_000


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """PRAW pauses for seconds between its tries; here nobody waits."""
    skip_pauses(monkeypatch)


@pytest.fixture
def serve() -> Iterator[Callable[..., Simulator]]:
    """Start simulators that end with the test."""
    started: list[Simulator] = []

    def start(world: World, now_ts: int = T0 + 7_200, **more: Any) -> Simulator:
        started.append(Simulator(world, now_ts=now_ts, **more).__enter__())
        return started[-1]

    yield start
    for simulator in started:
        simulator.__exit__(None, None, None)


def client(simulator: Simulator, client_id: str = "x") -> praw.Reddit:
    """Return a plain PRAW client for a simulator."""
    return praw.Reddit(
        client_id=client_id,
        client_secret="y",
        user_agent="test:opinion:v0 (by u/x)",
        oauth_url=simulator.url,
        reddit_url=simulator.url,
        check_for_updates=False,
        check_for_async=False,
    )


class FixedDice:
    """Chooses the first and never surprises."""

    def random(self) -> float:
        return 0.99

    def uniform(self, low: float, high: float) -> float:
        return low

    def choice(self, options: Any) -> Any:
        return options[0]


def post(number: int, created: int = T0, subreddit: str = "phones", **life: Any) -> Post:
    """Return a submission with a life of its own."""
    item_id = f"p{number:05d}"
    fields = post_fields(item_id, subreddit, f"Title {number}", "text", "someone", FixedDice())  # type: ignore[arg-type]
    return Post(id=item_id, subreddit=subreddit, created_utc=created, fields=fields, **life)


def comment(number: int, on: Post, answers: Comment | None = None, created: int | None = None, **life: Any) -> Comment:
    """Return a comment on a submission, or on another comment."""
    item_id = f"c{number:05d}"
    return Comment(
        id=item_id,
        subreddit=on.subreddit,
        created_utc=on.created_utc + 60 + number if created is None else created,
        fields=comment_fields(item_id, on, f"Body {number}", "reader", FixedDice()),  # type: ignore[arg-type]
        link_id=on.id,
        parent_id=answers.name if answers else on.name,
        **life,
    )


def world(posts: list[Post], comments: list[Comment] | None = None, **more: Any) -> ItemWorld:
    """Return a world of these things."""
    return ItemWorld(posts, comments or [], **more)
