from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reddit_ingest.core.coverage import Coverage, CoverageStatus, strongest, weakest
from reddit_ingest.core.errors import DamagedState

statuses = st.sampled_from(CoverageStatus)
counts = st.integers(0, 10**6)
moments = st.none() | st.integers(0, 10**10)
claims = st.builds(Coverage, statuses, st.text(), moments, counts, counts, moments)


@pytest.mark.parametrize(
    ("status", "is_whole", "is_gap", "moves"),
    [
        ("complete", True, False, True),
        ("empty", True, False, True),
        ("truncated", False, True, True),
        ("unreachable", False, True, True),
        ("blocked", False, False, False),
        ("failed", False, False, False),
    ],
)
def test_what_each_status_means(status: str, is_whole: bool, is_gap: bool, moves: bool) -> None:
    found = CoverageStatus(status)
    assert (found.is_whole, found.is_gap, found.moves_watermark) == (is_whole, is_gap, moves)


def test_the_table_of_meanings_names_every_status() -> None:
    assert [status.value for status in CoverageStatus] == [
        "complete",
        "empty",
        "truncated",
        "unreachable",
        "blocked",
        "failed",
    ]


@given(statuses, statuses)
def test_a_window_moves_the_watermark_only_when_both_kinds_do(one: CoverageStatus, other: CoverageStatus) -> None:
    assert weakest([one, other]).moves_watermark == (one.moves_watermark and other.moves_watermark)
    assert weakest([one, other]).is_whole == (one.is_whole and other.is_whole)


def test_a_window_is_empty_only_when_both_kinds_are() -> None:
    empty, complete = CoverageStatus.EMPTY, CoverageStatus.COMPLETE
    assert weakest([empty, empty]) is empty
    assert weakest([empty, complete]) is complete
    assert weakest([complete, empty]) is complete
    assert weakest([empty, CoverageStatus.FAILED]) is CoverageStatus.FAILED


@given(st.lists(statuses, min_size=1, max_size=4))
def test_order_and_repetition_do_not_change_a_window_s_status(found: list[CoverageStatus]) -> None:
    assert {weakest(order) for order in permutations(found)} == {weakest(found)}
    assert weakest([*found, *found]) is weakest(found)
    assert {strongest(order) for order in permutations(found)} == {strongest(found)}


def test_a_window_without_any_kind_has_no_status() -> None:
    with pytest.raises(ValueError, match="at least one kind"):
        weakest([])


@given(st.lists(statuses, min_size=1, max_size=4), statuses)
def test_another_attempt_never_weakens_what_was_shown(found: list[CoverageStatus], another: CoverageStatus) -> None:
    order = list(CoverageStatus)
    assert order.index(strongest([*found, another])) <= order.index(strongest(found))


def test_a_later_complete_attempt_closes_a_gap() -> None:
    assert strongest([CoverageStatus.UNREACHABLE, CoverageStatus.COMPLETE]) is CoverageStatus.COMPLETE


@given(claims)
def test_a_claim_survives_its_written_form(claim: Coverage) -> None:
    assert Coverage.from_dict(claim.to_dict()) == claim


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"status": "complete"},
        {"reason": "read 3 items"},
        {"status": "COMPLETE", "reason": ""},
        {"status": "splendid", "reason": ""},
        {"status": None, "reason": ""},
        {"status": [], "reason": ""},
        {"status": "complete", "reason": "", "surprise": 1},
        [],
        None,
        "complete",
    ],
)
def test_a_claim_that_cannot_be_read_is_damaged_state(fields: Any) -> None:
    with pytest.raises(DamagedState):
        Coverage.from_dict(fields)
