"""What every `RunRecorder` promises; another implementation is one more parameter of `book`."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from reddit_ingest.core.capture import CapturePoint
from reddit_ingest.core.coverage import CoverageStatus
from reddit_ingest.core.errors import LakeNotUsable
from reddit_ingest.core.ports import RunRecorder
from reddit_ingest.core.records import RefreshRecord, RunRecord
from reddit_ingest.core.windows import HOUR_S, Window
from reddit_ingest.local_state import SqliteRunRecorder, SqliteStateStore
from reddit_ingest.run_metadata import RedditIngestionRunRecorder

from ..emulator import Deployment, Wire

NOON = 1_767_268_800
RUN = RunRecord(
    environment="prod",
    subreddit="android",
    window=Window(NOON, NOON + HOUR_S),
    mode="incremental",
    status=CoverageStatus.TRUNCATED,
    submissions=17,
    comments=240,
    new_comments=200,
    quarantined=1,
    requests=9,
    ingested_at_ts=NOON + 4_000,
    manifest="reddit/android/2026-01-01/120000/manifest-0123456789abcdef.json",
    reason="comments: read 990 items on 10 pages, back to 12:10: Reddit's listing ends there; it's \"over\"",
)


REFRESH = RefreshRecord(
    environment="prod",
    subreddit="android",
    observed_at_ts=NOON + 4_000,
    due=900,
    asked=800,
    found=795,
    rescored=400,
    edited=20,
    removed=7,
    missing=5,
    deletions=9,
    deletions_due=2,
    new_comments=33,
    requests=14,
    remaining=100,
    curve=(CapturePoint(3_600, 400, 380, 410), CapturePoint(7_200, 0, 0, 0)),
    reason='Reddit answered 503 at GET /api/info, 3 times; it\'s "over"',
)


@dataclass
class Book:
    """A recorder, and what a reader of the history finds: of attempts, and of refreshes."""

    recorder: RunRecorder
    history: Callable[[], list[dict[str, Any]]]
    refreshes: Callable[[], list[dict[str, Any]]]


_COLUMNS = {
    "SubmissionsCount": "submissions",
    "CommentsCount": "comments",
    "NewCommentsCount": "new_comments",
    "QuarantinedCount": "quarantined",
    "RequestsCount": "requests",
    "WindowStartTs": "window_start_ts",
    "WindowEndTs": "window_end_ts",
    "IngestedAtTs": "ingested_at_ts",
    "Mode": "mode",
    "Status": "status",
    "Manifest": "manifest",
    "Reason": "reason",
}


def as_row(item: dict[str, Any]) -> dict[str, Any]:
    environment, subreddit = re.fullmatch("ENV#(.*)#SUBREDDIT#(.*)", item["pk"]).groups()  # type: ignore[union-attr]
    fields = {_COLUMNS[name]: _plain(name, value) for name, value in item.items() if name in _COLUMNS}
    return {"environment": environment, "subreddit": subreddit, **fields}


_REFRESH_COLUMNS = {
    "ObservedAtTs": "observed_at_ts",
    "DueCount": "due",
    "AskedCount": "asked",
    "FoundCount": "found",
    "RescoredCount": "rescored",
    "EditedCount": "edited",
    "RemovedCount": "removed",
    "MissingCount": "missing",
    "DeletionsCount": "deletions",
    "DeletionsDueCount": "deletions_due",
    "NewCommentsCount": "new_comments",
    "RequestsCount": "requests",
    "RemainingCount": "remaining",
    "Curve": "curve",
    "Reason": "reason",
}


def as_refresh(item: dict[str, Any]) -> dict[str, Any]:
    environment, subreddit = re.fullmatch("ENV#(.*)#SUBREDDIT#(.*)", item["pk"]).groups()  # type: ignore[union-attr]
    assert item["sk"] == f"REFRESH#{item['ObservedAtTs']}"
    fields = {name: _plain(key, item[key]) for key, name in _REFRESH_COLUMNS.items()}
    return {"environment": environment, "subreddit": subreddit, **fields}


def _plain(name: str, value: str) -> str | int:
    return int(value) if name.endswith(("Count", "Ts")) else value


def recorder_on_aws(deployment: Deployment) -> RedditIngestionRunRecorder:
    return RedditIngestionRunRecorder(
        deployment.client("dynamodb"), deployment.client("cloudwatch"), deployment.table, deployment.namespace
    )


@pytest.fixture(params=["sqlite", "dynamodb"])
def book(request: pytest.FixtureRequest, tmp_path: Path) -> Book:
    if request.param == "dynamodb":
        deployment: Deployment = request.getfixturevalue("deployment")
        return Book(
            recorder_on_aws(deployment),
            lambda: list(map(as_row, deployment.items("ATTEMPT"))),
            lambda: list(map(as_refresh, deployment.items("REFRESH"))),
        )
    path = tmp_path / "lake" / "state.sqlite"

    def rows(query: str) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(path)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query)]

    return Book(
        SqliteRunRecorder(path),
        lambda: rows("select * from runs order by window_start_ts, manifest"),
        lambda: rows("select * from refreshes order by observed_at_ts"),
    )


def flat(run: RunRecord) -> dict[str, Any]:
    fields = asdict(run)
    fields.pop("window")
    return {**fields, "window_start_ts": run.window.start_ts, "window_end_ts": run.window.end_ts}


def test_every_field_of_a_record_is_kept(book: Book) -> None:
    book.recorder.record(RUN)
    assert book.history() == [flat(RUN)]


@pytest.mark.parametrize("status", CoverageStatus)
def test_a_status_is_kept_as_its_plain_name(book: Book, status: CoverageStatus) -> None:
    book.recorder.record(replace(RUN, status=status))
    (kept,) = book.history()
    assert kept["status"] == status.value
    assert type(kept["status"]) is str


def test_recording_the_same_attempt_again_changes_nothing(book: Book) -> None:
    book.recorder.record(RUN)
    once = book.history()
    book.recorder.record(RUN)
    assert book.history() == once


def test_every_attempt_at_a_window_is_kept(book: Book) -> None:
    again = replace(RUN, manifest=RUN.manifest.replace("0123", "4567"), status=CoverageStatus.COMPLETE)
    book.recorder.record(RUN)
    book.recorder.record(again)
    assert book.history() == [flat(RUN), flat(again)]


def test_windows_subreddits_and_environments_are_kept_apart(book: Book) -> None:
    others = [
        replace(RUN, window=Window(NOON + HOUR_S, NOON + 2 * HOUR_S)),
        replace(RUN, subreddit="iphone"),
        replace(RUN, environment="dev"),
    ]
    for run in (RUN, *others):
        book.recorder.record(run)
    assert len(book.history()) == 4


def test_text_is_kept_as_it_is(book: Book) -> None:
    strange = replace(RUN, reason="'; drop table runs; -- \u2028 😀 \n ü")
    book.recorder.record(strange)
    assert book.history()[0]["reason"] == strange.reason


def test_recording_leaves_the_watermark_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    SqliteStateStore(path, "prod").save_last_run_timestamp("android", NOON)
    SqliteRunRecorder(path).record(RUN)
    assert SqliteStateStore(path, "prod").load_last_run_timestamp("android") == NOON


def test_a_file_that_is_no_database_is_not_usable(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_bytes(b"this is no database, " * 100)
    with pytest.raises(LakeNotUsable, match=r"state\.sqlite"):
        SqliteRunRecorder(tmp_path / "state.sqlite").record(RUN)


def test_every_field_of_a_refresh_is_kept_and_recording_it_again_changes_nothing(book: Book) -> None:
    book.recorder.record_refresh(REFRESH)
    book.recorder.record_refresh(REFRESH)
    (kept,) = book.refreshes()
    assert json.loads(kept.pop("curve")) == [point.to_dict() for point in REFRESH.curve]
    fields = asdict(REFRESH)
    del fields["curve"]
    assert kept == fields


def test_every_refresh_is_kept_apart_from_the_others_and_from_the_attempts(book: Book) -> None:
    book.recorder.record(RUN)
    for refresh in (REFRESH, replace(REFRESH, observed_at_ts=NOON + 8_000), replace(REFRESH, subreddit="iphone")):
        book.recorder.record_refresh(refresh)
    assert len(book.refreshes()) == 3
    assert book.history() == [flat(RUN)]


# What only the table and the figures show.


def test_the_window_has_the_item_of_the_contract_and_the_newest_attempt_stands_in_it(deployment: Deployment) -> None:
    recorder = recorder_on_aws(deployment)
    recorder.record(RUN)
    recorder.record(replace(RUN, manifest=RUN.manifest.replace("0123", "4567"), submissions=18))
    (item,) = deployment.items("RUN")
    assert item["pk"] == "ENV#prod#SUBREDDIT#android"
    assert item["sk"] == f"RUN#{NOON}"
    assert item["SubmissionsCount"] == "18"
    assert (item["CommentsCount"], item["Mode"]) == ("240", "incremental")
    assert (item["WindowStartTs"], item["WindowEndTs"]) == (str(NOON), str(NOON + HOUR_S))
    assert item["IngestedAtTs"] == str(NOON + 4_000)
    assert len(deployment.items("ATTEMPT")) == 2


def test_all_figures_of_a_window_are_one_call_and_have_the_dimensions_of_the_contract(
    deployment: Deployment, wire: Wire
) -> None:
    clients = [boto3_client(deployment, wire, service) for service in ("dynamodb", "cloudwatch")]
    RedditIngestionRunRecorder(*clients, deployment.table, deployment.namespace).record(RUN)
    assert wire.calls == ["dynamodb:PutItem", "dynamodb:PutItem", "cloudwatch:PutMetricData"]
    assert deployment.figures() == {
        ("NewSubmissions", "android"): 17,
        ("NewComments", "android"): 200,
        ("WindowsSeen", "android"): 0,
        ("WindowsWithGaps", ""): 1,
        ("WindowsBlocked", ""): 0,
        ("WindowsFailed", ""): 0,
        ("RedditRequests", ""): 9,
    }


def test_a_refresh_tells_its_figures_of_its_subreddit(deployment: Deployment) -> None:
    recorder_on_aws(deployment).record_refresh(REFRESH)
    assert deployment.figures() == {
        ("RefreshedItems", "android"): 795,
        ("DeletionsNoticed", "android"): 9,
        ("DeletionsDue", "android"): 2,
        ("CommentsRecovered", "android"): 33,
    }


def boto3_client(deployment: Deployment, wire: Wire, service: str) -> Any:
    return replace(deployment, endpoint=wire.endpoint).client(service)
