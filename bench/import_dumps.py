"""The import of dump files against `zstd -dc` and against plain scripts, side by side.

Seeded dumps in the form of today's archives (`bench/dumps.py`) are made once and kept. Every way runs in turn in a
fresh process, start-up included, on one core where nothing else is said; shown are medians of wall time, of CPU time
and of the largest memory. The plain scripts are written in the usual way: read 128 MiB, decode, split, `json.loads`
on each line; one writes the lines of a subreddit, the other every row to gzip. Ours lands in a lake and forces it to
disk.

    python -m bench.import_dumps [--megabytes 500] [--runs 5] [--folder build/dumps] [--json]
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from . import dumps

ROOT = Path(__file__).resolve().parents[1]

_READING = """
import gzip, json, sys
from datetime import datetime, timezone
import zstandard

def read_and_decode(reader, chunk_size, previous=None):
    chunk = reader.read(chunk_size)
    if previous is not None:
        chunk = previous + chunk
    try:
        return chunk.decode()
    except UnicodeDecodeError:
        return read_and_decode(reader, 1024, chunk)

def read_lines(file_name):
    with open(file_name, "rb") as handle:
        buffer = ""
        reader = zstandard.ZstdDecompressor(max_window_size=2**31).stream_reader(handle)
        while True:
            chunk = read_and_decode(reader, 2**27)
            if not chunk:
                break
            lines = (buffer + chunk).split("\\n")
            for line in lines[:-1]:
                yield line.strip(), handle.tell()
            buffer = lines[-1]
        reader.close()

def tell(done, place):
    if done % 100_000 == 0:
        print(f"{done:,} lines, {place:,} bytes", file=sys.stderr)
"""

SCRIPT_FILTERED = (
    _READING
    + """
with open(sys.argv[2] + "/out.jsonl", "w", encoding="utf-8") as out:
    for done, (line, place) in enumerate(read_lines(sys.argv[1])):
        tell(done, place)
        row = json.loads(line)
        created = datetime.fromtimestamp(int(row["created_utc"]), timezone.utc)
        if row["subreddit"].lower() == sys.argv[3]:
            out.write(line + "\\n")
"""
)

SCRIPT_GZIP = (
    _READING
    + """
with gzip.open(sys.argv[2] + "/out.jsonl.gz", "wt", encoding="utf-8") as out:
    for done, (line, place) in enumerate(read_lines(sys.argv[1])):
        tell(done, place)
        row = json.loads(line)
        created = datetime.fromtimestamp(int(row["created_utc"]), timezone.utc)
        out.write(json.dumps(row) + "\\n")
"""
)

# What stands in for the zstd command where it is not installed: the same C loop without its start-up.
_LIKE_ZSTD = (
    "import sys, zstandard; zstandard.ZstdDecompressor(max_window_size=2**31)"
    ".copy_stream(open(sys.argv[1], 'rb'), open('/dev/null', 'wb'))"
)

FLOOR = "zstd -dc to nothing"
FILTERED, UNFILTERED = "ours, one subreddit", "ours, everything, .jsonl.zst"
PLAIN, PLAIN_GZIP = "plain script, one subreddit", "plain script, everything, gzip"
ONE_CORE, TWO_CORES = "ours, two files, one core", "ours, two files, two cores"


def commands(comments: Path, submissions: Path) -> dict[str, tuple[list[str], int]]:
    """Return each way as a command line and the cores that it may use; `{out}` stands for a fresh folder."""
    python = sys.executable
    ours = [python, "-m", "market_opinion.cli", "import", "--lake", "{out}/lake"]
    one = ["--subreddit", dumps.TARGET.lower()]
    floor = [shutil.which("zstd") or "", "-dcq", "--long=31"] if shutil.which("zstd") else [python, "-c", _LIKE_ZSTD]
    first, second = str(comments), str(submissions)
    return {
        FLOOR: ([*floor, first], 1),
        FILTERED: ([*ours, *one, first], 1),
        PLAIN: ([python, "-c", SCRIPT_FILTERED, first, "{out}", dumps.TARGET.lower()], 1),
        UNFILTERED: ([*ours, first], 1),
        PLAIN_GZIP: ([python, "-c", SCRIPT_GZIP, first, "{out}"], 1),
        ONE_CORE: ([*ours, *one, "--jobs", "2", first, second], 1),
        TWO_CORES: ([*ours, *one, "--jobs", "2", first, second], 2),
    }


def run(command: Sequence[str], cores: int, scratch: Path) -> tuple[float, float, float]:
    """Run a way in a fresh process and return wall seconds, CPU seconds and MB of memory at most."""
    with tempfile.TemporaryDirectory(dir=scratch) as out, Path(os.devnull).open("wb") as nothing:
        words = [word.replace("{out}", out) for word in command]
        allowed = sorted(os.sched_getaffinity(0))[:cores]
        began = time.monotonic()
        child = subprocess.Popen(
            words,
            stdout=nothing,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": f"{ROOT}/modules:{ROOT}/simulator"},
            preexec_fn=lambda: os.sched_setaffinity(0, allowed),
        )
        assert child.stderr
        said = child.stderr.read().decode(errors="replace")
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert status == 0, f"{words[:6]} failed: {said[-500:]}"
        return time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def measure(folder: Path, megabytes: int, runs: int) -> dict[str, list[tuple[float, float, float]]]:
    """Return what every run of every way took; the ways take turns."""
    comments = dumps.make(folder / f"RC_2025-03.{megabytes}MB.zst", "comments", megabytes)
    submissions = dumps.make(folder / f"RS_2025-03.{megabytes}MB.zst", "submissions", megabytes)
    measured: dict[str, list[tuple[float, float, float]]] = {}
    for _ in range(runs):
        for name, (command, cores) in commands(comments, submissions).items():
            measured.setdefault(name, []).append(run(command, cores, folder))
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "dumps")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    measured = measure(options.folder, options.megabytes, options.runs)
    medians = {
        name: [statistics.median(column) for column in zip(*took, strict=True)] for name, took in measured.items()
    }
    if options.json:
        print(json.dumps({"megabytes": options.megabytes, "runs": measured, "medians": medians}, indent=1))
        return
    print(f"{'':34}{'wall s':>9}{'CPU s':>9}{'memory MB':>11}   wall s of each run")
    for name, (wall, cpu, memory) in medians.items():
        each = " ".join(f"{took[0]:.2f}" for took in measured[name])
        print(f"{name:34}{wall:9.2f}{cpu:9.2f}{memory:11.0f}   {each}")
    if not shutil.which("zstd"):
        print("the zstd command is not here: its C loop inside Python stands in for it")
    print()
    for text, above, below, column in (
        (f"{FILTERED} / {FLOOR}", FILTERED, FLOOR, 0),
        (f"{PLAIN} / {FILTERED}", PLAIN, FILTERED, 0),
        (f"{PLAIN_GZIP} / {UNFILTERED}", PLAIN_GZIP, UNFILTERED, 0),
        (f"{TWO_CORES} / one core", TWO_CORES, ONE_CORE, 0),
    ):
        by_cpu = "" if above == TWO_CORES else f"   by CPU time {medians[above][1] / medians[below][1]:5.2f}"
        print(f"{text:62}{medians[above][column] / medians[below][column]:6.2f}{by_cpu}")
    for name in (FILTERED, UNFILTERED):
        print(f"{name}: memory beyond zstd's own {medians[name][2] - medians[FLOOR][2]:,.0f} MB")


if __name__ == "__main__":
    main()
