"""The main job: plan windows, ingest each, record the run, move the watermark. Used by handler and command line alike.

Order of effects, always: data objects, manifest, run record and metrics, watermark. A crash between any two repeats
work and loses nothing.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .core.coverage import CoverageStatus
from .core.errors import CredentialsRejected, DeadlineReached, PlatformError, Stop
from .core.invocation import IngestRequest, Mode
from .core.ports import Clock, Deadline, Progress, RunRecorder, Silent, StateStore
from .core.records import RunRecord
from .core.windows import HOUR_S, Window, plan_incremental
from .ingestion_service import RedditIngestionResult, RedditIngestionService

logger = logging.getLogger(__name__)

_FATAL = (CredentialsRejected, Stop)
"""What hits every subreddit alike: the run ends."""


@dataclass(slots=True)
class SubredditOutcome:
    """What a run did for one subreddit; `trouble` is what kept it from its work, where something did."""

    subreddit: str
    results: list[RedditIngestionResult] = field(default_factory=list)
    watermark: int | None = None
    trouble: PlatformError | None = None

    @property
    def is_whole(self) -> bool:
        """Everything planned was seen."""
        return self.trouble is None and all(result.status.is_whole for result in self.results)


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
            CredentialsRejected, Stop: nothing more can be done for any subreddit.
        """
        for subreddit in request.subreddits:
            outcome = SubredditOutcome(subreddit)
            try:
                self._serve(outcome, request, deadline, include_comments)
            except _FATAL:
                raise
            except PlatformError as trouble:
                logger.error("subreddit=%s not served: %s", subreddit, trouble)  # noqa: TRY400  # no stack: one line tells
                outcome.trouble = trouble
            yield outcome

    def _serve(
        self, outcome: SubredditOutcome, request: IngestRequest, deadline: Deadline | None, include_comments: bool
    ) -> None:
        subreddit, mode = outcome.subreddit, request.mode
        outcome.watermark = self._state.load_last_run_timestamp(subreddit)
        windows = self._plan(request, outcome.watermark)
        if not windows:
            logger.info("subreddit=%s nothing new", subreddit)
            return
        if deadline is not None and deadline.remaining_s() <= 0:
            raise DeadlineReached(f"no time left for r/{subreddit}; the next run reads it")
        logger.info("subreddit=%s mode=%s windows=%s/%s", subreddit, mode, windows[0].start_ts, windows[-1].end_ts)
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
        level = logging.INFO if result.status.is_whole else logging.WARNING
        logger.log(
            level,
            "subreddit=%s window=%s status=%s submissions=%d comments=%d requests=%d %s",
            result.subreddit,
            result.window,
            result.status,
            result.submissions_count,
            result.comments_count,
            result.requests,
            "" if result.status.is_whole else record.reason,
        )
        return record


def worst_status(outcomes: Sequence[SubredditOutcome]) -> CoverageStatus | None:
    """Return the weakest status among all windows of a run; None where no window was read."""
    statuses = [result.status for outcome in outcomes for result in outcome.results]
    order = list(CoverageStatus)
    return max(statuses, key=order.index, default=None)
