"""From a sheet that a person fills in to tables that are nearer to what people mean."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from market_opinion.cli.simulator import environment
from market_opinion.sentiment.scoring import LABELS
from reddit_ingest.bootstrap import LocalLake
from reddit_sim import GeneratedWorld, Simulator, SubredditSpec

from ..augmented import table
from ..judges import fill, meant
from .conftest import HOUR, Person

T0 = 1_767_571_200  # 2026-01-05 00:00 UTC
START = T0 + 24 * HOUR
NOW = START + 50 * HOUR + 200


@pytest.fixture(scope="module")
def world() -> GeneratedWorld:
    return GeneratedWorld(seed=12, start_ts=T0, subreddits=[SubredditSpec("phones", 6, 8)])


@pytest.fixture(scope="module")
def augmented(world: GeneratedWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with fifty hours of a subreddit, and their tables."""
    root = tmp_path_factory.mktemp("augmented") / "lake"
    someone = Person(LocalLake(root), {})
    with Simulator(world, now_ts=NOW) as simulator:
        someone.env = environment(simulator.url)
        someone.types("backfill", "phones", "--start", str(START), "--end", str(START + 50 * HOUR), now=NOW)
    assert someone.types("augment").exit_code == 0
    return root


@pytest.fixture
def someone(augmented: Path, tmp_path: Path) -> Person:
    """A person with a lake like that."""
    return Person(LocalLake(shutil.copytree(augmented, tmp_path / "lake")), {})


def error(world: GeneratedWorld, rows: list[dict[str, Any]]) -> float:
    """Return the share of mentions whose label is not what was meant."""
    pairs = [(meant(world, row["fullname"], row["brand"]), row["label"]) for row in rows]
    return sum(true != said for true, said in pairs if true) / sum(1 for true, _ in pairs if true)


def net_bias(world: GeneratedWorld, rows: list[dict[str, Any]]) -> float:
    """Return by how much the labels of all mentions show the net sentiment too low."""
    pairs = [(meant(world, row["fullname"], row["brand"]), row["label"]) for row in rows]
    missing = [LABELS.index(true) - LABELS.index(said) for true, said in pairs if true]
    return sum(missing) / len(missing)


def drawn(someone: Person, folder: Path, *words: str) -> Path:
    """Return a sheet that is not filled in yet."""
    sheet = folder / "labels.csv"
    result = someone.types("calibrate", "sheet", str(sheet), *words)
    assert result.exit_code == 0, result.output
    return sheet


def files(lake: LocalLake, *zones: str) -> dict[str, bytes]:
    paths = (path for zone in zones for path in (lake.root / zone).rglob("*"))
    return {str(path.relative_to(lake.root)): path.read_bytes() for path in paths if path.is_file()}


def test_a_filled_sheet_brings_the_tables_nearer_to_what_people_mean(
    someone: Person, world: GeneratedWorld, tmp_path: Path
) -> None:
    before = table(someone.lake, "mentions")
    assert {row["calibrated"] for row in before} == {False}
    given = fill(world, drawn(someone, tmp_path))
    made = someone.json("calibrate", "fit", str(tmp_path / "labels.csv"))
    counts = {"given": len(given), "new": len(given), "kept": len(given), "used": len(given)}
    assert (made["labels"], made["calibration"]["labels"]) == (counts, len(given))
    assert someone.types("augment").exit_code == 0
    after = table(someone.lake, "mentions")
    assert {row["calibrated"] for row in after} == {True}
    fresh = []
    for old, row in zip(before, after, strict=True):
        if label := given.get((row["fullname"], row["start"])):
            assert (row["label"], row[f"p_{label}"]) == (label, 1)
        else:
            fresh.append((old, row))
    assert error(world, after) < error(world, before) - 0.08
    # Those that nobody has judged are better, too, and the error that is left is what was told.
    assert error(world, [row for _, row in fresh]) < error(world, [old for old, _ in fresh]) - 0.02
    calibration = made["calibration"]
    left = net_bias(world, [row for _, row in fresh])
    assert abs(left - calibration["net_bias"]) < 2 * calibration["net_bias_se"]
    assert calibration["net_bias_se"] < 0.1
    assert len(calibration["by_aspect"]) >= 4


def test_labels_change_nothing_but_what_follows_from_them(
    someone: Person, world: GeneratedWorld, tmp_path: Path
) -> None:
    fill(world, drawn(someone, tmp_path))
    someone.types("calibrate", "fit", str(tmp_path / "labels.csv"))
    before = files(someone.lake, "augmented")
    someone.types("augment")
    after = files(someone.lake, "augmented")
    changed = {name.split("/")[1] for name in after if after[name] != before[name]}
    assert changed == {"mentions", "daily_opinion", "_built"}
    assert all(one["built"] == 0 for one in someone.json("augment"))
    assert all(one["unchanged"] == 0 for one in someone.json("augment", "--rebuild", "--jobs", "2"))
    again = files(someone.lake, "augmented")
    assert {name: again[name] for name in after if "lock" not in name} == {
        name: content for name, content in after.items() if "lock" not in name
    }


def test_nobody_is_asked_twice_and_a_second_sheet_adds_to_the_first(
    someone: Person, world: GeneratedWorld, tmp_path: Path
) -> None:
    first = fill(world, drawn(someone, tmp_path, "--rows", "100"))
    someone.types("calibrate", "fit", str(tmp_path / "labels.csv"))
    (tmp_path / "labels.csv").unlink()
    second = fill(world, drawn(someone, tmp_path, "--rows", "100"))
    assert second
    assert first.keys().isdisjoint(second)
    told = someone.json("calibrate", "fit", str(tmp_path / "labels.csv"))
    assert told["labels"]["used"] == len(first) + len(second)


def test_of_two_labels_for_a_mention_the_newer_counts(someone: Person, world: GeneratedWorld, tmp_path: Path) -> None:
    sheet = drawn(someone, tmp_path)
    given = fill(world, sheet)
    someone.types("calibrate", "fit", str(sheet))
    (fullname, start), label = next((place, label) for place, label in given.items() if label == "negative")
    lines = sheet.read_text(encoding="utf-8")
    sheet.write_text(lines.replace(",negative,", ",positive,"), encoding="utf-8")
    assert someone.json("calibrate", "fit", str(sheet))["labels"]["kept"] == len(given)
    someone.types("augment")
    (row,) = (row for row in table(someone.lake, "mentions") if (row["fullname"], row["start"]) == (fullname, start))
    assert (label, row["label"]) == ("negative", "positive")


def test_what_was_labelled_fits_another_engine_without_the_sheet(
    someone: Person, world: GeneratedWorld, tmp_path: Path
) -> None:
    given = fill(world, drawn(someone, tmp_path))
    someone.types("calibrate", "fit", str(tmp_path / "labels.csv"))
    (tmp_path / "labels.csv").unlink()
    told = someone.json("calibrate", "fit", "--engine", "lexicon")
    assert (told["calibration"]["engine"], told["labels"]["given"]) == ("lexicon", 0)
    assert told["labels"]["used"] == len(given)
    assert sorted(files(someone.lake, "labels")) == [
        "labels/smartphones/calibration-lexicon.json",
        "labels/smartphones/calibration-linear.json",
        "labels/smartphones/corrections.jsonl",
    ]


def test_few_labels_are_kept_and_win_but_fit_nothing(someone: Person, world: GeneratedWorld, tmp_path: Path) -> None:
    given = fill(world, drawn(someone, tmp_path, "--rows", "40"))
    result = someone.types("calibrate", "fit", str(tmp_path / "labels.csv"))
    assert result.exit_code == 3
    assert f"{len(given)} labels are kept" in result.stderr
    assert "at least 60 are needed" in result.stderr
    assert list(files(someone.lake, "labels")) == ["labels/smartphones/corrections.jsonl"]
    someone.types("augment")
    rows = {(row["fullname"], row["start"]): row for row in table(someone.lake, "mentions")}
    assert {place: rows[place]["label"] for place in given} == given
    assert {row["calibrated"] for row in rows.values()} == {False}


def test_a_forgotten_author_takes_the_labels_of_what_was_written_along(
    someone: Person, world: GeneratedWorld, tmp_path: Path
) -> None:
    sheet = drawn(someone, tmp_path)
    given = fill(world, sheet)
    someone.types("calibrate", "fit", str(sheet))
    someone.types("augment")
    author = next(
        row["author"] for row in table(someone.lake, "documents") if row["fullname"] in {name for name, _ in given}
    )
    names = {row["fullname"] for row in table(someone.lake, "documents") if row["author"] == author}
    stored = str(files(someone.lake, "labels"))
    assert any(name in stored for name in names)
    assert author not in stored
    assert someone.types("forget", "--author", author, "--yes", now=NOW).exit_code == 0
    # Whoever still has the sheet brings nothing back.
    someone.types("augment")
    result = someone.types("calibrate", "fit", str(sheet))
    assert result.exit_code == 0
    assert "edited or deleted since" in result.stderr
    left = str(files(someone.lake, "labels")) + str(table(someone.lake, "mentions"))
    assert not [name for name in names if name in left]


def test_labels_hold_no_words(someone: Person, world: GeneratedWorld, tmp_path: Path) -> None:
    fill(world, drawn(someone, tmp_path))
    someone.types("calibrate", "fit", str(tmp_path / "labels.csv"))
    content = files(someone.lake, "labels")["labels/smartphones/corrections.jsonl"]
    columns = {"subreddit", "date", "fullname", "start", "end", "text_sha256"}
    columns |= {"brand", "label", "weight", "observed_at_ts"}
    rows = [json.loads(line) for line in content.splitlines()]
    assert {name for row in rows for name in row} == columns
    assert {row["brand"] for row in rows} <= {row["brand"] for row in table(someone.lake, "mentions")}


def test_a_calibration_of_another_version_of_the_model_is_not_used_and_told(
    someone: Person, world: GeneratedWorld, tmp_path: Path
) -> None:
    fill(world, drawn(someone, tmp_path))
    someone.types("calibrate", "fit", str(tmp_path / "labels.csv"))
    path = someone.lake.root / "labels" / "smartphones" / "calibration-linear.json"
    stored = json.loads(path.read_text())
    path.write_text(json.dumps({**stored, "model_hash": "0" * 16}))
    result = someone.types("augment")
    assert "belongs to another version of its model" in result.stderr
    assert {row["calibrated"] for row in table(someone.lake, "mentions")} == {False}
    someone.types("calibrate", "fit")
    assert "another version" not in someone.types("augment").stderr
    assert {row["calibrated"] for row in table(someone.lake, "mentions")} == {True}


def test_a_sheet_that_is_there_is_never_overwritten(someone: Person, tmp_path: Path) -> None:
    sheet = drawn(someone, tmp_path)
    before = sheet.read_bytes()
    result = someone.types("calibrate", "sheet", str(sheet))
    assert (result.exit_code, sheet.read_bytes()) == (2, before)
    assert "is there already" in result.stderr


HEAD = "brand,text,label,weight,mention\n"
GOOD = "phones/2026-01-06/t1_nosuch/3-9/0123456789abcdef"


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (None, 2, "cannot be read as a labelling sheet"),
        ("", 2, "no label is filled into"),
        (HEAD, 2, "no label is filled into"),
        (f"{HEAD}google,text,,1,{GOOD}\n", 2, "no label is filled into"),
        (f"{HEAD}google,text,great,1,{GOOD}\n", 2, "row 2: 'great' is no label"),
        (f"{HEAD}google,text,positive,1,{GOOD}\n", 2, "none of the mentions"),
        (f"{HEAD}google,text,positive,1,../../../etc\n", 2, "row 2: '../../../etc' is no mention"),
        ("brand;text;label;weight;mention\ngoogle;text;positive;1;x\n", 2, "with commas between the columns"),
    ],
)
def test_a_sheet_that_says_nothing_is_one_clear_line_and_changes_nothing(
    someone: Person, tmp_path: Path, content: str | None, code: int, said: str
) -> None:
    sheet = tmp_path / "labels.csv"
    if content is not None:
        sheet.write_text(content)
    result = someone.types("calibrate", "fit", str(sheet))
    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert files(someone.lake, "labels") == {}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["sheet", "labels.csv", "--market", "espresso"], 2, "no mention of the market espresso that is left to judge"),
        (["sheet", "no/such/folder/labels.csv"], 2, "cannot be written to"),
        (["sheet", "labels.csv", "--rows", "0"], 2, "0 is not in the range"),
        (["sheet", "labels.csv", "--market", "no-such"], 1, "no market is called 'no-such'"),
        (["fit", "--engine", "oracle"], 2, "is not one of"),
        (["fit"], 3, "0 labels are kept"),
    ],
)
def test_bad_input_is_one_clear_line(
    someone: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = someone.types("calibrate", *words)
    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert not (tmp_path / "labels.csv").exists()


@pytest.mark.parametrize("name", ["corrections.jsonl", "calibration-linear.json"])
@pytest.mark.parametrize("content", [b"{}\n", b"[1]\n", b"no json\n", b"\xff\n"])
def test_labels_that_cannot_be_read_are_never_taken_for_none(someone: Person, name: str, content: bytes) -> None:
    path = someone.lake.root / "labels" / "smartphones" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    result = someone.types("augment")
    assert result.exit_code == 1
    assert ("restore it from a copy" if "corrections" in name else "fit it again") in result.stderr
    assert "Traceback" not in result.stderr
    assert path.read_bytes() == content
