"""Several dump files at a time, each in a process of its own."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..core.errors import EXIT_FAILED, PlatformError
from .dump_file import DumpFile
from .importer import DumpImporter, FileOutcome, ImportRequest
from .memory import OWN_BYTES, available_bytes, mebibytes

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

_LARGE_WINDOW_BYTES = 128 * 1024 * 1024
"""Above this the zstd command wants to be told (`--long`), and we tell."""


class Listener(Protocol):
    """Hears how the import of all files goes on; never raises, and starts no thread."""

    def went(self, number: int, read_bytes: int, lines: int, rows: int) -> None:
        """So much of a file was read, so many lines gone by, so many rows kept."""
        ...

    def said(self, note: str) -> None:
        """Something that a person should know at once."""
        ...


class _One:
    """A `Watch` that knows which file it is about."""

    def __init__(self, listener: Listener, number: int) -> None:
        self._listener = listener
        self._number = number

    def went(self, read_bytes: int, lines: int, rows: int) -> None:
        self._listener.went(self._number, read_bytes, lines, rows)

    def said(self, note: str) -> None:
        self._listener.said(note)


class _Afar:
    """A `Watch` in another process. Where nobody hears any more, the process ends."""

    def __init__(self, wire: Connection) -> None:
        self._wire = wire

    def went(self, read_bytes: int, lines: int, rows: int) -> None:
        self.send("went", read_bytes, lines, rows)

    def said(self, note: str) -> None:
        self.send("said", note)

    def send(self, *message: object) -> None:
        try:
            self._wire.send(message)
        except OSError:
            os._exit(EXIT_FAILED)  # the one who started this import was killed; the next run goes on


def import_files(
    importer: DumpImporter, paths: Sequence[Path], request: ImportRequest, jobs: int, listener: Listener
) -> list[FileOutcome]:
    """Import files, up to `jobs` at a time, and return what became of each, in their order.

    Trouble with one file never keeps the others from being imported.
    """
    jobs = affordable(paths, min(jobs, len(paths)), listener)
    if jobs == 1:
        return [importer.import_file(path, request, _One(listener, number)) for number, path in enumerate(paths)]
    return _side_by_side(importer, paths, request, jobs, listener)


def affordable(paths: Sequence[Path], jobs: int, listener: Listener) -> int:
    """Announce large windows, and return how many files may be open at once within the memory that there is."""
    needs = []
    for path in paths:
        try:
            need = DumpFile(path).window_bytes
        except PlatformError:
            continue  # its own import tells
        needs.append(need + OWN_BYTES)
        if need > _LARGE_WINDOW_BYTES:
            free = available_bytes()
            told = "" if free is None else f"; {mebibytes(free)} are free"
            listener.said(f"{path.name} needs {mebibytes(need)} of memory for its window (zstd --long){told}")
    free = available_bytes()
    affordable = jobs
    while free is not None and affordable > 1 and sum(sorted(needs)[-affordable:]) > free:
        affordable -= 1
    if affordable < jobs:
        listener.said(f"there is memory for {affordable} of these files at a time, not for {jobs}")
    return affordable


def _side_by_side(
    importer: DumpImporter, paths: Sequence[Path], request: ImportRequest, jobs: int, listener: Listener
) -> list[FileOutcome]:
    from multiprocessing import get_context
    from multiprocessing.connection import wait

    context = get_context("fork")  # nothing has started a thread yet; a new interpreter would cost more than it helps
    outcomes: dict[int, FileOutcome] = {}
    waiting = deque(enumerate(paths))
    running: dict[Connection, tuple[int, ForkProcess]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                number, path = waiting.popleft()
                ours, theirs = context.Pipe(duplex=False)
                process = context.Process(target=_work, args=(importer, path, request, theirs), daemon=True)
                process.start()
                theirs.close()
                running[ours] = (number, process)
            ready = wait(list(running))
            for wire in [wire for wire in running if wire in ready]:
                number, process = running[wire]
                outcome = _hear(wire, process, paths[number], _One(listener, number))
                if outcome:
                    outcomes[number] = outcome
                    process.join()
                    wire.close()
                    del running[wire]
    finally:
        for _, process in running.values():
            process.terminate()
            process.join()
    return [outcomes[number] for number in range(len(paths))]


def _hear(wire: Connection, process: ForkProcess, path: Path, watch: _One) -> FileOutcome | None:
    """Take one message; return the outcome when that is it."""
    try:
        name, *told = wire.recv()
    except (EOFError, OSError):
        process.join()
        trouble = f"{path.name}: its import was ended from outside (exit code {process.exitcode}); run it again"
        return FileOutcome(path.name, trouble=trouble, trouble_code=EXIT_FAILED)
    if name == "ended":
        ended: FileOutcome = told[0]
        return ended
    (watch.went if name == "went" else watch.said)(*told)
    return None


def _work(importer: DumpImporter, path: Path, request: ImportRequest, wire: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us hears it, and ends us
    watch = _Afar(wire)
    watch.send("ended", importer.import_file(path, request, watch))
