"""A market: its brands and products, how people write them, and what about them people have opinions on.

A market is one TOML file; `docs/markets.md` describes it. Nothing in the code knows what is sold there.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from reddit_ingest.core.errors import InvalidSetting

UNKNOWN = "unknown"
"""Stands for the product where a version was named that the market does not list."""


class Strength(StrEnum):
    """How much an alias says by itself."""

    STRONG = "strong"
    """Stands alone."""
    WEAK = "weak"
    """Has another meaning too: counts where the market is meant in the sentence, the title or the subreddit."""
    COMMON = "common"
    """An everyday word: counts only as a proper noun besides."""


@dataclass(frozen=True, slots=True)
class Product:
    """A product, or a family of them named without version (`iphone`: some iPhone)."""

    id: str
    brand_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Family:
    """Products that share a name and differ in their version.

    `aliases` are ways to write the shared name; a family without any is written with the brand's ("Xiaomi 15"), and has
    no `product` of its own. `forms` and `short` hold `{}` for the version: forms stand alone ("phone ({})"), short ones
    need the brand from elsewhere ("s{}"). `versions` tells the product of each version; only those in `current` have
    short forms.
    """

    name: str
    product: Product | None
    aliases: dict[str, Strength]
    forms: tuple[str, ...]
    short: tuple[str, ...]
    versions: dict[str, Product]
    current: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Brand:
    """A maker: the ways to write it, the subreddits about it, its families, and phrases in which it is not meant.

    `other` are names that stand alone for the brand and take no version, such as its software.
    """

    id: str
    name: str
    aliases: dict[str, Strength]
    other: tuple[str, ...]
    subreddits: tuple[str, ...]
    families: tuple[Family, ...]
    excluded: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Market:
    """A market as its file defines it; `sha256` is that of the file's bytes.

    `context` are words that show that this market is spoken of. `variants` are words that make another product of a
    version, with other ways to write them ("ultra": "u"). After a number, `units` show that it is none of a product.
    """

    name: str
    title: str
    version: str
    sha256: str
    time_zone: str
    brands: tuple[Brand, ...]
    aspect_terms: dict[str, tuple[str, ...]]
    own_subreddits: tuple[str, ...]
    context: tuple[str, ...]
    variants: dict[str, tuple[str, ...]]
    units: tuple[str, ...]

    @cached_property
    def subreddits(self) -> tuple[str, ...]:
        """The subreddits of the market, then those about one brand."""
        of_brands = (subreddit for brand in self.brands for subreddit in brand.subreddits)
        return tuple(dict.fromkeys((*self.own_subreddits, *of_brands)))

    @cached_property
    def products(self) -> tuple[Product, ...]:
        """All products, families first; a brand's stand together."""
        found: list[Product] = []
        for family in (family for brand in self.brands for family in brand.families):
            found += [family.product] if family.product else []
            found += family.versions.values()
        return tuple(dict.fromkeys(found))

    @cached_property
    def aspects(self) -> tuple[str, ...]:
        """The ids of the aspects."""
        return tuple(self.aspect_terms)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something wrong in a market file, and the line it stands in."""

    line: int
    message: str


_SHIPPED = files(__package__) / "markets"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")
_BYTES_AT_MOST = 1 << 20


def shipped_markets() -> list[str]:
    """Return the names of the markets that come with the package."""
    return sorted(entry.name.removesuffix(".toml") for entry in _SHIPPED.iterdir() if entry.name.endswith(".toml"))


def load_market(name_or_path: str) -> Market:
    """Return a shipped market by its name (`smartphones`), or the one that a file defines.

    Raises:
        InvalidSetting: there is no such market, or its file has a fault; the message names file and line.
    """
    market, faults = check_market(name_or_path)
    if market is None:
        more = f" (and {len(faults) - 1} more: market-opinion market check {name_or_path})" if len(faults) > 1 else ""
        raise InvalidSetting(f"{name_or_path}:{faults[0].line}: {faults[0].message}{more}")
    return market


def check_market(name_or_path: str) -> tuple[Market | None, list[Fault]]:
    """Return the market, or every fault of its file in order of line.

    Raises:
        InvalidSetting: there is no such market, or its file cannot be read.
    """
    from .market_file import read_market

    return read_market(_content(name_or_path))


def _content(name_or_path: str) -> bytes:
    if _NAME.fullmatch(name_or_path):
        if name_or_path in shipped_markets():
            return (_SHIPPED / f"{name_or_path}.toml").read_bytes()
        if not Path(name_or_path).exists():
            raise InvalidSetting(
                f"no market is called {name_or_path!r}; shipped are {', '.join(shipped_markets())},"
                " or name a file, for example ./my-market.toml"
            )
    try:
        with Path(name_or_path).open("rb") as file:
            content = file.read(_BYTES_AT_MOST + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InvalidSetting(f"{name_or_path[:200]!r} cannot be read as a market file: {why}") from error
    if len(content) > _BYTES_AT_MOST:
        raise InvalidSetting(f"{name_or_path} is over 1 MiB; a market file is a short text, see `market check --help`")
    return content
