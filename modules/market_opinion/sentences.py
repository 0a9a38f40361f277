"""Sentences of a clean text, found when they are asked for."""

import re
from bisect import bisect_right

# The stop stands first in the pattern: looking back at every character of a text takes twice as long.
_END = re.compile(r"[.!?…](?<!\b[Vv]s.)(?<!\be\.g.)(?<!\bi\.e.)(?<!\betc.)[.!?…]*[\"')\]”’]*(?=\s)|\n+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_TITLE_WORDS_AT_LEAST = 4
_NEAR = 150
"""Characters on both sides that show how the writer uses capitals."""


class Sentences:
    """The sentences of one text; a line break ends one too."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] | None = None
        self._spans: dict[int, tuple[int, int]] = {}

    def around(self, place: int) -> tuple[int, int]:
        """Return start and end of the sentence in which a place lies, without the blanks around it."""
        starts = self._starts = self._starts or [0, *(end.end() for end in _END.finditer(self._text))]
        number = bisect_right(starts, place) - 1
        if number not in self._spans:
            end = starts[number + 1] if number + 1 < len(starts) else len(self._text)
            self._spans[number] = self._trimmed(starts[number], end)
        return self._spans[number]

    def behind(self, end: int) -> tuple[int, int] | None:
        """Return the sentence that follows the one that ends at `end`, or None."""
        while end < len(self._text) and self._text[end].isspace():
            end += 1
        return self.around(end) if end < len(self._text) else None

    def _trimmed(self, start: int, end: int) -> tuple[int, int]:
        text = self._text
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        return start, end


def is_proper_noun(text: str, start: int, end: int, sentence: tuple[int, int]) -> bool:
    """Tell whether a word has its capital because it is a name: not at the start, in a title, or in shouting."""
    if not text[start].isupper() or (end - start > 1 and text[start:end].isupper()):
        return False
    before = text[max(sentence[0], start - _NEAR) : start].rstrip()
    if not before or before[-1] in '.:!?"“(*-–—•|>/':
        return text[end : end + 2] in ("'s", "’s")
    # "S7 Edge": it belongs to the word before.
    if any(char.isdigit() for char in before.rsplit(None, 1)[-1]):
        return False
    near = max(sentence[0], start - _NEAR), min(sentence[1], end + _NEAR)
    words = _WORD.findall(text[near[0] : start] + " " + text[end : near[1]])
    return len(words) < _TITLE_WORDS_AT_LEAST or sum(word[0].islower() for word in words) * 2 >= len(words)
