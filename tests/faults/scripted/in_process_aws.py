"""AWS in this process: the SDK builds, signs, retries and parses for real; dictionaries stand where the socket was.

A call costs about a millisecond, so that every pair of crashes can be tried. `test_crashes.py` shows that the emulator
and these dictionaries end alike.
"""

import io
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from reddit_ingest.bootstrap_aws import _Clients

from ...emulator import LOSE_REPLY, RESET, Reply, action_of
from ...fakes import Crash, MemoryLake, ScriptedSource

DIE_BEFORE, DIE_AFTER = "die-before", "die-after"
"""The process is gone before the call goes out, or before its reply comes in."""

TIMEOUT_BEFORE, TIMEOUT_AFTER = "timeout-before", "timeout-after"
"""No reply within the time; the call was not carried out, or it was."""

Fault = Callable[[str, int], "Reply | str | None"]
"""From an action and how often it was called (from 1) to what becomes of the call; None: nothing special."""

_GONE = {RESET: ConnectionClosedError, TIMEOUT_BEFORE: ReadTimeoutError}
_GONE_AFTER = {LOSE_REPLY: ConnectionClosedError, TIMEOUT_AFTER: ReadTimeoutError}


@dataclass
class InProcessAws:
    """One account: a bucket, parameters, a table, a secret. Faults are as on the emulator's wire, and two deaths."""

    secret: str = "{}"
    objects: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    items: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    figures: list[Any] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    fault: Fault = lambda action, nth: None
    lock: Any = field(default_factory=threading.RLock)

    def lake(self) -> MemoryLake:
        """Return the reading side of the bucket."""
        lake = MemoryLake()
        lake.objects = self.objects
        return lake

    def spoil(self, action: str, fault: "Reply | str", times: float = 1) -> None:
        """Spoil the next calls of an action."""
        begin = self.calls.count(action)
        self.fault = lambda called, nth: fault if called == action and nth - begin <= times else None

    def die_at(self, point: int) -> None:
        """Let the process die when so many more calls have been carried out."""
        end = len(self.calls) + point
        self.fault = lambda action, nth: DIE_BEFORE if len(self.calls) > end else None

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        """Stand in for the socket: SDK hook `before-send`."""
        action = action_of(request.method, request.url, {name: _text(value) for name, value in request.headers.items()})
        with self.lock:
            self.calls.append(action)
            fault = self.fault(action, self.calls.count(action))
        if fault == DIE_BEFORE:
            raise Crash
        if isinstance(fault, str) and fault in _GONE:
            raise _GONE[fault](endpoint_url=request.url, error=None, request=request)
        with self.lock:
            reply = fault if isinstance(fault, Reply) else self._carry_out(action, request)
        if fault == DIE_AFTER:
            raise Crash
        if isinstance(fault, str) and fault in _GONE_AFTER:
            raise _GONE_AFTER[fault](endpoint_url=request.url, error=None, request=request)
        return AWSResponse(request.url, reply.status, {"x-amzn-requestid": "1", **reply.headers}, _Raw(reply.body))

    def _carry_out(self, action: str, request: Any) -> Reply:
        body = request.body.read() if hasattr(request.body, "read") else request.body or b""
        if action.startswith("s3:"):
            return self._s3(request, body)
        return (
            Reply(200, json.dumps(_SERVICES[action](self, json.loads(body))).encode())
            if action != _GET
            else (self._get_parameter(json.loads(body)["Name"]))
        )

    def _s3(self, request: Any, body: bytes) -> Reply:
        address = urlsplit(request.url)
        key, query = unquote(address.path).split("/", 2)[2], parse_qs(address.query, keep_blank_values=True)
        if "uploads" in query:
            number = f"upload-{len(self.calls)}"
            self.uploads[number] = {}
            return Reply(200, f"<R><UploadId>{number}</UploadId></R>".encode())
        if "uploadId" in query:
            return self._piece(request, key, query, body)
        return self._create(request, key, body)

    def _piece(self, request: Any, key: str, query: dict[str, list[str]], body: bytes) -> Reply:
        upload = query["uploadId"][0]
        if upload not in self.uploads:
            return Reply(404, b"<Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>")
        if request.method == "DELETE":
            del self.uploads[upload]
            return Reply(204, b"")
        if request.method == "PUT":
            self.uploads[upload][int(query["partNumber"][0])] = body
            return Reply(200, b"", {"ETag": '"piece"'})
        pieces = self.uploads.pop(upload)
        reply = self._create(request, key, b"".join(pieces[number] for number in sorted(pieces)))
        return reply if reply.status == 412 else Reply(200, b"<R><ETag>whole</ETag></R>")

    def _create(self, request: Any, key: str, body: bytes) -> Reply:
        if _text(request.headers["If-None-Match"]) == "*" and key in self.objects:
            return Reply(412, b"<Error><Code>PreconditionFailed</Code><Message>exists</Message></Error>")
        self.objects[key] = body
        return Reply(200, b"", {"ETag": '"whole"'})

    def _get_parameter(self, name: str) -> Reply:
        if name not in self.parameters:
            return Reply(400, b'{"__type":"ParameterNotFound","message":"no such parameter"}')
        return Reply(200, json.dumps({"Parameter": {"Name": name, "Value": self.parameters[name]}}).encode())

    def _put_parameter(self, fields: dict[str, Any]) -> dict[str, Any]:
        self.parameters[fields["Name"]] = fields["Value"]
        return {"Version": 1}

    def _put_item(self, fields: dict[str, Any]) -> dict[str, Any]:
        item = {name: next(iter(value.values())) for name, value in fields["Item"].items()}
        self.items[item["pk"], item["sk"]] = item
        return {}

    def _put_figures(self, fields: dict[str, Any]) -> dict[str, Any]:
        self.figures += fields["MetricData"]
        return {}

    def _get_secret(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {"ARN": fields["SecretId"], "Name": "reddit", "SecretString": self.secret}


_GET = "ssm:GetParameter"
_SERVICES: dict[str, Callable[[InProcessAws, dict[str, Any]], dict[str, Any]]] = {
    "ssm:PutParameter": InProcessAws._put_parameter,
    "dynamodb:PutItem": InProcessAws._put_item,
    "cloudwatch:PutMetricData": InProcessAws._put_figures,
    "secretsmanager:GetSecretValue": InProcessAws._get_secret,
}


class _Raw(io.BytesIO):
    def stream(self, amt: int = 1024, decode_content: bool = True) -> Any:
        yield self.getvalue()


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class Sdk:
    """The SDK's clients, made once a session; the account that they reach at the moment, and the source that is read.

    `connections` are those to Reddit that would have been used, one for each invocation.
    """

    def __init__(self) -> None:
        self.clients = _Clients()
        self.account = InProcessAws()
        self.source = ScriptedSource(None)
        self.connections: list[object] = []
        for service in ("s3", "ssm", "dynamodb", "cloudwatch", "secretsmanager"):
            getattr(self.clients, service).meta.events.register("before-send", self._answer)

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        return self.account.answer(request)
