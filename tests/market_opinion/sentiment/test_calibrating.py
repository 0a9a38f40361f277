"""A sheet of labels, two offsets, corrections."""

import csv
from pathlib import Path

import numpy as np
import pytest

from market_opinion.sentiment.calibrating import (
    Calibration,
    SheetRow,
    before_and_after,
    calibrate,
    corrected,
    draw_sheet,
    fit_offsets,
    read_sheet,
    shifted,
    write_sheet,
)
from market_opinion.sentiment.scoring import LABELS
from reddit_ingest.core.errors import DamagedState, InvalidRequest


class Fixed:
    """An engine whose answer is written in the text: "n" times how sure it is of each class."""

    engine = "fixed"
    model_hash = "0123456789abcdef"

    def score(self, texts, spans, others=None):
        return np.array([[float(part) for part in text.split()] for text in texts], np.float32)


def a_row(number: int, said: str = "neutral", brand: str = "pixel", label: str = "", text: str = "") -> SheetRow:
    return SheetRow(f"t1_{number}/0", brand, text or f"text number {number}", (0, 4), said, 1.0, label)


def biased_rows(count: int = 300) -> list[SheetRow]:
    """Rows of an engine that says neutral where it should say negative."""
    random = np.random.default_rng(7)
    rows = []
    for number in range(count):
        label = number % 3
        logits = np.where(np.arange(3) == label, 2.0, 0.0) + np.array([-1.2, 0.6, 0.0]) + random.normal(0, 0.5, 3)
        odds = np.exp(logits)
        text = " ".join(f"{part:.4f}" for part in odds / odds.sum())
        rows.append(a_row(number, LABELS[int(odds.argmax())], label=LABELS[label], text=text))
    return rows


def test_a_sheet_has_a_fair_part_of_every_brand_and_answer_and_says_what_each_row_stands_for() -> None:
    mentions = [a_row(n, "neutral", "pixel") for n in range(2_000)] + [
        a_row(n, "negative") for n in range(2_000, 2_040)
    ]
    mentions += [a_row(n, "positive", "iphone") for n in range(3_000, 3_400)]
    sheet = draw_sheet(mentions, 150)
    assert len(sheet) == 150
    counts = {(row.brand, row.said): 0 for row in mentions}
    for row in sheet:
        counts[row.brand, row.said] += 1
    assert min(counts.values()) >= 40
    assert sum(row.weight for row in sheet) == pytest.approx(len(mentions))
    assert draw_sheet(reversed(mentions), 150) == sheet


def test_a_sheet_has_every_text_once_and_no_more_rows_than_there_are() -> None:
    assert len(draw_sheet([a_row(n, text="same text") for n in range(50)] + [a_row(99)])) == 2
    assert draw_sheet([]) == []


@pytest.mark.parametrize(
    "text", ["=HYPERLINK(1)", "+1 for the Pixel", "-- no", "@user hi", "'quoted", 'a\n"b",c;\td', "é😍"]
)
def test_a_sheet_comes_back_as_it_was_and_a_spreadsheet_takes_no_text_for_a_formula(tmp_path: Path, text: str) -> None:
    row = SheetRow("t1_a/0", "pixel", text, (0, 2), "neutral", 2.5, "positive")
    write_sheet([row], tmp_path / "sheet.csv")
    assert read_sheet(tmp_path / "sheet.csv") == [row]
    with (tmp_path / "sheet.csv").open(newline="", encoding="utf-8") as file:
        cells = list(csv.reader(file))[1]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


def test_rows_that_nobody_has_labelled_are_left_out(tmp_path: Path) -> None:
    write_sheet([a_row(1), a_row(2, label="positive")], tmp_path / "sheet.csv")
    assert [row.mention for row in read_sheet(tmp_path / "sheet.csv")] == ["t1_2/0"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a,b\n1,2\n", "is no labelling sheet: it has no column 'label'"),
        (b"\xff\xfe\x00", "cannot be read as a labelling sheet"),
        (
            b"mention,brand,start,end,weight,said,label,text\nt1_a,x,0,1,1,neutral,great,text\n",
            "line 2: 'great' is no label",
        ),
        (
            b"mention,brand,start,end,weight,said,label,text\nt1_a,x,0,one,1,neutral,positive,text\n",
            "line 2: start, end or",
        ),
        (
            b"mention,brand,start,end,weight,said,label,text\nt1_a,x,0,9,1,neutral,positive,text\n",
            "do not lie in the text",
        ),
        (b"mention,brand,start,end,weight,said,label,text\nt1_a,x,0,1,nan,neutral,positive,text\n", "not positive"),
        (b"mention,brand,start,end,weight,said,label,text\nt1_a,x,0,1,1,neutral,positive\n", "do not lie in the text"),
    ],
)
def test_a_broken_sheet_is_a_usage_error_that_names_the_line(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "sheet.csv").write_bytes(content)
    with pytest.raises(InvalidRequest, match=says):
        read_sheet(tmp_path / "sheet.csv")


def test_offsets_take_a_bias_away() -> None:
    rows = biased_rows()
    made = calibrate(Fixed(), rows, "ab" * 32)
    assert made.negative > 0.5
    found = before_and_after(Fixed(), rows)
    assert found["after"]["accuracy"] > found["before"]["accuracy"] + 0.1
    assert found["after"]["macro_f1"] > found["before"]["macro_f1"] + 0.1


def test_an_engine_without_bias_is_left_alone() -> None:
    labels = np.arange(300) % 3
    right = np.full((300, 3), 0.2, np.float32)
    right[np.arange(300), labels] = 0.6
    assert fit_offsets(labels, right) == (0.0, 0.0)


def test_a_row_counts_as_often_as_the_mentions_that_it_stands_for() -> None:
    labels = np.array([0] * 30 + [1] * 30)
    unsure = np.array([[0.5, 0.45, 0.05]] * 60, np.float32)
    many_neutral = fit_offsets(labels, unsure, np.array([1.0] * 30 + [50.0] * 30))
    many_negative = fit_offsets(labels, unsure, np.array([50.0] * 30 + [1.0] * 30))
    assert shifted(unsure, *many_neutral).argmax(axis=1)[0] == 1
    assert shifted(unsure, *many_negative).argmax(axis=1)[0] == 0


def test_too_few_labels_or_one_class_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="59 labels of 3 classes"):
        calibrate(Fixed(), biased_rows(59), "")
    with pytest.raises(InvalidRequest, match="100 labels of 1 classes"):
        calibrate(Fixed(), [row for row in biased_rows() if row.label == "neutral"], "")


def test_a_calibration_belongs_to_one_engine_and_model() -> None:
    made = calibrate(Fixed(), biased_rows(), "ab" * 32)
    assert Calibration.from_json(made.to_json()) == made
    assert made.fits(Fixed())
    other = Fixed()
    other.model_hash = "another"
    assert not made.fits(other)
    with pytest.raises(DamagedState, match="fit it again"):
        Calibration.from_json('{"engine": "linear"}')


def test_what_a_person_says_wins() -> None:
    probabilities = np.full((2, 3), 1 / 3, np.float32)
    made = corrected(["t1_1/0", "t1_2/0"], probabilities, [a_row(2, label="negative")])
    np.testing.assert_array_equal(made[1], [1, 0, 0])
    np.testing.assert_array_equal(made[0], probabilities[0])
    assert probabilities[1, 0] != 1
