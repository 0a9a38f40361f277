"""The one place that builds things on AWS: the ingestion function, the deployed lake for readers, and its driver."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from .aws import CLIENT_CONFIG, translated
from .clocks import SystemClock
from .core import errors
from .core.errors import InvalidRequest, InvalidSetting, RunIncomplete, ServiceRefused, TryLater
from .core.invocation import IngestRequest, Mode, parse_event
from .core.ports import Clock
from .core.settings import AwsSettings, IngestSettings, RedditCredentials, RedditEndpoint
from .credentials import SecretCredentials
from .erasure import Erasure
from .ingestion_service import RedditIngestionService
from .logs import keep_libraries_quiet
from .pipeline import Pipeline, SubredditOutcome, raise_failures
from .reddit_client import RedditClientFactory, RedditConnection
from .run_metadata import RedditIngestionRunRecorder
from .s3_storage import S3Eraser, S3JsonlWriter, S3LakeReader
from .sources.reddit_api import RedditApiSource
from .state_store import RedditIngestionStateStore

Event = dict[str, Any]

# A synchronous invocation answers when the function is done, at most fifteen minutes later. While another run holds the
# function's one place it is throttled, and asked again for some fifteen seconds.
_INVOKE_CONFIG = Config(connect_timeout=3, read_timeout=910, retries={"mode": "standard", "total_max_attempts": 5})


class _Clients:
    """The SDK's clients, each built when it is first used and kept."""

    @cached_property
    def _session(self) -> Any:
        return boto3.session.Session()

    def _new(self, service: str, config: Config = CLIENT_CONFIG) -> Any:
        with translated(service, "its client"):
            return self._session.client(service, config=config)

    @cached_property
    def s3(self) -> Any:
        return self._new("s3")

    @cached_property
    def ssm(self) -> Any:
        return self._new("ssm")

    @cached_property
    def dynamodb(self) -> Any:
        return self._new("dynamodb")

    @cached_property
    def cloudwatch(self) -> Any:
        return self._new("cloudwatch")

    @cached_property
    def secretsmanager(self) -> Any:
        return self._new("secretsmanager")

    @cached_property
    def functions(self) -> Any:
        return self._new("lambda", _INVOKE_CONFIG)


class IngestionFunction:
    """What the ingestion Lambda does with an event; made once, kept between invocations.

    Nothing is read from the environment, and no client is built, before the first event.
    """

    def __init__(self, environ: Mapping[str, str], clock: Clock | None = None) -> None:
        self._environ = environ
        self._clock = clock or SystemClock()
        self._clients = _Clients()
        self._known: tuple[RedditCredentials, RedditApiSource] | None = None
        keep_libraries_quiet()

    def serve(self, event: Mapping[str, Any], remaining_ms: Callable[[], int]) -> dict[str, Any]:
        """Run what the event asks for and return what became of it.

        The event is checked before AWS is called. `remaining_ms` tells the milliseconds left; the run stops by itself
        before they are over. A backfill that was too long for them names the event that goes on, under `remaining`.

        Raises:
            InvalidRequest, InvalidSetting: nothing was called.
            RunIncomplete: after everything else was served.
            CredentialsRejected, ServiceRefused, Stop: nothing more can be done.
        """
        settings = IngestSettings.from_mapping(self._environ)
        request = parse_event(event, settings, self._clock.now_ts())
        if request.mode is Mode.BACKFILL and len(request.subreddits) > 1:
            raise InvalidRequest('a backfill of the deployed function names one "subreddit"; invoke it once for each')
        pipeline = self._pipeline(settings, AwsSettings.from_mapping(self._environ))
        outcomes = list(pipeline.run(request, _Remaining(remaining_ms)))
        raise_failures(outcomes)
        return _answer(request, outcomes)

    def _pipeline(self, settings: IngestSettings, aws: AwsSettings) -> Pipeline:
        if aws.secret_arn is None:
            raise InvalidSetting("REDDIT_SECRET_ARN is missing in the function's environment; set it by Terraform")
        clients = self._clients
        writer = S3JsonlWriter(clients.s3, aws.landing_bucket, settings.part_bytes)
        return Pipeline(
            RedditIngestionService(self._source(aws.secret_arn), writer, self._clock, settings.landing_prefix),
            RedditIngestionStateStore(clients.ssm, aws.state_base_path, settings.environment),
            RedditIngestionRunRecorder(clients.dynamodb, clients.cloudwatch, aws.runs_table, aws.metrics_namespace),
            self._clock,
            environment=settings.environment,
            max_windows=settings.max_windows_per_run,
            look_back_hours=settings.look_back_hours,
        )

    def _source(self, secret_arn: str) -> RedditApiSource:
        """Return the warm source, or a new one where the secret has been rotated since."""
        credentials = SecretCredentials(self._clients.secretsmanager, secret_arn).load()
        if self._known is None or self._known[0] != credentials:
            reddit = RedditClientFactory.create(credentials, RedditEndpoint.from_mapping(self._environ))
            self._known = credentials, RedditApiSource(RedditConnection(reddit))
        return self._known[1]


class _Remaining:
    def __init__(self, remaining_ms: Callable[[], int]) -> None:
        self._remaining_ms = remaining_ms

    def remaining_s(self) -> float:
        return self._remaining_ms() / 1000


def _answer(request: IngestRequest, outcomes: list[SubredditOutcome]) -> dict[str, Any]:
    told = [outcome.to_dict() for outcome in outcomes]
    for outcome in told:
        for window in outcome["windows"]:
            del window["coverage"]  # the manifest has it, and an answer has a largest size
    answer: dict[str, Any] = {"mode": str(request.mode), "subreddits": told}
    if request.mode is Mode.BACKFILL and (span := outcomes[0].remaining):
        answer["remaining"] = backfill_event(outcomes[0].subreddit, *span, request.max_submissions)
    return answer


def backfill_event(subreddit: str, start_ts: int, end_ts: int, max_submissions: int | None = None) -> Event:
    """Return the event that asks the function for a backfill."""
    event: Event = {"mode": "backfill", "subreddit": subreddit, "start_ts": start_ts, "end_ts": end_ts}
    return event if max_submissions is None else {**event, "max_submissions": max_submissions}


class DeployedLake:
    """The lake on AWS, seen by whoever has rights to it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._aws = replace(AwsSettings.from_mapping(environ), secret_arn=None)
        self._clients = _Clients()

    def reader(self) -> S3LakeReader:
        """Return the reading side of the landing zone."""
        return S3LakeReader(self._clients.s3, self._aws.landing_bucket)

    def state(self, environment: str) -> RedditIngestionStateStore:
        """Return the watermarks."""
        return RedditIngestionStateStore(self._clients.ssm, self._aws.state_base_path, environment)

    def erasure(self, settings: IngestSettings, clock: Clock) -> Erasure:
        """Return what takes text out of this lake; needs more rights than any function but the refresh has."""
        s3, bucket = self._clients.s3, self._aws.landing_bucket
        writer = S3JsonlWriter(s3, bucket, settings.part_bytes)
        return Erasure(self.reader(), writer, S3Eraser(s3, bucket), clock, settings.landing_prefix)


def drive_backfill(function: str, event: Event) -> Iterator[dict[str, Any]]:
    """Invoke the function, and again with what remains, until nothing does; yield its answers.

    Idempotent: an answer that was lost is asked for again.

    Raises:
        RunIncomplete: the function failed in a way that may pass.
        ServiceRefused: it failed otherwise, or cannot be invoked.
        ServiceUnavailable: it cannot be reached, or another run holds its place.
    """
    client = _Clients().functions
    remaining: Event | None = event
    while remaining:
        with translated("lambda:InvokeFunction", function):
            reply = client.invoke(FunctionName=function, Payload=json.dumps(remaining).encode())
        answer = json.loads(reply["Payload"].read() or b"null")
        if reply.get("FunctionError"):
            raise _failure(function, answer, remaining)
        yield answer
        remaining = answer.get("remaining")


def _failure(function: str, answer: Any, event: Event) -> errors.PlatformError:
    told = answer if isinstance(answer, dict) else {}
    name = str(told.get("errorType", "unknown"))
    line = f"{function} failed from start_ts {event['start_ts']} on: {name}: {told.get('errorMessage', 'no reason')}"
    kind = getattr(errors, name.rpartition(".")[2], None)
    passes = kind is None or issubclass(kind, TryLater)
    return RunIncomplete(f"{line}; run the same command again from there") if passes else ServiceRefused(line)
