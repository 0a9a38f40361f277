"""CPU per 1,000 comments of our path against the PRAW-object path, over the same simulated Reddit, in one run.

Ours: listings as plain dicts, rows, lines of JSON. The object path is what a PRAW tutorial teaches: submissions from
`subreddit.new()`, `replace_more(limit=None)`, a dict of attributes for each comment, `json.dumps`. Beside them the
object path over the flat listing (`subreddit.comments()`), which saves its requests but not its objects. The simulator
runs in a process of its own; what is measured is the CPU time of this process, HTTP included, median of the runs.

    python -m bench.live_cpu [--runs 5] [--json]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

import praw
import prawcore.sessions

from reddit_ingest.core.settings import RedditCredentials, RedditEndpoint
from reddit_ingest.fetchers import CommentFetcher
from reddit_ingest.reddit_client import RedditClientFactory, RedditConnection
from reddit_ingest.serializers import CommentSerializer, encode_row

NOW = "2026-01-07T00:02"
START_TS = 1_767_736_800  # 2026-01-06 22:00 UTC
SUBREDDIT = "android"
FIELDS = (
    "id", "name", "body", "score", "created_utc", "edited", "parent_id", "link_id", "permalink", "is_submitter",
    "stickied", "distinguished", "controversiality", "gilded", "total_awards_received", "all_awardings", "score_hidden",
)  # fmt: skip


@contextmanager
def simulator() -> Iterator[None]:
    """Run the simulator in a process of its own and point this process at it."""
    command = [sys.executable, "-m", "market_opinion.cli", "simulator", "--port", "0", "--now", NOW]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            for _ in range(5):
                name, _, value = process.stdout.readline().removeprefix("export ").strip().partition("=")
                os.environ[name] = value.strip("'")
            yield
        finally:
            process.terminate()


def client() -> praw.Reddit:
    """Return a fresh client."""
    return RedditClientFactory.create(
        RedditCredentials.from_mapping(os.environ), RedditEndpoint.from_mapping(os.environ)
    )


def ours() -> int:
    """Read two hours of comments our way; return how many."""
    serializer = CommentSerializer("reddit-api", START_TS)
    items = CommentFetcher(RedditConnection(client())).read_since(SUBREDDIT, START_TS).items
    return len([encode_row(serializer.to_dict(item)) for item in items])


def flat_objects() -> int:
    """Read the same listing as PRAW objects."""
    lines = []
    for comment in client().subreddit(SUBREDDIT).comments(limit=None):
        if comment.created_utc < START_TS - 3_600:
            break
        lines.append(as_line(comment))
    return len(lines)


def tree_objects() -> int:
    """Read the comments of two hours' submissions as PRAW objects."""
    lines = []
    for submission in client().subreddit(SUBREDDIT).new(limit=None):
        if submission.created_utc < START_TS:
            break
        submission.comments.replace_more(limit=None)
        lines += [as_line(comment) for comment in submission.comments.list()]
    return len(lines)


def as_line(comment: praw.models.Comment) -> str:
    """Serialise a PRAW comment as tutorials do."""
    fields = {name: getattr(comment, name, None) for name in FIELDS}
    return json.dumps(
        {**fields, "author": str(comment.author) if comment.author else None, "subreddit": str(comment.subreddit)}
    )


def cpu_per_1000(way: Callable[[], int]) -> float:
    """Return the CPU milliseconds of one run per 1,000 comments."""
    began = time.process_time()
    count = way()
    return 1_000_000 * (time.process_time() - began) / count


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    ways = {"ours": ours, "objects, flat listing": flat_objects, "objects, trees (the plain way)": tree_objects}
    measured: dict[str, list[float]] = {name: [] for name in ways}
    with simulator(), mock.patch.object(prawcore.sessions.time, "sleep"):
        for _ in range(options.runs + 1):
            for name, way in ways.items():
                measured[name].append(cpu_per_1000(way))
    medians = {name: statistics.median(times[1:]) for name, times in measured.items()}
    if options.json:
        print(json.dumps(medians, indent=1))
        return
    for name, median in medians.items():
        print(f"{name:32} {median:8.1f} ms CPU per 1,000 comments   ours is {medians['ours'] / median:6.1%}")


if __name__ == "__main__":
    main()
