"""The raw search never misses a row, whatever it looks like, and lines are cut on `\\n` only."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reddit_ingest.archives.candidates import Blocks, Candidates, RawSearchFails, Unreadable
from reddit_ingest.serializers import MAX_LINE_BYTES

from .making import MARCH, comment, line, submission

WANTED = frozenset({"smartphones"})


def blocks(*pieces: bytes) -> tuple[list[bytes], Unreadable]:
    unreadable = Unreadable()
    return list(Blocks(unreadable).of(pieces)), unreadable


def found(data: bytes, wanted: frozenset[str] = WANTED) -> list[bytes]:
    return Candidates(wanted).of(data)


@given(st.lists(st.binary(max_size=60), max_size=30), st.integers(1, 50))
def test_blocks_hold_the_same_lines_however_the_pieces_are_cut(parts: list[bytes], size: int) -> None:
    data = b"\n".join(parts)
    pieces = [data[place : place + size] for place in range(0, len(data), size)]
    whole = b"".join(blocks(*pieces)[0])
    assert whole == (data if data.endswith(b"\n") or not data else data + b"\n")
    assert all(block.endswith(b"\n") for block in blocks(*pieces)[0])


def test_other_line_ends_in_a_text_are_no_line_ends() -> None:
    row = comment(1, MARCH, body="a\u2028b\u0085c\x0bd\x0ce\x1cf\r")
    lines = found(line(row) + line(comment(2, MARCH)))
    assert [json.loads(raw)["id"] for raw in lines] == ["c000001", "c000002"]


def test_crlf_and_blank_lines_do_no_harm() -> None:
    data = b"\r\n".join(line(comment(n, MARCH))[:-1] for n in range(3)) + b"\r\n\r\n\n"
    assert len(found(data)) == 3
    assert len(Candidates(None).of(data)) == 3


def test_a_line_over_the_limit_is_passed_over_and_told_with_its_place() -> None:
    long = b'{"body":"' + b"x" * (MAX_LINE_BYTES + 300_000) + b'"}\n'
    data = line(comment(1, MARCH)) + long + line(comment(2, MARCH))
    pieces = [data[place : place + 100_000] for place in range(0, len(data), 100_000)]
    whole, unreadable = blocks(*pieces)
    assert b"".join(whole) == line(comment(1, MARCH)) + line(comment(2, MARCH))
    assert unreadable.count == 1
    assert f"at byte {len(line(comment(1, MARCH))):,}" in unreadable.first


@pytest.mark.parametrize(
    "row",
    [
        comment(1, MARCH),
        comment(1, MARCH, "SMARTPHONES"),
        submission(1, MARCH, crosspost_parent_list=[{"subreddit": "pics"}]),
        {"crosspost_parent_list": [{"subreddit": "pics"}], **submission(1, MARCH)},
    ],
)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" , ", " : ")])
def test_a_row_is_found_in_any_spelling_and_spacing(row: dict[str, Any], separators: tuple[str, str]) -> None:
    data = json.dumps(row, separators=separators).encode() + b"\n"
    assert found(line(comment(7, MARCH, "pics")) + data) == [data[:-1]]


def test_a_row_whose_subreddit_is_written_with_escapes_is_found() -> None:
    data = line(comment(1, MARCH)).replace(b'"Smartphones"', b'"Sm\\u0061rtphones"')
    assert found(data) == [data[:-1]]


def test_a_crosspost_from_the_subreddit_is_a_candidate_and_for_the_parser_to_refuse() -> None:
    row = submission(1, MARCH, "pics", crosspost_parent_list=[{"subreddit": "Smartphones"}])
    assert len(found(line(row))) == 1
    assert found(line(submission(2, MARCH, "pics", selftext='"subreddit":"Smartphones"'))) == []


def test_a_row_of_no_subreddit_is_nobodys() -> None:
    assert found(line(comment(1, MARCH, subreddit=None)) + line(comment(2, MARCH))) == [line(comment(2, MARCH))[:-1]]


def test_a_form_that_the_search_would_miss_is_noticed() -> None:
    strange = line(comment(1, MARCH)).replace(b'"subreddit"', b'"subr\\u0065ddit"')
    with pytest.raises(RawSearchFails):
        Candidates(WANTED).of(strange)
    looking = Candidates(WANTED)
    for _ in range(64):
        looking.of(line(comment(2, MARCH)))
    with pytest.raises(RawSearchFails):
        looking.of(strange)


def searching(*items: dict[str, Any], wanted: frozenset[str] = WANTED) -> Candidates:
    looking = Candidates(wanted)
    for item in items:
        looking.of(line(item))
    return looking


def test_once_a_name_was_met_its_rows_are_found_by_the_bytes_it_was_met_in() -> None:
    looking = searching(comment(1, MARCH, "pics"), comment(2, MARCH))
    block = b"".join(line(comment(n, MARCH, "Smartphones" if n in (4, 9) else "pics")) for n in range(12))
    for _ in range(20):
        assert [json.loads(raw)["id"] for raw in looking.of(block)] == ["c000004", "c000009"]


def test_two_names_are_looked_for_until_both_were_met() -> None:
    wanted = frozenset({"smartphones", "android"})
    looking = searching(comment(1, MARCH), comment(2, MARCH, "ANDROID"), wanted=wanted)
    block = line(comment(3, MARCH)) + line(comment(4, MARCH, "pics")) + line(comment(5, MARCH, "ANDROID"))
    for _ in range(20):
        assert [json.loads(raw)["id"] for raw in looking.of(block)] == ["c000003", "c000005"]
    early = searching(comment(1, MARCH), comment(1, MARCH), wanted=wanted)
    assert len(early.of(line(comment(2, MARCH, "ANDROID")))) == 1


@pytest.mark.parametrize("other", [comment(7, MARCH, "SmartPhones"), None])
def test_another_way_to_write_a_met_name_is_noticed(other: dict[str, Any] | None) -> None:
    looking = searching(comment(1, MARCH))
    strange = line(other) if other else json.dumps(comment(7, MARCH)).encode() + b"\n"
    with pytest.raises(RawSearchFails):
        list(map(looking.of, [strange] * 8))


def test_rows_gone_by_are_estimated_from_those_that_were_looked_at() -> None:
    looking = searching(*(comment(n, MARCH) for n in range(400)))
    assert abs(looking.rows - 400) < 20


names = st.sampled_from(["Smartphones", "smartphones", "Smartphone", "pics", "SmartphonesX", "u_smartphones"])
rows = st.builds(
    lambda name, outer, texts, first: (
        {"crosspost_parent_list": [{"subreddit": outer}], "subreddit": name, "body": texts}
        if first
        else {"subreddit": name, "body": texts, "crosspost_parent_list": [{"subreddit": outer}]}
    ),
    names,
    names,
    st.text(max_size=30) | names,
    st.booleans(),
)


@given(st.lists(rows, max_size=12), st.sampled_from([WANTED, frozenset({"pics", "smartphones", "smartphone"})]))
def test_the_search_finds_every_row_that_parsing_finds(items: list[dict[str, Any]], wanted: frozenset[str]) -> None:
    data = b"".join(map(line, items))
    sought = [line(item)[:-1] for item in items if item["subreddit"].lower() in wanted]
    lines = found(data, wanted) if data else []
    assert [raw for raw in lines if json.loads(raw)["subreddit"].lower() in wanted] == sought
