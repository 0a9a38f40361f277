"""The main job in memory, reading a simulated Reddit over HTTP with PRAW; and what its claims are held against."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any

from reddit_ingest import view
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.coverage import CoverageStatus
from reddit_ingest.core.invocation import IngestRequest, Mode
from reddit_ingest.core.settings import RedditCredentials, RedditEndpoint
from reddit_ingest.core.windows import HOUR_S, hourly
from reddit_ingest.ingestion_service import RedditIngestionService
from reddit_ingest.pipeline import Pipeline, SubredditOutcome
from reddit_ingest.reddit_client import RedditClientFactory, RedditConnection
from reddit_ingest.sources.reddit_api import RedditApiSource
from reddit_sim import ItemWorld, Simulator
from reddit_sim.hostile import Rule
from reddit_sim.things import Comment, Post

from ...fakes import MemoryLake, MemoryRecorder, MemoryState

T0 = 1_767_600_000  # 2026-01-05 08:00 UTC
HOURS = 3
END = T0 + HOURS * HOUR_S
NOW = END + 300
CREDENTIALS = RedditCredentials("id", "secret", "test:market-opinion:v1 (by /u/nobody)")


def post(item_id: str, created: int, subreddit: str = "phones", **life: Any) -> Post:
    """Return a submission with the fields that matter here."""
    path = f"/r/{subreddit}/comments/{item_id}/question/"
    fields = {"subreddit": subreddit, "title": f"Question {item_id}", "selftext": "", "author": "a", "permalink": path}
    return Post(id=item_id, subreddit=subreddit, created_utc=created, fields=fields, final_score=1, **life)


def comment(item_id: str, created: int, link: str, subreddit: str = "phones", **life: Any) -> Comment:
    """Return a comment with the fields that matter here."""
    fields = {"subreddit": subreddit, "body": f"Comment {item_id}", "author": "b", "permalink": ""}
    return Comment(
        id=item_id,
        subreddit=subreddit,
        created_utc=created,
        fields=fields,
        final_score=1,
        link_id=link,
        parent_id=f"t3_{link}",
        **life,
    )


def busy_world(per_hour: int = 80, hours: int = HOURS, subreddit: str = "phones") -> ItemWorld:
    """Return a world whose last hours fill several pages of both listings, and two quieter hours before them."""
    step = HOUR_S // per_hour
    times = [*range(T0 - 2 * HOUR_S, T0, 4 * step), *range(T0, T0 + hours * HOUR_S, step)]
    posts = [post(f"{subreddit[0]}{number:05d}", created, subreddit) for number, created in enumerate(times)]
    answers = [comment(f"c{each.id}", each.created_utc + 7, each.id, subreddit) for each in posts]
    return ItemWorld(posts, answers)


class Strikes:
    """A plan: from the nth request to a path on, so many of them meet a fault."""

    def __init__(self, path: str, fault: str, first: int = 1, times: float = 1, **rule: Any) -> None:
        self._path, self._first, self._last = path, first, first + times
        self._rule = Rule(path, fault, **rule)
        self._met = 0

    def fault(self, path: str) -> Rule | None:
        """Return what the next request to a path meets."""
        if not fnmatch(path, self._path):
            return None
        self._met += 1
        return self._rule if self._first <= self._met < self._last else None


@dataclass
class Hook:
    """A plan that breaks nothing: something happens just before the nth request to a path is answered."""

    path: str
    nth: int
    happens: Callable[[], None]
    met: int = 0

    def fault(self, path: str) -> None:
        """Count the request, and let it happen."""
        if fnmatch(path, self.path):
            self.met += 1
            if self.met == self.nth:
                self.happens()


@dataclass
class Station:
    """A lake with its state and history, and the main job that fills it."""

    simulator: Simulator
    lake: MemoryLake = field(default_factory=MemoryLake)
    state: MemoryState = field(default_factory=MemoryState)
    recorder: MemoryRecorder = field(default_factory=MemoryRecorder)
    slept: list[float] = field(default_factory=list)
    now: int = NOW
    first: int = T0

    def run(
        self, *subreddits: str, mode: Mode = Mode.INCREMENTAL, cap: int | None = None, deadline: Any = None
    ) -> list[SubredditOutcome]:
        """Run in a new process: login included."""
        reddit = RedditClientFactory.create(CREDENTIALS, RedditEndpoint(self.simulator.url, self.simulator.url))
        clock = FixedClock(self.now)
        source = RedditApiSource(RedditConnection(reddit, sleep=self.slept.append))
        pipeline = Pipeline(
            RedditIngestionService(source, self.lake, clock),
            self.state,
            self.recorder,
            clock,
            environment="test",
            max_windows=24,
            look_back_hours=0,
        )
        windows = tuple(hourly(T0, END)) if mode is Mode.BACKFILL else ()
        try:
            return list(pipeline.run(IngestRequest(mode, subreddits or ("phones",), windows, cap), deadline))
        finally:
            reddit._core.requestor.close()  # type: ignore[union-attr]  # PRAW makes it in its constructor

    def hostile(self, plan: Any) -> None:
        """Let Reddit answer by a plan."""
        self.simulator._api.hostile = plan

    def seen(self, subreddit: str = "phones") -> set[str]:
        """Return every fullname that the lake shows."""
        kinds = ("submissions", "comments")
        return {name for kind in kinds for name in view.rows(self.lake, f"reddit/{subreddit}/", kind)}

    def windows(self, subreddit: str = "phones") -> dict[int, view.WindowState]:
        """Return what all attempts have shown, by the start of the window."""
        return {state.window.start_ts: state for state in view.ledger(self.lake, f"reddit/{subreddit}/")}

    def due(self, start_ts: int = T0, end_ts: int = END, subreddit: str = "phones") -> set[str]:
        """Return what Reddit would show of a span now."""
        return self.simulator.visible_in(subreddit, start_ts, end_ts)

    def check_claims(self, subreddit: str = "phones") -> None:
        """A window that claims to be whole holds all that there was, and a part that is claimed holds all of the part.

        The watermark stands behind nothing that another run could do better.
        """
        seen, states = self.seen(subreddit), self.windows(subreddit)
        for start, state in states.items():
            for kind, claim in state.coverage.items():
                prefix = "t3_" if kind == "submissions" else "t1_"
                since = _claimed_from(claim.status, start, claim.complete_from_ts)
                due = {name for name in self.due(since, start + HOUR_S, subreddit) if name.startswith(prefix)}
                assert due <= seen, f"{kind} of {start} claim to be {claim.status}: {claim.reason}"
                assert claim.status is not CoverageStatus.EMPTY or not due
        for start in range(self.first, self.state.watermarks.get(subreddit) or self.first, HOUR_S):
            assert states[start].status.moves_watermark

    def statuses(self, subreddit: str = "phones") -> set[CoverageStatus]:
        """Return the states of all windows."""
        return {state.status for state in self.windows(subreddit).values()}


def _claimed_from(status: CoverageStatus, start: int, complete_from_ts: int | None) -> int:
    if status.is_whole:
        return start
    return max(start, complete_from_ts) if complete_from_ts is not None else start + HOUR_S


def lost(things: Iterable[Post | Comment], now: int) -> None:
    """Let things be deleted by their authors."""
    for thing in things:
        thing.gone_ts = now - 1
