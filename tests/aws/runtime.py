"""Lambda on loopback: AWS's own runtime client runs the function, and events come from a small Runtime API."""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
FUNCTION = "tf-prod-smartcomp-lambda-reddit-ingestion"
FUNCTION_ARN = f"arn:aws:lambda:us-east-1:123456789012:function:{FUNCTION}"

Answer = tuple[str, Any]
"""`response` or `error`, or `init/error`, `exit`, `timeout`, where no more events were served; and the body."""


@dataclass(frozen=True)
class Run:
    """What one process of the function answered, event by event, and what it logged."""

    answers: list[Answer]
    log: str

    def logged(self) -> list[dict[str, Any]]:
        """Return the lines of a JSON log."""
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]


def lay_out_runtime(folder: Path) -> Path:
    """Link what Lambda's Python brings along into `folder`: its runtime client and the SDK, and what they need."""
    folder.mkdir(parents=True, exist_ok=True)
    waiting, known = ["awslambdaric", "boto3"], set[str]()
    while waiting:
        name = waiting.pop()
        if name in known:
            continue
        known.add(name)
        package = distribution(name)
        waiting += [
            re.match(r"[\w.-]+", need)[0]  # type: ignore[index]
            for need in package.requires or ()
            if "extra ==" not in need
        ]
        for top in {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}:
            link = folder / top
            if not link.exists():
                link.symlink_to(Path(str(package.locate_file(top))))
    return folder


def run_function(
    code: Path,
    runtime: Path,
    events: list[dict[str, Any]],
    variables: dict[str, str],
    timeout_s: float = 60,
    handler: str = "handler.lambda_handler",
) -> Run:
    """Serve the events, in order, by one process that can import nothing but `code` and `runtime`.

    The first start is cold, the others are warm. `timeout_s` is the function's time for each event.
    """
    with _RuntimeApi(events, timeout_s) as api, tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(
            [sys.executable, "-S", "-s", "-m", "awslambdaric", handler],
            cwd=code,
            env=lambda_environment(code, runtime, api.address, handler) | variables,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            answers = api.answers_of(process)
        finally:
            process.kill()
            process.wait()
        log.seek(0)
        return Run(answers, log.read())


def lambda_environment(code: Path, runtime: Path, api: str, handler: str = "handler.lambda_handler") -> dict[str, str]:
    """Return what Lambda itself sets; nothing of this machine's environment, and no credentials."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": os.pathsep.join((str(code), str(runtime))),
        "PYTHONDONTWRITEBYTECODE": "1",  # the folder of the code is read-only there
        "LAMBDA_TASK_ROOT": str(code),
        "_HANDLER": handler,
        "AWS_LAMBDA_RUNTIME_API": api,
        "AWS_LAMBDA_FUNCTION_NAME": FUNCTION,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    }


@dataclass
class _Exchange:
    """The events still to be handed out and the answers so far; `changed` guards both."""

    events: deque[bytes]
    timeout_s: float
    answers: list[Answer] = field(default_factory=list)
    deadline: float = 0.0
    is_idle: bool = False
    closing: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.timeout_s

    def next_event(self) -> bytes | None:
        with self.changed:
            if self.events:
                self.deadline = time.monotonic() + self.timeout_s
                return self.events.popleft()
            self.is_idle = True
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.closing)
            return None

    def answer(self, outcome: str, body: Any) -> None:
        with self.changed:
            self.answers.append((outcome, body))
            self.changed.notify_all()

    def close(self) -> None:
        with self.changed:
            self.closing = True
            self.changed.notify_all()


class _RuntimeApi:
    def __init__(self, events: list[dict[str, Any]], timeout_s: float) -> None:
        self._exchange = _Exchange(deque(json.dumps(event).encode() for event in events), timeout_s)
        self._server = _Server((HOST, 0), _handler(self._exchange))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.address = f"{HOST}:{self._server.server_port}"

    def __enter__(self) -> "_RuntimeApi":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._exchange.close()
        self._server.shutdown()
        self._server.server_close()  # joins the threads of all connections
        self._thread.join()

    def answers_of(self, process: subprocess.Popen[bytes]) -> list[Answer]:
        """Wait until the function asks for an event that is not there, dies, or is late."""
        exchange = self._exchange
        with exchange.changed:
            while not exchange.is_idle:
                exchange.changed.wait(0.05)
                if process.poll() is not None:
                    return self._with_exit(process.returncode)
                if time.monotonic() > exchange.deadline:
                    late = {"errorMessage": f"Task timed out after {exchange.timeout_s:g} seconds"}
                    return [*exchange.answers, ("timeout", late)]
            return list(exchange.answers)

    def _with_exit(self, status: int) -> list[Answer]:
        answers = self._exchange.answers
        if answers and answers[-1][0] == "init/error":
            return list(answers)
        return [*answers, ("exit", {"errorMessage": f"Runtime exited with status {status}"})]


class _Server(ThreadingHTTPServer):
    daemon_threads = False


def _handler(exchange: _Exchange) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            event = exchange.next_event()
            if event is None:
                self.close_connection = True
                return
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", str(uuid.uuid4()))
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + exchange.timeout_s) * 1000)))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", FUNCTION_ARN)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(event)))
            self.end_headers()
            self.wfile.write(event)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"null")
            is_start = self.path.endswith("/init/error")
            exchange.answer("init/error" if is_start else self.path.rpartition("/")[2], body)
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Handler
