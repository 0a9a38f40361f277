"""The report: what its figures are counted from, what it quotes, and what it must never show."""

import csv
import json
import random
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from market_opinion.cli import main
from market_opinion.cli.report import write
from market_opinion.documents import SET_ASIDE
from market_opinion.label_store import LabelStore
from market_opinion.sentiment.calibrating import Calibration
from market_opinion.sentiment.scoring import make_scorer
from reddit_ingest.bootstrap import LocalLake
from reddit_ingest.core.errors import InvalidRequest

from ..market_opinion.report.made import Page
from .conftest import HOUR, Person, comment, submission

DAY = 24 * HOUR
T0 = 1_767_571_200  # 2026-01-05 00:00 UTC
LAST = T0 + DAY
NOW = T0 + 2 * DAY + 300
PERIOD = ("--since", "2026-01-06", "--until", "2026-01-06")
OPINIONS = [
    "The camera of my iPhone 17 is fantastic, I love it.",
    "My Galaxy S25 has a terrible battery, what a disappointment.",
    "I have the Pixel 9 and it is a phone like any other.",
    "The screen of the Galaxy S25 is great, though.",
    "iPhone battery life is awful since the update.",
    "The Pixel 9 camera is better than the Galaxy S25 camera.",
]
WORDS = "my friend from work bought one last year and still says every day that winter makes it slow again"
HOSTILE = [
    "My iPhone says <script>alert('pixel')</script> and it is awful.",
    "The Galaxy S25 \"is\" 'great' {{ 7 * 7 }} {% raw %} </script></style> I love it.",
    "The Pixel 9 is \u202egreat\u202c and I love it, really.",
    "My iPhone 17 is great " + "x" * 250 + " I love it.",
    "The Galaxy S25 battery is awful 😀 e\u0301 &lt;b&gt; &amp; so on.",
]


def world() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Two days of one subreddit; on the second one a forgetful author, and texts that no page should trust."""
    threads = [
        submission(1, T0 + 60, title="Which phone to buy?", selftext=""),
        submission(2, LAST + 60, title="Canary thread about my iPhone", selftext="", author="Canary_One"),
        submission(3, LAST + 90, title="<script>alert(1)</script> {{ title }}", selftext="Galaxy S25?"),
    ]
    threads[1]["permalink"] = "/r/phones/comments/s00002/canary_thread/"
    threads[2]["permalink"] = '/r/phones/comments/s00003/"><script>alert(1)</script>/'
    answers, chance = [], random.Random(5)
    for number in range(90):
        day, link = ((T0, "s00001"), (LAST, "s00002"), (LAST, "s00003"))[number % 3]
        text = f"{OPINIONS[number % 6 if number % 7 else 0]} {' '.join(chance.sample(WORDS.split(), 14)).capitalize()}."
        told = {"author": f"reader{number % 13}", "body": text}
        if link == "s00002":
            told["permalink"] = f"/r/phones/comments/s00002/canary_thread/c{number}/"
        answers.append(comment(number, day + 300 + 60 * number, link, **told))
    for number, text in enumerate(HOSTILE, start=100):
        answers.append(comment(number, LAST + 300 + 60 * number, "s00003", author=f"hostile{number}", body=text))
    canary = "The canary iPhone 17 is fantastic, I love its camera so much."
    answers.append(comment(200, LAST + 7 * HOUR, "s00001", author="Canary_One", body=canary, score=900))
    offers = [
        comment(
            300 + n, LAST + 8 * HOUR + n, "s00001", author="Shouting_One", body="Galaxy S25, best price: buy now here!"
        )
        for n in range(9)
    ]
    return threads, answers + offers


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a lake is kept that every test gets a copy of; the first one makes it."""
    return tmp_path_factory.mktemp("reported") / "lake"


@pytest.fixture
def someone(reddit, person, world_of, kept: Path) -> Person:
    """A person with the augmented lake of that world."""
    someone: Person = person(reddit(world_of(*world()), NOW))
    if kept.exists():
        shutil.copytree(kept, someone.lake.root)
    else:
        landed = someone.types("backfill", "phones", "--start", str(T0), "--end", str(T0 + 2 * DAY), now=NOW)
        assert landed.exit_code == 0, landed.output
        assert someone.types("augment", "--engine", "lexicon").exit_code == 0
        shutil.copytree(someone.lake.root, kept)
    return someone


def report(someone: Person, *words: str) -> str:
    """Make the report of the second day and return the page."""
    result = someone.types("report", *(words or PERIOD))
    assert result.exit_code == 0, result.output
    return Path(result.stdout.splitlines()[-1]).read_text(encoding="utf-8")


def figures(someone: Person, *words: str) -> Any:
    return someone.json("report", *(words or PERIOD))


def rows(someone: Person, table: str) -> list[dict[str, Any]]:
    """Return all rows of a table, read without anything of this platform."""
    parts = sorted((someone.lake.root / "augmented" / table).rglob("part.parquet"))
    assert parts
    return [row for part in parts for row in pq.read_table(part, partitioning=None).to_pylist()]


def test_figures_are_what_one_counts_by_hand(someone: Person) -> None:
    told = figures(someone)
    now = [row for row in rows(someone, "mentions") if row["created_utc"] >= LAST]
    counted = [row for row in now if not SET_ASIDE & {*row["flags"]}]
    assert len(now) > len(counted) > 40
    assert told["mentions"] == len(counted)
    assert told["authors"] == len({row["author"] for row in counted})
    assert told["set_aside"]["mentions"] == len(now) - len(counted)
    by_brand = Counter(row["brand"] for row in counted)
    labels = Counter((row["brand"], row["label"]) for row in counted)
    assert {brand["brand"]: brand["opinion"]["mentions"] for brand in told["brands"]} == by_brand
    for brand in told["brands"]:
        name, opinion = brand["brand"], brand["opinion"]
        assert brand["share"]["value"] == pytest.approx(by_brand[name] / len(counted))
        assert opinion["positive"] == labels[name, "positive"]
        net = (labels[name, "positive"] - labels[name, "negative"]) / by_brand[name]
        assert opinion["net"]["value"] == pytest.approx(net)
        assert brand["before"]["mentions"] == sum(
            row["brand"] == name and row["created_utc"] < LAST and not SET_ASIDE & {*row["flags"]}
            for row in rows(someone, "mentions")
        )
    documents = [row for row in rows(someone, "documents") if row["created_utc"] >= LAST]
    assert told["documents"] == sum(not SET_ASIDE & {*row["flags"]} for row in documents)
    by_cell = Counter((row["brand"], aspect) for row in counted for aspect in row["aspects"])
    assert {(cell["brand"], cell["aspect"]): cell["opinion"]["mentions"] for cell in told["cells"]} == by_cell
    assert told["coverage"]["subreddits"][0]["whole"] == 24


def test_every_quote_stands_in_the_lake_byte_for_byte(someone: Person) -> None:
    shown = Page(report(someone)).texts["blockquote"]
    said = [row["body"] for row in someone.rows("phones", "comments").values()]
    said += [text for row in someone.rows("phones", "submissions").values() for text in (row["title"], row["selftext"])]
    assert len(shown) > 20
    assert [quote for quote in shown if not any(quote.encode() in text.encode() for text in said)] == []


def test_what_is_forgotten_is_gone_from_the_next_page_before_the_tables_are_made_anew(someone: Person) -> None:
    before = report(someone)
    assert "canary iPhone" in before
    assert "Canary thread" in before
    assert "canary_thread" in before
    pages = someone.lake.root / "reports"
    assert someone.types("report", *PERIOD).exit_code == 0
    assert len([*pages.iterdir()]) == 1
    assert someone.types("forget", "--author", "u/Nobody_Here", "--yes", now=NOW + DAY).exit_code == 1
    assert len([*pages.iterdir()]) == 1
    forgotten = someone.types("forget", "--author", "u/Canary_One", "--yes", now=NOW + DAY)
    assert forgotten.exit_code == 0
    assert f"{pages} may quote it and were removed" in forgotten.stderr
    assert [*pages.iterdir()] == []
    for _ in ("before augment", "after it"):
        page = report(someone)
        assert "canary" not in page.lower()
        assert "Which phone to buy?" in page
        assert "/comments/s00002/_/" in page
        assert "canary" not in json.dumps(figures(someone)).lower()
        assert someone.types("augment", "--engine", "lexicon").exit_code == 0


def test_a_loud_author_that_is_forgotten_is_not_named(someone: Person) -> None:
    assert "Shouting_One" in Page(report(someone)).text("#author-table")
    assert someone.types("forget", "--author", "u/Shouting_One", "--yes", now=NOW + DAY).exit_code == 0
    assert "Shouting_One" not in report(someone)


def test_the_same_lake_gives_the_same_bytes(someone: Person) -> None:
    assert report(someone) == report(someone)
    again = someone.types("report", *PERIOD, "--json").stdout
    assert someone.types("report", *PERIOD, "--json").stdout == again


def test_hostile_text_stays_text(someone: Person) -> None:
    source = report(someone)
    page = Page(source)
    assert page.unbalanced == []
    assert len(page.of("script")) == 1
    assert not [name for _, told in page.elements for name in told if name.startswith("on")]
    assert "<script>alert('pixel')</script>" in page.text("blockquote")
    assert "{{ title }}" in page.text("cite")
    outside = [told["href"] or "" for told in page.of("a") if not (told["href"] or "").startswith("#")]
    assert outside
    assert [address for address in outside if not address.startswith("https://www.reddit.com/r/phones/comments/")] == []
    assert [address for address in outside if "s00003" in address and "script" in address] == []


def test_the_page_is_small_and_asks_no_network_for_anything(someone: Person) -> None:
    source = report(someone)
    assert len(source.encode()) < 3_000_000
    assert source.replace("https://www.reddit.com/r/phones/comments/", "").count("://") == 0


def test_every_number_in_the_tables_is_in_the_json(someone: Person) -> None:
    page = Page(report(someone))
    told = {*numbers(figures(someone)), *range(10)}
    card = json.loads(Path(make_card()).read_text(encoding="utf-8"))
    told |= {*numbers(card["figures"])}
    shown = [attributes["data-value"] or "" for _, attributes in page.elements if attributes.get("data-value")]
    assert len(shown) > 80
    assert [value for value in shown if float(value) not in told] == []


def make_card() -> str:
    import market_opinion.sentiment

    return f"{Path(market_opinion.sentiment.__file__).parent}/models/card.json"


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for one in value.values() for number in numbers(one)]
    if isinstance(value, list):
        return [number for one in value for number in numbers(one)]
    return [float(value)] if isinstance(value, (int, float)) and not isinstance(value, bool) else []


def test_csv_holds_what_json_holds(someone: Person, tmp_path: Path) -> None:
    told = figures(someone, *PERIOD, "--csv", str(tmp_path / "tables"))

    def table(name: str) -> list[dict[str, str]]:
        with (tmp_path / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    assert [row["text"] for row in table("quotes")] == [quote["text"] for quote in told["quotes"]]
    for row, brand in zip(table("brands"), told["brands"], strict=True):
        assert float(row["share_low"]) == brand["share"]["low"]
        assert int(row["mentions_before"]) == brand["before"]["mentions"]
    assert len(table("daily")) == sum(len(brand["days"]) for brand in told["brands"])
    assert {path.stem for path in (tmp_path / "tables").iterdir()} == {
        *("brands", "products", "cells", "daily", "duels", "quotes", "marked_days", "coverage", "set_aside")
    }


def test_days_that_were_hardly_seen_are_warned_of_at_the_top(someone: Person) -> None:
    source = report(someone, "--until", "2026-01-06", "--days", "7")
    assert source.index('id="warning"') < source.index('id="headlines"')
    assert "120 of 168 hours not seen whole" in Page(source).text("#warning")
    assert 'id="warning"' not in report(someone)


def test_a_calibration_of_the_tables_engine_is_told(someone: Person) -> None:
    assert figures(someone)["method"]["is_calibrated"] is False
    scorer = make_scorer("lexicon")
    fitted = Calibration("lexicon", scorer.model_hash, 0.1, -0.1, 300, "0" * 64, 0.05, 0.02, {})
    LabelStore(someone.lake.augmented(), "smartphones").keep(fitted)
    uncalibrated = figures(someone)
    assert uncalibrated["method"]["is_calibrated"] is False
    assert someone.types("augment", "--engine", "lexicon").exit_code == 0
    method = figures(someone)["method"]
    assert (method["is_calibrated"], method["labels"], method["net_bias"]) == (True, 300, 0.05)
    assert 'id="uncalibrated"' not in report(someone)


def test_another_market_has_a_report_of_its_own(reddit, person, world_of) -> None:
    threads = [submission(1, T0 + 60, "espresso", title="Which machine?", selftext="I love my Breville Bambino.")]
    someone: Person = person(reddit(world_of(threads), NOW))
    someone.types("backfill", "espresso", "--start", str(T0), "--end", str(T0 + DAY), now=NOW)
    assert someone.types("augment", "--market", "espresso", "--engine", "lexicon").exit_code == 0
    page = Page(report(someone, "--market", "espresso", "--days", "1"))
    assert page.text("h1").startswith("Espresso")
    assert "only Breville" in page.text("#headlines") or "only Sage" in page.text("#headlines")
    assert page.unbalanced == []


def test_without_a_period_it_is_the_last_whole_days(someone: Person) -> None:
    assert figures(someone, "--days", "1")["period"] == {"first": "2026-01-06", "last": "2026-01-06"}
    assert figures(someone, "--days", "2")["period"] == {"first": "2026-01-05", "last": "2026-01-06"}
    assert figures(someone, "--since", "2026-01-05")["period"] == {"first": "2026-01-05", "last": "2026-01-06"}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--since", "2026-01-06", "--until", "2026-01-05"), "the period ends on 2026-01-05, before it begins"),
        (("--until", "2030-01-01"), "nobody has looked at 2030-01-01 yet; the last day in the lake is 2026-01-06"),
        (("--since", "2030-01-01", "--until", "2030-01-02"), "nobody has looked at 2030-01-02 yet"),
        (("--since", "0001-01-01"), "Reddit began on 2005-06-23"),
        (("--since", "2020-01-01"), "a report tells of 366 at most"),
        (("--until", "2025-12-01"), "nothing was said of the market smartphones from 2025-11-25 to 2025-12-01"),
        (("--market", "espresso"), "nothing was said of the market espresso"),
        (("--market", "./no.toml"), "no.toml"),
        ((*PERIOD, "--output", "/proc/nowhere/page.html"), "cannot be written"),
    ],
)
def test_what_cannot_be_told_is_one_clear_line(someone: Person, words: tuple[str, ...], why: str) -> None:
    result = someone.types("report", *words)
    assert result.exit_code == (1 if "./no.toml" in words else 2)
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert why in line


def test_a_day_that_is_none_is_wrong_use(someone: Person) -> None:
    result = someone.types("report", "--since", "yesterday")
    assert result.exit_code == 2
    assert "'yesterday' is no day; write 2026-01-05" in result.stderr


def test_without_a_lake_or_tables_the_next_step_is_told(person: Callable[..., Person], reddit, world_of) -> None:
    nobody = person(reddit(world_of([submission(1, T0 + 60)]), NOW))
    assert "run `market-opinion ingest` first" in nobody.types("report").stderr
    nobody.types("backfill", "phones", "--start", str(T0), "--end", str(T0 + HOUR), now=NOW)
    assert "run `market-opinion augment` first" in nobody.types("report").stderr


def test_a_page_that_cannot_be_written_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    write(target, "old")
    with pytest.raises(InvalidRequest, match="cannot be written"):
        write(target, "half \ud800")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert target.read_text() == "old"
    write(target, "new")
    assert target.read_text() == "new"


def test_the_summary_and_the_place_of_the_page_are_printed(someone: Person) -> None:
    lines = someone.types("report", *PERIOD).stdout.splitlines()
    assert lines[0].split()[:3] == ["brand", "mentions", "share"]
    assert lines[-1] == str(someone.lake.root / "reports" / "smartphones-2026-01-06-2026-01-06.html")
    assert len(lines) == 3 + len(figures(someone)["brands"])


def test_with_json_a_page_is_written_only_where_it_is_asked_for(someone: Person, tmp_path: Path) -> None:
    figures(someone)
    assert not (someone.lake.root / "reports").exists()
    figures(someone, *PERIOD, "--output", str(tmp_path / "page.html"))
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_help_names_what_it_does() -> None:
    assert "quotes" in CliRunner().invoke(main, ["report", "--help"]).output


@pytest.mark.parametrize("command", ["report", "alerts"])
def test_a_damaged_part_is_named_with_what_to_do(someone: Person, tmp_path: Path, command: str) -> None:
    lake = LocalLake(shutil.copytree(someone.lake.root, tmp_path / "damaged"))
    for part in (lake.root / "augmented" / "mentions").rglob("part.parquet"):
        part.write_bytes(b"PAR1 and nothing else")
    result = Person(lake, {}).types(command)
    assert result.exit_code == 1
    assert re.search(r"[\"']augmented/mentions/subreddit=\w+/date=[\d-]+/part.parquet[\"']", result.stderr)
    assert "`market-opinion augment --rebuild` makes them anew" in result.stderr
    assert str(tmp_path) not in result.stderr
