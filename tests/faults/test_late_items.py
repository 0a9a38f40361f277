"""A submission that was approved late stands among newer ones, wherever the pages of a listing are cut."""

import pytest

from reddit_ingest import view
from reddit_ingest.core.windows import HOUR_S, hour_of
from reddit_ingest.fetchers import PAGE
from reddit_sim import ItemWorld

from .scripted.station import T0, post
from .scripted.test_time import Day


@pytest.mark.parametrize("above", [0, 1, PAGE - 2, PAGE - 1, PAGE, 2 * PAGE - 1])
def test_a_late_item_anywhere_on_a_page_lands_in_its_hour_and_does_not_end_the_reading(above: int) -> None:
    hour = hour_of(T0 + 30 * HOUR_S)
    own = [post(f"own{number}", hour.start_ts + number * 15) for number in range(HOUR_S // 15)]
    late = post("late", T0 + 9, listed_ts=own[len(own) - 1 - above].created_utc + 1)
    before = [post(f"before{number}", hour.start_ts - 60 - number * 60) for number in range(PAGE)]
    day = Day(ItemWorld([*own, late, *before]))
    day.state.watermarks["phones"] = hour.start_ts
    day.run(hour.end_ts + 300)
    shown = view.rows(day.lake, "reddit/phones/", "submissions")
    assert {each.name for each in own} <= shown.keys()
    assert late.name in shown
    folders = {key.rpartition("/")[0] for key, content in day.lake.objects.items() if b"t3_late" in content}
    assert folders == {"reddit/phones/2026-01-05/080000"}
