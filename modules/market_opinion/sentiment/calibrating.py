"""A deployment's own labels: a sheet for a person to fill in, two offsets fitted on it, corrections that stay.

How often people are neutral differs between communities more than engines do. Two numbers, added to the log
probabilities of negative and positive, take most of that difference away.
"""

import csv
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reddit_ingest.core.errors import DamagedState, InvalidRequest

from .measuring import Labels, figures
from .passages import Span
from .scoring import LABELS, Probabilities, Scorer

SHEET_ROWS = 300
FEWEST_LABELS = 60
_GRID = np.linspace(-1.5, 1.5, 31)
_CAUTION = 0.01
_COLUMNS = ("mention", "brand", "start", "end", "weight", "said", "label", "text")
# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A mention for a person to judge. `weight` says how many mentions of the deployment it stands for."""

    mention: str
    brand: str
    text: str
    span: Span
    said: str
    weight: float = 1.0
    label: str = ""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Offsets of the log odds of negative and positive, for one engine and one version of its model."""

    engine: str
    model_hash: str
    negative: float
    positive: float
    labels: int
    sheet_sha256: str

    def apply(self, probabilities: Probabilities) -> Probabilities:
        """Return probabilities with the offsets applied."""
        return shifted(probabilities, self.negative, self.positive)

    def fits(self, scorer: Scorer) -> bool:
        """Return whether it was fitted on the answers of this engine and model."""
        return (self.engine, self.model_hash) == (scorer.engine, scorer.model_hash)

    def to_json(self) -> str:
        """Return the file of the calibration."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__}, indent=1) + "\n"

    @classmethod
    def from_json(cls, stored: str) -> "Calibration":
        """Return the calibration of a file.

        Raises:
            DamagedState: it is no such file.
        """
        try:
            return cls(**json.loads(stored))
        except (ValueError, TypeError) as cause:
            raise DamagedState(f"a calibration cannot be read ({cause}); fit it again from its sheet") from cause


def draw_sheet(mentions: Iterable[SheetRow], rows: int = SHEET_ROWS) -> list[SheetRow]:
    """Return a sample for a person to judge: as many mentions of each brand and answer as there are, up to a fair part.

    Each text comes once. The same mentions give the same sheet.
    """
    strata: dict[tuple[str, str], list[SheetRow]] = defaultdict(list)
    texts: set[str] = set()
    for row in sorted(mentions, key=lambda row: hashlib.sha256(row.mention.encode()).digest()):
        if row.text not in texts:
            texts.add(row.text)
            strata[row.brand, row.said].append(row)
    drawn: list[SheetRow] = []
    for left, (_, found) in zip(range(len(strata), 0, -1), sorted(strata.items(), key=_size), strict=True):
        taken = found[: (rows - len(drawn)) // left]
        drawn += [_weighted(row, len(found) / len(taken)) for row in taken]
    return sorted(drawn, key=lambda row: hashlib.sha256(row.mention.encode()).digest())


def _size(stratum: tuple[tuple[str, str], list[SheetRow]]) -> tuple[int, tuple[str, str]]:
    return len(stratum[1]), stratum[0]


def _weighted(row: SheetRow, weight: float) -> SheetRow:
    return SheetRow(row.mention, row.brand, row.text, row.span, row.said, weight)


def write_sheet(rows: Iterable[SheetRow], path: Path) -> None:
    """Write a sheet as CSV that a spreadsheet can open; the column `label` is for the person."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for row in rows:
            cells = (row.mention, row.brand, *row.span, f"{row.weight:.4f}", row.said, row.label, row.text)
            writer.writerow([f"'{cell}" if str(cell).startswith(_FORMULA) else cell for cell in cells])


def read_sheet(path: Path) -> list[SheetRow]:
    """Return the rows that a person has filled in.

    Raises:
        InvalidRequest: the file is no sheet, or a label is none of the three.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [
                _sheet_row(row, line)
                for line, row in enumerate(csv.DictReader(file), 2)
                if (row["label"] or "").strip()
            ]
    except KeyError as cause:
        raise InvalidRequest(f"{path} is no labelling sheet: it has no column {cause}") from cause
    except (OSError, UnicodeDecodeError, csv.Error) as cause:
        raise InvalidRequest(f"{path} cannot be read as a labelling sheet: {cause}") from cause


def _sheet_row(row: Mapping[str, str], line: int) -> SheetRow:
    cells = {name: (row[name] or "").removeprefix("'") for name in _COLUMNS}
    label = cells["label"].strip().lower()
    if label not in LABELS:
        raise InvalidRequest(f"line {line}: {label[:20]!r} is no label; write {', '.join(LABELS)}, or nothing")
    try:
        span, weight = (int(cells["start"]), int(cells["end"])), float(cells["weight"])
    except ValueError as cause:
        raise InvalidRequest(f"line {line}: start, end or weight is no number") from cause
    if not 0 <= span[0] < span[1] <= len(cells["text"]) or not weight > 0:
        raise InvalidRequest(
            f"line {line}: characters {span[0]} to {span[1]} do not lie in the text, or the weight is not positive"
        )
    return SheetRow(cells["mention"], cells["brand"], cells["text"], span, cells["said"], weight, label)


def shifted(probabilities: Probabilities, negative: float, positive: float) -> Probabilities:
    """Return probabilities whose log odds of negative and positive are moved."""
    moved = probabilities * np.exp(np.array([negative, 0.0, positive], np.float32))
    return np.asarray(moved / moved.sum(axis=1, keepdims=True), np.float32)


def fit_offsets(
    labels: Labels, probabilities: Probabilities, weights: NDArray[np.floating] | None = None
) -> tuple[float, float]:
    """Return the offsets of negative and positive that give the best mean of accuracy and macro F1.

    Offsets have to earn their size: a few labels should not move an engine far.
    """
    weights = np.ones(len(labels)) if weights is None else np.asarray(weights)
    logs = np.log(np.maximum(probabilities, 1e-6))
    best, found = -np.inf, (0.0, 0.0)
    for negative in _GRID:
        for positive in _GRID:
            answers = (logs + np.array([negative, 0.0, positive])).argmax(axis=1)
            table = np.bincount(labels * 3 + answers, weights, 9).reshape(3, 3).astype(np.float64)
            value = _worth(table) - _CAUTION * (negative**2 + positive**2)
            if value > best + 1e-12:
                best, found = value, (float(negative), float(positive))
    return found


def _worth(table: NDArray[np.floating]) -> float:
    right, both = np.diag(table), table.sum(axis=0) + table.sum(axis=1)
    used = table.sum(axis=1) > 0
    return float(right.sum() / table.sum() + (2 * right[used] / both[used]).mean()) / 2


def calibrate(scorer: Scorer, rows: Sequence[SheetRow], sheet_sha256: str) -> Calibration:
    """Return the calibration of an engine on a filled sheet.

    Raises:
        InvalidRequest: too few labels, or one class only.
    """
    if len(rows) < FEWEST_LABELS or len({row.label for row in rows}) < 2:
        classes = len({row.label for row in rows})
        raise InvalidRequest(f"{len(rows)} labels of {classes} classes; at least {FEWEST_LABELS} of two are needed")
    labels, probabilities, weights = _scored(scorer, rows)
    negative, positive = fit_offsets(labels, probabilities, weights)
    return Calibration(scorer.engine, scorer.model_hash, negative, positive, len(rows), sheet_sha256)


def _scored(scorer: Scorer, rows: Sequence[SheetRow]) -> tuple[Labels, Probabilities, NDArray[np.float64]]:
    labels = np.array([LABELS.index(row.label) for row in rows])
    return (
        labels,
        scorer.score([row.text for row in rows], [row.span for row in rows]),
        np.array([row.weight for row in rows]),
    )


def before_and_after(scorer: Scorer, rows: Sequence[SheetRow], folds: int = 5) -> dict[str, Any]:
    """Return the figures on the sheet without offsets, and with offsets fitted on the other rows of the sheet."""
    labels, probabilities, weights = _scored(scorer, rows)
    after = np.array(probabilities)
    for fold in range(folds):
        mine = np.arange(len(rows)) % folds == fold
        offsets = fit_offsets(labels[~mine], probabilities[~mine], weights[~mine])
        after[mine] = shifted(probabilities[mine], *offsets)
    return {
        name: figures(labels, some.argmax(axis=1)).to_dict()
        for name, some in (("before", probabilities), ("after", after))
    }


def corrected(mentions: Sequence[str], probabilities: Probabilities, sheet: Iterable[SheetRow]) -> Probabilities:
    """Return the probabilities, with what a person said of a mention in place of what an engine said."""
    said = {row.mention: LABELS.index(row.label) for row in sheet}
    made = np.array(probabilities)
    for place, mention in enumerate(mentions):
        if mention in said:
            made[place] = np.eye(3, dtype=np.float32)[said[mention]]
    return made
