"""A file's name counts only as far as its rows agree."""

import pytest

from reddit_ingest.archives.claims import Sight, kind_in_name, period_of, source_name

from .making import DAY, HOUR, MARCH

MONTH_END = MARCH + 31 * DAY


def sight(*created: int) -> Sight:
    seen = Sight()
    for ts in created:
        seen.saw(ts)
    return seen


def statuses(name: str, seen: Sight, kind: str = "comments", doubt: str = "") -> dict[int, str]:
    period = period_of(name, kind, seen, doubt)
    return {(day - MARCH) // DAY + 1: str(period.claim(day, 3, name).status) for day in period.days}


def test_a_month_file_whose_rows_reach_both_ends_shows_every_day_whole() -> None:
    seen = sight(MARCH + 5, MARCH + 9 * DAY, MONTH_END - 40)
    assert statuses("RC_2025-03.zst", seen) == dict.fromkeys(range(1, 32), "complete")
    assert period_of("RC_2025-03.zst", "comments", seen).is_month


@pytest.mark.parametrize(
    "name", ["RC_2025-04.zst", "RS_2025-03.zst", "RC_2025-033.zst", "Android_comments.zst", "RC_2025-00.zst"]
)
def test_any_other_file_shows_what_lies_between_its_first_and_its_last_row(name: str) -> None:
    seen = sight(MARCH + DAY + 5, MARCH + 3 * DAY + HOUR)
    assert statuses(name, seen) == {2: "truncated", 3: "complete", 4: "truncated"}
    assert not period_of(name, "comments", seen).is_month


def test_a_month_file_that_begins_or_ends_early_is_believed_as_far_as_it_reaches() -> None:
    assert statuses("RC_2025-03.zst", sight(MARCH + 5, MARCH + DAY, MARCH + 2 * DAY + 9)) == {
        1: "complete",
        2: "complete",
        3: "truncated",
    }
    late = statuses("RC_2025-03.zst", sight(MARCH + 29 * DAY + 7, MONTH_END - 1))
    assert late == {30: "truncated", 31: "complete"}


def test_the_first_day_says_from_when_it_is_complete() -> None:
    period = period_of("x_comments.zst", "comments", sight(MARCH + 7 * HOUR, MARCH + 3 * DAY))
    assert period.claim(MARCH, 1, "x").complete_from_ts == MARCH + 7 * HOUR
    assert period.claim(MARCH + 3 * DAY, 1, "x").complete_from_ts is None
    assert str(period.claim(MARCH + DAY, 0, "x").status) == "empty"


def test_one_row_from_another_month_and_the_name_counts_for_nothing() -> None:
    seen = sight(MARCH + 5, MARCH - 40, MONTH_END - 40)
    assert set(statuses("RC_2025-03.zst", seen).values()) == {"truncated"}


@pytest.mark.parametrize("created", [(MARCH + 3 * DAY, MARCH), (MARCH + DAY, MARCH + 9 * DAY, MARCH + 2 * DAY)])
def test_rows_out_of_order_prove_no_day(created: tuple[int, ...]) -> None:
    assert set(statuses("x.zst", sight(*created)).values()) == {"truncated"}


def test_doubt_leaves_no_day_whole_and_says_why() -> None:
    seen = sight(MARCH + 5, MONTH_END - 40)
    assert set(statuses("RC_2025-03.zst", seen, doubt="it is damaged").values()) == {"truncated"}
    claim = period_of("RC_2025-03.zst", "comments", seen, "it is damaged").claim(MARCH, 1, "RC_2025-03.zst")
    assert claim.reason.endswith("it is damaged")


def test_december_ends_with_the_year() -> None:
    december = 1_764_547_200
    period = period_of("RC_2025-12.zst", "comments", sight(december + 1, december + 31 * DAY - 1))
    assert (period.start_ts, period.end_ts) == (december, december + 31 * DAY)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("RC_2019-10.zst", "comments"),
        ("RS_2019-10", "submissions"),
        ("Android_submissions.zst", "submissions"),
        ("a.gz", None),
    ],
)
def test_the_kind_that_a_name_promises(name: str, kind: str | None) -> None:
    assert kind_in_name(name) == kind


@pytest.mark.parametrize("name", ["RC_2019-10.zst", "a b\n.zst", "../x", "ü" * 300, "\x1b[31m"])
def test_a_source_is_named_in_plain_characters(name: str) -> None:
    named = source_name(name)
    assert named.startswith("dump:")
    assert named.isascii()
    assert named.isprintable()
    assert "/" not in named
    assert len(named) <= 105
