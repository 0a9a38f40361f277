"""A real month of a real subreddit, lived through hour by hour."""

import gzip
import json
from pathlib import Path

import pytest

from reddit_ingest.core.windows import HOUR_S, SETTLE_S, hour_of
from reddit_sim import RecordedWorld

from .conftest import Person

OCTOBER_2019 = 1_569_888_000
HOURS = 744


@pytest.mark.slow
def test_every_submission_of_a_month_is_seen_once_in_its_own_hour(reddit, person, shared_data: Path) -> None:
    dump = shared_data / "reddit" / "pushshift" / "AskWomen_2019-10_submissions.ndjson.gz"
    with gzip.open(dump, "rt", encoding="utf-8", newline="\n") as file:
        recorded = {f"t3_{row['id']}": row for row in map(json.loads, file)}
    simulator = reddit(RecordedWorld.from_files(submissions=[dump], comments=[]), OCTOBER_2019)
    someone: Person = person(simulator)
    for hour in range(1, HOURS + 1):
        now = OCTOBER_2019 + hour * HOUR_S + SETTLE_S
        simulator.clock.set(now)
        result = someone.types("ingest", "askwomen", now=now)
        assert result.exit_code == 0, result.output

    view = someone.rows("askwomen", "submissions")
    assert len(recorded) == 8_271
    assert view.keys() == recorded.keys()
    for name, row in view.items():
        assert (row["created_utc"], row["title"], row["selftext"]) == (
            recorded[name]["created_utc"],
            recorded[name]["title"],
            recorded[name]["selftext"],
        )
    windows = someone.windows("askwomen")
    assert len(windows) == HOURS
    assert all(state.status.is_whole for state in windows.values())
    counts: dict[int, int] = {}
    for row in recorded.values():
        start = hour_of(row["created_utc"]).start_ts
        counts[start] = counts.get(start, 0) + 1
    assert {start: state.submissions for start, state in windows.items() if state.submissions} == counts

    stats = simulator.stats()["requests"]
    endpoints = {name.split("?")[0] for name in stats}
    # Hidden requests would show as threads, users or single items fetched by PRAW behind our back.
    assert not {name for name in endpoints if "/comments/{" in name or "/info" in name or "/user" in name}, stats
