"""S10: any event is a valid run, or is refused before AWS is called."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reddit_ingest.core.errors import InvalidRequest
from reddit_ingest.core.windows import HOUR_S

from ..faults.scripted.conftest import NOW, T0, Lab
from ..faults.scripted.in_process_aws import Sdk

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_NAMES = st.sampled_from(["phones", "Tablets", "u_someone", "../etc", "a/b", "", "phones\n", "x" * 22, "ｐhones"])
_TIMES = st.integers(T0 - 5 * HOUR_S, NOW + HOUR_S) | st.sampled_from(
    [0, -1, 2**31, 2**63, 10**30, T0 * 1_000, True, float(T0), float("nan"), str(T0), None]
)
_KNOWN = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["incremental", "backfill", "look_back", "Backfill", "", None, 1, ["backfill"]])
        | _JSON,
        "subreddit": _NAMES | _JSON,
        "subreddits": st.lists(_NAMES, max_size=3) | _NAMES | _JSON,
        "start_ts": _TIMES,
        "end_ts": _TIMES,
        "max_submissions": st.sampled_from([1, 1_000, 0, -1, True, 1.5, "5", None, 10**30]),
    },
)
_FITTING = st.fixed_dictionaries(
    {"mode": st.just("backfill"), "subreddit": st.just("phones"), "start_ts": _TIMES, "end_ts": _TIMES}
)
_STRANGE = st.dictionaries(
    st.sampled_from(["mode", "subreddit", "source", "detail-type", "__proto__", "Records", "environment", "secret"])
    | st.text(max_size=12),
    _JSON,
    max_size=4,
)
EVENTS: Any = _KNOWN | _FITTING | _STRANGE | _JSON | st.builds(lambda a, b: {**a, **b}, _KNOWN, _STRANGE)


@settings(
    max_examples=400,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(event=EVENTS)
def test_any_event_is_a_valid_run_or_refused_before_aws_is_called(scripted: Sdk, no_pauses: None, event: Any) -> None:
    lab, refused = Lab(scripted), None
    try:
        answer = lab.function().serve(event, lambda: 600_000)
    except InvalidRequest as told:
        refused = str(told)
    if refused is not None:
        assert lab.aws.calls == []
        assert "\n" not in refused
        return
    assert answer["mode"] in ("incremental", "backfill")
    named = {outcome["subreddit"] for outcome in answer["subreddits"]}
    assert named <= {"phones", "tablets", "u_someone"}
    assert {key.split("/")[1] for key in lab.aws.objects} <= named
    assert all(outcome["trouble"] is None for outcome in answer["subreddits"])


def test_both_kinds_of_events_are_made() -> None:
    from hypothesis import find

    find(EVENTS, lambda event: isinstance(event, dict) and event.get("mode") == "backfill" and len(event) >= 4)
    find(EVENTS, lambda event: not isinstance(event, dict))
