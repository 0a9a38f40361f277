"""What every `RunHistory` promises; another implementation is one more parameter of `archive`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from reddit_ingest.core.coverage import CoverageStatus
from reddit_ingest.core.errors import InvalidRequest
from reddit_ingest.core.ports import RunHistory, RunRecorder
from reddit_ingest.core.windows import HOUR_S, Window
from reddit_ingest.local_state import SqliteRunHistory, SqliteRunRecorder
from reddit_ingest.run_metadata import RedditIngestionRunHistory

from ..emulator import Deployment, Wire
from .test_run_recorder_contract import NOON, RUN, recorder_on_aws


@dataclass
class Archive:
    """The history of an environment, and the recorder that a run uses."""

    history: Callable[..., RunHistory]
    recorder: RunRecorder


def history_on_aws(deployment: Deployment, environment: str = "prod") -> RedditIngestionRunHistory:
    return RedditIngestionRunHistory(deployment.client("dynamodb"), deployment.table, environment)


@pytest.fixture(params=["sqlite", "dynamodb"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    if request.param == "dynamodb":
        deployment: Deployment = request.getfixturevalue("deployment")
        return Archive(lambda environment="prod": history_on_aws(deployment, environment), recorder_on_aws(deployment))
    path = tmp_path / "lake" / "state.sqlite"
    return Archive(lambda environment="prod": SqliteRunHistory(path, environment), SqliteRunRecorder(path))


def test_before_the_first_run_nothing_is_recorded(archive: Archive) -> None:
    assert archive.history().manifests("android") == set()


def test_every_attempt_that_was_recorded_is_known_by_its_manifest(archive: Archive) -> None:
    again = replace(RUN, manifest=RUN.manifest.replace("0123", "4567"))
    later = replace(again, window=Window(NOON + HOUR_S, NOON + 2 * HOUR_S), manifest="reddit/android/later.json")
    for run in (RUN, again, later):
        archive.recorder.record(run)
    assert archive.history().manifests("android") == {RUN.manifest, again.manifest, later.manifest}
    assert archive.history().manifests("Android") == archive.history().manifests("android")


def test_other_subreddits_and_environments_are_other_histories(archive: Archive) -> None:
    archive.recorder.record(RUN)
    assert archive.history().manifests("iphone") == set()
    assert archive.history().manifests("androi") == set()
    assert archive.history("dev").manifests("android") == set()


def test_a_restored_record_is_known_and_restoring_it_again_changes_nothing(archive: Archive) -> None:
    for _ in range(2):
        archive.history().restore(RUN)
        assert archive.history().manifests("android") == {RUN.manifest}


def test_a_long_history_is_read_to_its_end(archive: Archive) -> None:
    runs = [
        replace(RUN, window=Window(NOON + n * HOUR_S, NOON + (n + 1) * HOUR_S), manifest=f"m{n}", reason="x" * 30_000)
        for n in range(60)
    ]
    for run in runs:
        archive.history().restore(run)
    assert archive.history().manifests("android") == {run.manifest for run in runs}


@pytest.mark.parametrize("name", ["../android", "a#b", ""])
def test_no_history_is_read_under_a_hostile_name(archive: Archive, name: str) -> None:
    archive.recorder.record(RUN)
    with pytest.raises(InvalidRequest):
        archive.history().manifests(name)


def test_looking_makes_no_file(tmp_path: Path) -> None:
    assert SqliteRunHistory(tmp_path / "state.sqlite", "prod").manifests("android") == set()
    assert list(tmp_path.iterdir()) == []


# What only the table and the figures show.


def test_a_restored_record_has_the_items_that_the_run_would_have_written(deployment: Deployment) -> None:
    history_on_aws(deployment).restore(RUN)
    restored = deployment.items("RUN"), deployment.items("ATTEMPT")
    recorder_on_aws(deployment).record(RUN)
    assert (deployment.items("RUN"), deployment.items("ATTEMPT")) == restored


def test_restoring_counts_no_figures(deployment: Deployment, wire: Wire) -> None:
    client: Any = replace(deployment, endpoint=wire.endpoint).client("dynamodb")
    RedditIngestionRunHistory(client, deployment.table, "prod").restore(RUN)
    assert set(wire.calls) == {"dynamodb:PutItem"}
    assert deployment.figures() == {}


@pytest.mark.parametrize("age", [-60, 0, 60])
def test_the_newest_attempt_stands_for_its_window_in_whatever_order_they_come(deployment: Deployment, age: int) -> None:
    recorder_on_aws(deployment).record(RUN)
    other = replace(RUN, manifest="other", ingested_at_ts=RUN.ingested_at_ts - age, status=CoverageStatus.COMPLETE)
    history_on_aws(deployment).restore(other)
    (item,) = deployment.items("RUN")
    assert item["Manifest"] == (RUN.manifest if age > 0 else "other")
    assert len(deployment.items("ATTEMPT")) == 2
