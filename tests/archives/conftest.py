"""A fresh lake for every test."""

from pathlib import Path

import pytest

from .making import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")
