"""A sheet of a deployment's own mentions for a person to judge, and what became of the judgements.

The sheet is a sample: as many mentions of each brand and answer as there are, up to a fair part, so that what is rare
is judged too; each row says how many mentions it stands for. What the engine said is not shown: it would lead people.
"""

import csv
import hashlib
import heapq
import io
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reddit_ingest.core.errors import InvalidRequest, ObjectMissing

from .augmented_store import AugmentedStore
from .augmenting import score_again
from .documents import SET_ASIDE
from .labels import Correction, Place, digest_of, weight_of
from .new_files import for_spreadsheet, new_file
from .sentiment.calibrating import Judged
from .sentiment.scoring import LABELS, Scorer

Row = dict[str, Any]

SHEET_ROWS = 300

# As far as engines look around a name.
_AROUND = 600
_COLUMNS = ("brand", "text", "label", "weight", "mention")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A mention for a person to judge; `text` is the passage around it, with the name marked, as in »Pixel«.

    `said` is the answer in the tables; `weight` says how many mentions the row stands for.
    """

    place: Place
    brand: str
    text: str
    said: str
    weight: float = 1.0


def mentions_to_judge(store: AugmentedStore, market: str, judged: Collection[Correction]) -> Iterator[SheetRow]:
    """Yield the mentions of a market that people wrote themselves and that nobody has judged yet, in order of place."""
    done = {each.place.mention for each in judged}
    for subreddit in store.subreddits():
        for date in sorted(store.days("mentions", subreddit)):
            texts: dict[str, tuple[str, str]] = {
                row["fullname"]: (row["text"], digest_of(row["text"]))
                for row in store.read("documents", subreddit, date).select(["fullname", "text", "flags"]).to_pylist()
                if not SET_ASIDE & {*row["flags"]}
            }
            for row in store.read("mentions", subreddit, date).to_pylist():
                if row["market"] == market and row["fullname"] in texts:
                    text, digest = texts[row["fullname"]]
                    place = Place(subreddit, date, row["fullname"], row["start"], row["end"], digest)
                    if place.mention not in done:
                        yield SheetRow(place, row["brand"], _passage(text, place.start, place.end), row["label"])


def _passage(text: str, start: int, end: int) -> str:
    return f"{text[max(0, start - _AROUND) : start]}»{text[start:end]}«{text[end : end + _AROUND]}"


@dataclass(slots=True)
class _Stratum:
    """Some mentions of many: those whose hashes are the smallest."""

    size: int = 0
    kept: list[tuple[int, SheetRow]] = field(default_factory=list)

    def add(self, row: SheetRow, most: int) -> None:
        self.size += 1
        heapq.heappush(self.kept, (-_rank(row), row))
        if len(self.kept) > most:
            heapq.heappop(self.kept)

    def sample(self, most: int) -> list[SheetRow]:
        """Return so many of them, with their weights."""
        taken = sorted((row for _, row in self.kept), key=_rank)[:most]
        return [replace(row, weight=self.size / len(taken)) for row in taken]


def _rank(row: SheetRow) -> int:
    return int.from_bytes(hashlib.sha256(str(row.place).encode()).digest())


def draw_sheet(mentions: Iterable[SheetRow], rows: int = SHEET_ROWS) -> list[SheetRow]:
    """Return a sample for a person to judge; the same mentions give the same sheet.

    Copies of a text are judged once. No more rows are held than the sheet may have of each brand and answer.
    """
    strata: dict[tuple[str, str], _Stratum] = defaultdict(_Stratum)
    seen: set[int] = set()
    for row in mentions:
        copies = hash((row.place.text_sha256, row.place.start))
        if copies not in seen:
            seen.add(copies)
            strata[row.brand, row.said].add(row, rows)
    drawn: list[SheetRow] = []
    by_size = sorted(strata.items(), key=lambda one: (one[1].size, one[0]))
    for left, (_, stratum) in zip(range(len(strata), 0, -1), by_size, strict=True):
        drawn += stratum.sample((rows - len(drawn)) // left)
    return sorted(drawn, key=_rank)


def write_sheet(rows: Iterable[SheetRow], path: Path) -> None:
    """Write a sheet as CSV that a spreadsheet can open; the column `label` is for the person.

    Raises:
        InvalidRequest: there is such a file already, or none can be written; nothing is left half written.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        cells = (row.brand, row.text, "", f"{row.weight:.4f}", str(row.place))
        writer.writerow(map(for_spreadsheet, cells))
    with new_file(path, f"the sheet cannot be written to {str(path)!r}", ", perhaps with somebody's labels") as file:
        file.write(buffer.getvalue().encode())


def read_sheet(path: Path) -> list[Correction]:
    """Return what a person has filled in; rows without a label are left out.

    Raises:
        InvalidRequest: the file is no sheet, or a label is none of the three.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [
                _filled(row, line) for line, row in enumerate(csv.DictReader(file), 2) if (row["label"] or "").strip()
            ]
    except KeyError as cause:
        raise InvalidRequest(
            f"{path} is no labelling sheet: it has no column {cause}; save it as CSV, with commas between the columns"
        ) from cause
    except (OSError, ValueError, csv.Error) as cause:
        raise InvalidRequest(f"{str(path)!r} cannot be read as a labelling sheet: {cause}") from cause


def _filled(row: Mapping[str, str | None], number: int) -> Correction:
    brand, label, weight, address = ((row[name] or "").removeprefix("'") for name in _COLUMNS if name != "text")
    label = label.strip().lower()
    if label not in LABELS:
        raise InvalidRequest(f"row {number}: {label[:20]!r} is no label; write {', '.join(LABELS)}, or nothing")
    try:
        stands_for = weight_of(weight)
        place = Place.parse(address.strip())
    except ValueError as cause:
        raise InvalidRequest(f"row {number}: the weight {weight[:20]!r} is no positive number") from cause
    except InvalidRequest as cause:
        raise InvalidRequest(f"row {number}: {cause}") from cause
    return Correction(place, brand, label, stands_for)


@dataclass(frozen=True, slots=True)
class Match:
    """A correction that still holds, with the document that it is about and all mentions in that."""

    correction: Correction
    document: Row
    mentions: Sequence[Row]
    number: int


def matches(store: AugmentedStore, market: str, corrections: Iterable[Correction]) -> list[Match]:
    """Return the corrections that still hold for a mention and its text in the tables, in order of place.

    Each then tells when the text was seen that it holds for.
    """
    found: list[Match] = []
    in_order = sorted(corrections, key=lambda each: each.place)
    for (subreddit, date), some in groupby(in_order, key=lambda each: (each.place.subreddit, each.place.date)):
        wanted = list(some)
        names = pa.array(sorted({each.place.fullname for each in wanted}), pa.string())
        documents = {row["fullname"]: row for row in _rows(store, "documents", subreddit, date, names)}
        mentions: dict[str, list[Row]] = defaultdict(list)
        for row in _rows(store, "mentions", subreddit, date, names):
            if row["market"] == market:
                mentions[row["fullname"]].append(row)
        for each in wanted:
            found += _matched(each, documents.get(each.place.fullname), mentions[each.place.fullname])
    return found


def _rows(store: AugmentedStore, table: str, subreddit: str, date: str, names: pa.Array) -> list[Row]:
    try:
        part = store.read(table, subreddit, date)
    except ObjectMissing:
        return []
    rows: list[Row] = part.filter(pc.is_in(part["fullname"], names)).to_pylist()
    return rows


def _matched(correction: Correction, document: Row | None, mentions: Sequence[Row]) -> Iterator[Match]:
    for number, mention in enumerate(mentions if document else ()):
        is_it = (mention["fullname"], mention["start"], mention["end"]) == correction.place.mention
        if document and is_it and correction.holds_for(mention["brand"], document["text"]):
            seen = replace(correction, observed_at_ts=document["observed_at_ts"])
            yield Match(seen, document, mentions, number)


def judged_by(scorer: Scorer, found: Sequence[Match]) -> Judged:
    """Return what people and an engine by itself say of the same mentions."""
    by_document = {match.document["fullname"]: match for match in found}
    probabilities = score_again(((match.document, match.mentions) for match in by_document.values()), scorer)
    first, firsts = 0, {}
    for fullname, match in by_document.items():
        firsts[fullname] = first
        first += len(match.mentions)
    return Judged(
        labels=np.array([LABELS.index(match.correction.label) for match in found], np.int64),
        probabilities=probabilities[[firsts[match.document["fullname"]] + match.number for match in found]],
        weights=np.array([match.correction.weight for match in found], np.float64),
        aspects=[frozenset(match.mentions[match.number]["aspects"]) for match in found],
    )
