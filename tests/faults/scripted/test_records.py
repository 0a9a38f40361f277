"""Row 24 of the fault table: one record in a thousand is poisoned; the others land, it is set aside with a reason."""

import json
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from reddit_ingest import view
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.coverage import CoverageStatus
from reddit_ingest.core.ports import Reading, WindowReading
from reddit_ingest.core.windows import HOUR_S, Window
from reddit_ingest.ingestion_service import RedditIngestionResult, RedditIngestionService
from reddit_ingest.serializers import MAX_LINE_BYTES

from ...fakes import MemoryLake, ScriptedSource
from ...slow import one_in
from .conftest import COMPLETE, T0, comment, submission

WINDOW = Window(T0, T0 + HOUR_S)
COUNT = 1_000
PLACES = {"first": 0, "in the middle": 500, "last": 999}
Item = dict[str, Any]
DIRTY = "dirty-5c1e"
"""Stands for what a record says: a reason never repeats it at length."""


def nested(depth: int, ends: Any = DIRTY) -> Any:
    for level in range(depth):
        ends = {"deeper": ends} if level % 2 else [ends]
    return ends


def without(*names: str) -> Callable[[Item], Item]:
    return lambda item: {name: value for name, value in item.items() if name not in names}


def having(**fields: Any) -> Callable[[Item], Item]:
    return lambda item: {**item, **fields}


def parsed(text: str) -> Any:
    """Return what Python's parser makes of a text that other parsers refuse."""
    return json.loads(text)


POISON: dict[str, Callable[[Item], Item]] = {
    "no id and no name": without("id", "name"),
    "an id that is a number": having(id=17, name=None),
    "an id that is a list": having(id=[DIRTY], name={}),
    "an empty id": having(id="", name=""),
    "a name without an id": having(id=None, name="t3_"),
    "no time": without("created_utc"),
    "a time of null": having(created_utc=None),
    "a time in words": having(created_utc="yesterday"),
    "a time in ISO 8601": having(created_utc="2026-01-01T00:00:05Z"),
    "a time with a sign": having(created_utc=f"+{T0}"),
    "a time in Arabic digits": having(created_utc="١٧٦٧٢٢٥٦٠٥"),
    "a time in milliseconds": having(created_utc=T0 * 1_000),
    "a time in microseconds": having(created_utc=T0 * 1_000_000),
    "a time of zero": having(created_utc=0),
    "a time before time": having(created_utc=-5),
    "a time that is true": having(created_utc=True),
    "a time that is a list": having(created_utc=[T0]),
    "a time of NaN": having(created_utc=parsed("NaN")),
    "a time of infinity": having(created_utc=parsed("1e309")),
    "a score of NaN": having(score=parsed("NaN")),
    "a score of infinity": having(score=parsed("Infinity")),
    "a score of 1e309": having(score=parsed("1e309")),
    "a score of -1e309": having(score=parsed("-1e309")),
    "an unknown field of NaN": having(mood=parsed("NaN")),
    "NaN deep inside": having(media={"a": [{"b": parsed("NaN")}]}),
    "half a surrogate pair in the text": having(body=f"{DIRTY} \ud83d", selftext=f"{DIRTY} \ud83d"),
    "half a surrogate pair in the title": having(title="\udc00"),
    "half a surrogate pair in the author": having(author="a\udfff"),
    "half a surrogate pair in an unknown field": having(mood="\ud800"),
    "half a surrogate pair in a key": having(**{"mood\ud800": 1}),
    "half a surrogate pair in the id": having(id="\ud800", name=None),
    "nested a thousand deep": having(media=nested(1_000)),
    "nested a hundred thousand deep": having(media=nested(100_000)),
    "over 4 MiB of text": having(body="x" * MAX_LINE_BYTES, selftext="x" * MAX_LINE_BYTES),
    "over 4 MiB in an unknown field": having(mood="y" * MAX_LINE_BYTES),
    "4 MiB of short text in wide letters": having(mood="😀" * (MAX_LINE_BYTES // 4)),
    "a set where JSON has none": having(mood={DIRTY}),
    "bytes where JSON has none": having(mood=b"\xff"),
    "a name of a million letters": having(name="t3_" + "n" * 1_000_000, id=None, created_utc=None),
    "a name of a million letters and NaN": having(name="t1_" + "n" * 1_000_000, id="n" * 1_000_000, score=float("nan")),
    "an id of a million letters and too long": having(name=None, id="n" * 1_000_000, mood="y" * MAX_LINE_BYTES),
    "a time of a million letters": having(created_utc="1" + "x" * 1_000_000),
}
HARMLESS: dict[str, Callable[[Item], Item]] = {
    "40,000 letters of text": having(body="a" * 40_000, selftext="a" * 40_000),
    "77,000 letters of text": having(body="ß" * 77_000, selftext="ß" * 77_000),
    "NUL in the text": having(body="a\0b", selftext="a\0b", title="\0"),
    "line ends of every kind": having(body="a\r\nb\u2028c\u0085d\x0be", selftext="\n\n\n"),
    "a time in digits": lambda item: {**item, "created_utc": str(int(item["created_utc"]))},
    "a time in a whole number": lambda item: {**item, "created_utc": int(item["created_utc"])},
    "nothing but id and time": lambda item: {name: item[name] for name in ("id", "created_utc")},
    "fields of other types": having(author=17, score="many", subreddit=None, title=[], selftext={}, body=5, edited="?"),
    "a large number": having(score=10**400),
    "an unknown kind of thing inside": having(media={"kind": "t9", "data": {"x": [None, True, 1.5, ""]}}),
    "nested fifty deep": having(media=nested(50)),
    "a key that is empty": having(**{"": "", " ": 1}),
    "text that looks like a manifest": having(body='{"objects": []}', selftext="../../etc/passwd"),
    "letters of both directions": having(body="\u202eevil\u2066", selftext="e\u0301🏳️‍🌈"),
}


def landed(kind: str, spoil: Callable[[Item], Item], place: int) -> tuple[MemoryLake, RedditIngestionResult]:
    make = submission if kind == "submissions" else comment
    extra = {} if kind == "submissions" else {"link": "t3_x"}
    items = [make(f"i{number:04d}", T0 + number, **extra) for number in range(COUNT)]  # type: ignore[arg-type]
    items[place] = spoil(items[place])
    reading = WindowReading(WINDOW, coverage={"submissions": COMPLETE, "comments": COMPLETE})
    (reading.submissions if kind == "submissions" else reading.comments).extend(items)
    lake = MemoryLake()
    source = ScriptedSource(lambda *_: Reading([reading], [], requests=1))
    service = RedditIngestionService(source, lake, FixedClock(T0 + HOUR_S + 300))
    return lake, service.ingest_window("phones", WINDOW.start_ts, WINDOW.end_ts)


@pytest.mark.parametrize(("kind", "poison", "place"), one_in(4, product(("submissions", "comments"), POISON, PLACES)))
def test_a_poisoned_record_is_set_aside_and_the_others_land(kind: str, poison: str, place: str) -> None:
    lake, result = landed(kind, POISON[poison], PLACES[place])
    shown = view.rows(lake, "reddit/phones/", kind)
    assert len(shown) == COUNT - 1
    assert result.quarantined_count == 1
    assert result.status is CoverageStatus.COMPLETE
    (line,) = lake.objects[result.s3_prefix + "quarantine.jsonl"].decode("ascii").splitlines()
    aside = json.loads(line)
    assert aside.keys() == {"kind", "reason", "observed_at_ts", "record"}
    assert aside["kind"] == kind
    assert 5 < len(aside["reason"]) <= 200
    assert "\n" not in aside["reason"]
    assert aside["reason"].count(DIRTY) <= 1
    assert isinstance(aside["record"], str)
    assert len(aside["record"]) <= MAX_LINE_BYTES
    (state,) = view.ledger(lake, "reddit/phones/")
    assert state.quarantined == 1


@pytest.mark.parametrize(("place", "oddity", "kind"), one_in(3, product(PLACES, HARMLESS, ["submissions", "comments"])))
def test_an_odd_record_that_can_be_stored_lands_with_the_others(kind: str, oddity: str, place: str) -> None:
    lake, result = landed(kind, HARMLESS[oddity], PLACES[place])
    assert result.quarantined_count == 0
    assert len(view.rows(lake, "reddit/phones/", kind)) == COUNT
    lines = lake.objects[f"{result.s3_prefix}{kind}.jsonl"].split(b"\n")
    assert len(lines) == COUNT + 1
    assert [json.loads(line)["created_utc"] for line in lines[:-1]] == [T0 + number for number in range(COUNT)]


@pytest.mark.parametrize("share", [2, 5, 10, 100, 1_000])
def test_however_many_are_poisoned_every_one_is_counted(share: int) -> None:
    reading = WindowReading(WINDOW, coverage={"submissions": COMPLETE, "comments": COMPLETE})
    items = [submission(f"i{number:04d}", T0 + number) for number in range(COUNT)]
    reading.submissions = [{**item, "score": float("nan")} if n % share == 0 else item for n, item in enumerate(items)]
    lake = MemoryLake()
    source = ScriptedSource(lambda *_: Reading([reading], [], requests=1))
    service = RedditIngestionService(source, lake, FixedClock(T0 + HOUR_S + 300))
    result = service.ingest_window("phones", WINDOW.start_ts, WINDOW.end_ts)
    assert result.quarantined_count == COUNT // share
    assert result.submissions_count == COUNT - COUNT // share
    assert len(lake.objects[result.s3_prefix + "quarantine.jsonl"].splitlines()) == COUNT // share
