"""Documents: what the author of a submission or comment wrote, made fit for reading by machine."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reddit_ingest.core.keys import SUBMISSIONS

from .cleaning import clean_text
from .language import language_of
from .repeats import alike, normalised

AUTOMODERATOR, BOT, CROSSPOST, DELETED, REMOVED, EMPTY = (
    "automoderator",
    "bot",
    "crosspost",
    "deleted",
    "removed",
    "empty",
)
NEAR_DUPLICATE, FLOOD = "near-duplicate", "flood"

_PLACEHOLDERS = {"[deleted]": DELETED, "[removed]": REMOVED, "[ removed by reddit ]": REMOVED}
_BOT_NAME = re.compile(r"[a-z0-9]Bot\d{0,4}$|[a-z0-9](?:_bot|-bot|_Bot|-Bot|_BOT|-BOT|BOT)\d{0,4}$")
_BOT_NAMES = frozenset(["autotldr", "sneakpeekbot", "haikusbot", "b0trank", "remindmebot", "gifreversingbot"])
_BOT_TEXT = re.compile(
    r"\bi(?:'|’)?(?: a)?m a bot\b|\baction was performed automatically\b|\bbeep,? boop\b|\bbleep,? bloop\b",
    re.IGNORECASE,
)
_LETTER = re.compile(r"[^\W\d_]")

_COPIES_OF_A_FLOOD = 3


SET_ASIDE = frozenset({AUTOMODERATOR, BOT, DELETED, FLOOD, NEAR_DUPLICATE, REMOVED})
"""Flags of documents that are no one's own living word once: figures are told without them, and tell the difference."""


@dataclass(frozen=True, slots=True)
class Document:
    """A submission or comment.

    `text` is what stands in the lake: title, blank line and selftext of a submission, or the body of a comment. `clean`
    is the author's own text: no Markdown, quotes of others, code, addresses or signatures. `offsets[i]` is the place of
    `clean[i]` in `text`; it has one more entry than `clean` has characters.
    """

    fullname: str
    kind: str
    subreddit: str
    created_utc: int
    observed_at_ts: int
    author: str | None
    thread: str
    parent: str | None
    score: int | None
    permalink: str | None
    text: str
    clean: str
    offsets: Sequence[int]
    language: str
    flags: frozenset[str]

    def original(self, clean_start: int, clean_end: int) -> tuple[int, int]:
        """Return where a stretch of `clean` stands in `text`; a stretch that is empty has no width there either."""
        start = self.offsets[clean_start]
        return start, self.offsets[clean_end - 1] + 1 if clean_end > clean_start else start


@dataclass(frozen=True, slots=True)
class Context:
    """What a document answers: its thread's title, the text of its parent ("" where there is none), its subreddit."""

    title: str
    parent_text: str
    subreddit: str


def document_of(row: Mapping[str, Any], kind: str) -> Document:
    """Return the document of a landed row of `submissions` or `comments`.

    Flags: `automoderator`, `bot` (by name or by its own words), `crosspost`, `deleted` or `removed` (its text is),
    `empty` (no letter is left in `clean`). What needs other documents is told by `flag_repeats`.
    """
    flags = set()
    if kind == SUBMISSIONS:
        title, said = row.get("title") or "", row.get("selftext") or ""
        text = f"{title}\n\n{said}" if said else title
        thread, parent = row["fullname"], None
    else:
        title, said = "", row.get("body") or ""
        text = said
        thread, parent = row.get("link_id") or "", row.get("parent_id")
    gone = _PLACEHOLDERS.get(said.strip().lower())
    clean, offsets = clean_text(title if gone else text)
    if gone:
        flags.add(gone)
    if row.get("removed_by_category"):
        flags.add(DELETED if row["removed_by_category"] in ("deleted", "author") else REMOVED)
    if row.get("crosspost_parent"):
        flags.add(CROSSPOST)
    if not _LETTER.search(clean):
        flags.add(EMPTY)
    return Document(
        fullname=row["fullname"],
        kind=kind,
        subreddit=(row.get("subreddit") or "").lower(),
        created_utc=row["created_utc"],
        observed_at_ts=row.get("observed_at_ts") or 0,
        author=row.get("author"),
        thread=thread,
        parent=parent,
        score=None if row.get("score_hidden") else row.get("score"),
        permalink=row.get("permalink"),
        text=text,
        clean=clean,
        offsets=offsets,
        language=language_of(clean),
        flags=frozenset(flags | _bot_flags(row.get("author"), text)),
    )


def _bot_flags(author: str | None, text: str) -> set[str]:
    if author and author.lower() == "automoderator":
        return {AUTOMODERATOR, BOT}
    is_named_so = author and (author.lower() in _BOT_NAMES or _BOT_NAME.search(author))
    return {BOT} if is_named_so or _BOT_TEXT.search(text) else set()


def flag_repeats(documents: Iterable[Document]) -> dict[str, frozenset[str]]:
    """Return, by fullname, the flags of documents that say what others say; documents without such a flag are left out.

    Texts of fewer than five words are left alone: people say "same here" on their own. Of a group of equal or nearly
    equal texts all but the earliest are `near-duplicate`; three and more by one author or in one thread are `flood`,
    the first of them too. The answer does not depend on the order of the documents.
    """
    groups: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        if text := normalised(document.clean):
            groups[text].append(document)
    flags: dict[str, set[str]] = defaultdict(set)
    for texts in alike(groups):
        copies = sorted(
            (document for text in texts for document in groups[text]), key=lambda one: (one.created_utc, one.fullname)
        )
        for document in copies[1:]:
            flags[document.fullname].add(NEAR_DUPLICATE)
        for document in _floods(copies):
            flags[document.fullname].add(FLOOD)
    return {fullname: frozenset(found) for fullname, found in flags.items()}


def _floods(copies: Sequence[Document]) -> Iterable[Document]:
    by_place: dict[tuple[str, str], list[Document]] = defaultdict(list)
    for document in copies:
        by_place["thread", document.thread].append(document)
        if document.author:
            by_place["author", document.author].append(document)
    for together in by_place.values():
        if len(together) >= _COPIES_OF_A_FLOOD:
            yield from together
