"""Which version stands behind a name: a known one, one that the market does not list, or none."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .market import UNKNOWN, Product
from .names import Name

_TOKEN = re.compile(r"(\)? ?\(?)([^\W\d_]+|\d+|\+)")
_WORD = re.compile(r" ?\(?([^\W\d_]+|\+|[\"'])")
_NUMBER = re.compile(r" ?(?P<open>\()?(?P<digits>\d{1,4})(?P<letters>[^\W\d_]{0,3})(?!\w)(?(open)\))")
_PART_OF_NUMBER = re.compile(r"[.,:]\d|%|°|€")
_YEAR = re.compile(r" ?\(?(?:19|20)\d\d(?!\w)\)?")
# "16 plus a case", "17 plus my old one": here the word joins.
_JOINED = re.compile(r" (?:plus|and) (?:a|an|the|my|your|his|her|our|their|some|another|it|its|i|you|we|they|tax|\d)\b")

# What may stand behind a number that is said alone: the end, a mark, or a word that begins something else.
_BEHIND_NUMBER = re.compile(
    r"'s\b|\s*(?:$|[.,;:!?)\]/\"\n&](?!\d)|(?:is|was|are|were|has|had|have|will|would|can|could|does|did|and|or|vs|versus|for"
    r"|in|on|to|but|with|at|because|when|than|over|if|since|as|just|still|it|i|get|series|line|lineup|feels|looks|rocks|sucks|lasts"
    r"|gets|takes|works|runs|needs|beats|costs|came|comes|got|felt|makes|does)\b)"
)

_COUNTED_THINGS = (
    "second seconds sec secs minute minutes min mins hour hours hr hrs day days night nights week weeks month months mo"
    " year years yr yrs times x people users guys friends kids percent dollars bucks usd eur euros pounds gbp cents"
    " inch inches cm mm m km feet ft foot lbs kg g stars st nd rd th k nm things reasons ways pieces items"
    " steps posts comments"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A version in a text: where it ends, and its product, or `UNKNOWN`."""

    end: int
    product: Product | str


class VersionReader:
    """Reads versions; variants and units are those of a market."""

    def __init__(self, variants: Mapping[str, tuple[str, ...]], units: tuple[str, ...]) -> None:
        spelled = {word for name, others in variants.items() for word in (name, *others)}
        self._variants = frozenset(word for word in spelled if (" " not in word and len(word) > 1) or word == "+")
        self._units = frozenset((*_COUNTED_THINGS.split(), *units))

    def after(self, text: str, end: int, name: Name) -> Found | None:
        """Return the version behind a name that ends at `end` of a folded text, or None where none is told."""
        known = self._known(text, end, name)
        if known:
            if self._is_count(text, end, known.end):
                return None
            return self.widened(text, known, has_years=name.has_years)
        number = _NUMBER.match(text, end)
        if not number:
            return self._variant_alone(text, end)
        if _YEAR.fullmatch(number[0]) or number["letters"] in self._units or self._is_count(text, end, number.end()):
            return None
        return self.widened(text, Found(number.end(), UNKNOWN))

    def widened(self, text: str, found: Found, *, has_years: bool = False) -> Found:
        """Return a version with a word behind it that makes another product of it: of that we know nothing."""
        word = _WORD.match(text, found.end)
        if word and word[1] in self._variants and word[0] != " +" and not _JOINED.match(text, found.end):
            return Found(word.end(), UNKNOWN)
        if has_years and (year := _YEAR.match(text, found.end)):
            return Found(year.end(), UNKNOWN)
        return found

    def is_enumeration(self, text: str, start: int, end: int) -> bool:
        """Tell whether what begins with a number is a sum of money, a step of a list, or a number and "plus"."""
        before = text[start - 1 : start]
        return (
            before in ("$", "€", "£", "#", ":", ".")
            or (text[end : end + 1] == ")" and before != "(")
            or (text.endswith("plus", start, end) and bool(_JOINED.match(text, end - len(" plus"))))
        )

    def stands_alone(self, text: str, end: int) -> bool:
        """Tell whether a number that ends at `end` can be the name of something, by what stands behind it."""
        return bool(_BEHIND_NUMBER.match(text, end)) and not _PART_OF_NUMBER.match(text, end)

    def _known(self, text: str, end: int, name: Name) -> Found | None:
        best, key, place, is_open = None, "", end, False
        while token := _TOKEN.match(text, place):
            if key + token[2] not in name.beginnings or (token[2] == "+" and token[1]):
                break
            if (token[2] == "plus" and _JOINED.match(text, token.start())) or (")" in token[1] and not is_open):
                break
            key += token[2]
            is_open = "(" in token[1] or (is_open and ")" not in token[1])
            place = token.end()
            if key in name.versions and is_boundary(text, place):
                best = Found(place + (is_open and text[place : place + 1] == ")"), name.versions[key])
        return best

    def _is_count(self, text: str, start: int, end: int) -> bool:
        """Tell whether the version from `start` to `end` is rather a number of something: "iphone 6 months"."""
        if not text[end - 1].isdigit():
            return False
        if _PART_OF_NUMBER.match(text, end):
            return True
        word = _WORD.match(text, end)
        return bool(word and (word[1] in self._units or word[1] == '"')) and text[start:end].strip(" (").isdigit()

    def _variant_alone(self, text: str, end: int) -> Found | None:
        word = _WORD.match(text, end)
        if word and word[1].isalpha() and word[1] in self._variants and not _JOINED.match(text, end):
            return Found(word.end(), UNKNOWN) if is_boundary(text, word.end()) and word[0][0] in " (" else None
        return None


def is_boundary(text: str, place: int) -> bool:
    """Tell whether no letter, digit or underscore stands at a place."""
    return place >= len(text) or not (text[place].isalnum() or text[place] == "_")
