from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reddit_ingest.core.errors import InvalidRequest
from reddit_ingest.core.keys import (
    COMMENTS,
    KINDS,
    SUBMISSIONS,
    content_name,
    data_name,
    is_manifest,
    kind_of,
    manifest_name,
    start_of,
    window_folder,
)
from reddit_ingest.core.windows import HOUR_S, Window, hour_of

SHA = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("moment", "folder"),
    [
        (datetime(2026, 1, 1, 0, tzinfo=UTC), "reddit/android/2026-01-01/000000/"),
        (datetime(2026, 12, 31, 23, tzinfo=UTC), "reddit/android/2026-12-31/230000/"),
        (datetime(2024, 2, 29, 9, tzinfo=UTC), "reddit/android/2024-02-29/090000/"),
        (datetime(2005, 6, 23, 1, tzinfo=UTC), "reddit/android/2005-06-23/010000/"),
    ],
)
def test_a_folder_is_named_by_the_start_of_its_window_in_utc(moment: datetime, folder: str) -> None:
    assert window_folder("reddit/", "Android", hour_of(int(moment.timestamp()))) == folder


def test_the_keys_of_the_contract() -> None:
    folder = window_folder("reddit/", "smartphones", Window(1_767_225_600, 1_767_229_200))
    assert folder + data_name(SUBMISSIONS, 1) == "reddit/smartphones/2026-01-01/000000/submissions.jsonl"
    assert folder + data_name(COMMENTS, 1) == "reddit/smartphones/2026-01-01/000000/comments.jsonl"


def test_a_window_of_a_day_is_filed_under_its_first_hour() -> None:
    day = Window(1_767_225_600, 1_767_225_600 + 24 * HOUR_S)
    assert window_folder("", "android", day) == "android/2026-01-01/000000/"


@given(st.integers(0, 500_000), st.integers(0, 500_000))
def test_folders_sort_by_time_and_are_never_shared(one: int, other: int) -> None:
    first, second = (window_folder("reddit/", "android", hour_of(n * HOUR_S)) for n in (one, other))
    assert (first < second) == (one < other)
    assert (first == second) == (one == other)


@pytest.mark.parametrize("name", ["../android", "a/b", "", None, "and\0roid"])
def test_no_folder_is_made_from_a_hostile_name(name: str) -> None:
    with pytest.raises(InvalidRequest):
        window_folder("reddit/", name, hour_of(0))


@given(st.sampled_from(KINDS), st.integers(1, 1000), st.integers(1, 1000))
def test_parts_have_names_of_their_own(kind: str, one: int, other: int) -> None:
    assert (data_name(kind, one) == data_name(kind, other)) == (one == other)


def test_a_content_name_says_what_is_inside() -> None:
    assert content_name(COMMENTS, SHA) == "comments-0123456789abcdef.jsonl"
    assert content_name(COMMENTS, SHA) != content_name(COMMENTS, SHA[1:] + "0")


def test_a_manifest_is_known_by_its_name() -> None:
    assert is_manifest("reddit/android/2026-01-01/000000/" + manifest_name(SHA))
    assert is_manifest(manifest_name(SHA))


@pytest.mark.parametrize(
    "key",
    [
        "",
        "manifest.json",
        "manifest-0123456789abcdef.json/comments.jsonl",
        "manifest-0123456789ABCDEF.json",
        "manifest-0123456789abcde.json",
        "manifest-0123456789abcdef0.json",
        "manifest-0123456789abcdef.jsonl",
        "manifest-0123456789abcdef.json\n",
        ".tmp-manifest-0123456789abcdef.json",
        "x-manifest-0123456789abcdef.json",
        data_name(SUBMISSIONS, 1),
        content_name(SUBMISSIONS, SHA),
    ],
)
def test_nothing_else_is_taken_for_a_manifest(key: str) -> None:
    assert not is_manifest(key)


@pytest.mark.parametrize("kind", [*KINDS, "quarantine", "tombstones", "misses"])
@pytest.mark.parametrize("suffix", ["", ".zst"])
def test_the_name_of_an_object_tells_its_kind(kind: str, suffix: str) -> None:
    names = [data_name(kind, 1, suffix), data_name(kind, 12, suffix), content_name(kind, SHA, suffix)]
    assert [kind_of(name) for name in names] == [kind] * 3


@pytest.mark.parametrize(
    "name", ["", "comments", "comments.json", "notes.jsonl", "comments-x.jsonl", "a/comments.jsonl"]
)
def test_other_names_tell_no_kind(name: str) -> None:
    assert kind_of(name) is None


@given(st.integers(min_value=315_000, max_value=1_000_000).map(lambda hours: hours * HOUR_S))
def test_the_folder_of_a_window_tells_its_start(start: int) -> None:
    assert start_of("reddit/", window_folder("reddit/", "android", hour_of(start))) == start


@pytest.mark.parametrize(
    "folder", ["", "reddit/", "reddit/a/2026-13-01/000000/", "reddit/a/2026-01-01/250000/", "a/b/"]
)
def test_other_folders_have_no_start(folder: str) -> None:
    assert start_of("reddit/", folder) is None
