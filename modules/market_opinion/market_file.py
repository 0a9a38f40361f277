"""Reads a market file and finds every fault in it, each with its line."""

import difflib
import re
import tomllib
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import Any

from reddit_ingest.core.errors import InvalidRequest
from reddit_ingest.core.names import subreddit_key

from .market import UNKNOWN, Brand, Family, Fault, Market, Product, Strength

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_SYNTAX_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d{1,4})\.\.(\d{1,4})")
_PRODUCTS_AT_MOST = 5_000
_TERM_AT_LEAST = 3
_MESSAGE_AT_MOST = 300

Table = Mapping[str, Any]

_MARKET: dict[str, type] = {
    "name": str,
    "title": str,
    "version": str,
    "time_zone": str,
    "subreddits": list,
    "context": list,
    "units": list,
    "variants": dict,
    "aspects": dict,
    "brands": list,
}
_BRAND: dict[str, type] = {
    "id": str,
    "name": str,
    "strong": list,
    "weak": list,
    "common": list,
    "other": list,
    "not": list,
    "subreddits": list,
    "families": list,
}
_FAMILY: dict[str, type] = {
    "name": str,
    "strong": list,
    "weak": list,
    "common": list,
    "short": list,
    "versions": list,
    "older": list,
}
_NEEDED = {"market": ("name", "title", "version", "brands", "aspects"), "brand": ("id", "name"), "family": ("name",)}
_SAID: dict[type, str] = {str: "a text in quotes", list: "a list of texts in brackets", dict: "a table"}


def read_market(content: bytes) -> tuple[Market | None, list[Fault]]:
    """Return the market that a file's bytes define, or every fault in order of line."""
    try:
        text = content.decode("utf-8")
        table = tomllib.loads(text)
    except UnicodeDecodeError as error:
        return None, [Fault(content.count(b"\n", 0, error.start) + 1, "not UTF-8; save the file as UTF-8")]
    except tomllib.TOMLDecodeError as error:
        return None, [_syntax_fault(str(error), text)]
    except RecursionError:
        return None, [Fault(1, "brackets nest too deep for a market file")]
    reader = _Reader(text.split("\n"))
    market = reader.market(table, sha256(content).hexdigest())
    return (None, sorted(set(reader.faults))) if reader.faults else (market, [])


def _syntax_fault(message: str, text: str) -> Fault:
    at = _SYNTAX_AT.search(message)
    line = int(at[1]) if at and at[1] else text.rstrip().count("\n") + 1
    return Fault(line, f"not TOML: {_SYNTAX_AT.sub('', message)}")


@dataclass
class _Reader:
    """Walks through the tables of one file; faults are gathered, so that one look tells them all."""

    lines: list[str]
    faults: list[Fault] = field(default_factory=list)
    _at: int = 0
    _owners: dict[str, str] = field(default_factory=dict)
    # Of each product the table that it stands in, and what to look for there: its line costs a search.
    _products: dict[str, tuple[int, str]] = field(default_factory=dict)

    def market(self, table: Table, digest: str) -> Market:
        self._keys(table, _MARKET, "market")
        brands = self._brands(table)
        return Market(
            name=self._id(table, "name"),
            title=self._text(table, "title"),
            version=self._text(table, "version"),
            sha256=digest,
            time_zone=self._time_zone(table),
            brands=brands,
            aspect_terms=self._aspects(table),
            own_subreddits=self._subreddits(table),
            context=self._texts(table, "context"),
            variants=self._variants(table),
            units=self._texts(table, "units"),
        )

    # Brands ----------------------------------------------------------------------------------------------------------

    def _brands(self, table: Table) -> tuple[Brand, ...]:
        found = table.get("brands")
        tables = [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
        if "brands" in table and not tables:
            self._fault("there is no [[brands]] table", "brands")
        headers = [place for place, line in enumerate(self.lines) if re.match(r"\s*\[\[\s*brands\s*\]\]", line)]
        brands, seen = [], set[str]()
        for place, brand_table in enumerate(tables):
            self._at = headers[place] if len(headers) == len(tables) else 0
            brand = self._brand(brand_table)
            if brand.id and brand.id in seen:
                self._fault(f"the brand {brand.id!r} stands twice", brand.id)
            seen.add(brand.id)
            brands.append(brand)
        self._at = 0
        return tuple(brands)

    def _brand(self, table: Table) -> Brand:
        self._keys(table, _BRAND, "brand")
        brand_id, name = self._id(table, "id"), self._text(table, "name")
        aliases, other = self._aliases(table, brand_id), self._texts(table, "other")
        for alias in other:
            self._check_alias(alias, Strength.STRONG, brand_id, "other")
        tables = table.get("families", [])
        if isinstance(tables, list) and not all(isinstance(entry, dict) for entry in tables):
            self._fault("families is a list of tables: { name = ..., versions = [...] }", "families")
        families = tuple(
            self._family(entry, brand_id, bool(aliases))
            for entry in (tables if isinstance(tables, list) else [])
            if isinstance(entry, dict)
        )
        if brand_id and not aliases and not other and not any(family.aliases or family.forms for family in families):
            self._fault(f"nothing tells how people write the brand {brand_id!r}; add strong = [...]", brand_id)
        excluded = self._texts(table, "not")
        known = [*aliases, *(alias for family in families for alias in family.aliases)]
        for phrase in excluded:
            if not any(alias in phrase for alias in known):
                self._fault(f"{phrase!r} excludes nothing: it holds no alias of {brand_id!r}", phrase)
        return Brand(brand_id, name, aliases, other, self._subreddits(table), families, excluded)

    def _family(self, table: Table, brand_id: str, has_brand_alias: bool) -> Family:
        self._keys(table, _FAMILY, "family")
        name = self._text(table, "name")
        written = self._texts(table, "strong")
        forms = tuple(form for form in written if "{}" in form)
        aliases = self._aliases({**table, "strong": [alias for alias in written if "{}" not in alias]}, brand_id)
        current = self._versions(table, "versions", name, brand_id)
        versions = {**current, **self._versions(table, "older", name, brand_id)}
        short = self._texts(table, "short")
        self._check_family(name, aliases or forms or has_brand_alias, versions, forms, short)
        bare_name = _squeezed(name.replace("{}", " "))
        own = Product(_slug(bare_name), brand_id, bare_name) if aliases else None
        if own:
            self._product(own, name)
        return Family(name, own, aliases, forms, short, versions, tuple(current))

    def _check_family(
        self, name: str, is_written: object, versions: object, forms: tuple[str, ...], short: tuple[str, ...]
    ) -> None:
        if name.count("{}") != (1 if versions else 0):
            wanted = "needs {} where the version stands" if versions else "has {} but the family has no versions"
            self._fault(f"the family name {name!r} {wanted}", name)
        if not is_written:
            self._fault(f"nothing tells how people write {name!r}; add strong = [...]", name)
        for template in short:
            if template.count("{}") != 1:
                self._fault(f"{template!r} in short needs {{}} where the version stands", template)
        if (forms or short) and not versions:
            self._fault(f"{name!r} has aliases with {{}} but no versions", name)

    def _versions(self, table: Table, key: str, name: str, brand_id: str) -> dict[str, Product]:
        found: dict[str, Product] = {}
        for pattern in self._texts(table, key, lower=False):
            try:
                spelled = list(islice(_expanded(pattern), _PRODUCTS_AT_MOST + 1))
            except ValueError as error:
                self._fault(f"version {pattern!r}: {error}", pattern)
                continue
            for spellings in spelled:
                version, *others = spellings.split("|")
                product = Product(_slug(name.replace("{}", version)), brand_id, _squeezed(name.replace("{}", version)))
                self._product(product, pattern)
                found |= {_squeezed(spelling).lower(): product for spelling in (version, *others)}
        return found

    def _product(self, product: Product, where: str) -> None:
        if not product.id or product.id == UNKNOWN:
            self._fault(f"the product {product.name!r} has no usable id", where)
        elif product.id in self._products:
            first = self._line_from(*self._products[product.id])
            self._fault(f"the product {product.name!r} stands twice (first in line {first})", where)
        elif len(self._products) >= _PRODUCTS_AT_MOST:
            self._fault(f"more than {_PRODUCTS_AT_MOST:,} products; look for a range that is too wide", where)
        else:
            self._products[product.id] = self._at, where

    def _aliases(self, table: Table, brand_id: str) -> dict[str, Strength]:
        found: dict[str, Strength] = {}
        for strength in Strength:
            for alias in self._texts(table, str(strength)):
                self._check_alias(alias, strength, brand_id, str(strength))
                if alias in found:
                    self._fault(f"the alias {alias!r} stands twice, as {found[alias]} and {strength}", alias, strength)
                found[alias] = strength
        return found

    def _check_alias(self, alias: str, strength: Strength, brand_id: str, key: str) -> None:
        if not any(char.isalnum() for char in alias):
            self._fault(f"the alias {alias!r} has neither letter nor digit", alias, key)
        elif strength is Strength.STRONG and (len(alias) < 2 or alias.isdigit()):
            self._fault(f"{alias!r} cannot stand alone; list it under short, with {{}} for the version", alias, key)
        elif "{" in alias or "}" in alias:
            self._fault(f"the alias {alias!r}: {{}} may stand only in strong and short of a family", alias, key)
        elif self._owners.setdefault(alias, brand_id) != brand_id:
            self._fault(f"the alias {alias!r} belongs to {self._owners[alias]!r} already", alias, key)

    # The rest of the market ------------------------------------------------------------------------------------------

    def _aspects(self, table: Table) -> dict[str, tuple[str, ...]]:
        aspects = table.get("aspects")
        if not isinstance(aspects, dict):
            return {}
        if not aspects:
            self._fault("there is no aspect", "aspects")
        found, owners = {}, dict[str, str]()
        for aspect in aspects:
            if not _ID.fullmatch(aspect):
                self._fault(f"the aspect {aspect!r} is no id: lower-case letters, digits and hyphens", aspect)
            self._at = self._line(aspect) - 1
            found[aspect] = terms = self._texts(aspects, aspect)
            if not terms:
                self._fault(f"the aspect {aspect!r} has no terms", aspect)
            for term in terms:
                self._check_term(term, aspect, owners.setdefault(term, aspect))
            self._at = 0
        return found

    def _check_term(self, term: str, aspect: str, owner: str) -> None:
        stem = term.removesuffix("*")
        if "*" in stem or (stem != term and len(stem) < _TERM_AT_LEAST):
            self._fault(f"{term!r}: * may stand only at the end, after {_TERM_AT_LEAST} characters or more", term)
        if owner != aspect:
            self._fault(f"the term {term!r} of {aspect!r} belongs to {owner!r} already", term)

    def _variants(self, table: Table) -> dict[str, tuple[str, ...]]:
        variants = table.get("variants", {})
        return {word.lower(): self._texts(variants, word) for word in variants} if isinstance(variants, dict) else {}

    def _subreddits(self, table: Table) -> tuple[str, ...]:
        found = []
        for name in self._texts(table, "subreddits", lower=False):
            try:
                found.append(subreddit_key(name))
            except InvalidRequest as error:
                self._fault(str(error), name, "subreddits")
        return tuple(found)

    def _time_zone(self, table: Table) -> str:
        name = table.get("time_zone", "UTC")
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError):
            # A machine without the table of zones knows UTC only, and cannot tell.
            if zoneinfo.available_timezones():
                self._fault(f"{name!r} is no time zone; write one like Europe/Berlin", "time_zone")
            return "UTC"
        return str(name)

    # Values ----------------------------------------------------------------------------------------------------------

    def _keys(self, table: Table, known: Mapping[str, type], what: str) -> None:
        for key, value in table.items():
            if key not in known:
                close = difflib.get_close_matches(key, known, 1)
                hint = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"
                self._fault(f"a {what} has no {key!r}{hint}", key)
            elif not isinstance(value, known[key]):
                self._fault(f"{key!r} must be {_SAID[known[key]]}", key)
        for key in _NEEDED[what]:
            if key not in table:
                self._fault(f"the {what} lacks {key!r}", table.get("name", table.get("id", "")))

    def _id(self, table: Table, key: str) -> str:
        found = self._text(table, key)
        if found and not _ID.fullmatch(found):
            self._fault(f"{key} {found[:60]!r} is no id: lower-case letters, digits and hyphens", found)
        return found

    def _text(self, table: Table, key: str) -> str:
        found = table.get(key, "")
        if key in table and isinstance(found, str) and not found.strip():
            self._fault(f"{key!r} is empty", key)
        return found if isinstance(found, str) else ""

    def _texts(self, table: Table, key: str, *, lower: bool = True) -> tuple[str, ...]:
        """Return a list of texts, each once, in lower case and with single spaces."""
        found = table.get(key, [])
        found = found if isinstance(found, list) else []
        texts: list[str] = []
        for value in found:
            if not isinstance(value, str) or not value.strip():
                self._fault(f"{key!r} must hold texts in quotes, not {value!r}", key)
                continue
            text = _squeezed(value.lower() if lower else value)
            if text in texts:
                self._fault(f"{value!r} stands twice in {key!r}", value, key)
            texts.append(text)
        return tuple(texts)

    def _fault(self, message: str, where: object, key: str = "") -> None:
        self.faults.append(Fault(self._line(str(where), key), message[:_MESSAGE_AT_MOST]))

    def _line(self, where: str, key: str = "") -> int:
        """Return the line of a key or value, from the table on that is being read, or from a key in it."""
        return self._line_from(self._line(key) - 1 if key else self._at, where)

    def _line_from(self, first: int, where: str) -> int:
        tests = (
            re.compile(rf"""["']{re.escape(where)}["']"""),
            re.compile(rf"""\b{re.escape(where)}["']?\s*="""),
            re.compile(re.escape(where), re.IGNORECASE),
        )
        for test in tests if where else ():
            for place in range(first, len(self.lines)):
                if test.search(self.lines[place]):
                    return place + 1
        return first + 1


def _expanded(pattern: str) -> Iterator[str]:
    """Yield what a pattern with braces stands for, as in a shell: `{8,9} Pro`, `S{23..25}{, Ultra}`."""
    found = _BRACES.search(pattern)
    if not found:
        if "{" in pattern or "}" in pattern:
            raise ValueError("a brace without its other half")
        if not pattern.strip():
            raise ValueError("stands for a version without name")
        yield pattern
        return
    for choice in _choices(found[1]):
        yield from _expanded(pattern[: found.start()] + choice + pattern[found.end() :])


def _choices(inside: str) -> list[str]:
    if numbers := _RANGE.fullmatch(inside):
        first, last = int(numbers[1]), int(numbers[2])
        if first > last:
            raise ValueError(f"the range {inside} runs backwards")
        return [str(number) for number in range(first, last + 1)]
    if "," not in inside:
        raise ValueError(f"{{{inside}}} names only one choice; write {{a,b}} or {{1..9}}")
    return inside.split(",")


def _squeezed(text: str) -> str:
    return " ".join(text.replace("( )", " ").split())


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower().replace("+", " plus ")).strip("-")
