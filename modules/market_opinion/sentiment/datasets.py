"""Labelled opinion texts in files: one row a target (or a text), tab separated, `id label ... text`."""

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reddit_ingest.core.errors import InvalidRequest

from .comparing import OUTCOMES
from .passages import Span
from .scoring import LABELS


@dataclass(frozen=True, slots=True)
class Labelled:
    """One row: a text, the place of its target (None: the whole text), what a person said about it."""

    text: str
    span: Span | None
    label: int
    topic: str = ""


# Some sets tell which brand a text is about, or that it is about one of these, and not where it is named.
_FAMILIES = ("ipad", "iphone", "android", "google", "apple", "aapl")


def columns_of(path: Path) -> set[str]:
    """Return the names in a file's first line.

    Raises:
        InvalidRequest: it cannot be read.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            return set(lines.readline().rstrip("\n").split("\t"))
    except (OSError, UnicodeDecodeError) as cause:
        raise InvalidRequest(f"{path} cannot be read as a labelled file: {cause}") from cause


def read_rows(path: Path) -> Iterator[Mapping[str, str]]:
    """Yield the rows of a labelled file.

    Raises:
        InvalidRequest: it cannot be read, or a row has another number of columns than the first line.
    """
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                if None in row or None in row.values():
                    raise InvalidRequest(
                        f"{path.name}: row {row.get('id')!r} has not as many columns as the first line"
                    )
                yield row
    except (OSError, UnicodeDecodeError, csv.Error) as cause:
        raise InvalidRequest(f"{path} cannot be read as a labelled file: {cause}") from cause


def read_labelled(path: Path) -> list[Labelled]:
    """Return the rows whose label is one of the three classes.

    Raises:
        InvalidRequest: the file is damaged; the message names the row.
    """
    rows = [row for row in read_rows(path) if row["label"] in LABELS]
    brands = any("target" in row for row in rows[:1]) or path.name.startswith("apple")
    return [_labelled(row, brands) for row in rows]


def _labelled(row: Mapping[str, str], brands: bool) -> Labelled:
    text, target, given = row["text"], row.get("target") or "", row.get("start") or "-1"
    try:
        start = int(given)
    except ValueError as cause:
        raise InvalidRequest(f"row {row['id']!r}: start is no number: {given[:20]!r}") from cause
    span: Span | None = None
    if 0 <= start < len(text):
        span = (start, min(len(text), start + len(target)))
    elif "start" not in row and brands:
        span = _family(text, target)
    return Labelled(text, span, LABELS.index(row["label"]), target)


def _family(text: str, target: str) -> Span | None:
    named = [name for name in _FAMILIES if name in target.lower()]
    for name in (*named, *_FAMILIES):
        found = re.search(rf"(?i){name}", text)
        if found:
            return found.span()
    return None


def text_fold(text: str, folds: int = 5) -> int:
    """Return the fold of a text: the same for texts that differ in case, punctuation, links or @names only."""
    bare = re.sub(r"https?://\S+|@\w+|\W+", " ", text.lower())
    digest = hashlib.sha256(" ".join(bare.split()).encode()).digest()
    return int.from_bytes(digest[:8], "big") % folds


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """One row: a text, the places of two things in it, and how the first compares with the second."""

    text: str
    first: Span
    second: Span
    label: int


def read_pairs(path: Path) -> list[LabelledPair]:
    """Return the rows of a file of comparisons whose two things can be found in the text, in this order."""
    return [pair for row in read_rows(path) if row["label"] in OUTCOMES and (pair := _labelled_pair(row))]


@dataclass(frozen=True, slots=True)
class Categorised:
    """One row: a text, and the categories that it speaks of."""

    text: str
    categories: frozenset[str]


def read_categorised(path: Path) -> list[Categorised]:
    """Return the rows of a file whose column `opinions` holds a JSON list of [category, polarity].

    Raises:
        InvalidRequest: the file is damaged; the message names the row.
    """
    return [Categorised(row["text"], _categories(row)) for row in read_rows(path)]


def _categories(row: Mapping[str, str]) -> frozenset[str]:
    try:
        return frozenset(str(category) for category, _ in json.loads(row["opinions"]))
    except (ValueError, TypeError, RecursionError) as cause:
        raise InvalidRequest(f"row {row['id']!r}: opinions are no list of pairs: {row['opinions'][:40]!r}") from cause


def _labelled_pair(row: Mapping[str, str]) -> LabelledPair | None:
    names = [re.escape(row[name]) for name in ("object_a", "object_b")]
    found = re.search(rf"(?i)(?<!\w)({names[0]})(?!\w).*?(?<!\w)({names[1]})(?!\w)", row["text"])
    if not found:
        return None
    return LabelledPair(row["text"], found.span(1), found.span(2), OUTCOMES.index(row["label"]))
