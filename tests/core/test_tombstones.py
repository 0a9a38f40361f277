import json
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reddit_ingest.core.errors import DamagedState
from reddit_ingest.core.keys import COMMENTS, SUBMISSIONS
from reddit_ingest.core.tombstones import (
    Graves,
    Quarantined,
    Reason,
    Tombstone,
    anonymous,
    expired,
    fate,
    is_expired,
    names_in,
    purged,
    unmentioned,
    without,
    written_by,
)
from reddit_ingest.serializers import CommentSerializer, SubmissionSerializer, quarantine_line

NOW = 1_767_225_600
SEEN = NOW - 100


def submission(item_id: str = "s1", observed: int = SEEN, **fields: Any) -> dict[str, Any]:
    item = {
        "name": f"t3_{item_id}",
        "id": item_id,
        "created_utc": NOW - 5_000,
        "author": "alice",
        "author_fullname": "t2_a",
        "author_flair_text": "Alice's flair",
        "title": "Loud title",
        "selftext": "Loud text",
        "url": f"https://www.reddit.com/r/phones/comments/{item_id}/loud_title/",
        "permalink": f"/r/phones/comments/{item_id}/loud_title/",
        "score": 7,
        **fields,
    }
    return SubmissionSerializer(observed_at_ts=observed).to_dict(item)


def comment(item_id: str = "c1", link: str = "s1", observed: int = SEEN, **fields: Any) -> dict[str, Any]:
    item = {
        "name": f"t1_{item_id}",
        "id": item_id,
        "created_utc": NOW - 4_000,
        "author": "bob",
        "body": "Agreed",
        "link_id": f"t3_{link}",
        "parent_id": f"t3_{link}",
        "permalink": f"/r/phones/comments/{link}/loud_title/{item_id}/",
        "link_title": "Loud title",
        "link_author": "alice",
        "link_url": f"https://www.reddit.com/r/phones/comments/{link}/loud_title/",
        "link_permalink": f"https://www.reddit.com/r/phones/comments/{link}/loud_title/",
        **fields,
    }
    return CommentSerializer(observed_at_ts=observed).to_dict(item)


def crosspost(item_id: str = "x1", original: str = "s1", **fields: Any) -> dict[str, Any]:
    parent = {
        "name": f"t3_{original}",
        "id": original,
        "author": "alice",
        "author_flair_text": "Alice's flair",
        "title": "Loud title",
        "selftext": "Loud text",
    }
    return submission(
        item_id,
        author="carol",
        title="Look at this",
        selftext="",
        url=f"/r/phones/comments/{original}/loud_title/",
        permalink=f"/r/gadgets/comments/{item_id}/look_at_this/",
        crosspost_parent=f"t3_{original}",
        crosspost_parent_list=[parent],
        preview={"images": [{"source": {"url": "https://preview.example/loud.jpg"}}]},
        author_fullname="t2_c",
        author_flair_text=None,
        **fields,
    )


def grave(name: str, reason: Reason = Reason.DELETED, noticed: int = NOW, purged_at: int | None = None) -> Tombstone:
    return Tombstone(name, NOW - 5_000, reason, noticed, purged_at)


def graves(*found: Tombstone) -> Graves:
    return Graves.of_all(found)


# Tombstones and which of them counts.

tombstones = st.builds(
    Tombstone,
    st.sampled_from(["t3_a", "t1_b"]),
    st.integers(0, 2**40),
    st.sampled_from(Reason),
    st.integers(0, 9),
    st.none() | st.integers(0, 9),
)


@given(tombstones)
def test_a_tombstone_survives_its_written_form(tombstone: Tombstone) -> None:
    assert Tombstone.from_row(json.loads(json.dumps(tombstone.to_row()))) == tombstone


@pytest.mark.parametrize("row", [{}, {"reason": "bored"}, {**grave("t1_a").to_row(), "title": "x"}])
def test_what_is_no_tombstone_is_damaged_state(row: dict[str, Any]) -> None:
    with pytest.raises(DamagedState):
        Tombstone.from_row(row)


@given(st.lists(tombstones, max_size=4))
def test_the_order_in_which_tombstones_are_read_does_not_matter(found: list[Tombstone]) -> None:
    counting = [
        {name: (each.weight, each.purged_at_ts is None) for name, each in Graves.of_all(order).items()}
        for order in permutations(found)
    ]
    assert all(each == counting[0] for each in counting)


def test_what_is_final_counts_before_what_may_be_undone_however_late_that_was_noticed() -> None:
    final, late = grave("t1_c1", Reason.DELETED, NOW), grave("t1_c1", Reason.GONE, NOW + 9)
    assert graves(final, late)["t1_c1"] == final


def test_what_hides_counts_before_what_takes_the_name_only() -> None:
    assert graves(grave("t1_c1", Reason.ACCOUNT, NOW + 9), grave("t1_c1", Reason.GONE))["t1_c1"].hides


def test_a_second_removal_waits_again() -> None:
    once, again = grave("t1_c1", Reason.GONE, NOW, purged_at=NOW + 1), grave("t1_c1", Reason.GONE, NOW + 50)
    assert graves(once, again).waiting.keys() == {"t1_c1"}
    assert graves(once).waiting == {}


@pytest.mark.parametrize("reason", [Reason.DELETED, Reason.FORGOTTEN, Reason.ACCOUNT])
def test_what_its_author_or_a_person_took_away_stays_away(reason: Reason) -> None:
    assert graves(grave("t1_c1", reason)).of(comment(observed=NOW + 99_999))


def test_what_moderators_let_back_in_is_there_again_but_not_what_was_seen_before() -> None:
    buried = graves(grave("t1_c1", Reason.GONE))
    assert buried.of(comment(observed=NOW)) is not None
    assert buried.of(comment(observed=NOW + 1)) is None
    assert buried.of(comment(observed=NOW + 1, body="[removed]")) is not None


def test_marking_keeps_the_moment_of_the_first_purge() -> None:
    assert [each.purged_at_ts for each in purged([grave("t1_a"), grave("t1_b", purged_at=5)], 9)] == [9, 5]


# What an observation says of the end.


@pytest.mark.parametrize(
    ("row", "kind", "expected"),
    [
        (comment(), COMMENTS, None),
        (comment(body="[deleted]", author="[deleted]"), COMMENTS, Reason.DELETED),
        (comment(body="[deleted]"), COMMENTS, None),  # somebody typed it
        (comment(body="[removed]"), COMMENTS, Reason.GONE),
        (comment(body="[ Removed by Reddit ]"), COMMENTS, Reason.GONE),
        (comment(author="[deleted]"), COMMENTS, Reason.ACCOUNT),
        (submission(), SUBMISSIONS, None),
        (submission(selftext="[deleted]", author="[deleted]"), SUBMISSIONS, Reason.DELETED),
        (submission(removed_by_category="deleted"), SUBMISSIONS, Reason.DELETED),
        (submission(removed_by_category="author"), SUBMISSIONS, Reason.DELETED),
        (submission(removed_by_category="moderator", selftext="[removed]"), SUBMISSIONS, Reason.GONE),
        (submission(removed_by_category="copyright_takedown"), SUBMISSIONS, Reason.GONE),
        (submission(author="[deleted]"), SUBMISSIONS, Reason.ACCOUNT),
    ],
)
def test_the_end_of_an_item_is_read_from_text_author_and_category(row: Any, kind: str, expected: Any) -> None:
    assert fate(row, kind) is expected


def test_a_deleted_submission_that_still_shows_its_title_falls_under_its_tombstone_whenever_it_is_seen() -> None:
    later = submission(observed=NOW + 9_999, selftext="[removed]", removed_by_category="moderator")
    assert without(later, SUBMISSIONS, graves(grave("t3_s1", Reason.GONE))) is None


# What may stay of a row.


def test_without_tombstones_a_row_stays_as_it_is() -> None:
    for row, kind in ((comment(), COMMENTS), (submission(), SUBMISSIONS), (crosspost(), SUBMISSIONS)):
        assert without(row, kind, Graves()) is row
        assert without(row, kind, graves(grave("t3_other"), grave("t1_other"))) == row


def test_nothing_stays_of_what_was_deleted() -> None:
    assert without(comment(), COMMENTS, graves(grave("t1_c1"))) is None
    assert without(submission(), SUBMISSIONS, graves(grave("t3_s1"))) is None


def test_a_comment_does_not_say_what_it_answers_when_that_is_gone() -> None:
    kept = without(comment(), COMMENTS, graves(grave("t3_s1")))
    assert kept is not None
    assert kept["body"] == "Agreed"
    assert kept["link_id"] == "t3_s1"
    assert "oud" not in json.dumps(kept)
    assert "alice" not in json.dumps(kept)
    assert kept["permalink"] == "/r/phones/comments/s1/_/c1/"


def test_a_crosspost_does_not_show_its_original_when_that_is_gone() -> None:
    kept = without(crosspost(), SUBMISSIONS, graves(grave("t3_s1")))
    assert kept is not None
    assert (kept["title"], kept["author"], kept["crosspost_parent"]) == ("Look at this", "carol", "t3_s1")
    assert "oud" not in json.dumps(kept)
    assert "alice" not in json.dumps(kept).lower()


def test_an_original_without_a_name_is_known_by_its_id() -> None:
    row = crosspost()
    del row["raw"]["crosspost_parent_list"][0]["name"]
    row["crosspost_parent"] = None
    line = json.dumps(row).encode()
    assert "t3_s1" in names_in(line)
    assert "Loud text" not in json.dumps(without(row, SUBMISSIONS, graves(grave("t3_s1"))))


def test_an_original_that_is_a_crosspost_itself_does_not_show_the_first_one() -> None:
    row = submission("x2", crosspost_parent="t3_x1", author="dan", title="Again", selftext="", url="u")
    row["raw"]["crosspost_parent_list"] = [{**crosspost()["raw"], "name": "t3_x1", "title": "Look at this", "url": "u"}]
    assert written_by(row, "alice") == {"t3_s1"}
    kept = without(row, SUBMISSIONS, graves(grave("t3_s1")))
    assert kept is not None
    assert "Loud text" not in json.dumps(kept)
    assert kept["raw"]["crosspost_parent_list"][0]["title"] == "Look at this"


@pytest.mark.parametrize("odd", [None, [], {}, "x", [None, "x", 3]])
def test_an_odd_list_of_originals_is_left_as_it_is(odd: Any) -> None:
    row = submission("x1", crosspost_parent_list=odd)
    assert without(row, SUBMISSIONS, graves(grave("t3_s1"))) == row


def test_a_link_in_somebody_elses_text_still_leads_but_does_not_say_the_title() -> None:
    text = (
        "see [this](https://www.reddit.com/r/phones/comments/s1/loud_title/), /r/phones/comments/s1/loud_title?x=1 and"
    )
    others = " https://www.reddit.com/r/phones/comments/s2/other_title/"
    kept = without(comment(link="s9", body=text + others), COMMENTS, graves(grave("t3_s1")))
    assert kept is not None
    assert kept["body"] == text.replace("loud_title", "_") + others


def test_a_restored_submission_keeps_its_own_address() -> None:
    row = submission(observed=NOW + 1)
    assert without(row, SUBMISSIONS, graves(grave("t3_s1", Reason.GONE))) == row


def test_of_a_deleted_account_the_text_stays_and_the_name_goes() -> None:
    buried = graves(grave("t3_s1", Reason.ACCOUNT))
    kept = without(submission(author_premium=True, author_flair_richtext=[{"t": "Alice"}]), SUBMISSIONS, buried)
    assert kept is not None
    assert (kept["title"], kept["selftext"], kept["author"]) == ("Loud title", "Loud text", None)
    assert "alice" not in json.dumps(kept).lower()
    assert "t2_a" not in json.dumps(kept)
    answered = without(comment(), COMMENTS, buried)
    assert answered is not None
    assert answered["raw"]["link_title"] == "Loud title"
    assert "alice" not in json.dumps(answered)
    shared = without(crosspost(), SUBMISSIONS, buried)
    assert shared is not None
    assert shared["raw"]["crosspost_parent_list"][0]["selftext"] == "Loud text"
    assert shared["url"]
    assert "alice" not in json.dumps(shared).lower()


def test_a_row_that_nests_as_deep_as_json_can_is_cleaned_like_any_other() -> None:
    deep: Any = "/r/phones/comments/s1/loud_title/"
    for _ in range(600):
        deep = [deep]
    kept = without(comment(link="s9", odd=deep), COMMENTS, graves(grave("t3_s1")))
    assert kept is not None
    assert "comments/s1/_/" in json.dumps(kept["raw"]["odd"])


def test_without_its_text_a_row_keeps_ids_times_and_scores() -> None:
    for row, kind in ((submission(all_awardings=[{"name": "x"}]), SUBMISSIONS), (comment(), COMMENTS)):
        kept = expired(row, kind)
        assert kept.keys() == row.keys()
        assert is_expired(kept, kind)
        assert not is_expired(row, kind)
        for name in ("fullname", "created_utc", "score", "observed_at_ts", "subreddit"):
            assert kept[name] == row[name]
        said = json.dumps(kept).lower()
        assert not any(text in said for text in ("loud", "alice", "bob", "agreed", "t2_"))
        assert expired(kept, kind) == kept


def test_an_anonymous_row_stays_the_same() -> None:
    once = anonymous(submission(author_premium=True))
    assert anonymous(once) == once


# Authors in what others wrote.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("u/alice_b said", "u/[deleted] said"),
        ("/u/Alice_B, no", "/u/[deleted], no"),
        (r"u/alice\_b", "u/[deleted]"),
        ("https://www.reddit.com/user/alice_b/comments/x/", "https://www.reddit.com/user/[deleted]/comments/x/"),
        ("/r/u_alice_b/", "/r/u_[deleted]/"),
        ("u/alice_bc and u/alice_b-c and menu/alice_b", "u/alice_bc and u/alice_b-c and menu/alice_b"),
        (r"u/alice\_b\_c", r"u/alice\_b\_c"),
        ("alice_b", "alice_b"),
    ],
)
def test_a_mention_names_nobody_any_more_and_others_are_left_alone(text: str, expected: str) -> None:
    row = comment(body=text, odd={"deep": [text]})
    kept = unmentioned(row, "Alice_b")
    assert kept["body"] == expected
    assert kept["raw"]["odd"] == {"deep": [expected]}


def test_a_moderator_who_is_forgotten_did_not_approve_anything() -> None:
    kept = unmentioned(comment(approved_by="Alice", banned_by="bob"), "alice")
    assert (kept["raw"]["approved_by"], kept["raw"]["banned_by"]) == (None, "bob")


def test_what_an_author_wrote_is_found_in_what_others_carry_of_it() -> None:
    assert written_by(submission(), "ALICE") == {"t3_s1"}
    assert written_by(comment(), "alice") == {"t3_s1"}
    assert written_by(comment(), "bob") == {"t1_c1"}
    assert written_by(crosspost(), "alice") == {"t3_s1"}
    assert written_by(crosspost(), "al") == set()


# Quarantined records.


def quarantined(item: dict[str, Any], kind: str = SUBMISSIONS) -> Quarantined:
    return Quarantined.of(quarantine_line(item, kind, "why", NOW).data)


def test_a_quarantined_record_is_known_by_name_or_id() -> None:
    assert quarantined({"id": "s1", "score": float("nan")}).names == {"t3_s1"}
    assert quarantined({"id": "c1", "link_id": "t3_s1", "x": "\ud83d"}, COMMENTS).names == {"t1_c1", "t3_s1"}
    assert quarantined({"title": "no id"}).names == frozenset()
    assert quarantined({"id": ["odd"], "link_id": {"odd": 1}, "crosspost_parent_list": [{}]}).own is None


def test_a_quarantined_record_is_found_by_its_author() -> None:
    record = quarantined({"id": "c1", "link_id": "t3_s1", "author": "Bob", "link_author": "alice"}, COMMENTS)
    assert record.written_by("bob") == {"t1_c1"}
    assert record.written_by("alice") == {"t3_s1"}
    assert record.names_author("alice")
    assert not record.names_author("carol")
    assert quarantined({"body": "ask u/carol"}, COMMENTS).names_author("carol")


@pytest.mark.parametrize("line", [b"", b"{}", b'{"kind":"comments","record":"{\\"name\\": \\"t1_c1\\", cut"}', b"\xff"])
def test_a_line_that_cannot_be_read_is_about_all_that_it_mentions(line: bytes) -> None:
    record = Quarantined.of(line)
    assert record.fields is None
    assert record.names == ({"t1_c1"} if b"c1" in line else set())
