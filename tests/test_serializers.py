import json
import math
from collections.abc import Mapping
from typing import Any

import praw
import prawcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reddit_ingest.core.errors import PoisonedRecord
from reddit_ingest.core.manifest import SCHEMA_VERSION
from reddit_ingest.serializers import (
    MAX_LINE_BYTES,
    CommentSerializer,
    SubmissionSerializer,
    encode_row,
    quarantine_line,
)

NOON = 1_767_268_800

SUBMISSION: dict[str, Any] = {
    "id": "1abc2d",
    "name": "t3_1abc2d",
    "subreddit": "Android",
    "subreddit_id": "t5_2qlqh",
    "created_utc": float(NOON),
    "author": "somebody",
    "author_fullname": "t2_abc",
    "title": "Pixel or iPhone?",
    "selftext": "Which one?",
    "selftext_html": "<p>Which one?</p>",
    "edited": False,
    "score": 12,
    "num_comments": 3,
    "permalink": "/r/Android/comments/1abc2d/pixel_or_iphone/",
    "url": "https://www.reddit.com/r/Android/comments/1abc2d/pixel_or_iphone/",
    "all_awardings": [{"name": "Silver", "count": 2}],
    "media_metadata": None,
    "preview": {"images": [{"id": "x"}], "enabled": True},
    "a_field_of_tomorrow": {"deep": [1, None, "ü"]},
}
COMMENT: dict[str, Any] = {
    "id": "n0p1q2r3s4t5u",
    "name": "t1_n0p1q2r3s4t5u",
    "subreddit": "Android",
    "subreddit_id": "t5_2qlqh",
    "created_utc": float(NOON + 60),
    "author": "reader",
    "body": "The Pixel, mine lasts two days.",
    "body_html": "<p>The Pixel</p>",
    "link_id": "t3_1abc2d",
    "parent_id": "t3_1abc2d",
    "score": 1,
    "score_hidden": True,
    "controversiality": 0,
    "edited": 1_767_268_999.0,
    "replies": "",
    "depth": 0,
    "another_field_of_tomorrow": [1, 2],
}


def submission(**changed: Any) -> dict[str, Any]:
    return {**SUBMISSION, **changed}


def comment(**changed: Any) -> dict[str, Any]:
    return {**COMMENT, **changed}


def row_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of an item, read back from the line it becomes."""
    serializer = CommentSerializer() if str(item.get("name", "")).startswith("t1_") else SubmissionSerializer()
    return json.loads(encode_row(serializer.to_dict(item)).data)  # type: ignore[no-any-return]


def test_a_submission_becomes_a_row_of_typed_fields_and_the_rest() -> None:
    row = SubmissionSerializer("reddit-api", NOON + 999).to_dict(SUBMISSION)
    assert row["fullname"] == "t3_1abc2d"
    assert row["id"] == "1abc2d"
    assert row["created_utc"] == NOON
    assert type(row["created_utc"]) is int
    assert (row["author"], row["title"], row["selftext"]) == ("somebody", "Pixel or iPhone?", "Which one?")
    assert row["awards"] == [{"name": "Silver", "count": 2}]
    assert (row["source"], row["observed_at_ts"], row["schema_version"]) == ("reddit-api", NOON + 999, SCHEMA_VERSION)
    assert row["link_flair_text"] is None
    assert row["raw"] == {
        key: SUBMISSION[key] for key in ("selftext_html", "media_metadata", "preview", "a_field_of_tomorrow")
    }


def test_a_comment_becomes_a_row_and_its_replies_are_left_to_their_own_rows() -> None:
    replies = {"kind": "Listing", "data": {"children": [{"kind": "t1", "data": COMMENT}]}}
    row = CommentSerializer().to_dict(comment(replies=replies))
    assert (row["fullname"], row["link_id"], row["parent_id"]) == ("t1_n0p1q2r3s4t5u", "t3_1abc2d", "t3_1abc2d")
    assert row["edited"] == 1_767_268_999
    assert type(row["edited"]) is int
    assert row["raw"] == {key: COMMENT[key] for key in ("body_html", "depth", "another_field_of_tomorrow")}
    assert "replies" not in row


def test_rows_of_a_kind_always_have_the_same_fields() -> None:
    bare_submission = {"name": "t3_a", "created_utc": NOON}
    bare_comment = {"name": "t1_a", "created_utc": NOON}
    assert list(SubmissionSerializer().to_dict(bare_submission)) == list(SubmissionSerializer().to_dict(SUBMISSION))
    assert list(CommentSerializer().to_dict(bare_comment)) == list(CommentSerializer().to_dict(COMMENT))


@pytest.mark.parametrize("field", ["crosspost_parent_list", "poll_data", "brand_new_2027", "_odd", "raw", "source"])
@pytest.mark.parametrize("value", [None, [], {}, False, "", 0, {"x": [1.5, "ü"]}], ids=repr)
def test_fields_that_the_schema_does_not_know_survive(field: str, value: Any) -> None:
    assert row_of(submission(**{field: value}))["raw"][field] == value


@pytest.mark.parametrize("author", [None, "", "[deleted]"])
def test_a_deleted_author_is_null_and_the_text_is_kept(author: str | None) -> None:
    assert row_of(submission(author=author))["author"] is None
    row = row_of(comment(author=author))
    assert (row["author"], row["body"]) == (None, COMMENT["body"])


def test_an_author_that_is_missing_is_null() -> None:
    without = {key: value for key, value in SUBMISSION.items() if key != "author"}
    assert row_of(without)["author"] is None


@pytest.mark.parametrize("name", ["None", "null", "deleted", "_", "0"])
def test_an_account_with_an_odd_name_is_an_author(name: str) -> None:
    assert row_of(comment(author=name))["author"] == name


@pytest.mark.parametrize(
    ("edited", "stored"),
    [(False, None), (None, None), (True, None), (float(NOON), NOON), (NOON, NOON), (0, None), ("", None)],
)
def test_edited_is_the_second_of_the_edit_or_null(edited: Any, stored: int | None) -> None:
    assert row_of(comment(edited=edited))["edited"] == stored


@pytest.mark.parametrize("created", [NOON, float(NOON), NOON + 0.9, str(NOON)], ids=repr)
def test_created_utc_is_a_whole_second_in_whatever_form_it_comes(created: Any) -> None:
    assert row_of(submission(created_utc=created))["created_utc"] == NOON


POISON = {
    "missing": ...,
    "null": None,
    "zero": 0,
    "negative": -1,
    "NaN": math.nan,
    "infinity": math.inf,
    "1e309 as JSON reads it": json.loads("1e309"),
    "milliseconds": NOON * 1000,
    "true": True,
    "an ISO text": "2026-01-01T12:00:00Z",
    "a fraction as text": "1767268800.5",
    "empty text": "",
    "a list": [NOON],
    "5,000 digits": "1" * 5_000,
}


@pytest.mark.parametrize("created", POISON.values(), ids=POISON.keys())
def test_a_record_without_a_usable_time_is_poisoned_and_named(created: Any) -> None:
    item = submission(created_utc=created)
    if created is ...:
        del item["created_utc"]
    with pytest.raises(PoisonedRecord, match="t3_1abc2d: unusable created_utc"):
        SubmissionSerializer().to_dict(item)


@pytest.mark.parametrize(
    "ids", [{}, {"id": None}, {"id": ""}, {"id": 5}, {"name": "t3_"}, {"name": "t1_abc"}, {"name": None, "id": []}]
)
def test_a_record_without_an_id_is_poisoned(ids: dict[str, Any]) -> None:
    item = {key: value for key, value in SUBMISSION.items() if key not in ("id", "name")} | ids
    with pytest.raises(PoisonedRecord, match="no id"):
        SubmissionSerializer().to_dict(item)


def test_an_archived_record_without_a_name_is_named_by_its_id() -> None:
    archived = {key: value for key, value in COMMENT.items() if key != "name"}
    assert CommentSerializer().to_dict(archived)["fullname"] == "t1_n0p1q2r3s4t5u"


def nested(depth: int) -> Any:
    value: Any = "core"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "fields",
    [
        {"score": math.nan},
        {"upvote_ratio": math.inf},
        {"score": json.loads("1e309")},
        {"new": {"deep": [-math.inf]}},
        {"title": "half \ud83d an emoji"},
        {"new": ["\udc00"]},
        {"new": nested(100_000)},
        {"selftext": "x" * MAX_LINE_BYTES},
        {"selftext": "ü" * (MAX_LINE_BYTES // 2)},
        {"id": "a\ud800", "name": "t3_a\ud800"},
    ],
    ids=["NaN", "infinity", "1e309", "deep infinity", "half an emoji", "half in raw", "depth", "4 MiB", "UTF-8", "id"],
)
def test_a_record_that_cannot_be_written_as_one_json_line_is_poisoned(fields: dict[str, Any]) -> None:
    with pytest.raises(PoisonedRecord) as poisoned:
        encode_row(SubmissionSerializer().to_dict(submission(**fields)))
    assert "t3_" in str(poisoned.value)
    assert len(str(poisoned.value)) <= 200


@pytest.mark.parametrize("edited", [math.inf, json.loads("1e309"), -math.inf, math.nan], ids=repr)
@pytest.mark.parametrize("item", [SUBMISSION, COMMENT], ids=["submission", "comment"])
def test_an_edit_at_no_possible_time_is_landed_or_poisoned(item: dict[str, Any], edited: float) -> None:
    try:
        assert row_of({**item, "edited": edited})["edited"] is None
    except PoisonedRecord:
        return


TEXTS = {
    "40,000 characters": "word " * 8_000,
    "40,000 emoji": "😀" * 40_000,
    "NUL": "a\0b",
    "CR and LF": "a\r\nb\rc\nd",
    "U+2028 and its kin": "a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg",
    "quotes": "\"'\\/`</script>&amp;",
    "empty": "",
    "right to left": "\u202eabc",
    "byte order mark": "\ufeffabc",
    "combining": "e\u0301\u200d",
    "deleted": "[deleted]",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_text_is_landed_character_for_character_on_one_line(text: str) -> None:
    line = encode_row(CommentSerializer().to_dict(comment(body=text)))
    assert line.data.endswith(b"}\n")
    assert line.data.count(b"\n") == 1
    assert json.loads(line.data)["body"] == text
    assert line.created_utc == NOON + 60


def test_text_that_needs_no_escape_is_found_in_the_line_byte_for_byte() -> None:
    quote = "Müde Akkus 😀 – “never again”"
    assert quote.encode() in encode_row(CommentSerializer().to_dict(comment(body=quote))).data


def test_a_line_just_below_the_limit_is_landed() -> None:
    size = len(encode_row(SubmissionSerializer().to_dict(submission(selftext=""))).data)
    line = encode_row(SubmissionSerializer().to_dict(submission(selftext="x" * (MAX_LINE_BYTES - size + 1))))
    assert len(line.data) == MAX_LINE_BYTES + 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
any_fields = st.dictionaries(st.sampled_from([*SUBMISSION, *COMMENT]) | st.text(), json_values, max_size=12)


@given(any_fields, st.sampled_from([SUBMISSION, COMMENT]))
def test_whatever_json_an_object_holds_is_landed_and_nothing_of_it_is_lost(
    fields: dict[str, Any], base: dict[str, Any]
) -> None:
    item = {**base, **fields, "name": base["name"], "created_utc": base["created_utc"]}
    row = row_of(item)
    for key, value in item.items():
        if key in ("name", "id", "author", "edited", "created_utc", "all_awardings", "replies"):
            continue
        assert (row["raw"][key] if key in row["raw"] else row[key]) == value
    assert row["fullname"] == base["name"]


@given(st.dictionaries(st.sampled_from([*SUBMISSION, *COMMENT]), json_values | st.floats() | st.text(st.characters())))
def test_any_object_is_landed_or_poisoned_and_never_anything_else(fields: dict[str, Any]) -> None:
    for serializer in (SubmissionSerializer(), CommentSerializer()):
        try:
            line = encode_row(serializer.to_dict(fields))
        except PoisonedRecord:
            continue
        assert line.data.count(b"\n") == 1


@pytest.mark.parametrize(
    "item",
    [
        {"id": "x", "created_utc": math.nan},
        {"title": "\ud800", "text": "a\nb\u2028"},
        {"deep": nested(100_000)},
        {"self": object()},
        {},
        None,
        "text",
    ],
    ids=["NaN", "half", "depth", "object", "empty", "null", "text"],
)
def test_what_cannot_be_landed_is_kept_in_quarantine_with_the_reason(item: Any) -> None:
    line = quarantine_line(item, "submissions", "no id: name=None", NOON)
    kept = json.loads(line.data)
    assert line.data.count(b"\n") == 1
    assert line.created_utc is None
    assert (kept["kind"], kept["reason"], kept["observed_at_ts"]) == ("submissions", "no id: name=None", NOON)
    assert isinstance(kept["record"], str)


def test_the_record_in_quarantine_can_be_read_again() -> None:
    item = submission(created_utc=None, title="\ud83d half")
    kept = json.loads(quarantine_line(item, "submissions", "", NOON).data)
    assert json.loads(kept["record"]) == item


# PRAW's own objects: whatever they are asked for, no request is made.


class NoNetwork(prawcore.Requestor):
    """Fails the test that makes a request."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError(f"a request was made: {args}")


@pytest.fixture
def reddit() -> praw.Reddit:
    return praw.Reddit(
        client_id="x",
        client_secret="y",
        user_agent="test:market-opinion:v1 (by /u/nobody)",
        requestor_class=NoNetwork,
        check_for_updates=False,
        check_for_async=False,
    )


def shared(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "raw"}


def test_a_praw_submission_gives_the_row_of_its_dict_without_a_request(reddit: praw.Reddit) -> None:
    from_praw = SubmissionSerializer().to_dict(praw.models.Submission(reddit, _data=dict(SUBMISSION)))
    from_dict = SubmissionSerializer().to_dict(SUBMISSION)
    assert shared(from_praw) == shared(from_dict)
    assert from_dict["raw"].items() <= from_praw["raw"].items()
    encode_row(from_praw)


def test_a_praw_comment_gives_the_row_of_its_dict_without_a_request(reddit: praw.Reddit) -> None:
    from_praw = CommentSerializer().to_dict(praw.models.Comment(reddit, _data=dict(COMMENT)))
    from_dict = CommentSerializer().to_dict(COMMENT)
    assert shared(from_praw) == shared(from_dict)
    assert from_dict["raw"].items() <= from_praw["raw"].items()
    encode_row(from_praw)


def test_the_deleted_author_of_a_praw_object_is_null(reddit: praw.Reddit) -> None:
    made = praw.models.Comment(reddit, _data=comment(author="[deleted]"))
    assert CommentSerializer().to_dict(made)["author"] is None


def test_a_praw_submission_that_lacks_fields_costs_no_request(reddit: praw.Reddit) -> None:
    made = praw.models.Submission(reddit, _data={"id": "a", "name": "t3_a", "created_utc": float(NOON)})
    row = SubmissionSerializer().to_dict(made)
    assert (row["title"], row["author"], row["score"]) == (None, None, None)


def test_a_lazy_praw_submission_is_poisoned_rather_than_fetched(reddit: praw.Reddit) -> None:
    with pytest.raises(PoisonedRecord, match="created_utc"):
        SubmissionSerializer().to_dict(reddit.submission("1abc2d"))


def test_the_poll_of_a_praw_submission_survives(reddit: praw.Reddit) -> None:
    poll = {"options": [{"id": "1", "text": "Pixel", "vote_count": 5}], "total_vote_count": 5, "user_selection": None}
    made = praw.models.Submission(reddit, _data=submission(poll_data=poll))
    raw = json.loads(encode_row(SubmissionSerializer().to_dict(made)).data)["raw"]
    assert "Pixel" in json.dumps(raw["poll_data"])


def test_the_same_praw_object_always_gives_the_same_bytes(reddit: praw.Reddit) -> None:
    poll = {"options": [{"id": "1", "text": "Pixel"}], "total_vote_count": 5}
    lines = {
        encode_row(SubmissionSerializer().to_dict(made))
        for made in [praw.models.Submission(reddit, _data=submission(poll_data=poll)) for _ in range(3)]
    }
    assert len(lines) == 1


@pytest.mark.parametrize(
    ("said", "observed"),
    [
        ({}, NOON + 9_000),
        ({"retrieved_on": NOON + 300}, NOON + 300),
        ({"retrieved_utc": NOON + 200, "retrieved_on": NOON + 300}, NOON + 200),
        ({"retrieved_on": NOON - 1}, NOON + 9_000),
        ({"retrieved_on": NOON + 9_001}, NOON + 9_000),
        ({"retrieved_on": True}, NOON + 9_000),
        ({"retrieved_on": "soon"}, NOON + 9_000),
        ({"retrieved_on": None}, NOON + 9_000),
    ],
)
def test_an_archive_tells_when_it_looked_at_an_item(said: dict[str, Any], observed: int) -> None:
    row = SubmissionSerializer("arctic-shift", NOON + 9_000).to_dict({**SUBMISSION, **said})
    assert row["observed_at_ts"] == observed


@pytest.mark.parametrize(
    ("removal", "text", "author"), [("deleted", "[deleted]", None), ("removed", "[removed]", "somebody")]
)
def test_what_an_archive_kept_of_a_deleted_item_does_not_land(removal: str, text: str, author: str | None) -> None:
    meta = {"was_deleted_later": True, "removal_type": removal, "retrieved_2nd_on": NOON + 8_000}
    for serializer, item, field in (
        (SubmissionSerializer, SUBMISSION, "selftext"),
        (CommentSerializer, COMMENT, "body"),
    ):
        said = {**item, "author": "somebody", "retrieved_on": NOON + 70, "_meta": meta}
        row = serializer("arctic-shift", NOON + 9_000).to_dict(said)
        assert (row[field], row["author"], row["observed_at_ts"]) == (text, author, NOON + 8_000)
        assert row["raw"]["_meta"] == meta
    kept = SubmissionSerializer("arctic-shift").to_dict({**SUBMISSION, "_meta": {**meta, "was_deleted_later": False}})
    assert kept["selftext"] == SUBMISSION["selftext"]
