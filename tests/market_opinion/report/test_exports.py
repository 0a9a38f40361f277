import csv
import io
import json
from typing import Any

from market_opinion.report.exports import to_csv, to_json, to_tables
from market_opinion.report.headlines import headlines

from . import made


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def as_csv(told: Any, name: str) -> list[dict[str, str]]:
    return read(to_csv(*to_tables(told)[name]))


def test_json_has_every_field_and_what_the_page_makes_of_them() -> None:
    told = made.figures()
    read_back = json.loads(to_json(told))
    assert {*told.__slots__} < read_back.keys()
    assert read_back["headlines"] == headlines(told)
    assert read_back["brands"][0]["share"]["value"] == 0.6
    assert read_back["brands"][0]["share"]["low"] == told.brands[0].share.low
    assert read_back["coverage"]["whole_share"] == 1.0
    assert read_back["coverage"]["subreddits"][0]["whole"] == 168
    assert read_back["quotes"][0]["text"] == "The iPhone dies at noon."
    assert read_back["period"] == {"first": "2026-01-12", "last": "2026-01-18"}


def test_each_table_has_as_many_cells_as_columns() -> None:
    told = made.figures(marked_days=(made.marked(),))
    for columns, rows in to_tables(told).values():
        assert rows
        assert len(set(columns)) == len(columns)
        assert {len(row) for row in rows} == {len(columns)}


def test_numbers_come_back_from_csv_as_they_were() -> None:
    told = made.figures()
    for row, brand in zip(as_csv(told, "brands"), told.brands, strict=True):
        assert float(row["share"]) == brand.share.value
        assert float(row["net_low"]) == brand.opinion.net.low
        assert int(row["mentions"]) == brand.opinion.mentions
        assert float(row["net_change_high"]) == brand.net_change.high


def test_text_comes_back_from_csv_as_it_was_and_is_no_formula() -> None:
    texts = ['"quoted", and\nbroken', "=HYPERLINK(1)", "+1 for the iPhone", "'already", "é😀\u202e"]
    told = made.figures(quotes=tuple(made.quote(text) for text in texts))
    shown = [row["text"] for row in as_csv(told, "quotes")]
    assert shown == [texts[0], "'=HYPERLINK(1)", "'+1 for the iPhone", *texts[3:]]


def test_what_is_not_known_is_empty() -> None:
    alone = made.figures([made.brand("Apple", made.opinion(1, 0, 0), 1)])
    (row,) = as_csv(alone, "brands")
    assert row["share_before"] == row["net_change"] == ""
    assert row["mentions_before"] == "0"


def test_a_duel_has_a_row_for_the_pair_and_one_for_each_aspect() -> None:
    pair, aspect = as_csv(made.figures(), "duels")
    assert (pair["aspect"], pair["one_better"], pair["share"]) == ("", "9", "1.0")
    assert (aspect["aspect"], aspect["one_better"], aspect["share"]) == ("battery", "3", "")
