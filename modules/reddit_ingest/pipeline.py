"""The main job: plan windows, ingest each, record the run, move the watermark. Used by handler and command line alike.

Order of effects, always: data objects, manifest, run record and metrics, watermark. A crash between any two repeats
work and loses nothing.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .core.coverage import CoverageStatus
from .core.errors import (
    FATAL,
    DeadlineReached,
    PlatformError,
    RunIncomplete,
)
from .core.invocation import IngestRequest, Mode
from .core.ports import Clock, Deadline, Progress, RunRecorder, Silent, StateStore
from .core.records import RunRecord
from .core.windows import HOUR_S, Window, plan_incremental
from .ingestion_service import RedditIngestionResult, RedditIngestionService
from .logs import tell

logger = logging.getLogger(__name__)

LANDING_RESERVE_S = 8.0
"""The next window is landed only with this much time left: its uploads, its record and the watermark."""


@dataclass(slots=True)
class SubredditOutcome:
    """What a run did for one subreddit.

    `watermark` is where an incremental run has left it; a backfill does not look at it. `trouble` is what kept it from
    its work, where something did; `remaining` the span of windows (seconds UTC) that there was no time left for.
    """

    subreddit: str
    results: list[RedditIngestionResult] = field(default_factory=list)
    watermark: int | None = None
    trouble: PlatformError | None = None
    remaining: tuple[int, int] | None = None

    @property
    def is_whole(self) -> bool:
        """Everything planned was seen."""
        return not (self.trouble or self.remaining) and all(result.status.is_whole for result in self.results)

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain data for programs."""
        return {
            "subreddit": self.subreddit,
            "watermark": self.watermark,
            "trouble": None if self.trouble is None else str(self.trouble),
            "remaining": self.remaining,
            "windows": [result.to_dict() for result in self.results],
        }


class Pipeline:
    """Runs requests against one lake and one source."""

    def __init__(
        self,
        service: RedditIngestionService,
        state: StateStore,
        recorder: RunRecorder,
        clock: Clock,
        *,
        environment: str,
        max_windows: int,
        look_back_hours: int,
        progress: Progress | None = None,
    ) -> None:
        self._service = service
        self._state = state
        self._recorder = recorder
        self._clock = clock
        self._environment = environment
        self._max_windows = max_windows
        self._look_back_hours = look_back_hours
        self._progress = progress or Silent()

    def run(
        self, request: IngestRequest, deadline: Deadline | None = None, include_comments: bool = True
    ) -> Iterator[SubredditOutcome]:
        """Serve the request, subreddit by subreddit, and yield what became of each.

        Trouble of one subreddit is told in its outcome and never keeps the others from being served.

        Raises:
            CredentialsRejected, LakeNotUsable, ServiceRefused, Stop: nothing more can be done for any subreddit.
        """
        for subreddit in request.subreddits:
            outcome = SubredditOutcome(subreddit)
            try:
                self._serve(outcome, request, deadline, include_comments)
            except FATAL:
                raise
            except PlatformError as trouble:
                tell(logger, logging.ERROR, "subreddit not served", subreddit=subreddit, reason=trouble)
                outcome.trouble = trouble
            yield outcome

    def _serve(
        self, outcome: SubredditOutcome, request: IngestRequest, deadline: Deadline | None, include_comments: bool
    ) -> None:
        subreddit, mode = outcome.subreddit, request.mode
        if mode is Mode.INCREMENTAL:
            outcome.watermark = self._state.load_last_run_timestamp(subreddit)
        windows = self._plan(request, outcome.watermark)
        if not windows:
            tell(logger, logging.INFO, "nothing new", subreddit=subreddit, watermark=outcome.watermark)
            return
        start_ts, end_ts = windows[0].start_ts, windows[-1].end_ts
        if _is_over(deadline):
            outcome.remaining = (start_ts, end_ts)
            if mode is Mode.INCREMENTAL:
                raise DeadlineReached(f"no time left for r/{subreddit}; the next run reads it")
            return
        tell(logger, logging.INFO, "reading", subreddit=subreddit, mode=mode, start_ts=start_ts, end_ts=end_ts)
        is_contiguous = mode is Mode.INCREMENTAL
        for result in self._service.ingest_windows(
            subreddit,
            windows,
            look_back_s=self._look_back_hours * HOUR_S if mode is Mode.INCREMENTAL else 0,
            mode=mode,
            include_comments=include_comments,
            max_submissions=request.max_submissions,
            deadline=deadline,
            progress=self._progress,
        ):
            record = self._record(result, mode)
            outcome.results.append(result)
            is_contiguous = is_contiguous and result.status.moves_watermark
            if is_contiguous:
                self._state.save_last_run_timestamp(subreddit, result.window_end_ts)
                outcome.watermark = result.window_end_ts
            self._progress.window(record)
            if result.window_end_ts < end_ts and _is_over(deadline):
                outcome.remaining = (result.window_end_ts, end_ts)
                tell(logger, logging.WARNING, "time is over", subreddit=subreddit, remaining=outcome.remaining)
                return

    def _plan(self, request: IngestRequest, watermark: int | None) -> Sequence[Window]:
        if request.mode is Mode.BACKFILL:
            return request.windows
        return plan_incremental(watermark, self._clock.now_ts(), self._max_windows)

    def _record(self, result: RedditIngestionResult, mode: str) -> RunRecord:
        record = RunRecord(
            environment=self._environment,
            subreddit=result.subreddit,
            window=result.window,
            mode=mode,
            status=result.status,
            submissions=result.submissions_count,
            comments=result.comments_count,
            new_comments=result.new_comments_count,
            quarantined=result.quarantined_count,
            requests=result.requests,
            ingested_at_ts=result.observed_at_ts,
            manifest=result.manifest,
            reason="; ".join(f"{kind}: {claim.reason}" for kind, claim in result.coverage.items()),
        )
        self._recorder.record(record)
        tell(
            logger,
            logging.INFO if result.status.is_whole else logging.WARNING,
            "window landed",
            subreddit=result.subreddit,
            window=str(result.window),
            mode=str(mode),
            status=str(result.status),
            submissions=result.submissions_count,
            comments=result.comments_count,
            requests=result.requests,
            reason="" if result.status.is_whole else record.reason,
        )
        return record


def _is_over(deadline: Deadline | None) -> bool:
    return deadline is not None and deadline.remaining_s() < LANDING_RESERVE_S


def raise_failures(outcomes: Sequence[SubredditOutcome]) -> None:
    """Raise what a person or a later run must hear of, now that everything else was served.

    A blocked subreddit and a gap are no failures: coverage and figures tell of them, and trying again changes nothing.

    Raises:
        RunIncomplete: a subreddit was not served, or one of its windows failed.
    """
    failures = [f"r/{outcome.subreddit}: {outcome.trouble}" for outcome in outcomes if outcome.trouble]
    for outcome in outcomes:
        failed = [result for result in outcome.results if result.status is CoverageStatus.FAILED]
        if failed:
            reasons = "; ".join(dict.fromkeys(claim.reason for claim in failed[0].coverage.values()))
            failures.append(f"r/{outcome.subreddit}: {len(failed)} windows failed from {failed[0].window}: {reasons}")
    if failures:
        raise RunIncomplete(" | ".join(failures))
