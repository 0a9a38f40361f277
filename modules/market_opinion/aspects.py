"""Aspects: what about a brand or product a text speaks of, tied to the mention it is said of."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache

from ahocorasick_rs import AhoCorasick

from .documents import Document
from .market import Market
from .mentions import Mention
from .names import fold
from .sentences import Sentences
from .versions import is_boundary

_CLAUSE_END = re.compile(r"[;:–—]|,? (?:but|while|whereas|although|though|however|yet|except) |, (?:and|so) ")
_COMPARED = re.compile(r"\b(?:than|vs|versus|compared|between|both|over|unlike)\b| > | < ")

_Span = tuple[int, int]
_NOBODY = range(0)


class _Terms:
    """The words that tell the aspects of a market."""

    def __init__(self, market: Market) -> None:
        terms = sorted((fold(term), aspect) for aspect, terms in market.aspect_terms.items() for term in terms)
        self._terms = [(aspect, term.endswith("*")) for term, aspect in terms]
        self._search = AhoCorasick([term.removesuffix("*") for term, _ in terms])

    def places(self, folded: str) -> list[tuple[int, int, str]]:
        """Return (start, end, aspect) of the terms in a text; one inside a longer one is none."""
        found = []
        for number, start, end in self._search.find_matches_as_indexes(folded, overlapping=True):
            aspect, is_stem = self._terms[number]
            if (not start or is_boundary(folded, start - 1)) and (is_stem or is_boundary(folded, end)):
                found.append((start, end, aspect))
        found.sort(key=lambda place: (place[0], -place[1]))
        longest: list[tuple[int, int, str]] = []
        for place in found:
            if not longest or place[0] >= longest[-1][1]:
                longest.append(place)
        return longest


@lru_cache(maxsize=8)
def _terms_of(market: Market) -> _Terms:
    return _Terms(market)


def aspects_of(document: Document, mentions: Sequence[Mention], market: Market) -> list[tuple[str, ...]]:
    """Return the aspects of each mention, in the order of the mentions; those of a mention in the market's order.

    A term belongs to the nearest mention of its clause, else of its sentence; where the clause compares, to all of its
    mentions. In a sentence that names nothing it belongs to the sentence before, if that named one thing only.
    """
    found: list[set[str]] = [set() for _ in mentions]
    if mentions:
        folded = fold(document.clean)
        text = _Text(document.clean, folded, Sentences(document.clean), mentions)
        # Each once: in a comparison of many with many, every term belongs to every mention.
        terms = _terms_of(market).places(folded)
        for owners, aspect in {(text.owners(start, end), aspect) for start, end, aspect in terms}:
            for number in owners:
                found[number].add(aspect)
    return [tuple(aspect for aspect in market.aspects if aspect in own) for own in found]


class _Text:
    """Who is spoken of at each place of a text; mentions are told by their number."""

    def __init__(self, clean: str, folded: str, sentences: Sentences, mentions: Sequence[Mention]) -> None:
        self._clean, self._folded, self._sentences, self._mentions = clean, folded, sentences, mentions
        self._starts = [mention.clean_start for mention in mentions]
        cuts = {place for cut in _CLAUSE_END.finditer(folded) for place in cut.span()}
        self._cuts = sorted(cuts)
        self._compares: dict[_Span, bool] = {}
        self._before: dict[_Span, range] = {}

    def owners(self, start: int, end: int) -> range:
        """Return the mentions that a term from `start` to `end` speaks of."""
        sentence = self._sentences.around(start)
        there = self._inside(sentence)
        if not there:
            if sentence not in self._before:
                self._before[sentence] = self._named_before(sentence)
            return self._before[sentence]
        nearest = self._nearest(there, start, end)
        if self._is_part(nearest, start, end):
            return _NOBODY
        clause = self._clause(sentence, start)
        inside = self._inside(clause)
        if len(inside) > 1 and self._is_comparison(clause):
            return inside
        return _only(self._nearest(inside, start, end) if inside else nearest)

    def _inside(self, span: _Span) -> range:
        return range(bisect_left(self._starts, span[0]), bisect_left(self._starts, span[1]))

    def _clause(self, sentence: _Span, place: int) -> _Span:
        number = bisect_right(self._cuts, place)
        start = self._cuts[number - 1] if number else 0
        end = self._cuts[number] if number < len(self._cuts) else len(self._folded)
        return max(start, sentence[0]), min(end, sentence[1])

    def _nearest(self, numbers: range, start: int, end: int) -> int:
        right = min(max(bisect_left(self._starts, start), numbers.start), numbers.stop - 1)
        left = max(right - 1, numbers.start)
        return min(left, right, key=lambda number: self._distance(number, start, end))

    def _distance(self, number: int, start: int, end: int) -> int:
        mention = self._mentions[number]
        return max(mention.clean_start - end, start - mention.clean_end)

    def _is_part(self, number: int, start: int, end: int) -> bool:
        """Tell whether a term is a word of a name, which tells nothing of it; a whole name may ("One UI")."""
        mention = self._mentions[number]
        return mention.clean_start < end and start < mention.clean_end and mention.alias != self._clean[start:end]

    def _is_comparison(self, clause: _Span) -> bool:
        if clause not in self._compares:
            self._compares[clause] = bool(_COMPARED.search(self._folded, *clause))
        return self._compares[clause]

    def _named_before(self, sentence: _Span) -> range:
        last = bisect_right(self._starts, sentence[0]) - 1
        if last < 0 or self._sentences.behind(self._mentions[last].sentence[1]) != sentence:
            return _NOBODY
        there = self._inside(self._mentions[last].sentence)
        things = {(self._mentions[number].brand, self._mentions[number].product) for number in there}
        return _only(last) if len(things) == 1 else _NOBODY


def _only(number: int) -> range:
    return range(number, number + 1)
