"""Mentions: which brand or product a text names, where, by which rule, and how surely.

Rules, and the confidence that comes with each (an order, not a measured probability):

- `strong` an alias that stands alone, `product` a name with its version, `brand+model` a brand with a short form behind
  it, `list` a further version of the product before it ("Pixel 8, 9 and 10")
- `weak:…`, `common:…` an alias with another meaning, or an everyday word written as a name
- `short:…` a product without its brand ("S24", "15 Pro"), `bare:…` a plain number ("the 17")

Behind the colon stands what told that the brand is meant: another name of it, or words of the market, in the
`sentence`, `comment`, `parent`, `title` or `subreddit`; `only` where one brand alone makes such a thing.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, islice

from ahocorasick_rs import AhoCorasick

from .cleaning import clean_text
from .documents import Context, Document
from .market import UNKNOWN, Market, Product, Strength
from .names import Kind, Name, fold, names_of
from .sentences import Sentences, is_proper_noun
from .versions import Found, VersionReader, is_boundary

_CONFIDENCE = {"strong": 0.97, "product": 0.98, "brand+model": 0.95, "list": 0.8}
_CONFIDENCE_OF_KIND = {"weak": 0.9, "common": 0.8, "short": 0.85, "bare": 0.6}
_CONFIDENCE_OF_CONTEXT = {"sentence": 1.0, "comment": 0.95, "parent": 0.9, "title": 0.9, "subreddit": 0.8, "only": 0.8}

_NOTHING = Context("", "", "")
_BETWEEN = re.compile(r" |'s |s' |'s own ")
_AND = re.compile(r" ?[,/&] ?(?:and |or )?| (?:and|or|vs\.?|to|than) (?:the )?")
# "r/apple" and "u/apple" are addresses.
_ADDRESS = re.compile(r"(?:^|[^a-z0-9])[ru]/$")
_CACHED_TEXTS = 4096
_CONTEXT_WORDS = 8
_SAYS_ENOUGH = 2

_Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mention:
    """A brand or product named in a document.

    `start` and `end` are offsets in the document's `text`, `clean_start`, `clean_end` and `sentence` in its `clean`.
    `product` is the id of a product or family, `unknown` where a version is named that the market does not list, None
    where only the brand is named. `alias` is what is written, `rule` and `confidence` tell why it counts.
    """

    start: int
    end: int
    clean_start: int
    clean_end: int
    brand: str
    product: str | None
    alias: str
    rule: str
    confidence: float
    sentence: _Span


@dataclass(slots=True)
class _Hit:
    """A name in a text, before it is known whether it counts."""

    start: int
    end: int
    name: Name
    version: Found | None
    rule: str = ""
    brand: str = ""
    product: Product | str | None = None


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a title or a parent names: its brands, the last named first, and whether it speaks of the market at all."""

    brands: tuple[str, ...]
    is_of_market: bool


class MentionFinder:
    """Finds the mentions of one market. Answers depend on nothing but document and context."""

    def __init__(self, market: Market) -> None:
        names = names_of(market)
        self._names = list(names.values())
        self._search = AhoCorasick(list(names))
        self._context_words = AhoCorasick([fold(word) for word in market.context])
        self._versions = VersionReader(market.variants, market.units)
        self._subreddits = frozenset(market.subreddits)
        self._brand_of_subreddit = {subreddit: brand.id for brand in market.brands for subreddit in brand.subreddits}
        self._facts = lru_cache(maxsize=_CACHED_TEXTS)(self._read_facts)

    def find(self, document: Document, context: Context) -> list[Mention]:
        """Return the mentions of a document in order of their places; they never overlap."""
        clean = document.clean
        return [
            Mention(
                *document.original(hit.start, hit.end),
                clean_start=hit.start,
                clean_end=hit.end,
                brand=hit.brand,
                product=hit.product.id if isinstance(hit.product, Product) else hit.product,
                alias=clean[hit.start : hit.end],
                rule=hit.rule,
                confidence=_confidence(hit.rule),
                sentence=sentence,
            )
            for hit, sentence in self._resolved(clean, context)
        ]

    def _read_facts(self, text: str) -> _Facts:
        clean, _ = clean_text(text)
        named = reversed([hit.brand for hit, _ in self._resolved(clean, _NOTHING)])
        brands = tuple(dict.fromkeys(named))
        return _Facts(brands, bool(brands or self._context_words_in(fold(clean))))

    def _context_words_in(self, folded: str) -> list[_Span]:
        """Return the first words of the market in a text; a few show as much as many."""
        found = self._context_words.find_matches_as_indexes(folded, overlapping=True)
        whole = ((start, end) for _, start, end in found if _is_whole(folded, start, end))
        return list(islice(whole, _CONTEXT_WORDS))

    def _resolved(self, clean: str, context: Context) -> list[tuple[_Hit, _Span]]:
        folded = fold(clean)
        found = self._search.find_matches_as_indexes(folded, overlapping=True)
        if not found:
            return []
        hits = self._joined(folded, self._longest(folded, found))
        return _Resolution(self, clean, folded, hits, context).counted() if hits else []

    def _longest(self, folded: str, found: list[tuple[int, int, int]]) -> list[_Hit]:
        """Return the hits at word boundaries; of those that overlap the first, and of these the longest."""
        hits, excluded = [], []
        for pattern, start, end in found:
            name = self._names[pattern]
            start += name.start
            if name.kind is Kind.EXCLUDED:
                excluded.append((start, end))
            elif hit := self._hit(folded, start, end, name):
                hits.append(hit)
        if excluded:
            hits = _outside(hits, folded, excluded)
        hits.sort(key=lambda hit: (hit.start, -hit.end, _is_unknown(hit), hit.name.kind))
        chosen: list[_Hit] = []
        for hit in hits:
            if not chosen or hit.start >= chosen[-1].end:
                chosen.append(hit)
        return chosen

    def _hit(self, folded: str, start: int, end: int, name: Name) -> _Hit | None:
        if start and (not is_boundary(folded, start - 1) or _is_address(folded, start)):
            return None
        version = None
        if name.versions:
            version = self._versions.after(folded, end, name)
            if version and version.product is not UNKNOWN:
                return _Hit(start, version.end, name, version)
            if version and not folded[end].isdigit() and not is_boundary(folded, end):
                version = None
        if not is_boundary(folded, end) and not version:
            return None
        if name.kind is Kind.BARE and not self._versions.stands_alone(folded, end):
            return None
        if name.candidates and folded[start].isdigit() and self._versions.is_enumeration(folded, start, end):
            return None
        if name.kind in (Kind.FORM, Kind.SHORT, Kind.BARE):
            return self._widened(folded, start, end, name)
        return _Hit(start, version.end if version else end, name, version)

    def _widened(self, folded: str, start: int, end: int, name: Name) -> _Hit:
        plain = Found(end, name.product or next(iter(name.candidates.values())))
        version = self._versions.widened(folded, plain)
        return _Hit(start, version.end, name, version if version.product is UNKNOWN else None)

    def _joined(self, folded: str, hits: list[_Hit]) -> list[_Hit]:
        """Return the hits with a brand and the product behind it made one: "Samsung's S24", "Google Pixel"."""
        joined: list[_Hit] = []
        for hit in hits:
            before = joined[-1] if joined else None
            if before and _belongs(before, hit) and _BETWEEN.fullmatch(folded, before.end, hit.start):
                joined[-1] = _together(before, hit)
            else:
                joined.append(hit)
        return joined


def _outside(hits: list[_Hit], folded: str, excluded: list[_Span]) -> list[_Hit]:
    """Return the hits that do not lie inside a phrase that means something else; a longer name reaches out of it."""
    spans = sorted(span for span in excluded if _is_whole(folded, *span))
    starts = [start for start, _ in spans]
    furthest = [0, *accumulate((end for _, end in spans), max)]
    return [hit for hit in hits if furthest[bisect_right(starts, hit.start)] < hit.end]


def _is_unknown(hit: _Hit) -> bool:
    return hit.version is not None and hit.version.product is UNKNOWN


def _belongs(before: _Hit, hit: _Hit) -> bool:
    if before.name.kind is not Kind.NAME or before.version:
        return False
    if hit.name.kind is Kind.SHORT:
        return before.name.brand in hit.name.candidates
    return (
        hit.name.kind in (Kind.NAME, Kind.FORM) and hit.name.brand == before.name.brand and before.name is not hit.name
    )


def _together(before: _Hit, hit: _Hit) -> _Hit:
    brand = before.name.brand
    if hit.name.kind is Kind.SHORT:
        product = hit.name.candidates[brand]
        name = Name(Kind.FORM, brand, product=product)
        return _Hit(before.start, hit.end, name, hit.version, rule="brand+model")
    # Two names of one brand side by side leave no doubt, whatever each would need alone.
    return replace(hit, start=before.start, name=replace(hit.name, strength=Strength.STRONG))


def _settle_certain(hit: _Hit) -> None:
    name = hit.name
    if name.kind not in (Kind.NAME, Kind.FORM):
        return
    is_known = hit.version is not None and not _is_unknown(hit)
    if name.kind is Kind.FORM or name.strength is Strength.STRONG or (is_known and name.strength is Strength.WEAK):
        hit.brand = name.brand
        hit.product = hit.version.product if hit.version else name.product
        hit.rule = hit.rule or ("product" if name.kind is Kind.FORM or is_known else "strong")


class _Resolution:
    """Decides for the hits of one text which of them count."""

    def __init__(self, finder: MentionFinder, clean: str, folded: str, hits: list[_Hit], context: Context) -> None:
        self._finder, self._clean, self._folded, self._hits, self._context = finder, clean, folded, hits, context
        self._sentences = Sentences(clean)
        self._words_in: dict[_Span, list[_Span]] = {}
        self._counted: list[_Hit] = []
        # Each brand once, the last named at the end.
        self._named: dict[str, None] = {}
        for hit in hits:
            _settle_certain(hit)
        self._certain_starts = [hit.start for hit in hits if hit.rule]
        self._certain_brands = {hit.brand for hit in hits if hit.rule}

    def counted(self) -> list[tuple[_Hit, _Span]]:
        """Return the hits that count, with their sentences."""
        for place, hit in enumerate(self._hits):
            if hit.rule or self._settle(hit):
                self._counted.append(hit)
                self._named.pop(hit.brand, None)
                self._named[hit.brand] = None
                limit = self._hits[place + 1].start if place + 1 < len(self._hits) else len(self._clean)
                self._counted.extend(self._listed(hit, limit))
        return [(hit, self._sentences.around(hit.start)) for hit in self._counted]

    def _settle(self, hit: _Hit) -> bool:
        if hit.name.kind in (Kind.SHORT, Kind.BARE):
            return self._settle_inherited(hit)
        is_known = hit.version is not None and not _is_unknown(hit)
        strength = Strength.WEAK if is_known else hit.name.strength
        where = self._where_meant(hit)
        if strength is Strength.COMMON and where:
            sentence = self._sentences.around(hit.start)
            where = where if is_proper_noun(self._clean, hit.start, hit.end, sentence) else ""
        if not where:
            return False
        hit.brand, hit.rule = hit.name.brand, f"{strength}:{where}"
        hit.product = hit.version.product if hit.version else hit.name.product
        return True

    def _where_meant(self, hit: _Hit) -> str:
        """Return what tells that an ambiguous alias means its brand, or ""."""
        context, brand = self._context, hit.name.brand
        if self._is_sentence_of_market(hit):
            return "sentence"
        if brand in self._certain_brands:
            return "comment"
        if context.title and self._finder._facts(context.title).is_of_market:
            return "title"
        if context.parent_text and brand in self._finder._facts(context.parent_text).brands:
            return "parent"
        return "subreddit" if context.subreddit.lower() in self._finder._subreddits else ""

    def _is_sentence_of_market(self, hit: _Hit) -> bool:
        start, end = sentence = self._sentences.around(hit.start)
        if bisect_left(self._certain_starts, end) > bisect_left(self._certain_starts, start):
            return True
        if sentence not in self._words_in:
            words = self._finder._context_words_in(self._folded[start:end])
            self._words_in[sentence] = [(start + left, start + right) for left, right in words]
        # A word that is the alias itself, or part of it, tells nothing new.
        return any(right <= hit.start or hit.end <= left for left, right in self._words_in[sentence])

    def _settle_inherited(self, hit: _Hit) -> bool:
        candidates, kind = hit.name.candidates, hit.name.kind.name.lower()
        named = next(((brand, where) for brand, where in self._named_before() if brand in candidates), None)
        if named is None:
            if hit.name.kind is Kind.BARE or len(candidates) > 1:
                return False
            if hit.name.says < _SAYS_ENOUGH and not (hit.name.says and self._is_text_of_market(hit)):
                return False
            named = next(iter(candidates)), "only"
        brand, where = named
        hit.brand, hit.rule = brand, f"{kind}:{where}"
        hit.product = hit.version.product if hit.version else candidates[brand]
        return True

    def _named_before(self) -> Iterator[tuple[str, str]]:
        """Yield the brands that a short form may stand for, the last named first, and where each was named."""
        context, finder = self._context, self._finder
        for brand in reversed(self._named):
            yield brand, "comment"
        for text, where in ((context.parent_text, "parent"), (context.title, "title")):
            if text:
                for brand in finder._facts(text).brands:
                    yield brand, where
        if of_subreddit := finder._brand_of_subreddit.get(context.subreddit.lower()):
            yield of_subreddit, "subreddit"

    def _is_text_of_market(self, hit: _Hit) -> bool:
        context, finder = self._context, self._finder
        return (
            self._is_sentence_of_market(hit)
            or bool(context.title and finder._facts(context.title).is_of_market)
            or context.subreddit.lower() in finder._subreddits
        )

    def _listed(self, hit: _Hit, limit: int) -> Iterator[_Hit]:
        """Yield further versions that are named only by their numbers: "Pixel 8, 9 and 10"."""
        if not hit.version or not hit.name.versions:
            return
        versions, end = self._finder._versions, hit.end
        while joint := _AND.match(self._folded, end):
            found = versions.after(self._folded, joint.end(), hit.name)
            if not found or not isinstance(found.product, Product) or found.end > limit:
                return
            if "/" not in joint[0] and not versions.stands_alone(self._folded, found.end):
                return
            end = found.end
            yield _Hit(joint.end(), end, hit.name, found, "list", hit.brand, found.product)


def _confidence(rule: str) -> float:
    if rule in _CONFIDENCE:
        return _CONFIDENCE[rule]
    kind, _, where = rule.partition(":")
    return round(_CONFIDENCE_OF_KIND[kind] * _CONFIDENCE_OF_CONTEXT[where], 2)


def _is_whole(text: str, start: int, end: int) -> bool:
    return (not start or is_boundary(text, start - 1)) and is_boundary(text, end)


def _is_address(text: str, start: int) -> bool:
    return text[start - 1] == "/" and bool(_ADDRESS.search(text, max(0, start - 3), start))
