"""Ports in memory, with a log of what was called and a crash at a chosen call."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from reddit_ingest.core.errors import DamagedState, ObjectMissing
from reddit_ingest.core.items import Line
from reddit_ingest.core.keys import manifest_name
from reddit_ingest.core.manifest import LandedObject, Manifest, sha256_hex
from reddit_ingest.core.ports import Deadline, Progress, Reading
from reddit_ingest.core.records import RefreshRecord, RunRecord
from reddit_ingest.core.windows import Window
from reddit_ingest.jsonl import Part, Put, land_lines


class Crash(BaseException):
    """The process is gone: nothing that handles errors may see it."""


class Log:
    """What was done, in order; the process dies just before or just after the nth effect, or the effect fails there."""

    def __init__(self, dies_at: int | None = None, *, before: bool = True, error: BaseException | None = None) -> None:
        self.effects: list[str] = []
        self.has_struck = False
        self._dies_at = dies_at
        self._before = before
        self._error = error or Crash()

    def effect(self, name: str) -> Iterator[None]:
        """Note an effect around its doing: `for _ in log.effect("…"): do it`."""
        self._perhaps_die(before=True)
        yield
        self.effects.append(name)
        self._perhaps_die(before=False)

    def _perhaps_die(self, *, before: bool) -> None:
        done = len(self.effects) - (0 if before else 1)
        if self._dies_at == done and self._before == before and not self.has_struck:
            self.has_struck = True
            raise self._error


class MemoryLake:
    """A `JsonlWriter`, `StagingReader`, `ObjectReplacer`, `ObjectEraser` and `Leftovers` over one dict.

    Like a bucket, it may be one that its writer cannot look into. What is in `young` was written just now.
    """

    def __init__(self, log: Log | None = None, *, can_look: bool = True) -> None:
        self.log = log or Log()
        self.objects: dict[str, bytes] = {}
        self.young: set[str] = set()
        self.half_written: list[str] = []
        self._can_look = can_look

    def land(self, folder: str, kind: str, lines: Iterable[Line]) -> tuple[LandedObject, ...]:
        return land_lines(folder, kind, lines, 2**20, self._put_new)

    def commit(self, folder: str, manifest: Manifest) -> str:
        content = manifest.to_bytes()
        key = folder + manifest_name(sha256_hex(content))
        for _ in self.log.effect("manifest"):
            self.objects[key] = content
        return key

    def keys(self, prefix: str) -> Iterator[str]:
        yield from sorted(key for key in self.objects if key.startswith(prefix))

    def read(self, key: str) -> bytes:
        if key not in self.objects:
            raise ObjectMissing(f"{key} is not there")
        return self.objects[key]

    def folder(self) -> None:
        return None

    def stage(self, key: str, target: Path) -> None:
        target.write_bytes(self.read(key))

    def replace(self, key: str, content: bytes) -> None:
        for _ in self.log.effect("replace"):
            self.objects[key] = content
            self.young.add(key)

    def erase(self, key: str, sha256: str | None = None, least_age_s: int = 0) -> bool:
        content = self.objects.get(key)
        if content is None or sha256 not in (None, sha256_hex(content)) or (least_age_s and key in self.young):
            return False
        for _ in self.log.effect("erase"):
            self.objects.pop(key, None)
        return True

    def found(self, prefix: str) -> list[str]:
        return [name for name in self.half_written if name.startswith(prefix)]

    def remove(self, prefix: str, least_age_s: int) -> list[str]:
        removed = [name for name in self.found(prefix) if not (least_age_s and name in self.young)]
        for name in removed:
            for _ in self.log.effect("remove"):
                self.half_written.remove(name)
        return removed

    def _put_new(self, key: str, part: Part) -> Put:
        content = part.file.read()
        part.file.seek(0)
        if key in self.objects:
            if not self._can_look:
                return Put.UNSEEN
            return Put.SAME if self.objects[key] == content else Put.TAKEN
        for _ in self.log.effect("object"):
            self.objects[key] = content
        return Put.CREATED


class MemoryState:
    """A `StateStore` over a dict."""

    def __init__(self, log: Log | None = None) -> None:
        self.log = log or Log()
        self.watermarks: dict[str, Any] = {}

    def load_last_run_timestamp(self, subreddit: str) -> int | None:
        stored = self.watermarks.get(subreddit)
        if stored is not None and not isinstance(stored, int):
            raise DamagedState(f"the watermark of r/{subreddit} is no number")
        return stored

    def save_last_run_timestamp(self, subreddit: str, timestamp: int) -> None:
        for _ in self.log.effect("watermark"):
            self.watermarks[subreddit] = timestamp


class MemoryRecorder:
    """A `RunRecorder` over a list."""

    def __init__(self, log: Log | None = None) -> None:
        self.log = log or Log()
        self.runs: list[RunRecord] = []
        self.refreshes: list[RefreshRecord] = []

    def record(self, run: RunRecord) -> None:
        for _ in self.log.effect("record"):
            if run not in self.runs:
                self.runs.append(run)

    def record_refresh(self, refresh: RefreshRecord) -> None:
        for _ in self.log.effect("record"):
            if refresh not in self.refreshes:
                self.refreshes.append(refresh)


class MemoryHistory:
    """A `RunHistory` over what a recorder holds."""

    def __init__(self, recorder: MemoryRecorder) -> None:
        self._recorder = recorder

    def manifests(self, subreddit: str) -> set[str]:
        return {run.manifest for run in self._recorder.runs if run.subreddit == subreddit}

    def restore(self, run: RunRecord) -> None:
        self._recorder.record(run)


class ScriptedSource:
    """A `Source` that answers with what a function makes of the windows."""

    name = "scripted"

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.asked: list[tuple[str, Sequence[Window]]] = []

    def read(
        self,
        subreddit: str,
        windows: Sequence[Window],
        *,
        look_back_s: int = 0,
        include_comments: bool = True,
        max_submissions: int | None = None,
        deadline: Deadline,
        progress: Progress,
    ) -> Reading:
        self.asked.append((subreddit, windows))
        reading: Reading = self._answer(subreddit, windows, deadline)
        return reading


class ScriptedLookup:
    """A `Lookup` over what a test says there is: items by fullname, threads by their submission's.

    `requests_sent` counts one for each call; `trouble` is raised by the call after so many.
    """

    name = "scripted"

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.threads: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[list[str]] = []
        self.trees: list[str] = []
        self.trouble: dict[int, Exception] = {}
        self.requests_sent = 0

    def within(self, deadline: Deadline, progress: Progress) -> None:
        self.deadline = deadline

    def info(self, subreddit: str, fullnames: Sequence[str]) -> dict[str, Any]:
        self.asked.append(list(fullnames))
        self._request()
        return {name: self.items[name] for name in fullnames if name in self.items}

    def thread(self, fullname: str) -> Iterator[dict[str, Any]]:
        self.trees.append(fullname)
        self._request()
        yield from self.threads.get(fullname, [])

    def _request(self) -> None:
        self.requests_sent += 1
        if error := self.trouble.get(self.requests_sent):
            raise error
