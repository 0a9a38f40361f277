from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reddit_ingest.core.errors import InvalidRequest
from reddit_ingest.core.names import author_name, item_fullname, subreddit_key, subreddit_keys

_TRAVERSALS = [
    "..", ".", "../", "../etc", "../../etc/passwd", "..\\..\\windows", "....//", "..%2f", "%2e%2e%2f", "..%252f",
    "..%c0%af", "android/..", "android/../iphone", "./android", "~", "~root", "C:\\", "\\\\host\\share", "file:///etc",
]  # fmt: skip
_SEPARATORS = [
    f"{left}{mark}{right}"
    for mark in ("/", "\\", "%2f", "%2F", "%5c", ":", ";", "|", "&", "?", "#", "+", ",", "*", "$", "`", "'", '"', "=")
    for left, right in (("and", "roid"), ("", "android"), ("android", ""))
]
_CONTROLS = [
    f"{left}{mark}{right}"
    for mark in ("\0", "\n", "\r", "\r\n", "\t", "\v", "\f", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u200b", "\ufeff")
    for left, right in (("and", "roid"), ("android", ""), ("", "android"))
]
_LOOKALIKES = [
    "аndroid", "andrоid", "ａｎｄｒｏｉｄ", "аndrоid", "iрhone", "iphοne", "ıphone", "İphone", "ﬁre", "straße", "ſmart",
    "android１", "android²", "android٣", "ándroid", "andro\u0301id", "android\u202e", "\u202edordna","😀😀",
    "K\u212ain",
    "\ud800ab", "and\udc00", "日本語", "ไทย",
]  # fmt: skip
_SHAPES = [
    "", " ", "  ", "a", "_", "__", "_android", "-android", "an-droid", "an droid", " android", "android ", "r/android",
    "/r/android", "/r/android/", "u/name", "u_" + "a" * 21, "u_na me", "u_../x", "u_name/", "u_ñam",
    "a" * 22, "a" * 300, "u_" + "b" * 300, "../" * 100, "android.", "android.json", "https://reddit.com/r/android",

    "{subreddit}", "{0}", "u_\u00e9t\u00e9", "-u_name", "${HOME}", "$(id)",
    "%s", "%n%n", "<TEST>", "android@", "android!", "(android)", "a\\b", "U_name-x",
]  # fmt: skip
_OTHER_TYPES: list[Any] = [
    None, True, False, 0, 1, -1, 2.5, float("nan"), b"android", bytearray(b"android"), [], ["android"], ("android",),
    {}, {"name": "android"}, {"android"}, object(), str, len, 10**40, ..., range(3), memoryview(b"android"),
]  # fmt: skip


def shown(name: Any) -> str:
    return ascii(name)[:30] if isinstance(name, str) else type(name).__name__


HOSTILE = [*_TRAVERSALS, *_SEPARATORS, *_CONTROLS, *_LOOKALIKES, *_SHAPES, *_OTHER_TYPES]


def test_there_are_at_least_200_hostile_names() -> None:
    assert len({repr(name) for name in HOSTILE}) >= 160
    assert len(HOSTILE) >= 200


@pytest.mark.parametrize("name", HOSTILE, ids=shown)
def test_a_hostile_name_is_refused_in_one_short_printable_line(name: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        subreddit_key(name)
    message = str(refused.value)
    assert "\n" not in message
    assert len(message) < 400


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Android", "android"),
        ("smartphones", "smartphones"),
        ("AskWomen", "askwomen"),
        ("a1", "a1"),
        ("2007scape", "2007scape"),
        ("de_IAmA", "de_iama"),
        ("a" * 21, "a" * 21),
        ("u_Spez", "u_spez"),
        ("u_Lil-Spaz_Bot", "u_lil-spaz_bot"),
        ("u_" + "x" * 20, "u_" + "x" * 20),
    ],
)
def test_a_legal_name_becomes_its_lower_case_key(name: str, key: str) -> None:
    assert subreddit_key(name) == key


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_]{1,20}", fullmatch=True))
def test_case_twins_share_one_key_that_is_its_own_key(name: str) -> None:
    key = subreddit_key(name)
    assert key == subreddit_key(name.upper()) == subreddit_key(name.lower()) == subreddit_key(key)


@given(st.text())
def test_whatever_becomes_a_key_is_safe_in_a_path(name: str) -> None:
    try:
        key = subreddit_key(name)
    except InvalidRequest:
        return
    assert set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
    assert 2 <= len(key) <= 22


def test_a_comma_list_and_a_list_give_the_same_keys_each_once_in_order() -> None:
    assert subreddit_keys("iphone, Android ,IPHONE") == ("iphone", "android")
    assert subreddit_keys(["iphone", "Android", "IPHONE"]) == ("iphone", "android")
    assert subreddit_keys(()) == ()


@pytest.mark.parametrize(
    "names", [None, 5, {"android": 1}, b"android", "", ",", "android,", "android,,iphone", ["ok", None], ["ok", 7]]
)
def test_a_list_with_anything_that_is_no_name_is_refused(names: Any) -> None:
    with pytest.raises(InvalidRequest):
        subreddit_keys(names)


@pytest.mark.parametrize("written", ["Some_One", "u/Some_One", "/u/Some_One"])
def test_an_account_is_written_with_or_without_its_prefix(written: str) -> None:
    assert author_name(written) == "Some_One"


@pytest.mark.parametrize("name", ["", "u/", "a b", "[deleted]", "a/b", "r/x", "../x", "ü", "a" * 41, None, 7, "a\n"])
def test_what_no_account_can_be_called_is_refused_in_a_line(name: object) -> None:
    with pytest.raises(InvalidRequest, match="not the name of an account") as refused:
        author_name(name)
    assert len(str(refused.value)) < 150


@pytest.mark.parametrize("name", ["", "t3_", "t5_abc", "abc", "t3_a/b", "t1_ü", "t1_" + "a" * 21, None, "t3_a\n"])
def test_what_is_no_fullname_is_refused_in_a_line(name: object) -> None:
    with pytest.raises(InvalidRequest, match="not a fullname") as refused:
        item_fullname(name)
    assert len(str(refused.value)) < 160
