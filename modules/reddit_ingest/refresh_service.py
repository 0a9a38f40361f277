"""Late truth: known items are looked at again, by name, at the ages of a ladder.

What is seen lands as a further attempt of the hour that it belongs to; what was deleted is buried and erased. Order of
effects, always: data objects, manifests, tombstones, erasure, record. Nothing is remembered but what stands in the
lake, so that a crash between any two, or an early end, leaves to the next run what was not done.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, NamedTuple

from . import __version__
from .core.capture import CapturePoint, capture_curve
from .core.errors import (
    FATAL,
    DeadlineReached,
    PlatformError,
    PoisonedRecord,
    SkipRecord,
    SubredditBlocked,
    TryLater,
)
from .core.invocation import Mode
from .core.items import Line, fullname
from .core.keys import COMMENTS, MISSES, QUARANTINE, SUBMISSIONS, window_folder
from .core.known import Known, kind_of_name
from .core.ladder import SECOND_LOOK_S, Ladder, has_grown
from .core.manifest import Manifest
from .core.names import subreddit_key
from .core.ports import Clock, Deadline, Item, JsonlWriter, LakeReader, Lookup, Progress, RunRecorder, Silent
from .core.records import RefreshRecord
from .core.tombstones import Reason, Row, Tombstone, fate, without
from .core.windows import Window, hour_of
from .erasure import Erasure
from .logs import tell
from .recall import Memory, recall
from .serializers import CommentSerializer, SubmissionSerializer, encode_row, quarantine_line

logger = logging.getLogger(__name__)

BATCH = 100
LANDING_RESERVE_S = 15.0


@dataclass(slots=True)
class RefreshReport:
    """What one refresh of a subreddit saw and did.

    Items: `due` were to be looked at again, `asked` and `found` of them; `rescored` and `edited` changed; `removed` and
    `missing` were seen so this time; `deleted`, `gone` (removed or missing a second time) and `anonymous` (the account
    is deleted) got a tombstone. `threads` were read again and gave `new_comments`. `remaining` items are left to the
    next run, because of the budget or of `trouble`. `erased` rows left the lake; of `deletions_due` tombstones some
    content stands there still.
    """

    subreddit: str
    observed_at_ts: int = 0
    due: int = 0
    asked: int = 0
    found: int = 0
    rescored: int = 0
    edited: int = 0
    removed: int = 0
    missing: int = 0
    deleted: int = 0
    gone: int = 0
    anonymous: int = 0
    threads: int = 0
    new_comments: int = 0
    requests: int = 0
    remaining: int = 0
    erased: int = 0
    deletions_due: int = 0
    curve: tuple[CapturePoint, ...] = ()
    trouble: PlatformError | None = None

    @property
    def is_whole(self) -> bool:
        """Everything due was looked at."""
        return self.trouble is None and not self.remaining

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data for programs."""
        return {
            **{name: getattr(self, name) for name in self.__slots__},
            "curve": [point.to_dict() for point in self.curve],
            "trouble": None if self.trouble is None else str(self.trouble),
        }


class RefreshService:
    """Looks again at what a lake knows, and lands what has become of it."""

    def __init__(
        self,
        lookup: Lookup,
        reader: LakeReader,
        writer: JsonlWriter,
        erasure: Erasure,
        recorder: RunRecorder,
        clock: Clock,
        *,
        environment: str,
        ladder: Ladder | None = None,
        prefix: str = "reddit/",
        reserve_s: float = LANDING_RESERVE_S,
    ) -> None:
        """`reserve_s`: with less time left nothing more is asked for; what was seen has to be landed."""
        self._lookup = lookup
        self._reader = reader
        self._writer = writer
        self._erasure = erasure
        self._recorder = recorder
        self._clock = clock
        self._environment = environment
        self._ladder = ladder or Ladder()
        self._prefix = prefix
        self._reserve_s = reserve_s

    def refresh_all(
        self,
        subreddits: Sequence[str],
        budget: int,
        deadline: Deadline | None = None,
        progress: Progress | None = None,
    ) -> Iterator[RefreshReport]:
        """Refresh subreddits one after the other and yield what became of each.

        Each may spend its share of the requests that are left, so that a busy one does not starve those behind it.
        Trouble of one is told in its report and never keeps the others from being served.

        Raises:
            CredentialsRejected, LakeNotUsable, ServiceRefused, Stop: nothing more can be done for any subreddit.
        """
        left = budget
        for number, subreddit in enumerate(subreddits):
            sent, share = self._lookup.requests_sent, -(-left // (len(subreddits) - number))
            try:
                if deadline and deadline.remaining_s() < self._reserve_s:
                    raise DeadlineReached(f"no time left for r/{subreddit}; the next run looks at it")
                yield self.refresh(subreddit, share, deadline, progress)
            except FATAL:
                raise
            except PlatformError as trouble:
                tell(logger, logging.ERROR, "subreddit not refreshed", subreddit=subreddit, reason=trouble)
                yield RefreshReport(subreddit, self._clock.now_ts(), trouble=trouble)
            left = max(0, left - (self._lookup.requests_sent - sent))

    def refresh(
        self, subreddit: str, budget: int, deadline: Deadline | None = None, progress: Progress | None = None
    ) -> RefreshReport:
        """Look again at the items of a subreddit that are due, most active threads first.

        The budget is looked at before each request for 100 items and before each thread; a thread that was begun is
        read whole. Running it again goes on with what is left; an item that is not due costs nothing. Reads every
        object of the days up to the ladder's horizon, and lands an attempt for each hour that it has seen something of.

        Trouble with the source or the subreddit is told in the report, after what was seen before it has landed.

        Raises:
            CredentialsRejected, LakeNotUsable, StorageFull: nothing can be read or landed.
            DamagedState: the lake cannot be trusted; nothing was asked for.
        """
        subreddit = subreddit_key(subreddit)
        now_ts = self._clock.now_ts()
        memory = recall(self._reader, self._prefix, subreddit, now_ts - self._ladder.horizon_s, now_ts)
        run = _Run(self._lookup, self._clock, memory, RefreshReport(subreddit, now_ts))
        self._lookup.within(_Reserving(deadline, self._reserve_s), progress or Silent())
        run.ask(self._due(memory, now_ts), budget)
        run.report.observed_at_ts = max(now_ts, self._clock.now_ts())
        self._land(run)
        self._bury_and_purge(run)
        run.report.curve = _curve(memory, run.report.observed_at_ts)
        self._record(run.report)
        return run.report

    def _due(self, memory: Memory, now_ts: int) -> list[Known]:
        """Return what is to be looked at, by the liveliness of its thread."""
        threads = _threads(memory)
        for known in memory.items.values():
            if known.fullname == known.thread:
                threads[known.thread] = max(threads[known.thread], known.told or 0)
        due = [known for known in memory.items.values() if self._is_due(known, now_ts)]
        return sorted(due, key=lambda known: (-threads[known.thread], known.thread, known.fullname))

    def _is_due(self, known: Known, now_ts: int) -> bool:
        if known.end() in (Reason.DELETED, Reason.GONE):
            return False  # that needs no further look, only a tombstone
        second_look = known.is_suspect and known.looked_ts + SECOND_LOOK_S <= now_ts
        return second_look or self._ladder.due(known.created_utc, known.looked_ts, now_ts)

    def _land(self, run: "_Run") -> None:
        # The hours of threads that were read first: one manifest commits a submission, whose new observation says that
        # its thread needs no further reading, together with all that the thread gave.
        for number, window in enumerate(sorted(run.seen, key=lambda window: (window not in run.thread_homes, window))):
            lines = run.seen[window]
            folder = window_folder(self._prefix, run.report.subreddit, window)
            objects = [
                landed
                for kind in (COMMENTS, SUBMISSIONS, QUARANTINE, MISSES)
                for landed in self._writer.land(folder, kind, [line for _, line in sorted(lines[kind])])
            ]
            manifest = Manifest(
                subreddit=run.report.subreddit,
                window=window,
                source=self._lookup.name,
                mode=Mode.REFRESH,
                observed_at_ts=run.report.observed_at_ts,
                tool_version=__version__,
                objects=tuple(objects),
                new_comments=sum(created in window for (created, _), _ in lines[COMMENTS]),
                requests=0 if number else run.report.requests,
            )
            self._writer.commit(folder, manifest)

    def _bury_and_purge(self, run: "_Run") -> None:
        report, graves = run.report, run.memory.graves
        tombstones = [
            Tombstone(known.fullname, known.created_utc, reason, max(report.observed_at_ts, known.looked_ts))
            for known in run.memory.items.values()
            if (reason := known.end())
        ]
        counts = Counter(each.reason for each in tombstones)
        report.deleted, report.gone = counts[Reason.DELETED], counts[Reason.GONE]
        report.anonymous = counts[Reason.ACCOUNT]
        self._erasure.bury(report.subreddit, tombstones)
        is_waiting = any(each.purged_at_ts is None for each in graves.values())
        if tombstones or is_waiting or run.memory.has_leftovers or self._erasure.expires_texts:
            purge = self._erasure.purge(report.subreddit)
            report.erased, report.deletions_due = purge.rows, purge.due

    def _record(self, report: RefreshReport) -> None:
        record = RefreshRecord(
            environment=self._environment,
            subreddit=report.subreddit,
            observed_at_ts=report.observed_at_ts,
            due=report.due,
            asked=report.asked,
            found=report.found,
            rescored=report.rescored,
            edited=report.edited,
            removed=report.removed,
            missing=report.missing,
            deletions=report.deleted + report.gone + report.anonymous,
            deletions_due=report.deletions_due,
            new_comments=report.new_comments,
            requests=report.requests,
            remaining=report.remaining,
            curve=report.curve,
            reason=str(report.trouble or ""),
        )
        self._recorder.record_refresh(record)
        told = {name: value for name, value in asdict(record).items() if name not in ("environment", "curve")}
        tell(logger, logging.INFO if report.is_whole else logging.WARNING, "refreshed", **told)


class _Reserving:
    """A deadline that comes some seconds earlier."""

    def __init__(self, deadline: Deadline | None, reserve_s: float) -> None:
        self._deadline = deadline
        self._reserve_s = reserve_s

    def remaining_s(self) -> float:
        return self._deadline.remaining_s() - self._reserve_s if self._deadline else float("inf")


_Lines = dict[str, list[tuple[tuple[int, str], Line]]]
"""What was seen of one hour: lines by kind, each with what orders it."""


class _Run:
    """Asks for what is due and keeps what is seen, ready to be landed."""

    def __init__(self, lookup: Lookup, clock: Clock, memory: Memory, report: RefreshReport) -> None:
        self.memory = memory
        self.report = report
        self.seen: dict[Window, _Lines] = defaultdict(lambda: defaultdict(list))
        self.thread_homes: set[Window] = set()
        self._lookup = lookup
        self._clock = clock
        self._in_thread = _threads(memory)

    def ask(self, due: Sequence[Known], budget: int) -> None:
        """Look at items in this order until the budget is spent or trouble comes."""
        report, sent, waiting = self.report, self._lookup.requests_sent, iter(due)
        report.due = report.remaining = len(due)
        try:
            while (batch := list(islice(waiting, BATCH))) and self._spent(sent) < budget:
                grown = self._ask_batch(batch)
                # A submission that is not landed stays due: its thread will be read by the next run.
                for known, observed in grown:
                    if self._spent(sent) >= budget:
                        break
                    self._read_thread(known)
                    self._take(known, observed)
        except (TryLater, SubredditBlocked) as trouble:
            report.trouble = trouble
        report.requests = self._spent(sent)

    def _spent(self, sent_before: int) -> int:
        return self._lookup.requests_sent - sent_before

    def _ask_batch(self, batch: Sequence[Known]) -> list[tuple[Known, "_Observed"]]:
        """Take in what has become of some items; return the submissions whose threads have to be read first."""
        found = self._lookup.info(self.report.subreddit, [known.fullname for known in batch])
        self.report.asked += len(batch)
        self.report.found += len(found)
        observed_at_ts = self._clock.now_ts()
        grown = []
        for known in batch:
            item = found.get(known.fullname)
            if item is None:
                self._miss(known, observed_at_ts)
            elif (observed := self._observed(item, known, observed_at_ts)) is None:
                self.report.remaining -= 1
            elif self._has_grown(observed.row):
                grown.append((known, observed))
            else:
                self._take(known, observed)
        return sorted(grown, key=lambda entry: entry[0].fullname)

    def _has_grown(self, row: Row) -> bool:
        told = row.get("num_comments")
        is_alive = isinstance(told, int) and fate(row, SUBMISSIONS) in (None, Reason.ACCOUNT)
        return is_alive and has_grown(told, self._in_thread[row["fullname"]])

    def _read_thread(self, known: Known) -> None:
        try:
            for item in self._lookup.thread(known.fullname):
                self._take_comment(item, known)
        except (SubredditBlocked, SkipRecord):
            return  # the thread itself is gone; its submission says what there is to say
        self.report.threads += 1

    def _take_comment(self, item: Item, thread: Known) -> None:
        name = fullname(item, "t1_")
        if name in self.memory.items:
            return
        observed = self._observed(item, thread, self._clock.now_ts())
        if observed is None or observed.line is None or _is_hidden(observed.row):
            return
        self.memory.take(observed.row)
        self._in_thread[thread.fullname] += 1
        self.report.new_comments += 1
        # As ever in the hour it was written in, and in that of its submission.
        home = hour_of(thread.created_utc)
        self.thread_homes.add(home)
        for window in {home, hour_of(observed.row["created_utc"])}:
            self._keep(COMMENTS, observed, window)

    def _take(self, known: Known, observed: "_Observed") -> None:
        """Take in an observation of something known."""
        report, kind = self.report, kind_of_name(known.fullname)
        score, text, lived = known.score, known.text, known.fate is not Reason.GONE
        known.observe(observed.row)
        report.remaining -= 1
        report.removed += known.fate is Reason.GONE
        report.rescored += known.score != score
        if known.fate in (None, Reason.ACCOUNT) and lived:
            report.edited += known.text != text
        if known.end() not in (Reason.DELETED, Reason.GONE):  # what is to be erased at once is not landed
            self._keep(kind, observed)

    def _miss(self, known: Known, observed_at_ts: int) -> None:
        known.miss(observed_at_ts)
        self.report.missing += 1
        self.report.remaining -= 1
        row = {"fullname": known.fullname, "created_utc": known.created_utc, "observed_at_ts": observed_at_ts}
        self._keep(MISSES, _Observed(row, encode_row(row)))

    def _observed(self, item: Item, known: Known, observed_at_ts: int) -> "_Observed | None":
        """Return an item's row; None where it cannot be stored as it is and was set aside, in the hour of `known`."""
        kind = kind_of_name(str(item.get("name")))
        serializer = SubmissionSerializer if kind == SUBMISSIONS else CommentSerializer
        try:
            row = serializer(self._lookup.name, observed_at_ts).to_dict(item)
            shown = without(row, kind, self.memory.graves)
            return _Observed(row, encode_row(shown) if shown else None)
        except PoisonedRecord as poisoned:
            line = quarantine_line(item, kind, str(poisoned), observed_at_ts)
            self._keep(QUARANTINE, _Observed({"fullname": known.fullname, "created_utc": known.created_utc}, line))
            return None

    def _keep(self, kind: str, observed: "_Observed", window: Window | None = None) -> None:
        created, name = observed.row["created_utc"], observed.row["fullname"]
        if observed.line:
            self.seen[window or hour_of(created)][kind].append(((created, name), observed.line))


class _Observed(NamedTuple):
    """A row as the source told it, and the line of what may be landed of it."""

    row: Row
    line: Line | None


def _is_hidden(row: Row) -> bool:
    ended = fate(row, COMMENTS)
    return ended is not None and ended.hides


def _threads(memory: Memory) -> Counter[str]:
    """Return how many comments of each thread are known."""
    return Counter(known.thread for known in memory.items.values() if known.thread != known.fullname)


def _curve(memory: Memory, now_ts: int) -> tuple[CapturePoint, ...]:
    in_thread = _threads(memory)
    items = memory.items.values()
    return capture_curve(
        ((known.created_utc, known.first_ts) for known in items if known.thread != known.fullname),
        (
            (known.created_utc, (known.told or 0) - in_thread[known.fullname])
            for known in items
            if known.thread == known.fullname
        ),
        now_ts,
    )
