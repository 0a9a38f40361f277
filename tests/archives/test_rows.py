"""The short way and the long way give the same row; what holds no row is told, never guessed."""

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reddit_ingest.archives.rows import RowMaker, UnreadableLine, kind_of_line
from reddit_ingest.core.authors import AuthorKey

from .making import MARCH, NOW, comment, line, submission


def maker(kind: str = "comments", *wanted: str, start: int = 0, end: int = 2**40, **more: Any) -> RowMaker:
    return RowMaker(kind, "dump:x", wanted=frozenset(wanted) or None, start_ts=start, end_ts=end, latest_ts=NOW, **more)


def both_ways(raw: bytes, kind: str) -> tuple[Any, Any]:
    short, long = maker(kind).entry(raw), maker(kind)._the_long_way(raw)
    assert short
    assert long
    return (*short[:4], json.loads(short[4])), (*long[:4], json.loads(long[4]))


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
extras = st.dictionaries(
    st.text(max_size=8) | st.sampled_from(["score", "gilded", "replies", "retrieved_utc", "raw", "fullname"]),
    values,
    max_size=6,
)
edits = st.fixed_dictionaries(
    {},
    optional={
        "author": st.sampled_from([None, "", "[deleted]", "somebody", 7]),
        "edited": st.sampled_from([None, False, True, 0, 1, MARCH, float(MARCH), 10**12, "yes"]),
        "all_awardings": st.sampled_from([None, [], False, [{"name": "Gold"}], {}]),
        "created_utc": st.sampled_from([MARCH, float(MARCH), str(MARCH)]),
        "retrieved_on": st.sampled_from([None, MARCH - 1, MARCH + 5, "later", 2**40]),
        "_meta": st.sampled_from([None, {}, {"was_deleted_later": True, "removal_type": "deleted"}, 3]),
        "name": st.sampled_from([None, "", "t1_other", "t3_c000001", 5]),
    },
)


@given(st.sampled_from(["comments", "submissions"]), extras, edits, st.booleans())
def test_both_ways_give_the_same_row(kind: str, extra: dict[str, Any], edit: dict[str, Any], escaped: bool) -> None:
    plain = {"comments": comment, "submissions": submission}[kind](1, MARCH)
    extra.pop("created_utc", None)
    raw = json.dumps({**plain, **extra, **edit}, ensure_ascii=escaped).encode(errors="surrogatepass")
    short, long = both_ways(raw, kind)
    assert short == long


odd = st.dictionaries(
    st.sampled_from(["locked", "distinguished", "score", "saved", "likes", "aa", "zz", "awards", "source", "looked"]),
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3) | st.just([]),
    max_size=5,
)


@given(st.sampled_from(["comments", "submissions"]), st.lists(st.tuples(odd, st.booleans()), min_size=2, max_size=8))
def test_what_was_learned_of_other_rows_changes_none(kind: str, rows: list[tuple[dict[str, Any], bool]]) -> None:
    made, other = maker(kind), maker(kind)
    for number, (extra, is_backwards) in enumerate(rows):
        fields = {**{"comments": comment, "submissions": submission}[kind](number, MARCH), **extra}
        raw = line(dict(reversed(fields.items())) if is_backwards else fields)
        short, long = made.entry(raw), other._the_long_way(raw)
        assert short
        assert long
        assert json.loads(short[4]) == json.loads(long[4])


def test_a_row_with_nothing_under_raw_is_a_row() -> None:
    bare = {"body": "x", "created_utc": MARCH, "id": "c1", "subreddit": "Smartphones"}
    short, long = both_ways(line(bare), "comments")
    assert short == long
    assert short[4]["raw"] == {}


def test_both_ways_give_the_same_rows_of_real_dumps(shared_data: Path) -> None:
    for name, kind in (("AskWomen_2019-10_submissions", "submissions"), ("RC_2005-12_comments", "comments")):
        packed = (shared_data / "reddit" / "pushshift" / f"{name}.ndjson.gz").read_bytes()
        lines = gzip.decompress(packed).split(b"\n")[:-1]
        made = maker(kind)
        for raw in lines[::7]:
            short, long = made.entry(raw), made._the_long_way(raw)
            assert short
            assert long
            assert (*short[:4], json.loads(short[4])) == (*long[:4], json.loads(long[4]))
            # Quotes are found byte for byte, so nothing that UTF-8 can say is written as an escape.
            assert short[4] == msgspec.json.encode(json.loads(short[4])) + b"\n"


def test_a_row_says_when_its_archive_looked() -> None:
    looked = json.loads(maker().entry(line(comment(1, MARCH)))[4])  # type: ignore[index]
    assert looked["observed_at_ts"] == MARCH + 11
    unsaid = json.loads(maker().entry(line(comment(1, MARCH, retrieved_on=None)))[4])  # type: ignore[index]
    assert unsaid["observed_at_ts"] == MARCH
    assert (looked["source"], looked["fullname"], looked["raw"]["retrieved_on"]) == ("dump:x", "t1_c000001", MARCH + 11)


def test_what_the_archive_found_deleted_later_is_not_landed() -> None:
    meta = {"was_deleted_later": True, "removal_type": "deleted", "retrieved_2nd_on": MARCH + 99}
    made = maker()
    made.entry(line(comment(1, MARCH)))
    row = json.loads(made.entry(line(comment(2, MARCH, _meta=meta)))[4])  # type: ignore[index]
    assert (row["body"], row["author"], row["observed_at_ts"]) == ("[deleted]", None, MARCH + 99)


def test_only_what_is_asked_for_comes_back() -> None:
    made = maker("comments", "smartphones", start=MARCH, end=MARCH + 10)
    assert made.entry(line(comment(1, MARCH + 9)))
    assert made.entry(line(comment(1, MARCH + 10))) is None
    assert made.entry(line(comment(1, MARCH - 1))) is None
    assert made.entry(line(comment(1, MARCH, "android"))) is None
    assert made.met == {"smartphones"}


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"not json",
        b"[1]",
        b"null",
        b'{"a":' * 100_000,
        line(submission(1, MARCH)),
        line(comment(1, MARCH)).replace(b"Number", b"Num\xffber"),
        line(comment(1, MARCH, created_utc=None)),
        line(comment(1, 7)),
        line(comment(1, NOW + 10)),
        b"",
    ],
)
def test_a_line_that_holds_no_row_of_this_kind_is_told(raw: bytes) -> None:
    with pytest.raises(UnreadableLine):
        maker().entry(raw)


@pytest.mark.parametrize("raw", [
    line(comment(1, MARCH, id=None, name=None)),
    line(comment(1, MARCH)).replace(b"Number", b"\\ud83d Number"),
    line(comment(1, MARCH)).replace(b'"score":1', b'"score":NaN'),
])  # fmt: skip
def test_a_row_that_cannot_be_stored_goes_to_the_quarantine(raw: bytes) -> None:
    entry = maker().entry(raw)
    assert entry
    assert entry[:3] == ("smartphones", "quarantine", MARCH)
    assert json.loads(entry[4])["kind"] == "comments"


def test_rows_that_no_folder_can_have_are_counted() -> None:
    made = maker()
    for name in ("t:heatdeath", "../../etc", None, "../../etc"):
        assert made.entry(line(comment(1, MARCH, subreddit=name))) is None  # type: ignore[arg-type]
    assert made.unplaced == {"t:heatdeath": 1, "../../etc": 2, "None": 1}


def test_a_dump_may_bring_more_names_of_fields_than_are_learned() -> None:
    made = maker()
    for number in range(600):
        entry = made.entry(line(comment(number, MARCH, **{f"field_{number}": number})))
        assert entry
        assert json.loads(entry[4])["raw"][f"field_{number}"] == number


def test_hashed_authors_are_hashed() -> None:
    entry = maker(authors=AuthorKey("ab" * 32)).entry(line(comment(1, MARCH)))
    assert entry
    assert b"writer_1" not in entry[4]


def test_the_kind_is_told_from_a_row() -> None:
    assert kind_of_line(line(comment(1, MARCH))) == "comments"
    assert kind_of_line(line(submission(1, MARCH))) == "submissions"
    assert kind_of_line(b'{"subreddit":"x"}') is None
    assert kind_of_line(b"{") is None
