"""The one place that builds things on AWS: the ingestion function, the deployed lake for readers, and its driver."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from .aws import CLIENT_CONFIG, translated
from .clocks import SystemClock
from .core import errors
from .core.authors import AuthorKey
from .core.errors import (
    DeadlineReached,
    InvalidRequest,
    InvalidSetting,
    RunIncomplete,
    ServiceRefused,
    SubredditBlocked,
    TryLater,
)
from .core.invocation import IngestRequest, Mode, parse_event, parse_refresh_event
from .core.ports import Clock, DerivedZone, Lookup, Progress, Source
from .core.settings import AwsSettings, IngestSettings, RedditCredentials, RedditEndpoint, RefreshSettings
from .credentials import SecretCredentials
from .erasure import ORPHAN_AGE_S, Erasure
from .ingestion_service import RedditIngestionService
from .logs import keep_libraries_quiet
from .pipeline import Pipeline, SubredditOutcome, raise_failures
from .reddit_client import RedditClientFactory, RedditConnection
from .refresh_service import RefreshService
from .repairing import Repairer
from .run_metadata import RedditIngestionRunHistory, RedditIngestionRunRecorder
from .s3_storage import S3Eraser, S3JsonlWriter, S3LakeReader, S3Leftovers, S3Replacer
from .sources.hashed_authors import HashedAuthorsLookup, HashedAuthorsSource
from .sources.reddit_api import RedditApiSource
from .sources.reddit_lookup import RedditLookup
from .state_store import RedditIngestionStateStore
from .verification import Verifier

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


class _Function:
    """What is kept between the invocations of a function.

    Nothing is read from the environment, and no client is built, before the first event.
    """

    def __init__(self, environ: Mapping[str, str], clock: Clock | None = None) -> None:
        self._environ = environ
        self._clock = clock or SystemClock()
        self._clients = _Clients()
        self._known: tuple[RedditCredentials, RedditConnection] | None = None
        keep_libraries_quiet()

    def _reddit(self, settings: IngestSettings, aws: AwsSettings) -> tuple[RedditConnection, AuthorKey | None]:
        """Return the warm connection, or a new one where the secret has been rotated since; and the key of authors."""
        if aws.secret_arn is None:
            raise InvalidSetting("REDDIT_SECRET_ARN is missing in the function's environment; set it by Terraform")
        secret = SecretCredentials(self._clients.secretsmanager, aws.secret_arn)
        document = secret.document()
        credentials = secret.reddit(document)
        key = secret.author_key(document) if settings.privacy.hashes_authors else None
        if self._known is None or self._known[0] != credentials:
            reddit = RedditClientFactory.create(credentials, RedditEndpoint.from_mapping(self._environ))
            self._known = credentials, RedditConnection(reddit)
        return self._known[1], key

    def _recorder(self, aws: AwsSettings) -> RedditIngestionRunRecorder:
        clients = self._clients
        return RedditIngestionRunRecorder(clients.dynamodb, clients.cloudwatch, aws.runs_table, aws.metrics_namespace)


class IngestionFunction(_Function):
    """What the ingestion Lambda does with an event; made once, kept between invocations."""

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
        reddit, key = self._reddit(settings, aws)
        source: Source = RedditApiSource(reddit)
        if key:
            source = HashedAuthorsSource(source, key)
        writer = S3JsonlWriter(self._clients.s3, aws.landing_bucket, settings.part_bytes)
        return Pipeline(
            RedditIngestionService(source, writer, self._clock, settings.landing_prefix),
            RedditIngestionStateStore(self._clients.ssm, aws.state_base_path, settings.environment),
            self._recorder(aws),
            self._clock,
            environment=settings.environment,
            max_windows=settings.max_windows_per_run,
            look_back_hours=settings.look_back_hours,
        )


class RefreshFunction(_Function):
    """What the refresh Lambda does with an event; made once, kept between invocations."""

    def serve(self, event: Mapping[str, Any], remaining_ms: Callable[[], int]) -> dict[str, Any]:
        """Look again at what the lake knows of the subreddits, and erase what was deleted; return what became of each.

        The event is checked before AWS is called. What the budget or the time was too short for is left to the next
        run, which needs nothing but the lake to find it.

        Raises:
            InvalidRequest, InvalidSetting: nothing was called.
            RunIncomplete: a subreddit met trouble; raised after the others were served.
            CredentialsRejected, ServiceRefused, Stop: nothing more can be done.
        """
        settings, refresh = IngestSettings.from_mapping(self._environ), RefreshSettings.from_mapping(self._environ)
        request = parse_refresh_event(event, settings, refresh.requests)
        service = self._service(settings, refresh, AwsSettings.from_mapping(self._environ))
        reports = list(service.refresh_all(request.subreddits, request.budget, _Remaining(remaining_ms)))
        # What the time was too short for is found by the next run, and a blocked subreddit stays so.
        no_failure = (type(None), DeadlineReached, SubredditBlocked)
        failures = [
            f"r/{report.subreddit}: {report.trouble}"
            for report in reports
            if not isinstance(report.trouble, no_failure)
        ]
        if failures:
            raise RunIncomplete(" | ".join(failures))
        return {"subreddits": [report.to_dict() for report in reports]}

    def _service(self, settings: IngestSettings, refresh: RefreshSettings, aws: AwsSettings) -> RefreshService:
        reddit, key = self._reddit(settings, aws)
        lookup: Lookup = RedditLookup(reddit)
        if key:
            lookup = HashedAuthorsLookup(lookup, key)
        writer = S3JsonlWriter(self._clients.s3, aws.landing_bucket, settings.part_bytes)
        return RefreshService(
            lookup,
            S3LakeReader(self._clients.s3, aws.landing_bucket),
            writer,
            _erasure(self._clients.s3, aws.landing_bucket, settings, self._clock),
            self._recorder(aws),
            self._clock,
            environment=settings.environment,
            ladder=refresh.ladder,
            prefix=settings.landing_prefix,
        )


def _erasure(s3: Any, bucket: str, settings: IngestSettings, clock: Clock) -> Erasure:
    return Erasure(
        S3LakeReader(s3, bucket),
        S3JsonlWriter(s3, bucket, settings.part_bytes),
        S3Eraser(s3, bucket),
        clock,
        settings.landing_prefix,
        leftovers=[S3Leftovers(s3, bucket)],
        raw_text_hours=settings.privacy.raw_text_hours,
    )


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
        self._environ = dict(environ)
        self._aws = AwsSettings.from_mapping(environ)
        self._clients = _Clients()

    def __reduce__(self) -> tuple[type["DeployedLake"], tuple[dict[str, str]]]:
        # Another process has to make clients of its own.
        return DeployedLake, (self._environ,)

    def reader(self) -> S3LakeReader:
        """Return the reading side of the landing zone."""
        return S3LakeReader(self._clients.s3, self._aws.landing_bucket)

    def augmented(self) -> DerivedZone:
        """Return the ways to what is computed from the landing zone.

        Raises:
            InvalidSetting: the environment does not say in which bucket that is.
        """
        s3, bucket = self._clients.s3, self._aws.augmented_bucket
        if bucket is None:
            raise InvalidSetting(
                "AUGMENTED_BUCKET_NAME is missing in the environment; set it, for example from"
                " `terraform output s3_augmented_zone_bucket_id` of 10_s3"
            )
        return DerivedZone(S3LakeReader(s3, bucket), S3Replacer(s3, bucket), S3Eraser(s3, bucket))

    def augmenting(self, progress: Progress | None = None) -> AbstractContextManager[None]:
        """Return what keeps others from writing the augmented zone: on AWS nothing does, and nothing breaks."""
        return nullcontext()

    def state(self, environment: str) -> RedditIngestionStateStore:
        """Return the watermarks."""
        return RedditIngestionStateStore(self._clients.ssm, self._aws.state_base_path, environment)

    def erasure(self, settings: IngestSettings, clock: Clock) -> Erasure:
        """Return what takes text out of this lake; needs more rights than any function but the refresh has."""
        return _erasure(self._clients.s3, self._aws.landing_bucket, settings, clock)

    def names_of(self, author: str, settings: IngestSettings) -> frozenset[str]:
        """Return the names under which an author may stand in this lake.

        Raises:
            InvalidSetting: authors are hashed, and the secret with the key is not named or lacks it.
        """
        if not settings.privacy.hashes_authors:
            return frozenset({author})
        if self._aws.secret_arn is None:
            raise InvalidSetting("REDDIT_SECRET_ARN is missing in the environment; it names the secret with AUTHOR_KEY")
        secret = SecretCredentials(self._clients.secretsmanager, self._aws.secret_arn)
        return frozenset({author, secret.author_key(secret.document()).name(author)})

    def history(self, environment: str) -> RedditIngestionRunHistory:
        """Return the run records."""
        return RedditIngestionRunHistory(self._clients.dynamodb, self._aws.runs_table, environment)

    def verifier(self, settings: IngestSettings, clock: Clock) -> Verifier:
        """Return what looks for damage in this lake."""
        return Verifier(
            self.reader(),
            self.state(settings.environment),
            self.history(settings.environment),
            S3Leftovers(self._clients.s3, self._aws.landing_bucket),
            clock,
            settings.landing_prefix,
        )

    def repairer(self, settings: IngestSettings, clock: Clock) -> Repairer:
        """Return what puts this lake in order; the only thing here that writes, beside the erasure."""
        s3, bucket = self._clients.s3, self._aws.landing_bucket
        return Repairer(
            reader=self.reader(),
            writer=S3JsonlWriter(s3, bucket, settings.part_bytes),
            eraser=S3Eraser(s3, bucket),
            leftovers=S3Leftovers(s3, bucket),
            erasure=self.erasure(settings, clock),
            state=self.state(settings.environment),
            history=self.history(settings.environment),
            clock=clock,
            environment=settings.environment,
            prefix=settings.landing_prefix,
            least_age_s=ORPHAN_AGE_S,
        )


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
