"""The shipped markets, read once."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from market_opinion.market import Market, load_market
from market_opinion.mentions import MentionFinder


@pytest.fixture(scope="session")
def smartphones() -> Market:
    return load_market("smartphones")


@pytest.fixture(scope="session")
def espresso() -> Market:
    return load_market("espresso")


@pytest.fixture(scope="session")
def finder(smartphones: Market) -> MentionFinder:
    return MentionFinder(smartphones)


@pytest.fixture(scope="session")
def labelled(shared_data: Path) -> Callable[[str], list[dict[str, str]]]:
    """Reads a development file of labelled texts."""

    def read(name: str) -> list[dict[str, str]]:
        with (shared_data / "opinion" / f"{name}.dev.tsv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))

    return read
