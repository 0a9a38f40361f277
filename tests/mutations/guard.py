"""A plugin for pytest: the code under test is the mutated copy, or nothing runs."""

import os
from pathlib import Path

import pytest

import reddit_ingest

COPY = "MUTATED_MODULES"


def pytest_configure() -> None:
    if not Path(reddit_ingest.__file__).is_relative_to(os.environ[COPY]):
        raise pytest.UsageError(f"the tests would run against {reddit_ingest.__file__}")
