from itertools import permutations
from typing import Any

import pytest

from reddit_ingest.core.known import Known
from reddit_ingest.core.tombstones import Reason

ALIVE = {"author": "alice", "body": "Good."}
DELETED = {"author": None, "body": "[deleted]"}
REMOVED = {"author": "alice", "body": "[removed]"}
NAMELESS = {"author": None, "body": "Good."}


def seen(ts: int, **fields: Any) -> dict[str, Any]:
    row = {"fullname": "t1_a", "created_utc": 1, "observed_at_ts": ts, "link_id": "t3_l", "score": 1}
    return {**row, **ALIVE, **fields}


def known(*rows: dict[str, Any], missed: tuple[int, ...] = ()) -> Known:
    item = Known.of(rows[0])
    for row in rows[1:]:
        item.observe(row)
    for ts in missed:
        item.miss(ts)
    return item


@pytest.mark.parametrize(
    ("rows", "missed", "end"),
    [
        ([seen(1)], (), None),
        ([seen(1), seen(2, **DELETED)], (), Reason.DELETED),
        ([seen(1), seen(2, **REMOVED)], (), None),
        ([seen(1), seen(2, **REMOVED), seen(2, **REMOVED)], (), None),  # the same look, found in two folders
        ([seen(1), seen(2, **REMOVED), seen(3, **REMOVED)], (), Reason.GONE),
        ([seen(1), seen(2, **REMOVED), seen(3)], (), None),
        ([seen(1), seen(2, **REMOVED), seen(3), seen(4, **REMOVED)], (), None),
        ([seen(1)], (2,), None),
        ([seen(1)], (2, 3), Reason.GONE),
        ([seen(1), seen(3)], (2, 4), None),
        ([seen(1), seen(2, **REMOVED)], (3,), Reason.GONE),
        ([seen(1), seen(2, **NAMELESS)], (), Reason.ACCOUNT),
        ([seen(1, **NAMELESS), seen(2, **NAMELESS)], (), None),  # the lake has never known the name
        ([seen(1, **NAMELESS), seen(2)], (), None),
    ],
)
def test_the_end_of_an_item_is_told_by_its_observations_in_any_order(
    rows: list[dict[str, Any]], missed: tuple[int, ...], end: Reason | None
) -> None:
    for order in permutations(rows):
        assert known(*order, missed=missed).end() is end


def test_a_look_that_missed_it_is_a_look() -> None:
    assert known(seen(1), seen(5), missed=(9,)).looked_ts == 9


def test_a_name_that_is_on_its_way_out_is_not_noticed_again() -> None:
    item = Known.of(seen(1), is_anonymous=True)
    item.observe(seen(2, **NAMELESS))
    assert item.end() is None


def test_of_a_submission_only_the_looks_of_a_refresh_count_since_only_they_look_at_its_thread() -> None:
    def post(ts: int) -> dict[str, Any]:
        return seen(ts, fullname="t3_p", title="", selftext="", num_comments=3)

    item = Known.of(post(2))
    item.observe(post(5))
    assert item.looked_ts == 2
    item.observe(post(4), is_refresh=True)
    item.observe(post(9))
    assert item.looked_ts == 4
