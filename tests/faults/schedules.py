"""Every interleaving of overlapping runs, over the real pipeline.

A run is a function of the answers that its effects got. So what run `r` does next after the answers `h` is found by
running the real code from the start, replaying `h`, and stopping it at the effect behind them. That is remembered, and
the interleavings are walked as a graph of states (what the lake holds, the watermark, how far each run is). Schedules
that meet in a state go on alike, so a state carries the number of schedules that lead to it: all of them are covered,
although the real code runs only some hundreds of times.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, NamedTuple

from reddit_ingest import view
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.coverage import Coverage, CoverageStatus
from reddit_ingest.core.errors import DamagedState
from reddit_ingest.core.invocation import IngestRequest, Mode
from reddit_ingest.core.items import Line
from reddit_ingest.core.keys import manifest_name
from reddit_ingest.core.manifest import LandedObject, Manifest, sha256_hex
from reddit_ingest.core.ports import Reading, WindowReading
from reddit_ingest.core.records import RunRecord
from reddit_ingest.core.windows import HOUR_S, Window, last_settled_end
from reddit_ingest.ingestion_service import RedditIngestionService
from reddit_ingest.jsonl import Part, Put, land_lines
from reddit_ingest.pipeline import Pipeline

from ..fakes import MemoryLake, ScriptedSource

T0 = 1_767_225_600
SUBREDDIT = "android"
KINDS = ("submissions", "comments")
INCREMENTAL = IngestRequest(Mode.INCREMENTAL, (SUBREDDIT,))
COMPLETE = Coverage(CoverageStatus.COMPLETE, "read to beyond the start")

Item = dict[str, Any]
Objects = dict[str, bytes]


@dataclass(frozen=True)
class Run:
    """One run: when it starts, what it is asked for, and what the source shows it, hour by hour.

    Hours of `shows` that lie before those asked for are what its look-back meets, if it has one.
    """

    now: int
    shows: Mapping[int, tuple[Sequence[Item], Sequence[Item]]]
    request: IngestRequest = INCREMENTAL
    claim: Coverage = COMPLETE
    looks_back: bool = True

    def read(self, subreddit: str, windows: Sequence[Window], deadline: object) -> Reading:
        looks_back = self.looks_back and self.request.mode is Mode.INCREMENTAL
        earlier = sorted(start for start in self.shows if looks_back and start < windows[0].start_ts)
        return Reading(
            [self._reading(window.start_ts, dict.fromkeys(KINDS, self.claim)) for window in windows],
            [self._reading(start, {}) for start in earlier],
            requests=1,
        )

    def _reading(self, start: int, coverage: dict[str, Coverage]) -> WindowReading:
        submissions, comments = self.shows.get(start, ((), ()))
        return WindowReading(Window(start, start + HOUR_S), list(submissions), list(comments), coverage)

    def observations(self, start: int) -> Iterator[tuple[str, tuple[int, int]]]:
        """Yield (fullname, observation) of everything shown of an hour; an observation is its time and the score."""
        for items in self.shows.get(start, ((), ())):
            for item in items:
                yield item["name"], (self.now, item["score"])


class Effect(NamedTuple):
    """What a run does to the outside, or asks of it."""

    kind: str
    key: str = ""
    content: bytes = b""
    ts: int = 0


class _Stopped(BaseException):
    """The run has come to an effect whose answer is not known yet."""

    def __init__(self, effect: Effect) -> None:
        super().__init__(effect.kind)
        self.effect = effect


class _Replay:
    """All ports of a run: its effects get the answers that are known; the one behind them stops it."""

    def __init__(self, answers: Iterable[Any]) -> None:
        self._answers = iter(answers)

    def _effect(self, effect: Effect) -> Any:
        for answer in self._answers:
            return answer
        raise _Stopped(effect)

    def land(self, folder: str, kind: str, lines: Iterable[Line]) -> tuple[LandedObject, ...]:
        return land_lines(folder, kind, lines, 2**20, self._put_new)

    def _put_new(self, key: str, part: Part) -> Put:
        content = part.file.read()
        part.file.seek(0)
        answer: Put = self._effect(Effect("object", key, content))
        return answer

    def commit(self, folder: str, manifest: Manifest) -> str:
        content = manifest.to_bytes()
        key = folder + manifest_name(sha256_hex(content))
        self._effect(Effect("manifest", key, content))
        return key

    def record(self, run: RunRecord) -> None:
        self._effect(Effect("record", ts=run.window.start_ts))

    def load_last_run_timestamp(self, subreddit: str) -> int | None:
        watermark: int | None = self._effect(Effect("load"))
        return watermark

    def save_last_run_timestamp(self, subreddit: str, timestamp: int) -> None:
        self._effect(Effect("save", ts=timestamp))


def next_effect(run: Run, answers: Sequence[Any]) -> Effect | None:
    """Return what the real pipeline does after its effects got these answers; None when it is done.

    A run that wakes up behind the others may find a watermark that lies in its future: it touches nothing.
    """
    ports, clock = _Replay(answers), FixedClock(run.now)
    service = RedditIngestionService(ScriptedSource(run.read), ports, clock)
    pipeline = Pipeline(service, ports, ports, clock, environment="test", max_windows=24, look_back_hours=2)
    try:
        for outcome in pipeline.run(run.request):
            if outcome.trouble and not isinstance(outcome.trouble, DamagedState):
                raise outcome.trouble
    except _Stopped as stopped:
        return stopped.effect
    return None


class Lake:
    """The landing zone as it is built: what a put answers and what readers see."""

    def __init__(self, taken: Put = Put.TAKEN, same: Put = Put.SAME) -> None:
        self._taken = taken
        self._same = same

    def put(self, objects: Objects, effect: Effect, run: Run) -> Put:
        """Do a put and return its answer."""
        if effect.key in objects:
            return self._same if objects[effect.key] == effect.content else self._taken
        objects[effect.key] = effect.content
        return Put.CREATED

    def rows(self, objects: Objects, kind: str) -> list[view.Row]:
        """Return what a reader of the lake sees."""
        return list(view.rows(in_memory(objects), "reddit/", kind).values())

    def claimed(self, objects: Objects) -> set[int]:
        """Return the starts of the hours that a committed attempt says need not be read again."""
        ledger = view.ledger(in_memory(objects), "reddit/")
        return {each.window.start_ts for each in ledger if each.status.moves_watermark}


FOLDER = Lake()
BUCKET = Lake(taken=Put.UNSEEN, same=Put.UNSEEN)


def in_memory(objects: Objects) -> MemoryLake:
    """Return a reader of some objects."""
    lake = MemoryLake()
    lake.objects = objects
    return lake


class _Progress(NamedTuple):
    """How far a run is: the answers it got (None: it has ended or died), and the hours it has committed."""

    answers: tuple[Any, ...] | None
    committed: frozenset[int]


class _State(NamedTuple):
    """Everything that what comes next can depend on."""

    objects: frozenset[tuple[str, bytes]]
    watermark: int | None
    recorded: frozenset[int]
    runs: tuple[_Progress, ...]
    crashes_left: int


@dataclass
class Verdict:
    """What was found over all schedules; the counters tell how many schedules had a problem.

    `on_the_way` looks at the lake after every effect, `at_the_end` after one more run that nothing disturbed.
    """

    schedules: int = 0
    states: int = 0
    real_runs: int = 0
    seconds: float = 0.0
    on_the_way: Counter[str] = field(default_factory=Counter)
    at_the_end: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return (
            f"{self.schedules:,} schedules, {self.states:,} states, {self.real_runs:,} executions of the pipeline,"
            f" {self.seconds:.2f} s; on the way: {dict(self.on_the_way)}; at the end: {dict(self.at_the_end)}"
        )


class Explorer:
    """Walks all schedules of some runs over one lake.

    A schedule is an order of the effects of all runs, and where runs die: at most `crashes` of them, each before its
    first effect or right after any. (Dying before an effect and after the one before it is the same to the world.) A
    run that the others do not disturb follows: `recovery`.
    """

    def __init__(
        self, runs: Sequence[Run], recovery: Run, lake: Lake = FOLDER, crashes: int = 1, watermark: int | None = T0
    ) -> None:
        self._runs = (*runs, recovery)
        self._lake = lake
        self._crashes = crashes
        self._watermark = watermark
        self._next: dict[tuple[int, tuple[Any, ...]], Effect | None] = {}
        self._checked: dict[Any, frozenset[str]] = {}
        self._verdict = Verdict()

    def explore(self) -> Verdict:
        """Return what all schedules together show."""
        began, verdict = perf_counter(), self._verdict
        layer, ended, seen = self._beginnings(), Counter[_State](), set[_State]()
        while layer:
            following: Counter[_State] = Counter()
            for state, ways in layer.items():
                seen.add(state)
                verdict.on_the_way.update(dict.fromkeys(self._problems(state), ways))
                successors = list(self._successors(state))
                if not successors:
                    ended[state._replace(crashes_left=0)] += ways
                for successor in successors:
                    following[successor] += ways
            layer = following
        for state, ways in ended.items():
            verdict.schedules += ways
            last = self._recovered(state)
            verdict.at_the_end.update(dict.fromkeys(self._problems(last), ways))
            if last.watermark != last_settled_end(self._runs[-1].now):
                verdict.at_the_end["not caught up"] += ways
        verdict.states, verdict.real_runs = len(seen), len(self._next)
        verdict.seconds = perf_counter() - began
        return verdict

    def _beginnings(self) -> Counter[_State]:
        """Return the states before the first effect: everything is to come, or some runs never began."""
        fresh, none = _Progress((), frozenset()), _Progress(None, frozenset())
        starts: Counter[_State] = Counter()
        for bits in range(2 ** (len(self._runs) - 1)):
            runs = tuple(none if bits >> n & 1 else fresh for n in range(len(self._runs) - 1))
            if bits.bit_count() <= self._crashes:
                starts[_State(frozenset(), self._watermark, frozenset(), runs, self._crashes - bits.bit_count())] += 1
        return starts

    def _successors(self, state: _State) -> Iterator[_State]:
        for number, progress in enumerate(state.runs):
            if progress.answers is None:
                continue
            after = self._step(state, number)
            yield after
            if after.crashes_left and after.runs[number].answers is not None:
                dead = after.runs[number]._replace(answers=None)
                yield after._replace(runs=_with(after.runs, number, dead), crashes_left=after.crashes_left - 1)

    def _step(self, state: _State, number: int) -> _State:
        """Do the next effect of a run."""
        progress, run = state.runs[number], self._runs[number]
        effect = self._effect_of(number, progress.answers or ())
        if effect is None:
            raise AssertionError("a run without an effect has ended before")
        answer: Any = None
        if effect.kind == "load":
            answer = state.watermark
        elif effect.kind == "save":
            state = state._replace(watermark=effect.ts)
        elif effect.kind == "record":
            state = state._replace(recorded=state.recorded | {effect.ts})
        else:
            objects = dict(state.objects)
            answer = self._lake.put(objects, effect, run)
            state = state._replace(objects=frozenset(objects.items()))
        answers: tuple[Any, ...] | None = (*(progress.answers or ()), answer)
        if self._effect_of(number, answers) is None:
            answers = None
        committed = progress.committed
        if effect.kind == "manifest":
            committed |= {json.loads(effect.content)["window_start_ts"]}
        return state._replace(runs=_with(state.runs, number, _Progress(answers, committed)))

    def _effect_of(self, number: int, answers: tuple[Any, ...]) -> Effect | None:
        known = (number, answers)
        if known not in self._next:
            self._next[known] = next_effect(self._runs[number], answers)
        return self._next[known]

    def _recovered(self, state: _State) -> _State:
        """Let the recovery run, which the others do not disturb, come to its end."""
        recovery = len(self._runs) - 1
        state = state._replace(runs=(*state.runs, _Progress((), frozenset())))
        while state.runs[recovery].answers is not None:
            state = self._step(state, recovery)
        return state

    def _problems(self, state: _State) -> frozenset[str]:
        known = (state.objects, state.watermark, state.recorded, tuple(each.committed for each in state.runs))
        if known not in self._checked:
            self._checked[known] = frozenset(self._look(state))
        return self._checked[known]

    def _look(self, state: _State) -> Iterator[str]:
        objects = dict(state.objects)
        due = self._due(state)
        try:
            rows = [row for kind in KINDS for row in self._lake.rows(objects, kind)]
        except DamagedState:
            yield "damaged"
            return
        names = [row["fullname"] for row in rows]
        if len(names) != len(set(names)):
            yield "twice"
        shown = {row["fullname"]: (row["observed_at_ts"], row["score"]) for row in rows}
        if due.keys() - shown.keys():
            yield "lost"
        if shown.keys() - due.keys():
            yield "never committed"
        # Two runs may read in the same second: either reading will do.
        if any(shown[name] not in found for name, found in due.items() if name in shown):
            yield "not the newest"
        yield from self._watermark_problems(state, objects)

    def _due(self, state: _State) -> dict[str, list[tuple[int, int]]]:
        """Return the newest observations of all that runs have committed, from what the source has shown them."""
        due: dict[str, list[tuple[int, int]]] = {}
        for run, progress in zip(self._runs, state.runs, strict=False):
            for start in progress.committed:
                for name, observation in run.observations(start):
                    found = due.setdefault(name, [observation])
                    if observation[0] > found[0][0]:
                        due[name] = [observation]
                    elif observation[0] == found[0][0]:
                        found.append(observation)
        return due

    def _watermark_problems(self, state: _State, objects: Objects) -> Iterator[str]:
        if state.watermark is None:
            return
        passed = set(range(T0, state.watermark, HOUR_S))
        if passed - self._lake.claimed(objects):
            yield "watermark past an hour that is not committed"
        if passed - state.recorded:
            yield "watermark past an hour that is not recorded"


def _with(runs: tuple[_Progress, ...], number: int, progress: _Progress) -> tuple[_Progress, ...]:
    return (*runs[:number], progress, *runs[number + 1 :])


def count_one_by_one(runs: Sequence[Run], lake: Lake) -> int:
    """Return how many schedules without a crash there are, found by walking each of them by itself."""
    explorer = Explorer(runs, runs[0], lake, crashes=0)

    def walk(state: _State) -> int:
        return sum(map(walk, explorer._successors(state))) or 1

    return sum(map(walk, explorer._beginnings()))
