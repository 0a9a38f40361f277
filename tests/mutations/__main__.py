"""`make test-mutations`: every mistake in `seeded.py` is made in a copy of the code, and some test must find it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .guard import COPY
from .seeded import MODULES, MUTATIONS, Mutation

ROOT = MODULES.parent
_TESTS_FAILED = 1
_LIMIT_S = 300


@dataclass(frozen=True)
class Outcome:
    """What the tests said: the one that failed first (empty: none did), and how long it took."""

    what: str
    failed: str
    seconds: float
    output: str


def main() -> int:
    """Make every mistake, print which test finds it, and return 1 if one is found by none."""
    tests = sorted({mutation.caught_by for mutation in MUTATIONS})
    with tempfile.TemporaryDirectory(prefix="mutations-") as scratch:
        sound = _try("no mistake", _copy(Path(scratch) / "sound"), tests)
        if sound.failed or "passed" not in sound.output:
            _say(f"The tests fail without any mistake; mend that first:\n{sound.output}")
            return 1
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            outcomes = list(pool.map(lambda numbered: _seeded(Path(scratch), *numbered), enumerate(MUTATIONS)))
    width = max(len(outcome.what) for outcome in outcomes)
    for outcome in outcomes:
        _say(f"{outcome.what:{width}}  {outcome.seconds:5.1f} s  {outcome.failed or 'SURVIVED'}")
    survivors = sum(not outcome.failed for outcome in outcomes)
    _say(f"{len(outcomes)} mistakes, {len(outcomes) - survivors} found, {survivors} not found by any test")
    return 1 if survivors else 0


def _seeded(scratch: Path, number: int, mutation: Mutation) -> Outcome:
    modules = _copy(scratch / str(number))
    file = modules / mutation.path
    text = file.read_text()
    if text.count(mutation.old) != 1:
        raise SystemExit(f"{mutation.what}: its place in {mutation.path} is not found exactly once")
    file.write_text(text.replace(mutation.old, mutation.new))
    return _try(mutation.what, modules, [mutation.caught_by])


def _copy(folder: Path) -> Path:
    return Path(shutil.copytree(MODULES, folder / "modules", ignore=shutil.ignore_patterns("__pycache__")))


def _try(what: str, modules: Path, tests: list[str]) -> Outcome:
    """Run tests against a copy of the code until the first fails."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "tests.mutations.guard",
        *tests,
    ]
    paths = {"PYTHONPATH": str(modules), "PYTHONDONTWRITEBYTECODE": "1", COPY: str(modules)}
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **paths}, capture_output=True, text=True, check=False, timeout=_LIMIT_S
    )
    found = re.search(r"^FAILED (.+?)(?: - |$)", done.stdout, re.MULTILINE)
    # Whatever keeps the tests from running (a mistake in an import, say) is no proof of anything.
    failed = found[1] if found and done.returncode == _TESTS_FAILED else ""
    return Outcome(what, failed, time.perf_counter() - began, done.stdout + done.stderr)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
