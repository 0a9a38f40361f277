"""Requests to Reddit per 1,000 comments: our reader, the plain way, and the floor, side by side in one run.

The plain way is what a PRAW tutorial teaches: `subreddit.new()` until a submission is too old, then
`replace_more(limit=None)` for each submission of the window. The floor is one request per 100 items.
Captured: comments created in the hours and visible when the hour was read, as the simulator knows them.

    python -m bench.requests [--hours 6] [--seed 7] [--json]
"""

import argparse
import json
import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from unittest import mock

import prawcore.sessions

from market_opinion.cli.simulator import environment
from reddit_ingest.bootstrap import LocalLake, local_pipeline
from reddit_ingest.core.invocation import IngestRequest, Mode
from reddit_ingest.core.settings import IngestSettings, RedditCredentials, RedditEndpoint
from reddit_ingest.core.windows import HOUR_S, SETTLE_S
from reddit_ingest.reddit_client import RedditClientFactory
from reddit_ingest.view import rows
from reddit_sim import GeneratedWorld, Simulator, SubredditSpec

WORLD_START_TS = 1_767_571_200  # 2026-01-05 00:00 UTC
FIRST_HOUR_TS = WORLD_START_TS + 42 * HOUR_S  # threads of the day before are alive
TRAFFIC = {"low": (0.5, 8), "middle": (20, 13), "high": (49, 14)}
SUBREDDIT = "phones"


@dataclass
class Clock:
    """The simulated time."""

    ts: int

    def now_ts(self) -> int:
        """Return it."""
        return self.ts


@dataclass
class Figures:
    """What one way of reading cost and caught in one world."""

    traffic: str
    way: str
    submissions: int
    comments: int
    requests: int
    hidden_requests: int
    captured: float
    floor: int

    @property
    def per_1000(self) -> float:
        """Requests per 1,000 comments that were there to see."""
        return 1_000 * self.requests / self.comments


def hours(clock: Clock, simulator: Simulator, count: int) -> Iterator[int]:
    """Move the clock from hour to hour and yield each hour's start when it is time to read it."""
    for number in range(count):
        start = FIRST_HOUR_TS + number * HOUR_S
        clock.ts = start + HOUR_S + SETTLE_S
        simulator.clock.set(clock.ts)
        yield start


@contextmanager
def world(traffic: str, seed: int) -> Iterator[tuple[Simulator, GeneratedWorld]]:
    """Serve a world with one subreddit of the given traffic."""
    per_hour, each = TRAFFIC[traffic]
    spec = SubredditSpec(SUBREDDIT, submissions_per_hour=per_hour, comments_per_submission=each)
    made = GeneratedWorld(seed=seed, start_ts=WORLD_START_TS, subreddits=[spec])
    with Simulator(made, now_ts=FIRST_HOUR_TS) as simulator:
        yield simulator, made


def ours(traffic: str, seed: int, count: int) -> Figures:
    """Read the hours with our pipeline."""
    due: set[str] = set()
    posts: set[str] = set()
    with world(traffic, seed) as (simulator, _), tempfile.TemporaryDirectory() as folder:
        clock, lake = Clock(FIRST_HOUR_TS), LocalLake(Path(folder))
        pipeline = local_pipeline(lake, IngestSettings(), environment(simulator.url), clock)
        for start in hours(clock, simulator, count):
            list(pipeline.run(IngestRequest(Mode.INCREMENTAL, (SUBREDDIT,))))
            visible = simulator.visible_in(SUBREDDIT, start, start + HOUR_S)
            due |= {name for name in visible if name.startswith("t1_")}
            posts |= {name for name in visible if name.startswith("t3_")}
        seen = rows(lake.reader(), f"reddit/{SUBREDDIT}/", "comments").keys()
        stats = simulator.stats()
    return figures(traffic, "ours", posts, due, seen, stats)


def plain(traffic: str, seed: int, count: int) -> Figures:
    """Read the hours as a PRAW tutorial would."""
    due: set[str] = set()
    posts: set[str] = set()
    seen: set[str] = set()
    with world(traffic, seed) as (simulator, _):
        clock = Clock(FIRST_HOUR_TS)
        values = environment(simulator.url)
        reddit = RedditClientFactory.create(RedditCredentials.from_mapping(values), RedditEndpoint.from_mapping(values))
        for start in hours(clock, simulator, count):
            for submission in reddit.subreddit(SUBREDDIT).new(limit=None):
                if submission.created_utc < start:
                    break
                if submission.created_utc < start + HOUR_S:
                    submission.comments.replace_more(limit=None)
                    seen |= {found.fullname for found in submission.comments.list()}
            visible = simulator.visible_in(SUBREDDIT, start, start + HOUR_S)
            due |= {name for name in visible if name.startswith("t1_")}
            posts |= {name for name in visible if name.startswith("t3_")}
        stats = simulator.stats()
    return figures(traffic, "plain", posts, due, seen, stats)


def figures(
    traffic: str, way: str, posts: set[str], due: set[str], seen: set[str], stats: dict[str, object]
) -> Figures:
    """Put a run's counts together."""
    asked = stats["requests"]
    assert isinstance(asked, dict)
    trees = sum(number for path, number in asked.items() if "comments/{" in path or "morechildren" in path)
    requests = int(str(stats["requests_total"]))
    return Figures(
        traffic=traffic,
        way=way,
        submissions=len(posts),
        comments=len(due),
        requests=requests,
        # Our reader never touches a PRAW model; what the plain way fetches one by one comes from model attributes.
        hidden_requests=trees if way == "plain" else requests - sum(asked.values()),
        captured=len(due & seen) / len(due) if due else 1.0,
        floor=math.ceil(len(due) / 100) + math.ceil(len(posts) / 100),
    )


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=int, default=6)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with mock.patch.object(prawcore.sessions.time, "sleep"):
        measured = [way(traffic, options.seed, options.hours) for traffic in TRAFFIC for way in (ours, plain)]
    if options.json:
        print(json.dumps([asdict(entry) | {"per_1000_comments": entry.per_1000} for entry in measured], indent=1))
        return
    print(f"{options.hours} hours, seed {options.seed}")
    print("traffic  way     posts  comments  requests  per 1,000  captured  floor  x floor")
    for entry in measured:
        print(
            f"{entry.traffic:8} {entry.way:6} {entry.submissions:6,} {entry.comments:9,} {entry.requests:9,}"
            f" {entry.per_1000:10.1f} {entry.captured:9.1%} {entry.floor:6,} {entry.requests / entry.floor:8.1f}"
        )
    for our, their in zip(measured[::2], measured[1::2], strict=True):
        print(f"{our.traffic}: {our.requests / their.requests:.2f} of the plain way's requests")


if __name__ == "__main__":
    main()
