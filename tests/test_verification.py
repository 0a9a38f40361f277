"""Every kind of damage, made on purpose in a sound lake, is found and named with its place, and nothing else is."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.coverage import Coverage, CoverageStatus
from reddit_ingest.core.errors import LakeNotUsable
from reddit_ingest.core.keys import COMMENTS, MISSES, SUBMISSIONS
from reddit_ingest.core.manifest import LandedObject, Manifest, sha256_hex
from reddit_ingest.core.ports import Reading
from reddit_ingest.core.tombstones import Reason, Tombstone
from reddit_ingest.core.windows import HOUR_S, Window
from reddit_ingest.verification import Verifier

from .fakes import Crash, Log, MemoryHistory
from .lakes import END, HOURS, NOW, PLACE, SUBREDDIT, T0, Lake, folder, hour, sound, whole

WATERMARK = "watermark of r/android"
Found = tuple[str, str, str]
DAY = 24 * HOUR_S


def text_of(lake: Lake) -> str:
    (finding,) = lake.verify().findings
    return finding.text


def test_a_sound_lake_has_no_finding_and_everything_in_it_was_looked_at() -> None:
    lake = sound()
    report = lake.verify()
    assert report.findings == []
    assert report.is_sound
    assert report.windows == HOURS
    data = {key: content for key, content in lake.lake.objects.items() if key.endswith(".jsonl")}
    assert (report.objects, report.bytes) == (len(data), sum(map(len, data.values())))
    assert report.rows == sum(content.count(b"\n") for content in data.values())


def test_a_lake_that_holds_nothing_has_no_finding() -> None:
    assert Lake().found() == []


# What was changed or lost.


@pytest.mark.parametrize("kind", [SUBMISSIONS, COMMENTS])
def test_a_changed_byte_of_an_object_is_found(kind: str) -> None:
    lake = sound()
    key = f"{folder(2)}{kind}.jsonl"
    content = lake.lake.objects[key]
    for place in (0, len(content) // 2, len(content) - 1):
        lake.lake.objects[key] = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        assert lake.found() == [("damage", "object", key)]
    assert "restore it from a copy" in text_of(lake)


@pytest.mark.parametrize("kind", [SUBMISSIONS, COMMENTS])
def test_an_object_that_is_not_there_is_found(kind: str) -> None:
    lake = sound()
    del lake.lake.objects[f"{folder(2)}{kind}.jsonl"]
    assert lake.found() == [("damage", "object", f"{folder(2)}{kind}.jsonl")]
    assert "is not there" in text_of(lake)
    assert lake.manifest_of(2)[0].rpartition("/")[2] in text_of(lake), (
        "and it names what to delete where there is no copy"
    )


def test_a_manifest_that_was_changed_is_found_and_does_not_hide_the_rest() -> None:
    lake = sound()
    key, _ = lake.manifest_of(2)
    lake.lake.objects[key] = lake.lake.objects[key].replace(b"complete", b"empty")
    del lake.lake.objects[f"{folder(4)}comments.jsonl"]
    assert lake.found() == [("damage", "manifest", key), ("damage", "object", f"{folder(4)}comments.jsonl")]


@pytest.mark.parametrize("content", [b"", b"{}", b"no JSON", b'{"subreddit": 1}'])
def test_a_manifest_that_cannot_be_read_is_found(content: bytes) -> None:
    lake = sound()
    key, _ = lake.manifest_of(2)
    lake.lake.objects[key] = content
    assert lake.found() == [("damage", "manifest", key)]


@pytest.mark.parametrize("to", [folder(3), "reddit/android/2026-01-09/000000/"])
def test_a_manifest_in_the_folder_of_another_window_is_found(to: str) -> None:
    lake = sound()
    key, _ = lake.manifest_of(2)
    copy = to + key.rpartition("/")[2]
    lake.lake.objects[copy] = lake.lake.objects[key]
    assert lake.found() == [("damage", "manifest", copy)]
    assert f"belongs into {folder(2)}" in text_of(lake)


def test_a_manifest_of_another_subreddit_is_found() -> None:
    lake = sound()
    key = lake.rewrite(2, lambda manifest: replace(manifest, subreddit="iphone"))
    assert lake.found() == [("damage", "manifest", key)]


# Rows that do not belong where they are, and descriptions that do not fit. Only a defect could write these.


def _with(**fields: Any) -> Callable[[list[Any]], list[Any]]:
    return lambda rows: [*rows[:-1], {**rows[-1], **fields}]


@pytest.mark.parametrize(
    ("kind", "change", "says"),
    [
        (SUBMISSIONS, lambda rows: [b"{half\n"], "no JSON object"),
        (SUBMISSIONS, lambda rows: [b"[1]\n"], "no JSON object"),
        (SUBMISSIONS, lambda rows: [b"[" * 100_000 + b"\n"], "no JSON object"),
        (SUBMISSIONS, _with(fullname=None), "fullname"),
        (SUBMISSIONS, _with(fullname="t1_comment"), "fullname"),
        (SUBMISSIONS, _with(created_utc="1767225601"), "created_utc"),
        (SUBMISSIONS, _with(created_utc=hour(2).end_ts), "outside the window"),
        (SUBMISSIONS, _with(raw=None), "lacks fields"),
        (COMMENTS, _with(link_id="t3_elsewhere"), "outside the window"),
        (COMMENTS, _with(link_id=None), "outside the window"),
    ],
)
def test_a_row_that_does_not_belong_there_is_found(kind: str, change: Any, says: str) -> None:
    lake = sound()
    key = lake.rewrite_rows(2, kind, change)
    rows = [(place, text) for _, what, place, text in _all(lake) if what == "row"]
    assert [place for place, _ in rows if place == key] == [key]
    assert says in next(text for place, text in rows if place == key)
    if kind == COMMENTS:
        assert [place for place, _ in rows] == [key], "only the last row of that object was changed"


def _all(lake: Lake) -> list[tuple[str, str, str, str]]:
    return [(str(each.severity), each.kind, each.place, each.text) for each in lake.verify().findings]


def test_a_comment_may_be_younger_than_its_window_only_if_it_is_on_a_submission_of_the_window() -> None:
    lake = sound()
    younger = [row for row in map(_created, lake.lake.objects[f"{folder(2)}comments.jsonl"].splitlines()) if row]
    assert len(younger) == 1
    assert lake.found() == []


def _created(line: bytes) -> bool:
    return b'"created_utc":%d' % (hour(2).end_ts + 60) in line


@pytest.mark.parametrize("change", [{"rows": 9}, {"bytes": 9}, {"first_item_ts": T0}, {"last_item_ts": None}], ids=str)
def test_a_description_that_does_not_fit_its_object_is_found(change: dict[str, Any]) -> None:
    def wrong(manifest: Manifest) -> Manifest:
        return replace(manifest, objects=(replace(manifest.objects[0], **change), *manifest.objects[1:]))

    lake = sound()
    lake.rewrite(2, wrong)
    assert lake.found() == [("damage", "object", f"{folder(2)}comments.jsonl")]


# The tiling of hours, and the watermark.


def without(lake: Lake, *hours: int) -> Lake:
    """Take hours away with all that stands in their folders."""
    for key in [key for n in hours for key in lake.lake.keys(folder(n))]:
        del lake.lake.objects[key]
    lake.recorder.runs = [run for run in lake.recorder.runs if run.manifest in lake.lake.objects]
    return lake


def span(first: int, last: int) -> str:
    return f"r/android {Window(hour(first).start_ts, hour(last).end_ts)}"


def test_hours_that_nobody_looked_at_are_a_hole_once_the_watermark_has_passed() -> None:
    lake = without(sound(), 2, 3)
    assert lake.found() == [("damage", "hole", span(2, 3))]
    assert "backfill android --start 2026-01-01T02:00:00Z --end 2026-01-01T04:00:00Z" in text_of(lake)


def test_a_watermark_beyond_the_last_manifest_is_damage() -> None:
    lake = without(sound(), 4, 5)
    assert lake.found() == [("damage", "watermark", WATERMARK)]
    assert "sets it back to 2026-01-01T04:00:00Z" in text_of(lake)


def test_a_hole_before_the_newest_hours_is_not_the_watermarks_fault() -> None:
    lake = without(sound(), 1)
    lake.run([hour(1)])
    assert lake.found() == []


def test_hours_between_a_backfill_and_the_first_run_are_no_hole() -> None:
    lake = sound()
    lake.run([hour(-50)])
    assert lake.found() == []


def test_a_day_from_an_archive_tiles_with_the_hours_of_a_run() -> None:
    lake = Lake()
    lake.now, lake.state.watermarks[SUBREDDIT] = T0 + DAY + 300, T0 + DAY - HOURS * HOUR_S
    lake.run()
    lake = without(lake, 20)
    _, manifest = lake.manifest_of(21)
    day = replace(manifest, window=Window(T0, T0 + DAY), mode="backfill", source="dump", objects=())
    key = lake.lake.commit(folder(0), day)
    lake.recorder.record(replace(lake.recorder.runs[0], window=day.window, manifest=key))
    assert lake.found() == []


def outcome(status: CoverageStatus, *hours: int) -> Any:
    """A source to which that happens in some hours; the others are whole."""

    def read(subreddit: str, windows: Sequence[Window], deadline: Any = None) -> Reading:
        reading = whole(subreddit, windows)
        for each in reading.windows:
            if each.window in [hour(n) for n in hours]:
                each.coverage = {kind: Coverage(status, "Reddit answered 503") for kind in each.coverage}
        return reading

    return read


def ran(source: Any) -> Lake:
    lake = Lake(source)
    lake.state.watermarks[SUBREDDIT] = T0
    return lake.run()


def test_failed_hours_before_which_the_watermark_waits_are_a_note() -> None:
    lake = ran(outcome(CoverageStatus.FAILED, 3, 4))
    assert lake.state.watermarks[SUBREDDIT] == hour(3).start_ts
    assert lake.found() == [("note", "failed", span(3, 4))]


@pytest.mark.parametrize("status", [CoverageStatus.FAILED, CoverageStatus.BLOCKED])
def test_a_watermark_that_has_passed_an_hour_that_could_not_be_read_is_damage(status: CoverageStatus) -> None:
    lake = ran(outcome(status, 3, 4))
    lake.state.watermarks[SUBREDDIT] = END
    assert lake.found() == [("damage", "watermark", span(3, 4))]


@pytest.mark.parametrize("status", [CoverageStatus.TRUNCATED, CoverageStatus.UNREACHABLE, CoverageStatus.EMPTY])
def test_gaps_and_empty_hours_move_the_watermark_and_are_no_finding(status: CoverageStatus) -> None:
    lake = ran(outcome(status, 3, 4))
    assert lake.state.watermarks[SUBREDDIT] == END
    assert lake.found() == []


def test_a_backfill_that_failed_before_the_first_run_is_not_the_watermarks_fault() -> None:
    lake = sound()
    lake.source = outcome(CoverageStatus.FAILED, -9)
    lake.run([hour(-9)])
    assert lake.found() == [("note", "failed", span(-9, -9))]


def test_a_failed_hour_that_a_later_attempt_has_seen_is_no_finding() -> None:
    lake = ran(outcome(CoverageStatus.FAILED, 3))
    lake.source = whole
    lake.now += 60
    assert lake.run().found() == []


def test_a_watermark_behind_the_manifests_is_a_note() -> None:
    lake = sound()
    lake.state.watermarks[SUBREDDIT] = END - 2 * HOUR_S
    assert lake.found() == [("note", "watermark", WATERMARK)]


def test_a_watermark_set_back_before_the_first_run_is_wanted() -> None:
    lake = sound()
    lake.state.watermarks[SUBREDDIT] = T0 - DAY
    assert lake.found() == []


def test_a_watermark_that_is_not_there_is_a_note_that_says_where_it_belongs() -> None:
    lake = sound()
    del lake.state.watermarks[SUBREDDIT]
    assert lake.found() == [("note", "watermark", WATERMARK)]
    assert "lead up to 2026-01-01T06:00:00Z" in text_of(lake)


def test_without_a_regular_run_there_needs_to_be_no_watermark() -> None:
    lake = Lake()
    assert lake.run([hour(1), hour(2)]).found() == []


@pytest.mark.parametrize("stored", ["yesterday", -HOUR_S, END + 1, NOW + DAY, END * 1_000])
def test_a_watermark_that_cannot_be_one_is_damage(stored: Any) -> None:
    lake = sound()
    lake.state.watermarks[SUBREDDIT] = stored
    assert lake.found() == [("damage", "watermark", WATERMARK)]


def test_a_state_that_cannot_be_opened_is_damage_and_the_objects_are_checked_all_the_same() -> None:
    lake = sound()

    def broken(subreddit: str) -> int:
        raise LakeNotUsable("cannot use state.sqlite: file is not a database; check the folder")

    lake.state.load_last_run_timestamp = broken  # type: ignore[method-assign]
    del lake.lake.objects[f"{folder(4)}comments.jsonl"]
    assert lake.found() == [("damage", "state", WATERMARK), ("damage", "object", f"{folder(4)}comments.jsonl")]


def test_hours_of_a_damaged_manifest_are_unknown_and_no_hole() -> None:
    lake = sound()
    for n in (0, 3, 5):
        key, _ = lake.manifest_of(n)
        lake.lake.objects[key] += b" "
    assert {kind for _, kind, _ in lake.found()} == {"manifest"}


# What is left over.


def test_an_object_that_no_manifest_names_is_a_note() -> None:
    lake = sound()
    key = lake.land_orphan(2, COMMENTS, [{"created_utc": T0}])
    assert lake.found() == [("note", "orphan", key)]


def test_what_the_platform_did_not_write_is_a_note() -> None:
    lake = sound()
    strays = [f"{folder(2)}notes.txt", f"{PLACE}2026-01-01/README", f"{PLACE}2026-13-01/000000/comments.jsonl"]
    lake.lake.objects |= dict.fromkeys(strays, b"hello")
    assert sorted(lake.found()) == [("note", "stray", key) for key in sorted(strays)]


def test_a_folder_that_is_no_subreddits_is_a_note_and_is_not_looked_into() -> None:
    lake = sound()
    lake.lake.objects["reddit/README.txt"] = b"hello"
    lake.lake.objects["reddit/Android/x"] = b"hello"
    repairer = lake.repairer()
    assert repairer.to_read_again(SUBREDDIT) == []
    names, report = _verifier(lake).subreddits()
    assert names == [SUBREDDIT]
    assert [finding.place for finding in report.findings] == ["reddit/Android", "reddit/README.txt"]


def _verifier(lake: Lake) -> Any:
    return Verifier(lake.lake, lake.state, MemoryHistory(lake.recorder), lake.lake, FixedClock(NOW))


def test_what_a_process_that_died_had_half_written_is_a_note() -> None:
    lake = sound()
    lake.lake.half_written = [f"{folder(2)}.tmp-abc", "reddit/iphone/2026-01-01/000000/.tmp-def"]
    assert lake.found() == [("note", "leftover", f"{folder(2)}.tmp-abc")]


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("call", range(2 + 5 * HOURS))
def test_whatever_a_crash_leaves_is_a_note_and_never_damage(call: int, before: bool) -> None:
    lake = Lake()
    lake.state.watermarks[SUBREDDIT] = T0
    with pytest.raises(Crash):
        lake.run(log=Log(call, before=before))
    assert {severity for severity, _, _ in lake.found()} <= {"note"}


def test_a_crash_between_manifest_and_record_is_told_as_a_gap_in_the_history() -> None:
    lake = sound()
    lost = lake.recorder.runs.pop()
    assert lake.found() == [("note", "run record", "r/android")]
    assert lost.manifest in text_of(lake)


def test_run_records_whose_manifests_are_not_there_are_a_note() -> None:
    lake = sound()
    gone = replace(lake.recorder.runs[0], manifest=f"{folder(0)}manifest-0123456789abcdef.json")
    lake.recorder.runs.append(gone)
    assert lake.found() == [("note", "run record", "r/android")]
    assert gone.manifest in text_of(lake)


# Erasure.


def tombstone(n: int, noticed_at_ts: int, reason: Reason = Reason.DELETED) -> Tombstone:
    return Tombstone(f"t3_s{hour(n).start_ts}", hour(n).start_ts + 1, reason, noticed_at_ts)


def test_what_is_buried_has_a_day_to_leave_the_lake() -> None:
    lake = sound()
    lake.bury(tombstone(2, NOW))
    assert lake.found() == []
    lake.now = NOW + DAY
    assert lake.found() == []
    lake.now = NOW + DAY + 1
    assert lake.found() == [("damage", "tombstone", f"{folder(2)}submissions.jsonl")]


def test_the_day_begins_when_the_deletion_is_noticed() -> None:
    lake = sound()
    lake.now = NOW + 5 * DAY
    lake.bury(tombstone(2, NOW + 5 * DAY - HOUR_S))
    assert lake.found() == []


def test_after_the_purge_all_is_well_and_the_comments_on_what_is_gone_are_not_out_of_place() -> None:
    lake = sound()
    lake.bury(tombstone(2, NOW))
    lake.erasure().purge(SUBREDDIT)
    lake.now = NOW + 2 * DAY
    assert b"t3_s" not in lake.lake.objects.get(f"{folder(2)}submissions.jsonl", b"")
    assert lake.found() == []


def test_what_was_forgotten_and_came_back_must_leave_again() -> None:
    lake = sound()
    lake.bury(tombstone(2, NOW, Reason.FORGOTTEN))
    lake.erasure().purge(SUBREDDIT)
    lake.now += 60
    lake.run([hour(2)])
    assert lake.found() == []
    lake.now += DAY + 1
    (finding,) = lake.verify().findings
    assert (finding.kind, finding.place.startswith(f"{folder(2)}submissions")) == ("tombstone", True)


def test_what_moderators_let_back_in_may_stay() -> None:
    lake = sound()
    lake.bury(tombstone(2, NOW, Reason.GONE))
    lake.erasure().purge(SUBREDDIT)
    lake.now += 60
    lake.run([hour(2)])
    lake.now += 2 * DAY
    assert lake.found() == []


def test_a_tombstone_that_waits_for_its_mark_alone_is_a_note() -> None:
    lake = sound()
    lake.bury(replace(tombstone(2, NOW), fullname="t3_unheard"))
    lake.now += DAY + 1
    assert lake.found() == [("note", "unfinished purge", "r/android")]


def test_a_purge_that_died_is_a_note_and_what_it_had_erased_is_not_missed() -> None:
    calls = range(12)
    kinds = set()
    for call in calls:
        lake = sound()
        lake.bury(tombstone(2, NOW))
        lake.lake.log = Log(call)
        try:
            lake.erasure().purge(SUBREDDIT)
        except Crash:
            found = lake.found()
            assert {severity for severity, _, _ in found} <= {"note"}, found
            kinds |= {kind for _, kind, _ in found}
    assert "unfinished purge" in kinds


# While others write.


def test_what_is_erased_while_it_is_looked_at_is_not_missed() -> None:
    lake = sound()
    lake.bury(tombstone(2, NOW))
    read, purged = lake.lake.read, []

    def read_and_purge(key: str) -> bytes:
        # The folder has been listed; now somebody purges, and all that was listed is replaced.
        if key.endswith("submissions.jsonl") and not purged:
            purged.append(key)
            lake.lake.read = read  # type: ignore[method-assign]
            lake.erasure().purge(SUBREDDIT)
        return read(key)

    lake.lake.read = read_and_purge  # type: ignore[method-assign]
    assert lake.found() == []
    assert purged


def test_a_manifest_that_is_replaced_after_the_folder_was_listed_is_not_missed() -> None:
    lake = sound()
    lake.bury(tombstone(2, NOW))
    read, purged = lake.lake.read, []

    def purge_and_read(key: str) -> bytes:
        if key == doomed and not purged:
            purged.append(key)
            lake.erasure().purge(SUBREDDIT)
        return read(key)

    doomed, _ = lake.manifest_of(2)
    lake.lake.read = purge_and_read  # type: ignore[method-assign]
    assert lake.found() == []
    assert doomed not in lake.lake.objects


def test_an_attempt_that_is_recorded_while_it_is_looked_at_is_no_finding() -> None:
    lake = sound()
    history = MemoryHistory(lake.recorder)
    known, late = list(history.manifests(SUBREDDIT)), lake.recorder.runs[-1].manifest
    answers = iter([set(known) - {late}, set(known)])
    history.manifests = lambda subreddit: next(answers)  # type: ignore[method-assign]
    verifier = Verifier(lake.lake, lake.state, history, lake.lake, FixedClock(NOW))
    assert verifier.verify(SUBREDDIT).findings == []


def test_what_is_landed_while_it_is_looked_at_is_no_finding() -> None:
    lake = sound()
    keys, landed = lake.lake.keys, []

    def keys_after_a_run(prefix: str) -> Any:
        if not landed:
            landed.append(prefix)
            lake.now += HOUR_S
            lake.run()
        return keys(prefix)

    lake.lake.keys = keys_after_a_run  # type: ignore[method-assign]
    assert [kind for severity, kind, _ in lake.found() if kind != "watermark"] == []
    assert landed


def test_an_object_of_an_unknown_kind_of_rows_is_checked_for_its_bytes_alone() -> None:
    lake = sound()
    key = lake.land_orphan(2, MISSES, [{"fullname": "t3_x", "missed_at_ts": 5}])
    _, manifest = lake.manifest_of(2)
    content = lake.lake.objects[key]
    landed = LandedObject(key.rpartition("/")[2], MISSES, sha256_hex(content), len(content), 1, None, None)
    lake.lake.commit(folder(2), replace(manifest, mode="refresh", coverage={}, objects=(landed,)))
    assert lake.found() == []
    lake.lake.objects[key] += b"x"
    assert lake.found() == [("damage", "object", key)]
