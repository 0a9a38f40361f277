"""What every `ObjectEraser` promises; another implementation is one more parameter of `lake`."""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reddit_ingest.aws import CLIENT_CONFIG
from reddit_ingest.core.errors import InvalidRequest, LakeNotUsable, ServiceRefused, ServiceUnavailable
from reddit_ingest.core.ports import LakeReader, ObjectEraser
from reddit_ingest.s3_storage import S3Eraser, S3LakeReader
from reddit_ingest.storage import FilesystemEraser, FilesystemLakeReader

from ..emulator import Deployment, Reply, Wire

FOLDER = "reddit/android/2026-01-01/000000/"
KEY = FOLDER + "comments.jsonl"
TWINS = [f"{KEY}.zst", f"{FOLDER}comments-part2.jsonl", f"{FOLDER}comments.jsonl2", "reddit/android/comments.jsonl"]
CONTENT = b'{"fullname":"t1_a"}\n'
HASH = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Lake:
    """An eraser, a reader of the same place, and how to put an object there."""

    eraser: ObjectEraser
    reader: LakeReader
    put: Callable[[str, bytes], Any]

    def keys(self) -> list[str]:
        return list(self.reader.keys(""))


@pytest.fixture(params=["filesystem", "bucket", "versioned bucket"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    if request.param == "filesystem":
        return folder_lake(tmp_path / "landing")
    deployment: Deployment = request.getfixturevalue("deployment")
    return bucket_lake(deployment, is_versioned=request.param == "versioned bucket")


def folder_lake(root: Path) -> Lake:
    def put(key: str, content: bytes) -> None:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(content)

    root.mkdir()
    return Lake(FilesystemEraser(root), FilesystemLakeReader(root), put)


def bucket_lake(deployment: Deployment, *, is_versioned: bool) -> Lake:
    s3, bucket = deployment.client("s3"), deployment.bucket
    if is_versioned:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return Lake(
        S3Eraser(s3, bucket),
        S3LakeReader(s3, bucket),
        lambda key, content: s3.put_object(Bucket=bucket, Key=key, Body=content),
    )


def test_an_object_is_gone_and_its_neighbours_are_not(lake: Lake) -> None:
    for key in [KEY, *TWINS]:
        lake.put(key, CONTENT)
    assert lake.eraser.erase(KEY) is True
    assert lake.keys() == sorted(TWINS)
    assert all(lake.reader.read(key) == CONTENT for key in TWINS)


def test_an_object_that_is_not_there_is_no_trouble(lake: Lake) -> None:
    assert lake.eraser.erase(KEY) is False
    lake.put(TWINS[0], CONTENT)
    assert lake.eraser.erase(KEY, HASH) is False
    lake.put(KEY, CONTENT)
    assert [lake.eraser.erase(KEY), lake.eraser.erase(KEY)] == [True, False]
    assert lake.keys() == [TWINS[0]]


def test_an_object_of_the_named_bytes_is_gone(lake: Lake) -> None:
    lake.put(KEY, CONTENT)
    assert lake.eraser.erase(KEY, HASH) is True
    assert lake.keys() == []


def test_other_bytes_under_the_name_are_left_alone(lake: Lake) -> None:
    lake.put(KEY, b"somebody else's\n")
    assert lake.eraser.erase(KEY, HASH) is False
    assert lake.reader.read(KEY) == b"somebody else's\n"


def test_what_may_be_about_to_be_committed_is_left_alone(lake: Lake) -> None:
    lake.put(KEY, CONTENT)
    assert lake.eraser.erase(KEY, HASH, least_age_s=3_600) is False
    assert lake.keys() == [KEY]
    assert lake.eraser.erase(KEY, HASH, least_age_s=0) is True


def test_a_large_object_is_known_by_its_bytes_too(lake: Lake) -> None:
    content = b"0123456789abcdef" * 200_000
    lake.put(KEY, content)
    assert lake.eraser.erase(KEY, HASH) is False
    assert lake.eraser.erase(KEY, hashlib.sha256(content).hexdigest()) is True


@pytest.mark.parametrize("key", ["../secret", "/etc/hostname", "reddit/../../secret", "a\0b"])
def test_nothing_outside_the_lake_is_erased(lake: Lake, key: str) -> None:
    with pytest.raises(InvalidRequest):
        lake.eraser.erase(key)


# What only a folder can show.


def test_an_object_of_some_age_is_old_enough(tmp_path: Path) -> None:
    lake = folder_lake(tmp_path / "landing")
    lake.put(KEY, CONTENT)
    hour_ago = time.time() - 3_601
    os.utime(tmp_path / "landing" / KEY, (hour_ago, hour_ago))
    assert lake.eraser.erase(KEY, HASH, least_age_s=3_600) is True


def test_a_file_that_cannot_be_deleted_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    lake = folder_lake(tmp_path / "landing")
    lake.put(KEY, CONTENT)
    monkeypatch.setattr(Path, "unlink", forbidden)
    with pytest.raises(LakeNotUsable, match=r"comments\.jsonl"):
        lake.eraser.erase(KEY)


# What only a bucket can show.


def versions(deployment: Deployment) -> list[tuple[str, str]]:
    """Return key and kind of all there is, versions and markers."""
    answer = deployment.client("s3").list_object_versions(Bucket=deployment.bucket)
    return [(each["Key"], kind) for kind in ("Versions", "DeleteMarkers") for each in answer.get(kind, ())]


@pytest.fixture
def versioned(deployment: Deployment) -> Lake:
    return bucket_lake(deployment, is_versioned=True)


def test_all_versions_and_markers_are_gone(versioned: Lake, deployment: Deployment) -> None:
    s3 = deployment.client("s3")
    for _ in range(2):
        versioned.put(KEY, CONTENT)
        s3.delete_object(Bucket=deployment.bucket, Key=KEY)
    versioned.put(KEY, b"in between\n")
    versioned.put(KEY, CONTENT)
    versioned.put(TWINS[0], CONTENT)
    assert len(versions(deployment)) == 7
    assert versioned.eraser.erase(KEY, HASH) is True
    assert versions(deployment) == [(TWINS[0], "Versions")]


def test_what_a_person_deleted_in_the_console_is_gone_for_good(versioned: Lake, deployment: Deployment) -> None:
    versioned.put(KEY, CONTENT)
    deployment.client("s3").delete_object(Bucket=deployment.bucket, Key=KEY)
    assert versioned.eraser.erase(KEY, HASH) is True
    assert versions(deployment) == []


def test_older_versions_go_although_the_name_is_taken_anew(versioned: Lake, deployment: Deployment) -> None:
    versioned.put(KEY, CONTENT)
    versioned.put(KEY, b"somebody else's\n")
    assert versioned.eraser.erase(KEY, HASH) is False
    assert versions(deployment) == [(KEY, "Versions")]
    assert versioned.reader.read(KEY) == b"somebody else's\n"


def test_a_crash_on_the_way_brings_no_older_version_back(deployment: Deployment, wire: Wire) -> None:
    bucket_lake(deployment, is_versioned=True)
    s3 = deployment.client("s3")
    s3.put_object(Bucket=deployment.bucket, Key=KEY, Body=CONTENT)
    s3.delete_object(Bucket=deployment.bucket, Key=KEY)
    wire.spoil("s3:DeleteObjectVersion", Reply(403, b"<Error><Code>AccessDenied</Code></Error>"), times=1)
    lake = over(wire, deployment)
    with pytest.raises(ServiceRefused, match="s3:DeleteObjectVersion"):
        lake.erase(KEY)
    assert deployment.objects() == {}
    assert lake.erase(KEY) is True
    assert versions(deployment) == []


def test_more_versions_than_one_page_holds_are_gone(versioned: Lake, deployment: Deployment) -> None:
    for number in range(3):
        versioned.put(KEY, b"%d" % number)
    pages = S3Eraser(_Paging(deployment.client("s3")), deployment.bucket)
    assert pages.erase(KEY) is True
    assert versions(deployment) == []


class _Paging:
    """A client whose listings of versions come one by one."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def get_paginator(self, operation: str) -> Any:
        paginator = self._client.get_paginator(operation)
        paginate = paginator.paginate
        paginator.paginate = lambda **place: paginate(**place, PaginationConfig={"PageSize": 1})
        return paginator


def over(wire: Wire, deployment: Deployment, keys: dict[str, str] | None = None) -> S3Eraser:
    import boto3

    sdk = deployment.sdk(wire.endpoint, keys)
    client = boto3.client(
        "s3",
        endpoint_url=wire.endpoint,
        region_name=sdk["AWS_REGION"],
        aws_access_key_id=sdk["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=sdk["AWS_SECRET_ACCESS_KEY"],
        config=CLIENT_CONFIG,
    )
    return S3Eraser(client, deployment.bucket)


RIGHTS = {"s3:ListBucketVersions": "", "s3:GetObjectVersion": "/reddit/*", "s3:DeleteObjectVersion": "/reddit/*"}


def test_it_needs_the_rights_that_it_says_and_no_others(versioned: Lake, deployment: Deployment, wire: Wire) -> None:
    on = {action: f"arn:aws:s3:::{deployment.bucket}{place}" for action, place in RIGHTS.items()}
    versioned.put(KEY, CONTENT)
    for missing in on:
        granted = {action: place for action, place in on.items() if action != missing}
        with pytest.raises(ServiceRefused, match=missing):
            over(wire, deployment, deployment.role(granted)).erase(KEY, HASH)
    assert over(wire, deployment, deployment.role(on)).erase(KEY, HASH) is True
    assert versions(deployment) == []


def test_a_bucket_that_is_busy_is_tried_later(
    versioned: Lake, deployment: Deployment, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda self, context: 0)
    versioned.put(KEY, CONTENT)
    wire.spoil("s3:DeleteObjectVersion", Reply(503, b"<Error><Code>SlowDown</Code></Error>"), times=99)
    with pytest.raises(ServiceUnavailable):
        over(wire, deployment).erase(KEY)
    assert versioned.reader.read(KEY) == CONTENT
