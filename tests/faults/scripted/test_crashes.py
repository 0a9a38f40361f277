"""Rows 1 to 4 of the fault table: the function dies at every boundary between its calls, once or twice, and goes on.

All pairs run on AWS in this process; a sample of them runs on the emulator, over HTTP, with a simulated Reddit.
"""

import contextlib
import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from reddit_ingest import view
from reddit_ingest.bootstrap_aws import IngestionFunction, _Clients
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.windows import HOUR_S
from reddit_ingest.s3_storage import S3LakeReader
from reddit_sim import GeneratedWorld, Simulator, SubredditSpec

from ...conftest import SECRET
from ...emulator import Deployment, new_deployment
from ...fakes import Crash
from ...slow import one_in
from .conftest import NOW, T0, Lab

LAST = T0 + 2 * HOUR_S
ONE_HOUR, THREE_HOURS = 13, 27
"""Boundaries of a run that reads so much: before its first call, between any two, behind the last."""


def pairs(boundaries: int) -> list[tuple[int, int]]:
    return [(first, second) for first in range(boundaries) for second in range(boundaries)]


@pytest.mark.parametrize(("place", "boundaries"), [("lab", ONE_HOUR), ("three_hours", THREE_HOURS)])
def test_a_run_has_as_many_boundaries_as_are_tried(request: pytest.FixtureRequest, place: str, boundaries: int) -> None:
    lab: Lab = request.getfixturevalue(place)
    lab.invoke()
    assert len(lab.aws.calls) + 1 == boundaries


@pytest.mark.parametrize("point", range(ONE_HOUR))
def test_a_crash_in_a_run_of_one_hour_loses_nothing_and_doubles_nothing(lab: Lab, point: int) -> None:
    assert lab.dies(point) == (point < ONE_HOUR - 1)
    lab.check_promises()
    lab.now += 60
    lab.invoke()
    lab.check_whole(LAST, LAST + HOUR_S)


@pytest.mark.parametrize(("first", "second"), one_in(3, pairs(ONE_HOUR)))
def test_two_crashes_in_runs_of_one_hour_lose_nothing_and_double_nothing(lab: Lab, first: int, second: int) -> None:
    _die_twice(lab, first, second)
    lab.check_whole(LAST, LAST + HOUR_S)


@pytest.mark.parametrize("point", range(THREE_HOURS))
def test_a_crash_in_a_catch_up_of_three_hours_loses_nothing(three_hours: Lab, point: int) -> None:
    assert three_hours.dies(point) == (point < THREE_HOURS - 1)
    three_hours.check_promises()
    three_hours.now += 60
    three_hours.invoke()
    three_hours.check_whole(T0, LAST + HOUR_S)


@pytest.mark.parametrize(("first", "second"), one_in(10, pairs(THREE_HOURS)))
def test_two_crashes_in_catch_ups_of_three_hours_lose_nothing(three_hours: Lab, first: int, second: int) -> None:
    _die_twice(three_hours, first, second)
    three_hours.check_whole(T0, LAST + HOUR_S)


def _die_twice(lab: Lab, *points: int) -> None:
    for point in points:
        lab.dies(point)
        lab.check_promises()
        lab.now += 60
    lab.invoke()


@pytest.mark.parametrize("point", range(ONE_HOUR - 1))
def test_what_a_crash_leaves_behind_is_not_shown_before_its_manifest(lab: Lab, point: int) -> None:
    lab.dies(point)
    shown = lab.seen()
    manifests = [key for key in lab.aws.objects if "/manifest-" in key]
    assert bool(shown) == bool(manifests)
    assert (lab.watermark is not None) == (point == ONE_HOUR)


@pytest.mark.parametrize("point", range(ONE_HOUR))
def test_repeated_at_the_same_second_a_run_adds_its_content_names_once(lab: Lab, point: int) -> None:
    lab.dies(point)
    lab.invoke()
    lab.check_whole(LAST, LAST + HOUR_S)
    for _ in range(2):
        lab.aws.parameters.clear()
        before = dict(lab.aws.objects)
        lab.invoke()
        assert before.items() <= lab.aws.objects.items()
    assert before == lab.aws.objects


# The same on the emulator.


class Deployed:
    """The function over HTTP between a simulated Reddit and the emulator; every case has a prefix of its own."""

    def __init__(self, deployment: Deployment, clients: _Clients, reddit: Simulator, case: str) -> None:
        self._environ = {
            **deployment.environ(),
            "LANDING_BUCKET_PREFIX": f"reddit/{case}/",
            "ENVIRONMENT": case,
            "REDDIT_OAUTH_URL": reddit.url,
            "REDDIT_URL": reddit.url,
        }
        self._lake = S3LakeReader(deployment.client("s3"), deployment.bucket)
        self._prefix, self._case = f"reddit/{case}/phones/", case
        self.deployment, self.clients, self.reddit = deployment, clients, reddit
        self.now = DEPLOYED_NOW
        self.calls = 0
        self.end: int | None = None

    def invoke(self) -> None:
        function = IngestionFunction(self._environ, FixedClock(self.now))
        function._clients = self.clients
        function.serve({}, lambda: 600_000)

    def before_call(self, **_: Any) -> None:
        self.calls += 1
        if self.end is not None and self.calls > self.end:
            raise Crash

    def dies(self, point: int) -> None:
        self.end = self.calls + point
        with contextlib.suppress(Crash):
            self.invoke()
        self.end = None
        self.now += 60

    def seen(self) -> set[str]:
        kinds = ("submissions", "comments")
        return {name for kind in kinds for name in view.rows(self._lake, self._prefix, kind)}

    def watermark(self) -> str | None:
        return self.deployment.watermark("phones", self._case)


DEPLOYED_NOW = 1_767_571_200 + 6 * HOUR_S + 300
SERVICES = ("s3", "ssm", "dynamodb", "cloudwatch", "secretsmanager")
_WORLD = [SubredditSpec("phones", 6, 4)]


@pytest.fixture(scope="module")
def deployed_parts(emulator_port: int) -> Iterator[tuple[Deployment, _Clients, Simulator]]:
    deployment = new_deployment(emulator_port, SECRET)
    world = GeneratedWorld(seed=5, start_ts=1_767_571_200, subreddits=_WORLD)
    clients = _Clients()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in deployment.sdk().items():
            patch.setenv(name, value)
        for service in SERVICES:
            getattr(clients, service)
    with Simulator(world, now_ts=DEPLOYED_NOW) as reddit:
        yield deployment, clients, reddit


@pytest.fixture
def deployed(deployed_parts: Any) -> Iterator[Deployed]:
    made = Deployed(*deployed_parts, f"c{uuid.uuid4().hex[:12]}")
    for service in SERVICES:
        getattr(made.clients, service).meta.events.register("before-call", made.before_call)
    yield made
    for service in SERVICES:
        getattr(made.clients, service).meta.events.unregister("before-call", made.before_call)


@pytest.mark.parametrize(
    "points",
    [*((point,) for point in range(ONE_HOUR)), *random.Random(7).sample(pairs(ONE_HOUR), 6)],
    ids=lambda points: "-".join(map(str, points)),
)
def test_on_the_emulator_crashes_lose_nothing_and_double_nothing(deployed: Deployed, points: tuple[int, ...]) -> None:
    for point in points:
        deployed.dies(point)
    deployed.invoke()
    hour = DEPLOYED_NOW - 300
    assert deployed.reddit.visible_in("phones", hour - HOUR_S, hour) <= deployed.seen()
    assert deployed.watermark() == str(hour)


def test_the_emulator_and_the_dictionaries_end_alike(deployed: Deployed, lab: Lab) -> None:
    deployed.now = NOW
    for _ in range(2):
        deployed.invoke()
        lab.invoke(LANDING_BUCKET_PREFIX=deployed._prefix.removesuffix("phones/"))
        deployed.deployment.client("ssm").delete_parameter(
            Name=f"{deployed.deployment.state_path}/{deployed._case}/phones/last_run_ts"
        )
        lab.aws.parameters.clear()
        deployed.now = lab.now = NOW + 60
    landed = deployed.deployment.objects()
    assert {key: content for key, content in landed.items() if key.startswith(deployed._prefix)} == lab.aws.objects
    assert len([key for key in lab.aws.objects if "/comments-" in key]) == 1, "a name that was taken is met"
    kept = [item for kind in ("ATTEMPT", "RUN") for item in deployed.deployment.items(kind)]
    kept = [{**item, "pk": ""} for item in kept if deployed._case in item["pk"]]
    assert kept == [{**item, "pk": ""} for _, item in sorted(lab.aws.items.items())]
