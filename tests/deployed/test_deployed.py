"""The deployed function, as Terraform left it: one after the other, on one bucket, with a simulated Reddit.

Run by `make test-aws`, which deploys; alone it is skipped.
"""

import json
import os
import time
import urllib.request
from typing import Any

import boto3
import pytest
from botocore.config import Config
from click.testing import CliRunner

from market_opinion.cli import main
from reddit_ingest import view
from reddit_ingest.core.windows import HOUR_S, last_settled_end, plan_backfill
from reddit_ingest.s3_storage import S3LakeReader

from ..emulator import Deployment

FUNCTION = "tf-prod-smartcomp-lambda-reddit-ingestion"
REFRESH = "tf-prod-smartcomp-lambda-reddit-refresh"
BUCKET, TABLE, SUBREDDIT = "tf-prod-smartcomp-lz", "reddit-ingestion-runs", "smartphones"
PARAMETER = f"/reddit-ingest/prod/{SUBREDDIT}/last_run_ts"

pytestmark = pytest.mark.skipif(
    "SIMULATED_REDDIT" not in os.environ, reason="nothing is deployed; `make test-aws` deploys and runs this"
)


def client(service: str) -> Any:
    return boto3.client(service, config=Config(s3={"addressing_style": "path"}, read_timeout=300))


def invoke(event: dict[str, Any], function: str = FUNCTION) -> Any:
    reply = client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    answer = json.loads(reply["Payload"].read())
    assert "FunctionError" not in reply, answer
    return answer


def objects() -> dict[str, str]:
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return {entry["Key"]: entry["ETag"] for page in pages for entry in page.get("Contents", ())}


def items(kind: str) -> dict[str, Any]:
    found = client("dynamodb").scan(TableName=TABLE)["Items"]
    return {item["sk"]["S"]: item for item in found if item["sk"]["S"].startswith(kind)}


def watermark() -> int:
    return int(client("ssm").get_parameter(Name=PARAMETER)["Parameter"]["Value"])


def figures(name: str) -> float:
    points = client("cloudwatch").get_metric_statistics(
        Namespace="RedditIngestion",
        MetricName=name,
        Dimensions=[{"Name": "Environment", "Value": "prod"}, {"Name": "Subreddit", "Value": SUBREDDIT}],
        StartTime=time.time() - 3_600,
        EndTime=time.time() + 60,
        Period=86_400,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(point["Sum"] for point in points)


def reddit_truth(start_ts: int, end_ts: int) -> int:
    url = f"{os.environ['SIMULATED_REDDIT']}/_sim/truth?subreddit={SUBREDDIT}&start_ts={start_ts}&end_ts={end_ts}"
    with urllib.request.urlopen(url) as answer:
        return len(answer.read().splitlines())


def test_the_first_invocation_lands_the_last_full_hour() -> None:
    end = last_settled_end(int(time.time()))
    (outcome,) = invoke({})["subreddits"]
    (window,) = outcome["windows"]
    assert window["window_end_ts"] in (end, end + HOUR_S)
    assert window["status"] == "complete"
    start = time.strftime("%Y-%m-%d/%H%M%S", time.gmtime(window["window_start_ts"]))
    assert window["s3_prefix"] == f"reddit/{SUBREDDIT}/{start}/"
    names = {key.removeprefix(window["s3_prefix"]) for key in objects() if key.startswith(window["s3_prefix"])}
    assert {"submissions.jsonl", "comments.jsonl"} <= names
    assert len([name for name in names if name.startswith("manifest-")]) == 1
    assert watermark() == window["window_end_ts"]
    run = items("RUN#")[f"RUN#{window['window_start_ts']}"]
    assert run["pk"]["S"] == f"ENV#prod#SUBREDDIT#{SUBREDDIT}"
    assert int(run["SubmissionsCount"]["N"]) == window["submissions_count"] == figures("NewSubmissions")
    assert window["new_comments_count"] == figures("NewComments") > 0
    assert (window["submissions_count"] + window["new_comments_count"]) / reddit_truth(
        window["window_start_ts"], window["window_end_ts"]
    ) > 0.5


def test_invoked_again_it_changes_nothing() -> None:
    before = objects(), items(""), watermark()
    (outcome,) = invoke({})["subreddits"]
    if outcome["windows"]:
        pytest.skip("an hour has settled in between")
    assert (objects(), items(""), watermark()) == before


def test_the_documented_backfill_makes_an_item_an_hour_and_leaves_the_watermark() -> None:
    before, now = watermark(), int(time.time())
    event = {"mode": "backfill", "subreddit": SUBREDDIT, "start_ts": now - 3 * HOUR_S, "end_ts": now}
    (outcome,) = invoke(event)["subreddits"]
    expected = [window.start_ts for window in plan_backfill(event["start_ts"], now, now)]
    assert len(expected) == 3 or now % HOUR_S < 120
    assert [window["window_start_ts"] for window in outcome["windows"]] == expected
    runs = items("RUN#")
    assert {runs[f"RUN#{start}"]["Mode"]["S"] for start in expected} == {"backfill"}
    assert watermark() == before


def test_nothing_is_in_the_lake_twice_and_every_object_is_whole() -> None:
    lake = S3LakeReader(client("s3"), BUCKET)
    rows = {kind: view.rows(lake, "reddit/", kind) for kind in ("submissions", "comments")}
    assert all(rows.values())
    assert {state.status.is_whole for state in view.ledger(lake, "reddit/")} == {True}


def test_a_wrong_event_is_answered_with_its_reason() -> None:
    reply = client("lambda").invoke(FunctionName=FUNCTION, Payload=b'{"subreddit": "../x"}')
    assert reply["FunctionError"] == "Unhandled"
    answer = json.loads(reply["Payload"].read())
    assert "not a subreddit name" in answer["errorMessage"]


def test_the_command_line_reads_the_deployed_lake_and_drives_the_function() -> None:
    env = {"LANDING_BUCKET_NAME": BUCKET, "ENVIRONMENT": "prod"}
    shown = CliRunner().invoke(main, ["status", "--aws", "--json"], env=env)
    assert shown.exit_code == 0, shown.output
    (summary,) = json.loads(shown.stdout)
    assert (summary["subreddit"], summary["watermark"]) == (SUBREDDIT, watermark())
    end = last_settled_end(int(time.time())) - 4 * HOUR_S
    words = [
        "backfill",
        SUBREDDIT,
        "--start",
        str(end - 2 * HOUR_S),
        "--end",
        str(end),
        "--function",
        FUNCTION,
        "--json",
    ]
    driven = CliRunner().invoke(main, words, env=env)
    assert driven.exit_code == 0, driven.output
    assert len(json.loads(driven.stdout)) == 2


def test_the_refresh_function_looks_again_at_what_has_landed() -> None:
    environment = client("lambda").get_function_configuration(FunctionName=REFRESH)["Environment"]["Variables"]
    urls = dict.fromkeys(("REDDIT_OAUTH_URL", "REDDIT_URL"), os.environ["SIMULATED_REDDIT"])
    client("lambda").update_function_configuration(
        FunctionName=REFRESH, Environment={"Variables": {**environment, **urls}}
    )
    (report,) = invoke({}, REFRESH)["subreddits"]
    assert report["subreddit"] == SUBREDDIT
    assert report["asked"] == report["due"]
    assert report["deletions_due"] == 0
    assert len(items("REFRESH#")) == 1


LOGS = {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
CALLED_BY_LAMBDA_ITSELF = {"sqs:SendMessage"}


@pytest.mark.parametrize(
    ("function", "agreed"),
    [
        (FUNCTION, Deployment("", "", "arn").granted()),
        (REFRESH, Deployment("", "", "arn").granted_to_refresh()),
    ],
)
def test_a_role_may_do_what_the_tests_of_its_function_grant_and_no_more(function: str, agreed: dict[str, str]) -> None:
    iam = client("iam")
    role = client("lambda").get_function_configuration(FunctionName=function)["Role"].rpartition("/")[2]
    actions: set[str] = set()
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        version = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=version)["PolicyVersion"][
            "Document"
        ]
        for statement in document["Statement"]:
            listed = statement["Action"]
            actions.update([listed] if isinstance(listed, str) else listed)
    assert actions == set(agreed) | LOGS | CALLED_BY_LAMBDA_ITSELF
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == []
