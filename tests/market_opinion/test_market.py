import dataclasses
import hashlib
import json
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner

from market_opinion.cli import main
from market_opinion.market import Market, check_market, load_market, shipped_markets
from reddit_ingest.core.errors import InvalidSetting, PlatformError

GOOD = """\
name = "tea"
title = "Tea"
version = "1"
subreddits = ["tea"]

[aspects]
taste = ["taste", "bitter*"]

[[brands]]
id = "acme"
name = "Acme"
strong = ["acme"]
families = [{ name = "Acme Leaf {}", strong = ["acme leaf"], versions = ["{1..3}{, Gold}|{1..3}"] }]
"""


@pytest.fixture
def market_file(tmp_path: Path) -> Path:
    return tmp_path / "tea.toml"


def faults(path: Path, text: str | bytes) -> list[tuple[int, str]]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    _, found = check_market(str(path))
    return [(fault.line, fault.message) for fault in found]


def test_shipped_markets_have_no_fault() -> None:
    assert shipped_markets() == ["espresso", "smartphones"]
    for name in shipped_markets():
        assert check_market(name)[1] == []


def test_the_smartphone_market_has_its_size(smartphones: Market) -> None:
    families = [family for brand in smartphones.brands for family in brand.families]
    current = {family.versions[version].id for family in families for version in family.current}
    assert len(smartphones.brands) >= 30
    assert len(current) >= 300
    assert len({product.id for product in smartphones.products}) == len(smartphones.products)
    assert {"battery", "camera", "display", "price", "performance", "software", "design", "support"} <= set(
        smartphones.aspects
    )


def test_a_market_tells_the_hash_of_its_file(smartphones: Market) -> None:
    content = (files("market_opinion") / "markets" / "smartphones.toml").read_bytes()
    assert smartphones.sha256 == hashlib.sha256(content).hexdigest()


def test_a_market_is_read_from_a_file(market_file: Path) -> None:
    market_file.write_text(GOOD.replace("|{1..3}", ""), encoding="utf-8")
    market = load_market(str(market_file))
    assert (market.name, market.version, market.subreddits, market.aspects) == ("tea", "1", ("tea",), ("taste",))
    assert [(brand.id, brand.name) for brand in market.brands] == [("acme", "Acme")]
    assert [(product.id, product.name) for product in market.products][:3] == [
        ("acme-leaf", "Acme Leaf"),
        ("acme-leaf-1", "Acme Leaf 1"),
        ("acme-leaf-1-gold", "Acme Leaf 1 Gold"),
    ]
    assert {product.brand_id for product in market.products} == {"acme"}


def test_a_market_cannot_be_changed(smartphones: Market) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        smartphones.name = "x"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('name = "tea"', 'name = "Tea!"', 1, "no id"),
        ('name = "tea"\n', "", 1, "lacks 'name'"),
        ('version = "1"', "version = 1", 3, "'version' must be a text in quotes"),
        ('version = "1"', 'version = "1"\ntime_zone = "Mars/Base"', 4, "no time zone"),
        ('version = "1"', 'version = "1', 3, "not TOML"),
        ('subreddits = ["tea"]', 'subreddits = ["no way"]', 4, "not a subreddit name"),
        ('subreddits = ["tea"]', "subreddits = [7]", 4, "must hold texts in quotes, not 7"),
        ("subreddits", "subredits", 4, "did you mean 'subreddits'?"),
        ('taste = ["taste", "bitter*"]', "taste = []", 7, "has no terms"),
        ('"bitter*"', '"b*"', 7, "* may stand only at the end"),
        ('"bitter*"]', '"bitter"]\nsmell = ["smell", "bitter"]', 8, "belongs to 'taste' already"),
        ('id = "acme"\n', "", 10, "the brand lacks 'id'"),
        ('strong = ["acme"]', 'strong = ["acme", "7"]', 12, "'7' cannot stand alone"),
        ('strong = ["acme"]', 'strong = ["acme", "!"]', 12, "neither letter nor digit"),
        ('strong = ["acme"]', 'strong = ["acme"]\nweak = ["acme"]', 13, "as strong and weak"),
        ('strong = ["acme"]', 'strong = ["acme"]\nnot = ["green leaf"]', 13, "excludes nothing"),
        ("Acme Leaf {}", "Acme Leaf", 13, "needs {} where the version stands"),
        ('"{1..3}{, Gold}|{1..3}"', '"{1..3"', 13, "a brace without its other half"),
        ('"{1..3}{, Gold}|{1..3}"', '"{3..1}"', 13, "runs backwards"),
        ('"{1..3}{, Gold}|{1..3}"', '"{1}"', 13, "only one choice"),
        ('"{1..3}{, Gold}|{1..3}"', '"1", "{1,2}"', 13, "stands twice"),
        ('"{1..3}{, Gold}|{1..3}"', '"{0..9999}{0..9999}{0..9999}"', 13, "more than 5,000 products"),
        ("[[brands]]", "[[brand]]", 9, "did you mean 'brands'?"),
    ],
)
def test_a_fault_is_told_with_its_line(market_file: Path, old: str, new: str, line: int, message: str) -> None:
    assert old in GOOD
    found = faults(market_file, GOOD.replace(old, new, 1))
    assert any(at == line and message in told for at, told in found), found


def test_an_alias_of_two_brands_is_a_fault_of_the_second(market_file: Path) -> None:
    second = '\n[[brands]]\nid = "other"\nname = "Other"\nstrong = ["acme"]\n'
    assert faults(market_file, GOOD.replace("|{1..3}", "") + second) == [
        (18, "the alias 'acme' belongs to 'acme' already")
    ]


def test_all_faults_are_told_at_once_and_in_order(market_file: Path) -> None:
    found = faults(
        market_file, GOOD.replace('"tea"', '"T"', 1).replace('"bitter*"', '"b*"').replace('"acme"]', '"1"]', 1)
    )
    assert [line for line, _ in found] == sorted(line for line, _ in found)
    assert {1, 7, 12} <= {line for line, _ in found}


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"a = " + b"[" * 100_000, b"[[brands]]\n" * 3, b"brands = 7\naspects = 1"]
)
def test_what_is_no_market_is_told_and_never_read(market_file: Path, content: bytes) -> None:
    assert faults(market_file, content)
    with pytest.raises(InvalidSetting, match=r"tea\.toml:\d+: "):
        load_market(str(market_file))


@pytest.mark.parametrize("name", ["nope", "/does/not/exist.toml", ".", "a\0b", "../smartphones"])
def test_a_market_that_is_not_there_is_an_error_of_one_line(name: str) -> None:
    with pytest.raises(PlatformError) as caught:
        load_market(name)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_too_large_is_not_read(market_file: Path) -> None:
    market_file.write_bytes(b"#" * (2 << 20))
    with pytest.raises(InvalidSetting, match="over 1 MiB"):
        load_market(str(market_file))


def test_the_command_tells_faults_with_lines_and_fails(market_file: Path) -> None:
    market_file.write_text(GOOD.replace("strong", "stronk", 1), encoding="utf-8")
    answer = CliRunner().invoke(main, ["market", "check", str(market_file), "smartphones"])
    assert answer.exit_code == 1
    assert f"{market_file}:12: a brand has no 'stronk'; did you mean 'strong'?" in answer.stdout
    assert "smartphones: no fault; smartphones" in answer.stdout


def test_the_command_answers_programs_too(market_file: Path) -> None:
    answer = CliRunner().invoke(main, ["market", "check", str(market_file), "espresso", "--json"])
    missing, espresso = json.loads(answer.stdout)
    assert answer.exit_code == 1
    assert missing["faults"][0]["line"] is None
    assert (espresso["faults"], espresso["market"]) == ([], "espresso")


def test_the_shipped_markets_are_listed() -> None:
    answer = CliRunner().invoke(main, ["market", "list", "--json"])
    assert answer.exit_code == 0
    assert [market["market"] for market in json.loads(answer.stdout)] == shipped_markets()
