"""Watermarks and run records of a local lake, in one SQLite file."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .core.errors import DamagedState, LakeNotUsable
from .core.names import subreddit_key
from .core.records import RefreshRecord, RunRecord

_SCHEMA = """
create table if not exists watermarks (
    environment text, subreddit text, last_run_ts, primary key (environment, subreddit)
) without rowid;
create table if not exists runs (
    environment text, subreddit text, window_start_ts integer, window_end_ts integer, ingested_at_ts integer,
    mode text, status text, submissions integer, comments integer, new_comments integer, quarantined integer,
    requests integer, manifest text, reason text,
    primary key (environment, subreddit, window_start_ts, manifest)
) without rowid;
create table if not exists refreshes (
    environment text, subreddit text, observed_at_ts integer, due integer, asked integer, found integer,
    rescored integer, edited integer, removed integer, missing integer, deletions integer, deletions_due integer,
    new_comments integer, requests integer, remaining integer, curve text, reason text,
    primary key (environment, subreddit, observed_at_ts)
) without rowid;
"""


class _Database:
    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=30)) as database, database:
                database.execute("pragma synchronous = full")
                database.executescript(_SCHEMA)
                yield database
        except (sqlite3.Error, OSError) as error:
            raise LakeNotUsable(
                f"cannot use {self._path}: {error}; check the folder and its permissions, then run again"
            ) from error


class SqliteStateStore(_Database):
    """Keeps watermarks; the local twin of `RedditIngestionStateStore`."""

    def __init__(self, path: Path, environment: str) -> None:
        super().__init__(path)
        self._environment = environment

    def load_last_run_timestamp(self, subreddit: str) -> int | None:
        """Return the watermark in seconds UTC, or None before the first run.

        Raises:
            DamagedState: what is stored is no whole number.
        """
        key = subreddit_key(subreddit)
        if not self._path.exists():
            return None
        query = "select last_run_ts from watermarks where environment = ? and subreddit = ?"
        with self._open() as database:
            row = database.execute(query, (self._environment, key)).fetchone()
        if row is None:
            return None
        if not isinstance(row[0], int):
            raise DamagedState(f"the watermark of r/{subreddit} in {self._path} is no number: {row[0]!r}")
        return row[0]

    def save_last_run_timestamp(self, subreddit: str, timestamp: int) -> None:
        """Store the watermark."""
        key = subreddit_key(subreddit)
        with self._open() as database:
            database.execute("insert or replace into watermarks values (?, ?, ?)", (self._environment, key, timestamp))


class SqliteRunRecorder(_Database):
    """Keeps one record per attempt; the local twin of `RedditIngestionRunRecorder`."""

    def record(self, run: RunRecord) -> None:
        """Write one record; recording the same attempt again changes nothing."""
        self.record_all([run])

    def record_all(self, runs: Sequence[RunRecord]) -> None:
        """Write many records at once, all or none."""
        self._insert("runs", [_columns(run) for run in runs])

    def record_refresh(self, refresh: RefreshRecord) -> None:
        """Write the record of a refresh; recording the same one again changes nothing."""
        curve = json.dumps([point.to_dict() for point in refresh.curve])
        self._insert("refreshes", [{**asdict(refresh), "curve": curve}])

    def _insert(self, table: str, rows: Sequence[dict[str, Any]]) -> None:
        if not rows:
            return
        columns, marks = ", ".join(rows[0]), ", ".join("?" * len(rows[0]))
        with self._open() as database:
            database.executemany(
                f"insert or replace into {table} ({columns}) values ({marks})",  # noqa: S608  # names of a dataclass
                [tuple(row.values()) for row in rows],
            )


def _columns(run: RunRecord) -> dict[str, Any]:
    fields: dict[str, Any] = asdict(run)
    window = fields.pop("window")
    return fields | {"window_start_ts": window["start_ts"], "window_end_ts": window["end_ts"]}


class SqliteRunHistory(_Database):
    """Reads run records back; the local twin of `RedditIngestionRunHistory`."""

    def __init__(self, path: Path, environment: str) -> None:
        super().__init__(path)
        self._environment = environment

    def manifests(self, subreddit: str) -> set[str]:
        """Return the keys of the manifests whose attempts are recorded."""
        if not self._path.exists():
            return set()
        query = "select manifest from runs where environment = ? and subreddit = ?"
        with self._open() as database:
            return {key for (key,) in database.execute(query, (self._environment, subreddit_key(subreddit)))}

    def restore(self, run: RunRecord) -> None:
        """Write the record of an attempt that has none. Idempotent."""
        SqliteRunRecorder(self._path).record(run)
