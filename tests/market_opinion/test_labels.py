"""What people said of mentions: where it stands, for which text it holds, and that it wins."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market_opinion.label_store import LabelStore
from market_opinion.labels import NO_LABELS, Correction, Labels, Place, digest_of, newest
from market_opinion.sentiment.calibrating import Calibration
from reddit_ingest.core.errors import DamagedState, InvalidRequest
from reddit_ingest.core.ports import DerivedZone
from reddit_ingest.core.tombstones import Graves, Reason, Tombstone

from ..fakes import MemoryLake

TEXT = "My Pixel is great."
PLACE = Place("phones", "2026-01-06", "t1_a", 3, 8, digest_of(TEXT))
SAID = Correction(PLACE, "google", "negative", 2.5, 1_000)
CALIBRATION = Calibration("fixed", "0123456789abcdef", 0.5, -0.5, 300, "ab", 0.01, 0.02, {"price": (0.1, 0.2, 30)})

places = st.builds(
    Place,
    st.sampled_from(["phones", "u_some-one", "reddit.com"]),
    st.dates().map(str),
    st.from_regex(r"t[13]_[0-9a-z]{1,12}", fullmatch=True),
    st.integers(0, 10_000),
    st.integers(10_001, 50_000),
    st.text().map(digest_of),
)


@given(places)
def test_a_place_comes_back_from_its_address(place: Place) -> None:
    assert Place.parse(str(place)) == place


@pytest.mark.parametrize(
    "address",
    [
        "",
        "phones",
        str(PLACE).replace("phones", "Phones"),
        str(PLACE).replace("phones", ".."),
        str(PLACE).replace("phones", "a/b"),
        str(PLACE).replace("3-8", "8-8"),
        str(PLACE).replace("3-8", "٣-8"),
        str(PLACE).replace("t1_a", "t5_a"),
        str(PLACE) + "0",
        str(PLACE) + "\n",
    ],
)
def test_what_is_no_address_never_becomes_a_place(address: str) -> None:
    with pytest.raises(InvalidRequest):
        Place.parse(address)


@given(places, st.sampled_from(["negative", "neutral", "positive"]), st.floats(0.001, 1e6), st.integers(0, 2**40))
def test_a_correction_comes_back_from_its_row(place: Place, label: str, weight: float, seen: int) -> None:
    said = Correction(place, "google", label, weight, seen)
    assert Correction.from_row(said.to_row()) == said


@pytest.mark.parametrize(
    "change", [{"label": "great"}, {"weight": 0}, {"weight": float("nan")}, {"subreddit": "../x"}, {"start": "x"}]
)
def test_a_row_that_holds_no_correction_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(DamagedState):
        Correction.from_row({**SAID.to_row(), **change})


def probabilities(rows: int = 2) -> np.ndarray:
    return np.tile(np.array([0.2, 0.3, 0.5], np.float32), (rows, 1))


def test_what_a_person_says_wins_over_engine_and_offsets() -> None:
    some = probabilities()
    mentions = [("t1_b", 3, 8, "google", TEXT), ("t1_a", 3, 8, "google", TEXT)]
    made = Labels(CALIBRATION, (SAID,)).applied(mentions, some)
    np.testing.assert_array_equal(made[1], [1, 0, 0])
    np.testing.assert_allclose(made[0], CALIBRATION.apply(some)[0])
    assert made[0, 0] > some[0, 0]
    np.testing.assert_array_equal(some, probabilities())


@pytest.mark.parametrize(
    "mention",
    [
        ("t1_a", 3, 8, "google", TEXT + " Edited: no."),
        ("t1_a", 3, 8, "apple", TEXT),
        ("t1_a", 3, 9, "google", TEXT),
        ("t1_b", 3, 8, "google", TEXT),
    ],
)
def test_a_correction_is_for_one_mention_and_the_text_that_was_judged(mention: tuple[str, int, int, str, str]) -> None:
    np.testing.assert_array_equal(Labels(None, (SAID,)).applied([mention], probabilities(1)), probabilities(1))


def test_without_labels_an_engines_answers_stay() -> None:
    np.testing.assert_array_equal(NO_LABELS.applied([], probabilities()), probabilities())


def test_a_day_is_told_of_its_own_corrections_only() -> None:
    later = replace(SAID, place=replace(PLACE, date="2026-01-07"))
    labels = Labels(CALIBRATION, (SAID, later))
    assert labels.of_day("phones", "2026-01-06").corrections == (SAID,)
    assert labels.of_day("tablets", "2026-01-06").corrections == ()
    assert labels.of_day("tablets", "2026-01-06").calibration == CALIBRATION


def test_what_changes_no_row_is_not_told() -> None:
    other = replace(CALIBRATION, labels=500, net_bias=0.3)
    assert Labels(CALIBRATION, (SAID,)).told == Labels(other, (replace(SAID, weight=9.0, observed_at_ts=5),)).told
    assert Labels(CALIBRATION).told != Labels(replace(CALIBRATION, negative=0.6)).told
    assert Labels(None, (SAID,)).told != Labels(None, (replace(SAID, label="neutral"),)).told


def test_of_two_corrections_of_a_mention_the_last_counts() -> None:
    other = replace(SAID, label="positive", place=replace(PLACE, text_sha256="0" * 16))
    assert newest([SAID, other]) == [other]
    assert newest([other, SAID]) == [SAID]


# Where they stand.


@pytest.fixture
def lake() -> MemoryLake:
    return MemoryLake()


def store(lake: MemoryLake, market: str = "smartphones") -> LabelStore:
    return LabelStore(DerivedZone(lake, lake, lake, [lake]), market)


def test_what_was_kept_is_there_and_only_for_its_market(lake: MemoryLake) -> None:
    assert store(lake).corrections() == []
    assert store(lake).calibration("fixed") is None
    store(lake).add([SAID])
    store(lake).keep(CALIBRATION)
    assert store(lake).corrections() == [SAID]
    assert store(lake).calibration("fixed") == CALIBRATION
    assert store(lake).calibration("other") is None
    assert store(lake, "espresso").corrections() == []


def test_a_newer_label_takes_the_place_of_an_older_one_and_the_rest_stays(lake: MemoryLake) -> None:
    another = replace(SAID, place=replace(PLACE, fullname="t1_z"))
    store(lake).add([SAID, another])
    store(lake).add([replace(SAID, label="positive")])
    assert [each.label for each in store(lake).corrections()] == ["positive", "negative"]


def grave(reason: Reason, noticed: int) -> Graves:
    return Graves.of_all([Tombstone("t1_a", 0, reason, noticed)])


@pytest.mark.parametrize("reason", [Reason.DELETED, Reason.FORGOTTEN])
def test_what_was_deleted_takes_its_labels_along_in_every_market(lake: MemoryLake, reason: Reason) -> None:
    another = replace(SAID, place=replace(PLACE, fullname="t1_z"))
    for market in ("smartphones", "espresso"):
        store(lake, market).add([SAID, another])
    store(lake).forget(grave(reason, 1))
    assert [store(lake, market).corrections() for market in ("smartphones", "espresso")] == [[another]] * 2
    assert not any(b"t1_a" in content for content in lake.objects.values())


def test_labels_of_what_was_let_back_in_stay(lake: MemoryLake) -> None:
    store(lake).add([SAID])
    store(lake).forget(grave(Reason.GONE, SAID.observed_at_ts - 1))
    store(lake).forget(grave(Reason.ACCOUNT, SAID.observed_at_ts + 1))
    assert store(lake).corrections() == [SAID]
    store(lake).forget(grave(Reason.GONE, SAID.observed_at_ts + 1))
    assert lake.objects == {}


def test_only_a_subreddit_of_which_something_was_said_has_to_be_looked_at(lake: MemoryLake) -> None:
    store(lake, "espresso").add([SAID])
    assert store(lake).knows("phones")
    assert not store(lake).knows("tablets")


def test_what_is_no_correction_is_named_and_never_overwritten(lake: MemoryLake) -> None:
    key = "labels/smartphones/corrections.jsonl"
    lake.objects[key] = b'{"label": "positive"}\n'
    with pytest.raises(DamagedState, match=key):
        store(lake).add([SAID])
    assert lake.objects[key] == b'{"label": "positive"}\n'
