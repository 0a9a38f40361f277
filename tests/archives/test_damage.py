"""A damaged archive lands every whole row before the damage and ends with an error: never with success."""

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from reddit_ingest.serializers import MAX_LINE_BYTES

from ..slow import one_in
from .making import MARCH, Lake, comment, frame, line, month, text

ROWS = month(700, others=2)
TEXT = text(ROWS)
WHOLE = frame(TEXT, 19)
SMARTPHONES = {row["name"]: row["body"] for row in ROWS if row["subreddit"] == "Smartphones"}
NO_TEXT = line(comment(1, MARCH)).replace(b"Number", b"\xff")
LONG = b'{"subreddit":"Smartphones","body":"' + b"x" * MAX_LINE_BYTES + b'"}\n'
SKIPPABLE = b"\x5f\x2a\x4d\x18" + (9).to_bytes(4, "little") + b"a comment"


def before(data: bytes) -> set[str]:
    """Return the Smartphones rows that lie whole in what the intact blocks of a cut frame say."""
    said = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    count = said.count(b"\n")
    return {row["name"] for row in ROWS[:count] if row["subreddit"] == "Smartphones"}


def block_starts() -> list[int]:
    """Return where the blocks of the whole frame begin."""
    starts, place = [], zstandard.frame_header_size(WHOLE)
    while True:
        starts.append(place)
        told = int.from_bytes(WHOLE[place : place + 3], "little")
        place += 3 + (1 if told >> 1 & 3 == 1 else told >> 3)
        if told & 1:
            return [*starts, place]


def test_the_archive_has_blocks_to_damage() -> None:
    assert len(block_starts()) > 3


CUTS = sorted(random.Random(11).sample(range(zstandard.frame_header_size(WHOLE) + 1, len(WHOLE)), 50))


@pytest.mark.parametrize("cut", one_in(5, CUTS))
def test_a_cut_archive_lands_every_row_before_the_cut_then_fails(tmp_path: Path, lake: Lake, cut: int) -> None:
    path = tmp_path / "RC_2025-03.zst"
    path.write_bytes(WHOLE[:cut])
    outcome = lake.take(path, "smartphones")
    assert outcome.trouble_code == 1
    assert "RC_2025-03.zst is damaged at byte" in outcome.trouble
    assert lake.rows("smartphones").keys() == before(WHOLE[:cut])
    if lake.rows("smartphones"):
        assert f"{len(before(WHOLE[:cut]))} rows are landed" in outcome.trouble
        assert set(lake.states("smartphones").values()) == {"truncated"}


FLIPS = sorted(random.Random(12).sample(range(zstandard.frame_header_size(WHOLE), len(WHOLE)), 50))


@pytest.mark.parametrize("place", one_in(5, FLIPS))
def test_a_flipped_bit_lands_every_row_of_the_blocks_before_it_then_fails(
    tmp_path: Path, lake: Lake, place: int
) -> None:
    data = bytearray(WHOLE)
    data[place] ^= 1 << place % 8
    path = tmp_path / "RC_2025-03.zst"
    path.write_bytes(data)
    outcome = lake.take(path, "smartphones")
    assert outcome.trouble_code == 1
    start = max(start for start in block_starts() if start <= place)
    whole = {(row["name"], row["body"]) for row in ROWS if row["name"] in before(WHOLE[:start])}
    assert whole <= {(row["fullname"], row["body"]) for row in lake.landed_lines()}
    assert "complete" not in lake.states("smartphones").values()
    # A flip may make rows that never were. When the file is whole they are gone, and nothing else is.
    path.write_bytes(WHOLE)
    assert not lake.take(path, "smartphones").trouble
    assert {name: row["body"] for name, row in lake.all_rows().items()} == SMARTPHONES
    assert set(lake.states("smartphones").values()) == {"complete"}
    assert not list((lake.root / "imports").glob("*.doubts"))


HALF = len(text(ROWS[:350]))
CUT = frame(TEXT[HALF:])[:-9]
FINE = {
    "several frames, cut inside a row": frame(TEXT[:HALF]) + frame(TEXT[HALF : HALF + 77]) + frame(TEXT[HALF + 77 :]),
    "empty frames": frame(b"") + frame(TEXT[:HALF]) + frame(b"") + frame(TEXT[HALF:]) + frame(b""),
    "skippable frames": SKIPPABLE + frame(TEXT[:HALF]) + SKIPPABLE + frame(TEXT[HALF:]) + SKIPPABLE,
    "no last newline": frame(TEXT[:-1]),
    "CR LF": frame(TEXT.replace(b"\n", b"\r\n")),
    "plain lines under the name of an archive": TEXT,
    "blank lines": frame(b"\n" + TEXT + b"\n\n"),
}
DAMAGED: dict[str, tuple[bytes, Callable[[Lake], object]]] = {
    "bad UTF-8": (frame(TEXT[:HALF] + NO_TEXT + TEXT[HALF:]), Lake.all_rows),
    "a line over 4 MiB": (frame(TEXT[:HALF] + LONG + TEXT[HALF:]), Lake.all_rows),
    "a last row that is cut": (frame(TEXT[:-40]), lambda lake: len(lake.all_rows()) == 699),
    "a second frame that is cut": (frame(TEXT[:HALF]) + CUT, lambda lake: len(lake.all_rows()) >= 350),
    "zeros behind the last frame": (WHOLE + b"\0" * 4_096, Lake.all_rows),
    "not zstd at all": (b"<html>404 Not Found</html>", lambda lake: lake.all_rows() == {}),
    "nothing in it": (frame(b""), lambda lake: lake.all_rows() == {}),
    "no byte": (b"", lambda lake: lake.all_rows() == {}),
    "other people's JSON": (frame(b'{"id":1}\n' * 50), lambda lake: lake.all_rows() == {}),
    "a cut gzip file": (gzip.compress(TEXT)[:-20], lambda lake: len(lake.all_rows()) >= 600),
    "a frame header that is cut": (WHOLE[:5], lambda lake: lake.all_rows() == {}),
    "a line of 300 MB": (frame(text(ROWS[:5]) + b"{" + b" " * 300_000_000), lambda lake: len(lake.all_rows()) == 5),
}  # fmt: skip


@pytest.mark.parametrize("data", FINE.values(), ids=FINE)
def test_unusual_archives_that_are_whole_land_whole(tmp_path: Path, lake: Lake, data: bytes) -> None:
    path = tmp_path / "RC_2025-03.zst"
    path.write_bytes(data)
    outcome = lake.take(path)
    assert not outcome.trouble
    assert lake.all_rows().keys() == {row["name"] for row in ROWS}
    assert set(lake.states("smartphones").values()) == {"complete"}


@pytest.mark.parametrize(("data", "holds"), DAMAGED.values(), ids=DAMAGED)
def test_other_damage_lands_what_is_whole_then_fails(
    tmp_path: Path, lake: Lake, data: bytes, holds: Callable[[Lake], object]
) -> None:
    path = tmp_path / "RC_2025-03.zst"
    path.write_bytes(data)
    outcome = lake.take(path)
    assert outcome.trouble_code == 1
    assert "RC_2025-03.zst" in outcome.trouble
    assert "\n" not in outcome.trouble
    found = holds(lake)
    assert found is True or (isinstance(found, dict) and found.keys() >= {row["name"] for row in ROWS})
