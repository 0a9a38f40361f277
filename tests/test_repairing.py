"""A repair puts a lake in order from its manifests, may die at any moment, and changes nothing that is in order."""

import json
from dataclasses import replace
from typing import Any

import pytest

from reddit_ingest import view
from reddit_ingest.core.coverage import CoverageStatus
from reddit_ingest.core.keys import COMMENTS, MISSES, QUARANTINE, SUBMISSIONS, TOMBSTONES, is_manifest
from reddit_ingest.core.manifest import Manifest
from reddit_ingest.core.tombstones import Reason, Tombstone
from reddit_ingest.core.windows import HOUR_S, Window
from reddit_ingest.repairing import Outcome, Step

from .fakes import Crash, Log
from .lakes import END, HOURS, NOW, SUBREDDIT, T0, Lake, folder, hour, sound, whole
from .test_verification import outcome, ran, without

HOUR_AGO = 3_600


def done(steps: list[Step]) -> list[str]:
    return [step.place for step in steps if step.outcome is Outcome.DONE]


def shown(lake: Lake) -> dict[str, Any]:
    return {kind: view.rows(lake.lake, "reddit/", kind) for kind in (SUBMISSIONS, COMMENTS)}


def everything(lake: Lake) -> tuple[Any, ...]:
    runs = sorted(lake.recorder.runs, key=lambda run: run.manifest)
    return dict(lake.lake.objects), list(lake.lake.half_written), dict(lake.state.watermarks), runs


def test_a_sound_lake_is_left_as_it_is() -> None:
    lake, log = sound(), Log()
    before = everything(lake)
    assert lake.repair(log=log) == []
    assert log.effects == []
    assert everything(lake) == before
    assert lake.repairer().to_read_again(SUBREDDIT) == []


# State.


def test_a_lost_state_is_rebuilt_as_it_was() -> None:
    lake = sound()
    before = everything(lake)
    lake.state.watermarks.clear()
    lake.recorder.runs.clear()
    steps = lake.repair()
    assert done(steps) == ["r/android", "watermark of r/android"]
    assert everything(lake) == before
    assert lake.found() == []


@pytest.mark.parametrize("status", list(CoverageStatus))
def test_the_record_of_an_attempt_is_written_from_its_manifest_as_the_run_wrote_it(status: CoverageStatus) -> None:
    lake = ran(outcome(status, 1, 2))
    written = sorted(lake.recorder.runs, key=lambda run: run.window)
    lake.recorder.runs.clear()
    lake.repair()
    assert sorted(lake.recorder.runs, key=lambda run: run.window) == written


def test_an_attempt_that_was_purged_since_has_its_record_under_the_name_it_had() -> None:
    lake = sound()
    lake.bury(Tombstone(f"t3_s{T0}", T0 + 1, Reason.DELETED, NOW))
    lake.erasure().purge(SUBREDDIT)
    before = list(lake.recorder.runs)
    lake.repair()
    assert lake.recorder.runs == before


@pytest.mark.parametrize("stored", [None, "yesterday", -1, END + HOUR_S, END + 7, T0, END - HOUR_S])
def test_whatever_the_watermark_was_it_stands_where_the_manifests_lead(stored: Any) -> None:
    lake = sound()
    lake.state.watermarks[SUBREDDIT] = stored
    lake.now = NOW + HOUR_S  # a watermark one hour too far is no future one
    assert done(lake.repair()) == ["watermark of r/android"]
    assert lake.state.watermarks[SUBREDDIT] == END
    assert lake.repair() == []


def test_a_watermark_from_which_older_hours_are_to_be_read_is_left() -> None:
    lake = sound()
    lake.state.watermarks[SUBREDDIT] = T0 - 5 * HOUR_S
    assert lake.repair() == []


@pytest.mark.parametrize("status", [CoverageStatus.FAILED, CoverageStatus.BLOCKED])
@pytest.mark.parametrize("stored", [None, END, hour(1).start_ts])
def test_the_watermark_never_passes_an_hour_that_could_not_be_read(status: CoverageStatus, stored: int | None) -> None:
    lake = ran(outcome(status, 3))
    lake.state.watermarks[SUBREDDIT] = stored
    lake.repair()
    assert lake.state.watermarks[SUBREDDIT] == hour(3).start_ts


def test_a_watermark_is_not_led_on_over_a_hole() -> None:
    lake = without(sound(), 4)
    lake.state.watermarks.clear()
    lake.repair()
    assert lake.state.watermarks[SUBREDDIT] == END, "it belongs to the newest hours"
    assert lake.repairer().to_read_again(SUBREDDIT) == [hour(4)]


def test_a_backfill_alone_makes_no_watermark() -> None:
    lake = Lake().run([hour(0), hour(1)])
    assert lake.repair() == []
    lake.state.watermarks[SUBREDDIT] = "yesterday"
    assert [step.outcome for step in lake.repair()] == [Outcome.STUCK]
    assert lake.state.watermarks[SUBREDDIT] == "yesterday"


def test_the_failed_first_hour_is_where_the_watermark_belongs() -> None:
    lake = ran(outcome(CoverageStatus.FAILED, *range(HOURS)))
    del lake.state.watermarks[SUBREDDIT]
    lake.repair()
    assert lake.state.watermarks[SUBREDDIT] == T0


# What no manifest names.


def died_before_manifest(n: int) -> Lake:
    """Return a lake whose last run died when the objects of the nth hour were landed, and its manifest was not."""
    lake = Lake()
    lake.state.watermarks[SUBREDDIT] = T0
    with pytest.raises(Crash):
        lake.run(log=Log(3 + 5 * n + 2))
    assert [name for _, kind, name in lake.found() if kind == "orphan"] == [
        f"{folder(n)}comments.jsonl",
        f"{folder(n)}submissions.jsonl",
    ]
    return lake


def test_what_a_run_landed_before_it_died_is_adopted_and_seen() -> None:
    lake = died_before_manifest(2)
    before = len(shown(lake)[SUBMISSIONS])
    steps = lake.repair()
    assert done(steps) == [f"{folder(2)}comments.jsonl", f"{folder(2)}submissions.jsonl"]
    assert len(shown(lake)[SUBMISSIONS]) == before + 1
    assert lake.found() == []
    _, manifest = lake.manifest_of(2, "repair")
    assert (manifest.coverage, manifest.source, manifest.new_comments) == ({}, "scripted", 1)
    assert [landed.rows for landed in manifest.objects] == [2, 1]


def test_what_was_adopted_claims_nothing_and_the_next_run_reads_the_hour() -> None:
    lake = died_before_manifest(2)
    lake.repair()
    assert lake.state.watermarks[SUBREDDIT] == hour(2).start_ts
    lake.now += 60
    lake.run()
    assert lake.found() == []
    assert {name: row["created_utc"] for name, row in shown(lake)[COMMENTS].items()} == {
        name: row["created_utc"] for name, row in shown(sound())[COMMENTS].items()
    }


def test_comments_of_later_hours_whose_submission_never_landed_wait_for_it() -> None:
    lake = Lake()
    lake.state.watermarks[SUBREDDIT] = T0
    with pytest.raises(Crash):
        lake.run(log=Log(4))
    (step,) = lake.repair()
    assert (step.outcome, step.place) == (Outcome.KEPT, f"{folder(0)}comments.jsonl")
    assert "outside the window" in step.text
    lake.now += 60
    lake.run()
    assert done(lake.repair()) == [f"{folder(0)}comments.jsonl"]
    assert lake.found() == []


def row_of(lake: Lake, n: int, kind: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(lake.lake.objects[f"{folder(n)}{kind}.jsonl"].splitlines()[0])
    return row


@pytest.mark.parametrize(
    ("kind", "change", "says"),
    [
        (SUBMISSIONS, {"created_utc": hour(3).start_ts}, "outside the window"),
        (SUBMISSIONS, {"fullname": "t1_comment"}, "fullname"),
        (SUBMISSIONS, {"raw": None}, "lacks fields"),
        (COMMENTS, {"created_utc": hour(3).start_ts, "link_id": "t3_elsewhere"}, "outside the window"),
        (QUARANTINE, {"reason": "none"}, "no quarantined record"),
        (TOMBSTONES, {"reason": "none"}, "unreadable tombstone"),
        (MISSES, {}, "nobody needs misses"),
    ],
)
def test_what_does_not_fit_is_not_adopted_and_the_reason_is_told(kind: str, change: dict[str, Any], says: str) -> None:
    lake = sound()
    row = row_of(lake, 2, kind) if kind in (SUBMISSIONS, COMMENTS) else {}
    key = lake.land_orphan(2, kind, [row, {**row, **change}] if row else [change])
    before = everything(lake)
    (step,) = lake.repair()
    assert (step.outcome, step.place) == (Outcome.KEPT, key)
    assert says in step.text
    assert everything(lake) == before


def test_records_set_aside_and_tombstones_are_adopted_too() -> None:
    lake = sound()
    record = {"kind": SUBMISSIONS, "reason": "NaN", "observed_at_ts": NOW, "record": "{}"}
    stone = Tombstone(f"t3_s{hour(2).start_ts}", hour(2).start_ts + 1, Reason.DELETED, NOW)
    keys = [lake.land_orphan(2, QUARANTINE, [record]), lake.land_orphan(2, TOMBSTONES, [stone.to_row()])]
    assert done(lake.repair())[:2] == keys
    assert stone.fullname not in shown(lake)[SUBMISSIONS], "and what it buries was purged at once"
    lake.now += 2 * 24 * HOUR_S
    assert lake.found() == []


def test_what_tells_of_something_buried_is_erased_and_not_adopted() -> None:
    lake = sound()
    stone = Tombstone(f"t3_s{hour(2).start_ts}", hour(2).start_ts + 1, Reason.DELETED, NOW)
    row = row_of(lake, 2, SUBMISSIONS)
    lake.bury(stone)
    lake.erasure().purge(SUBREDDIT)
    lake.land_orphan(2, SUBMISSIONS, [row])
    lake.repair()
    assert not any(b'"title":"Good?"' in content for key, content in lake.lake.objects.items() if folder(2) in key)


def test_what_tells_of_something_buried_and_is_too_young_to_be_erased_waits() -> None:
    lake = sound()
    row = row_of(lake, 2, SUBMISSIONS)
    lake.bury(Tombstone(row["fullname"], hour(2).start_ts + 1, Reason.DELETED, NOW))
    lake.erasure().purge(SUBREDDIT)
    orphan = lake.land_orphan(2, SUBMISSIONS, [row])
    lake.lake.young = {orphan}
    (step,) = lake.repair(least_age_s=HOUR_AGO)
    assert (step.outcome, step.place) == (Outcome.KEPT, orphan)
    assert "was deleted or forgotten" in step.text


def test_what_fits_the_day_of_an_archive_that_the_folder_is_for_is_adopted_as_a_part_of_it() -> None:
    lake = sound()
    row, day = row_of(lake, 0, SUBMISSIONS), Window(T0, T0 + 24 * HOUR_S)
    key = lake.land_orphan(0, SUBMISSIONS, [row, {**row, "fullname": "t3_evening", "created_utc": T0 + 20 * HOUR_S}])
    assert [step.outcome for step in lake.repair()] == [Outcome.KEPT]
    _, manifest = lake.manifest_of(0)
    lake.lake.commit(folder(0), replace(manifest, window=day, mode="look_back", coverage={}, objects=()))
    assert done(lake.repair()) == [key]
    _, manifest = lake.manifest_of(0, "repair")
    assert manifest.window == day
    assert lake.found() == []


def test_orphans_are_erased_when_that_is_asked_for() -> None:
    lake = died_before_manifest(2)
    before = shown(lake)
    steps = lake.repair(drop_orphans=True)
    assert done(steps) == [f"{folder(2)}comments.jsonl", f"{folder(2)}submissions.jsonl"]
    assert [key for key in lake.lake.objects if key.startswith(folder(2))] == []
    assert shown(lake) == before
    assert lake.found() == []


def test_in_a_bucket_what_is_too_young_is_not_erased() -> None:
    lake = died_before_manifest(2)
    lake.lake.half_written = [f"{folder(2)}upload"]
    lake.lake.young = set(lake.lake.objects) | set(lake.lake.half_written)
    steps = lake.repair(drop_orphans=True, least_age_s=HOUR_AGO)
    assert [step.outcome for step in steps] == [Outcome.LATER, Outcome.LATER]
    lake.lake.young.clear()
    assert len(done(lake.repair(drop_orphans=True, least_age_s=HOUR_AGO))) == 3


@pytest.mark.parametrize("drop_orphans", [False, True])
def test_what_the_platform_did_not_write_is_neither_adopted_nor_erased(drop_orphans: bool) -> None:
    lake = sound()
    lake.lake.objects[f"{folder(2)}notes.txt"] = b"mine"
    lake.lake.objects["reddit/android/comments.jsonl"] = b"mine"
    assert lake.repair(drop_orphans=drop_orphans) == []
    assert lake.lake.objects[f"{folder(2)}notes.txt"] == b"mine"


def test_half_written_files_are_removed() -> None:
    lake = sound()
    lake.lake.half_written = [f"{folder(2)}.tmp-abc"]
    assert done(lake.repair()) == [f"{folder(2)}.tmp-abc"]
    assert lake.found() == []


# Damage.


@pytest.mark.parametrize("drop_orphans", [False, True])
@pytest.mark.parametrize("n", [2, HOURS - 1])
def test_where_a_manifest_is_damaged_nothing_is_touched_and_a_person_is_called(n: int, drop_orphans: bool) -> None:
    lake = sound()
    key, _ = lake.manifest_of(n)
    lake.lake.objects[key] += b" "
    before = everything(lake)
    (step,) = lake.repair(drop_orphans=drop_orphans)
    assert (step.outcome, step.place) == (Outcome.STUCK, key)
    assert everything(lake) == before, "what the manifest named is no orphan, and the watermark was not set back"


def test_a_lost_watermark_is_set_behind_the_newest_hours_though_an_older_manifest_is_damaged() -> None:
    lake = sound()
    key, _ = lake.manifest_of(2)
    lake.lake.objects[key] += b" "
    lake.state.watermarks.clear()
    lake.repair()
    assert lake.state.watermarks[SUBREDDIT] == END


def test_an_object_that_cannot_be_restored_may_be_deleted_with_its_manifest_and_is_read_again() -> None:
    lake = sound()
    before = shown(lake)
    key, manifest = lake.manifest_of(2)
    lake.lake.objects[f"{folder(2)}comments.jsonl"] = b"rubbish\n"
    for name in (key, f"{folder(2)}comments.jsonl"):
        del lake.lake.objects[name]
    assert done(lake.repair()) == [f"{folder(2)}submissions.jsonl"]
    (again,) = lake.repairer().to_read_again(SUBREDDIT)
    assert again == manifest.window
    lake.run([again])
    assert [kind for severity, kind, _ in lake.found() if severity == "damage"] == []
    assert {name: row["body"] for name, row in shown(lake)[COMMENTS].items()} == {
        name: row["body"] for name, row in before[COMMENTS].items()
    }


def test_a_purge_that_meets_damage_is_told_and_the_rest_is_repaired() -> None:
    lake = sound()
    lake.bury(Tombstone(f"t3_s{hour(2).start_ts}", hour(2).start_ts + 1, Reason.DELETED, NOW))
    lake.lake.objects[f"{folder(2)}submissions.jsonl"] += b"x"
    lake.state.watermarks.clear()
    steps = lake.repair()
    assert Outcome.STUCK in {step.outcome for step in steps}
    assert lake.state.watermarks[SUBREDDIT] == END


# Hours to read again.


def test_failed_hours_and_holes_are_to_be_read_again_and_then_the_watermark_goes_on() -> None:
    lake = ran(outcome(CoverageStatus.FAILED, 1, 2, 5))
    without(lake, 4)
    spans = lake.repairer().to_read_again(SUBREDDIT)
    assert spans == [Window(hour(1).start_ts, hour(2).end_ts), Window(hour(4).start_ts, hour(5).end_ts)]
    lake.source, lake.now = whole, NOW + 60
    for span in spans:
        lake.run([Window(ts, ts + HOUR_S) for ts in range(span.start_ts, span.end_ts, HOUR_S)])
    assert lake.state.watermarks[SUBREDDIT] == hour(1).start_ts
    lake.repair()
    assert lake.state.watermarks[SUBREDDIT] == END
    assert lake.found() == []


# Crashes.


def shaken() -> Lake:
    """Return a lake in which there is everything to do."""
    lake = died_before_manifest(4)
    lake.lake.half_written = [f"{folder(2)}.tmp-abc"]
    lake.state.watermarks.clear()
    lake.recorder.runs = lake.recorder.runs[:1]
    lake.bury(Tombstone(f"t3_s{hour(1).start_ts}", hour(1).start_ts + 1, Reason.DELETED, NOW))
    lake.land_orphan(2, QUARANTINE, [{"kind": SUBMISSIONS, "reason": "NaN", "observed_at_ts": NOW, "record": "{}"}])
    return lake


@pytest.mark.parametrize("drop_orphans", [False, True])
def test_killed_at_any_effect_and_run_again_it_ends_with_the_same_lake(drop_orphans: bool) -> None:
    calm, log = shaken(), Log()
    calm.repair(drop_orphans=drop_orphans, log=log)
    assert calm.found() == []
    assert len(log.effects) >= 10
    for before in (True, False):
        for call in range(len(log.effects)):
            lake = shaken()
            with pytest.raises(Crash):
                lake.repair(drop_orphans=drop_orphans, log=Log(call, before=before))
            lake.repair(drop_orphans=drop_orphans)
            assert shown(lake) == shown(calm)
            assert lake.state.watermarks == calm.state.watermarks
            assert _story(lake) == _story(calm), call
            assert lake.found() == []
            assert lake.repair(drop_orphans=drop_orphans) == []


def _story(lake: Lake) -> Any:
    """Return what the manifests tell, but for what they are called and what they stand for."""
    told = [
        (manifest.window, manifest.mode, manifest.objects, manifest.coverage, manifest.new_comments)
        for _, manifest in view.manifests(lake.lake, "reddit/")
    ]
    return sorted(map(repr, told)), len(lake.recorder.runs)


def test_the_manifest_of_an_adoption_is_one_that_readers_accept() -> None:
    lake = died_before_manifest(1)
    lake.repair()
    for key in filter(is_manifest, lake.lake.objects):
        assert Manifest.from_bytes(lake.lake.objects[key], key)


def test_a_repair_of_one_subreddit_leaves_the_others_alone() -> None:
    lake = shaken()
    others = {"reddit/iphone/2026-01-01/010000/comments.jsonl": b"orphan\n"}
    lake.lake.objects |= others
    lake.repair()
    assert {key: lake.lake.objects[key] for key in others} == others


def test_attempts_that_claim_nothing_have_no_record_and_get_none() -> None:
    lake = sound()
    lake.recorder.runs.clear()
    lake.repair()
    assert {run.mode for run in lake.recorder.runs} == {"incremental"}
    assert len(lake.recorder.runs) == HOURS
