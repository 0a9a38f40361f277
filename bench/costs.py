"""What the platform costs a month on AWS, computed from what one real hour of it did.

The ingestion function is run in this process, between a simulated Reddit and an emulated AWS: one hour to make it warm,
then one hour that is counted (calls by action, bytes landed, units written, figures, log lines, CPU of its thread). A
month is 730 such hours. Alarms, dashboards and memory are counted in the Terraform files. Assumed, because nothing here
can measure it: the time that Reddit and AWS take to answer, what Lambda logs by itself, and the prices.

    python -m bench.costs [--subreddits 3] [--posts 20] [--comments 13] [--json]
"""

import argparse
import json
import logging
import math
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import prawcore.sessions
from awslambdaric.lambda_runtime_log_utils import JsonFormatter
from tests.emulator import Deployment, Wire, new_deployment, running

from reddit_ingest.bootstrap_aws import IngestionFunction
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.windows import HOUR_S
from reddit_sim import GeneratedWorld, Simulator, SubredditSpec

PRICES_AS_OF = "us-east-1, list prices as we knew them in 2026; check them on AWS's pages before you rely on a sum"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for so many units, and the units a month that every account has free for ever."""

    usd: float
    per: float
    unit: str
    free: float = 0.0


PRICES = {
    "Lambda requests": Price(0.20, 1_000_000, "requests", free=1_000_000),
    "Lambda time": Price(0.0000166667, 1, "GB-seconds", free=400_000),
    "S3 writes": Price(0.005, 1_000, "requests"),
    "S3 storage": Price(0.023, 1, "GB-months"),
    "DynamoDB writes": Price(0.625, 1_000_000, "write units"),
    "DynamoDB storage": Price(0.25, 1, "GB-months", free=25),
    "DynamoDB recovery": Price(0.20, 1, "GB-months"),
    "SSM standard": Price(0.0, 1, "calls"),
    "CloudWatch metrics": Price(0.30, 1, "metrics", free=10),
    "CloudWatch calls": Price(0.01, 1_000, "calls", free=1_000_000),
    "CloudWatch alarms": Price(0.10, 1, "alarms", free=10),
    "CloudWatch dashboards": Price(3.00, 1, "dashboards", free=3),
    "CloudWatch log": Price(0.50, 1, "GB", free=5),
    "Secrets Manager secret": Price(0.40, 1, "secrets"),
    "Secrets Manager calls": Price(0.05, 10_000, "calls"),
}
"""To update: look at the page of each service for the region, change the numbers, run this again."""

PRICED_BY = {
    "s3:PutObject": "S3 writes",
    "dynamodb:PutItem": "DynamoDB writes",
    "ssm:GetParameter": "SSM standard",
    "ssm:PutParameter": "SSM standard",
    "cloudwatch:PutMetricData": "CloudWatch calls",
    "secretsmanager:GetSecretValue": "Secrets Manager calls",
}
"""Which price a call has. DynamoDB counts units instead of calls: one for every begun KB of an item."""

HOURS = 730
"""In a month, as AWS counts."""

GB = 1024**3

REDDIT_ANSWER_S = 0.6
"""Assumed: a request to Reddit, PRAW's pacing within the quota included."""

AWS_ANSWER_S = 0.05
"""Assumed: a call inside the region."""

COLD_START_CPU_S = 0.25
"""CPU of a cold start until all clients are built, as `bench.cold_start` measured; an hourly run is always cold."""

FULL_CORE_MB = 1_769
"""Memory at which Lambda gives a whole processor; with less the function has its share of one."""

LAMBDAS_OWN_LOG_BYTES, LOG_EVENT_BYTES = 1_500, 26
"""Assumed: what Lambda itself logs of a run; what CloudWatch adds to every line."""

STAGE = Path(__file__).resolve().parents[1] / "aws" / "us-east-1" / "20_lambda"
WORLD_START_TS = 1_767_571_200  # 2026-01-05 00:00 UTC
FIRST_HOUR_TS = WORLD_START_TS + 42 * HOUR_S  # threads of the day before are alive
SECRET = {
    "REDDIT_CLIENT_ID": "bench",
    "REDDIT_CLIENT_SECRET": "bench",
    "REDDIT_USER_AGENT": "any:market-opinion:v1 (by /u/bench)",
}


@dataclass(frozen=True, slots=True)
class Counters:
    """What one hourly run did and wrote, for all its subreddits together."""

    calls: Mapping[str, int]
    landed_bytes: int
    item_bytes: tuple[int, ...]
    series: int
    log_bytes: int
    reddit_requests: int
    rows: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands there whether a run happens or not, and the function's size."""

    alarms: int
    dashboards: int
    secrets: int
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the bill: `usd` at list price, `usd_beyond_free` where nobody else uses the account's free part."""

    quantity: float
    usd: float
    usd_beyond_free: float


def duration_s(counters: Counters, memory_mb: int) -> float:
    """Return how long a cold run takes on Lambda: its CPU on a share of a processor, then waiting for answers."""
    share = min(1.0, memory_mb / FULL_CORE_MB)
    waiting = counters.reddit_requests * REDDIT_ANSWER_S + sum(counters.calls.values()) * AWS_ANSWER_S
    return (COLD_START_CPU_S + counters.cpu_s) / share + waiting


def quantities(counters: Counters, standing: Standing, month: int) -> dict[str, float]:
    """Return what a month uses of everything that has a price; `month` counts from 1, and what was landed stays.

    Raises:
        KeyError: a call was counted that has no price.
    """
    calls: Counter[str] = Counter()
    for action, count in counters.calls.items():
        calls[PRICED_BY[action]] += count * HOURS
    kept = month - 0.5  # months of landing in the store, on average over the month
    table_gb = sum(counters.item_bytes) * HOURS * kept / GB
    return {
        **dict.fromkeys(PRICED_BY.values(), 0),
        **calls,
        "DynamoDB writes": sum(math.ceil(size / 1024) for size in counters.item_bytes) * HOURS,
        "Lambda requests": HOURS,
        "Lambda time": duration_s(counters, standing.memory_mb) * standing.memory_mb / 1024 * HOURS,
        "S3 storage": counters.landed_bytes * HOURS * kept / GB,
        "DynamoDB storage": table_gb,
        "DynamoDB recovery": table_gb,
        "CloudWatch metrics": counters.series,
        "CloudWatch alarms": standing.alarms,
        "CloudWatch dashboards": standing.dashboards,
        "CloudWatch log": counters.log_bytes * HOURS / GB,
        "Secrets Manager secret": standing.secrets,
    }


def bill(used: Mapping[str, float], prices: Mapping[str, Price]) -> dict[str, Line]:
    """Return a line for every price, in the order of the prices.

    Raises:
        KeyError: something is used that has no price, or the other way round.
    """
    if unknown := used.keys() ^ prices.keys():
        raise KeyError(f"used and priced are not the same things: {', '.join(sorted(unknown))}")
    return {
        name: Line(
            used[name], used[name] / price.per * price.usd, max(0.0, used[name] - price.free) / price.per * price.usd
        )
        for name, price in prices.items()
    }


def standing_in(stage: Path, subreddits: int) -> Standing:
    """Count in Terraform's files what costs by the month; an alarm with `for_each` stands once for each subreddit."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in sorted(stage.glob("*.tf")))
    alarms = re.findall(r'^resource "aws_cloudwatch_metric_alarm" .*?^\}', text, re.MULTILINE | re.DOTALL)
    memory = re.search(r'^variable "memory_mb" \{.*?default += (\d+)', text, re.MULTILINE | re.DOTALL)
    assert memory is not None
    return Standing(
        alarms=sum(subreddits if "for_each" in alarm else 1 for alarm in alarms),
        dashboards=len(re.findall(r'^resource "aws_cloudwatch_dashboard"', text, re.MULTILINE)),
        secrets=1,
        memory_mb=int(memory[1]),
    )


class _LogBytes(logging.Handler):
    """Counts what the function's lines weigh in Lambda's JSON format."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(JsonFormatter())
        self.total = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.total += len(self.format(record).encode()) + LOG_EVENT_BYTES


@contextmanager
def _log_bytes() -> Iterator[_LogBytes]:
    logger, handler = logging.getLogger("reddit_ingest"), _LogBytes()
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def measure(port: int, subreddits: int, posts: float, comments: float) -> Counters:
    """Run two hours of so many equal subreddits against the emulator on `port` and count the second."""
    names = [f"phones{number}" for number in range(1, subreddits + 1)]
    specs = [SubredditSpec(name, posts, comments) for name in names]
    world = GeneratedWorld(seed=7, start_ts=WORLD_START_TS, subreddits=specs)
    deployment = new_deployment(port, SECRET)
    clock = FixedClock(FIRST_HOUR_TS + HOUR_S + 360)
    with Simulator(world, now_ts=clock.ts) as reddit, Wire(port) as wire:
        environ = deployment.environ() | {
            "SUBREDDITS": ",".join(names),
            "REDDIT_OAUTH_URL": reddit.url,
            "REDDIT_URL": reddit.url,
        }
        with mock.patch.dict("os.environ", deployment.sdk(wire.endpoint)):
            _served(environ, clock)
            before = _Written.by(deployment)
            asked, called = reddit.stats()["requests_total"], len(wire.calls)
            clock = FixedClock(clock.ts + HOUR_S)
            reddit.clock.set(clock.ts)
            with _log_bytes() as log:
                cpu_s, rows = _served(environ, clock)
        after = _Written.by(deployment)
        return Counters(
            calls=dict(sorted(Counter(wire.calls[called:]).items())),
            landed_bytes=sum(size for key, size in after.objects.items() if key not in before.objects),
            item_bytes=tuple(size for key, size in after.items.items() if key not in before.items),
            series=after.series,
            log_bytes=log.total + LAMBDAS_OWN_LOG_BYTES,
            reddit_requests=reddit.stats()["requests_total"] - asked,
            rows=rows,
            cpu_s=cpu_s,
        )


def _served(environ: Mapping[str, str], clock: FixedClock) -> tuple[float, int]:
    """Serve the empty event cold; return the CPU seconds of this thread alone, and the rows landed."""
    began = time.thread_time()
    with mock.patch.object(prawcore.sessions.time, "sleep"):
        answer = IngestionFunction(environ, clock).serve({}, lambda: 600_000)
    windows = [window for outcome in answer["subreddits"] for window in outcome["windows"]]
    assert {window["status"] for window in windows} <= {"complete", "empty"}
    assert len(windows) == len(answer["subreddits"])
    rows = sum(window["submissions_count"] + window["comments_count"] for window in windows)
    return time.thread_time() - began, rows


@dataclass(frozen=True, slots=True)
class _Written:
    """What stands in the emulator: objects and items with their sizes, and how many figures there are."""

    objects: dict[str, int]
    items: dict[tuple[str, str], int]
    series: int

    @classmethod
    def by(cls, deployment: Deployment) -> "_Written":
        found = deployment.client("dynamodb").scan(TableName=deployment.table)["Items"]
        return cls(
            objects={key: len(content) for key, content in deployment.objects().items()},
            items={(item["pk"]["S"], item["sk"]["S"]): item_bytes(item) for item in found},
            series=len(deployment.figures()),
        )


def item_bytes(item: Mapping[str, Mapping[str, str]]) -> int:
    """Return an item's size as DynamoDB counts: names and texts in UTF-8, numbers at two digits a byte and one more."""
    size = 0
    for name, value in item.items():
        ((kind, text),) = value.items()
        size += len(name.encode()) + (len(text) // 2 + 2 if kind == "N" else len(text.encode()))
    return size


def printed(bills: Mapping[str, Mapping[str, Line]]) -> Iterator[str]:
    """Yield the table: a row for each thing that has a price, a column for each month."""
    yield f"{'':22} {'used in a month':>25}   {'price in USD':22}" + "".join(f"{title:>12}" for title in bills)
    first, *_ = bills.values()
    for name, line in first.items():
        price = PRICES[name]
        used = f"{line.quantity:,.0f}" if line.quantity >= 100 else f"{line.quantity:.3g}"
        costs = f"{price.usd:.10f}".rstrip("0").rstrip(".") + f" for {price.per:,.0f}"
        sums = "".join(f"{lines[name].usd:12.2f}" for lines in bills.values())
        yield f"{name:22} {used:>12} {price.unit:12}   {costs:22}{sums}"
    for title, field in (("sum at list price", "usd"), ("sum beyond the free part", "usd_beyond_free")):
        sums = "".join(f"{sum(getattr(line, field) for line in lines.values()):12.2f}" for lines in bills.values())
        yield f"{title:73}{sums}"


def main() -> None:
    """Measure, compute and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--subreddits", type=int, choices=range(1, 51), default=3, metavar="1..50")
    parser.add_argument("--posts", type=float, default=20, help="submissions an hour of each")
    parser.add_argument("--comments", type=float, default=13, help="comments of each submission")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="costs-") as scratch, running(Path(scratch)) as port:
        counters = measure(port, options.subreddits, options.posts, options.comments)
    standing = standing_in(STAGE, options.subreddits)
    bills = {
        title: bill(quantities(counters, standing, month), PRICES)
        for title, month in (("first month", 1), ("month 13", 13))
    }
    seconds = duration_s(counters, standing.memory_mb)
    if options.json:
        print(json.dumps(_told(counters, standing, seconds, bills), indent=1))
        return
    calls = sum(counters.calls.values())
    print(f"{options.subreddits} subreddits, {options.posts:g} posts an hour, {options.comments:g} comments on a post")
    print(
        f"measured of one hour: {counters.rows:,} rows, {counters.landed_bytes:,} bytes landed, {calls} AWS calls,"
        f" {counters.reddit_requests} Reddit requests, {counters.cpu_s:.2f} s CPU, {counters.log_bytes:,} bytes logged"
    )
    print(
        f"duration: {seconds:.1f} s at {standing.memory_mb} MB, computed from these and from assumed times of answers"
    )
    print(f"prices: {PRICES_AS_OF}\n")
    print("\n".join(printed(bills)))


def _told(counters: Counters, standing: Standing, seconds: float, bills: Mapping[str, Mapping[str, Line]]) -> Any:
    return {
        "prices_as_of": PRICES_AS_OF,
        "prices": {name: asdict(price) for name, price in PRICES.items()},
        "counters": asdict(counters),
        "standing": asdict(standing),
        "duration_s": seconds,
        "bills": {title: {name: asdict(line) for name, line in lines.items()} for title, lines in bills.items()},
    }


if __name__ == "__main__":
    main()
