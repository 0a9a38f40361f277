"""The augmented zone follows the landing zone: which days have changed, and each of those made again.

A day's partition is a pure function of the landed objects that hold items of that day or of the day before (which it
answers), of tombstones, market, model, code and people's labels. A digest of all of them is recorded with each
partition; nothing else is remembered. So a run that was killed goes on where it stopped, and a zone that was thrown
away comes back the same.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from operator import attrgetter
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from reddit_ingest import __version__
from reddit_ingest.core.errors import ObjectMissing
from reddit_ingest.core.keys import KINDS
from reddit_ingest.core.ports import StagingReader
from reddit_ingest.core.tombstones import Graves
from reddit_ingest.core.windows import Window
from reddit_ingest.view import graves, manifests, subreddits_in

from .augmented_store import AugmentedStore, Built
from .augmenting import BATCH_ROWS, documents_of, read_batch, stamp_of, with_context
from .compaction import Source, compact
from .coverage_table import coverage_of
from .daily import daily_opinion
from .label_store import LabelStore
from .labels import Labels
from .market import Market
from .sentiment.scoring import Scorer
from .tables import COMPARISONS, MENTIONS, SCHEMAS, to_parquet

DAY_S = 86_400

_key = attrgetter("key")

_LOOKS = 3
"""So often the landing zone is looked at anew when it has changed while it was read."""


@dataclass(frozen=True, slots=True)
class Task:
    """A day's partition to be made: from what, and the digest of all that."""

    subreddit: str
    day: int
    sources: tuple[Source, ...]
    graves: Graves
    labels: Labels
    inputs: str

    @property
    def date(self) -> str:
        """The day as it stands in keys."""
        return date_of(self.day)


@dataclass(frozen=True, slots=True)
class Partition:
    """What a task became: the parts by table, as Parquet, where they have rows; and how many rows each table has."""

    parts: dict[str, bytes]
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a subreddit's partitions; rows are those of all of them, `is_settled` that none is behind."""

    subreddit: str
    built: int
    unchanged: int
    removed: int
    rows: dict[str, int]
    is_settled: bool


class Listener(Protocol):
    """Hears how the work goes on; never raises."""

    def built(self, subreddit: str, date: str, rows: dict[str, int], done: int, total: int) -> None:
        """One more partition stands."""
        ...


Builders = Callable[[Sequence[Task]], Iterator[tuple[Task, Partition | None]]]
"""Makes partitions, in any order; None where the landing zone changed meanwhile."""


def date_of(day: int) -> str:
    """Return a day, counted from 1970, as it stands in keys."""
    return f"{datetime.fromtimestamp(day * DAY_S, UTC):%Y-%m-%d}"


class DayBuilder:
    """Makes one day's partition at a time; writes nothing."""

    def __init__(self, landing: StagingReader, market: Market, scorer: Scorer) -> None:
        self._landing = landing
        self._market = market
        self._scorer = scorer

    def __call__(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Partition | None]]:
        """Make partitions, one after the other."""
        for task in tasks:
            try:
                yield task, self.build(task)
            except ObjectMissing:
                yield task, None  # erased since the manifests were read

    def build(self, task: Task) -> Partition:
        """Make a partition.

        Raises:
            ObjectMissing: the landing zone has changed meanwhile.
            DamagedState: an object does not hold what its manifest says.
        """
        start_ts = task.day * DAY_S
        items = compact(self._landing, task.sources, Window(start_ts - DAY_S, start_ts + DAY_S), task.graves)
        own = items.filter(pc.greater_equal(items["created_utc"], start_ts))
        documents = documents_of(own, self._market, self._scorer)
        batches = with_context(documents, items, task.subreddit).to_batches(max_chunksize=BATCH_ROWS)
        read = [read_batch(batch, self._market, self._scorer, task.labels) for batch in batches]
        mentions = pa.Table.from_batches([each.mentions for each in read], MENTIONS)
        tables = {
            "documents": documents,
            "mentions": mentions,
            "comparisons": pa.Table.from_batches([each.comparisons for each in read], COMPARISONS),
            "daily_opinion": daily_opinion(mentions),
        }
        return Partition(
            {name: to_parquet(table) for name, table in tables.items() if table.num_rows},
            {name: table.num_rows for name, table in tables.items()},
        )


class AugmentationService:
    """Brings the augmented zone up to the landing zone, subreddit by subreddit."""

    def __init__(
        self,
        landing: StagingReader,
        store: AugmentedStore,
        labels: LabelStore,
        market: Market,
        scorer: Scorer,
        prefix: str = "reddit/",
    ) -> None:
        self._landing = landing
        self._store = store
        self._labels = labels
        self._scorer = scorer
        self._stamp = [*stamp_of(market, scorer).values(), market.sha256, __version__, code_digest()]
        self._prefix = prefix

    def subreddits(self) -> list[str]:
        """Return the subreddits of both zones."""
        return sorted({*subreddits_in(self._landing, self._prefix), *self._store.subreddits()})

    def augment(
        self, subreddit: str, build: Builders, listener: Listener | None = None, *, is_rebuild: bool = False
    ) -> Outcome:
        """Make again what has changed, and remove what is no more. Idempotent; may be killed at any moment.

        Whatever was erased from the landing zone before the last look at it is not in the augmented zone when this
        ends: the landing zone is looked at again after something was made. What people said of it goes, too.

        Raises:
            DamagedState: a manifest or an object cannot be trusted; what was made before stands.
        """
        known = {} if is_rebuild else self._store.built(subreddit)
        made: set[str] = set()
        removed = 0
        for _ in range(_LOOKS):
            if self._labels.knows(subreddit):
                self._labels.forget(graves(self._landing, f"{self._prefix}{subreddit}/"))
            tasks, coverage = self._look(subreddit)
            removed += self._remove(subreddit, known, tasks.keys())
            self._store.tell_coverage(subreddit, coverage)
            stale = [task for date, task in tasks.items() if date not in known or known[date].inputs != task.inputs]
            if not stale:
                break
            for done, (task, partition) in enumerate(build(stale), start=1):
                if partition is None:
                    continue
                self._store.replace(subreddit, task.date, partition.parts)
                known[task.date] = Built(task.inputs, partition.rows)
                made.add(task.date)
                self._store.record(subreddit, known)
                if listener:
                    listener.built(subreddit, task.date, partition.rows, done, len(stale))
        rows = {table: sum(built.rows.get(table, 0) for built in known.values()) for table in SCHEMAS}
        return Outcome(subreddit, len(made), len(known) - len(made), removed, rows, not stale)

    def plan(self, subreddit: str) -> list[Task]:
        """Return every day of a subreddit that may hold something, and what it is made from; reads all manifests."""
        return list(self._look(subreddit)[0].values())

    def _look(self, subreddit: str) -> tuple[dict[str, Task], bytes | None]:
        """Return the tasks by date, and the part of the coverage, as of one look at the manifests."""
        place = f"{self._prefix}{subreddit}/"
        found = list(manifests(self._landing, place))
        sources = {
            Source(folder, landed)
            for folder, manifest in found
            for landed in manifest.objects
            if landed.kind in KINDS and landed.rows
        }
        by_day: dict[int, list[Source]] = defaultdict(list)
        for source in sorted(sources, key=_key):
            for day in _days(source):
                by_day[day].append(source)
        buried = graves(self._landing, place) if sources else Graves()
        labels = self._labels.labels(self._scorer)
        dates = {date_of(day): day for day in sorted(by_day)}
        tasks = {
            date: self._task(subreddit, day, by_day, buried, labels.of_day(subreddit, date))
            for date, day in dates.items()
        }
        coverage = coverage_of(manifest for _, manifest in found)
        return tasks, to_parquet(coverage) if coverage.num_rows else None

    def _task(self, subreddit: str, day: int, by_day: dict[int, list[Source]], buried: Graves, labels: Labels) -> Task:
        sources = tuple(sorted({*by_day[day], *by_day.get(day - 1, ())}, key=_key))
        # What a tombstone covers leaves the objects, under other names, in the purge; until then it has to be told.
        waiting = sorted(
            (grave.fullname, grave.reason, grave.noticed_at_ts)
            for grave in buried.waiting.values()
            if grave.created_utc < (day + 1) * DAY_S
        )
        made_from = [self._stamp, [(source.key, source.landed.sha256) for source in sources], waiting, labels.told]
        inputs = hashlib.sha256(json.dumps(made_from).encode()).hexdigest()
        return Task(subreddit, day, sources, buried, labels, inputs)

    def _remove(self, subreddit: str, known: dict[str, Built], wanted: Iterable[str]) -> int:
        """Erase the days that are no more, be they recorded or not; return how many there were."""
        there = set(known).union(*(self._store.days(table, subreddit) for table in SCHEMAS))
        gone = there - set(wanted)
        for date in sorted(gone):
            self._store.replace(subreddit, date, {})
            known.pop(date, None)
        if gone:
            self._store.record(subreddit, known)
        return len(gone)


def _days(source: Source) -> range:
    first, last = source.landed.first_item_ts, source.landed.last_item_ts
    return range(0) if first is None or last is None else range(first // DAY_S, last // DAY_S + 1)


@cache
def code_digest() -> str:
    """Return a digest of the code that makes the tables: another version may make other rows of the same text."""
    digest = hashlib.sha256()
    package = files("market_opinion")
    for folder in (package, package / "sentiment"):
        for file in sorted(folder.iterdir(), key=lambda file: file.name):
            if file.name.endswith(".py"):
                digest.update(file.read_bytes())
    return digest.hexdigest()
