"""What several rooms of tests share."""

import fcntl
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from botocore.loaders import JSONFileLoader
from hypothesis import HealthCheck, settings

from reddit_ingest.bootstrap import LocalLake
from reddit_sim import GeneratedWorld

from .emulator import Deployment, Wire, new_deployment, running
from .worlds import eventful_world, lake_of, live_through

# How long an example takes is the machine's affair, and no failure.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

SECRET = {
    "REDDIT_CLIENT_ID": "canary-id-3f9a1c",
    "REDDIT_CLIENT_SECRET": "canary-secret-8b27e6",
    "REDDIT_USER_AGENT": "any:market-opinion:v1 (by /u/tester)",
}


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded Reddit data, which lies beside the repository where it is available."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "shared" / "data" / "reddit").is_dir():
            return folder / "shared" / "data"
    pytest.skip("the recorded Reddit data (shared/data) is not on this machine")


@pytest.fixture(scope="session", autouse=True)
def each_service_is_described_once() -> Iterator[None]:
    """boto3 reads the description of a service anew for every session: a fifth of a second that no test is about."""
    read = cache(JSONFileLoader().load_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda _, path: read(path))
        yield


@pytest.fixture(scope="session")
def emulator_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """One emulator of AWS for the whole session."""
    with running(tmp_path_factory.mktemp("emulator")) as port:
        yield port


@pytest.fixture
def deployment(emulator_port: int) -> Deployment:
    """Bucket, table and secret that no other test knows."""
    return new_deployment(emulator_port, SECRET)


@pytest.fixture
def wire(emulator_port: int) -> Iterator[Wire]:
    """The way to the emulator, which can be spoiled."""
    with Wire(emulator_port) as wire:
        yield wire


@pytest.fixture(scope="session")
def eventful(tmp_path_factory: pytest.TempPathFactory) -> tuple[GeneratedWorld, LocalLake]:
    """Two weeks of a world in which something happens, and their lake, augmented; for reading only."""
    world = eventful_world(seed=1)
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "eventful"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:  # the tests of another process may be making it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            lake_of(world, folder)
            (folder / "done").touch()
    live_through(world)
    return world, LocalLake(folder / "lake")
