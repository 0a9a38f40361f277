import csv
import gzip
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market_opinion.cleaning import clean_text
from market_opinion.documents import document_of, flag_repeats
from market_opinion.language import language_of

from ..slow import one_in
from .growth import grows_with_length, long
from .making import NOON, comment, submission

MARKDOWN = st.text(
    alphabet=st.sampled_from("ab1 \n\r\t*_~`^>|&[]()\\!#-+.:/;\u2028\u200b\u00a0😀İamplgtx"), max_size=120
)


def test_a_comment_becomes_a_document() -> None:
    document = comment("The **Pixel** is fine")
    assert (document.fullname, document.kind, document.thread, document.parent) == ("t1_c", "comments", "t3_s", "t3_s")
    assert (document.text, document.clean, document.language) == ("The **Pixel** is fine", "The Pixel is fine", "en")
    assert (document.subreddit, document.author, document.score, document.flags) == (
        "android",
        "somebody",
        3,
        frozenset(),
    )


def test_a_submission_is_its_title_a_blank_line_and_its_text() -> None:
    assert submission("Title", "Text").text == "Title\n\nText"
    assert submission("Only a title").text == "Only a title"
    assert (submission("T").thread, submission("T").parent) == ("t3_s", None)


def test_a_hidden_score_is_no_score() -> None:
    assert comment("x", score=1, score_hidden=True).score is None


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("> what did you say?\n\nNothing.", "\n\nNothing."),
        ("&gt; what did you say?\nNothing.", "\nNothing."),
        (">!a secret!< no more", "a secret no more"),
        ("see [the review](https://example.com/a_(b)) now", "see the review now"),
        ("see https://example.com/iphone now", "see  now"),
        ("go to apple.com/shop now", "go to  now"),
        ("![gif](giphy|abc123) ha", " ha"),
        ("run `rm -rf` now", "run   now"),
        ("a\n\n    code here\n\nb", "a\n\n \nb"),
        ("a\n```\ncode\n```\nb", "a\n \nb"),
        ("# Head\n* one\n2. two", "Head\none\ntwo"),
        ("**b** *i* ~~s~~ __u__ ^up", "b i s u up"),
        ("snake_case and 2*3*4", "snake_case and 2*3*4"),
        (r"\*not bold\* 1\. no list", "*not bold* 1. no list"),
        ("Tom &amp; Jerry &lt;3 &amp;#x200B;", "Tom & Jerry <3 "),
        ("a|b\n-|-\n1|2", "a\nb\n\n1\n2"),
        ("one\u2028two\r\nthree", "one\ntwo \nthree"),
        ("Fine.\n\nSent from my iPhone", "Fine.\n\n"),
        ("It was sent from my home to my office. Good.", "It was sent from my home to my office. Good."),
    ],
)
def test_only_the_authors_own_words_stay(text: str, clean: str) -> None:
    assert clean_text(text)[0] == clean


@given(MARKDOWN)
def test_every_clean_letter_is_the_letter_at_its_place(text: str) -> None:
    clean, places = clean_text(text)
    assert len(places) == len(clean) + 1
    assert list(places) == sorted(places)
    for char, place in zip(clean, places, strict=False):
        assert not char.isalnum() or text[place] in (char, "&"), (char, text[place])


def test_an_escaped_sign_stands_behind_its_backslash() -> None:
    assert list(clean_text(r"a \*b\*")[1]) == [0, 1, 3, 4, 6, 7]


def test_a_stretch_is_found_again_in_the_original() -> None:
    document = comment("> quoted\n\nmy **iPhone** 15 &amp; [more](https://example.com)")
    at = document.clean.index("iPhone 15")
    start, end = document.original(at, at + len("iPhone 15"))
    assert document.text[start:end] == "iPhone** 15"


HOSTILE = [
    "-",
    "[",
    "](",
    "*_",
    "a-",
    "`a",
    "_ ",
    "\n> ",
    "```\n",
    "sent from ",
    "| ",
    "&amp;",
    "😀",
    "![",
    "]((",
    "    \n",
]


@grows_with_length
@pytest.mark.parametrize("part", one_in(3, HOSTILE))
def test_the_work_for_a_text_grows_with_its_length_and_not_with_the_square(part: str) -> None:
    comment(long(part) + "x")


@pytest.mark.parametrize("body", [None, "", " ", "\n\n", "😀🔥", "https://example.com", "> quote only", "123 !?"])
def test_a_body_without_words_is_empty_and_of_no_language(body: str | None) -> None:
    document = comment(body)
    assert "empty" in document.flags
    assert document.language == "none"


@pytest.mark.parametrize(
    ("fields", "flag"),
    [
        ({"body": "[deleted]", "author": None}, "deleted"),
        ({"body": "[removed]"}, "removed"),
        ({"author": "AutoModerator"}, "automoderator"),
        ({"author": "AutoModerator"}, "bot"),
        ({"author": "RemindMeBot"}, "bot"),
        ({"author": "some-bot"}, "bot"),
        ({"body": "Hello. *I am a bot, and this action was performed automatically.*"}, "bot"),
    ],
)
def test_what_nobody_means_is_flagged(fields: dict[str, Any], flag: str) -> None:
    assert flag in comment(**{"body": "some text", **fields}).flags


@pytest.mark.parametrize("author", ["talbot", "Abbott", "robotics_fan", "botanist"])
def test_people_are_no_bots(author: str) -> None:
    assert "bot" not in comment("some text", author=author).flags


def test_a_removed_submission_keeps_its_title_and_its_flag() -> None:
    document = submission("Pixel or iPhone?", "[removed]", removed_by_category="moderator")
    assert document.clean == "Pixel or iPhone?"
    assert document.flags == {"removed"}


def test_a_crosspost_is_flagged() -> None:
    assert submission("T", crosspost_parent="t3_o").flags == {"crosspost"}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Thanks!", "en"),
        ("iPhone 15 Pro Max", "en"),
        ("La batería es muy mala pero la cámara está bien", "other"),
        ("Der Akku hält nicht lange", "other"),
        ("Je trouve que l'écran est magnifique", "other"),
        ("Bateria jest słaba, ale aparat świetny", "other"),
        ("Schöne Grüße", "other"),
        ("電池の持ちがいい", "other"),
        ("Батарея плохая", "other"),
        ("बैटरी खराब है", "other"),
        ("I had a café crème while my Pokémon app crashed", "en"),
    ],
)
def test_english_is_told_from_other_languages(text: str, language: str) -> None:
    assert language_of(text) == language


def test_english_comments_are_taken_for_english(labelled: Callable[[str], list[dict[str, str]]]) -> None:
    found = [language_of(row["text"]) for row in labelled("reddit_goemotions")]
    assert found.count("other") / len(found) < 0.002


TEXTS = [
    "buy the best cases for your phone at half the price today",
    "buy the best cases for your phone at half the price today!!",
    "Buy the best cases for your phone at half the price, today only",
    "my battery lasts two days and I never think about it",
    "same question here",
]


def test_of_copies_all_but_the_first_are_near_duplicates() -> None:
    documents = [
        comment(text, fullname=f"t1_{place}", created_utc=NOON - place, link_id=f"t3_{place}", author=f"a{place}")
        for place, text in enumerate([*TEXTS, "same question here"])
    ]
    assert flag_repeats(documents) == {
        "t1_0": frozenset({"near-duplicate"}),
        "t1_1": frozenset({"near-duplicate"}),
    }


@pytest.mark.parametrize("same", [{"author": "spammer"}, {"link_id": "t3_same"}])
def test_three_copies_by_one_author_or_in_one_thread_are_a_flood(same: dict[str, str]) -> None:
    documents = [
        comment(TEXTS[0], **{"fullname": f"t1_{place}", "author": f"a{place}", "link_id": f"t3_{place}", **same})
        for place in range(3)
    ]
    assert all("flood" in flags for flags in flag_repeats(documents).values())
    assert len(flag_repeats(documents)) == 3
    assert all("flood" not in flags for flags in flag_repeats(documents[:2]).values())


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_repeats_do_not_depend_on_the_order(shuffler: random.Random) -> None:
    documents = [
        comment(
            f"{TEXTS[place % 4]} {place % 7} {place % 11} {place}", fullname=f"t1_{place:03}", author=f"a{place % 3}"
        )
        for place in range(200)
    ]
    expected = flag_repeats(documents)
    shuffler.shuffle(documents)
    assert flag_repeats(documents) == expected


def test_retweets_are_found_among_real_texts(labelled: Callable[[str], list[dict[str, str]]]) -> None:
    rows = labelled("brand_sxsw")
    documents = [comment(row["text"], fullname=f"t1_{row['id']}", author=row["id"], link_id=row["id"]) for row in rows]
    share = len(flag_repeats(documents)) / len(documents)
    assert 0.15 < share < 0.3


def recorded_rows(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.ndjson.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            yield from (json.loads(line) for line in file)


def test_recorded_rows_become_documents(shared_data: Path) -> None:
    flags: set[str] = set()
    for number, row in enumerate(recorded_rows(shared_data / "reddit" / "pushshift")):
        kind = "comments" if "body" in row else "submissions"
        row |= {"fullname": f"t0_{number}", "created_utc": int(row["created_utc"])}
        flags |= document_of(row, kind).flags
    assert {"deleted", "removed", "automoderator", "bot", "empty"} <= flags


def test_long_recorded_texts_keep_their_places(shared_data: Path) -> None:
    csv.field_size_limit(2**30)
    with gzip.open(
        shared_data / "reddit" / "phones" / "top1000_2013_nexus4.csv.gz", "rt", encoding="utf-8", newline=""
    ) as file:
        texts = [row["selftext"] for row in csv.DictReader(file)]
    for text in texts:
        clean, places = clean_text(text)
        assert all(text[place] == char for char, place in zip(clean, places, strict=False) if char.isalpha())
