"""The names of a market, made ready for the search: what may stand in a text, and what each of it may mean."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from .market import Brand, Family, Market, Product, Strength

# "the 17", "my 15": without one of these before it a number is just a number.
ARTICLES = ("the", "my", "this", "your", "his", "her", "our", "vs", "old", "new")

_TOKEN = re.compile(r"[^\W\d_]+|\d+|\+")
# "s24u", "s24 ultra", "s24+": nothing else is written so.
_TELLING = re.compile(r"[^\W\d_]+ ?\d+\D.*")
# "9a", "12x": as often a step of a list, an hour or a count.
_PLAIN = re.compile(r"\d+[^\W\d_]")
_YEAR = re.compile(r"(?:19|20)\d\d")


class Kind(IntEnum):
    """What a name is, and by which of them it is taken where several are written alike."""

    NAME = 0
    """A brand or a family; a version may follow."""
    FORM = 1
    """A product, written in a way that stands alone."""
    SHORT = 2
    """A product without its brand or family."""
    BARE = 3
    """A version that is a plain number, after an article."""
    EXCLUDED = 4
    """A phrase in which the alias that it holds is not meant."""


@dataclass(slots=True)
class Name:
    """What one way of writing may mean.

    `start` is where the name begins in its pattern (behind an article). `product` is that of a family or form;
    `candidates` are the products of short and bare names by brand; `versions` tells the product of what may follow, by
    key, and `beginnings` are the beginnings of those keys. What a short name `says`
    by itself: 2 enough, 1 enough where the market is spoken of, 0 nothing.
    """

    kind: Kind
    brand: str = ""
    strength: Strength = Strength.STRONG
    product: Product | None = None
    start: int = 0
    candidates: dict[str, Product] = field(default_factory=dict)
    versions: dict[str, Product] = field(default_factory=dict)
    beginnings: frozenset[str] = frozenset()
    has_years: bool = False
    says: int = 1


def fold(text: str) -> str:
    """Return a text for comparing, of the same length: lower case, hyphens as spaces, one kind of apostrophe."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    return lower.replace("-", " ").replace("’", "'")


def names_of(market: Market) -> dict[str, Name]:
    """Return the folded ways of writing and what they mean."""
    names: dict[str, Name] = {}
    for brand in market.brands:
        for pattern, name in _names_of_brand(brand, market.variants):
            known = names.setdefault(pattern, name)
            if known is not name and known.kind is name.kind and name.candidates:
                known.candidates = name.candidates | known.candidates
            elif name.kind < known.kind:
                names[pattern] = name
    return names


def _names_of_brand(brand: Brand, variants: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, Name]]:
    keyed = [(family, _keys(family, variants)) for family in brand.families]
    # A family without names of its own is written with the brand's: "Xiaomi 15".
    after_brand = {key: product for family, keys in keyed if not family.aliases for key, product in keys.items()}
    for alias, strength in brand.aliases.items():
        yield fold(alias), _name(brand, strength, None, after_brand)
    for family, keys in keyed:
        for alias, strength in family.aliases.items():
            yield fold(alias), _name(brand, strength, family.product, keys)
        yield from _full_names(brand, family, variants)
    for alias in brand.other:
        yield fold(alias), Name(Kind.NAME, brand.id)
    for phrase in brand.excluded:
        yield fold(phrase), Name(Kind.EXCLUDED)


def _name(brand: Brand, strength: Strength, product: Product | None, versions: dict[str, Product]) -> Name:
    beginnings = frozenset(beginning for key in versions for beginning in _beginnings(key))
    has_years = any(_YEAR.search(key) for key in versions)
    return Name(Kind.NAME, brand.id, strength, product, versions=versions, beginnings=beginnings, has_years=has_years)


def _full_names(brand: Brand, family: Family, variants: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, Name]]:
    for version, product in family.versions.items():
        for form in family.forms:
            yield fold(form.replace("{}", version)), Name(Kind.FORM, brand.id, product=product)
    for version in family.current:
        for spelled in _spellings(version, variants):
            for short in family.short:
                yield from _short_names(fold(short.replace("{}", spelled)), brand.id, family.versions[version])


def _short_names(written: str, brand_id: str, product: Product) -> Iterator[tuple[str, Name]]:
    candidates = {brand_id: product}
    if written.isdigit():
        for article in ARTICLES:
            pattern = f"{article} {written}"
            yield pattern, Name(Kind.BARE, start=len(article) + 1, candidates=dict(candidates))
    elif any(char.isdigit() for char in written) and len(written) > 1:
        yield written, Name(Kind.SHORT, candidates=candidates, says=_says(written))


def _says(written: str) -> int:
    return 2 if _TELLING.fullmatch(written) else 0 if _PLAIN.fullmatch(written) else 1


def _keys(family: Family, variants: Mapping[str, tuple[str, ...]]) -> dict[str, Product]:
    """Return the products by version key: the tokens of the version without anything between them."""
    return {
        "".join(tokens): product
        for version, product in family.versions.items()
        for tokens in _token_lists(version, variants)
    }


def _spellings(version: str, variants: Mapping[str, tuple[str, ...]]) -> set[str]:
    spellings = {version}
    for tokens in _token_lists(version, variants):
        spellings |= {_spaced(tokens), "".join(tokens)}
    return spellings


def _spaced(tokens: tuple[str, ...]) -> str:
    """Return tokens as they are written: words apart, single letters and signs close to what is before them."""
    apart = [token if len(token) == 1 and not token.isdigit() else f" {token}" for token in tokens]
    return "".join(apart).strip()


def _token_lists(version: str, variants: Mapping[str, tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Return a version's tokens, and those of its other spellings: ("24", "ultra"), ("24", "u")."""
    lists = {tuple(_TOKEN.findall(version.lower()))}
    for word, others in variants.items():
        spellings = [tuple(_TOKEN.findall(spelling)) for spelling in (word, *others)]
        for tokens in list(lists):
            lists |= set(_replaced(tokens, spellings))
    return lists


def _replaced(tokens: tuple[str, ...], spellings: list[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    for spelling in spellings:
        for place in range(len(tokens) - len(spelling) + 1):
            if tokens[place : place + len(spelling)] == spelling:
                yield from (tokens[:place] + other + tokens[place + len(spelling) :] for other in spellings)


def _beginnings(key: str) -> Iterable[str]:
    return (key[:length] for length in range(1, len(key) + 1))
