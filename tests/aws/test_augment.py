"""The augmented zone on AWS: the same bytes as in a folder, and nothing left of what was erased."""

import csv
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from market_opinion.analysis.warehouse import VIEWS
from market_opinion.cli import main
from market_opinion.tables import from_parquet
from reddit_ingest.bootstrap import LocalLake

from ..emulator import Deployment
from .conftest import HOUR, NOW, Invoker


def augmented_bucket(deployment: Deployment) -> str:
    name = f"{deployment.name}-augmented"
    s3 = deployment.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def bucket(lambda_: Invoker) -> str:
    return augmented_bucket(lambda_.deployment)


@pytest.fixture
def types(lambda_: Invoker, bucket: str) -> Callable[..., Result]:
    """Run a command with the environment of someone who may do everything on the deployed lake."""
    environ = {**lambda_.deployment.environ(), **lambda_.deployment.sdk(lambda_.wire.endpoint)}

    def run(*words: str) -> Result:
        result = CliRunner().invoke(main, [*words, "--aws"], env={**environ, "AUGMENTED_BUCKET_NAME": bucket})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    return run


def versions(deployment: Deployment, bucket: str) -> dict[str, list[bytes]]:
    """Return the content of every version of every object in a bucket."""
    s3, found = deployment.client("s3"), {}
    listed = s3.list_object_versions(Bucket=bucket)
    assert not listed.get("DeleteMarkers")
    for each in listed.get("Versions", ()):
        content = s3.get_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])["Body"].read()
        found.setdefault(each["Key"], []).append(content)
    return found


def as_local(deployment: Deployment, root: Path) -> LocalLake:
    """Copy the deployed landing zone into a folder."""
    lake = LocalLake(root)
    for key, content in deployment.objects().items():
        (lake.landing / key).parent.mkdir(parents=True, exist_ok=True)
        (lake.landing / key).write_bytes(content)
    return lake


def test_a_bucket_and_a_folder_get_the_same_tables(
    lambda_: Invoker, types: Callable[..., Result], bucket: str, tmp_path: Path
) -> None:
    lambda_.invoke()
    lambda_.invoke({"mode": "backfill", "subreddit": "phones", "start_ts": NOW - 6 * HOUR, "end_ts": NOW})
    result = types("augment", "--engine", "lexicon", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)[0]["rows"]["mentions"] > 0
    lake = as_local(lambda_.deployment, tmp_path / "lake")
    CliRunner().invoke(main, ["augment", "--engine", "lexicon", "--lake", str(lake.root)])
    folder = {
        path.relative_to(lake.root).as_posix(): [path.read_bytes()]
        for path in (lake.root / "augmented").rglob("*")
        if path.is_file() and path.name != ".lock"
    }
    assert len(folder) > 3
    assert versions(lambda_.deployment, bucket) == folder


def test_what_is_forgotten_leaves_every_version(lambda_: Invoker, types: Callable[..., Result], bucket: str) -> None:
    def traces() -> list[str]:
        found = versions(lambda_.deployment, bucket)
        assert all(len(contents) == 1 for contents in found.values())
        return [key for key, (content,) in found.items() if _holds(content, row["permalink"])]

    lambda_.invoke()
    types("augment", "--engine", "lexicon")
    landed = [content for key, content in lambda_.deployment.objects().items() if "submissions" in key]
    row = max((json.loads(line) for line in b"".join(landed).splitlines()), key=lambda row: row["num_comments"])
    assert traces()
    assert types("forget", "--id", row["fullname"], "--yes").exit_code == 0
    assert types("augment", "--engine", "lexicon").exit_code == 0
    assert traces() == []


def test_an_analyst_gets_the_same_answers_from_a_bucket_and_from_a_folder(
    lambda_: Invoker, types: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    lambda_.invoke({"mode": "backfill", "subreddit": "phones", "start_ts": NOW - 12 * HOUR, "end_ts": NOW})
    assert types("augment", "--engine", "lexicon").exit_code == 0
    lake = as_local(lambda_.deployment, tmp_path / "lake")
    CliRunner().invoke(main, ["augment", "--engine", "lexicon", "--lake", str(lake.root)])
    for view in VIEWS:
        sql = f"FROM {view} ORDER BY ALL"
        local = CliRunner().invoke(main, ["query", sql, "--json", "--lake", str(lake.root)])
        assert types("query", sql, "--json").stdout == local.stdout
        assert len(json.loads(local.stdout)) > 0, view
    day = ("2026-01-05", "--json")
    for words in (("report", "--since", *day, "--until", day[0]), ("alerts", "--explain", "--day", *day)):
        local = CliRunner().invoke(main, [*words, "--lake", str(lake.root)])
        assert types(*words).stdout == local.stdout
        assert "phones" in local.stdout or "volume" in local.stdout
    assert [*(tmp_path / "temporary").iterdir()] == []


def test_only_the_parts_that_sql_needs_are_fetched(lambda_: Invoker, types: Callable[..., Result]) -> None:
    def fetched(*words: str) -> int:
        before = lambda_.wire.calls.count("s3:GetObject")
        assert types("query", *words).exit_code == 0
        return lambda_.wire.calls.count("s3:GetObject") - before

    lambda_.invoke({"mode": "backfill", "subreddit": "phones", "start_ts": NOW - 12 * HOUR, "end_ts": NOW})
    assert types("augment", "--engine", "lexicon").exit_code == 0
    assert fetched("SELECT sum(mentions) FROM daily_opinion") == 2
    assert fetched("SELECT sum(mentions) FROM daily_opinion", "--since", "2026-01-06") == 1
    assert fetched("SELECT count(*) FROM quotes", "--until", "2026-01-05") == 2
    assert fetched("SHOW TABLES") == 0


def test_labels_stand_beside_the_tables_and_leave_every_version_too(
    lambda_: Invoker, types: Callable[..., Result], bucket: str, tmp_path: Path
) -> None:
    lambda_.invoke({"mode": "backfill", "subreddit": "phones", "start_ts": NOW - 6 * HOUR, "end_ts": NOW})
    types("augment", "--engine", "lexicon")
    sheet = tmp_path / "labels.csv"
    assert types("calibrate", "sheet", str(sheet)).exit_code == 0
    with sheet.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 60
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "label": ("positive", "negative")[n % 2]} for n, row in enumerate(rows))
    for _ in range(2):
        result = types("calibrate", "fit", str(sheet), "--engine", "lexicon")
        assert result.exit_code == 0, result.output
    assert types("augment", "--engine", "lexicon").exit_code == 0
    name = rows[0]["mention"].split("/")[2]
    assert name in _labels(lambda_.deployment, bucket)
    assert types("forget", "--id", name, "--yes").exit_code == 0
    assert types("augment", "--engine", "lexicon").exit_code == 0
    assert name not in _labels(lambda_.deployment, bucket)


def _labels(deployment: Deployment, bucket: str) -> str:
    found = {key: each for key, each in versions(deployment, bucket).items() if key.startswith("labels/")}
    assert found.keys() == {"labels/smartphones/corrections.jsonl", "labels/smartphones/calibration-lexicon.json"}
    assert all(len(contents) == 1 for contents in found.values())
    return str(found)


def test_without_a_place_for_the_tables_nothing_is_read(lambda_: Invoker) -> None:
    environ = {**lambda_.deployment.environ(), **lambda_.deployment.sdk(lambda_.wire.endpoint)}
    result = CliRunner().invoke(main, ["augment", "--aws"], env={**environ, "AUGMENTED_BUCKET_NAME": ""})
    assert result.exit_code == 1
    assert "AUGMENTED_BUCKET_NAME is missing" in result.stderr
    assert lambda_.wire.calls == []


def _holds(content: bytes, name: str) -> bool:
    return content[:4] == b"PAR1" and name in str(from_parquet(content).to_pylist())
