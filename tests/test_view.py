import json
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reddit_ingest import view
from reddit_ingest.core.coverage import Coverage, CoverageStatus
from reddit_ingest.core.errors import DamagedState
from reddit_ingest.core.items import Line
from reddit_ingest.core.keys import COMMENTS, SUBMISSIONS, window_folder
from reddit_ingest.core.manifest import Manifest
from reddit_ingest.core.windows import HOUR_S, Window

from .fakes import MemoryLake

T0 = 1_767_225_600
FIRST = Window(T0, T0 + HOUR_S)
SECOND = Window(T0 + HOUR_S, T0 + 2 * HOUR_S)
PREFIX = "reddit/android/"


def comment(name: str, observed_at_ts: int | None, body: str = "text", **more: Any) -> dict[str, Any]:
    return {"fullname": f"t1_{name}", "observed_at_ts": observed_at_ts, "created_utc": T0 + 1, "body": body, **more}


def attempt(
    lake: MemoryLake,
    rows: list[dict[str, Any]],
    kind: str = COMMENTS,
    window: Window = FIRST,
    subreddit: str = "android",
    **fields: Any,
) -> Manifest:
    """Land rows as one attempt at a window and commit it."""
    folder = window_folder("reddit/", subreddit, window)
    lines = [Line(json.dumps(row, sort_keys=True).encode() + b"\n", row.get("created_utc")) for row in rows]
    manifest = Manifest(
        subreddit, window, "reddit-api", "incremental", T0 + 9_000, "1.0", lake.land(folder, kind, lines)
    )
    manifest = replace(manifest, **fields)
    lake.commit(folder, manifest)
    return manifest


def claim(status: CoverageStatus, complete_from_ts: int | None = None) -> Coverage:
    return Coverage(status, f"it is {status}", complete_from_ts)


def whole(status: CoverageStatus) -> dict[str, Coverage]:
    return {SUBMISSIONS: claim(CoverageStatus.COMPLETE), COMMENTS: claim(status)}


def test_the_view_is_the_union_over_all_manifests() -> None:
    lake = MemoryLake()
    attempt(lake, [comment("a", 1), comment("b", 1)])
    attempt(lake, [comment("b", 2), comment("c", 2)])
    attempt(lake, [comment("d", 3)], window=SECOND)
    assert set(view.rows(lake, PREFIX, COMMENTS)) == {"t1_a", "t1_b", "t1_c", "t1_d"}


def test_an_empty_lake_shows_nothing() -> None:
    lake = MemoryLake()
    assert view.rows(lake, "", COMMENTS) == {}
    assert view.ledger(lake, "") == []
    assert view.subreddits_in(lake, "reddit/") == []


def test_only_what_a_manifest_names_is_seen() -> None:
    lake = MemoryLake()
    attempt(lake, [comment("a", 1)])
    lake.land(window_folder("reddit/", "android", SECOND), COMMENTS, [Line(b"not even JSON\n", None)])
    assert set(view.rows(lake, PREFIX, COMMENTS)) == {"t1_a"}


def test_an_object_that_two_manifests_name_is_read_once() -> None:
    lake = MemoryLake()
    attempt(lake, [comment("a", 1)])
    attempt(lake, [comment("a", 1)], observed_at_ts=T0 + 10_000)
    reads: list[str] = []
    read = lake.read
    lake.read = lambda key: reads.append(key) or read(key)  # type: ignore[method-assign, func-returns-value]
    assert len(view.rows(lake, PREFIX, COMMENTS)) == 1
    assert len([key for key in reads if "comments" in key]) == 1


def test_the_newest_observation_of_an_item_wins() -> None:
    lake = MemoryLake()
    attempt(lake, [comment("a", 200, score=9)])
    attempt(lake, [comment("a", 100, score=1)])
    assert view.rows(lake, PREFIX, COMMENTS)["t1_a"]["score"] == 9


def test_an_observation_at_an_unknown_time_is_the_oldest() -> None:
    lake = MemoryLake()
    attempt(lake, [comment("a", None, score=1)])
    attempt(lake, [comment("a", 5, score=9)])
    assert view.rows(lake, PREFIX, COMMENTS)["t1_a"]["score"] == 9


def test_the_same_item_in_two_windows_is_one_row() -> None:
    lake = MemoryLake()
    attempt(lake, [comment("a", 100, score=1)], window=FIRST)
    attempt(lake, [comment("a", 200, score=2)], window=SECOND)
    rows = view.rows(lake, PREFIX, COMMENTS)
    assert [row["score"] for row in rows.values()] == [2]


def test_the_first_text_is_kept_beside_a_changed_one() -> None:
    lake = MemoryLake()
    for time, body in ((100, "great phone"), (200, "awful phone"), (300, "good phone")):
        attempt(lake, [comment("a", time, body)])
    row = view.rows(lake, PREFIX, COMMENTS)["t1_a"]
    assert row["body"] == "good phone"
    assert row["first_text"] == {"body": "great phone"}


def test_of_what_its_author_deleted_no_text_is_shown() -> None:
    lake = MemoryLake()
    for time, body in ((100, "great phone"), (300, "[deleted]")):
        attempt(lake, [comment("a", time, body)])
    assert "great phone" not in str(view.rows(lake, PREFIX, COMMENTS))


def test_the_first_text_of_a_submission_is_title_and_selftext() -> None:
    lake = MemoryLake()
    for time, title in ((100, "Pixel"), (200, "[ Removed by moderator ]")):
        row = {"fullname": "t3_a", "observed_at_ts": time, "created_utc": T0, "title": title, "selftext": ""}
        attempt(lake, [row], kind=SUBMISSIONS)
    assert view.rows(lake, PREFIX, SUBMISSIONS)["t3_a"]["first_text"] == {"title": "Pixel", "selftext": ""}


def test_a_text_that_never_changed_has_no_first_text_beside_it() -> None:
    lake = MemoryLake()
    attempt(lake, [comment("a", 100, score=1)])
    attempt(lake, [comment("a", 200, score=2)])
    assert "first_text" not in view.rows(lake, PREFIX, COMMENTS)["t1_a"]


observations = st.lists(
    st.builds(comment, st.sampled_from("ab"), st.integers(1, 4), st.sampled_from(["one", "two", "three"])),
    min_size=1,
    max_size=5,
)


@given(observations)
def test_the_order_in_which_attempts_are_read_does_not_matter(seen: list[dict[str, Any]]) -> None:
    views = [view.newest(order, COMMENTS) for order in permutations(seen)]
    assert all(found == views[0] for found in views)


@given(observations)
def test_the_view_shows_the_newest_text_and_the_text_first_seen(seen: list[dict[str, Any]]) -> None:
    lake = MemoryLake()
    for row in seen:
        attempt(lake, [row])
    for name, row in view.rows(lake, PREFIX, COMMENTS).items():
        own = [each for each in seen if each["fullname"] == name]
        newest = max(each["observed_at_ts"] for each in own)
        oldest = min(each["observed_at_ts"] for each in own)
        assert row["body"] in {each["body"] for each in own if each["observed_at_ts"] == newest}
        first = row.get("first_text", row)["body"]
        assert first in {each["body"] for each in own if each["observed_at_ts"] == oldest}


def test_a_text_that_changed_and_changed_back_is_shown_the_same_in_any_order() -> None:
    seen = [comment("a", 1, "one"), comment("a", 2, "two"), comment("a", 3, "one")]
    shown = [view.newest(order, COMMENTS)["t1_a"] for order in permutations(seen)]
    assert all(row == shown[0] for row in shown)
    assert shown[0]["observed_at_ts"] == 3


def test_an_object_with_other_bytes_than_its_manifest_says_is_damaged_state() -> None:
    lake = MemoryLake()
    attempt(lake, [comment("a", 1)])
    key = window_folder("reddit/", "android", FIRST) + "comments.jsonl"
    lake.objects[key] = lake.objects[key].replace(b"text", b"TEXT")
    with pytest.raises(DamagedState, match=r"000000/comments\.jsonl"):
        view.rows(lake, PREFIX, COMMENTS)


def test_an_object_that_is_missing_is_damaged_state() -> None:
    lake = MemoryLake()
    attempt(lake, [comment("a", 1)])
    del lake.objects[window_folder("reddit/", "android", FIRST) + "comments.jsonl"]
    with pytest.raises(DamagedState):
        view.rows(lake, PREFIX, COMMENTS)


def test_an_object_cut_short_is_damaged_state() -> None:
    lake = MemoryLake()
    attempt(lake, [comment("a", 1), comment("b", 1)])
    key = window_folder("reddit/", "android", FIRST) + "comments.jsonl"
    lake.objects[key] = lake.objects[key][:-5]
    with pytest.raises(DamagedState):
        view.rows(lake, PREFIX, COMMENTS)


def test_a_manifest_with_other_bytes_than_its_name_says_is_damaged_state() -> None:
    lake = MemoryLake()
    attempt(lake, [], coverage=whole(CoverageStatus.TRUNCATED))
    (key,) = lake.keys(PREFIX)
    lake.objects[key] = lake.objects[key].replace(b'"truncated"', b'"complete"')
    with pytest.raises(DamagedState):
        view.ledger(lake, PREFIX)


def test_a_manifest_that_is_cut_short_is_damaged_state_and_its_key_is_told() -> None:
    lake = MemoryLake()
    attempt(lake, [], coverage=whole(CoverageStatus.COMPLETE))
    (key,) = lake.keys(PREFIX)
    lake.objects[key] = lake.objects[key][:-20]
    with pytest.raises(DamagedState, match=key):
        view.ledger(lake, PREFIX)


def test_lines_are_split_at_line_feeds_only() -> None:
    lake = MemoryLake()
    folder = window_folder("reddit/", "android", FIRST)
    text = "a\u2028b\u0085c\rd\x0be"
    line = json.dumps(comment("a", 1, text), ensure_ascii=False).encode() + b"\n"
    landed = lake.land(folder, COMMENTS, [Line(line, T0)])
    lake.commit(folder, Manifest("android", FIRST, "reddit-api", "incremental", T0, "1.0", landed))
    assert view.rows(lake, PREFIX, COMMENTS)["t1_a"]["body"] == text


def test_quarantined_records_are_no_part_of_the_view() -> None:
    lake = MemoryLake()
    attempt(lake, [{"kind": "comments", "reason": "no id", "record": "{}"}], kind="quarantine")
    assert view.rows(lake, PREFIX, COMMENTS) == {}
    assert view.rows(lake, PREFIX, SUBMISSIONS) == {}


def test_a_manifest_of_late_items_adds_rows_but_claims_nothing() -> None:
    lake = MemoryLake()
    attempt(lake, [comment("late", 1)], mode="late")
    assert view.ledger(lake, PREFIX) == []
    assert set(view.rows(lake, PREFIX, COMMENTS)) == {"t1_late"}


def test_late_items_leave_the_claim_of_their_window_as_it_was() -> None:
    lake = MemoryLake()
    attempt(lake, [comment("a", 1)], coverage=whole(CoverageStatus.TRUNCATED))
    attempt(lake, [comment("late", 2)], mode="late")
    (state,) = view.ledger(lake, PREFIX)
    assert (state.status, state.attempts) == (CoverageStatus.TRUNCATED, 2)


@pytest.mark.parametrize("gap", [status for status in CoverageStatus if not status.is_whole])
def test_a_later_complete_attempt_closes_a_gap_and_an_earlier_one_keeps_it_closed(gap: CoverageStatus) -> None:
    for order in ([gap, CoverageStatus.COMPLETE], [CoverageStatus.COMPLETE, gap]):
        lake = MemoryLake()
        for number, status in enumerate(order):
            attempt(lake, [comment("a", number)], coverage=whole(status), observed_at_ts=T0 + number)
        (state,) = view.ledger(lake, PREFIX)
        assert state.status is CoverageStatus.COMPLETE


def test_each_kind_has_its_own_strongest_claim() -> None:
    lake = MemoryLake()
    blocked, complete = claim(CoverageStatus.BLOCKED), claim(CoverageStatus.COMPLETE)
    attempt(lake, [], coverage={SUBMISSIONS: complete, COMMENTS: blocked}, requests=3)
    attempt(lake, [], coverage={SUBMISSIONS: blocked, COMMENTS: complete}, requests=4)
    (state,) = view.ledger(lake, PREFIX)
    assert state.status is CoverageStatus.COMPLETE
    assert state.requests == 7


def test_of_two_truncated_attempts_the_one_that_reached_further_back_counts() -> None:
    lake = MemoryLake()
    for reached in (T0 + 900, T0 + 300, T0 + 600):
        coverage = {COMMENTS: claim(CoverageStatus.TRUNCATED, reached)}
        attempt(lake, [], coverage=coverage)
    (state,) = view.ledger(lake, PREFIX)
    assert state.coverage[COMMENTS].complete_from_ts == T0 + 300


def test_an_attempt_that_shows_no_moment_does_not_beat_one_that_does() -> None:
    lake = MemoryLake()
    attempt(lake, [], coverage={COMMENTS: claim(CoverageStatus.FAILED, None)})
    attempt(lake, [], coverage={COMMENTS: claim(CoverageStatus.FAILED, T0 + 300)})
    (state,) = view.ledger(lake, PREFIX)
    assert state.coverage[COMMENTS].complete_from_ts == T0 + 300


def test_the_ledger_is_ordered_by_subreddit_and_time() -> None:
    lake = MemoryLake()
    for subreddit, window in (("iphone", FIRST), ("android", SECOND), ("android", FIRST)):
        attempt(lake, [], window=window, subreddit=subreddit, coverage=whole(CoverageStatus.EMPTY))
    assert [(state.subreddit, state.window) for state in view.ledger(lake, "reddit/")] == [
        ("android", FIRST),
        ("android", SECOND),
        ("iphone", FIRST),
    ]
    assert view.subreddits_in(lake, "reddit/") == ["android", "iphone"]


def test_the_counts_of_a_window_are_those_of_its_fullest_attempt() -> None:
    lake = MemoryLake()
    attempt(lake, [comment("a", 1)], coverage=whole(CoverageStatus.COMPLETE), new_comments=1)
    attempt(lake, [comment(n, 2) for n in "abc"], coverage=whole(CoverageStatus.COMPLETE), new_comments=2)
    (state,) = view.ledger(lake, PREFIX)
    assert (state.submissions, state.comments, state.new_comments, state.quarantined) == (0, 3, 2, 0)
