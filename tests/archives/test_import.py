"""A dump file becomes days of a lake: the right rows, with claims, once, whatever happens in between."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from reddit_ingest.archives import importer as importing
from reddit_ingest.archives import spool as spooling
from reddit_ingest.archives.importer import ImportRequest
from reddit_ingest.core.errors import LakeNotUsable
from reddit_ingest.local_state import SqliteRunHistory
from reddit_ingest.storage import BulkJsonlWriter

from .making import DAY, MARCH, Lake, comment, line, month, submission, text, write


def ids(rows: list[dict[str, Any]], subreddit: str) -> set[str]:
    return {row["name"] for row in rows if row["subreddit"].lower() == subreddit}


def test_a_month_lands_one_subreddit_as_days_that_are_complete_or_empty(tmp_path: Path, lake: Lake) -> None:
    rows = [
        row for row in month(900) if not MARCH + 4 * DAY <= row["created_utc"] < MARCH + 6 * DAY or row["id"] in "x"
    ]
    outcome = lake.take(write(tmp_path / "RC_2025-03.zst", text(rows)), "smartphones")
    assert (outcome.trouble, outcome.notes, outcome.kind) == ("", [], "comments")
    assert lake.rows("smartphones").keys() == ids(rows, "smartphones")
    assert outcome.rows == len(ids(rows, "smartphones"))
    assert lake.states("smartphones") == {day: "empty" if day in (5, 6) else "complete" for day in range(1, 32)}
    assert lake.rows("other_1") == {}
    assert all(key.endswith((".jsonl.zst", ".json")) for key in lake.objects())
    recorded = SqliteRunHistory(lake.root / "state.sqlite", "local").manifests("smartphones")
    assert recorded == {key for key in lake.objects() if "/manifest-" in key}


def test_without_a_name_everything_lands_and_days_without_rows_are_nobodys_business(tmp_path: Path, lake: Lake) -> None:
    rows = month(300)
    outcome = lake.take(write(tmp_path / "RC_2025-03.gz", text(rows)))
    assert lake.all_rows().keys() == {row["name"] for row in rows}
    assert (outcome.rows, outcome.lines, outcome.subreddits) == (300, 300, 6)
    assert "empty" not in lake.states("other_1").values()


def test_a_file_of_one_subreddit_claims_its_empty_days_and_nothing_of_others(tmp_path: Path, lake: Lake) -> None:
    rows = [submission(n, MARCH + n * 3 * DAY) for n in range(4)]
    path = write(tmp_path / "Smartphones_submissions.jsonl", text(rows))
    assert not lake.take(path).trouble
    assert lake.states("smartphones") == {
        1: "complete", **dict.fromkeys((2, 3, 5, 6, 8, 9), "empty"), 4: "complete", 7: "complete", 10: "truncated",
    }  # fmt: skip
    other = lake.take(path, "android", "smartphones")
    assert other.notes == ["no row of r/android: nothing is claimed of them"]
    assert lake.states("android") == {}


def test_only_the_days_asked_for_land_whole(tmp_path: Path, lake: Lake) -> None:
    path = write(tmp_path / "RC_2025-03.zst", text(month(900)))
    lake.take(path, "smartphones", start=MARCH + 9 * DAY + 55, end=MARCH + 11 * DAY + 1)
    assert lake.states("smartphones") == dict.fromkeys((10, 11, 12), "complete")


def test_hundreds_of_names_cost_no_more_than_one_and_a_name_in_another_case_is_the_same(
    tmp_path: Path, lake: Lake
) -> None:
    rows = [comment(n, MARCH + n, f"Sub{n % 400}") for n in range(2_000)]
    outcome = lake.take(write(tmp_path / "x.zst", text(rows)), *(f"sub{n}" for n in range(300)))
    assert outcome.rows == 1_500
    assert lake.all_rows().keys() == {row["name"] for row in rows if int(row["subreddit"][3:]) < 300}


def test_a_crosspost_of_the_subreddit_is_not_its_own(tmp_path: Path, lake: Lake) -> None:
    rows = [
        submission(1, MARCH, "pics", crosspost_parent_list=[{"subreddit": "Smartphones"}]),
        submission(2, MARCH, crosspost_parent_list=[{"subreddit": "pics"}]),
    ]
    lake.take(write(tmp_path / "RS.zst", text(rows)), "smartphones")
    assert lake.all_rows("submissions").keys() == {"t3_s000002"}


def test_importing_again_reads_nothing_and_changes_nothing(tmp_path: Path, lake: Lake) -> None:
    path = write(tmp_path / "RC_2025-03.zst", text(month(300)))
    first = lake.take(path, "smartphones")
    before = lake.objects()
    path.rename(tmp_path / "kept")
    (tmp_path / "kept").rename(path)
    again = lake.take(path, "smartphones")
    assert again.was_done
    assert lake.heard.read_bytes == 0
    assert (again.rows, again.windows, again.period) == (first.rows, first.windows, first.period)
    for journal in (lake.root / "imports").glob("*.json"):
        journal.unlink()
    assert not lake.take(path, "smartphones").was_done
    assert lake.objects() == before


def test_another_request_or_a_changed_file_is_another_import(tmp_path: Path, lake: Lake) -> None:
    path = write(tmp_path / "RC_2025-03.zst", text(month(300)))
    lake.take(path, "smartphones")
    assert not lake.take(path, "other_1").was_done
    write(path, text(month(310)))
    assert not lake.take(path, "smartphones").was_done
    assert len(lake.rows("smartphones")) == 104


def test_two_files_of_one_month_add_up(tmp_path: Path, lake: Lake) -> None:
    rows = month(600)
    lake.take(write(tmp_path / "RC_2025-03.zst", text(rows[::2])), "smartphones")
    lake.take(write(tmp_path / "RC_2025-03_more.zst", text(rows[1::2])), "smartphones")
    assert lake.rows("smartphones").keys() == ids(rows, "smartphones")


def test_an_observation_through_the_api_that_is_newer_wins(tmp_path: Path, lake: Lake) -> None:
    old = [comment(n, MARCH + n, body="as archived") for n in range(3)]
    new = [comment(n, MARCH + n, body="as edited", retrieved_on=MARCH + 99_999) for n in range(1, 3)]
    lake.take(write(tmp_path / "new.zst", text(new)))
    lake.take(write(tmp_path / "old.zst", text(old)))
    assert [row["body"] for _, row in sorted(lake.rows("smartphones").items())] == ["as archived", *["as edited"] * 2]


def test_unreadable_rows_leave_the_others_and_no_day_whole(tmp_path: Path, lake: Lake) -> None:
    rows = month(300)
    data = text(rows[:150]) + b'{"subreddit":"Smartphones","body":"\xff"}\n' + text(rows[150:])
    outcome = lake.take(write(tmp_path / "RC_2025-03.zst", data), "smartphones")
    assert outcome.trouble_code == 1
    assert (
        f"100 rows are landed, but 1 of its lines could not be read (the first at byte {len(text(rows[:150])):,}"
        in (outcome.trouble)
    )
    assert lake.rows("smartphones").keys() == ids(rows, "smartphones")
    assert set(lake.states("smartphones").values()) == {"truncated"}


def test_a_row_without_an_id_is_kept_in_quarantine(tmp_path: Path, lake: Lake) -> None:
    rows = [comment(1, MARCH), comment(2, MARCH, id=None, name=None), comment(3, MARCH + 5)]
    outcome = lake.take(write(tmp_path / "x.zst", text(rows)))
    assert (outcome.rows, outcome.quarantined, outcome.trouble) == (2, 1, "")
    assert "reddit/smartphones/2025-03-01/000000/quarantine.jsonl.zst" in lake.objects()


def test_a_name_that_promises_another_kind_is_told(tmp_path: Path, lake: Lake) -> None:
    outcome = lake.take(write(tmp_path / "RC_2025-03.zst", text([submission(1, MARCH)])))
    assert outcome.notes == ["its name promises comments, but it holds submissions"]
    assert outcome.kind == "submissions"


def test_a_file_in_another_form_is_parsed_line_by_line_and_that_is_said(tmp_path: Path, lake: Lake) -> None:
    rows = month(300)
    data = text(rows).replace(b'"subreddit":', b'"subr\\u0065ddit":')
    outcome = lake.take(write(tmp_path / "RC_2025-03.zst", data), "smartphones")
    assert "every line of it is parsed" in lake.heard.notes[0]
    assert lake.rows("smartphones").keys() == ids(rows, "smartphones")
    assert not outcome.trouble


def test_a_large_window_is_cut_into_objects_and_rows_out_of_order_are_all_there(
    tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooling, "_MEMORY_BYTES", 50_000)
    monkeypatch.setattr(spooling, "_LARGE_BYTES", 5_000)
    rows = [comment(n, MARCH + n) for n in range(1_200)]
    mixed = list(rows)
    random.Random(1).shuffle(mixed)
    lake.take(write(tmp_path / "mixed.zst", text(mixed)))
    assert lake.rows("smartphones").keys() == {row["name"] for row in rows}


def test_an_object_of_several_frames_is_read_whole(tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "_MEMORY_BYTES", 50_000)
    monkeypatch.setattr(spooling, "_LARGE_BYTES", 5_000)
    rows = [comment(n, MARCH + n) for n in range(400)]
    lake.take(write(tmp_path / "long.zst", text(rows)))
    (content,) = (content for key, content in lake.objects().items() if key.endswith(".zst"))
    assert content.count(b"\x28\xb5\x2f\xfd") > 3
    assert [row["name"] for row in rows] == [row["fullname"] for row in lake.landed_lines()]
    assert lake.rows("smartphones").keys() == {row["name"] for row in rows}


def test_a_crash_at_any_effect_repeats_work_and_loses_nothing(
    tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_WINDOWS_AT_ONCE", 2)
    path = write(tmp_path / "RC_2025-03.zst", text(month(200)))

    def take(lake: Lake) -> None:
        assert not lake.take(path, "smartphones", start=MARCH, end=MARCH + 6 * DAY).trouble

    calm = Lake(tmp_path / "calm")
    take(calm)
    effects: list[str] = []
    dies_at = 10**9

    class Crash(BaseException):
        pass

    def counted(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def effect(*args: Any, **more: Any) -> Any:
            if len(effects) == dies_at:
                raise Crash
            effects.append(name)
            return real(*args, **more)

        monkeypatch.setattr(owner, name, effect)

    counted(BulkJsonlWriter, "_link_all")
    counted(importing.Journal, "save")
    counted(importing.DumpImporter, "_settle")
    take(lake)
    total = len(effects)
    assert total > 12
    for dies_at in range(total):
        effects.clear()
        shaken = Lake(tmp_path / f"shaken{dies_at}")
        with pytest.raises(Crash):
            take(shaken)
        effects.clear()
        keep, dies_at = dies_at, 10**9
        take(shaken)
        dies_at = keep
        assert shaken.rows("smartphones") == calm.rows("smartphones")
        assert shaken.states("smartphones") == calm.states("smartphones")


def test_what_is_not_settled_is_not_there(tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "RC_2025-03.zst", text(month(60)))

    def full(self: BulkJsonlWriter) -> int:
        assert lake.objects() == {}
        raise LakeNotUsable("the disk is gone")

    monkeypatch.setattr(BulkJsonlWriter, "settle", full)
    assert lake.take(path, "smartphones").trouble == "the disk is gone"
    assert not list(lake.root.rglob(".tmp-*"))
    monkeypatch.undo()
    lake.take(path, "smartphones")
    assert len(lake.rows("smartphones")) == 20


def test_a_request_is_widened_to_whole_days() -> None:
    assert ImportRequest(None, MARCH + 1, MARCH + 1).whole_days() == ImportRequest(None, MARCH, MARCH + DAY)
    assert ImportRequest().whole_days() == ImportRequest()


def test_the_lines_that_land_are_the_contracts(tmp_path: Path, lake: Lake) -> None:
    lake.take(write(tmp_path / "RC_2025-03.zst", line(comment(1, MARCH))))
    (row,) = lake.rows("smartphones").values()
    assert (row["source"], row["schema_version"], row["subreddit"]) == ("dump:RC_2025-03.zst", 1, "Smartphones")
    assert row["raw"]["subreddit_name_prefixed"] == "r/Smartphones"
    assert json.dumps(row)
