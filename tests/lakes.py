"""A sound lake in memory, made by the real pipeline, and the ways to damage it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.coverage import Coverage, CoverageStatus
from reddit_ingest.core.invocation import IngestRequest, Mode
from reddit_ingest.core.items import Line
from reddit_ingest.core.keys import COMMENTS, SUBMISSIONS, is_manifest, window_folder
from reddit_ingest.core.manifest import Manifest, sha256_hex
from reddit_ingest.core.ports import Deadline, Reading, WindowReading
from reddit_ingest.core.tombstones import Tombstone
from reddit_ingest.core.windows import HOUR_S, Window
from reddit_ingest.erasure import Erasure
from reddit_ingest.ingestion_service import RedditIngestionService
from reddit_ingest.pipeline import Pipeline
from reddit_ingest.repairing import Repairer, Step
from reddit_ingest.verification import Report, Verifier

from .fakes import Log, MemoryHistory, MemoryLake, MemoryRecorder, MemoryState, ScriptedSource

T0 = 1_767_225_600  # 2026-01-01 00:00 UTC
HOURS = 6
END = T0 + HOURS * HOUR_S
NOW = END + 300
SUBREDDIT = "android"
PLACE = "reddit/android/"
_COMPLETE = Coverage(CoverageStatus.COMPLETE, "read 3 items on 1 pages")


def hour(n: int) -> Window:
    """Return the nth hour of the lake."""
    return Window(T0 + n * HOUR_S, T0 + (n + 1) * HOUR_S)


def folder(n: int) -> str:
    """Return the folder of the nth hour."""
    return window_folder("reddit/", SUBREDDIT, hour(n))


def items_of(window: Window) -> WindowReading:
    """Return a submission, a comment in its hour and one in the hour after it, with a claim for both kinds."""
    start, link = window.start_ts, f"s{window.start_ts}"
    submission = {"name": f"t3_{link}", "id": link, "created_utc": float(start + 1), "title": "Good?", "selftext": "x"}
    comments = [
        {"name": f"t1_c{n}{start}", "id": f"c{n}{start}", "created_utc": float(start + created), "body": "fine"}
        | {"link_id": f"t3_{link}", "author": "somebody"}
        for n, created in enumerate((60, HOUR_S + 60))
    ]
    return WindowReading(window, [submission], comments, {SUBMISSIONS: _COMPLETE, COMMENTS: _COMPLETE})


def whole(subreddit: str, windows: Sequence[Window], deadline: Deadline | None = None) -> Reading:
    """A source that sees everything, and something of the hour before."""
    before = items_of(Window(windows[0].start_ts - HOUR_S, windows[0].start_ts))
    earlier = WindowReading(before.window, before.submissions, before.comments[:1])
    return Reading([items_of(window) for window in windows], [earlier], requests=3)


class Lake:
    """A lake with its state and its history; `source` says what the next run will see."""

    def __init__(self, source: Any = whole) -> None:
        self.lake, self.state, self.recorder = MemoryLake(), MemoryState(), MemoryRecorder()
        self.source = source
        self.now = NOW

    def run(self, windows: Sequence[Window] = (), log: Log | None = None) -> "Lake":
        """Run the pipeline: what is due, or a backfill of windows."""
        log = log or Log()
        self.lake.log = self.state.log = self.recorder.log = log
        clock = FixedClock(self.now)
        pipeline = Pipeline(
            RedditIngestionService(ScriptedSource(self.source), self.lake, clock),
            self.state,
            self.recorder,
            clock,
            environment="test",
            max_windows=24,
            look_back_hours=2,
        )
        mode = Mode.BACKFILL if windows else Mode.INCREMENTAL
        list(pipeline.run(IngestRequest(mode, (SUBREDDIT,), tuple(windows))))
        return self

    def verify(self) -> Report:
        """Return what is found."""
        clock = FixedClock(self.now)
        return Verifier(self.lake, self.state, MemoryHistory(self.recorder), self.lake, clock).verify(SUBREDDIT)

    def found(self) -> list[tuple[str, str, str]]:
        """Return severity, kind and place of every finding."""
        return [(str(each.severity), each.kind, each.place) for each in self.verify().findings]

    def erasure(self) -> Erasure:
        """Return what takes text out of this lake."""
        return Erasure(self.lake, self.lake, self.lake, FixedClock(self.now))

    def repairer(self, least_age_s: int = 0) -> Repairer:
        """Return what puts this lake in order."""
        return Repairer(
            reader=self.lake,
            writer=self.lake,
            eraser=self.lake,
            leftovers=self.lake,
            erasure=self.erasure(),
            state=self.state,
            history=MemoryHistory(self.recorder),
            clock=FixedClock(self.now),
            environment="test",
            least_age_s=least_age_s,
        )

    def repair(self, *, drop_orphans: bool = False, least_age_s: int = 0, log: Log | None = None) -> list[Step]:
        """Repair and return the steps."""
        self.lake.log = self.state.log = self.recorder.log = log or Log()
        return list(self.repairer(least_age_s).repair(SUBREDDIT, drop_orphans))

    def manifest_of(self, n: int, mode: str = Mode.INCREMENTAL) -> tuple[str, Manifest]:
        """Return the key and the manifest of the attempt of a mode at the nth hour."""
        for key in self.lake.keys(folder(n)):
            if is_manifest(key) and (found := Manifest.from_bytes(self.lake.read(key), key)).mode == mode:
                return key, found
        raise LookupError(mode)

    def rewrite(self, n: int, change: Callable[[Manifest], Manifest]) -> str:
        """Put another manifest in the place of one, under its right name, as a defect of a writer would have."""
        key, manifest = self.manifest_of(n)
        del self.lake.objects[key]
        new = self.lake.commit(folder(n), change(manifest))
        self.recorder.runs = [
            replace(run, manifest=new if run.manifest == key else run.manifest) for run in self.recorder.runs
        ]
        return new

    def rewrite_rows(self, n: int, kind: str, change: Callable[[list[Any]], list[Any]]) -> str:
        """Put other rows in the place of those of an object, with a manifest that fits, and return its key."""
        _, manifest = self.manifest_of(n)
        (old,) = [landed for landed in manifest.objects if landed.kind == kind]
        rows = change([json.loads(line) for line in self.lake.read(folder(n) + old.name).splitlines()])
        content = b"".join(row if isinstance(row, bytes) else json.dumps(row).encode() + b"\n" for row in rows)
        self.lake.objects[folder(n) + old.name] = content
        new = replace(old, sha256=sha256_hex(content), bytes=len(content), rows=len(rows))
        kept = tuple(new if landed == old else landed for landed in manifest.objects)
        self.rewrite(n, lambda manifest: replace(manifest, objects=kept))
        return folder(n) + old.name

    def bury(self, tombstone: Tombstone) -> None:
        """Land a tombstone."""
        self.erasure().bury(SUBREDDIT, [tombstone])

    def land_orphan(self, n: int, kind: str, rows: list[Any]) -> str:
        """Land an object that no manifest names and return its key."""
        lines = [Line(json.dumps(row).encode() + b"\n", row.get("created_utc")) for row in rows]
        (landed,) = self.lake.land(folder(n), kind, lines)
        return folder(n) + landed.name


def sound() -> Lake:
    """Return a lake of some hours in which all is well."""
    lake = Lake()
    lake.state.watermarks[SUBREDDIT] = T0
    return lake.run()
