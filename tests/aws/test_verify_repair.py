"""A person finds out what is wrong with the deployed lake, and mends it, with no more rights than that takes."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from market_opinion.cli import main
from reddit_ingest import bootstrap_aws
from reddit_ingest.core.manifest import Manifest

from ..emulator import ACCOUNT, REGION, Deployment
from .conftest import HOUR, LAST, Invoker

PLACE = "reddit/phones/2026-01-06/050000/"
Types = Callable[..., Result]


def looking(deployment: Deployment) -> dict[str, str]:
    """Return what `verify` needs."""
    place = f"{REGION}:{ACCOUNT}"
    return {
        "s3:ListBucket": f"arn:aws:s3:::{deployment.bucket}",
        "s3:ListBucketMultipartUploads": f"arn:aws:s3:::{deployment.bucket}",
        "s3:GetObject": f"arn:aws:s3:::{deployment.bucket}/*",
        "ssm:GetParameter": f"arn:aws:ssm:{place}:parameter/reddit-ingest/*",
        "dynamodb:Query": f"arn:aws:dynamodb:{place}:table/{deployment.table}",
    }


def mending(deployment: Deployment) -> dict[str, str]:
    """Return what `repair` needs."""
    place = f"{REGION}:{ACCOUNT}"
    return {
        **looking(deployment),
        "s3:PutObject": f"arn:aws:s3:::{deployment.bucket}/*",
        "s3:AbortMultipartUpload": f"arn:aws:s3:::{deployment.bucket}/*",
        "s3:ListBucketVersions": f"arn:aws:s3:::{deployment.bucket}",
        "s3:GetObjectVersion": f"arn:aws:s3:::{deployment.bucket}/*",
        "s3:DeleteObjectVersion": f"arn:aws:s3:::{deployment.bucket}/*",
        "ssm:PutParameter": f"arn:aws:ssm:{place}:parameter/reddit-ingest/*",
        "dynamodb:PutItem": f"arn:aws:dynamodb:{place}:table/{deployment.table}",
    }


@pytest.fixture
def types(lambda_: Invoker) -> Types:
    """Run a command as somebody who may do just what that command needs."""
    deployment = lambda_.deployment
    environ = {**deployment.environ(), "REDDIT_SECRET_ARN": ""}
    keys_of = {"verify": deployment.role(looking(deployment)), "repair": deployment.role(mending(deployment))}
    keys_of["status"] = keys_of["verify"]

    def run(*words: str, **env: str) -> Result:
        keys = keys_of[words[0]]
        command = [*words, "--aws", "--now", str(lambda_.clock.ts)]
        result = CliRunner().invoke(
            main, command, env={**environ, **deployment.sdk(lambda_.wire.endpoint, keys), **env}
        )
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    return run


def findings(types: Types) -> list[tuple[str, str, str]]:
    return [
        (each["severity"], each["kind"], each["place"])
        for each in json.loads(types("verify", "--json").stdout)["findings"]
    ]


def put(deployment: Deployment, key: str, content: bytes) -> None:
    deployment.client("s3").put_object(Bucket=deployment.bucket, Key=key, Body=content)


def delete(deployment: Deployment, key: str) -> None:
    deployment.client("s3").delete_object(Bucket=deployment.bucket, Key=key)


def forget_state(deployment: Deployment) -> None:
    deployment.client("ssm").delete_parameter(Name=f"{deployment.state_path}/prod/phones/last_run_ts")
    table = deployment.client("dynamodb")
    for item in [*deployment.items("RUN"), *deployment.items("ATTEMPT")]:
        table.delete_item(TableName=deployment.table, Key={name: {"S": item[name]} for name in ("pk", "sk")})


def test_what_the_function_has_landed_is_sound_and_looking_changes_nothing(lambda_: Invoker, types: Types) -> None:
    lambda_.invoke()
    before = lambda_.deployment.objects(), lambda_.deployment.items("ATTEMPT")
    calls = len(lambda_.wire.calls)
    result = types("verify")
    assert result.exit_code == 0, result.output
    assert "no damage, 0 notes" in result.stdout
    done = lambda_.wire.calls[calls:]
    assert set(done) <= looking(lambda_.deployment).keys()
    objects = lambda_.deployment.objects()
    assert (objects, lambda_.deployment.items("ATTEMPT")) == before
    # An object is read once; the rest are lists of keys.
    assert done.count("s3:GetObject") <= len(objects) + 5


def test_a_flipped_bit_and_a_deleted_object_are_found_and_gone_when_they_are_restored(
    lambda_: Invoker, types: Types
) -> None:
    lambda_.invoke()
    deployment, objects = lambda_.deployment, lambda_.deployment.objects()
    flipped, deleted = f"{PLACE}comments.jsonl", f"{PLACE}submissions.jsonl"
    put(deployment, flipped, bytes([objects[flipped][0] ^ 1]) + objects[flipped][1:])
    delete(deployment, deleted)
    assert types("verify").exit_code == 1
    assert sorted(findings(types)) == [("damage", "object", flipped), ("damage", "object", deleted)]
    for key in (flipped, deleted):
        put(deployment, key, objects[key])
    assert findings(types) == []


def test_a_lost_state_is_rebuilt_and_no_figure_is_counted_again(lambda_: Invoker, types: Types) -> None:
    for hour in range(2):
        (lambda_ if hour == 0 else lambda_.later(1)).invoke()
    deployment = lambda_.deployment
    status = types("status", "--json").stdout
    before = deployment.watermark("phones"), deployment.items("RUN"), deployment.items("ATTEMPT"), deployment.figures()
    forget_state(deployment)
    lambda_.clock = lambda_.later(1).clock
    assert {severity for severity, _, _ in findings(types)} == {"note"}
    result = types("repair")
    assert result.exit_code == 0, result.output
    after = deployment.watermark("phones"), deployment.items("RUN"), deployment.items("ATTEMPT"), deployment.figures()
    assert after == before
    assert json.loads(types("status", "--json").stdout)[0]["windows"] == json.loads(status)[0]["windows"]
    assert findings(types) == []


def test_what_a_run_that_died_had_landed_is_adopted(lambda_: Invoker, types: Types) -> None:
    lambda_.invoke()
    deployment, objects = lambda_.deployment, lambda_.deployment.objects()
    (manifest,) = [key for key in objects if key.startswith(f"{PLACE}manifest-")]
    delete(deployment, manifest)
    forget_state(deployment)
    orphans = [f"{PLACE}comments.jsonl", f"{PLACE}submissions.jsonl"]
    assert findings(types) == [("note", "orphan", key) for key in orphans]
    result = types("repair", "--json")
    assert result.exit_code == 0, result.output
    assert [step["place"] for step in json.loads(result.stdout)["steps"]] == orphans
    (adopting,) = [key for key in deployment.objects() if key.startswith(f"{PLACE}manifest-")]
    adopted = Manifest.from_bytes(deployment.objects()[adopting], adopting)
    assert adopted.objects == Manifest.from_bytes(objects[manifest], manifest).objects
    assert findings(types) == []
    assert deployment.watermark("phones") is None, "nothing was claimed"


def test_orphans_that_are_too_young_stay_until_they_are_old(
    lambda_: Invoker, types: Types, monkeypatch: pytest.MonkeyPatch
) -> None:
    lambda_.invoke()
    deployment, orphan = lambda_.deployment, f"{PLACE}comments-part2.jsonl"
    put(deployment, orphan, b'{"half": 1}\n')
    upload = deployment.client("s3").create_multipart_upload(
        Bucket=deployment.bucket, Key=f"{PLACE}comments-part3.jsonl"
    )
    assert [kind for _, kind, _ in findings(types)] == ["orphan", "leftover"]
    result = types("repair", "--drop-orphans")
    assert result.exit_code == 3
    assert orphan in deployment.objects()
    assert deployment.unfinished_uploads() == [upload["Key"]]
    monkeypatch.setattr(bootstrap_aws, "ORPHAN_AGE_S", 0)
    assert types("repair", "--drop-orphans").exit_code == 0
    assert orphan not in deployment.objects()
    assert deployment.unfinished_uploads() == []
    assert findings(types) == []


def test_hours_to_read_again_are_told_as_commands_for_the_function(lambda_: Invoker, types: Types) -> None:
    lambda_.invoke()
    lambda_.later(1).invoke()
    lambda_.later(2).invoke()
    deployment, gone = lambda_.deployment, "reddit/phones/2026-01-06/060000/"
    for key in [key for key in deployment.objects() if key.startswith(gone)]:
        delete(deployment, key)
    lambda_.clock = lambda_.later(2).clock
    assert ("damage", "hole", "r/phones 2026-01-06T06:00:00Z/2026-01-06T07:00:00Z") in findings(types)
    result = types("repair", "--rerun")
    assert result.exit_code == 3
    command = "market-opinion backfill phones --start 2026-01-06T06:00:00Z --end 2026-01-06T07:00:00Z --function"
    assert command in result.stdout
    lambda_.invoke({"mode": "backfill", "subreddit": "phones", "start_ts": LAST + HOUR, "end_ts": LAST + 2 * HOUR})
    assert types("repair").exit_code == 0
    assert [kind for severity, kind, _ in findings(types) if severity == "damage"] == []


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"LANDING_BUCKET_NAME": "no-such-bucket"}, "s3://no-such-bucket/"),
        ({"RUNS_TABLE_NAME": "no-such-table"}, "no-such-table"),
    ],
)
def test_where_verify_cannot_look_it_exits_2(lambda_: Invoker, types: Types, env: dict[str, str], says: str) -> None:
    lambda_.invoke()
    result = types("verify", **env)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("action", ["dynamodb:Query", "s3:GetObject"])
def test_a_missing_right_is_named_and_nothing_is_called_damaged(lambda_: Invoker, types: Types, action: str) -> None:
    lambda_.invoke()
    rights = {name: on for name, on in looking(lambda_.deployment).items() if name != action}
    result = types("verify", **lambda_.deployment.role(rights))
    assert result.exit_code == 2
    assert action in result.stderr
