"""S6: no name from outside becomes part of a key, a parameter or a path unless Reddit could have given it.

`tests/core/test_names.py` has the names; here they are tried at every door.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from market_opinion.cli import main
from reddit_ingest import view
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.errors import EXIT_USAGE, InvalidRequest
from reddit_ingest.core.invocation import parse_event
from reddit_ingest.core.keys import window_folder
from reddit_ingest.core.names import subreddit_keys
from reddit_ingest.core.ports import Reading, WindowReading
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.core.windows import HOUR_S, Window
from reddit_ingest.ingestion_service import RedditIngestionService
from reddit_ingest.local_state import SqliteStateStore
from reddit_ingest.state_store import RedditIngestionStateStore
from reddit_ingest.storage import FilesystemJsonlWriter

from ..core.test_names import HOSTILE, shown
from ..fakes import ScriptedSource
from ..faults.scripted.conftest import COMPLETE, NOW, T0, Lab, submission

WINDOW = Window(T0, T0 + HOUR_S)
TEXTS = [name for name in HOSTILE if isinstance(name, str)]


def _is_slip(name: Any) -> bool:
    """Tell whether a list, where space around a name is left out, reads legal names."""
    try:
        return bool(subreddit_keys(name if isinstance(name, str) else [name]))
    except InvalidRequest:
        return False


IN_LISTS = [name for name in TEXTS if not _is_slip(name)]


def _nothing_is_read(*_: Any) -> Reading:
    raise AssertionError("something was read for a hostile name")


def _service(folder: Path) -> RedditIngestionService:
    source, writer = ScriptedSource(_nothing_is_read), FilesystemJsonlWriter(folder / "landing")
    return RedditIngestionService(source, writer, FixedClock(NOW))


DOORS: dict[str, Callable[[Path, Any], Any]] = {
    "key": lambda folder, name: window_folder("reddit/", name, WINDOW),
    "local state": lambda folder, name: SqliteStateStore(folder / "s", "x").save_last_run_timestamp(name, T0),
    "local state, reading": lambda folder, name: SqliteStateStore(folder / "s", "x").load_last_run_timestamp(name),
    "local lake": lambda folder, name: _service(folder).ingest_window(name, T0, T0 + HOUR_S),
    "event": lambda folder, name: parse_event({"subreddit": name}, IngestSettings(), NOW),
}


@pytest.mark.parametrize("name", HOSTILE, ids=shown)
@pytest.mark.parametrize("door", DOORS)
def test_a_hostile_name_is_refused_at_every_door_and_leaves_no_trace(tmp_path: Path, door: str, name: Any) -> None:
    with pytest.raises(InvalidRequest):
        DOORS[door](tmp_path, name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", IN_LISTS, ids=shown)
def test_a_hostile_name_in_a_list_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_event({"subreddits": ["phones", name]}, IngestSettings(), NOW)


@pytest.mark.parametrize("name", HOSTILE, ids=shown)
def test_a_hostile_name_never_reaches_aws(lab: Lab, name: Any) -> None:
    store = RedditIngestionStateStore(lab.clients.ssm, "/reddit-ingest", "prod")
    with pytest.raises(InvalidRequest):
        store.save_last_run_timestamp(name, T0)
    with pytest.raises(InvalidRequest):
        store.load_last_run_timestamp(name)
    with pytest.raises(InvalidRequest):
        lab.invoke({"subreddit": name})
    assert lab.aws.calls == []


@pytest.mark.parametrize("name", IN_LISTS, ids=shown)
def test_a_hostile_name_on_the_command_line_is_a_usage_error(tmp_path: Path, name: str) -> None:
    lake = tmp_path / "lake"
    result = CliRunner().invoke(main, ["ingest", "--lake", str(lake), "--", name], env={"REDDIT_CLIENT_ID": "x"})
    assert result.exit_code == EXIT_USAGE
    assert len(result.stderr) < 500
    assert not lake.exists()


@pytest.mark.parametrize("name", TEXTS, ids=shown)
def test_names_inside_of_an_item_are_data_and_no_place(lab: Lab, name: str) -> None:
    fields = {"subreddit": name, "permalink": name, "author": name, "subreddit_id": name, "link_id": name, "url": name}

    def hour(subreddit: str, windows: Any, deadline: Any) -> Reading:
        item = submission("a", T0 + 5, **fields)
        return Reading([WindowReading(WINDOW, [item], [], {"submissions": COMPLETE, "comments": COMPLETE})], [], 1)

    lab.source._answer = hour
    lab.invoke({"mode": "backfill", "subreddit": "phones", "start_ts": T0, "end_ts": T0 + HOUR_S})
    names = {key.rpartition("/")[0] for key in lab.aws.objects}
    assert names == {"reddit/phones/2026-01-01/000000"}
    assert {pk for pk, _ in lab.aws.items} == {"ENV#prod#SUBREDDIT#phones"}
    rows = view.rows(lab.aws.lake(), "reddit/phones/", "submissions")
    assert [row["subreddit"] for row in rows.values()] == [name] or b"surrogate" in lab.aws.objects[
        "reddit/phones/2026-01-01/000000/quarantine.jsonl"
    ]


@pytest.mark.parametrize("variable", ["SUBREDDITS", "DEFAULT_SUBREDDIT"])
@pytest.mark.parametrize("name", [name for name in IN_LISTS if name][:60], ids=shown)
def test_a_hostile_name_in_a_setting_ends_the_function_before_any_call(lab: Lab, variable: str, name: str) -> None:
    with pytest.raises(Exception, match=r"^(SUBREDDITS|DEFAULT_SUBREDDIT): not a subreddit name"):
        lab.invoke(**{"SUBREDDITS": "", variable: name})
    assert lab.aws.calls == []
