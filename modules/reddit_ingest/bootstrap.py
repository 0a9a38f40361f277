"""The one place that builds things: a pipeline over a local lake, and the reading side of it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from .core.errors import LakeNotUsable
from .core.ports import Clock, Progress, Silent
from .core.settings import IngestSettings, RedditCredentials, RedditEndpoint
from .erasure import Erasure
from .ingestion_service import RedditIngestionService
from .lake_lock import locked
from .local_state import SqliteRunRecorder, SqliteStateStore
from .pipeline import Pipeline
from .reddit_client import RedditClientFactory, RedditConnection
from .sources.reddit_api import RedditApiSource
from .storage import FilesystemEraser, FilesystemJsonlWriter, FilesystemLakeReader


@dataclass(frozen=True, slots=True)
class LocalLake:
    """A lake in a folder: `landing/`, `augmented/` (later), `state.sqlite`."""

    root: Path

    @property
    def landing(self) -> Path:
        """Where the landing zone is."""
        return self.root / "landing"

    def reader(self) -> FilesystemLakeReader:
        """Return the reading side of the landing zone."""
        return FilesystemLakeReader(self.landing)

    def state(self, environment: str) -> SqliteStateStore:
        """Return the watermarks."""
        return SqliteStateStore(self.root / "state.sqlite", environment)

    def locked(self, progress: Progress | None = None) -> AbstractContextManager[None]:
        """Return the lock that every command that writes holds while it works.

        Raises:
            LakeBusy, LakeNotUsable: when it is entered.
        """
        return locked(self.root, progress or Silent())

    def erasure(self, settings: IngestSettings, clock: Clock) -> Erasure:
        """Return what takes text out of this lake; use it under the lock."""
        writer = FilesystemJsonlWriter(self.landing, settings.part_bytes)
        return Erasure(self.reader(), writer, FilesystemEraser(self.landing), clock, settings.landing_prefix)

    def check_exists(self) -> None:
        """Refuse to read a lake that is not there.

        Raises:
            LakeNotUsable: the folder does not exist or is no lake.
        """
        if not self.landing.is_dir():
            raise LakeNotUsable(
                f"no lake at {self.root}: run `market-opinion ingest` first, or name another with --lake"
            )


def local_pipeline(
    lake: LocalLake,
    settings: IngestSettings,
    environ: Mapping[str, str],
    clock: Clock,
    progress: Progress | None = None,
) -> Pipeline:
    """Return the pipeline from Reddit (or what stands in for it) to a folder. No request is made yet.

    Raises:
        InvalidSetting: credentials or addresses in `environ` are missing or malformed.
    """
    reddit = RedditClientFactory.create(RedditCredentials.from_mapping(environ), RedditEndpoint.from_mapping(environ))
    source = RedditApiSource(RedditConnection(reddit))
    writer = FilesystemJsonlWriter(lake.landing, settings.part_bytes)
    return Pipeline(
        RedditIngestionService(source, writer, clock, settings.landing_prefix),
        SqliteStateStore(lake.root / "state.sqlite", settings.environment),
        SqliteRunRecorder(lake.root / "state.sqlite"),
        clock,
        environment=settings.environment,
        max_windows=settings.max_windows_per_run,
        look_back_hours=settings.look_back_hours,
        progress=progress,
    )
