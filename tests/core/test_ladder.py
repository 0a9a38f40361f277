import pytest
from hypothesis import given
from hypothesis import strategies as st

from reddit_ingest.core.ladder import Ladder, has_grown
from reddit_ingest.core.windows import HOUR_S

LADDER = Ladder()
BORN = 1_767_225_600
DAY_S = 24 * HOUR_S


def at(hours: float) -> int:
    return BORN + int(hours * HOUR_S)


@pytest.mark.parametrize(
    ("looked", "now", "due"),
    [
        (0.5, 1.9, False),
        (0.5, 2, True),
        (2, 35.9, False),  # looked at on the rung itself
        (1.9, 30, True),  # a missed run is made up for
        (2.5, 36, True),
        (0.5, 169, True),  # one look serves all rungs that were missed
        (169, 300, False),
        (200, 300, False),  # first seen when the ladder was behind it
        (0.5, 168 + 7 * 24, True),
        (0.5, 168 + 7 * 24 + 1, False),  # beyond the horizon
    ],
)
def test_an_item_is_due_when_it_has_passed_a_rung_since_the_last_look(looked: float, now: float, due: bool) -> None:
    assert LADDER.due(BORN, at(looked), at(now)) is due


@given(
    rungs=st.lists(st.integers(1, 400), min_size=1, max_size=5, unique=True).map(sorted),
    first=st.integers(0, 500),
    nows=st.lists(st.integers(0, 600), max_size=40).map(sorted),
)
def test_however_runs_fall_a_rung_is_climbed_at_most_once_and_by_the_first_run_after_it(
    rungs: list[int], first: int, nows: list[int]
) -> None:
    ladder = Ladder(tuple(rung * HOUR_S for rung in rungs))
    looked = first
    looks = []
    for now in (now for now in nows if now >= first):
        passed = [rung for rung in rungs if looked < rung <= now]
        is_near = now <= rungs[-1] + 7 * 24
        assert ladder.due(BORN, at(looked), at(now)) is (bool(passed) and is_near)
        if passed and is_near:
            looked = now
            looks.append(now)
    assert len(looks) <= sum(rung > first for rung in rungs)


@pytest.mark.parametrize(
    ("told", "known", "grown"),
    [(5, 0, False), (6, 0, True), (100, 80, False), (100, 79, True), (3, 9, False), (None, 0, False)],
)
def test_a_thread_has_grown_when_more_is_missing_than_deleted_comments_explain(
    told: int | None, known: int, grown: bool
) -> None:
    assert has_grown(told, known) is grown
