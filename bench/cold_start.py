"""CPU of a cold start: our zip against the handler the specification's recipe makes, side by side.

Measured is the CPU time (user and system) of a whole process, from its start to the handler being ready, under Lambda's
environment: `python -S -s`, AWS's runtime client imported, nothing written beside the code. Ours is measured once more
until the five clients that a served hour needs are built. The plain handler imports praw and boto3, builds the five
clients at import, and lies beside a dozen modules that nobody compiled. All run in turn; shown are median, least, most.

    python -m bench.cold_start [--runs 15] [--json]
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tests.aws.runtime import lambda_environment, lay_out_runtime

ROOT = Path(__file__).resolve().parents[1]
SERVICES = ("s3", "ssm", "dynamodb", "cloudwatch", "secretsmanager")
MODULES = (
    "reddit_client", "fetchers", "serializers", "storage", "s3_storage", "ingestion_service", "state_store",
    "run_metadata", "settings", "windows", "models", "retries",
)  # fmt: skip

READY = "import awslambdaric.__main__, handler; handler.lambda_handler"
FLOOR = "import awslambdaric.__main__, praw, boto3"
END = "; import os; os._exit(0)"  # taking an interpreter down is no part of a start

OURS, OURS_SERVED, PLAIN = "ours, init", "ours, init and five clients", "plain, init with five clients"

PLAIN_HANDLER = f"""
import json, logging, os
import boto3, praw
from reddit_ingest import {", ".join(MODULES)}

logger = logging.getLogger()
logger.setLevel(logging.INFO)
{"".join(f'{name} = boto3.client("{name}")' + chr(10) for name in SERVICES)}

def lambda_handler(event, context):
    return {{"statusCode": 200, "body": json.dumps(event)}}
"""

PLAIN_MODULE = '''
"""{name}, as plain as such a module is."""
import json
import logging
import time
from dataclasses import dataclass
from typing import Any, Iterator, Optional

logger = logging.getLogger(__name__)


@dataclass
class Result:
    subreddit: str
    start_ts: int
    end_ts: int
    count: int = 0
    error: Optional[str] = None


class Worker:
    """Does the work of {name}."""

    def __init__(self, client: Any, max_retries: int = 3) -> None:
        self.client = client
        self.max_retries = max_retries

    def iterate(self, subreddit: str, start_ts: int, end_ts: int) -> Iterator[dict]:
        for attempt in range(self.max_retries):
            try:
                for item in self.client.subreddit(subreddit).new(limit=None):
                    if item.created_utc < start_ts:
                        return
                    if item.created_utc < end_ts:
                        yield {{"id": item.id, "score": item.score, "created_utc": item.created_utc}}
                return
            except Exception as error:
                logger.warning("attempt %d failed: %s", attempt, error)
                time.sleep(2**attempt)

    def run(self, subreddit: str, start_ts: int, end_ts: int) -> Result:
        rows = [json.dumps(row) for row in self.iterate(subreddit, start_ts, end_ts)]
        logger.info("%s: %d rows", subreddit, len(rows))
        return Result(subreddit, start_ts, end_ts, len(rows))
'''


def make_ours(folder: Path) -> None:
    """Build our zip and unpack it."""
    target = folder.with_suffix(".zip")
    subprocess.run(
        [sys.executable, ROOT / "lambda" / "package.py", "--out", target], check=True, stdout=subprocess.DEVNULL
    )
    with zipfile.ZipFile(target) as archive:
        archive.extractall(folder)


def make_plain(folder: Path) -> None:
    """Follow the specification's recipe: pip compiles what it installs, nobody compiles what is copied."""
    lock = ROOT / "requirements" / "lambda.txt"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", lock, "-t", folder], check=True, stderr=subprocess.DEVNULL)
    modules = folder / "modules" / "reddit_ingest"
    modules.mkdir(parents=True)
    (modules / "__init__.py").touch()
    for name in MODULES:
        (modules / f"{name}.py").write_text(PLAIN_MODULE.format(name=name))
    # The recipe copies `modules` as a folder; its handler has to make it importable.
    (folder / "handler.py").write_text("import sys\nsys.path.insert(0, __file__[:-10] + 'modules')\n" + PLAIN_HANDLER)


def cpu_ms(words: str, code: Path, runtime: Path) -> float:
    """Run a fresh process and return the CPU milliseconds it took."""
    environment = lambda_environment(code, runtime, "127.0.0.1:1") | {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
    }
    command = [sys.executable, "-S", "-s", "-c", words + END]
    child = os.posix_spawn(sys.executable, command, environment)
    _, status, used = os.wait4(child, 0)
    assert status == 0, f"{words} failed"
    return 1_000 * (used.ru_utime + used.ru_stime)


def measure(runs: int, scratch: Path) -> dict[str, list[float]]:
    """Return the CPU milliseconds of every run of every way, the warm-up left out."""
    ours, plain = scratch / "ours", scratch / "plain"
    make_ours(ours)
    make_plain(plain)
    runtime = lay_out_runtime(scratch / "runtime")
    bare = scratch / "bare"
    shutil.copytree(plain, bare, ignore=shutil.ignore_patterns("handler.py", "modules"))
    ways = {
        OURS: (READY, ours),
        OURS_SERVED: (f"{READY}; [getattr(handler._function._clients, name) for name in {SERVICES}]", ours),
        PLAIN: (READY, plain),
        "floor: import praw, boto3": (FLOOR, bare),
    }
    measured: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs + 1):
        for name, (words, code) in ways.items():
            measured[name].append(cpu_ms(words, code, runtime))
    return {name: times[1:] for name, times in measured.items()}


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cold-start-") as scratch:
        measured = measure(options.runs, Path(scratch))
    medians = {name: statistics.median(times) for name, times in measured.items()}
    ratios = {"init": medians[OURS] / medians[PLAIN], "served": medians[OURS_SERVED] / medians[PLAIN]}
    if options.json:
        print(json.dumps({"cpu_ms": medians, "ours_to_plain": ratios}, indent=1))
        return
    for name, times in measured.items():
        print(f"{name:30} {medians[name]:7.0f} ms CPU   ({min(times):.0f} .. {max(times):.0f})")
    print(
        f"ours to plain: init {ratios['init']:.2f} (at most 0.95), until all clients are built {ratios['served']:.2f}"
    )


if __name__ == "__main__":
    main()
