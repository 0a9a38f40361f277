"""A sheet of mentions for a person: what is drawn, how it is written, and what comes back."""

import csv
import resource
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market_opinion.augmented_store import AugmentedStore, Built
from market_opinion.augmenting import augment_batch, documents_of, with_context
from market_opinion.labelling import (
    SheetRow,
    draw_sheet,
    judged_by,
    matches,
    mentions_to_judge,
    read_sheet,
    write_sheet,
)
from market_opinion.labels import Correction, Place, digest_of
from market_opinion.market import Market, load_market
from market_opinion.sentiment.scoring import make_scorer
from market_opinion.tables import MENTIONS, to_parquet
from reddit_ingest.core.errors import InvalidRequest
from reddit_ingest.core.ports import DerivedZone

from ..fakes import MemoryLake
from .landing import Row, comment, submission
from .test_augmenting import items

DATE = "2026-01-01"


def a_row(number: int, said: str = "neutral", brand: str = "google", text: str = "") -> SheetRow:
    text = text or f"text »number« {number}"
    return SheetRow(Place("phones", DATE, f"t1_{number}", 5, 11, digest_of(text)), brand, text, said)


def test_a_sheet_has_a_fair_part_of_every_brand_and_answer_and_says_what_each_row_stands_for() -> None:
    mentions = [a_row(n, "neutral", "google") for n in range(2_000)]
    mentions += [a_row(n, "negative") for n in range(2_000, 2_040)]
    mentions += [a_row(n, "positive", "apple") for n in range(3_000, 3_400)]
    sheet = draw_sheet(mentions, 150)
    assert len(sheet) == 150
    assert Counter((row.brand, row.said) for row in sheet) == {
        ("google", "negative"): 40,
        ("google", "neutral"): 55,
        ("apple", "positive"): 55,
    }
    assert sum(row.weight for row in sheet) == pytest.approx(len(mentions))
    assert draw_sheet(reversed(mentions), 150) == sheet


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["negative", "neutral"]), st.integers(0, 40))),
    st.integers(1, 12),
)
def test_a_sheet_is_never_too_long_and_stands_for_all_the_brands_and_answers_in_it(
    told: list[tuple[str, str, int]], rows: int
) -> None:
    mentions = [a_row(n, said, brand, f"»{text}«") for n, (brand, said, text) in enumerate(told)]
    sheet = draw_sheet(mentions, rows)
    assert len(sheet) == min(rows, len({row.text for row in mentions}))
    assert len({row.text for row in sheet}) == len(sheet)
    counted = Counter((row.brand, row.said) for row in {row.text: row for row in reversed(mentions)}.values())
    for stratum in {(row.brand, row.said) for row in sheet}:
        weights = [row.weight for row in sheet if (row.brand, row.said) == stratum]
        assert sum(weights) == pytest.approx(counted[stratum])


@pytest.mark.parametrize(
    "text", ["=HYPERLINK(1)", "+1 for the »Pixel«", "-- no", "@user hi", "'quoted", 'a\n"b",c;\td', "é😍", "\r\n"]
)
def test_a_spreadsheet_takes_no_text_for_a_formula_and_what_is_filled_in_comes_back(tmp_path: Path, text: str) -> None:
    path, row = tmp_path / "sheet.csv", replace(a_row(1, text=text), weight=2.5)
    write_sheet([row, a_row(2)], path)
    with path.open(newline="", encoding="utf-8") as file:
        cells = list(csv.DictReader(file))
    assert cells[0]["text"] in (text, f"'{text}")
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells[0].values())
    assert "neutral" not in path.read_text(encoding="utf-8")
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, list(cells[0]), delimiter=",")
        writer.writeheader()
        writer.writerow({**cells[0], "label": " Positive "})
        writer.writerow({**cells[1], "label": "  "})
    assert read_sheet(path) == [Correction(row.place, "google", "positive", 2.5)]


HEAD = b"brand,text,label,weight,mention\n"
PLACE = str(a_row(1).place).encode()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a,b\n1,2\n", "is no labelling sheet: it has no column 'label'"),
        (b"label\npositive\n", "is no labelling sheet: it has no column 'brand'"),
        (b"\xff\xfe\x00", "cannot be read as a labelling sheet"),
        (HEAD + b"x,text,great,1," + PLACE, "row 2: 'great' is no label"),
        (HEAD + b"x,text,,1,\nx,text,positive,one," + PLACE, "row 3: the weight 'one' is no positive number"),
        (HEAD + b"x,text,positive,nan," + PLACE, "row 2: the weight 'nan' is no positive number"),
        (HEAD + b"x,text,positive,0," + PLACE, "row 2: the weight '0' is no positive number"),
        (HEAD + b"x,text,positive,1,t1_a", "row 2: 't1_a' is no mention"),
        (HEAD + b"x,text,positive", "row 2: the weight '' is no positive number"),
    ],
)
def test_a_broken_sheet_is_a_usage_error_that_names_the_row(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "sheet.csv").write_bytes(content)
    with pytest.raises(InvalidRequest, match=says):
        read_sheet(tmp_path / "sheet.csv")


def test_a_sheet_without_room_leaves_nothing_behind(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60, before[1]))
    try:
        with pytest.raises(InvalidRequest, match=r"cannot be written to .*: File too large"):
            write_sheet([a_row(1)], tmp_path / "sheet.csv")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


# From and to the tables.


@pytest.fixture(scope="module")
def market() -> Market:
    return load_market("smartphones")


def tables(market: Market, *rows: Row) -> AugmentedStore:
    """Return a zone that holds a day of r/phones."""
    lake, scorer, found = MemoryLake(), make_scorer("lexicon"), items(*rows)
    documents = documents_of(found, market, scorer)
    batches = with_context(documents, found, "phones").to_batches()
    mentions = pa.Table.from_batches([augment_batch(batch, market, scorer) for batch in batches], MENTIONS)
    store = AugmentedStore(DerivedZone(lake, lake, lake))
    store.replace("phones", DATE, {"documents": to_parquet(documents), "mentions": to_parquet(mentions)})
    store.record("phones", {DATE: Built("", {"documents": documents.num_rows, "mentions": mentions.num_rows})})
    return store


TALK = (
    comment("a", "Sadly my Galaxy S25 > **Pixel 9**, which is bad &amp; slow.", 1),
    comment("b", "I love the iPhone 16 camera.", 2),
)


def test_people_are_asked_for_each_name_in_what_people_wrote_themselves(market: Market) -> None:
    copies = [
        comment(f"c{n}", "Buy the iPhone 16 at my shop today for less", 10 + n, author="seller") for n in range(4)
    ]
    others = [
        comment("bot", "The Pixel 9 is nice. I am a bot, beep boop.", 3),
        comment("mod", "The Pixel 9 belongs in the weekly thread.", 4, author="AutoModerator"),
        *copies,
    ]
    store = tables(market, *TALK, *others)
    asked = list(mentions_to_judge(store, "smartphones", []))
    assert [(row.place.fullname, row.brand) for row in asked] == [
        ("t1_a", "samsung"),
        ("t1_a", "google"),
        ("t1_b", "apple"),
    ]
    assert asked[1].text == "Sadly my Galaxy S25 > **»Pixel 9«**, which is bad &amp; slow."
    judged = [Correction(asked[0].place, "samsung", "positive")]
    assert list(mentions_to_judge(store, "smartphones", judged)) == asked[1:]
    assert list(mentions_to_judge(store, "espresso", [])) == []


def test_of_a_long_text_only_what_is_near_the_name_leaves_the_lake(market: Market) -> None:
    (row,) = mentions_to_judge(tables(market, comment("a", f"{'x ' * 2_000}Pixel 9{' y' * 2_000}")), "smartphones", [])
    assert row.text == f"{'x ' * 300}»Pixel 9«{' y' * 300}"


def judged(market: Market, store: AugmentedStore, label: str = "positive") -> list[Correction]:
    return [Correction(row.place, row.brand, label) for row in mentions_to_judge(store, market.name, [])]


def test_a_label_holds_as_long_as_its_text_stands_as_it_was(market: Market) -> None:
    before = tables(market, *TALK)
    given = judged(market, before)
    kept = [match.correction for match in matches(before, market.name, reversed(given))]
    assert [replace(each, observed_at_ts=0) for each in kept] == given
    assert {each.observed_at_ts for each in kept} == {TALK[0]["observed_at_ts"]}
    edited = tables(market, comment("a", TALK[0]["body"] + " Edited.", 1), TALK[1])
    assert [match.correction.place.fullname for match in matches(edited, market.name, given)] == ["t1_b"]
    assert matches(tables(market, TALK[0]), market.name, given[2:]) == []
    assert matches(before, "espresso", given) == []
    elsewhere = [replace(given[0], place=replace(given[0].place, date="2030-01-01"))]
    assert matches(before, market.name, elsewhere) == []
    assert matches(before, market.name, [replace(given[0], brand="apple")]) == []


@pytest.mark.parametrize("engine", ["lexicon", "linear"])
def test_an_engine_says_of_a_stored_mention_what_it_said_when_it_was_found(market: Market, engine: str) -> None:
    texts = [
        "The [iPhone 17](https://example.com/a_b) &amp; the *Galaxy S25*: both fine.\u2028And my Pixel 10 😀😀 too.",
        "> quoted Pixel 9\n\nNo: `code Pixel 8` but the iPhone 16 \u200bis \\*bad\\*.\r\nEnd",
        f"I love the Pixel 9. {'word ' * 2_000} I hate the Galaxy S25.",
        *(row["body"] for row in TALK),
    ]
    rows = [comment(f"r{n}", text, n) for n, text in enumerate(texts)]
    rows.append(submission("s", 99, title="Pixel 9 > iPhone 16?", selftext="I **love** the Pixel."))
    store, scorer = tables(market, *rows), make_scorer(engine)
    found = items(*rows)
    (batch,) = with_context(documents_of(found, market, scorer), found, "phones").combine_chunks().to_batches()
    first = augment_batch(batch, market, scorer).to_pylist()
    assert len(first) >= 10
    again = judged_by(scorer, matches(store, market.name, judged(market, store)))
    by_place = sorted(first, key=lambda row: (row["fullname"], row["start"]))
    assert again.probabilities.tolist() == [
        [row[name] for name in ("p_negative", "p_neutral", "p_positive")] for row in by_place
    ]
    assert [sorted(one) for one in again.aspects] == [row["aspects"] for row in by_place]
    assert again.labels.tolist() == [2] * len(first)
