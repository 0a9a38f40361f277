"""Which texts say the same: equal after normalising, or nearly equal by their runs of three words."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from zlib import crc32

_WORD = re.compile(r"\w+")
_WORDS_AT_LEAST = 5
_LIKENESS = 0.75
"""Share of common runs, of all runs of two texts (Jaccard), from which they count as copies."""
_SKETCH = 6
"""Smallest hashes of a text under which it is looked for: of texts so alike about 1 pair in 1,000 shares none."""
_NEIGHBOURS = 30
"""Texts of one hash that are compared with each: a run of words that everybody uses must not cost a square."""


def normalised(text: str) -> str:
    """Return a text's words in lower case, or "" where they are too few to call a repetition a copy."""
    words = _WORD.findall(text.casefold())
    return " ".join(words) if len(words) >= _WORDS_AT_LEAST else ""


def alike(texts: Collection[str]) -> Iterator[list[str]]:
    """Yield groups of normalised texts that are alike; a text that is like no other is a group of its own."""
    runs = {text: _runs(text) for text in texts}
    shelves: dict[int, list[str]] = defaultdict(list)
    for text, own in runs.items():
        for hashed in sorted(own)[:_SKETCH]:
            shelves[hashed].append(text)
    leader = {text: text for text in runs}
    for shelf in shelves.values():
        shelf.sort()
        for place, text in enumerate(shelf):
            for other in shelf[place + 1 : place + 1 + _NEIGHBOURS]:
                if _likeness(runs[text], runs[other]) >= _LIKENESS:
                    _join(leader, text, other)
    groups: dict[str, list[str]] = defaultdict(list)
    for text in runs:
        groups[_lead(leader, text)].append(text)
    yield from groups.values()


def _runs(text: str) -> frozenset[int]:
    words = text.split(" ")
    return frozenset(crc32(" ".join(words[place : place + 3]).encode()) for place in range(len(words) - 2))


def _likeness(one: frozenset[int], other: frozenset[int]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def _lead(leader: dict[str, str], text: str) -> str:
    while leader[text] != text:
        leader[text] = leader[leader[text]]
        text = leader[text]
    return text


def _join(leader: dict[str, str], one: str, other: str) -> None:
    first, second = sorted((_lead(leader, one), _lead(leader, other)))
    leader[second] = first
