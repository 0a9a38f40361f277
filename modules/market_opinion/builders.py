"""Many partitions at a time, each in a process of its own, with its own reader, market and model.

Only the process that started the others, and holds the lock, writes: one that outlives it for a moment does no harm.
"""

import signal
import sys
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Protocol

from reddit_ingest.core.errors import PlatformError, RunIncomplete
from reddit_ingest.core.ports import StagingReader

from .augmentation_service import Builders, DayBuilder, Partition, Task
from .market import load_market
from .sentiment.scoring import make_scorer


class LandedLake(Protocol):
    """A lake in a folder or on AWS; another process can open it anew from what pickle tells of it."""

    def reader(self) -> StagingReader:
        """Return the reading side of the landing zone."""
        ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a process needs to know to make partitions; `market` is a name or a path."""

    lake: LandedLake
    market: str
    engine: str

    def builder(self) -> DayBuilder:
        """Return what makes partitions."""
        return DayBuilder(self.lake.reader(), load_market(self.market), make_scorer(self.engine))


@contextmanager
def builders(recipe: Recipe, jobs: int) -> Iterator[Builders]:
    """Run so many processes, started when first needed, and yield what makes partitions in them; 1: in this one."""
    if jobs == 1:
        yield recipe.builder()
        return
    with ExitStack() as stack:
        crew = _Crew(recipe, jobs)
        stack.callback(crew.end)
        yield crew


@dataclass(frozen=True, slots=True)
class _Worker:
    process: SpawnProcess
    wire: Connection


class _Crew:
    """Some processes that wait for tasks. They end by themselves when nobody is left to give them any."""

    def __init__(self, recipe: Recipe, jobs: int) -> None:
        self._recipe = recipe
        self._jobs = jobs
        self._workers: list[_Worker] = []

    def __call__(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Partition | None]]:
        waiting, idle = deque(tasks), deque(self._workers)
        running: dict[Connection, tuple[_Worker, Task]] = {}
        while waiting or running:
            while waiting and (idle or len(self._workers) < self._jobs):
                worker, task = idle.popleft() if idle else self._hire(), waiting.popleft()
                worker.wire.send(task)
                running[worker.wire] = (worker, task)
            ready = wait(list(running))
            for wire in [wire for wire in running if wire in ready]:
                worker, task = running.pop(wire)
                idle.append(worker)
                yield task, _heard(worker)

    def end(self) -> None:
        """End all processes."""
        for worker in self._workers:
            worker.process.terminate()
            worker.process.join()
            worker.wire.close()

    def _hire(self) -> _Worker:
        context = get_context("spawn")  # DuckDB and Arrow have threads, which no fork survives
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(self._recipe, theirs), daemon=True)
        process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours))
        return self._workers[-1]


def _heard(worker: _Worker) -> Partition | None:
    try:
        answer = worker.wire.recv()
    except (EOFError, OSError) as error:
        worker.process.join()
        raise RunIncomplete(
            f"a process of the augmentation was ended from outside (exit code {worker.process.exitcode}); run it again,"
            " perhaps with fewer --jobs: what was made stands"
        ) from error
    if isinstance(answer, PlatformError):
        raise answer
    made: Partition | None = answer
    return made


def _work(recipe: Recipe, wire: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us hears it, and ends us
    builder: DayBuilder | None = None
    while True:
        try:
            task: Task = wire.recv()
        except EOFError:
            return
        try:
            builder = builder or recipe.builder()
            ((_, answer),) = builder([task])
            wire.send(answer)
        except PlatformError as error:
            wire.send(error)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            raise SystemExit(1) from None
