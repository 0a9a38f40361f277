"""A dump file gives every byte before its damage, and then says where that is."""

import gzip
from pathlib import Path

import pytest
import zstandard

from reddit_ingest.archives import memory
from reddit_ingest.archives.dump_file import DumpFile
from reddit_ingest.core.errors import ArchiveDamaged, ArchiveNotUsable

from .making import frame

TEXT = b"".join(b'{"n":%d,"t":"%s"}\n' % (n, b"xyz" * (n % 97)) for n in range(6_000))
SKIPPABLE = b"\x52\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"notes"


def read(path: Path, data: bytes) -> bytes:
    path.write_bytes(data)
    return b"".join(DumpFile(path).pieces(lambda need: None))


def damage(path: Path, data: bytes) -> tuple[bytes, str]:
    path.write_bytes(data)
    pieces: list[bytes] = []
    with pytest.raises(ArchiveDamaged) as caught:
        pieces.extend(DumpFile(path).pieces(lambda need: None))
    return b"".join(pieces), str(caught.value)


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("zstd", frame(TEXT)),
        ("zstd", frame(TEXT, 19, window_log=27, enable_ldm=True)),
        ("zstd", zstandard.ZstdCompressor(write_checksum=False).compress(TEXT)),
        ("zstd", frame(TEXT[:70_000]) + frame(b"") + SKIPPABLE + frame(TEXT[70_000:])),
        ("zstd", SKIPPABLE + frame(TEXT)),
        ("gzip", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:999]) + gzip.compress(b"") + gzip.compress(TEXT[999:]) + b"\0" * 512),
        ("plain", TEXT),
        ("plain", TEXT[:-1]),
    ],
)
def test_the_form_is_told_from_the_content_and_every_byte_comes_out(tmp_path: Path, form: str, data: bytes) -> None:
    path = tmp_path / "RC_2025-03.zst"
    assert read(path, data) == (TEXT if data != TEXT[:-1] else TEXT[:-1])
    assert DumpFile(path).form == form


def test_pieces_stay_small_however_much_a_few_bytes_stand_for(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zst"
    path.write_bytes(frame(b"{" + b" " * 300_000_000))
    assert path.stat().st_size < 60_000
    sizes = [len(piece) for piece in DumpFile(path).pieces(lambda need: None)]
    assert max(sizes) <= 128 * 1024
    assert sum(sizes) == 300_000_001


@pytest.mark.parametrize("cut", [5, 8, 100, 1_000, 9_000, -9, -4, -1])
def test_a_file_that_ends_inside_a_frame_says_so(tmp_path: Path, cut: int) -> None:
    data = frame(TEXT)
    reference = zstandard.ZstdDecompressor().decompressobj().decompress(data[:cut])
    whole, said = damage(tmp_path / "cut.zst", data[:cut])
    assert whole == reference
    assert "ends inside a frame" in said
    assert "cut.zst is damaged at byte" in said


def test_a_cut_gzip_file_says_so(tmp_path: Path) -> None:
    whole, said = damage(tmp_path / "cut.gz", gzip.compress(TEXT)[:-400])
    assert TEXT.startswith(whole)
    assert len(whole) > 1_000
    assert "ends inside a gzip member" in said


def test_a_wrong_checksum_is_found_after_the_last_byte(tmp_path: Path) -> None:
    data = bytearray(frame(TEXT))
    data[-1] ^= 1
    whole, said = damage(tmp_path / "flip.zst", bytes(data))
    assert whole == TEXT
    assert f"at byte {len(data) - 4:,}" in said


@pytest.mark.parametrize(
    ("tail", "said"),
    [
        (b"\0" * 64, "begins no zstd frame"),
        (b"\x28\xb5", "ends inside the head"),
        (SKIPPABLE[:-1], "ends inside a skippable frame"),
    ],
)
def test_what_follows_the_last_frame_and_is_none_is_damage(tmp_path: Path, tail: bytes, said: str) -> None:
    whole, message = damage(tmp_path / "tail.zst", frame(TEXT) + tail)
    assert whole == TEXT
    assert said in message


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 a zip", b"\x89PNG", b"id,body\n1,hello\n", b"[1,2]\n"])
def test_what_is_no_dump_is_refused_before_anything_is_read(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "RC_2025-03.zst"
    path.write_bytes(data)
    with pytest.raises(ArchiveNotUsable, match=r"RC_2025-03\.zst is (empty|no dump)"):
        DumpFile(path)


def test_a_window_is_announced_before_a_frame_is_decompressed_and_may_be_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.zst"
    path.write_bytes(frame(TEXT, 1, window_log=31))
    dump = DumpFile(path)
    assert dump.window_bytes == 2**31
    asked: list[int] = []

    def refuse(need: int) -> None:
        asked.append(need)
        raise ArchiveNotUsable("no")

    with pytest.raises(ArchiveNotUsable):
        next(dump.pieces(refuse))
    assert asked == [2**31]


def test_a_window_that_there_is_no_memory_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 1_500 * 2**20)
    memory.check_window(8 * 2**20)
    with pytest.raises(ArchiveNotUsable, match="needs 2,144 MiB of memory, and 1,500 MiB are free"):
        memory.check_window(2**31)


def test_the_limit_of_a_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable:   4000 kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert memory.available_bytes() == 4_096_000
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("1000000\n")
    assert memory.available_bytes() == 2_000_000
