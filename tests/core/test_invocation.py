from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reddit_ingest.core.errors import InvalidRequest
from reddit_ingest.core.invocation import IngestRequest, Mode, parse_event
from reddit_ingest.core.names import subreddit_key
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.core.windows import HOUR_S, SETTLE_S, hourly

NOON = 1_767_268_800
NOW = NOON + 600
SETTINGS = IngestSettings(subreddits=("smartphones",), max_submissions=500)
BACKFILL = {"mode": "backfill", "subreddit": "Android", "start_ts": NOON - 3 * HOUR_S, "end_ts": NOON}


def parsed(event: Any, using: IngestSettings = SETTINGS) -> IngestRequest:
    return parse_event(event, using, NOW)


def test_the_empty_event_is_the_scheduled_run_of_the_default_subreddits() -> None:
    assert parsed({}) == IngestRequest(Mode.INCREMENTAL, ("smartphones",), (), 500)


def test_an_event_may_name_the_subreddit() -> None:
    assert parsed({"subreddit": "Android"}).subreddits == ("android",)


def test_an_event_may_name_many_subreddits() -> None:
    assert parsed({"subreddits": ["Android", "iphone"]}).subreddits == ("android", "iphone")
    assert parsed({"subreddits": "iphone,Android"}).subreddits == ("iphone", "android")


def test_the_documented_backfill_gives_hourly_windows() -> None:
    request = parsed(BACKFILL)
    assert request.mode is Mode.BACKFILL
    assert list(request.windows) == hourly(NOON - 3 * HOUR_S, NOON)


def test_a_range_alone_makes_a_backfill() -> None:
    assert parsed({"start_ts": NOON - 1, "end_ts": NOON}).mode is Mode.BACKFILL


def test_the_cap_of_the_event_beats_the_cap_of_the_settings() -> None:
    assert parsed({"max_submissions": 7}).max_submissions == 7
    assert parsed({"max_submissions": None}).max_submissions is None


EVENTBRIDGE = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-01-01T12:06:00Z",
    "region": "us-east-1",
    "resources": ["arn:aws:events:us-east-1:123456789012:rule/tf-prod-smartcomp-reddit-ingestion"],
    "detail": {},
}


def test_the_envelope_of_eventbridge_counts_as_the_empty_event() -> None:
    assert parsed(EVENTBRIDGE) == parsed({})


REFUSED: dict[str, Any] = {
    "no object": [],
    "null": None,
    "text": "{}",
    "an unknown key": {"subredit": "android"},
    "an unknown key beside good ones": {**BACKFILL, "dry_run": True},
    "half an envelope": {"detail-type": "Scheduled Event"},
    "an unknown mode": {"mode": "full"},
    "a mode of another case": {"mode": "Backfill"},
    "a mode of the inside": {"mode": "look_back"},
    "a mode of null": {"mode": None},
    "a mode that is a list": {"mode": ["backfill"]},
    "incremental with a range": {**BACKFILL, "mode": "incremental"},
    "a backfill without a range": {"mode": "backfill"},
    "only a start": {"start_ts": NOON},
    "only an end": {"end_ts": NOON},
    "a start of text": {**BACKFILL, "start_ts": str(NOON)},
    "a start that is a fraction": {**BACKFILL, "start_ts": NOON - 0.5},
    "a start of true": {**BACKFILL, "start_ts": True},
    "a start of null": {**BACKFILL, "start_ts": None},
    "a range turned round": {**BACKFILL, "start_ts": NOON, "end_ts": NOON - HOUR_S},
    "a range in milliseconds": {**BACKFILL, "start_ts": NOON * 1000, "end_ts": (NOON + HOUR_S) * 1000},
    "a range of the future": {**BACKFILL, "start_ts": NOON + HOUR_S, "end_ts": NOON + 3 * HOUR_S},
    "a range of 20 years": {**BACKFILL, "start_ts": NOON - 20 * 365 * 24 * HOUR_S},
    "both spellings": {"subreddit": "android", "subreddits": ["iphone"]},
    "a name with a slash": {"subreddit": "r/android"},
    "a name of null": {"subreddit": None},
    "a list for one name": {"subreddit": ["android"]},
    "no names": {"subreddits": []},
    "a cap of zero": {"max_submissions": 0},
    "a cap below zero": {"max_submissions": -5},
    "a cap of text": {"max_submissions": "100"},
    "a cap of true": {"max_submissions": True},
    "a cap that is a fraction": {"max_submissions": 1.5},
}


@pytest.mark.parametrize("event", REFUSED.values(), ids=REFUSED.keys())
def test_an_event_that_cannot_be_served_is_refused_in_one_line(event: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parsed(event)
    assert "\n" not in str(refused.value)
    assert str(refused.value)


def test_an_unknown_key_is_named_beside_the_known_ones() -> None:
    with pytest.raises(InvalidRequest, match="subredit; known are end_ts, max_submissions, mode, start_ts, subreddit"):
        parsed({"subredit": "android"})


def test_without_any_subreddit_the_variable_to_set_is_named() -> None:
    with pytest.raises(InvalidRequest, match="SUBREDDITS"):
        parsed({}, IngestSettings())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
near_moments = st.integers(NOON - 100 * HOUR_S, NOON + 10 * HOUR_S)
plausible = {
    "mode": st.sampled_from(["incremental", "backfill"]) | json_values,
    "subreddit": st.sampled_from(["Android", "u_some-body", "../x"]) | json_values,
    "subreddits": st.lists(st.sampled_from(["Android", "iphone"]), max_size=3) | json_values,
    "start_ts": near_moments | json_values,
    "end_ts": near_moments | json_values,
    "max_submissions": st.integers(-2, 50) | json_values,
}
events = (
    st.fixed_dictionaries({}, optional=plausible) | st.dictionaries(st.text(max_size=12), json_values) | json_values
)


@settings(max_examples=300)
@given(events)
def test_any_event_gives_a_request_that_can_be_served_or_is_refused(event: Any) -> None:
    try:
        request = parsed(event)
    except InvalidRequest:
        return
    assert request.subreddits
    assert all(subreddit_key(name) == name for name in request.subreddits)
    assert (request.mode is Mode.BACKFILL) == bool(request.windows)
    assert request.mode in (Mode.INCREMENTAL, Mode.BACKFILL)
    assert all(window.end_ts + SETTLE_S <= NOW for window in request.windows)
    assert request.max_submissions is None or request.max_submissions >= 1
