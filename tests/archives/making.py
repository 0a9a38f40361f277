"""Small dump files of every shape, and a lake to import them into."""

import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard

from reddit_ingest import view
from reddit_ingest.archives.importer import DumpImporter, FileOutcome, ImportRequest
from reddit_ingest.bootstrap import LocalLake, dump_importer
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.settings import IngestSettings

DAY = 86_400
HOUR = 3_600
MARCH = 1_740_787_200
"""2025-03-01."""
NOW = MARCH + 400 * DAY


def comment(number: int, created: int, subreddit: str = "Smartphones", **fields: Any) -> dict[str, Any]:
    """Return a comment as an archive of today has it; `number` makes it unlike the others."""
    return {
        "_meta": {"retrieved_2nd_on": created + 129_600},
        "all_awardings": [],
        "author": f"writer_{number % 97}",
        "author_fullname": f"t2_{number % 97:x}",
        "body": f"Number {number}: mine lasts “two days”.\nNo, really {number * 2_654_435_761 % 10**9}.",
        "controversiality": 0,
        "created_utc": created,
        "edited": False,
        "id": f"c{number:06x}",
        "link_id": f"t3_s{number // 9:05x}",
        "name": f"t1_c{number:06x}",
        "parent_id": f"t3_s{number // 9:05x}",
        "permalink": f"/r/{subreddit}/comments/s{number // 9:05x}/x/c{number:06x}/",
        "retrieved_on": created + 11,
        "score": number % 50,
        "stickied": False,
        "subreddit": subreddit,
        "subreddit_id": "t5_abc",
        "subreddit_name_prefixed": f"r/{subreddit}",
        **fields,
    }


def submission(number: int, created: int, subreddit: str = "Smartphones", **fields: Any) -> dict[str, Any]:
    """Return a submission as an archive of today has it."""
    return {
        "author": f"writer_{number % 97}",
        "created_utc": created,
        "edited": False,
        "id": f"s{number:06x}",
        "is_self": True,
        "name": f"t3_s{number:06x}",
        "num_comments": 3,
        "permalink": f"/r/{subreddit}/comments/s{number:06x}/x/",
        "retrieved_utc": created + 12,
        "score": number % 50,
        "selftext": f"Which one, number {number}?",
        "subreddit": subreddit,
        "title": f"Question {number}",
        "url": f"https://www.reddit.com/r/{subreddit}/comments/s{number:06x}/x/",
        **fields,
    }


def line(row: dict[str, Any]) -> bytes:
    """Return a row as today's archives write it."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def text(rows: Iterable[dict[str, Any]]) -> bytes:
    """Return rows as the text of an archive."""
    return b"".join(map(line, rows))


def month(count: int, per_day: int = 50, *, others: int = 3) -> list[dict[str, Any]]:
    """Return comments in order of time from the first to the last day of March 2025; one in `others` is Smartphones."""
    span = 31 * DAY // count
    return [
        comment(n, MARCH + n * span + 7, "Smartphones" if n % others == 0 else f"Other_{n % 5}") for n in range(count)
    ]


def frame(data: bytes, level: int = 3, **parameters: Any) -> bytes:
    """Return one zstd frame with a checksum, as the zstd command makes it from a pipe."""
    made = zstandard.ZstdCompressionParameters.from_level(level, write_checksum=True, **parameters)
    compressor = zstandard.ZstdCompressor(compression_params=made).compressobj()
    return compressor.compress(data) + compressor.flush()


def write(path: Path, data: bytes) -> Path:
    """Write a file compressed as its name says."""
    if path.suffix == ".zst":
        data = frame(data)
    elif path.suffix == ".gz":
        data = gzip.compress(data)
    path.write_bytes(data)
    return path


class Notes:
    """A `Watch` that keeps what was said."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.read_bytes = 0

    def went(self, read_bytes: int, lines: int, rows: int) -> None:
        self.read_bytes = max(self.read_bytes, read_bytes)

    def said(self, note: str) -> None:
        self.notes.append(note)


@dataclass
class Lake:
    """A lake in a folder, and what an import makes of it."""

    root: Path

    @property
    def lake(self) -> LocalLake:
        return LocalLake(self.root)

    def importer(self) -> DumpImporter:
        return dump_importer(self.lake, IngestSettings(), FixedClock(NOW))

    def take(self, path: Path, *subreddits: str, start: int = 0, end: int = 2**40) -> FileOutcome:
        """Import a file in this process."""
        self.heard = Notes()
        request = ImportRequest(frozenset(subreddits) or None, start, end)
        return self.importer().import_file(path, request, self.heard)

    def rows(self, subreddit: str, kind: str = "comments") -> dict[str, dict[str, Any]]:
        """Return what the lake shows."""
        return view.rows(self.lake.reader(), f"reddit/{subreddit}/", kind)

    def all_rows(self, kind: str = "comments") -> dict[str, dict[str, Any]]:
        return view.rows(self.lake.reader(), "reddit/", kind)

    def states(self, subreddit: str) -> dict[int, str]:
        """Return the coverage of every window, by day of March."""
        found = view.ledger(self.lake.reader(), f"reddit/{subreddit}/")
        return {(state.window.start_ts - MARCH) // DAY + 1: str(state.status) for state in found}

    def objects(self) -> dict[str, bytes]:
        """Return everything that lies in the landing zone."""
        reader = self.lake.reader()
        return {key: reader.read(key) for key in reader.keys("")}

    def landed_lines(self) -> list[dict[str, Any]]:
        """Return every observation that landed, those included that a newer one hides."""
        reader = self.lake.reader()
        return [
            json.loads(raw)
            for folder, manifest in view.manifests(reader, "reddit/")
            for landed in manifest.objects
            if landed.kind != "quarantine"
            for raw in view.lines_of(reader, folder, landed)
        ]
