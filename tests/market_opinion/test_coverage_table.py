"""The coverage table says of every hour what the ledger says of its window."""

from market_opinion.coverage_table import coverage_of
from reddit_ingest.core.coverage import Coverage, CoverageStatus
from reddit_ingest.core.keys import COMMENTS, SUBMISSIONS
from reddit_ingest.core.manifest import Manifest
from reddit_ingest.core.windows import HOUR_S, Window

from ..lakes import T0
from .landing import SUBREDDIT


def _attempt(window: Window, source: str = "reddit-api", observed: int = 0, **statuses: str) -> Manifest:
    coverage = {kind: Coverage(CoverageStatus(status), "") for kind, status in statuses.items()}
    return Manifest(SUBREDDIT, window, source, "incremental", window.end_ts + observed, "1", (), coverage=coverage)


def test_an_hour_is_as_whole_as_the_weaker_of_both_kinds() -> None:
    hour = Window(T0, T0 + HOUR_S)
    rows = coverage_of([_attempt(hour, **{SUBMISSIONS: "complete", COMMENTS: "truncated"})]).to_pylist()
    assert rows == [
        {
            "hour_ts": T0,
            "status": "truncated",
            "submissions_status": "complete",
            "comments_status": "truncated",
            "submissions_source": "reddit-api",
            "comments_source": "reddit-api",
        }
    ]


def test_the_strongest_claim_of_all_attempts_stands_and_names_who_made_it() -> None:
    hour = Window(T0, T0 + HOUR_S)
    first = _attempt(hour, **{SUBMISSIONS: "complete", COMMENTS: "blocked"})
    second = _attempt(hour, "arctic-shift", 9, **{COMMENTS: "complete"})
    row = coverage_of([first, second]).to_pylist()[0]
    assert (row["status"], row["comments_source"], row["submissions_source"]) == (
        "complete",
        "arctic-shift",
        "reddit-api",
    )


def test_a_window_of_a_day_stands_in_all_its_hours_in_order_of_time() -> None:
    day = Window(T0, T0 + 24 * HOUR_S)
    before = Window(T0 - HOUR_S, T0)
    rows = coverage_of(
        [_attempt(day, **{SUBMISSIONS: "empty"}), _attempt(before, **{SUBMISSIONS: "complete"})]
    ).to_pylist()
    assert [row["hour_ts"] for row in rows] == [T0 + HOUR_S * hour for hour in range(-1, 24)]
    assert [row["status"] for row in rows] == ["complete", *["empty"] * 24]
    assert {row["comments_status"] for row in rows} == {None}


def test_an_attempt_that_claims_nothing_leaves_no_hour() -> None:
    assert coverage_of([_attempt(Window(T0, T0 + HOUR_S))]).num_rows == 0
