"""The augmented zone, side by side: compaction against DuckDB and a plain script, sizes, and what each stage costs.

Compaction: rows in the form of today's archives (`bench/dumps.py`), landed as one subreddit's day, each seen once and
half of them a second time, as after a refresh. Every way runs in turn in a fresh process on one core; shown are medians
of the CPU time of the work itself (imports not counted) and of the largest memory. Ours checks every object's hash,
keeps the newest of every item, sorts, and writes Parquet. DuckDB's bare COPY does nothing of that: it writes all rows
as they come, once told to read just what we read, once left to find out. The plain script is what one writes first:
`json.loads` on each line, the newest in a dict, `Table.from_pylist`.

Stages: comments of the simulated world, one core. The whole command: two simulated days of three subreddits, landed by
the real pipeline.

    python -m bench.augment [--megabytes 150] [--runs 5] [--json]
"""

import argparse
import gzip
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from market_opinion.augmenting import documents_of, read_batch, with_context
from market_opinion.compaction import Source, compact
from market_opinion.market import load_market
from market_opinion.sentiment.scoring import ENGINES, make_scorer
from market_opinion.tables import ITEMS, to_parquet
from reddit_ingest.core.errors import FixConfiguration
from reddit_ingest.core.keys import COMMENTS
from reddit_ingest.core.manifest import LandedObject, sha256_hex
from reddit_ingest.core.tombstones import Graves
from reddit_ingest.core.windows import Window
from reddit_ingest.serializers import CommentSerializer, encode_row
from reddit_ingest.storage import FilesystemLakeReader
from reddit_sim import GeneratedWorld

from . import dumps

ROOT = Path(__file__).resolve().parents[1]
DAY = Window(dumps.DAY_START_TS, dumps.DAY_START_TS + 86_400)
TYPES = {
    **dict.fromkeys(("fullname", "subreddit", "author", "permalink", "link_id", "parent_id", "body"), "VARCHAR"),
    **dict.fromkeys(("created_utc", "observed_at_ts", "score", "edited"), "BIGINT"),
    "score_hidden": "BOOLEAN",
}
OURS, TOLD, BARE, PLAIN = "ours", "DuckDB COPY, told what we read", "DuckDB COPY, left to itself", "plain script"


def land(folder: Path, megabytes: int) -> list[str]:
    """Write the objects of a day, plain and compressed, once; return their names."""
    names = ["first.jsonl", "second.jsonl"]
    folder.mkdir(parents=True, exist_ok=True)
    if all((folder / f"{name}.zst").exists() for name in names):
        return names
    first, later = (CommentSerializer("bench", DAY.end_ts + seen) for seen in (0, 86_400))
    dice = random.Random(7)
    looks: tuple[list[bytes], list[bytes]] = ([], [])
    for line in dumps.Generator("comments").lines(megabytes * 10**6, 1_800):
        item = {name: value for name, value in json.loads(line).items() if name not in ("retrieved_on", "_meta")}
        item["subreddit"] = dumps.TARGET
        looks[0].append(encode_row(first.to_dict(item)).data)
        if dice.random() < 0.5:
            looks[1].append(encode_row(later.to_dict({**item, "score": item["score"] + 1})).data)
    for name, lines in zip(names, looks, strict=True):
        content = b"".join(lines)
        (folder / name).write_bytes(content)
        (folder / f"{name}.zst").write_bytes(zstandard.ZstdCompressor(level=1, write_checksum=True).compress(content))
    return names


def ours(folder: Path, names: list[str], target: Path) -> None:
    """Compact as `augment` does."""
    with (folder / "hashes.json").open() as file:
        hashes = json.load(file)
    sources = [Source("", LandedObject(name, COMMENTS, hashes[name], 0, 1, None, None)) for name in names]
    target.write_bytes(to_parquet(compact(FilesystemLakeReader(folder), sources, DAY, Graves())))


def told(folder: Path, names: list[str], target: Path) -> None:
    """Let DuckDB copy just what we read: our columns, and the title of the thread out of `raw`."""
    columns = {**TYPES, "raw": "STRUCT(link_title VARCHAR)"}
    copy(f"{', '.join(TYPES)}, raw.link_title", f", columns={columns}", folder, names, target)


def bare(folder: Path, names: list[str], target: Path) -> None:
    """Let DuckDB copy what it finds."""
    copy("*", "", folder, names, target)


def copy(what: str, how: str, folder: Path, names: list[str], target: Path) -> None:
    files = [str(folder / name) for name in names]
    read = f"SELECT {what} FROM read_json({files}, format='newline_delimited'{how})"
    with duckdb.connect(config={"threads": 1}) as database:
        database.execute(f"COPY ({read}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")


def plain(folder: Path, names: list[str], target: Path) -> None:
    """Do what one writes first."""
    rows: dict[str, dict[str, Any]] = {}
    for name in names:
        opened = zstandard.open(folder / name, "rt") if name.endswith(".zst") else (folder / name).open()
        with opened as file:
            for line in file:
                row = json.loads(line)
                known = rows.get(row["fullname"])
                if known is None or known["observed_at_ts"] < row["observed_at_ts"]:
                    rows[row["fullname"]] = row
    ordered = sorted(rows.values(), key=lambda row: (row["created_utc"], row["fullname"]))
    table = pa.Table.from_pylist([{name: row[name] for name in TYPES} for row in ordered])
    pq.write_table(table, target, compression="zstd")


WAYS: dict[str, Callable[[Path, list[str], Path], None]] = {OURS: ours, TOLD: told, BARE: bare, PLAIN: plain}


def one(way: str, folder: Path, names: list[str]) -> dict[str, float]:
    """Run one way in this process."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        began = time.process_time()
        WAYS[way](folder, names, Path(scratch) / "out.parquet")
        cpu = time.process_time() - began
        size = (Path(scratch) / "out.parquet").stat().st_size
    return {"cpu_s": cpu, "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "bytes": size}


def alternate(folder: Path, names: list[str], runs: int) -> dict[str, dict[str, float]]:
    """Run all ways in turn, each in a fresh process on one core, and return medians."""
    core = sorted(os.sched_getaffinity(0))[:1]
    took: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(runs):
        for way in WAYS:
            words = [sys.executable, "-m", "bench.augment", "--one", way, "--folder", str(folder), *names]
            done = subprocess.run(
                words, cwd=ROOT, check=True, stdout=subprocess.PIPE, preexec_fn=lambda: os.sched_setaffinity(0, core)
            )
            took[way].append(json.loads(done.stdout))
    return {way: {name: statistics.median(run[name] for run in each) for name in each[0]} for way, each in took.items()}


def sizes(folder: Path, names: list[str]) -> dict[str, int]:
    """Return the bytes of a day's documents in each form."""
    hashes = json.loads((folder / "hashes.json").read_text())
    sources = [Source("", LandedObject(name, COMMENTS, hashes[name], 0, 1, None, None)) for name in names]
    items = compact(FilesystemLakeReader(folder), sources, DAY, Graves())
    documents = documents_of(items, load_market("smartphones"), make_scorer("lexicon"))
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in documents.to_pylist())
    newest = set(zip(items["fullname"].to_pylist(), items["observed_at_ts"].to_pylist(), strict=True))
    landed = [line for name in names for line in (folder / name).read_bytes().splitlines(keepends=True)]
    kept = [line for line in landed if (json.loads(line)["fullname"], json.loads(line)["observed_at_ts"]) in newest]
    return {
        "documents as Parquet": len(to_parquet(documents)),
        "the same rows and columns as .jsonl.gz": len(gzip.compress(lines.encode(), 6)),
        "the newest landed rows as .jsonl.gz": len(gzip.compress(b"".join(kept), 6)),
    }


def stages(count: int) -> dict[str, float]:
    """Return rates per second on one core, of each stage and engine."""
    world = GeneratedWorld(7, dumps.DAY_START_TS)
    world.prepare(dumps.DAY_START_TS + 3 * 86_400)
    said = [comment for spec in world.subreddits for comment in world.comments(spec)][:count]
    serializer = CommentSerializer("bench", DAY.end_ts)
    fields = [{**each.fields, "name": each.name, "id": each.id, "created_utc": each.created_utc} for each in said]
    rows = [serializer.to_dict({**each, "link_id": "t3_x", "parent_id": "t3_x"}) for each in fields]
    told = [{**{name: row.get(name) for name in ITEMS.names}, "kind": COMMENTS, "link_title": None} for row in rows]
    items = pa.Table.from_pylist(told, ITEMS)
    market = load_market("smartphones")
    rates: dict[str, float] = {}
    scorer = make_scorer("lexicon")
    documents, seconds = timed(lambda: documents_of(items, market, scorer))
    rates["documents/s: cleaned, language, flags, repeats"] = len(rows) / seconds
    (batch,) = with_context(documents, items, "phones").combine_chunks().to_batches()
    for engine in ENGINES:
        try:
            scorer = make_scorer(engine)
        except FixConfiguration as error:
            print(f"{engine} is left out: {error}", file=sys.stderr)
            continue
        read_batch(batch.slice(0, 200), market, scorer)
        read, seconds = timed(lambda scorer=scorer: read_batch(batch, market, scorer))
        texts, spans = zip(*((row["quote"], None) for row in read.mentions.to_pylist()), strict=True)
        _, scoring = timed(lambda scorer=scorer, texts=texts, spans=spans: scorer.score(texts, spans))
        rates[f"documents/s: read with {engine}"] = len(rows) / seconds
        rates[f"mentions/s: read with {engine}"] = read.mentions.num_rows / seconds
        rates[f"mentions/s: {engine} alone, on the sentence"] = read.mentions.num_rows / scoring
    return rates


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    made = work()
    return made, time.process_time() - began


def command(folder: Path) -> dict[str, dict[str, float]]:
    """Return what the whole command takes, with one process and with one per core."""
    lake = folder / "lake"
    program = [sys.executable, "-m", "market_opinion.cli"]
    if not lake.exists():
        subprocess.run([*program, "demo", "--hours", "48", "--lake", str(lake)], check=True, capture_output=True)
    took = {}
    for jobs in ("1", "0"):
        words = [*program, "augment", "--rebuild", "--json", "--jobs", jobs, "--lake", str(lake)]
        began = time.monotonic()
        child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert child.stdout
        rows = [told["rows"] for told in json.loads(child.stdout.read())]
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
        took["one process" if jobs == "1" else "one per core"] = {
            "documents/s": sum(row["documents"] for row in rows) / seconds,
            "mentions/s": sum(row["mentions"] for row in rows) / seconds,
            "wall_s": seconds,
            "cpu_s": used.ru_utime + used.ru_stime,
            "memory_mb": used.ru_maxrss / 1024,
        }
    return took


def measure(folder: Path, megabytes: int, runs: int, count: int) -> dict[str, Any]:
    names = land(folder, megabytes)
    compressed = [f"{name}.zst" for name in names]
    hashes = {name: sha256_hex((folder / name).read_bytes()) for name in (*names, *compressed)}
    (folder / "hashes.json").write_text(json.dumps(hashes))
    ran = command(folder)  # first: a process is told to be at least as large as the one that started it
    return {
        "input_rows": sum((folder / name).read_bytes().count(b"\n") for name in names),
        "compaction": alternate(folder, names, runs),
        "compaction of .jsonl.zst": alternate(folder, compressed, runs),
        "bytes": sizes(folder, names),
        "stages": stages(count),
        "command": ran,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=150)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--comments", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "augment")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one, options.folder, options.names)))
        return
    measured = measure(options.folder, options.megabytes, options.runs, options.comments)
    if options.json:
        print(json.dumps(measured, indent=1))
        return
    show(measured)


def show(measured: dict[str, Any]) -> None:
    for title in ("compaction", "compaction of .jsonl.zst"):
        medians = measured[title]
        print(f"{title + ', one core':40}{'CPU s':>8}{'µs a row read':>15}{'MB':>8}{'ours is':>10}")
        for way, took in medians.items():
            per_row = 1e6 * took["cpu_s"] / measured["input_rows"]
            ratio = medians[OURS]["cpu_s"] / took["cpu_s"]
            print(f"{way:40}{took['cpu_s']:8.2f}{per_row:15.2f}{took['memory_mb']:8.0f}{ratio:10.2f}")
        print()
    parquet = measured["bytes"]["documents as Parquet"]
    for form, size in measured["bytes"].items():
        print(f"{form:44}{size:12,} bytes   Parquet is {parquet / size:.2f}")
    print()
    for stage, rate in measured["stages"].items():
        print(f"{stage:52}{rate:10,.0f}")
    for how, took in measured["command"].items():
        print(
            f"augment, {how}: {took['documents/s']:,.0f} documents/s, {took['mentions/s']:,.0f} mentions/s,"
            f" {took['cpu_s']:.1f} s CPU, {took['memory_mb']:,.0f} MB at most in one process"
        )


if __name__ == "__main__":
    main()
