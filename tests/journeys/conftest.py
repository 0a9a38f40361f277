"""A person at the command line, a simulated Reddit on loopback, a lake in a temporary folder."""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from market_opinion.cli import main
from market_opinion.cli.simulator import environment
from reddit_ingest import arctic_client, reddit_client, view
from reddit_ingest.bootstrap import LocalLake
from reddit_ingest.core.windows import iso
from reddit_sim import HostilePlan, RecordedWorld, Simulator, World

from ..pauses import skip_pauses

HOUR = 3_600


@dataclass
class Person:
    """Types commands and looks at the lake."""

    lake: LocalLake
    env: dict[str, str]

    def types(self, *words: str, now: int | None = None) -> Result:
        """Run a command line in this process and return what came of it."""
        extra = ["--lake", str(self.lake.root), *(["--now", str(now)] if now else [])]
        result = CliRunner().invoke(main, [*words, *extra], env=self.env)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    def json(self, *words: str, now: int | None = None) -> Any:
        """Run a command with --json and return what it printed."""
        return json.loads(self.types(*words, "--json", now=now).stdout)

    def rows(self, subreddit: str, kind: str) -> dict[str, dict[str, Any]]:
        """Return what the lake shows."""
        return view.rows(self.lake.reader(), f"reddit/{subreddit}/", kind)

    def windows(self, subreddit: str) -> dict[int, view.WindowState]:
        """Return what all attempts have shown, by the start of the window."""
        return {state.window.start_ts: state for state in view.ledger(self.lake.reader(), f"reddit/{subreddit}/")}

    def watermark(self, subreddit: str) -> int | None:
        """Return the watermark."""
        return self.lake.state("local").load_last_run_timestamp(subreddit)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries pause for seconds; here nobody waits."""
    skip_pauses(monkeypatch)
    monkeypatch.setattr(reddit_client, "_FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(arctic_client, "PACE_S", 0.0)
    monkeypatch.setattr(arctic_client, "PAUSES_S", (0.0, 0.0, 0.0))


@pytest.fixture
def reddit() -> Iterator[Callable[..., Simulator]]:
    """Start simulators that end with the test."""
    started: list[Simulator] = []

    def start(world: World, now: int, hostile: str = "", **more: Any) -> Simulator:
        simulator = Simulator(world, now_ts=now, hostile=HostilePlan.parse(hostile) if hostile else None, **more)
        started.append(simulator.__enter__())
        return simulator

    yield start
    for simulator in started:
        simulator.__exit__(None, None, None)


@pytest.fixture
def person(tmp_path: Path) -> Callable[[Simulator], Person]:
    """A person whose commands read a given simulator and land in a fresh lake."""

    def at(simulator: Simulator, lake: str = "lake") -> Person:
        return Person(LocalLake(tmp_path / lake), environment(simulator.url))

    return at


def submission(number: int, created: int, subreddit: str = "phones", **fields: Any) -> dict[str, Any]:
    """Return a submission in the form of a public dump."""
    item_id = f"s{number:05d}"
    return {
        "id": item_id,
        "subreddit": subreddit,
        "subreddit_id": "t5_abc",
        "created_utc": created,
        "author": f"writer{number % 7}",
        "title": f"Question {number} at {iso(created)}",
        "selftext": "The battery lasts a day.",
        "permalink": f"/r/{subreddit}/comments/{item_id}/question/",
        "url": f"https://www.reddit.com/r/{subreddit}/comments/{item_id}/question/",
        "score": 1,
        "num_comments": 0,
        "edited": False,
        **fields,
    }


def comment(number: int, created: int, link: str, subreddit: str = "phones", **fields: Any) -> dict[str, Any]:
    """Return a comment in the form of a public dump."""
    # Random-looking ids: they tell nothing about order.
    item_id = f"{(number * 2_654_435_761) % 36**6:x}{number:x}"
    return {
        "id": f"c{item_id}",
        "subreddit": subreddit,
        "subreddit_id": "t5_abc",
        "created_utc": created,
        "author": f"reader{number % 11}",
        "body": f"Comment {number}: mine does not.",
        "link_id": f"t3_{link}",
        "parent_id": f"t3_{link}",
        "permalink": f"/r/{subreddit}/comments/{link}/question/{item_id}/",
        "score": 1,
        "edited": False,
        **fields,
    }


@pytest.fixture
def world_of(tmp_path: Path) -> Callable[..., RecordedWorld]:
    """Build a recorded world from dump rows."""

    def build(submissions: Iterable[dict[str, Any]], comments: Iterable[dict[str, Any]] = ()) -> RecordedWorld:
        return RecordedWorld.from_files(
            submissions=[_written(tmp_path / "world_submissions.ndjson.gz", submissions)],
            comments=[_written(tmp_path / "world_comments.ndjson.gz", comments)],
        )

    return build


def _written(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return path
