"""What every `LakeReader` promises; another implementation is one more parameter of `lake`."""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reddit_ingest.core.errors import DamagedState, InvalidRequest, LakeNotUsable
from reddit_ingest.core.ports import LakeReader
from reddit_ingest.s3_storage import S3LakeReader
from reddit_ingest.storage import FilesystemLakeReader

from ..emulator import Deployment

KEYS = [
    "reddit/android/2025-12-31/230000/comments.jsonl",
    "reddit/android/2026-01-01/000000/comments-part2.jsonl",
    "reddit/android/2026-01-01/000000/comments.jsonl",
    "reddit/android/2026-01-01/000000/manifest-0123456789abcdef.json",
    "reddit/android/2026-01-01/000000/submissions.jsonl",
    "reddit/android/2026-01-01/010000/comments.jsonl",
    "reddit/androidquestions/2026-01-01/000000/comments.jsonl",
    "reddit/iphone/2026-01-01/000000/comments.jsonl",
]


@dataclass
class Lake:
    """A reader and how to put an object in front of it."""

    reader: LakeReader
    put: Callable[[str, bytes], Any]


@pytest.fixture(params=["filesystem", "s3"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    if request.param == "filesystem":
        return folder_lake(tmp_path / "landing")
    deployment: Deployment = request.getfixturevalue("deployment")
    s3, bucket = deployment.client("s3"), deployment.bucket
    return Lake(S3LakeReader(s3, bucket), lambda key, content: s3.put_object(Bucket=bucket, Key=key, Body=content))


def folder_lake(root: Path) -> Lake:
    def put(key: str, content: bytes) -> None:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(content)

    return Lake(FilesystemLakeReader(root), put)


@pytest.fixture
def filled(lake: Lake) -> Lake:
    for key in reversed(KEYS):
        lake.put(key, key.encode())
    return lake


def test_a_lake_that_holds_nothing_has_no_keys(lake: Lake) -> None:
    assert list(lake.reader.keys("")) == []
    assert list(lake.reader.keys("reddit/android/")) == []


def test_all_keys_come_in_ascending_order(filled: Lake) -> None:
    assert list(filled.reader.keys("")) == KEYS


@pytest.mark.parametrize("prefix", ["reddit/", "reddit/android/", "reddit/android/2026-01-01/", "reddit/windows/"])
def test_a_prefix_selects_what_begins_with_it(filled: Lake, prefix: str) -> None:
    assert list(filled.reader.keys(prefix)) == [key for key in KEYS if key.startswith(prefix)]


def test_names_with_a_hyphen_keep_the_order(lake: Lake) -> None:
    keys = [f"reddit/{name}/2026-01-01/000000/comments.jsonl" for name in ("u_abc-d", "u_abc", "u_abc_d", "u_abcd")]
    for key in keys:
        lake.put(key, b"")
    assert list(lake.reader.keys("reddit/")) == sorted(keys)


def test_an_object_is_read_byte_for_byte(lake: Lake) -> None:
    content = "a\r\n\u2028\u0085\0ü😀\n".encode() + b"\xff\xfe"
    lake.put(KEYS[0], content)
    assert lake.reader.read(KEYS[0]) == content


def test_an_empty_object_is_an_object(lake: Lake) -> None:
    lake.put(KEYS[0], b"")
    assert lake.reader.read(KEYS[0]) == b""


def test_an_object_that_is_not_there_is_damaged_state_and_its_key_is_told(filled: Lake) -> None:
    with pytest.raises(DamagedState, match=r"2026-01-01/000000/gone\.jsonl"):
        filled.reader.read("reddit/android/2026-01-01/000000/gone.jsonl")


@pytest.mark.parametrize("key", ["../secret", "/etc/hostname", "reddit/../../secret"])
def test_nothing_outside_the_lake_is_read(filled: Lake, key: str) -> None:
    with pytest.raises(InvalidRequest):
        filled.reader.read(key)


# What only a folder can show.


@pytest.fixture
def folder(tmp_path: Path) -> Lake:
    lake = folder_lake(tmp_path / "landing")
    for key in KEYS:
        lake.put(key, key.encode())
    return lake


def test_files_on_their_way_have_no_key(folder: Lake) -> None:
    folder.put("reddit/android/2026-01-01/000000/.tmp-abc", b"half")
    assert list(folder.reader.keys("")) == KEYS


def test_a_folder_in_the_place_of_an_object_is_no_object(folder: Lake) -> None:
    with pytest.raises((LakeNotUsable, DamagedState)):
        folder.reader.read("reddit/android/2026-01-01")


def test_a_disk_that_cannot_be_read_is_a_lake_that_is_not_usable(folder: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "read_bytes", broken)
    with pytest.raises(LakeNotUsable, match=r"comments\.jsonl"):
        folder.reader.read(KEYS[0])


def test_a_folder_that_cannot_be_listed_is_not_taken_for_an_empty_one(
    folder: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def forbidden(path: Any) -> Any:
        if str(path).endswith("2026-01-01"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbidden)
    with pytest.raises(LakeNotUsable):
        list(folder.reader.keys("reddit/android/"))
