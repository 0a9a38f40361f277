"""What people said of single mentions, and how it goes into the tables. Holds no words of anybody."""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from reddit_ingest.core.errors import DamagedState, InvalidRequest
from reddit_ingest.core.names import item_fullname, subreddit_key

from .sentiment.calibrating import Calibration
from .sentiment.scoring import LABELS, Probabilities, Scorer

_ADDRESS = re.compile(
    r"([^/]{2,30})/(\d{4}-\d{2}-\d{2})/(t[13]_[0-9a-z]{1,20})/(\d{1,9})-(\d{1,9})/([0-9a-f]{16})", re.ASCII
)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a mention stands: the part of the tables, the document, the name's place in its text, and which text."""

    subreddit: str
    date: str
    fullname: str
    start: int
    end: int
    text_sha256: str

    def __str__(self) -> str:
        return f"{self.subreddit}/{self.date}/{self.fullname}/{self.start}-{self.end}/{self.text_sha256}"

    @classmethod
    def parse(cls, address: str) -> "Place":
        """Return the place that a text tells.

        Raises:
            InvalidRequest: it tells none.
        """
        found = _ADDRESS.fullmatch(address)
        if not found or subreddit_key(found[1]) != found[1] or int(found[4]) >= int(found[5]):
            raise InvalidRequest(f"{address[:80]!r} is no mention; leave this column as the sheet had it")
        return cls(found[1], found[2], item_fullname(found[3]), int(found[4]), int(found[5]), found[6])

    @property
    def mention(self) -> tuple[str, int, int]:
        """What tells the mention from others, whatever its text says now."""
        return self.fullname, self.start, self.end


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person said of a mention.

    It holds for the brand and the text that it was given for. `weight` says how many mentions it stands for,
    `observed_at_ts` when the text was seen that was judged.
    """

    place: Place
    brand: str
    label: str
    weight: float = 1.0
    observed_at_ts: int = 0

    def holds_for(self, brand: str, text: str) -> bool:
        """Return whether it still says something of a brand named at its place in a text."""
        return brand == self.brand and digest_of(text) == self.place.text_sha256

    def to_row(self) -> dict[str, Any]:
        """Return it as it stands in its file."""
        rest = {name: getattr(self, name) for name in ("brand", "label", "weight", "observed_at_ts")}
        return {**asdict(self.place), **rest}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Correction":
        """Return the correction that a row holds.

        Raises:
            DamagedState: it holds none.
        """
        try:
            place = Place.parse(str(Place(*(row[name] for name in Place.__slots__))))
            label, weight = LABELS[LABELS.index(row["label"])], weight_of(row["weight"])
            return cls(place, str(row["brand"]), label, weight, int(row["observed_at_ts"]))
        except (KeyError, TypeError, ValueError, InvalidRequest) as cause:
            raise DamagedState(f"a correction cannot be read ({cause})") from cause


def weight_of(told: str | float) -> float:
    """Return a weight.

    Raises:
        ValueError: it is no number, or not a positive one.
    """
    weight = float(told)
    if not 0 < weight < math.inf:
        raise ValueError(f"{weight} is no weight")
    return weight


def digest_of(text: str) -> str:
    """Return what tells a text from other versions of it."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def newest(corrections: Iterable[Correction]) -> list[Correction]:
    """Return the last correction of every mention, in order of place."""
    by_mention = {each.place.mention: each for each in corrections}
    return sorted(by_mention.values(), key=lambda each: each.place)


@dataclass(frozen=True, slots=True)
class Labels:
    """What people said of mentions, and the offsets that were fitted on that. The offsets have to fit the engine."""

    calibration: Calibration | None = None
    corrections: tuple[Correction, ...] = ()

    @classmethod
    def fitting(cls, scorer: Scorer, calibration: Calibration | None, corrections: Iterable[Correction]) -> "Labels":
        """Return labels for an engine: without offsets where they were fitted on another, or another version of it."""
        return cls(calibration if calibration and calibration.fits(scorer) else None, tuple(corrections))

    def of_day(self, subreddit: str, date: str) -> "Labels":
        """Return what matters to one part of the tables."""
        wanted = (subreddit, date)
        own = tuple(each for each in self.corrections if (each.place.subreddit, each.place.date) == wanted)
        return replace(self, corrections=own)

    @property
    def told(self) -> list[Any]:
        """All of it that rows follow from."""
        offsets = [self.calibration.negative, self.calibration.positive] if self.calibration else None
        return [offsets, [[str(each.place), each.brand, each.label] for each in self.corrections]]

    def applied(
        self, mentions: Iterable[tuple[str, int, int, str, str]], probabilities: Probabilities
    ) -> Probabilities:
        """Return an engine's probabilities with the offsets, and with what a person said in place of what it said.

        Mentions are fullname, start, end, brand, and the text that they stand in.
        """
        made = self.calibration.apply(probabilities) if self.calibration else np.array(probabilities)
        said = {each.place.mention: each for each in self.corrections}
        for number, (fullname, start, end, brand, text) in enumerate(mentions if said else ()):
            correction = said.get((fullname, start, end))
            if correction and correction.holds_for(brand, text):
                made[number] = np.arange(len(LABELS)) == LABELS.index(correction.label)
        return made


NO_LABELS = Labels()


def to_lines(corrections: Iterable[Correction]) -> bytes:
    """Return corrections as JSON lines."""
    return b"".join(json.dumps(each.to_row(), sort_keys=True).encode() + b"\n" for each in corrections)
