"""The zip of the function, built as `make package` builds it."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def script() -> ModuleType:
    """Return lambda/package.py as a module; its folder is no package."""
    spec = importlib.util.spec_from_file_location("package", ROOT / "lambda" / "package.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build(folder: Path) -> Path:
    """Build the zip in a folder; skip the test where pip reaches no packages."""
    target = folder / "function.zip"
    command = [sys.executable, ROOT / "lambda" / "package.py", "--out", target]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if "pip cannot install" in done.stderr:
        skip_without_packages()
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r".+\.zip  [\d,]+ bytes  sha256 [0-9a-f]{64}  \d+ files\n", done.stdout)
    return target


def skip_without_packages() -> None:
    """Skip the test where pip cannot even find praw without a lock."""
    probe = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps", "praw"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("pip reaches no source of packages here")
