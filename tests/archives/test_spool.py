"""Whatever the order of an archive and however small the memory, a window's rows come out in order and each once."""

import json
import random
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import pytest
import zstandard

from reddit_ingest.archives import spool as spooling
from reddit_ingest.archives.rows import Entry
from reddit_ingest.archives.spool import Spool, in_order, packs
from reddit_ingest.compression import zstd_compress
from reddit_ingest.core.errors import LakeNotUsable, StorageFull
from reddit_ingest.jsonl import Pack

from .making import DAY, MARCH


def entries(count: int, days: int = 3, subreddits: int = 5) -> list[Entry]:
    made = []
    for n in range(count):
        created = MARCH + n * days * DAY // count
        data = json.dumps({"created_utc": created, "fullname": f"t1_{n:06}", "body": "x" * (n % 211)}).encode() + b"\n"
        made.append((f"sub{n % subreddits}", "comments", created, f"t1_{n:06}", data))
    return made


def plain(found: Iterable[Pack]) -> tuple[list[bytes], int]:
    lines, rows = [], 0
    for pack in found:
        assert pack.rows == pack.data.count(b"\n") or pack.data.startswith(b"\x28\xb5\x2f\xfd")
        lines += zstandard.ZstdDecompressor().decompress(pack.data).splitlines(keepends=True)
        rows += pack.rows
    return lines, rows


def drained(spool: Spool) -> dict[tuple[str, int], list[bytes]]:
    """Take everything, as it would be landed: rows of late chunks behind the others."""
    found: dict[tuple[str, int], list[bytes]] = {}
    compress = zstd_compress()
    for day in spool.days:
        for subreddit, own in groupby(spool.take(day), key=lambda chunk: chunk.subreddit):
            late: list[spooling.Chunk] = []
            lines, rows = plain(packs(own, compress, late))
            assert lines == sorted(lines)
            later, more = plain(in_order(late, compress))
            assert later == sorted(later)
            assert rows + more == len(lines) + len(later)
            found[subreddit, day] = lines + later
    return found


@pytest.mark.parametrize("memory", [2_000, 60_000, 10**9])
@pytest.mark.parametrize("order", ["in order", "nearly", "shuffled"])
@pytest.mark.parametrize("roomy", [10**9, 0])
def test_rows_come_out_as_they_went_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int, order: str, roomy: int
) -> None:
    monkeypatch.setattr(spooling, "_MEMORY_BYTES", memory)
    monkeypatch.setattr(spooling, "_LARGE_BYTES", 3_000)
    monkeypatch.setattr(spooling, "_ROOMY_BYTES", roomy)
    made = entries(1_500)
    mixed = list(made)
    if order == "shuffled":
        random.Random(5).shuffle(mixed)
    elif order == "nearly":
        for place in range(0, 1_490, 97):
            mixed[place], mixed[place + 9] = mixed[place + 9], mixed[place]
    with Spool(tmp_path / "x.spool") as spool:
        for entry in mixed:
            spool.add(entry)
        assert spool.days == [MARCH, MARCH + DAY, MARCH + 2 * DAY]
        found = drained(spool)
        assert not list(tmp_path.rglob("*.rows"))
    assert not (tmp_path / "x.spool").exists()
    for (subreddit, day), lines in found.items():
        own = [entry[4] for entry in made if entry[0] == subreddit and day <= entry[2] < day + DAY]
        assert sorted(lines) == own
        if order == "in order":
            assert lines == own


def test_what_a_run_that_died_has_left_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "x.spool").mkdir()
    (tmp_path / "x.spool" / f"{MARCH}.rows").write_bytes(b"half a block")
    with Spool(tmp_path / "x.spool") as spool:
        spool.add(entries(1)[0])
        assert len(drained(spool)) == 1


def test_a_spool_that_somebody_else_has_touched_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "_MEMORY_BYTES", 1_000)
    for touch in (lambda path: path.write_bytes(b""), lambda path: path.unlink()):
        with Spool(tmp_path / "x.spool") as spool:
            list(map(spool.add, entries(100)))
            touch(next(tmp_path.rglob("*.rows")))
            with pytest.raises(LakeNotUsable):
                drained(spool)


def test_a_disk_that_fills_up_is_told_before_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "_MEMORY_BYTES", 1_000)
    monkeypatch.setattr(spooling, "_RESERVE_BYTES", 2**60)
    with Spool(tmp_path / "x.spool") as spool, pytest.raises(StorageFull, match="free some space and run again"):
        list(map(spool.add, entries(100)))
