"""The ingestion function from event to answer: the same hour as in a folder, with the contract's names on AWS."""

import json
import logging
from itertools import product
from typing import Any

import pytest

from reddit_ingest import view
from reddit_ingest.bootstrap_aws import IngestionFunction
from reddit_ingest.core.errors import (
    CredentialsRejected,
    DamagedState,
    InvalidRequest,
    InvalidSetting,
    PlatformError,
    RunIncomplete,
    ServiceRefused,
    ServiceUnavailable,
)
from reddit_ingest.s3_storage import S3LakeReader

from ..conftest import SECRET
from ..emulator import LOSE_REPLY, RESET, Deployment, Reply
from ..slow import one_in
from .conftest import HOUR, LAST, NOW, T0, Invoker, recorded_windows

FOLDER = "reddit/phones/2026-01-06/050000/"


def seen(deployment: Deployment, subreddit: str = "phones") -> set[str]:
    """Return every fullname that the lake shows."""
    lake = S3LakeReader(deployment.client("s3"), deployment.bucket)
    return {name for kind in ("submissions", "comments") for name in view.rows(lake, f"reddit/{subreddit}/", kind)}


def test_the_empty_event_lands_the_last_hour_under_the_names_of_the_contract(lambda_: Invoker) -> None:
    answer = lambda_.invoke({})
    (outcome,) = answer["subreddits"]
    (window,) = outcome["windows"]
    assert (window["window_start_ts"], window["status"]) == (LAST, "complete")
    assert window["s3_prefix"] == FOLDER
    names = {key.removeprefix(FOLDER) for key in lambda_.deployment.objects() if key.startswith(FOLDER)}
    assert {"submissions.jsonl", "comments.jsonl"} < names
    assert len([name for name in names if name.startswith("manifest-")]) == 1
    assert lambda_.deployment.watermark("phones") == str(LAST + HOUR)
    (item,) = lambda_.deployment.items()
    assert (item["pk"], item["sk"]) == ("ENV#prod#SUBREDDIT#phones", f"RUN#{LAST}")
    assert int(item["SubmissionsCount"]) == window["submissions_count"] > 0
    figures = lambda_.deployment.figures()
    assert figures["NewSubmissions", "phones"] == window["submissions_count"]
    assert figures["NewComments", "phones"] == window["new_comments_count"]
    assert lambda_.visible("phones", LAST, LAST + HOUR) <= seen(lambda_.deployment)


def test_invoked_again_in_the_same_hour_it_changes_nothing(lambda_: Invoker) -> None:
    lambda_.invoke()
    before = lambda_.deployment.objects(), lambda_.deployment.items(), lambda_.deployment.watermark("phones")
    calls, requests = len(lambda_.wire.calls), lambda_.reddit.stats()["requests_total"]
    answer = lambda_.invoke()
    assert answer["subreddits"][0]["windows"] == []
    assert (lambda_.deployment.objects(), lambda_.deployment.items(), lambda_.deployment.watermark("phones")) == before
    assert lambda_.wire.calls[calls:] == ["secretsmanager:GetSecretValue", "ssm:GetParameter"]
    assert lambda_.reddit.stats()["requests_total"] == requests


def test_the_documented_backfill_makes_an_item_an_hour_and_leaves_the_watermark(lambda_: Invoker) -> None:
    lambda_.invoke()
    event = {"mode": "backfill", "subreddit": "phones", "start_ts": LAST - 3 * HOUR, "end_ts": LAST}
    answer = lambda_.invoke(event)
    assert [window["status"] for window in answer["subreddits"][0]["windows"]] == ["complete"] * 3
    assert "remaining" not in answer
    modes = {int(item["WindowStartTs"]): item["Mode"] for item in lambda_.deployment.items()}
    assert modes == {LAST: "incremental", **{LAST - n * HOUR: "backfill" for n in (1, 2, 3)}}
    assert lambda_.deployment.watermark("phones") == str(LAST + HOUR)
    shown = seen(lambda_.deployment)
    lambda_.invoke(event)
    assert seen(lambda_.deployment) == shown


def test_missed_hours_are_caught_up_as_many_as_the_setting_says(lambda_: Invoker) -> None:
    lambda_.invoke()
    later = lambda_.later(4).with_settings(MAX_HOURLY_WINDOWS_PER_RUN="3")
    (outcome,) = later.invoke()["subreddits"]
    assert [window["window_start_ts"] for window in outcome["windows"]] == [LAST + n * HOUR for n in (1, 2, 3)]


def test_permanent_trouble_of_one_subreddit_never_stops_the_others(lambda_: Invoker) -> None:
    many = lambda_.with_settings(SUBREDDITS="closed,phones,gone,nosuchname,tablets")
    statuses = {o["subreddit"]: [w["status"] for w in o["windows"]] for o in many.invoke()["subreddits"]}
    assert statuses.pop("phones") == statuses.pop("tablets") == ["complete"]
    assert set(map(tuple, statuses.values())) == {("blocked",)}
    assert many.deployment.watermark("closed") is None
    assert many.deployment.figures()["WindowsBlocked", ""] == 3


def test_failure_is_raised_after_the_others_were_served(lambda_: Invoker) -> None:
    many = lambda_.with_settings(SUBREDDITS="phones,tablets")
    many.spoil_reddit("/r/phones/*", "status:503")
    with pytest.raises(RunIncomplete, match=r"r/phones: 1 windows failed .*503"):
        many.invoke()
    assert many.deployment.watermark("phones") is None
    assert many.deployment.watermark("tablets") == str(LAST + HOUR)
    assert many.deployment.figures()["WindowsFailed", ""] == 1
    many.reddit.set_hostile("[]")
    many.invoke()
    assert many.deployment.watermark("phones") == str(LAST + HOUR)


def test_a_damaged_watermark_is_told_and_touches_nothing(lambda_: Invoker) -> None:
    name = f"{lambda_.deployment.state_path}/prod/phones/last_run_ts"
    lambda_.deployment.client("ssm").put_parameter(Name=name, Value="-1", Type="String")
    with pytest.raises(RunIncomplete, match="watermark -1 is not the end of a past hour"):
        lambda_.invoke()
    assert lambda_.deployment.watermark("phones") == "-1"
    assert lambda_.deployment.objects() == {}
    assert lambda_.reddit.stats()["requests_total"] == 0


@pytest.mark.parametrize(
    "event",
    [
        {"mode": "sideways"},
        {"subreddit": "../etc"},
        {"subreddit": "a/b"},
        {"mode": "backfill"},
        {"mode": "backfill", "subreddit": "phones", "start_ts": "yesterday", "end_ts": NOW},
        {"mode": "backfill", "subreddits": ["phones", "tablets"], "start_ts": LAST, "end_ts": NOW},
        {"subredit": "phones"},
        [],
        "phones",
    ],
    ids=str,
)
def test_a_wrong_event_is_refused_before_anything_is_called(lambda_: Invoker, event: Any) -> None:
    with pytest.raises(InvalidRequest):
        lambda_.function.serve(event, lambda: 600_000)
    assert lambda_.wire.calls == []


@pytest.mark.parametrize("name", ["LANDING_BUCKET_NAME", "REDDIT_SECRET_ARN"])
def test_a_missing_variable_is_named_before_anything_is_called(lambda_: Invoker, name: str) -> None:
    with pytest.raises(InvalidSetting, match=name):
        lambda_.with_settings(**{name: ""}).invoke()
    assert lambda_.wire.calls == []


# Time.


def test_a_backfill_too_long_for_one_invocation_names_what_remains_and_can_be_driven_to_its_end(
    lambda_: Invoker,
) -> None:
    event: Any = {"mode": "backfill", "subreddit": "phones", "start_ts": T0 + 2 * HOUR, "end_ts": T0 + 12 * HOUR}
    landed: list[int] = []
    rounds = 0
    while event:
        budget = _Budget(lambda_, windows=3)
        answer = lambda_.invoke(event, budget)
        landed += [window["window_start_ts"] for window in answer["subreddits"][0]["windows"]]
        event = answer.get("remaining")
        rounds += 1
    assert landed == [T0 + n * HOUR for n in range(2, 12)]
    assert rounds == 4
    assert lambda_.deployment.watermark("phones") is None


class _Budget:
    """Milliseconds that are plenty until so many windows have been recorded."""

    def __init__(self, invoker: Invoker, windows: int) -> None:
        self._invoker = invoker
        self._end = recorded_windows(invoker) + windows

    def __call__(self) -> int:
        return 600_000 if recorded_windows(self._invoker) < self._end else 5_000


def test_a_catch_up_stops_before_the_time_is_over_and_the_next_run_goes_on(lambda_: Invoker) -> None:
    lambda_.invoke()
    later = lambda_.later(6).with_settings(MAX_HOURLY_WINDOWS_PER_RUN="24")
    (outcome,) = later.invoke(left_ms=_Budget(later, 2))["subreddits"]
    assert len(outcome["windows"]) == 2
    assert outcome["remaining"] == [LAST + 3 * HOUR, LAST + 7 * HOUR]
    assert later.deployment.watermark("phones") == str(LAST + 3 * HOUR)
    assert len(later.invoke()["subreddits"][0]["windows"]) == 4


def test_a_subreddit_that_no_time_was_left_for_is_a_failure_that_is_tried_again(lambda_: Invoker) -> None:
    many = lambda_.with_settings(SUBREDDITS="phones,tablets")
    with pytest.raises(RunIncomplete, match="no time left for r/tablets"):
        many.invoke(left_ms=_Budget(many, 1))
    assert many.deployment.watermark("phones") == str(LAST + HOUR)
    assert [o["subreddit"] for o in many.invoke()["subreddits"] if o["windows"]] == ["tablets"]


# Warm starts and the secret.


def test_a_warm_start_logs_in_to_reddit_once(lambda_: Invoker) -> None:
    lambda_.invoke()
    lambda_.later(1).invoke()
    assert lambda_.reddit.stats()["tokens"] == 1


def test_a_rotated_secret_is_noticed_by_the_next_invocation(lambda_: Invoker) -> None:
    lambda_.invoke()
    rotated = {**SECRET, "REDDIT_CLIENT_SECRET": "another-secret"}
    lambda_.deployment.client("secretsmanager").put_secret_value(
        SecretId=lambda_.deployment.secret_arn, SecretString=json.dumps(rotated)
    )
    lambda_.later(1).invoke()
    assert lambda_.reddit.stats()["tokens"] == 2


@pytest.mark.parametrize(
    "secret",
    ["canary-secret-8b27e6", "[1]", "{", '{"REDDIT_CLIENT_ID": "x"}', json.dumps({**SECRET, "REDDIT_USER_AGENT": "ü"})],
)
def test_a_secret_that_is_no_such_document_is_named_and_never_shown(lambda_: Invoker, secret: str) -> None:
    lambda_.deployment.client("secretsmanager").put_secret_value(
        SecretId=lambda_.deployment.secret_arn, SecretString=secret
    )
    with pytest.raises(InvalidSetting, match="secret:") as told:
        lambda_.invoke()
    assert "canary" not in str(told.value)
    assert told.value.__context__ is None
    assert lambda_.deployment.objects() == {}


# Faults between the SDK and the service.

_BUSY = {
    "s3:PutObject": Reply(503, b"<Error><Code>SlowDown</Code><Message>Reduce your request rate</Message></Error>"),
    "ssm:GetParameter": Reply(400, b'{"__type":"ThrottlingException","message":"Rate exceeded"}'),
    "ssm:PutParameter": Reply(400, b'{"__type":"ThrottlingException","message":"Rate exceeded"}'),
    "secretsmanager:GetSecretValue": Reply(400, b'{"__type":"ThrottlingException","message":"Rate exceeded"}'),
    "dynamodb:PutItem": Reply(
        400, b'{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}'
    ),
    "cloudwatch:PutMetricData": Reply(400, b'{"__type":"ThrottlingException","message":"Rate exceeded"}'),
}
ACTIONS = sorted(_BUSY)


@pytest.fixture
def undisturbed(lambda_: Invoker) -> set[str]:
    """What the hour holds."""
    return lambda_.visible("phones", LAST, LAST + HOUR)


@pytest.mark.parametrize(("action", "fault"), one_in(2, product(ACTIONS, ["busy", LOSE_REPLY, RESET])))
def test_trouble_that_passes_loses_nothing_and_doubles_nothing(
    lambda_: Invoker, undisturbed: set[str], action: str, fault: str
) -> None:
    lambda_.wire.spoil(action, _BUSY[action] if fault == "busy" else fault)
    lambda_.invoke()
    _check_whole(lambda_, undisturbed)


def _check_whole(invoker: Invoker, hour: set[str]) -> None:
    assert hour <= seen(invoker.deployment)
    assert invoker.deployment.watermark("phones") == str(LAST + HOUR)
    assert len(invoker.deployment.items()) == 1
    lake = S3LakeReader(invoker.deployment.client("s3"), invoker.deployment.bucket)
    (state,) = [s for s in view.ledger(lake, "reddit/phones/") if s.window.start_ts == LAST]
    assert state.status.is_whole


@pytest.mark.parametrize(("fault", "action"), one_in(2, product(["busy", RESET], ACTIONS)))
def test_trouble_that_stays_is_one_clear_error_and_the_next_run_makes_it_good(
    lambda_: Invoker, undisturbed: set[str], action: str, fault: str
) -> None:
    lambda_.wire.spoil(action, _BUSY[action] if fault == "busy" else fault, times=float("inf"))
    with pytest.raises((ServiceUnavailable, RunIncomplete)) as told:
        lambda_.invoke()
    assert action in str(told.value)
    assert "\n" not in str(told.value)
    assert "run again later" in str(told.value)
    assert lambda_.deployment.watermark("phones") is None
    lambda_.wire.fault = lambda called, nth: None
    lambda_.invoke()
    _check_whole(lambda_, undisturbed)


@pytest.mark.parametrize("missing", ["bucket", "table", "secret"])
def test_a_thing_that_is_not_there_is_named_with_the_call_that_missed_it(lambda_: Invoker, missing: str) -> None:
    settings, name = {
        "bucket": ({"LANDING_BUCKET_NAME": "no-such-bucket"}, "s3:PutObject on s3://no-such-bucket/"),
        "table": ({"RUNS_TABLE_NAME": "no-such-table"}, "dynamodb:PutItem on table no-such-table"),
        "secret": (
            {"REDDIT_SECRET_ARN": lambda_.deployment.secret_arn[:-6] + "nosuch"},
            "secretsmanager:GetSecretValue on arn:aws:secretsmanager",
        ),
    }[missing]
    # Here the rights are no matter: with the function's own role the answer would be that it may not.
    elsewhere = lambda_.with_settings(**settings)
    elsewhere.function._clients.__dict__.update(
        {
            service: lambda_.deployment.client(service)
            for service in ("s3", "ssm", "dynamodb", "cloudwatch", "secretsmanager")
        }
    )
    with pytest.raises(ServiceRefused, match=name):
        elsewhere.invoke()
    assert lambda_.deployment.watermark("phones") is None


# Least privilege, both ways.


def test_the_calls_of_a_run_are_exactly_the_actions_granted(lambda_: Invoker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reddit_ingest.s3_storage.MULTIPART_BYTES", 5 * 1024 * 1024)
    lambda_.invoke()
    _land_in_pieces(lambda_, fails=True)
    assert set(lambda_.wire.calls) == set(lambda_.deployment.granted())


def _land_in_pieces(invoker: Invoker, *, fails: bool) -> None:
    from reddit_ingest.core.items import Line
    from reddit_ingest.s3_storage import S3JsonlWriter

    writer = S3JsonlWriter(invoker.function._clients.s3, invoker.deployment.bucket)
    if fails:
        begin = invoker.wire.calls.count("s3:PutObject")
        invoker.wire.fault = lambda called, nth: (
            Reply(400, b"<Error><Code>EntityTooSmall</Code><Message>no</Message></Error>")
            if called == "s3:PutObject" and nth == begin + 3
            else None
        )
    lines = [Line(b"x" * 1_048_575 + b"\n", T0) for _ in range(12)]
    try:
        writer.land("reddit/phones/2026-01-01/000000/", "comments", lines)
    except ServiceRefused:
        assert fails


@pytest.mark.parametrize("action", [*ACTIONS, "s3:AbortMultipartUpload"])
def test_without_any_one_of_its_rights_the_function_fails(
    lambda_: Invoker, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    monkeypatch.setattr("reddit_ingest.s3_storage.MULTIPART_BYTES", 5 * 1024 * 1024)
    rights = {granted: on for granted, on in lambda_.deployment.granted().items() if granted != action}
    for name, value in lambda_.deployment.role(rights).items():
        monkeypatch.setenv(name, value)
    less = lambda_.with_settings()
    if action == "s3:AbortMultipartUpload":
        _land_in_pieces(less, fails=True)
        assert less.deployment.unfinished_uploads() == ["reddit/phones/2026-01-01/000000/comments.jsonl"]
        return
    with pytest.raises(ServiceRefused, match=rf"{action} on .* is not permitted .*grant {action}"):
        less.invoke()
    assert less.deployment.watermark("phones") is None


def test_an_upload_in_pieces_that_fails_leaves_no_pieces_behind(
    lambda_: Invoker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reddit_ingest.s3_storage.MULTIPART_BYTES", 5 * 1024 * 1024)
    _land_in_pieces(lambda_, fails=True)
    assert lambda_.deployment.unfinished_uploads() == []
    assert lambda_.deployment.objects() == {}
    lambda_.wire.fault = lambda called, nth: None
    _land_in_pieces(lambda_, fails=False)
    assert [len(content) for content in lambda_.deployment.objects().values()] == [12 * 1_048_576]


@pytest.mark.parametrize("fault", [RESET, LOSE_REPLY])
@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
def test_an_upload_in_pieces_survives_a_lost_connection_at_any_call(
    lambda_: Invoker, monkeypatch: pytest.MonkeyPatch, fault: str, nth: int
) -> None:
    monkeypatch.setattr("reddit_ingest.s3_storage.MULTIPART_BYTES", 5 * 1024 * 1024)
    lambda_.wire.fault = lambda called, now: fault if now == nth else None
    _land_in_pieces(lambda_, fails=False)
    objects = lambda_.deployment.objects()
    assert {len(content) for content in objects.values()} == {12 * 1_048_576}


# Secrets.


@pytest.mark.parametrize("trouble", ["none", "rejected", "refused", "throttled", "reset", "hostile", "secret gone"])
def test_the_secret_appears_nowhere(lambda_: Invoker, caplog: pytest.LogCaptureFixture, trouble: str) -> None:
    caplog.set_level(logging.DEBUG)
    if trouble == "rejected":
        lambda_.spoil_reddit("*", "token-401")
    elif trouble == "hostile":
        lambda_.spoil_reddit("*", "not-json")
    elif trouble == "refused":
        lambda_.wire.spoil("s3:PutObject", Reply(403, b"<Error><Code>AccessDenied</Code></Error>"), times=99)
    elif trouble == "throttled":
        lambda_.wire.spoil("dynamodb:PutItem", _BUSY["dynamodb:PutItem"], times=99)
    elif trouble == "reset":
        lambda_.wire.spoil("cloudwatch:PutMetricData", RESET, times=99)
    elif trouble == "secret gone":
        lambda_.wire.spoil("secretsmanager:GetSecretValue", Reply(400, b'{"__type":"InternalFailure"}'), times=99)
    told = ""
    try:
        lambda_.invoke()
    except PlatformError as error:
        told = _whole_story(error)
    assert (told == "") == (trouble == "none")
    everywhere = [
        told,
        caplog.text,
        *map(str, lambda_.deployment.items()),
        *map(str, lambda_.deployment.items("ATTEMPT")),
    ]
    everywhere += [content.decode() for content in lambda_.deployment.objects().values()]
    everywhere += map(str, lambda_.deployment.figures())
    for canary in (SECRET["REDDIT_CLIENT_ID"], SECRET["REDDIT_CLIENT_SECRET"]):
        assert not [text for text in everywhere if canary in text]


def _whole_story(error: BaseException) -> str:
    import traceback

    shown = "".join(traceback.format_exception(error))
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
        shown += repr(error) + repr(error.args)
    return shown


def test_rejected_credentials_end_the_run_with_one_error(lambda_: Invoker) -> None:
    lambda_.spoil_reddit("*", "token-401")
    with pytest.raises(CredentialsRejected, match="rejects the credentials"):
        lambda_.invoke()
    assert lambda_.deployment.objects() == {}


def test_the_function_reads_nothing_before_the_first_event(lambda_: Invoker) -> None:
    IngestionFunction({})
    assert lambda_.wire.calls == []
    assert DamagedState.exit_code == 1
