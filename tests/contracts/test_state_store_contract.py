"""What every `StateStore` promises; another implementation is one more parameter of `stores`."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reddit_ingest.core.errors import DamagedState, InvalidRequest, LakeNotUsable
from reddit_ingest.core.ports import StateStore
from reddit_ingest.local_state import SqliteStateStore
from reddit_ingest.state_store import RedditIngestionStateStore

from ..emulator import Deployment

NOON = 1_767_268_800
Stores = Callable[..., StateStore]


@pytest.fixture(params=["sqlite", "ssm"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    """Return what opens the same stored state anew, as another process would."""
    if request.param == "ssm":
        deployment: Deployment = request.getfixturevalue("deployment")
        return lambda environment="local": RedditIngestionStateStore(
            deployment.client("ssm"), deployment.state_path, environment
        )
    return lambda environment="local": SqliteStateStore(tmp_path / "lake" / "state.sqlite", environment)


def test_before_the_first_run_there_is_no_watermark(stores: Stores) -> None:
    assert stores().load_last_run_timestamp("android") is None


def test_a_watermark_is_kept_for_the_next_process(stores: Stores) -> None:
    stores().save_last_run_timestamp("android", NOON)
    assert stores().load_last_run_timestamp("android") == NOON


def test_the_last_saved_watermark_counts(stores: Stores) -> None:
    store = stores()
    for timestamp in (NOON, NOON + 3_600, NOON - 3_600):
        store.save_last_run_timestamp("android", timestamp)
    assert store.load_last_run_timestamp("android") == NOON - 3_600


def test_saving_twice_changes_nothing(stores: Stores) -> None:
    store = stores()
    store.save_last_run_timestamp("android", NOON)
    store.save_last_run_timestamp("android", NOON)
    assert store.load_last_run_timestamp("android") == NOON


def test_subreddits_have_watermarks_of_their_own(stores: Stores) -> None:
    stores().save_last_run_timestamp("android", NOON)
    assert stores().load_last_run_timestamp("iphone") is None


def test_environments_have_watermarks_of_their_own(stores: Stores) -> None:
    stores("prod").save_last_run_timestamp("android", NOON)
    assert stores("dev").load_last_run_timestamp("android") is None
    assert stores("prod").load_last_run_timestamp("android") == NOON


def test_case_twins_share_a_watermark(stores: Stores) -> None:
    stores().save_last_run_timestamp("Android", NOON)
    assert stores().load_last_run_timestamp("aNDROID") == NOON


@pytest.mark.parametrize("name", ["../android", "a/b", "", "and\0roid", "x'; drop table watermarks; --"])
def test_no_watermark_is_kept_under_a_hostile_name(stores: Stores, name: str) -> None:
    with pytest.raises(InvalidRequest):
        stores().save_last_run_timestamp(name, NOON)
    with pytest.raises(InvalidRequest):
        stores().load_last_run_timestamp(name)


@pytest.mark.parametrize("stored", ["yesterday", "", None, 1.5, b"\0", str(NOON)], ids=repr)
def test_a_stored_value_that_is_no_number_is_damaged_and_stays(tmp_path: Path, stored: Any) -> None:
    path = tmp_path / "state.sqlite"
    store = SqliteStateStore(path, "local")
    store.save_last_run_timestamp("android", NOON)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("update watermarks set last_run_ts = ?", (stored,))
    for _ in range(2):
        with pytest.raises(DamagedState, match=r"r/android in .*state\.sqlite"):
            store.load_last_run_timestamp("android")


@pytest.mark.parametrize("stored", ["yesterday", "1.5", "1767268800 ", "١٧٦٧", "9" * 40, "--5"], ids=ascii)
def test_a_parameter_that_is_no_number_is_damaged_and_stays(deployment: Deployment, stored: str) -> None:
    name = f"{deployment.state_path}/prod/android/last_run_ts"
    ssm = deployment.client("ssm")
    ssm.put_parameter(Name=name, Value=stored, Type="String")
    with pytest.raises(DamagedState, match=f"r/android in {name}"):
        RedditIngestionStateStore(ssm, deployment.state_path, "prod").load_last_run_timestamp("android")
    assert deployment.watermark("android") == stored


def test_the_parameter_has_the_name_of_the_contract(deployment: Deployment) -> None:
    store = RedditIngestionStateStore(deployment.client("ssm"), deployment.state_path, "prod")
    store.save_last_run_timestamp("Android", NOON)
    assert deployment.watermark("android") == str(NOON)


@pytest.mark.parametrize("content", [b"this is no database, " * 100, b"SQLite format 3\0" + b"\xff" * 4_000])
def test_a_file_that_is_no_database_is_not_usable_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.sqlite"
    path.write_bytes(content)
    with pytest.raises(LakeNotUsable, match=r"state\.sqlite"):
        SqliteStateStore(path, "local").load_last_run_timestamp("android")
    with pytest.raises(LakeNotUsable):
        SqliteStateStore(path, "local").save_last_run_timestamp("android", NOON)
    assert path.read_bytes() == content


def test_a_place_where_no_file_can_be_is_not_usable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LakeNotUsable):
        SqliteStateStore(tmp_path / "file" / "state.sqlite", "local").save_last_run_timestamp("android", NOON)
    with pytest.raises(LakeNotUsable):
        SqliteStateStore(tmp_path, "local").load_last_run_timestamp("android")
