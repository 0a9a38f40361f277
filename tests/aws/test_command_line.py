"""A person at the command line and the deployed lake: looking at it, and driving a long backfill."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from click.testing import CliRunner, Result

from market_opinion.cli import main

from .conftest import HOUR, LAST, NOW, T0, Invoker, recorded_windows


@pytest.fixture
def types(lambda_: Invoker, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command with the environment of someone who may read the deployed lake."""

    def run(*words: str, **env: str) -> Result:
        reading = {**lambda_.deployment.environ(), **lambda_.deployment.sdk(lambda_.wire.endpoint)}
        reading.pop("REDDIT_SECRET_ARN")
        result = CliRunner().invoke(main, words, env={**reading, **env})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    return run


def test_status_shows_the_deployed_lake_and_its_watermark(lambda_: Invoker, types: Callable[..., Result]) -> None:
    lambda_.invoke()
    result = types("status", "--aws", "--now", str(NOW), "--json")
    assert result.exit_code == 0, result.output
    (summary,) = json.loads(result.stdout)
    assert (summary["subreddit"], summary["watermark"], summary["lag_hours"]) == ("phones", LAST + HOUR, 0)
    assert [window["status"] for window in summary["windows"]] == ["complete"]


def test_show_prints_what_the_deployed_lake_holds(lambda_: Invoker, types: Callable[..., Result]) -> None:
    lambda_.invoke()
    shown = types("show", "phones", "--aws", "--json", "--limit", "1000").stdout.splitlines()
    of_hour = {row["fullname"] for row in map(json.loads, shown) if row["created_utc"] >= LAST}
    assert of_hour == {name for name in lambda_.visible("phones", LAST, LAST + HOUR) if name.startswith("t3_")}


def test_looking_changes_nothing(lambda_: Invoker, types: Callable[..., Result]) -> None:
    lambda_.invoke()
    before, calls = lambda_.deployment.objects(), len(lambda_.wire.calls)
    types("status", "--aws")
    types("show", "phones", "--aws")
    assert set(lambda_.wire.calls[calls:]) <= {"s3:GetObject", "s3:ListBucket", "ssm:GetParameter"}
    assert lambda_.deployment.objects() == before


def test_an_environment_without_the_names_is_told_what_to_set(types: Callable[..., Result]) -> None:
    result = types("status", "--aws", LANDING_BUCKET_NAME="")
    assert result.exit_code == 1
    assert "LANDING_BUCKET_NAME is missing" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_bucket_that_is_not_there_is_named(types: Callable[..., Result]) -> None:
    result = types("status", "--aws", LANDING_BUCKET_NAME="no-such-bucket")
    assert result.exit_code == 1
    assert "s3://no-such-bucket/" in result.stderr


def test_a_person_without_credentials_is_told_so(types: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    result = types("status", "--aws", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert result.exit_code == 1
    assert "credentials" in result.stderr
    assert result.stderr.count("\n") == 1


# `backfill --function`.


class Deployed:
    """Lambda's Invoke operation over HTTP, with the function behind it."""

    def __init__(self, invoker: Invoker, windows_per_invocation: int) -> None:
        self.events: list[Any] = []
        self.error: dict[str, str] | None = None
        self.busy = 0
        self._invoker, self._windows = invoker, windows_per_invocation
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, event: Any) -> tuple[int, dict[str, str], Any]:
        if self.busy:
            self.busy -= 1
            return 429, {"x-amzn-errortype": "TooManyRequestsException"}, {"Reason": "ReservedFunctionConcurrent…"}
        self.events.append(event)
        if self.error:
            return 200, {"X-Amz-Function-Error": "Unhandled"}, self.error
        end = recorded_windows(self._invoker) + self._windows
        left = lambda: 600_000 if recorded_windows(self._invoker) < end else 5_000  # noqa: E731
        return 200, {}, self._invoker.invoke(event, left)


def _handler(deployed: Deployed) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/2015-03-31/functions/ingestion/invocations"
            event = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status, headers, content = deployed.answer(event)
            body = json.dumps(content).encode()
            self.send_response_only(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


@pytest.fixture
def deployed(lambda_: Invoker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    deployed = Deployed(lambda_, windows_per_invocation=3)
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", deployed.url)
    yield deployed
    deployed.close()


def backfill(types: Callable[..., Result], *more: str, hours: int = 8) -> Result:
    words = ["phones", "--start", str(T0 + 10 * HOUR), "--end", str(T0 + (10 + hours) * HOUR), "--now", str(NOW)]
    return types("backfill", *words, "--function", "ingestion", *more)


def test_a_backfill_on_aws_is_driven_to_its_end(deployed: Deployed, types: Callable[..., Result]) -> None:
    result = backfill(types, "--json")
    assert result.exit_code == 0, result.output
    starts = [window["window_start_ts"] for window in json.loads(result.stdout)]
    assert starts == [T0 + n * HOUR for n in range(10, 18)]
    assert [event["start_ts"] for event in deployed.events] == [T0 + n * HOUR for n in (10, 13, 16)]
    assert "3 hours landed, still to do from 2026-01-05 13:00 UTC" in result.stderr
    assert "2 hours landed, done" in result.stderr


def test_several_subreddits_are_driven_one_after_the_other(deployed: Deployed, types: Callable[..., Result]) -> None:
    result = backfill(types, "tablets", hours=2)
    assert result.exit_code == 0, result.output
    assert [event["subreddit"] for event in deployed.events] == ["phones", "tablets"]
    assert result.stdout.count("complete") + result.stdout.count("empty") == 4


def test_a_function_that_fails_is_named_with_the_moment_to_go_on_from(
    deployed: Deployed, types: Callable[..., Result]
) -> None:
    deployed.error = {"errorType": "RunIncomplete", "errorMessage": "r/phones: 1 windows failed"}
    result = backfill(types)
    assert result.exit_code == 3
    assert f"ingestion failed from start_ts {T0 + 10 * HOUR} on: RunIncomplete: r/phones: 1 windows" in result.stderr
    deployed.error = {"errorType": "CredentialsRejected", "errorMessage": "Reddit rejects the credentials"}
    assert backfill(types).exit_code == 1


def test_while_another_run_holds_the_place_the_driver_waits(deployed: Deployed, types: Callable[..., Result]) -> None:
    deployed.busy = 3
    assert backfill(types, hours=1).exit_code == 0
    deployed.busy = 99
    result = backfill(types, hours=1)
    assert result.exit_code == 3
    assert "lambda:InvokeFunction on ingestion fails for the moment" in result.stderr


@pytest.mark.parametrize("more", [["--no-comments"], ["--time-limit", "60"]])
def test_options_of_a_local_lake_are_refused(deployed: Deployed, types: Callable[..., Result], more: list[str]) -> None:
    result = backfill(types, *more)
    assert result.exit_code == 2
    assert deployed.events == []


def test_a_wrong_range_costs_no_invocation(deployed: Deployed, types: Callable[..., Result]) -> None:
    assert backfill(types, hours=-5).exit_code == 2
    assert deployed.events == []
