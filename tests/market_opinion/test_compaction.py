"""Compaction shows what the view shows: the newest of every item, nothing of what was deleted, whatever was landed."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from market_opinion import compaction
from market_opinion.compaction import Source, compact
from market_opinion.tables import ITEMS
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.errors import DamagedState
from reddit_ingest.core.keys import COMMENTS, KINDS, SUBMISSIONS
from reddit_ingest.core.manifest import sha256_hex
from reddit_ingest.core.tombstones import Reason, Tombstone, expired
from reddit_ingest.core.windows import Window
from reddit_ingest.erasure import Erasure
from reddit_ingest.view import graves, manifests

from ..fakes import MemoryLake
from ..lakes import T0
from .landing import DAY, PLACE, Row, bury, comment, kind_of, land, shown, submission

ALWAYS = Window(T0 - DAY, T0 + 100 * DAY)


def sources(lake: MemoryLake) -> list[Source]:
    return [
        Source(folder, landed)
        for folder, manifest in manifests(lake, PLACE)
        for landed in manifest.objects
        if landed.kind in KINDS
    ]


def compacted(lake: MemoryLake, span: Window = ALWAYS) -> list[Row]:
    rows: list[Row] = compact(lake, sources(lake), span, graves(lake, PLACE)).to_pylist()
    return rows


def as_viewed(lake: MemoryLake) -> list[Row]:
    """The view's rows with the columns of a compacted table, in its order."""
    names = [name for name in ITEMS.names if name not in ("kind", "link_title")]
    rows = [{**{name: row.get(name) for name in names}, "kind": kind_of(row)} for row in shown(lake).values()]
    return sorted(rows, key=lambda row: (row["created_utc"], row["fullname"]))


def without_titles(rows: list[Row]) -> list[Row]:
    return [{name: value for name, value in row.items() if name != "link_title"} for row in rows]


texts = st.one_of(
    st.sampled_from(
        ["", "[deleted]", "[removed]", "see /r/phones/comments/s1/the_title/", "\x00 \u2028 \x85 😀", "ok"]
    ),
    st.text(st.characters(codec="utf-8"), max_size=20),
)


@st.composite
def observation(draw: st.DrawFn) -> Row:
    seen = draw(st.sampled_from([DAY, DAY, 2 * DAY, 3 * DAY]))
    fields: dict[str, Any] = {"score": draw(st.integers(-5, 5)), "author": draw(st.sampled_from(["a", "b", None]))}
    number = draw(st.integers(0, 4))
    if draw(st.booleans()):
        row = submission(f"s{number}", number * 7_000, seen, title=draw(texts), selftext=draw(texts), **fields)
    else:
        told = draw(st.sampled_from([{}, {"link_title": "the title"}, {"link_title": None}]))
        link = f"s{draw(st.integers(0, 4))}"
        row = comment(f"c{number}", draw(texts), number * 9_000, seen, link, **fields, **told)
    return expired(row, kind_of(row)) if draw(st.integers(0, 9)) == 0 else row


@st.composite
def tombstone(draw: st.DrawFn) -> Tombstone:
    name = draw(st.sampled_from(["t1_c", "t3_s"])) + str(draw(st.integers(0, 4)))
    return Tombstone(name, T0, draw(st.sampled_from([*Reason])), T0 + draw(st.sampled_from([0, 2 * DAY, 9 * DAY])))


@settings(max_examples=80)
@given(
    st.lists(st.lists(observation(), min_size=1, max_size=6), min_size=1, max_size=4), st.lists(tombstone(), max_size=3)
)
def test_it_shows_what_the_view_shows(attempts: list[list[Row]], buried: list[Tombstone]) -> None:
    lake = MemoryLake()
    for attempt in attempts:
        # One item has one text at one attempt.
        land(lake, list({row["fullname"]: row for row in attempt}.values()))
    bury(Erasure(lake, lake, lake, FixedClock(T0)), buried)
    assert without_titles(compacted(lake)) == as_viewed(lake)


def test_only_what_was_created_in_the_span_is_there() -> None:
    lake = MemoryLake()
    land(lake, [comment(f"c{hour}", "x", hour * 3_600) for hour in range(48)])
    names = [row["fullname"] for row in compacted(lake, Window(T0 + DAY, T0 + DAY + 7_200))]
    assert names == ["t1_c24", "t1_c25"]


def test_the_title_of_a_thread_is_kept_from_the_newest_look_that_told_it() -> None:
    lake = MemoryLake()
    land(lake, [comment("c", "old", seen=1, link_title="First"), comment("d", "x", seen=1, created=5)])
    land(lake, [comment("c", "new", seen=2, link_title="Second")])
    land(lake, [comment("c", "newest", seen=3)])
    assert [(row["body"], row["link_title"]) for row in compacted(lake)] == [("newest", "Second"), ("x", None)]


def test_the_title_of_a_thread_that_is_gone_is_not_told() -> None:
    lake = MemoryLake()
    land(lake, [comment("c", "mine", link_title="Do not say this")])
    bury(Erasure(lake, lake, lake, FixedClock(T0)), [Tombstone("t3_s", T0, Reason.FORGOTTEN, T0)])
    assert [(row["body"], row["link_title"]) for row in compacted(lake)] == [("mine", None)]


def test_an_item_of_which_sources_tell_different_times_is_there_once() -> None:
    lake = MemoryLake()
    land(lake, [comment("c", "old", created=5, seen=1), comment("d", "x", created=6, seen=1)])
    land(lake, [comment("c", "new", created=7, seen=2)])
    assert [(row["fullname"], row["body"]) for row in compacted(lake)] == [("t1_d", "x"), ("t1_c", "new")]


@pytest.mark.parametrize(
    "row",
    [
        comment("c", "see /r/phones/comments/gone/do_not_say/"),
        submission("c", title="about /r/phones/comments/gone/do_not_say/"),
        submission("c", selftext="see /r/phones/comments/gone/do_not_say/"),
    ],
)
def test_a_link_to_a_thread_that_is_gone_does_not_say_its_title(row: Row) -> None:
    lake = MemoryLake()
    land(lake, [row])
    bury(Erasure(lake, lake, lake, FixedClock(T0)), [Tombstone("t3_gone", T0, Reason.FORGOTTEN, T0)])
    assert without_titles(compacted(lake)) == as_viewed(lake)
    assert "do_not_say" not in str(compacted(lake))


@pytest.mark.parametrize("odd", [{"score": "many"}, {"score": 2**70}, {"edited": {}}])
def test_a_value_of_another_type_costs_that_value_only(odd: Row) -> None:
    lake = MemoryLake()
    land(lake, [{**comment("c", "x"), **odd}, comment("d", "y", created=1)])
    rows = compacted(lake)
    assert [(row["fullname"], row["body"]) for row in rows] == [("t1_c", "x"), ("t1_d", "y")]
    assert [rows[0][name] for name in odd] == [None]


def test_an_item_is_read_line_by_line_only_where_the_view_has_to_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[frozenset[str] | None] = []
    by_the_view: Callable[..., pa.Table] = compaction._by_the_view
    monkeypatch.setattr(compaction, "_by_the_view", lambda *args: (asked.append(args[-1]), by_the_view(*args))[1])
    lake = MemoryLake()
    land(lake, [comment("same", "x"), comment("other", "x", created=1), comment("plain", "x", created=2)])
    land(lake, [comment("same", "x"), comment("other", "y", created=1)], at=3_600)
    assert without_titles(compacted(lake)) == as_viewed(lake)
    assert asked == [frozenset({"t1_other"})]


def test_compressed_objects_are_read_too() -> None:
    lake = MemoryLake()
    lines = [json.dumps(comment(name, name)).encode() + b"\n" for name in ("a", "b")]
    # An import appends one frame to another.
    content = b"".join(map(zstandard.ZstdCompressor().compress, lines))
    lake.objects["x/comments.jsonl.zst"] = content
    land(lake, [submission("s")])
    (plain,) = sources(lake)
    landed = replace(plain.landed, name="comments.jsonl.zst", kind=COMMENTS, sha256=sha256_hex(content))
    rows = compact(lake, [plain, Source("x/", landed)], ALWAYS, graves(lake, PLACE)).to_pylist()
    assert [row["fullname"] for row in rows] == ["t1_a", "t1_b", "t3_s"]


@pytest.mark.parametrize(
    "damage", [lambda old: old.replace(b"Title", b"Tilte"), lambda old: old[:-40], lambda old: b""]
)
def test_an_object_with_other_bytes_than_its_manifest_says_is_damage(damage: Callable[[bytes], bytes]) -> None:
    lake = MemoryLake()
    land(lake, [submission("s")])
    (source,) = sources(lake)
    lake.objects[source.key] = damage(lake.objects[source.key])
    with pytest.raises(DamagedState, match="restore it from a copy"):
        compacted(lake)


def test_a_temporary_folder_with_a_quote_in_its_name_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "o'neil").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "o'neil"))
    monkeypatch.setattr(compaction, "_by_the_view", None)  # it is not needed
    lake = MemoryLake()
    land(lake, [comment("c", "x")])
    assert [row["body"] for row in compacted(lake)] == ["x"]


def test_nothing_landed_is_an_empty_table() -> None:
    table = compact(MemoryLake(), [], ALWAYS, graves(MemoryLake(), PLACE))
    assert (table.schema, table.num_rows) == (ITEMS, 0)


def test_rows_of_both_kinds_stand_in_one_order() -> None:
    lake = MemoryLake()
    land(lake, [comment("b", "x", 5), submission("a", 5), submission("z", 1), comment("c", "x", 9)])
    assert [row["fullname"] for row in compacted(lake)] == ["t3_z", "t1_b", "t3_a", "t1_c"]
    assert {row["kind"] for row in compacted(lake)} == {COMMENTS, SUBMISSIONS}
