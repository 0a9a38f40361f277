"""Where people's labels stand, beside the augmented zone: they cannot be computed again, and stay when it is rebuilt.

labels/{market}/corrections.jsonl
labels/{market}/calibration-{engine}.json
"""

import json
from collections.abc import Iterable

from reddit_ingest.core.errors import DamagedState, ObjectMissing
from reddit_ingest.core.ports import DerivedZone
from reddit_ingest.core.tombstones import Graves

from .augmented_store import put_for_good
from .labels import Correction, Labels, newest, to_lines
from .sentiment.calibrating import Calibration
from .sentiment.scoring import Scorer

PREFIX = "labels/"
_CORRECTIONS = "/corrections.jsonl"


class LabelStore:
    """Reads and writes the labels of one market; `forget` is about all of them."""

    def __init__(self, zone: DerivedZone, market: str) -> None:
        self._zone = zone
        self._place = f"{PREFIX}{market}"

    def corrections(self) -> list[Correction]:
        """Return what people said, in order of place.

        Raises:
            DamagedState: it cannot be read.
        """
        return self._read(self._place + _CORRECTIONS)

    def calibration(self, engine: str) -> Calibration | None:
        """Return the offsets of an engine, if there are any.

        Raises:
            DamagedState: they cannot be read.
        """
        try:
            return Calibration.from_json(self._zone.reader.read(self._key(engine)))
        except ObjectMissing:
            return None

    def labels(self, scorer: Scorer) -> Labels:
        """Return corrections and offsets, these only where they were fitted on this version of the engine.

        Raises:
            DamagedState: one of them cannot be read.
        """
        return Labels.fitting(scorer, self.calibration(scorer.engine), self.corrections())

    def add(self, corrections: Iterable[Correction]) -> list[Correction]:
        """Keep corrections, each in the place of an older one of its mention, and return all."""
        known = self.corrections()
        kept = newest([*known, *corrections])
        if kept != known:
            self._write(self._place + _CORRECTIONS, kept)
        return kept

    def keep(self, calibration: Calibration) -> None:
        """Keep offsets in the place of older ones of their engine."""
        put_for_good(self._zone, self._key(calibration.engine), calibration.to_json().encode())

    def knows(self, subreddit: str) -> bool:
        """Return whether anything was said, in any market, of what stands in a subreddit."""
        return any(each.place.subreddit == subreddit for key in self._keys() for each in self._read(key))

    def forget(self, graves: Graves) -> None:
        """Drop, in all markets, what was said of observations that fall under tombstones."""
        for key in self._keys():
            known = self._read(key)
            kept = [each for each in known if not _is_buried(each, graves)]
            if kept != known:
                self._write(key, kept)

    def tidy(self) -> None:
        """Remove what writers that died have left half written; only while nobody writes."""
        for leftovers in self._zone.leftovers:
            leftovers.remove(PREFIX, 0)

    def _key(self, engine: str) -> str:
        return f"{self._place}/calibration-{engine}.json"

    def _keys(self) -> list[str]:
        return [key for key in self._zone.reader.keys(PREFIX) if key.endswith(_CORRECTIONS)]

    def _read(self, key: str) -> list[Correction]:
        try:
            return [Correction.from_row(json.loads(line)) for line in self._zone.reader.read(key).splitlines()]
        except ObjectMissing:
            return []
        except (ValueError, DamagedState) as cause:
            raise DamagedState(f"{key} holds something that is no label ({cause}); restore it from a copy") from cause

    def _write(self, key: str, corrections: list[Correction]) -> None:
        if corrections:
            put_for_good(self._zone, key, to_lines(corrections))
        else:
            self._zone.eraser.erase(key)


def _is_buried(correction: Correction, graves: Graves) -> bool:
    grave = graves.get(correction.place.fullname)
    return grave is not None and grave.hides and grave.covers(correction.observed_at_ts)
