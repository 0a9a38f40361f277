"""The one place that builds things: a pipeline over a local lake, and the reading side of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .core.abilities import ABILITIES, ARCTIC_SHIFT, REDDIT_API
from .core.errors import InvalidSetting, LakeNotUsable
from .core.ports import Clock, DerivedZone, Lookup, Progress, Silent, Source
from .core.settings import ArcticShiftEndpoint, IngestSettings, RedditCredentials, RedditEndpoint, RefreshSettings
from .ingestion_service import RedditIngestionService
from .lake_lock import locked
from .local_state import SqliteRunHistory, SqliteRunRecorder, SqliteStateStore
from .pipeline import Pipeline
from .storage import (
    BulkJsonlWriter,
    FilesystemEraser,
    FilesystemJsonlWriter,
    FilesystemLakeReader,
    FilesystemLeftovers,
    FilesystemReplacer,
    SpoolLeftovers,
)

if TYPE_CHECKING:
    from .archives.importer import DumpImporter
    from .core.authors import AuthorKey
    from .erasure import Erasure
    from .reddit_client import RedditConnection
    from .refresh_service import RefreshService
    from .repairing import Repairer
    from .verification import Verifier

# What only some commands use is imported where it is built: nobody waits for the others' share.
_IMPORT_LOOKS = 180_000
_IMPORT_LOOK_S = 0.02
"""An import waits up to an hour for the lake, and looks often: its own processes take turns."""


@dataclass(frozen=True, slots=True)
class LocalLake:
    """A lake in a folder: `landing/`, `augmented/`, `state.sqlite`."""

    root: Path

    @property
    def landing(self) -> Path:
        """Where the landing zone is."""
        return self.root / "landing"

    @property
    def imports(self) -> Path:
        """Where imports keep how far they are."""
        return self.root / "imports"

    def reader(self) -> FilesystemLakeReader:
        """Return the reading side of the landing zone."""
        return FilesystemLakeReader(self.landing)

    def augmented(self) -> DerivedZone:
        """Return the ways to what is computed from the landing zone."""
        return DerivedZone(
            FilesystemLakeReader(self.root),
            FilesystemReplacer(self.root),
            FilesystemEraser(self.root),
            [FilesystemLeftovers(self.root)],
        )

    def augmenting(self, progress: Progress | None = None) -> AbstractContextManager[None]:
        """Return the lock of whoever writes the augmented zone; it keeps nobody from landing.

        Raises:
            LakeBusy, LakeNotUsable: when it is entered.
        """
        return locked(self.root / "augmented", progress or Silent())

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
        from .erasure import Erasure

        return Erasure(
            self.reader(),
            FilesystemJsonlWriter(self.landing, settings.part_bytes),
            FilesystemEraser(self.landing),
            clock,
            settings.landing_prefix,
            leftovers=[FilesystemLeftovers(self.landing), SpoolLeftovers(self.imports)],
            orphan_age_s=0,
            raw_text_hours=settings.privacy.raw_text_hours,
        )

    def names_of(self, author: str, settings: IngestSettings) -> frozenset[str]:
        """Return the names under which an author may stand in this lake, be it that authors were hashed at some time.

        Raises:
            InvalidSetting: the key of hashed authors cannot be read.
        """
        from .author_key import known_author_key

        key = known_author_key(self.root)
        return frozenset({author, key.name(author)} if key else {author})

    def history(self, environment: str) -> SqliteRunHistory:
        """Return the run records."""
        return SqliteRunHistory(self.root / "state.sqlite", environment)

    def verifier(self, settings: IngestSettings, clock: Clock) -> Verifier:
        """Return what looks for damage in this lake."""
        from .verification import Verifier

        return Verifier(
            self.reader(),
            self.state(settings.environment),
            self.history(settings.environment),
            FilesystemLeftovers(self.landing),
            clock,
            settings.landing_prefix,
        )

    def repairer(self, settings: IngestSettings, clock: Clock) -> Repairer:
        """Return what puts this lake in order; use it under the lock."""
        from .repairing import Repairer

        return Repairer(
            reader=self.reader(),
            writer=FilesystemJsonlWriter(self.landing, settings.part_bytes),
            eraser=FilesystemEraser(self.landing),
            leftovers=FilesystemLeftovers(self.landing),
            erasure=self.erasure(settings, clock),
            state=self.state(settings.environment),
            history=self.history(settings.environment),
            clock=clock,
            environment=settings.environment,
            prefix=settings.landing_prefix,
        )

    def check_exists(self) -> None:
        """Refuse to read a lake that is not there.

        Raises:
            LakeNotUsable: the folder does not exist or is no lake.
        """
        if not self.landing.is_dir():
            raise LakeNotUsable(
                f"no lake at {self.root}: run `market-opinion ingest` first, or name another with --lake"
            )


def dump_importer(lake: LocalLake, settings: IngestSettings, clock: Clock) -> DumpImporter:
    """Return what imports dump files into a folder; it takes the lake's lock by itself, for each day that it lands."""
    # Only those who import archives wait for what reads them.
    from .archives.importer import DumpImporter
    from .archives.memory import check_window

    return DumpImporter(
        BulkJsonlWriter(lake.landing, settings.part_bytes),
        SqliteRunRecorder(lake.root / "state.sqlite"),
        clock,
        journals=lake.imports,
        authors=_author_key(lake, settings),
        lock=lambda: locked(lake.root, Silent(), wait_s=_IMPORT_LOOKS / 5, sleep=lambda _: time.sleep(_IMPORT_LOOK_S)),
        environment=settings.environment,
        prefix=settings.landing_prefix,
        check_window=check_window,
    )


def local_pipeline(
    lake: LocalLake,
    settings: IngestSettings,
    environ: Mapping[str, str],
    clock: Clock,
    progress: Progress | None = None,
    source: str = REDDIT_API.name,
) -> Pipeline:
    """Return the pipeline from a source (by its name in `ABILITIES`) to a folder. No request is made yet.

    Raises:
        InvalidSetting: credentials or addresses in `environ` are missing or malformed.
    """
    reader, writer = _SOURCES[source](environ, clock), FilesystemJsonlWriter(lake.landing, settings.part_bytes)
    if key := _author_key(lake, settings):
        from .sources.hashed_authors import HashedAuthorsSource

        reader = HashedAuthorsSource(reader, key)
    return Pipeline(
        RedditIngestionService(reader, writer, clock, settings.landing_prefix),
        SqliteStateStore(lake.root / "state.sqlite", settings.environment),
        SqliteRunRecorder(lake.root / "state.sqlite"),
        clock,
        environment=settings.environment,
        max_windows=settings.max_windows_per_run,
        look_back_hours=settings.look_back_hours,
        progress=progress,
    )


def local_refresh(
    lake: LocalLake, settings: IngestSettings, environ: Mapping[str, str], clock: Clock
) -> RefreshService:
    """Return what looks again at what a folder knows, through Reddit's API; use it under the lake's lock.

    Raises:
        InvalidSetting: credentials, addresses or the ladder in `environ` are missing or malformed.
    """
    from .sources.reddit_lookup import RedditLookup

    lookup: Lookup = RedditLookup(_reddit(environ))
    if key := _author_key(lake, settings):
        from .sources.hashed_authors import HashedAuthorsLookup

        lookup = HashedAuthorsLookup(lookup, key)
    from .refresh_service import RefreshService

    return RefreshService(
        lookup,
        lake.reader(),
        FilesystemJsonlWriter(lake.landing, settings.part_bytes),
        lake.erasure(settings, clock),
        SqliteRunRecorder(lake.root / "state.sqlite"),
        clock,
        environment=settings.environment,
        ladder=RefreshSettings.from_mapping(environ).ladder,
        prefix=settings.landing_prefix,
    )


def _author_key(lake: LocalLake, settings: IngestSettings) -> AuthorKey | None:
    if not settings.privacy.hashes_authors:
        return None
    from .author_key import author_key

    return author_key(lake.root)


def unusable_sources(environ: Mapping[str, str], clock: Clock) -> dict[str, str]:
    """Return why a source cannot be read at all, for each of which that is so. No request is made."""
    why: dict[str, str] = {}
    for name in ABILITIES:
        try:
            _SOURCES[name](environ, clock)
        except InvalidSetting as error:
            why[name] = str(error).partition(";")[0]
    return why


def _reddit_api(environ: Mapping[str, str], clock: Clock) -> Source:
    from .sources.reddit_api import RedditApiSource

    return RedditApiSource(_reddit(environ))


def _reddit(environ: Mapping[str, str]) -> RedditConnection:
    # praw takes longer to import than all the rest, and most commands read no source.
    from .reddit_client import RedditClientFactory, RedditConnection

    return RedditConnection(
        RedditClientFactory.create(RedditCredentials.from_mapping(environ), RedditEndpoint.from_mapping(environ))
    )


def _arctic_shift(environ: Mapping[str, str], clock: Clock) -> Source:
    from .arctic_client import ArcticShiftConnection
    from .sources.arctic_shift import ArcticShiftSource

    return ArcticShiftSource(ArcticShiftConnection(ArcticShiftEndpoint.from_mapping(environ)), clock)


_SOURCES: dict[str, Callable[[Mapping[str, str], Clock], Source]] = {
    REDDIT_API.name: _reddit_api,
    ARCTIC_SHIFT.name: _arctic_shift,
}
