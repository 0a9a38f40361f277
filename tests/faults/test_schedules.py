"""Overlapping runs in every order, with crashes: nothing lost, nothing twice; three other designs fail here."""

import json
from collections.abc import Iterable
from math import factorial
from typing import Any

import pytest

from reddit_ingest import view
from reddit_ingest.core.coverage import Coverage, CoverageStatus
from reddit_ingest.core.invocation import IngestRequest, Mode
from reddit_ingest.core.windows import HOUR_S, hourly
from reddit_ingest.jsonl import Put

from .schedules import BUCKET, FOLDER, SUBREDDIT, T0, Effect, Explorer, Lake, Objects, Run, count_one_by_one

LEAST_SCHEDULES = 750_000
FAILED = Coverage(CoverageStatus.FAILED, "Reddit answered 503")
BACKFILL = IngestRequest(Mode.BACKFILL, (SUBREDDIT,), tuple(hourly(T0, T0 + HOUR_S)))

Hour = tuple[list[dict[str, Any]], list[dict[str, Any]]]


def submission(start: int, number: int, score: int = 1) -> dict[str, Any]:
    name = f"t3_{start // HOUR_S}n{number}"
    return {"name": name, "created_utc": start + number, "title": "?", "selftext": "", "score": score}


def hour(start: int, late: int = 0, score: int = 1) -> Hour:
    """Return a submission whose score moves, a comment, and some submissions that appeared late."""
    submissions = [submission(start, 0, score), *(submission(start, number) for number in range(1, late + 1))]
    comment = {"name": f"t1_{start // HOUR_S}", "created_utc": start + 60, "body": "fine", "score": 1}
    return submissions, [comment]


def after(hours: int, seconds: int = 300) -> int:
    """Return a moment some hours and seconds after the beginning."""
    return T0 + hours * HOUR_S + seconds


FIRST = Run(after(1), {T0: hour(T0)})
SECOND = Run(after(1, 310), {T0: hour(T0, late=1, score=5)})
THIRD = Run(after(1, 320), {T0: hour(T0, late=2, score=3)})


def recovery(hours: int = 2, **more: Any) -> Run:
    """Return the run that comes after everything, and sees less than the fullest one before it."""
    return Run(after(hours), {T0 + n * HOUR_S: hour(T0 + n * HOUR_S, score=9) for n in range(hours)}, **more)


def looking_back(run: Run) -> Run:
    """Return the run with a look-back that meets an hour before."""
    return Run(run.now, {T0 - HOUR_S: hour(T0 - HOUR_S, score=run.now - T0), **run.shows})


def backfill(run: Run) -> Run:
    """Return the run as a backfill of the first hour."""
    return Run(run.now, run.shows, BACKFILL)


SCENARIOS: dict[str, tuple[list[Run], Run, int, int | None]] = {
    "two runs of one hour, one may die": ([FIRST, SECOND], recovery(), 1, T0),
    "two runs of one hour, both may die": ([FIRST, SECOND], recovery(), 2, T0),
    "two first runs, one may die": ([FIRST, SECOND], recovery(), 1, None),
    "two runs that look back, one may die": ([looking_back(FIRST), looking_back(SECOND)], recovery(), 1, T0),
    "an event delivered twice in one second": ([FIRST, FIRST], recovery(), 2, T0),
    "two readings in one second": ([FIRST, Run(FIRST.now, SECOND.shows)], recovery(), 1, T0),
    "two backfills of one hour, one may die": ([backfill(FIRST), backfill(SECOND)], recovery(), 1, T0),
    "a backfill beside a run": ([backfill(FIRST), SECOND], recovery(), 2, T0),
    "a run that fails beside one that does not": (
        [Run(FIRST.now, FIRST.shows, claim=FAILED), SECOND],
        recovery(),
        2,
        T0,
    ),
    "a paused run that goes on when later hours are done": ([FIRST, recovery(3)], recovery(4), 2, T0),
    "three runs of one hour, one may die": ([FIRST, SECOND, THIRD], recovery(), 1, T0),
    "three runs of one hour, all may die": ([FIRST, SECOND, THIRD], recovery(), 3, T0),
    "three backfills of one hour": ([backfill(FIRST), backfill(SECOND), backfill(THIRD)], recovery(), 0, T0),
    "a paused run, its successor and a backfill": ([FIRST, recovery(2), backfill(THIRD)], recovery(3), 1, T0),
}


@pytest.mark.parametrize("lake", [FOLDER, BUCKET], ids=["folder", "bucket"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_no_schedule_of_overlapping_runs_loses_or_doubles_anything(name: str, lake: Lake) -> None:
    runs, last, crashes, watermark = SCENARIOS[name]
    verdict = Explorer(runs, last, lake, crashes, watermark).explore()
    print(verdict)  # noqa: T201  # pytest -s shows it
    assert not verdict.on_the_way, verdict
    assert not verdict.at_the_end, verdict


@pytest.mark.timeout(240)
def test_schedules_are_tried_by_the_million() -> None:
    runs, last, crashes, watermark = SCENARIOS["three runs of one hour, one may die"]
    verdict = Explorer(runs, last, FOLDER, crashes, watermark).explore()
    assert verdict.schedules >= LEAST_SCHEDULES, verdict


@pytest.mark.parametrize(("count", "schedules"), [(2, 70), (3, 34_650)])
def test_the_schedules_are_those_that_arithmetic_counts(count: int, schedules: int) -> None:
    """Where no answer changes what a run does, its four effects fall in any order between those of the others."""
    runs = [backfill(run) for run in (FIRST, SECOND, THIRD)[:count]]
    assert schedules == factorial(4 * count) // factorial(4) ** count
    assert Explorer(runs, recovery(), KeysByWindowOverwritten(), crashes=0).explore().schedules == schedules


@pytest.mark.parametrize("lake", [FOLDER, BUCKET], ids=["folder", "bucket"])
def test_merging_states_counts_what_walking_every_schedule_counts(lake: Lake) -> None:
    verdict = Explorer([FIRST, SECOND], recovery(), lake, crashes=0).explore()
    assert verdict.schedules == count_one_by_one([FIRST, SECOND], lake)


class KeysByRunTime(Lake):
    """Every run writes under names of its own, and readers take all there is."""

    def put(self, objects: Objects, effect: Effect, run: Run) -> Put:
        folder, _, name = effect.key.rpartition("/")
        return super().put(objects, effect._replace(key=f"{folder}/{run.now}/{name}"), run)

    def rows(self, objects: Objects, kind: str) -> list[view.Row]:
        return in_data_objects(objects, objects, kind)


class KeysByWindowOverwritten(Lake):
    """Every run writes under the window's names, whatever stands there, and readers take all there is."""

    def put(self, objects: Objects, effect: Effect, run: Run) -> Put:
        objects[effect.key] = effect.content
        return Put.CREATED

    def rows(self, objects: Objects, kind: str) -> list[view.Row]:
        return in_data_objects(objects, objects, kind)


class FirstManifestWins(Lake):
    """Objects named by content; the first run to commit a window's only manifest says what is in it."""

    def put(self, objects: Objects, effect: Effect, run: Run) -> Put:
        if effect.kind == "manifest":
            effect = effect._replace(key=effect.key.rpartition("/")[0] + "/manifest.json")
        return super().put(objects, effect, run)

    def rows(self, objects: Objects, kind: str) -> list[view.Row]:
        named = [
            key.removesuffix("manifest.json") + landed["name"]
            for key, content in objects.items()
            if key.endswith("/manifest.json")
            for landed in json.loads(content)["objects"]
        ]
        return in_data_objects(objects, named, kind)

    def claimed(self, objects: Objects) -> set[int]:
        manifests = [json.loads(content) for key, content in objects.items() if key.endswith("/manifest.json")]
        return {fields["window_start_ts"] for fields in manifests}


def in_data_objects(objects: Objects, keys: Iterable[str], kind: str) -> list[view.Row]:
    """Return the rows of those objects that hold a kind, one after the other."""
    wanted = [key for key in keys if key.rpartition("/")[2].startswith(kind)]
    return [json.loads(line) for key in wanted for line in objects[key].splitlines()]


@pytest.mark.parametrize(
    ("design", "problem", "never"),
    [
        (KeysByRunTime(), "twice", "lost"),
        (KeysByWindowOverwritten(), "lost", "twice"),
        (FirstManifestWins(), "lost", "twice"),
    ],
    ids=["keys by run time", "keys by window, overwritten", "first manifest wins"],
)
@pytest.mark.parametrize("kind_of_run", [lambda run: run, backfill], ids=["runs", "backfills"])
def test_each_of_three_other_designs_is_found_out(design: Lake, problem: str, never: str, kind_of_run: Any) -> None:
    # A look-back would land the hour once more, and heal or hurt it.
    last = recovery(looks_back=False)
    verdict = Explorer([kind_of_run(FIRST), kind_of_run(SECOND)], last, design).explore()
    print(verdict)  # noqa: T201  # pytest -s shows it
    assert verdict.at_the_end[problem] > 0, verdict
    assert verdict.at_the_end[never] == 0, verdict
