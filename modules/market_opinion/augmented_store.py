"""Where the augmented zone stands: a part per table, subreddit and day, and a record of what each was made from.

    augmented/{table}/subreddit={subreddit}/date={YYYY-MM-DD}/part.parquet
    augmented/coverage/subreddit={subreddit}/part.parquet
    augmented/_built/{subreddit}.json

A part is replaced in one step under its one name, so that readers, who may take every part that they find, see each
partition once. A part without rows does not exist. The record is written last: what it does not tell of is built again.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from reddit_ingest.core.errors import ObjectMissing
from reddit_ingest.core.ports import DerivedZone

from .tables import SCHEMAS, from_parquet

PREFIX = "augmented/"
_PART = re.compile(r"augmented/([a-z_]+)/subreddit=([^/]+)/date=([0-9]{4}-[0-9]{2}-[0-9]{2})/part\.parquet")
_BUILT = re.compile(r"augmented/_built/([^/]+)\.json")

# No object is so old: the one that counts stays, and the versions that it has replaced go.
_NEVER_S = 2**40


@dataclass(frozen=True, slots=True)
class Built:
    """What was made of one day: `inputs` is a digest of all that it was made from, `rows` are counts by table."""

    inputs: str
    rows: Mapping[str, int]


class AugmentedStore:
    """Reads and writes the parts and records of the augmented zone."""

    def __init__(self, zone: DerivedZone) -> None:
        self._zone = zone

    def subreddits(self) -> list[str]:
        """Return the subreddits of which there is a record."""
        found = (_BUILT.fullmatch(key) for key in self._zone.reader.keys(f"{PREFIX}_built/"))
        return sorted(named[1] for named in found if named)

    def built(self, subreddit: str) -> dict[str, Built]:
        """Return the record of a subreddit by day; without those days of which a part is not there (any more)."""
        try:
            record: dict[str, Any] = json.loads(self._zone.reader.read(_record_key(subreddit)))
            days = {day: Built(**told) for day, told in record["days"].items()}
        except (ObjectMissing, ValueError, KeyError, TypeError, AttributeError):
            return {}  # it can be made again
        there = {table: self.days(table, subreddit) for table in SCHEMAS}
        return {
            day: built
            for day, built in days.items()
            if all((day in there[table]) == (built.rows.get(table, 0) > 0) for table in SCHEMAS)
        }

    def record(self, subreddit: str, built: Mapping[str, Built]) -> None:
        """Write the record of a subreddit; without a day there is none."""
        if not built:
            self._zone.eraser.erase(_record_key(subreddit))
            return
        told = {"subreddit": subreddit, "days": {day: asdict(one) for day, one in built.items()}}
        content = json.dumps(told, indent=1, sort_keys=True).encode() + b"\n"
        put_for_good(self._zone, _record_key(subreddit), content)

    def days(self, table: str, subreddit: str) -> set[str]:
        """Return the days of which a table has a part."""
        found = map(_PART.fullmatch, self._zone.reader.keys(f"{PREFIX}{table}/subreddit={subreddit}/"))
        return {named[3] for named in found if named}

    def read(self, table: str, subreddit: str, day: str) -> pa.Table:
        """Return the rows of a part.

        Raises:
            DamagedState: there is no such part.
        """
        return from_parquet(self._zone.reader.read(part_key(table, subreddit, day)))

    def replace(self, subreddit: str, day: str, parts: Mapping[str, bytes]) -> None:
        """Put parts, by table, in the place of those of a day; what they were, and what is not among them, is erased.

        Each table's part changes in one step, one table after the other.
        """
        for table in SCHEMAS:
            key = part_key(table, subreddit, day)
            if table in parts:
                put_for_good(self._zone, key, parts[table])
            else:
                self._zone.eraser.erase(key)

    def tell_coverage(self, subreddit: str, part: bytes | None) -> None:
        """Put the part of a subreddit's coverage in its place where it has changed; None: there is none any more."""
        key = f"{PREFIX}coverage/subreddit={subreddit}/part.parquet"
        if part is None:
            self._zone.eraser.erase(key)
        elif part != self._there(key):
            put_for_good(self._zone, key, part)

    def _there(self, key: str) -> bytes | None:
        try:
            return self._zone.reader.read(key)
        except ObjectMissing:
            return None

    def tidy(self) -> None:
        """Remove what writers that died have left half written; only while nobody writes."""
        for leftovers in self._zone.leftovers:
            leftovers.remove(PREFIX, 0)


def put_for_good(zone: DerivedZone, key: str, content: bytes) -> None:
    """Put an object in the place of what stands under its key, and erase what that was, in all its versions."""
    zone.replacer.replace(key, content)
    zone.eraser.erase(key, least_age_s=_NEVER_S)


def part_key(table: str, subreddit: str, day: str) -> str:
    """Return where a part stands."""
    return f"{PREFIX}{table}/subreddit={subreddit}/date={day}/part.parquet"


def _record_key(subreddit: str) -> str:
    return f"{PREFIX}_built/{subreddit}.json"
