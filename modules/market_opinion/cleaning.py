"""From Reddit's Markdown to what its author says in own words, with the way back to every character."""

import html
import re
from array import array
from collections.abc import Sequence

# One character for one, so that places stay: every line end becomes \n.
_LINE_ENDS = (("\r\n", " \n"), ("\r", "\n"), ("\u2028", "\n"), ("\u2029", "\n"), ("\x85", "\n"))

_INVISIBLE = "\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
_BLANKS = "\t\u00a0\u2007\u202f\u3000"
_DOMAIN = r"(?:com|org|net|io|co\.uk)\b"
_SIGNED = r"(?i:sent|posted|written|typed)[ ](?i:from|via|using|with)[ ]"

# Without any of these a text is clean as it stands; most short comments are.
_MARKUP = re.compile(
    rf"[*_~`^>|&\[\\{_INVISIBLE}{_BLANKS}]|://|www\.|\.{_DOMAIN}|^#|^ *(?:[-+]|\d{{1,3}}[.)]) |^ {{4}}|{_SIGNED}",
    re.MULTILINE,
)

# Every alternative starts where no other one has begun and is bounded, so hostile texts cost no more than long ones.
_TOKEN = re.compile(
    rf"""
      (?P<code> `+[^`\n]+`+ | ^[ ]{{0,3}}```(?s:.*?)(?:^[ ]{{0,3}}```[^\n]*$|\Z)
              | (?:\A|(?<=\n\n))(?:(?:[ ]{{4}}|\t)[^\n]*(?:\n|\Z))+ )
    | (?P<gone> ^[ ]{{0,3}}(?:>|&gt;)(?!!)[^\n]*                           # what somebody else has said
              | !\[[^\]\n]{{0,300}}\]\([^)\n]{{0,2000}}\)                  # pictures
              | \[(?=[^\[\]\n]{{0,500}}\]\() | \]\((?:[^()\s]|\([^()\s]*\))*(?:\s+"[^"\n]{{0,300}}")?\)
              | (?:https?://|www\.)[^\s<>\])]+ | \b[A-Za-z0-9-]{{1,63}}\.{_DOMAIN}(?:/[^\s<>\])]*)?
              | (?:>|&gt;)! | !(?:<|&lt;)                                  # spoilers
              | ^[ \t]*(?:[-*_][ \t]*){{3,}}$ | ^(?=[ \t|:-]*\|)[ \t|:-]+$
              | ^\#{{1,6}}[ \t]+ | ^[ \t]*(?:[-*+]|\d{{1,3}}[.)])[ \t]+
              | (?<!\d)\*+ | \*+(?!\d) | ~~ | (?<![^\W_])_+ | _+(?![^\W_]) | \^+\(?
              | [{_INVISIBLE}] | (?:^|(?<=\s)){_SIGNED}[^\n.!?]{{1,40}}\W*\Z )
    | (?P<escaped> \\[!-/:-@\[-`{{-~] )
    | (?P<entity> &(?:amp;)?(?:nbsp|\#x200[bB]|\#8203);
              | &(?:amp|lt|gt|quot|apos|\#\d{{1,6}}|\#[xX][0-9a-fA-F]{{1,5}}); )
    | (?P<blank> [{_BLANKS}] )
    | (?P<cell> \| )
    """,
    re.MULTILINE | re.VERBOSE,
)


def clean_text(text: str) -> tuple[str, Sequence[int]]:
    """Return a text without quotes of others, code, links, signatures and marks, and the place of each character.

    The places have one more entry, the length of the text. The words of a link stay, its address goes.

    >>> clean, places = clean_text("The **Pixel 8** > [mine](https://example.com)")
    >>> clean, places[clean.index("mine")]
    ('The Pixel 8 > mine', 19)
    """
    for written, instead in _LINE_ENDS:
        if written in text:
            text = text.replace(written, instead)
    if not _MARKUP.search(text):
        return text, range(len(text) + 1)
    parts: list[str] = []
    places = array("I")
    done = 0
    for token in _TOKEN.finditer(text):
        start, end = token.span()
        parts.append(text[done:start])
        places.extend(range(done, start))
        done = end
        if instead := _instead(token):
            parts.append(instead)
            # The mark goes, the character behind it stays where it is.
            places.append(end - 1 if token.lastgroup == "escaped" else start)
    parts.append(text[done:])
    places.extend(range(done, len(text) + 1))
    return "".join(parts), places


def _instead(token: re.Match[str]) -> str:
    """Return the character that stands for a token, or none."""
    match token.lastgroup:
        case "code" | "blank":
            return " "
        case "escaped":
            return token[0][1]
        case "cell":
            return "\n"
        case "entity":
            return _decoded(token[0])
        case _:
            return ""


def _decoded(entity: str) -> str:
    if not entity.startswith("&amp;") or entity == "&amp;":
        decoded = html.unescape(entity)
        return "" if len(decoded) != 1 or decoded == "\u200b" else " " if decoded == "\u00a0" else decoded
    return " " if "nbsp" in entity else ""
