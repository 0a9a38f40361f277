"""The threads behind a signal: the right ones, counted, leading to Reddit alone, and nothing of what was deleted."""

from datetime import date

import pytest

from market_opinion.analysis.alerting import NET, VOLUME, Signal
from market_opinion.analysis.evidence import DrivingThread, threads_behind
from market_opinion.analysis.warehouse import open_warehouse
from market_opinion.documents import FLOOD

from ...lakes import T0
from .zones import DAY, Row, document, mention, zone_of

FIRST = date(2026, 1, 1)


def signal(kind: str = VOLUME, aspect: str | None = None, shift: float = 0.0, day: date = FIRST) -> Signal:
    return Signal(day, "apple", aspect, kind, shift, 0.0, 0.0, 0.0, 10, 5, 1e-9, 0.01, True, "", 28)


def thread(name: str, **told: object) -> Row:
    usual = {"kind": "submissions", "title": f"About {name}", "permalink": f"/r/phones/comments/{name}/about/"}
    return document(f"t3_{name}", thread=f"t3_{name}", **{**usual, **told})


def behind(mentions: list[Row], threads: list[Row], of: Signal, buried: str = "") -> tuple[DrivingThread, ...]:
    with open_warehouse(zone_of(mentions, threads)) as connection:
        return threads_behind(connection, "smartphones", "UTC", of, lambda fullname: fullname == buried)


def talk(thread: str, *labels: str, **told: object) -> list[Row]:
    rows = enumerate(labels)
    return [
        mention(f"t1_{thread}{n}{told.get('created_utc', '')}", thread=f"t3_{thread}", label=label, **told)
        for n, label in rows
    ]


def test_the_threads_with_most_mentions_come_first() -> None:
    said = [
        *talk("a", "neutral", "negative"),
        *talk("b", *["positive"] * 4),
        *talk("c", "neutral"),
        *talk("d", "neutral"),
    ]
    found = behind(said, [thread(name) for name in "abcd"], signal())
    assert [one.fullname for one in found] == ["t3_b", "t3_a", "t3_c"]
    address = "https://www.reddit.com/r/phones/comments/a/about/"
    assert found[1] == DrivingThread("t3_a", "About a", address, 2, 0, 1, 0)


@pytest.mark.parametrize(("shift", "first"), [(-0.5, "t3_a"), (0.5, "t3_b")])
def test_of_a_shift_those_with_most_opinions_in_its_direction(shift: float, first: str) -> None:
    said = [*talk("a", "negative", "negative"), *talk("b", "positive"), *talk("c", *["neutral"] * 5)]
    assert behind(said, [], signal(NET, shift=shift))[0].fullname == first


def test_only_mentions_that_count_of_the_brand_and_the_aspect_on_that_day() -> None:
    said = [
        *talk("a", "neutral", aspects=["battery"]),
        *talk("b", "neutral", "neutral", aspects=["camera"]),
        *talk("c", "neutral", "neutral", aspects=["battery"], brand="google"),
        *talk("d", "neutral", "neutral", aspects=["battery"], flags=[FLOOD]),
        *talk("e", "neutral", "neutral", aspects=["battery"], created_utc=T0 + DAY),
    ]
    assert [one.fullname for one in behind(said, [], signal(aspect="battery"))] == ["t3_a"]


def test_what_was_said_in_a_thread_before_is_counted_apart() -> None:
    said = [*talk("a", "negative", created_utc=T0 + DAY), *talk("a", "neutral", "neutral", created_utc=T0)]
    (found,) = behind(said, [thread("a")], signal(day=date(2026, 1, 2)))
    assert (found.mentions, found.negative, found.before, found.title) == (1, 1, 2, "About a")


def test_a_thread_that_the_lake_does_not_hold_or_that_was_deleted_has_no_title() -> None:
    said = [*talk("a", "neutral", "neutral"), *talk("b", "neutral")]
    absent, buried = behind(said, [thread("b")], signal(), buried="t3_b")
    assert (absent.fullname, absent.title, absent.address) == ("t3_a", None, None)
    assert (buried.fullname, buried.title, buried.address, buried.mentions) == ("t3_b", None, None, 1)


@pytest.mark.parametrize(
    "permalink",
    [
        "@evil.example/",
        "//evil.example/x",
        ".evil.example/",
        "/r/x|<!channel>/\x1b[2J\n",
        "/\\evil.example",
        "/r/x/?a#b",
    ],
)
def test_a_permalink_leads_to_reddit_whatever_it_holds(permalink: str) -> None:
    (found,) = behind(talk("a", "neutral"), [thread("a", permalink=permalink)], signal())
    assert found.address.startswith("https://www.reddit.com/")
    assert not set(found.address.removeprefix("https://www.reddit.com/")) & set("@|<>\\\x1b\n ?#")
