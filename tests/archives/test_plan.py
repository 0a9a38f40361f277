"""`market-opinion plan` on dump files: what is said before an import is what the import then does."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from market_opinion.cli import main
from reddit_ingest.archives import forecast, memory, parallel
from reddit_ingest.core.coverage import Coverage, CoverageStatus
from reddit_ingest.core.keys import KINDS, window_folder
from reddit_ingest.core.manifest import Manifest
from reddit_ingest.core.windows import Window
from reddit_ingest.storage import FilesystemJsonlWriter

from .making import DAY, HOUR, MARCH, NOW, Lake, comment, frame, month, submission, text, write

COMMENTS = month(900)
SUBMISSIONS = [submission(n, MARCH + n * DAY // 2 + 9, "Smartphones" if n % 2 else "Other_1") for n in range(62)]
HOURS = (5, 2 * 24, 2 * 24 + 1, 10 * 24, 30 * 24 + 23)
"""Of March; the first and the last lie on its first and last day."""


def types(lake: Lake, *words: object) -> Result:
    result = CliRunner().invoke(main, [*map(str, words), "--lake", str(lake.root), "--now", str(NOW)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result


def planned(lake: Lake, *words: object) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(types(lake, "plan", *words, "--json").stdout)
    return told


def recorded(lake: Lake, subreddit: str, hours: Iterable[int] = HOURS, kinds: Iterable[str] = KINDS) -> None:
    """Record hours of March that an hourly run has not seen whole."""
    writer = FilesystemJsonlWriter(lake.lake.landing)
    for hour in hours:
        window = Window(MARCH + hour * HOUR, MARCH + (hour + 1) * HOUR)
        claims = {kind: Coverage(CoverageStatus.UNREACHABLE, "too late for the listings") for kind in kinds}
        manifest = Manifest(subreddit, window, "reddit-api", "backfill", window.end_ts + DAY, "1", coverage=claims)
        writer.commit(window_folder("reddit/", subreddit, window), manifest)


Hole = tuple[str, int, str]
"""A subreddit, an hour of March and a kind."""


def promised(told: Iterable[dict[str, Any]], *, surely: bool = True) -> set[Hole]:
    return {
        (closing["subreddit"], (start - MARCH) // HOUR, closing["kind"])
        for forecast in told
        for closing in forecast["closes"]
        if closing["needs_rows"] is not surely
        for start in range(closing["start_ts"], closing["end_ts"], HOUR)
    }


def open_gaps(lake: Lake) -> set[Hole]:
    return {
        (gap["subreddit"], (start - MARCH) // HOUR, kind)
        for gap in json.loads(types(lake, "gaps", "--json").stdout)
        for start in range(gap["start_ts"], gap["end_ts"], HOUR)
        for kind in gap["kinds"]
    }


def test_a_plan_of_real_dumps_tells_kind_period_and_sizes_and_makes_no_lake(lake: Lake, shared_data: Path) -> None:
    files = sorted((shared_data / "reddit" / "pushshift").glob("*.gz"))
    asked, old = planned(lake, *files)
    assert (asked["kind"], asked["rows"], asked["plain_bytes"], asked["plain_told"]) == (
        "submissions",
        8_271,
        16_305_027,
        "counted",
    )
    assert asked["bytes"] == files[0].stat().st_size
    assert old["kind"] == "comments"
    shown = types(lake, "plan", *files).stdout
    assert "2019-10-01 00:02" in shown
    assert f"there is no lake at {lake.root} yet" in shown.replace("\n", "")
    assert not lake.root.exists()


def test_recorded_gaps_are_named_that_the_import_then_closes(tmp_path: Path, lake: Lake) -> None:
    recorded(lake, "smartphones")
    recorded(lake, "nobody")
    recorded(lake, "not_asked_for")
    files = write(tmp_path / "RC_2025-03.zst", text(COMMENTS)), write(tmp_path / "RS_2025-03.gz", text(SUBMISSIONS))
    words = (*files, "--subreddit", "Smartphones", "--subreddit", "nobody")
    before, objects = open_gaps(lake), lake.objects()

    told = planned(lake, *words)
    assert [forecast["subreddits"] for forecast in told] == [["nobody", "smartphones"]] * 2
    assert [forecast["met"] for forecast in told] == [["smartphones"]] * 2
    assert promised(told) == {
        (name, hour, kind) for name in ("smartphones", "nobody") for hour in HOURS for kind in KINDS
    }
    (first, *_) = told[0]["closes"]
    assert (first["start_ts"], first["hours"], first["gap"]) == (MARCH + 5 * HOUR, 1, "unreachable")
    assert [closing["hours"] for closing in told[0]["closes"]] == [1, 2, 1, 1] * 2
    shown = types(lake, "plan", *words).stdout
    assert "Asked for: r/nobody, r/smartphones" in shown
    assert "Of 10 gap hours of what is asked for 10 would be closed" in shown
    assert lake.objects() == objects
    assert not lake.lake.imports.exists()

    assert types(lake, "import", *words).exit_code == 0
    assert before - open_gaps(lake) == promised(told)

    again = planned(lake, *words)
    assert [(forecast["was_done"], forecast["seconds"], forecast["closes"]) for forecast in again] == [
        (True, 0.0, [])
    ] * 2
    assert types(lake, "plan", *words).stdout.count("done before") == 2


def test_one_kind_of_an_hour_is_not_the_whole_hour(tmp_path: Path, lake: Lake) -> None:
    recorded(lake, "smartphones", [50, 51])
    recorded(lake, "smartphones", [52], ["comments"])
    path = write(tmp_path / "RC_2025-03.zst", text(COMMENTS))
    assert "Of 3 gap hours of what is asked for 1 would be closed" in types(lake, "plan", path, "smartphones").stdout


QUIET = [
    row for row in COMMENTS if row["subreddit"] != "Smartphones" or not 2 <= (row["created_utc"] - MARCH) // DAY < 4
]
SHAPES: dict[str, tuple[str, bytes, list[str]]] = {
    "a month, a day without rows": ("RC_2025-03.zst", text(QUIET), ["--subreddit", "smartphones"]),
    "a month, everything": ("RC_2025-03.zst", text(QUIET), []),
    "a name that promises nothing": ("some_comments.gz", text(QUIET), ["--subreddit", "smartphones"]),
    "who does not occur": ("some_comments.gz", text(QUIET), ["--subreddit", "nobody"]),
    "who does not occur in a month": ("RC_2025-03.jsonl", text(QUIET), ["--subreddit", "nobody"]),
    "alone in a file": ("x.zst", text(r for r in QUIET if r["subreddit"] == "Smartphones"), []),
    "some days": ("RC_2025-03.zst", text(COMMENTS), ["--start", "2025-03-03", "--end", "2025-03-05"]),
    "the name of another kind": ("RS_2025-03.zst", text(COMMENTS), ["--subreddit", "smartphones"]),
    "out of order": ("RC_2025-03.gz", text(COMMENTS[300:] + COMMENTS[:300]), []),
    "rows that cannot be read": ("RC_2025-03.zst", text(COMMENTS) + b'{"subreddit":"Smartphones"\n', []),
    "rows of others that cannot be read": (
        "RC_2025-03.zst",
        text(COMMENTS) + b'{"subreddit":"Other"\n' + text([comment(7_777, MARCH + 31 * DAY - 9, "Other_1")]),
        ["--subreddit", "smartphones"],
    ),
    "a row of the other kind": ("RC_2025-03.zst", text(COMMENTS) + text(SUBMISSIONS[-1:]), []),
    "no time": ("RC_2025-03.zst", text([*COMMENTS, comment(1, 5)]), []),
}


@pytest.mark.parametrize(("name", "data", "words"), SHAPES.values(), ids=SHAPES)
def test_what_is_promised_of_any_file_is_what_the_import_does(
    tmp_path: Path, lake: Lake, name: str, data: bytes, words: list[str]
) -> None:
    for subreddit in ("smartphones", "nobody", "other_1"):
        recorded(lake, subreddit)
    path = write(tmp_path / name, data)
    before = open_gaps(lake)
    (told,) = planned(lake, path, *words)
    result = types(lake, "import", path, *words, "--json")
    (done,) = json.loads(result.stdout)
    assert promised([told]) == before - open_gaps(lake)
    assert promised([told], surely=False) == set()
    assert (told["kind"], told["period"], told["rows"]) == (done["kind"], done["period"], done["rows"])
    assert (bool(told["trouble"]), told["trouble_code"]) == (bool(done["trouble"]), done["trouble_code"])


@pytest.fixture
def short_look(monkeypatch: pytest.MonkeyPatch) -> int:
    """A look at a third of the month, so that it is a large file."""
    size = len(text(COMMENTS))
    assert size > 3 * 128 * 1024
    monkeypatch.setattr(forecast, "LOOK_BYTES", size // 3)
    return size


def test_the_end_of_a_large_month_is_told_by_its_name_and_said_to_be_an_estimate(
    tmp_path: Path, lake: Lake, short_look: int
) -> None:
    recorded(lake, "smartphones")
    recorded(lake, "nobody")
    path = write(tmp_path / "RC_2025-03.zst", text(COMMENTS))
    (told,) = planned(lake, path, "--subreddit", "smartphones", "--subreddit", "nobody")
    assert (told["period"], told["period_told"]) == ([MARCH, MARCH + 31 * DAY], "name")
    assert told["plain_told"] == "rate"
    assert told["plain_bytes"] == pytest.approx(short_look, rel=0.3)
    assert told["rows"] == pytest.approx(300, rel=0.3)
    assert promised([told]) == {(name, hour, "comments") for name in ("smartphones", "nobody") for hour in HOURS}
    shown = types(lake, "plan", path).stdout
    assert "~2025-04-01 00:00" in shown
    assert "it goes so far" in shown


def test_a_large_file_of_everything_closes_days_of_those_it_will_be_seen_to_hold(
    tmp_path: Path, lake: Lake, short_look: int
) -> None:
    recorded(lake, "smartphones")
    recorded(lake, "nobody")
    path = write(tmp_path / "RC_2025-03.zst", text(COMMENTS))
    told = planned(lake, path)
    # Days that were looked at are sure; of the others, and of whoever was not met, it depends.
    assert promised(told) == {("smartphones", hour, "comments") for hour in HOURS[:4]}
    assert promised(told, surely=False) == {
        ("smartphones", HOURS[4], "comments"),
        *(("nobody", hour, "comments") for hour in HOURS),
    }
    assert types(lake, "plan", path).stdout.count("it goes so far and it has rows of the day") == 5


def test_the_end_of_a_large_file_of_no_month_is_told_by_its_rate(tmp_path: Path, lake: Lake, short_look: int) -> None:
    day = [comment(n, MARCH + n * DAY // 900) for n in range(900)]
    for name in ("Smartphones_comments.zst", "RC_2025-03.zst"):
        path = write(tmp_path / name, text(day))
        (told,) = planned(lake, path)
        assert told["period_told"] == "rate", name
        assert told["period"][0] == MARCH
        assert told["period"][1] == pytest.approx(MARCH + DAY, abs=DAY // 3)


def test_a_large_plain_file_tells_its_last_row(tmp_path: Path, lake: Lake, short_look: int) -> None:
    (told,) = planned(lake, write(tmp_path / "x.jsonl", text(COMMENTS)))
    assert told["period"] == [COMMENTS[0]["created_utc"], COMMENTS[-1]["created_utc"] + 1]
    assert (told["period_told"], told["plain_bytes"], told["plain_told"]) == ("announced", short_look, "announced")


def test_a_frame_that_announces_its_size_is_believed_until_another_follows(
    tmp_path: Path, lake: Lake, short_look: int
) -> None:
    import zstandard

    data = text(COMMENTS)
    one, many = tmp_path / "one.zst", tmp_path / "many.zst"
    one.write_bytes(zstandard.ZstdCompressor().compress(data))
    many.write_bytes(zstandard.ZstdCompressor().compress(data[:9_000]) + zstandard.ZstdCompressor().compress(data))
    for path, told_by in ((one, "announced"), (many, "rate")):
        (told,) = planned(lake, path)
        assert told["plain_told"] == told_by
        assert told["plain_bytes"] == pytest.approx(short_look, rel=0.001 if path is one else 0.3)


def test_a_skippable_frame_ahead_announces_nothing(tmp_path: Path, lake: Lake) -> None:
    path = tmp_path / "x.zst"
    path.write_bytes(b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"size" + frame(text(COMMENTS), window_log=24))
    (told,) = planned(lake, path)
    assert (told["plain_bytes"], told["window_bytes"]) == (len(text(COMMENTS)), 2**24)


def test_windows_of_2_gib_are_announced_and_refused_where_there_is_no_memory(
    tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "RC_2025-03.zst"
    path.write_bytes(frame(text(COMMENTS), 1, window_log=31))
    for module in (memory, parallel):
        monkeypatch.setattr(module, "available_bytes", lambda: 3 * 2**30)
    result = types(lake, "plan", path, "--jobs", 2)
    assert result.exit_code == 0
    assert "RC_2025-03.zst needs 2,048 MiB of memory for its window (zstd --long); 3,072 MiB are free" in result.stderr
    assert "2,144 MiB" in result.stdout
    for module in (memory, parallel):
        monkeypatch.setattr(module, "available_bytes", lambda: 2**30)
    result = types(lake, "plan", path)
    assert result.exit_code == 1
    assert "RC_2025-03.zst: this archive needs 2,144 MiB of memory, and 1,024 MiB are free" in result.stderr
    assert "2025-03-01 00:00" in result.stdout


BAD = {
    "page.zst": (b"<html>404 Not Found</html>", "neither zstd nor gzip nor a line of JSON"),
    "empty.zst": (b"", "is empty; get it again"),
    "hollow.zst": (frame(b""), "holds no submission and no comment"),
    "other.zst": (frame(b'{"id":1}\n' * 50), "holds no submission and no comment"),
    "cut.zst": (frame(text(COMMENTS), 19)[:5], "is damaged at byte 0 of 5: it ends inside a frame"),
    "half.zst": (frame(text(COMMENTS), 19)[:-900], "is damaged at byte"),
    "half.gz": (b"\x1f\x8b" + b"\0" * 40, "is damaged at byte"),
}


@pytest.mark.parametrize(("name", "data", "said"), [(name, *bad) for name, bad in BAD.items()], ids=BAD)
def test_a_bad_file_is_one_clear_line_and_the_others_are_planned(
    tmp_path: Path, lake: Lake, name: str, data: bytes, said: str
) -> None:
    recorded(lake, "smartphones")
    bad, fine = tmp_path / name, write(tmp_path / "RC_2025-03.zst", text(COMMENTS))
    bad.write_bytes(data)
    result = types(lake, "plan", bad, fine, "--subreddit", "smartphones")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"Error: {name}")
    assert said in line
    told = planned(lake, bad, fine, "--subreddit", "smartphones")
    assert [bool(each["trouble"]) for each in told] == [True, False]
    assert (told[0]["closes"], len(told[1]["closes"])) == ([], 4)


def test_a_file_that_cannot_be_read_is_told(lake: Lake) -> None:
    result = types(lake, "plan", "/proc/self/mem")  # there, and not to be read even by root
    assert result.exit_code == 1
    assert "cannot read /proc/self/mem: Input/output error" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing.zst"], "there is no file missing.zst"),
        (["{folder}"], "there is no file"),
        (["{dump}", "--gaps"], "are about a backfill"),
        (["{dump}", "--source", "auto"], "are about a backfill"),
        (["{dump}", "--subreddit", "../etc"], "not a subreddit name"),
        (["{dump}", "--start", "2025-03-02", "--end", "2025-03-01"], "--start lies before --end"),
        (["phones", "--subreddit", "other", "--gaps"], "are about dump files"),
        (["--jobs", "2"], "are about dump files"),
        (["two words", "--start", "2025-03-02", "--end", "2025-03-03"], "not a subreddit name"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(tmp_path: Path, lake: Lake, words: list[str], said: str) -> None:
    places = {"{dump}": write(tmp_path / "x.zst", text([comment(1, MARCH)])), "{folder}": tmp_path}
    result = types(lake, "plan", *(places.get(word, word) for word in words))
    assert result.exit_code == 2
    assert said in result.stderr
    assert not lake.root.exists()


def test_a_subreddits_name_is_never_a_file(tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "phones", text([comment(1, MARCH)]))
    write(tmp_path / "x.zst", text(COMMENTS))
    span = ("--start", "2020-01-01", "--end", "2020-01-02")
    assert planned(lake, "phones", *span)[0]["source"] == "arctic-shift"
    assert planned(lake, "reddit.com", *span)[0]["subreddit"] == "reddit.com"
    (told,) = planned(lake, "./phones")
    assert told["kind"] == "comments"
    (told,) = planned(lake, "x.zst", "Smartphones")
    assert told["subreddits"] == ["smartphones"]
