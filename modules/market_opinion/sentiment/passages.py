"""The passage around a target that its author wrote: quotes, links and signatures taken out, names masked."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..language import language_of

# Private-use characters stand for names, so that no word of a text can be mistaken for one.
TARGET, TARGET_AGAIN, OTHER = "\ue000", "\ue001", "\ue002"
_MASKS = re.compile(f"[{TARGET}{TARGET_AGAIN}{OTHER}]")

# What counts is said near the target; a post of 40,000 characters costs no more than one of 1,200.
REACH = 600

_LINK_TEXT = re.compile(r"\[([^\]\[\n]{0,200})\]\((?:https?://|/|www\.)[^\s)]{0,500}\)")
_LINK = re.compile(r"(?:https?://|www\.)\S+|\{link\}|\[(?:video|link|pic|url)\]", re.IGNORECASE)
_QUOTE = re.compile(r"(?m)^[ \t]*>(?!!).*$")
_SIGNATURE = re.compile(
    r"""
    (?: \A | (?<=\n) | (?<=[.!?)]\ ) )
    [-–—*_~^(\[\ ]{0,6}
    (?: (?:sent|posted|written|typed)\ (?:from|via|using|with) (?:\ [\w'’+\ue000-\ue002-]+){1,5}
      | get\ outlook\ for\ \w+
      | i\ am\ a\ bot [^\n]*
      | beep\ boop [^\n]*
      | --\ ?\n [^\n]{0,200} (?:\n[^\n]{0,200}){0,3}
    )
    \W* \Z
    """,
    re.IGNORECASE | re.VERBOSE,
)
_TOKEN = re.compile(
    rf"[{TARGET}{TARGET_AGAIN}{OTHER}]"
    r"|[a-z]+(?=n['’`]t\b)|n['’]t\b|['’](?:s|re|ve|ll|d|m)\b"
    r"|[:;=8x][-o^']?[()\[\]dp/\\|*3](?!\w)|<3|\(:|\^_?\^|t_t"
    r"|@\w+|[^\W\d_]+(?:[-][^\W\d_]+)*|\d+(?:[.,]\d+)*|\n+|[!?]+|\.{2,}|[^\w\s]"
)
_STRETCHED = re.compile(r"(.)\1{2,}")
_REPLACED = {"’": "'", "`": "'", "''": '"', "-lrb-": "(", "-rrb-": ")", "“": '"', "”": '"'}
_BROKEN = re.compile("|".join(re.escape(mark) for mark in _REPLACED))


Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a text, with names masked; its lower-case tokens; the place of the target among them (-1: no target).

    No tokens: the author says nothing of the target, which stands in a quote, a link or a signature.
    """

    text: str
    tokens: tuple[str, ...]
    at: int

    @property
    def is_readable(self) -> bool:
        """Whether something is said, in English as far as can be told."""
        return bool(self.tokens) and language_of(self.text) != "other"


NOTHING_SAID = Passage("", (), -1)


def passage_of(text: str, span: Span | None, others: Sequence[Span] = ()) -> Passage:
    """Return what the author says around `span`, the character offsets of the target (None: the whole text).

    `others` are the offsets of other names in the text; they are masked too.

    Raises:
        ValueError: a span does not lie in the text.
    """
    for start, end in (*others, *([span] if span else [])):
        if not 0 <= start < end <= len(text):
            raise ValueError(f"characters {start} to {end} do not lie in a text of {len(text)}")
    masked = _masked(text, span, others)
    own = _without_foreign_parts(masked)
    if span is None:
        # A text that is nothing but a quote is read as it stands: there is nothing else to read.
        said = (own or masked.strip())[: 2 * REACH]
        return Passage(said, _tokens(said), -1)
    if TARGET not in own:
        return NOTHING_SAID
    said = _near(own, own.index(TARGET))
    tokens = _tokens(said)
    return Passage(said, tokens, tokens.index(TARGET))


def _masked(text: str, span: Span | None, others: Sequence[Span]) -> str:
    text = _MASKS.sub(" ", text)
    marks = dict.fromkeys(others, OTHER)
    if span is not None:
        name = re.escape(text[span[0] : span[1]])
        marks |= {again.span(): TARGET_AGAIN for again in re.finditer(rf"(?<!\w){name}(?!\w)", text, re.IGNORECASE)}
        marks = {place: mark for place, mark in marks.items() if place[1] <= span[0] or span[1] <= place[0]}
        marks[span] = TARGET
    parts, done = [], 0
    for (start, end), mark in sorted(marks.items()):
        if start >= done:
            parts += [text[done:start], mark]
            done = end
    return "".join([*parts, text[done:]])


def _without_foreign_parts(text: str) -> str:
    text = html.unescape(text) if "&" in text else text
    if ">" in text:
        text = _QUOTE.sub(" ", text)
    if "[" in text:
        text = _LINK_TEXT.sub(r"\1", text)
    text = _LINK.sub(" ", text)
    return _SIGNATURE.sub("", text.rstrip()).strip()


def _near(text: str, place: int) -> str:
    start, end = max(0, place - REACH), place + REACH
    return text[start:end]


def _tokens(text: str) -> tuple[str, ...]:
    text = _BROKEN.sub(lambda found: _REPLACED[found.group()], text.lower())
    return tuple(_TOKEN.findall(_STRETCHED.sub(r"\1\1", text)))
