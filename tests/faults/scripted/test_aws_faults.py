"""Rows 5 to 8 and 11 to 14 of the fault table: every call to AWS meets every fault, once or for good."""

import threading
from typing import Any

import pytest

from reddit_ingest import s3_storage, view
from reddit_ingest.core.errors import PlatformError, RunIncomplete, ServiceRefused, ServiceUnavailable
from reddit_ingest.core.items import Line
from reddit_ingest.core.windows import HOUR_S
from reddit_ingest.s3_storage import S3JsonlWriter

from ...emulator import LOSE_REPLY, RESET, Reply
from ...fakes import Crash
from .conftest import NOW, T0, WATERMARK, Lab, comment, hours, names_of
from .in_process_aws import DIE_AFTER, DIE_BEFORE, TIMEOUT_AFTER, TIMEOUT_BEFORE

LAST = T0 + 2 * HOUR_S


def xml(status: int, code: str) -> Reply:
    return Reply(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())


def typed(status: int, code: str) -> Reply:
    return Reply(status, f'{{"__type":"{code}","message":"{code}"}}'.encode())


PUTS = {1: "late item", 2: "its manifest", 3: "comments", 4: "submissions", 5: "quarantine", 6: "manifest"}
S3_FAULTS: dict[str, Reply | str] = {
    "503 SlowDown": xml(503, "SlowDown"),
    "503 without a body": Reply(503, b""),
    "500": xml(500, "InternalError"),
    "500 in HTML": Reply(500, b"<html><body>oh no</body></html>"),
    "timeout before the effect": TIMEOUT_BEFORE,
    "timeout after the effect": TIMEOUT_AFTER,
    "reset": RESET,
    "reply lost": LOSE_REPLY,
    "409": xml(409, "ConditionalRequestConflict"),
    "400 RequestTimeout": xml(400, "RequestTimeout"),
    "403": xml(403, "AccessDenied"),
    "404 bucket": xml(404, "NoSuchBucket"),
    "403 expired token": xml(403, "ExpiredToken"),
}
REFUSED = {"403", "404 bucket", "403 expired token"}
"""What a person must change; everything else may pass."""


def spoil_put(lab: Lab, nth: int, fault: Reply | str, *, stays: bool) -> None:
    lab.aws.fault = lambda action, n: fault if action == "s3:PutObject" and (n >= nth if stays else n == nth) else None


@pytest.mark.parametrize("nth", PUTS, ids=PUTS.get)
@pytest.mark.parametrize("fault", S3_FAULTS)
def test_an_upload_that_meets_a_fault_once_loses_nothing(lab: Lab, nth: int, fault: str) -> None:
    spoil_put(lab, nth, S3_FAULTS[fault], stays=False)
    if fault in REFUSED:
        with pytest.raises(ServiceRefused):
            lab.invoke()
        lab.check_promises()
        assert lab.watermark is None
        lab.now += 60
    lab.invoke()
    lab.check_whole(LAST, LAST + HOUR_S)


@pytest.mark.parametrize("nth", PUTS, ids=PUTS.get)
@pytest.mark.parametrize("fault", S3_FAULTS)
def test_an_upload_that_always_meets_a_fault_is_one_clear_error_and_loses_nothing(
    lab: Lab, nth: int, fault: str
) -> None:
    spoil_put(lab, nth, S3_FAULTS[fault], stays=True)
    with pytest.raises(ServiceRefused if fault in REFUSED else RunIncomplete) as told:
        lab.invoke()
    check_message(told.value, "s3:PutObject on s3://landing-zone/reddit/phones/")
    lab.check_promises()
    assert lab.watermark is None
    lab.aws.fault = lambda action, n: None
    lab.now += 60
    lab.invoke()
    lab.check_whole(LAST, LAST + HOUR_S)


def check_message(error: PlatformError, says: str) -> None:
    text = str(error)
    assert says in text
    assert "\n" not in text
    assert len(text) < 400
    assert error.exit_code == (3 if isinstance(error, RunIncomplete) else 1)


@pytest.mark.parametrize("nth", [1, 3, 4, 5], ids=PUTS.get)
def test_a_name_that_is_taken_by_other_bytes_is_left_alone(lab: Lab, nth: int) -> None:
    taken = {}

    def occupy(action: str, n: int) -> None:
        # Another writer is faster by a moment.
        if action == "s3:PutObject" and n == nth and not taken:
            taken.update(dict.fromkeys(_plain_names(nth), b"other bytes"))
            lab.aws.objects.update(taken)

    lab.aws.fault = occupy
    lab.invoke()
    assert taken.items() <= lab.aws.objects.items()
    lab.check_whole(LAST, LAST + HOUR_S)


def _plain_names(nth: int) -> list[str]:
    if nth == 1:
        return ["reddit/phones/2025-12-31/230000/submissions.jsonl"]
    name = {3: "comments", 4: "submissions", 5: "quarantine"}[nth]
    return [f"reddit/phones/2026-01-01/020000/{name}.jsonl"]


def test_where_every_name_is_taken_by_the_same_bytes_a_run_succeeds(lab: Lab) -> None:
    lab.invoke()
    lab.aws.parameters.clear()
    lab.invoke()
    lab.aws.parameters.clear()
    objects, lab.aws.calls = dict(lab.aws.objects), []
    lab.invoke()
    assert lab.aws.objects == objects, "nothing but 412 was answered"
    lab.check_whole(LAST, LAST + HOUR_S)


# Rows 11 and 12: state and history.

_OTHERS = {
    "ssm:GetParameter": ["ThrottlingException", "InternalServerError"],
    "ssm:PutParameter": ["ThrottlingException", "InternalServerError", "TooManyUpdates"],
    "dynamodb:PutItem": [
        "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        "com.amazonaws.dynamodb.v20120810#RequestLimitExceeded",
        "com.amazonaws.dynamodb.v20120810#InternalServerError",
        "com.amazonaws.dynamodb.v20120810#ThrottlingException",
    ],
    "cloudwatch:PutMetricData": ["ThrottlingException", "InternalServiceFault"],
    "secretsmanager:GetSecretValue": ["ThrottlingException", "InternalServiceError"],
}
_STATUS = {"InternalServerError": 500, "InternalServiceFault": 500, "InternalServiceError": 500}
_NTH = {"dynamodb:PutItem": (1, 2)}
PASSING: list[tuple[str, int, str, Reply | str]] = [
    (action, nth, code.rpartition("#")[2], typed(_STATUS.get(code.rpartition("#")[2], 400), code))
    for action, codes in _OTHERS.items()
    for nth in _NTH.get(action, (1,))
    for code in codes
] + [
    (action, nth, fault, fault)
    for action in _OTHERS
    for nth in _NTH.get(action, (1,))
    for fault in (TIMEOUT_BEFORE, TIMEOUT_AFTER, RESET, LOSE_REPLY)
]
DENIED: list[tuple[str, int, str, Reply]] = [
    (action, nth, code, typed(400, code))
    for action in _OTHERS
    for nth in _NTH.get(action, (1,))
    for code in ("AccessDeniedException", "ExpiredTokenException", "ValidationException", "ResourceNotFoundException")
]


def named(value: Any) -> str:
    return str(value.status) if isinstance(value, Reply) else str(value)


# The SDK does not try this one again: another run is just writing the parameter, and Lambda tries the event again.
AT_ONCE = [case for case in PASSING if case[2] != "TooManyUpdates"]


@pytest.mark.parametrize(("action", "nth", "what", "fault"), AT_ONCE, ids=named)
def test_a_call_that_fails_once_is_tried_again(lab: Lab, action: str, nth: int, what: str, fault: Reply | str) -> None:
    lab.aws.fault = lambda called, n: fault if (called, n) == (action, nth) else None
    lab.invoke()
    lab.check_whole(LAST, LAST + HOUR_S)
    assert lab.aws.calls.count(action) == max(_NTH.get(action, (1,))) + 1


@pytest.mark.parametrize(("action", "nth", "what", "fault"), [*PASSING, *DENIED], ids=named)
def test_a_call_that_fails_for_good_is_one_clear_error_and_loses_nothing(
    lab: Lab, action: str, nth: int, what: str, fault: Reply | str
) -> None:
    lab.aws.fault = lambda called, n: fault if called == action and n >= nth else None
    with pytest.raises((ServiceRefused, ServiceUnavailable, RunIncomplete)) as told:
        lab.invoke()
    check_message_of(told.value, action, is_refused=(action, nth, what, fault) in DENIED)
    lab.check_promises()
    if fault not in (TIMEOUT_AFTER, LOSE_REPLY):
        assert lab.watermark is None
    if action not in ("ssm:GetParameter", "secretsmanager:GetSecretValue"):
        assert names_of(LAST, LAST + HOUR_S) <= lab.seen(), "what was committed before is there"
    lab.aws.fault = lambda called, n: None
    lab.now += 60
    lab.invoke()
    lab.check_whole(LAST, LAST + HOUR_S)


def check_message_of(error: PlatformError, action: str, *, is_refused: bool) -> None:
    text = str(error)
    assert action in text
    assert "\n" not in text
    assert len(text) < 400
    assert isinstance(error, ServiceRefused) == is_refused
    assert ("run again later" in text) == (not is_refused)


# Rows 5, 6 and 8: the same event twice, one after the other and at once; retries of a failed event.


@pytest.mark.parametrize("times", [2, 3, 5])
@pytest.mark.parametrize("event", [{}, {"subreddit": "phones"}, {"source": "aws.events", "detail-type": "Scheduled"}])
def test_an_event_that_comes_again_finds_nothing_new(lab: Lab, event: dict[str, Any], times: int) -> None:
    lab.invoke(event)
    objects, items = dict(lab.aws.objects), dict(lab.aws.items)
    for _ in range(times - 1):
        assert lab.invoke(event)["subreddits"][0]["windows"] == []
    assert (lab.aws.objects, lab.aws.items) == (objects, items)
    lab.check_whole(LAST, LAST + HOUR_S)


@pytest.mark.parametrize("times", [2, 3])
def test_a_backfill_that_comes_again_adds_attempts_and_no_rows(lab: Lab, times: int) -> None:
    event = {"mode": "backfill", "subreddit": "phones", "start_ts": T0, "end_ts": LAST}
    for _ in range(times):
        lab.invoke(event)
        lab.now += 60
        assert lab.seen() == names_of(T0, LAST) | {"t3_late"}
        assert lab.watermark is None


def one_more(subreddit: str, windows: Any, deadline: Any = None) -> Any:
    """A source that sees one comment more than `hours`."""
    reading = hours(subreddit, windows)
    for window in reading.windows:
        start = window.window.start_ts
        window.comments.append(comment(f"3x{start}", start + 3, f"t3_{start}"))
    return reading


CALLS = range(1, 13)
READ = 3
"""The first call after the hour was read."""


@pytest.mark.parametrize(
    ("richer", "point"),
    [(richer, point) for richer in ("neither", "the other") for point in CALLS]
    + [("the paused one", point) for point in CALLS[READ - 1 :]],
)
def test_a_run_that_pauses_while_another_does_all_of_it_loses_nothing(lab: Lab, richer: str, point: int) -> None:
    def pause(action: str, nth: int) -> None:
        if len(lab.aws.calls) == point:
            lab.source._answer = one_more if richer == "the other" else hours
            lab.now += 30
            lab.invoke()
            assert lab.watermark == LAST + HOUR_S

    lab.source._answer = one_more if richer == "the paused one" else hours
    lab.aws.fault = pause
    lab.invoke()
    extra = set() if richer == "neither" else {f"t1_3x{LAST}"}
    assert lab.seen() == names_of(LAST, LAST + HOUR_S) | {"t3_late"} | extra
    assert lab.watermark == LAST + HOUR_S
    lab.check_promises()


@pytest.mark.parametrize("seed", range(10))
def test_two_runs_at_once_lose_nothing_and_double_nothing(lab: Lab, seed: int) -> None:
    gate = threading.Barrier(2)
    troubles: list[BaseException] = []

    def serve() -> None:
        function = lab.function()
        gate.wait()
        try:
            function.serve({}, lambda: 600_000)
        except BaseException as trouble:  # a thread's trouble must reach the test
            troubles.append(trouble)

    runs = [threading.Thread(target=serve) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert troubles == []
    lab.check_whole(LAST, LAST + HOUR_S)


@pytest.mark.parametrize("action", sorted(_OTHERS))
@pytest.mark.parametrize("failures", [1, 2])
def test_an_event_that_lambda_tries_again_is_served_in_the_end(lab: Lab, action: str, failures: int) -> None:
    lab.aws.fault = lambda called, n: typed(500, "InternalServerError") if called == action else None
    for _ in range(failures):
        with pytest.raises((ServiceUnavailable, RunIncomplete)):
            lab.invoke()
        lab.now += 60
    lab.aws.fault = lambda called, n: None
    lab.invoke()
    lab.check_whole(LAST, LAST + HOUR_S)


# Row 7: the time is over.


class Countdown:
    """Milliseconds that are plenty until so many calls have been made."""

    def __init__(self, lab: Lab, calls: int) -> None:
        self._lab, self._calls = lab, calls

    def __call__(self) -> int:
        return 600_000 if len(self._lab.aws.calls) < self._calls else 5_000


@pytest.mark.parametrize("calls", range(27))
def test_a_run_whose_time_is_over_stops_by_itself_with_whole_hours(three_hours: Lab, calls: int) -> None:
    countdown = Countdown(three_hours, calls)
    if calls <= 2:
        with pytest.raises(RunIncomplete, match="no time left for r/phones; the next run reads it"):
            three_hours.invoke(left_ms=countdown)
        assert three_hours.aws.objects == {}
    else:
        (outcome,) = three_hours.invoke(left_ms=countdown)["subreddits"]
        done = [window["window_end_ts"] for window in outcome["windows"]]
        assert outcome["watermark"] == three_hours.watermark == done[-1]
        assert (outcome["remaining"] is None) == (len(done) == 3)
        assert three_hours.aws.calls[-1] == "ssm:PutParameter", "nothing is begun that is not ended"
    three_hours.check_promises()
    three_hours.now += 60
    three_hours.invoke()
    three_hours.check_whole(T0, LAST + HOUR_S)


@pytest.mark.parametrize("how", [DIE_BEFORE, DIE_AFTER])
@pytest.mark.parametrize("nth", range(1, 13))
def test_a_run_that_lambda_kills_at_a_call_is_made_good_by_the_next(lab: Lab, nth: int, how: str) -> None:
    lab.aws.fault = lambda action, n: how if len(lab.aws.calls) == nth else None
    with pytest.raises(Crash):
        lab.invoke()
    lab.check_promises()
    lab.aws.fault = lambda action, n: None
    lab.now += 60
    lab.invoke()
    if (nth, how) == (12, DIE_AFTER):
        assert lab.aws.calls[12:] == ["secretsmanager:GetSecretValue", "ssm:GetParameter"]
    lab.check_whole(LAST, LAST + HOUR_S)


# Row 14: an upload in pieces.

_FOLDER = "reddit/phones/2026-01-01/020000/"
_PIECES = [Line(b"x" * 99 + b"\n", T0) for _ in range(25)]


@pytest.fixture
def pieces(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> S3JsonlWriter:
    monkeypatch.setattr(s3_storage, "MULTIPART_BYTES", 1_000)
    return S3JsonlWriter(lab.clients.s3, "landing-zone")


@pytest.mark.parametrize("how", [DIE_BEFORE, DIE_AFTER])
@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
def test_an_upload_in_pieces_that_dies_anywhere_is_invisible_or_whole(
    lab: Lab, pieces: S3JsonlWriter, nth: int, how: str
) -> None:
    lab.aws.fault = lambda action, n: how if len(lab.aws.calls) == nth else None
    with pytest.raises(Crash):
        pieces.land(_FOLDER, "comments", _PIECES)
    assert {len(content) for content in lab.aws.objects.values()} <= {2_500}
    lab.aws.fault = lambda action, n: None
    (landed,) = pieces.land(_FOLDER, "comments", _PIECES)
    assert lab.aws.objects[_FOLDER + landed.name] == b"".join(line.data for line in _PIECES)


@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("fault", ["503 SlowDown", "timeout after the effect", "timeout before the effect", "409"])
def test_an_upload_in_pieces_passes_over_trouble(lab: Lab, pieces: S3JsonlWriter, nth: int, fault: str) -> None:
    lab.aws.fault = lambda action, n: S3_FAULTS[fault] if len(lab.aws.calls) == nth else None
    (landed,) = pieces.land(_FOLDER, "comments", _PIECES)
    assert lab.aws.objects[_FOLDER + landed.name] == b"".join(line.data for line in _PIECES)


@pytest.mark.parametrize("nth", [2, 3, 4, 5])
@pytest.mark.parametrize("fault", ["403", "500"])
def test_an_upload_in_pieces_that_fails_for_good_leaves_nothing(
    lab: Lab, pieces: S3JsonlWriter, nth: int, fault: str
) -> None:
    lab.aws.fault = lambda action, n: (
        S3_FAULTS[fault] if action == "s3:PutObject" and len(lab.aws.calls) >= nth else None
    )
    with pytest.raises((ServiceRefused, ServiceUnavailable)):
        pieces.land(_FOLDER, "comments", _PIECES)
    assert lab.aws.objects == {}
    assert lab.aws.uploads == {}


# Row 23: what the watermark says.


@pytest.mark.parametrize(
    "stored",
    [
        "", " ", "yesterday", "-1", "-3600", "0", "1.5", f"{T0}.0", "1e9", "0x10", "NaN", "null", "{}", "2026-01-01",
        str(T0 * 1_000), str(NOW + HOUR_S), str(4_102_444_800), str(T0 + 1), str(T0 + 1_800), str(T0 - 1), "3600",
        f"+{T0}", f" {T0}", f"{T0} ", f"{T0}\n", "１７６７２２５６００", "9" * 19, "9" * 400, "true", f'"{T0}"',
    ],
    ids=lambda stored: ascii(stored)[:30],
)  # fmt: skip
def test_a_watermark_that_cannot_be_one_is_told_and_nothing_is_touched(lab: Lab, stored: str) -> None:
    lab.watermark = stored
    with pytest.raises(RunIncomplete, match="watermark") as told:
        lab.invoke()
    assert len(str(told.value)) < 400
    assert lab.aws.parameters[WATERMARK] == stored
    assert lab.aws.calls == ["secretsmanager:GetSecretValue", "ssm:GetParameter"]
    assert lab.source.asked == []


@pytest.mark.parametrize("back", [1, 2, 3])
def test_an_old_watermark_that_comes_again_is_work_done_again(three_hours: Lab, back: int) -> None:
    three_hours.invoke()
    three_hours.watermark = LAST + HOUR_S - back * HOUR_S
    three_hours.now += 60
    three_hours.invoke()
    three_hours.check_whole(T0, LAST + HOUR_S)


def test_a_watermark_far_behind_is_caught_up_piece_by_piece(lab: Lab) -> None:
    lab.watermark = lab.first = T0 - 60 * HOUR_S
    for round_ in (1, 2, 3):
        assert lab.watermark == T0 - 60 * HOUR_S + (round_ - 1) * 24 * HOUR_S
        lab.invoke()
    assert lab.watermark == LAST + HOUR_S
    assert lab.seen() == names_of(T0 - 60 * HOUR_S, LAST + HOUR_S) | {"t3_late"}


def test_without_a_watermark_the_next_run_begins_with_the_last_hour_and_keeps_what_there_is(three_hours: Lab) -> None:
    three_hours.invoke()
    three_hours.aws.parameters.clear()
    three_hours.now += 60
    three_hours.invoke()
    three_hours.check_whole(T0, LAST + HOUR_S)
    attempts = {state.window.start_ts: state.attempts for state in view.ledger(three_hours.aws.lake(), "reddit/")}
    assert attempts == {T0: 1, T0 + HOUR_S: 1, LAST: 2}


def test_the_watermark_of_another_subreddit_is_none_of_ours(lab: Lab) -> None:
    lab.aws.parameters["/reddit-ingest/prod/tablets/last_run_ts"] = "yesterday"
    lab.aws.parameters["/reddit-ingest/dev/phones/last_run_ts"] = str(T0)
    lab.invoke()
    lab.check_whole(LAST, LAST + HOUR_S)
    assert lab.aws.parameters["/reddit-ingest/prod/tablets/last_run_ts"] == "yesterday"
