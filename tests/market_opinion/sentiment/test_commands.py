"""`evaluate` on the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from market_opinion.cli import main
from market_opinion.sentiment.measuring import f1_of
from market_opinion.sentiment.scoring import ENGINES

GOOD = ["love", "great", "awesome", "amazing", "perfect", "best phone, excellent"]
DULL = ["yesterday", "seen", "ordered", "arrived", "blue", "photos"]
BAD = ["hate", "terrible", "awful", "horrible", "worst", "disgusting"]


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def labelled(folder: Path, name: str = "phones.tsv", repeat: int = 5) -> None:
    lines = ["id\tlabel\ttarget\tstart\ttext"]
    for number in range(repeat):
        for label, words in (("positive", GOOD), ("negative", BAD), ("neutral", DULL)):
            lines += [f"{label}{number}{word}\t{label}\tPixel\t4\tthe Pixel, {word} on day {number}" for word in words]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_without_its_libraries_an_engine_is_left_out_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled(tmp_path)
    monkeypatch.setattr("market_opinion.sentiment.scoring.find_spec", lambda name: None)
    result = run("evaluate", str(tmp_path), "--json")
    measured = json.loads(result.stdout)["files"]["phones.tsv"]
    assert [one["engine"] for one in measured] == ["majority", "lexicon", "linear"]
    assert "minilm was left out: pip install 'market-opinion[minilm]'" in result.stderr


def test_every_engine_is_measured_on_every_labelled_file(tmp_path: Path) -> None:
    labelled(tmp_path)
    (tmp_path / "compared.tsv").write_text(
        "id\tlabel\tobject_a\tobject_b\ttext\n1\tbetter\tPixel\tiPhone\tThe Pixel is better than the iPhone\n"
        "2\tnone\tPixel\tiPhone\ta Pixel and an iPhone\n3\tworse\tPixel\tiPhone\tThe Pixel is worse than the iPhone\n"
    )
    (tmp_path / "other.tsv").write_text("id\ttext\n1\thello\n")
    result = run("evaluate", str(tmp_path), "--json")
    assert result.exit_code == 0, result.output
    made = json.loads(result.stdout)
    assert [one["engine"] for one in made["files"]["phones.tsv"]] == ["majority", *ENGINES]
    lexicon = made["files"]["phones.tsv"][1]
    assert lexicon["n"] == 90
    assert lexicon["accuracy"] > 0.9
    assert {one["engine"]: one["accuracy"] for one in made["files"]["compared.tsv"]} == {
        "majority": pytest.approx(1 / 3),
        "rule": 1,
    }
    assert "minilm was left out" not in result.stderr
    assert made["skipped"] == {"other.tsv": "no columns id, label and text"}
    assert "other.tsv was left out" in result.stderr
    shown = run("evaluate", str(tmp_path), "--engine", "lexicon")
    assert "macro F1" in shown.stdout
    assert "linear" not in shown.stdout


def test_cross_validation_trains_a_model_of_ones_own_files(tmp_path: Path) -> None:
    labelled(tmp_path)
    result = run("evaluate", str(tmp_path), "--folds", "2", "--json")
    assert result.exit_code == 0, result.output
    trained = json.loads(result.stdout)["files"]["phones.tsv"][-1]
    assert (trained["engine"], trained["how"]) == ("linear-all", "2-fold")
    assert trained["accuracy"] > 0.9


def test_categories_are_learned_from_texts_that_have_them(tmp_path: Path) -> None:
    said = {"BATTERY#QUALITY": "the battery lasts", "SUPPORT#PRICE": "support costs much", "": "hello there"}
    lines = [
        f"{number}\t{json.dumps([[category, 'positive']] if category else [])}\t{text}, I said on day {number}"
        for number in range(12)
        for category, text in said.items()
    ]
    (tmp_path / "aspects.tsv").write_text("\n".join(["id\topinions\ttext", *lines]) + "\n")
    result = run("evaluate", str(tmp_path), "--folds", "3", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["categories"] == {
        "aspects.tsv": {"n": 36, "categories": 2, "f1": pytest.approx(1), "entity_f1": pytest.approx(1)}
    }
    assert "Categories of a text" in run("evaluate", str(tmp_path), "--folds", "3").stdout
    left_out = run("evaluate", str(tmp_path))
    assert "aspects.tsv was left out: categories are learned: --folds measures that" in left_out.stderr


@pytest.mark.parametrize(
    ("meant", "found", "f1"),
    [([{"a"}, {"b"}], [{"a"}, {"b"}], 1), ([{"a", "b"}], [{"a"}], 2 / 3), ([{"a"}], [set()], 0), ([set()], [set()], 0)],
)
def test_f1_of_categories_is_over_all_texts_together(meant: list[set[str]], found: list[set[str]], f1: float) -> None:
    assert f1_of(meant, found) == pytest.approx(f1)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("id\topinions\ttext\n1\t[]\tgood\n2\t[[1\tbad\n", "row '2': opinions are no list of pairs"),
        ("id\topinions\ttext\n1\t[1]\tgood\n", "row '1': opinions are no list of pairs"),
        (f"id\topinions\ttext\n1\t{'[' * 9_999}\tgood\n", "row '1': opinions are no list of pairs"),
        ("id\tlabel\ttext\n1\tpositive\tgood\n2\tnegative\n", "row '2' has not as many columns"),
        ("id\tlabel\ttext\n1\tpositive\tgood\textra\n", "row '1' has not as many columns"),
        ("id\tlabel\ttarget\tstart\ttext\n1\tpositive\tx\tzero\tgood\n", "start is no number: 'zero'"),
        ("id\tlabel\ttext\n1\tpositive\tgood\n", "no labelled file in"),
        ("label\ttext\npositive\tgood\nnegative\tbad\n", "no labelled file in"),
        ("opinions\ttext\n[1]\tgood\n", "no labelled file in"),
        ("", "no labelled file in"),
    ],
)
def test_a_broken_file_is_a_usage_error_that_names_the_row(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "a.tsv").write_text(content)
    result = run("evaluate", str(tmp_path))
    assert result.exit_code == 2
    assert says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_bytes_that_are_no_text_are_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes(b"id\tlabel\ttext\n1\tpositive\t\xff\xff\n")
    result = run("evaluate", str(tmp_path))
    assert result.exit_code == 2
    assert "cannot be read as a labelled file" in result.stderr


def test_what_is_not_there_is_named() -> None:
    result = run("evaluate", "no/such/folder")
    assert result.exit_code == 2
    assert "no/such/folder" in result.stderr


def test_an_unknown_engine_is_a_usage_error(tmp_path: Path) -> None:
    labelled(tmp_path)
    result = run("evaluate", str(tmp_path), "--engine", "gpt")
    assert result.exit_code == 2
    assert "no sentiment engine is called 'gpt'" in result.stderr
