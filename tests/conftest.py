"""What several rooms of tests share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded Reddit data, which lies beside the repository where it is available."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "shared" / "data" / "reddit").is_dir():
            return folder / "shared" / "data"
    pytest.skip("the recorded Reddit data (shared/data) is not on this machine")
