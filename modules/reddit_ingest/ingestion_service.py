"""One window at a time: read, serialise, land, commit."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from . import __version__
from .core.coverage import Coverage, CoverageStatus
from .core.errors import InvalidRequest, PoisonedRecord
from .core.invocation import Mode
from .core.items import Line, created_utc
from .core.keys import COMMENTS, QUARANTINE, SUBMISSIONS, window_folder
from .core.manifest import Manifest
from .core.names import subreddit_key
from .core.ports import Clock, Deadline, Item, JsonlWriter, Progress, Silent, Source, WindowReading
from .core.windows import Window
from .serializers import CommentSerializer, SubmissionSerializer, encode_row, quarantine_line


class _NoDeadline:
    def remaining_s(self) -> float:
        return float("inf")


@dataclass(frozen=True, slots=True)
class RedditIngestionResult:
    """What one attempt at a window landed.

    `comments_count` counts the rows of `comments.jsonl`: comments created in the window and comments on its
    submissions, as seen then; `new_comments_count` counts the former. `requests` is the cost of the pass that read the
    window and is told once, by the first window of the pass.
    """

    subreddit: str
    submissions_count: int
    comments_count: int
    s3_prefix: str
    window_start_ts: int
    window_end_ts: int
    status: CoverageStatus
    coverage: dict[str, Coverage] = field(default_factory=dict)
    new_comments_count: int = 0
    quarantined_count: int = 0
    requests: int = 0
    manifest: str = ""
    observed_at_ts: int = 0

    @property
    def window(self) -> Window:
        """The window as a value."""
        return Window(self.window_start_ts, self.window_end_ts)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data for programs."""
        return {**asdict(self), "coverage": {kind: claim.to_dict() for kind, claim in self.coverage.items()}}


class RedditIngestionService:
    """Reads windows from a source and lands them, each committed by its manifest."""

    def __init__(self, source: Source, writer: JsonlWriter, clock: Clock, prefix: str = "reddit/") -> None:
        self._source = source
        self._writer = writer
        self._clock = clock
        self._prefix = prefix

    def ingest_window(
        self, subreddit_name: str, start_ts: int, end_ts: int, include_comments: bool = True
    ) -> RedditIngestionResult:
        """Read and land one window; running it again lands another attempt and loses or doubles nothing.

        Raises:
            InvalidRequest: the name or the bounds are not usable.
            CredentialsRejected, LakeNotUsable, StorageFull: nothing can be read or landed.
        """
        window = Window(start_ts, end_ts)
        return next(
            self.ingest_windows(subreddit_name, [window], mode=Mode.BACKFILL, include_comments=include_comments)
        )

    def ingest_windows(
        self,
        subreddit_name: str,
        windows: Sequence[Window],
        *,
        look_back_s: int = 0,
        mode: str = Mode.INCREMENTAL,
        include_comments: bool = True,
        max_submissions: int | None = None,
        deadline: Deadline | None = None,
        progress: Progress | None = None,
    ) -> Iterator[RedditIngestionResult]:
        """Read contiguous windows in one pass and yield a result as soon as each is committed, oldest first.

        What the pass has met of earlier hours is committed before the first result.
        """
        subreddit = subreddit_key(subreddit_name)
        if any(before.end_ts != after.start_ts for before, after in pairwise(windows)):
            raise InvalidRequest("windows read in one pass are contiguous, oldest first")
        reading = self._source.read(
            subreddit,
            windows,
            look_back_s=look_back_s,
            include_comments=include_comments,
            max_submissions=max_submissions,
            deadline=deadline or _NoDeadline(),
            progress=progress or Silent(),
        )
        observed_at_ts = self._clock.now_ts()
        for earlier in reading.earlier:
            self._land(subreddit, earlier, Mode.LOOK_BACK, observed_at_ts, requests=0)
        for number, window in enumerate(reading.windows):
            yield self._land(subreddit, window, mode, observed_at_ts, requests=0 if number else reading.requests)

    def _land(
        self, subreddit: str, reading: WindowReading, mode: str, observed_at_ts: int, requests: int
    ) -> RedditIngestionResult:
        window, source = reading.window, self._source.name
        folder = window_folder(self._prefix, subreddit, window)
        submissions = _Lines(SUBMISSIONS, SubmissionSerializer(source, observed_at_ts), observed_at_ts)
        comments = _Lines(COMMENTS, CommentSerializer(source, observed_at_ts), observed_at_ts)
        objects = (
            *self._writer.land(folder, COMMENTS, comments.of(reading.comments)),
            *self._writer.land(folder, SUBMISSIONS, submissions.of(reading.submissions)),
            *self._writer.land(folder, QUARANTINE, [*submissions.unusable, *comments.unusable]),
        )
        new_comments = sum((created_utc(item) or 0) in window for item in reading.comments)
        manifest = Manifest(
            subreddit=subreddit,
            window=window,
            source=source,
            mode=mode,
            observed_at_ts=observed_at_ts,
            tool_version=__version__,
            objects=objects,
            coverage=reading.coverage,
            new_comments=new_comments,
            requests=requests,
        )
        return RedditIngestionResult(
            subreddit=subreddit,
            submissions_count=submissions.count,
            comments_count=comments.count,
            s3_prefix=folder,
            window_start_ts=window.start_ts,
            window_end_ts=window.end_ts,
            status=manifest.status or CoverageStatus.COMPLETE,
            coverage=reading.coverage,
            new_comments_count=new_comments,
            quarantined_count=len(submissions.unusable) + len(comments.unusable),
            requests=requests,
            manifest=self._writer.commit(folder, manifest),
            observed_at_ts=observed_at_ts,
        )


class _Lines:
    """Turns items into lines in a stable order, and sets aside those that cannot be stored as they are."""

    def __init__(self, kind: str, serializer: SubmissionSerializer | CommentSerializer, observed_at_ts: int) -> None:
        self._kind = kind
        self._serializer = serializer
        self._observed_at_ts = observed_at_ts
        self.unusable: list[Line] = []
        self.count = 0

    def of(self, items: Iterable[Item]) -> Iterator[Line]:
        # The same items give the same bytes in whatever order the source has shown them.
        for item in sorted(items, key=lambda item: (created_utc(item) or 0, str(item.get("name")))):
            try:
                yield encode_row(self._serializer.to_dict(item))
                self.count += 1
            except PoisonedRecord as poisoned:
                self.unusable.append(quarantine_line(item, self._kind, str(poisoned), self._observed_at_ts))
