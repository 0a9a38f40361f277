import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reddit_ingest.core.authors import AuthorKey
from reddit_ingest.core.errors import InvalidSetting
from reddit_ingest.core.keys import SUBMISSIONS
from reddit_ingest.serializers import SubmissionSerializer, quarantine_line

DIGITS = "0123456789abcdef" * 4
KEY = AuthorKey(DIGITS)


def test_an_author_has_one_hash_whatever_the_case() -> None:
    assert KEY.name("Some_One") == KEY.name("some_one") == "h_87330e02cd9cf2eb"
    assert KEY.name("some_on") != KEY.name("some_one")


def test_with_another_key_an_author_has_another_hash() -> None:
    assert AuthorKey("f" * 64).name("some_one") != KEY.name("some_one")


@pytest.mark.parametrize("text", [None, "", "abc", DIGITS[:-1], DIGITS + "0", DIGITS.upper(), "g" * 64, 7, b"0" * 64])
def test_what_is_no_key_is_refused_and_not_shown(text: Any) -> None:
    with pytest.raises(InvalidSetting, match="AUTHOR_KEY in the secret must hold 64 hex digits") as refused:
        AuthorKey.from_text(text, "AUTHOR_KEY in the secret")
    assert not text or str(text) not in str(refused.value)


def test_a_key_is_read_with_a_line_end_and_shows_nothing() -> None:
    key = AuthorKey.from_text(f" {DIGITS}\n", "here")
    assert key == KEY
    assert DIGITS not in repr(key) + str(key)


ITEM = {
    "name": "t3_a",
    "id": "a",
    "created_utc": 1_767_225_600.0,
    "author": "Some_One",
    "author_fullname": "t2_abc",
    "author_flair_text": "Some_One's flair",
    "author_flair_richtext": [{"t": "Some_One"}],
    "author_premium": True,
    "title": "I",
    "selftext": "by u/Other_One",
    "approved_by": "Mod_One",
    "removed_by": None,
    "crosspost_parent_list": [
        {"author": "First_One", "author_fullname": "t2_def", "title": "First", "subreddit": "phones", "url": "x"}
    ],
    "media": {"oembed": {"author_name": "Video_One", "author_url": "https://x/Video_One"}},
}


def test_an_item_names_no_author_and_keeps_everything_else() -> None:
    hashed = KEY.hashed(ITEM)
    told = json.dumps(hashed)
    for name in ("Some_One", "First_One", "Mod_One", "Video_One", "t2_"):
        assert name not in told
    assert hashed["author"] == KEY.name("some_one")
    assert hashed["crosspost_parent_list"][0] == {
        "author": KEY.name("first_one"),
        "title": "First",
        "subreddit": "phones",
        "url": "x",
    }
    assert (hashed["title"], hashed["selftext"], hashed["removed_by"]) == ("I", "by u/Other_One", None)


@pytest.mark.parametrize("author", ["[deleted]", "", None, ["odd"], {"name": "Some_One"}])
def test_nobody_has_no_hash(author: Any) -> None:
    row = SubmissionSerializer().to_dict(KEY.hashed({**ITEM, "author": author}))
    assert row["author"] is None
    assert "Some_One" not in json.dumps(row)


def test_a_crosspost_from_a_persons_page_does_not_say_whose_page() -> None:
    page = {"subreddit": "u_First_One", "permalink": "/user/First_One/comments/x/", "url": "/user/First_One/x"}
    original = {**page, "author": "First_One", "title": "First"}
    hashed = KEY.hashed({**ITEM, "url": page["url"], "domain": "self.u_First_One", "crosspost_parent_list": [original]})
    assert "First_One" not in json.dumps(hashed)
    assert hashed["crosspost_parent_list"][0]["title"] == "First"


def test_hashing_twice_is_no_use_and_no_harm() -> None:
    once = KEY.hashed(ITEM)
    assert set(KEY.hashed(once)) == set(once)


def test_the_comments_below_a_comment_are_items_of_their_own() -> None:
    assert "replies" not in KEY.hashed({"name": "t1_a", "replies": {"data": {"children": [{"author": "x"}]}}})


def test_an_item_too_deep_to_be_looked_through_is_set_aside_without_what_it_holds() -> None:
    deep: Any = {"author": "Some_One"}
    for _ in range(5_000):
        deep = {"x": deep}
    hashed = KEY.hashed({**ITEM, "odd": deep})
    assert hashed == {"name": "t3_a", "id": "a"}
    assert b"Some_One" not in quarantine_line(hashed, SUBMISSIONS, "why", 1).data


SHORT = st.text(max_size=20)


@given(
    st.dictionaries(
        SHORT,
        st.recursive(
            st.none() | SHORT,
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SHORT, inner, max_size=4),
            max_leaves=12,
        ),
        max_size=6,
    )
)
def test_whatever_an_item_holds_it_comes_back(item: dict[str, Any]) -> None:
    assert isinstance(KEY.hashed(item), dict)
