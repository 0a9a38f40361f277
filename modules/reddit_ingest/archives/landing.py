"""From the spool to the lake: a day of a dump file, window by window, each with what the file proves about it."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from .. import __version__
from ..compression import ZSTD_SUFFIX, zstd_compress
from ..core.invocation import Mode
from ..core.keys import COMMENTS, SUBMISSIONS, window_folder
from ..core.manifest import LandedObject, Manifest
from ..core.records import RunRecord
from ..core.windows import day_of
from ..jsonl import Pack
from .claims import Period, source_name
from .spool import Chunk, in_order, packs


class PackWriter(Protocol):
    """Lands rows that are compressed already, many windows at a time."""

    def land_packs(self, folder: str, kind: str, packs: Iterable[Pack], suffix: str) -> tuple[LandedObject, ...]:
        """Write packs, in their order, as one or more objects with a suffix to their names. Idempotent."""
        ...

    def commit(self, folder: str, manifest: Manifest) -> str:
        """Keep the manifest that will make objects visible and return its key. Idempotent."""
        ...

    def settle(self) -> int:
        """Make everything that was landed and committed since the last time stand; return how many windows it was."""
        ...

    def discard(self) -> None:
        """Remove what was landed and never settled."""
        ...


class Landing:
    """Lands the windows of one file.

    `expected` are the subreddits of which a day without rows is an empty day. `doubted` are the manifests that earlier
    imports of the same file, damaged, have left; those of this import stand for them.
    """

    def __init__(
        self,
        writer: PackWriter,
        *,
        environment: str,
        prefix: str,
        file_name: str,
        kind: str,
        period: Period,
        expected: frozenset[str],
        doubted: Mapping[tuple[str, int], list[str]],
        now_ts: int,
    ) -> None:
        self._writer = writer
        self._prefix = prefix
        self._environment = environment
        self._now_ts = now_ts
        self._name = file_name
        self._kind = kind
        self._period = period
        self._expected = expected
        self._doubted = doubted
        self._compress = zstd_compress()

    def land(self, day: int, chunks: Iterator[Chunk]) -> Iterator[RunRecord]:
        """Land the windows of a day and yield their records; they stand when the writer has settled."""
        absent = self._expected.union(subreddit for subreddit, doubted_day in self._doubted if doubted_day == day)
        landed: set[str] = set()
        for subreddit, own in groupby(chunks, key=attrgetter("subreddit")):
            landed.add(subreddit)
            yield self._window(subreddit, day, own)
        for subreddit in sorted(absent - landed):
            yield self._window(subreddit, day, ())

    def _is_expected(self, subreddit: str, day: int) -> bool:
        return subreddit in self._expected and day in self._period.days

    def _window(self, subreddit: str, day: int, chunks: Iterable[Chunk]) -> RunRecord:
        window = day_of(day)
        folder = window_folder(self._prefix, subreddit, window)
        objects: list[LandedObject] = []
        for object_kind, own in groupby(chunks, key=attrgetter("kind")):
            late: list[Chunk] = []
            for packed in (packs(own, self._compress, late), in_order(late, self._compress)):
                objects += self._writer.land_packs(folder, object_kind, packed, ZSTD_SUFFIX)
        rows = sum(landed.rows for landed in objects if landed.kind == self._kind)
        quarantined = sum(landed.rows for landed in objects) - rows
        claim = self._period.claim(day, rows + quarantined, self._name)
        manifest = Manifest(
            subreddit=subreddit,
            window=window,
            source=source_name(self._name),
            mode=Mode.IMPORT,
            # The same file always gives the same manifest, so that importing it again changes nothing.
            observed_at_ts=self._period.end_ts,
            tool_version=__version__,
            objects=tuple(objects),
            # What only a damaged file has shown is taken back, and nothing is known of it.
            coverage={self._kind: claim} if objects or self._is_expected(subreddit, day) else {},
            replaces=tuple(self._doubted.get((subreddit, day), ())),
            new_comments=rows if self._kind == COMMENTS else 0,
        )
        return RunRecord(
            environment=self._environment,
            subreddit=subreddit,
            window=window,
            mode=Mode.IMPORT,
            status=claim.status,
            submissions=rows if self._kind == SUBMISSIONS else 0,
            comments=rows if self._kind == COMMENTS else 0,
            new_comments=manifest.new_comments,
            quarantined=quarantined,
            requests=0,
            ingested_at_ts=self._now_ts,
            manifest=self._writer.commit(folder, manifest),
            reason=f"{self._kind}: {claim.reason}",
        )
