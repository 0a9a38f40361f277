"""AWS on loopback: one emulator a test session, a deployment of its own for every test, and what happens in between.

Between the SDK and the emulator stands a wire that knows every call by the name of its IAM action, notes it, and can
spoil it: answer for the service, lose the reply, or cut the connection.
"""

import functools
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.config import Config

HOST, REGION, ACCOUNT = "127.0.0.1", "us-east-1", "123456789012"
ROOT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
_START_S = 120


@contextmanager
def running(scratch: Path) -> Iterator[int]:
    """Run the emulator with IAM enforced and yield its port."""
    port = _free_port()
    environment = {
        **ROOT,
        "PATH": "/usr/bin:/bin",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "IOT_MTLS_ENABLED": "0",
        "AWS_DEFAULT_REGION": REGION,
        "AUTH": "true",
    }
    log = (scratch / "emulator.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "ministack"], env=environment, cwd=scratch, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        _wait(process, port, scratch)
        yield port
    finally:
        process.terminate()
        process.wait(10)
        log.close()


def _wait(process: subprocess.Popen[bytes], port: int, scratch: Path) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://{HOST}:{port}/_ministack/health", timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the emulator did not start: " + (scratch / "emulator.log").read_text()[-2_000:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@functools.cache
def _client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=ROOT["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ROOT["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


@dataclass
class Deployment:
    """What Terraform would have made: bucket, table, secret, and names of one's own in everything that is shared."""

    endpoint: str
    name: str
    secret_arn: str = ""

    @property
    def bucket(self) -> str:
        return f"{self.name}-lz"

    @property
    def table(self) -> str:
        return f"{self.name}-runs"

    @property
    def namespace(self) -> str:
        return f"Reddit-{self.name}"

    @property
    def state_path(self) -> str:
        return f"/reddit-ingest/{self.name}"

    def client(self, service: str) -> Any:
        """Return a client that may do everything."""
        return _client(service, self.endpoint)

    def create(self, secret: dict[str, str] | str) -> "Deployment":
        """Make bucket, table and secret."""
        self.client("s3").create_bucket(Bucket=self.bucket)
        self.client("dynamodb").create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        )
        text = secret if isinstance(secret, str) else json.dumps(secret)
        self.secret_arn = self.client("secretsmanager").create_secret(Name=self.name, SecretString=text)["ARN"]
        return self

    def environ(self) -> dict[str, str]:
        """Return the function's own variables, as Terraform sets them."""
        return {
            "LANDING_BUCKET_NAME": self.bucket,
            "LANDING_BUCKET_PREFIX": "reddit/",
            "REDDIT_SECRET_ARN": self.secret_arn,
            "DEFAULT_SUBREDDIT": "phones",
            "SUBREDDITS": "",
            "MAX_SUBMISSIONS": "",
            "ENVIRONMENT": "prod",
            "STATE_BASE_PATH": self.state_path,
            "RUNS_TABLE_NAME": self.table,
            "METRICS_NAMESPACE": self.namespace,
            "MAX_HOURLY_WINDOWS_PER_RUN": "1",
            "LOOK_BACK_HOURS": "2",
        }

    def sdk(self, endpoint: str | None = None, keys: dict[str, str] | None = None) -> dict[str, str]:
        """Return the variables by which an SDK finds the emulator."""
        return {
            **(keys or ROOT),
            "AWS_ENDPOINT_URL": endpoint or self.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def objects(self) -> dict[str, bytes]:
        """Return everything in the bucket."""
        s3 = self.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        return {key: s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys}

    def unfinished_uploads(self) -> list[str]:
        """Return the keys of uploads in pieces that were neither completed nor aborted."""
        found = self.client("s3").list_multipart_uploads(Bucket=self.bucket).get("Uploads", ())
        return [upload["Key"] for upload in found]

    def items(self, kind: str = "RUN") -> list[dict[str, Any]]:
        """Return the table's items of a kind as plain values, by their keys."""
        found = self.client("dynamodb").scan(TableName=self.table)["Items"]
        plain = [{name: next(iter(value.values())) for name, value in item.items()} for item in found]
        return sorted(
            (item for item in plain if item["sk"].startswith(kind + "#")), key=lambda item: (item["pk"], item["sk"])
        )

    def watermark(self, subreddit: str, environment: str = "prod") -> str | None:
        """Return a watermark as it is stored."""
        ssm = self.client("ssm")
        try:
            value: str = ssm.get_parameter(Name=f"{self.state_path}/{environment}/{subreddit}/last_run_ts")[
                "Parameter"
            ]["Value"]
        except ssm.exceptions.ParameterNotFound:
            return None
        return value

    def figures(self) -> dict[tuple[str, str], float]:
        """Return the sum of every figure, by its name and its subreddit (or nothing)."""
        cloudwatch = self.client("cloudwatch")
        sums = {}
        for metric in cloudwatch.list_metrics(Namespace=self.namespace)["Metrics"]:
            points = cloudwatch.get_metric_statistics(
                Namespace=self.namespace,
                MetricName=metric["MetricName"],
                Dimensions=metric["Dimensions"],
                StartTime=time.time() - 3_600,
                EndTime=time.time() + 3_600,
                Period=86_400,
                Statistics=["Sum"],
            )["Datapoints"]
            subreddit = next((d["Value"] for d in metric["Dimensions"] if d["Name"] == "Subreddit"), "")
            sums[metric["MetricName"], subreddit] = sum(point["Sum"] for point in points)
        return sums

    def role(self, actions: dict[str, str]) -> dict[str, str]:
        """Return the keys of somebody who may do just these actions, each on its resource."""
        iam, user = self.client("iam"), f"u-{uuid.uuid4().hex[:12]}"
        iam.create_user(UserName=user)
        statements = [{"Effect": "Allow", "Action": action, "Resource": on} for action, on in actions.items()]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=document)
        key = iam.create_access_key(UserName=user)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def granted(self) -> dict[str, str]:
        """Return what the specification grants the ingestion function: action to resource."""
        place = f"{REGION}:{ACCOUNT}"
        return {
            "s3:PutObject": f"arn:aws:s3:::{self.bucket}/reddit/*",
            "s3:AbortMultipartUpload": f"arn:aws:s3:::{self.bucket}/reddit/*",
            "secretsmanager:GetSecretValue": self.secret_arn,
            "ssm:GetParameter": f"arn:aws:ssm:{place}:parameter/reddit-ingest/*",
            "ssm:PutParameter": f"arn:aws:ssm:{place}:parameter/reddit-ingest/*",
            "dynamodb:PutItem": f"arn:aws:dynamodb:{place}:table/{self.table}",
            "cloudwatch:PutMetricData": "*",
        }

    def granted_to_refresh(self) -> dict[str, str]:
        """Return what the refresh function may do: action to resource."""
        bucket = f"arn:aws:s3:::{self.bucket}"
        common = {"secretsmanager:GetSecretValue", "dynamodb:PutItem", "cloudwatch:PutMetricData"}
        return {
            **{action: resource for action, resource in self.granted().items() if action in common},
            "s3:ListBucket": bucket,
            "s3:ListBucketVersions": bucket,
            "s3:ListBucketMultipartUploads": bucket,
            "s3:GetObject": f"{bucket}/reddit/*",
            "s3:GetObjectVersion": f"{bucket}/reddit/*",
            "s3:PutObject": f"{bucket}/reddit/*",
            "s3:AbortMultipartUpload": f"{bucket}/reddit/*",
            "s3:DeleteObjectVersion": f"{bucket}/reddit/*",
        }


def new_deployment(port: int, secret: dict[str, str] | str) -> Deployment:
    """Make a deployment with a name that nobody else has."""
    return Deployment(f"http://{HOST}:{port}", f"d{uuid.uuid4().hex[:16]}").create(secret)


@dataclass
class Reply:
    """What a spoiled call gets instead of the service's answer."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


LOSE_REPLY = "lose-reply"
"""The call is carried out; its answer never arrives."""

RESET = "reset"
"""The connection is cut in the middle of the request; the service never sees it."""

Fault = Callable[[str, int], "Reply | str | None"]
"""From an action and how often it was called (from 1) to what becomes of the call; None: nothing special."""


class Wire:
    """Carries calls to the emulator, notes their actions, and spoils those that a fault names."""

    def __init__(self, port: int) -> None:
        self.calls: list[str] = []
        self.fault: Fault = lambda action, nth: None
        self._server = ThreadingHTTPServer((HOST, 0), _carrier(self, port))
        self._server.daemon_threads = True
        self.endpoint = f"http://{HOST}:{self._server.server_address[1]}"

    def __enter__(self) -> "Wire":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def spoil(self, action: str, fault: "Reply | str", times: float = 1) -> None:
        """Spoil the next calls of an action."""
        begin = self.calls.count(action)
        self.fault = lambda called, nth: fault if called == action and nth - begin <= times else None


def _carrier(wire: Wire, port: int) -> type[BaseHTTPRequestHandler]:
    class Carrier(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def handle_expect_100(self) -> bool:
            proceeds = super().handle_expect_100()
            self.wfile.flush()  # else the SDK waits a second before it sends the body
            return proceeds

        def _carry(self) -> None:
            body = _body(self)
            action = action_of(self.command, self.path, dict(self.headers.items()))
            wire.calls.append(action)
            fault = wire.fault(action, wire.calls.count(action))
            if fault == RESET:
                return self._cut()
            reply = fault if isinstance(fault, Reply) else _forwarded(self, port, body)
            if fault == LOSE_REPLY:
                return self._cut()
            return self._answer(reply)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _carry

        def _cut(self) -> None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def _answer(self, reply: Reply) -> None:
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                    self.send_header(name, value)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
            self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Carrier


def _body(request: BaseHTTPRequestHandler) -> bytes:
    if "chunked" not in request.headers.get("transfer-encoding", ""):
        return request.rfile.read(int(request.headers.get("content-length", 0)))
    chunks = []
    while size := int(request.rfile.readline().split(b";")[0], 16):
        chunks.append(request.rfile.read(size))
        request.rfile.readline()
    while request.rfile.readline().strip():
        pass
    return b"".join(chunks)


def _forwarded(request: BaseHTTPRequestHandler, port: int, body: bytes) -> Reply:
    connection = HTTPConnection(HOST, port, timeout=60)
    try:
        headers = {name: value for name, value in request.headers.items() if name.lower() != "transfer-encoding"}
        connection.request(request.command, request.path, body, {**headers, "Content-Length": str(len(body))})
        answer = connection.getresponse()
        return Reply(answer.status, answer.read(), dict(answer.getheaders()))
    finally:
        connection.close()


_SERVICES = {
    "AmazonSSM": "ssm",
    "DynamoDB_20120810": "dynamodb",
    "GraniteServiceVersion20100801": "cloudwatch",
}


def action_of(method: str, path: str, headers: dict[str, str]) -> str:
    """Return the IAM action of a call as it stands on the wire."""
    known = {name.lower(): value for name, value in headers.items()}
    if target := known.get("x-amz-target"):
        service, _, operation = target.partition(".")
        return f"{_SERVICES.get(service, service)}:{operation}"
    query = parse_qs(urlsplit(path).query, keep_blank_values=True)
    if method == "DELETE" and "uploadId" in query:
        return "s3:AbortMultipartUpload"
    lists = {"versions": "ListBucketVersions", "uploads": "ListBucketMultipartUploads", "list-type": "ListBucket"}
    if method == "GET" and (listed := lists.keys() & query.keys()):
        return f"s3:{lists[listed.pop()]}"
    if "versionId" in query:
        return {"GET": "s3:GetObjectVersion", "DELETE": "s3:DeleteObjectVersion"}.get(method, f"s3:{method}")
    return {"PUT": "s3:PutObject", "POST": "s3:PutObject", "GET": "s3:GetObject"}.get(method, f"s3:{method}")
