import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reddit_ingest.core.coverage import Coverage, CoverageStatus
from reddit_ingest.core.errors import DamagedState
from reddit_ingest.core.keys import COMMENTS, SUBMISSIONS
from reddit_ingest.core.manifest import SCHEMA_VERSION, LandedObject, Manifest, sha256_hex
from reddit_ingest.core.windows import HOUR_S, Window

counts = st.integers(0, 2**53)
moments = st.none() | st.integers(0, 10**10)
names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]))
claims = st.builds(Coverage, st.sampled_from(CoverageStatus), st.text(), moments, counts, counts, moments)
landed = st.builds(
    LandedObject, names, st.sampled_from([SUBMISSIONS, COMMENTS]), st.text(), counts, counts, moments, moments
)
windows = st.tuples(st.integers(0, 10**6), st.integers(1, 48)).map(
    lambda bounds: Window(bounds[0] * HOUR_S, sum(bounds) * HOUR_S)
)
manifests = st.builds(
    Manifest,
    subreddit=st.text(),
    window=windows,
    source=st.text(),
    mode=st.text(),
    observed_at_ts=counts,
    tool_version=st.text(),
    objects=st.lists(landed, max_size=3).map(tuple),
    coverage=st.dictionaries(st.sampled_from([SUBMISSIONS, COMMENTS]), claims),
    new_comments=counts,
    requests=counts,
)

GOOD = Manifest(
    subreddit="android",
    window=Window(1_767_225_600, 1_767_229_200),
    source="reddit-api",
    mode="incremental",
    observed_at_ts=1_767_229_400,
    tool_version="1.2.3",
    objects=(LandedObject("submissions.jsonl", SUBMISSIONS, "ab" * 32, 120, 2, 1_767_225_601, 1_767_229_199),),
    coverage={
        SUBMISSIONS: Coverage(CoverageStatus.COMPLETE, "read 130 items on 2 pages"),
        COMMENTS: Coverage(CoverageStatus.TRUNCATED, "Reddit's listing ends there", 1_767_227_000),
    },
    new_comments=7,
    requests=5,
)


@given(manifests)
def test_a_manifest_survives_its_written_form(manifest: Manifest) -> None:
    assert Manifest.from_bytes(manifest.to_bytes(), "here") == manifest


@given(manifests)
def test_the_same_manifest_always_gives_the_same_bytes(manifest: Manifest) -> None:
    read_back = Manifest.from_bytes(manifest.to_bytes(), "here")
    shuffled = replace(read_back, coverage=dict(reversed(list(read_back.coverage.items()))))
    assert shuffled.to_bytes() == manifest.to_bytes()


@given(manifests, manifests)
def test_different_manifests_give_different_bytes(one: Manifest, other: Manifest) -> None:
    assert (one == other) == (one.to_bytes() == other.to_bytes())


def test_a_manifest_ends_in_a_newline_and_states_its_status() -> None:
    content = GOOD.to_bytes()
    assert content.endswith(b"}\n")
    assert json.loads(content)["status"] == "truncated"
    assert json.loads(content)["schema_version"] == SCHEMA_VERSION


def test_a_manifest_that_claims_nothing_has_no_status() -> None:
    late = replace(GOOD, coverage={})
    assert late.status is None
    assert Manifest.from_bytes(late.to_bytes(), "here").status is None


def test_a_window_is_as_well_covered_as_its_weaker_kind() -> None:
    assert GOOD.status is CoverageStatus.TRUNCATED


def _without(name: str) -> bytes:
    fields = json.loads(GOOD.to_bytes())
    del fields[name]
    return json.dumps(fields).encode()


def _with(**changed: Any) -> bytes:
    return json.dumps({**json.loads(GOOD.to_bytes()), **changed}).encode()


WHOLE = GOOD.to_bytes()
DAMAGED = {
    "no bytes": b"",
    "only a newline": b"\n",
    "cut in the middle": WHOLE[: len(WHOLE) // 2],
    "last byte lost": WHOLE[:-2],
    "zeros, as after a power cut": b"\0" * len(WHOLE),
    "no UTF-8": b"\xff\xfe" + WHOLE,
    "two manifests in one": WHOLE + WHOLE,
    "a number": b"5",
    "null": b"null",
    "a list": b"[]",
    "a string": b'"manifest"',
    "an empty object": b"{}",
    "nested beyond measure": b"[" * 200_000,
    "objects is no list": _with(objects=5),
    "objects is null": _with(objects=None),
    "an object of another shape": _with(objects=[{"name": "x"}]),
    "an object with an unknown field": _with(objects=[{**json.loads(WHOLE)["objects"][0], "surprise": 1}]),
    "an object that is text": _with(objects=["submissions.jsonl"]),
    "coverage is a list": _with(coverage=[]),
    "coverage of an unknown status": _with(coverage={"comments": {"status": "splendid", "reason": ""}}),
    "coverage without a reason": _with(coverage={"comments": {"status": "complete"}}),
    "a window off the hour": _with(window_start_ts=1_767_225_601),
    "a window that ends before it starts": _with(window_end_ts=0),
    "a window of text": _with(window_start_ts="1767225600"),
    **{f"without {name}": _without(name) for name in json.loads(WHOLE) if name != "status"},
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_manifest_is_damaged_state_and_its_place_is_named(content: bytes) -> None:
    with pytest.raises(DamagedState, match="lake/here"):
        Manifest.from_bytes(content, "lake/here")


@pytest.mark.parametrize(
    "content",
    [
        _with(subreddit=None),
        _with(subreddit=5),
        _with(observed_at_ts="yesterday"),
        _with(new_comments="many"),
        _with(requests=None),
        _with(objects=[{**json.loads(WHOLE)["objects"][0], "rows": "two"}]),
        _with(objects=[{**json.loads(WHOLE)["objects"][0], "name": None}]),
        _with(objects=[{**json.loads(WHOLE)["objects"][0], "name": "../../../elsewhere/comments.jsonl"}]),
        _with(coverage={"comments": {"status": "truncated", "reason": "", "complete_from_ts": "noon"}}),
    ],
    ids=["no subreddit", "number", "time", "count", "requests", "rows", "no name", "name with a path", "moment"],
)
def test_a_manifest_with_values_of_the_wrong_kind_is_damaged_state(content: bytes) -> None:
    with pytest.raises(DamagedState):
        Manifest.from_bytes(content, "lake/here")


@given(st.binary(max_size=200))
def test_random_bytes_are_no_manifest(content: bytes) -> None:
    with pytest.raises(DamagedState):
        Manifest.from_bytes(content, "lake/here")


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_damaged_state_or_gives_another_manifest(position: int, change: int) -> None:
    content = bytearray(WHOLE)
    content[position] ^= change
    try:
        found = Manifest.from_bytes(bytes(content), "lake/here")
    except DamagedState:
        return
    assert isinstance(found, Manifest)


def test_a_digest_is_sha_256_in_hex() -> None:
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
