"""Deletions on AWS: nothing is left in any version of the bucket; authors hashed with the key in the secret."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from market_opinion.cli import main
from reddit_ingest.core.authors import AuthorKey
from reddit_ingest.core.errors import InvalidSetting

from ..conftest import SECRET
from ..emulator import Deployment
from .conftest import HOUR, NOW, Invoker

KEY = "c0ffee" * 10 + "beef"


@pytest.fixture
def types(lambda_: Invoker) -> Callable[..., Result]:
    """Run a command with the environment of someone who may do everything on the deployed lake."""
    lambda_.deployment.client("s3").put_bucket_versioning(
        Bucket=lambda_.deployment.bucket, VersioningConfiguration={"Status": "Enabled"}
    )

    def run(*words: str, **env: str) -> Result:
        environ = {**lambda_.deployment.environ(), **lambda_.deployment.sdk(lambda_.wire.endpoint), **env}
        result = CliRunner().invoke(main, [*words, "--aws", "--now", str(NOW + HOUR)], env=environ)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    return run


def everything(deployment: Deployment) -> list[bytes]:
    """Return the content of every version in the bucket."""
    s3 = deployment.client("s3")
    versions = s3.list_object_versions(Bucket=deployment.bucket)
    assert not versions.get("DeleteMarkers")
    return [
        s3.get_object(Bucket=deployment.bucket, Key=each["Key"], VersionId=each["VersionId"])["Body"].read()
        for each in versions["Versions"]
    ]


def a_submission(deployment: Deployment) -> dict[str, Any]:
    rows = [
        line for key, content in deployment.objects().items() if "submissions" in key for line in content.split(b"\n")
    ]
    return max((json.loads(line) for line in rows if line), key=lambda row: row["num_comments"])


def with_author_key(lambda_: Invoker, key: str) -> None:
    document = json.dumps({**SECRET, "AUTHOR_KEY": key})
    lambda_.deployment.client("secretsmanager").put_secret_value(
        SecretId=lambda_.deployment.secret_arn, SecretString=document
    )


def test_an_item_leaves_every_version_of_the_bucket(lambda_: Invoker, types: Callable[..., Result]) -> None:
    lambda_.invoke()
    row = a_submission(lambda_.deployment)
    text = row["title"].encode()
    assert any(text in content for content in everything(lambda_.deployment))
    result = types("forget", "--id", row["fullname"], "--yes")
    assert result.exit_code == 0, result.output
    assert not any(text in content for content in everything(lambda_.deployment))
    assert types("forget", "--id", "t3_none", "--yes").exit_code == 1


def test_what_a_run_may_be_about_to_commit_is_told_with_the_time_to_come_back(
    lambda_: Invoker, types: Callable[..., Result]
) -> None:
    lambda_.invoke()
    row = a_submission(lambda_.deployment)
    key = next(key for key in lambda_.deployment.objects() if "submissions" in key)
    orphan = key.replace("submissions", "submissions-part9")
    lambda_.deployment.client("s3").put_object(
        Bucket=lambda_.deployment.bucket, Key=orphan, Body=lambda_.deployment.objects()[key]
    )
    result = types("forget", "--id", row["fullname"], "--yes", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["again_from_ts"] == NOW + 2 * HOUR
    assert "run it again from" in result.stderr
    told = json.loads(types("status", "--json").stdout)[0]["deletions"]
    assert told["due"] == 1


def test_with_hashed_authors_the_bucket_names_nobody_and_the_key_is_nowhere(
    lambda_: Invoker, types: Callable[..., Result], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with_author_key(lambda_, KEY)
    answer = lambda_.with_settings(AUTHORS="hashed").invoke()
    posts = lambda_.reddit.world.posts("phones")
    authors = {thing.fields["author"] for post in posts for thing in (post, *post.comments)}
    names = [author.encode() for author in authors]
    contents = everything(lambda_.deployment)
    assert not any(b'"%s"' % name in content for name in names for content in contents)
    row = a_submission(lambda_.deployment)
    by_hash = {AuthorKey(KEY).name(author): author for author in authors}
    assert row["author"] in by_hash
    told = json.dumps([answer, lambda_.deployment.items()]) + caplog.text
    assert not any(KEY.encode() in content for content in everything(lambda_.deployment))
    assert KEY not in told
    result = types("forget", "--author", by_hash[row["author"]], "--yes", AUTHORS="hashed")
    assert result.exit_code == 0, result.output
    assert KEY not in result.output
    assert not any(row["author"].encode() in content for content in everything(lambda_.deployment))


@pytest.mark.parametrize("key", [None, "too-short-canary"])
def test_without_the_key_nothing_is_read_and_its_name_is_told(
    lambda_: Invoker, types: Callable[..., Result], key: str | None
) -> None:
    if key:
        with_author_key(lambda_, key)
    requests = lambda_.reddit.stats()["requests_total"]
    with pytest.raises(InvalidSetting, match="AUTHOR_KEY in the secret arn:aws") as refused:
        lambda_.with_settings(AUTHORS="hashed").invoke()
    assert "too-short-canary" not in str(refused.value)
    assert lambda_.reddit.stats()["requests_total"] == requests
    lambda_.invoke()
    result = types("forget", "--author", "somebody", "--yes", AUTHORS="hashed")
    assert result.exit_code == 1
    assert "AUTHOR_KEY in the secret" in result.stderr
    result = types("forget", "--author", "somebody", "--yes", AUTHORS="hashed", REDDIT_SECRET_ARN="")
    assert "REDDIT_SECRET_ARN is missing" in result.stderr
