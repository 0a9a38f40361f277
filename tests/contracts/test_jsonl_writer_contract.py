"""What every `JsonlWriter` promises; another implementation is one more parameter of `lake`."""

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from reddit_ingest import jsonl
from reddit_ingest.core.coverage import Coverage, CoverageStatus
from reddit_ingest.core.errors import InvalidRequest, LakeNotUsable, PlatformError, StorageFull
from reddit_ingest.core.items import Line
from reddit_ingest.core.keys import COMMENTS, SUBMISSIONS, content_name, data_name, is_manifest
from reddit_ingest.core.manifest import Manifest
from reddit_ingest.core.ports import JsonlWriter, LakeReader
from reddit_ingest.core.windows import Window
from reddit_ingest.s3_storage import S3JsonlWriter, S3LakeReader
from reddit_ingest.storage import FilesystemJsonlWriter, FilesystemLakeReader

from ..emulator import Deployment

FOLDER = "reddit/android/2026-01-01/000000/"
T0 = 1_767_225_600
LINES = [Line(b'{"fullname":"t3_a"}\n', T0 + 5), Line(b'{"fullname":"t3_b"}\n', T0 + 3), Line(b'{"x":1}\n', None)]
OTHER = [Line(b'{"fullname":"t3_c"}\n', T0 + 9)]
MANIFEST = Manifest("android", Window(T0, T0 + 3_600), "reddit-api", "incremental", T0 + 4_000, "1.0")


@dataclass
class Lake:
    """A writer, a reader of the same place, and how to make a writer with another size of parts."""

    writer: JsonlWriter
    reader: LakeReader
    writer_of: Callable[[int], JsonlWriter]

    def content(self) -> dict[str, bytes]:
        return {key: self.reader.read(key) for key in self.reader.keys("")}


@pytest.fixture(params=["filesystem", "s3"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    if request.param == "s3":
        deployment: Deployment = request.getfixturevalue("deployment")
        s3, bucket = deployment.client("s3"), deployment.bucket
        return Lake(
            S3JsonlWriter(s3, bucket),
            S3LakeReader(s3, bucket),
            lambda part_bytes: S3JsonlWriter(s3, bucket, part_bytes),
        )
    root = tmp_path / "landing"
    return Lake(
        FilesystemJsonlWriter(root),
        FilesystemLakeReader(root),
        lambda part_bytes: FilesystemJsonlWriter(root, part_bytes),
    )


def joined(lines: list[Line]) -> bytes:
    return b"".join(line.data for line in lines)


def test_the_first_attempt_gets_the_names_of_the_contract(lake: Lake) -> None:
    lake.writer.land(FOLDER, SUBMISSIONS, LINES)
    lake.writer.land(FOLDER, COMMENTS, OTHER)
    assert lake.content() == {
        FOLDER + "submissions.jsonl": joined(LINES),
        FOLDER + "comments.jsonl": joined(OTHER),
    }


def test_what_is_landed_is_described_exactly(lake: Lake) -> None:
    (landed,) = lake.writer.land(FOLDER, SUBMISSIONS, LINES)
    content = joined(LINES)
    assert landed.name == "submissions.jsonl"
    assert landed.kind == SUBMISSIONS
    assert landed.sha256 == hashlib.sha256(content).hexdigest()
    assert (landed.bytes, landed.rows) == (len(content), 3)
    assert (landed.first_item_ts, landed.last_item_ts) == (T0 + 3, T0 + 5)


def test_lines_without_a_time_have_no_first_and_no_last(lake: Lake) -> None:
    (landed,) = lake.writer.land(FOLDER, "quarantine", [Line(b"{}\n", None)])
    assert (landed.first_item_ts, landed.last_item_ts) == (None, None)


def test_no_lines_make_no_object(lake: Lake) -> None:
    assert lake.writer.land(FOLDER, SUBMISSIONS, []) == ()
    assert lake.writer.land(FOLDER, SUBMISSIONS, iter(())) == ()
    assert lake.content() == {}


def test_lines_may_come_from_a_generator(lake: Lake) -> None:
    (landed,) = lake.writer.land(FOLDER, SUBMISSIONS, (line for line in LINES))
    assert lake.reader.read(FOLDER + landed.name) == joined(LINES)


def test_the_same_bytes_may_land_again_and_again(lake: Lake) -> None:
    (first,) = lake.writer.land(FOLDER, SUBMISSIONS, LINES)
    (again,) = lake.writer.land(FOLDER, SUBMISSIONS, LINES)
    after = lake.content()
    assert lake.writer.land(FOLDER, SUBMISSIONS, LINES) == (again,)
    assert lake.content() == after
    # A store with no right to look inside `submissions.jsonl` lands them a second time under their content's name.
    assert again in (first, replace(first, name=content_name(SUBMISSIONS, first.sha256)))
    assert set(after.values()) == {joined(LINES)}


def test_other_bytes_are_named_by_their_content_and_nothing_is_overwritten(lake: Lake) -> None:
    lake.writer.land(FOLDER, SUBMISSIONS, LINES)
    (landed,) = lake.writer.land(FOLDER, SUBMISSIONS, OTHER)
    assert landed.name == content_name(SUBMISSIONS, hashlib.sha256(joined(OTHER)).hexdigest())
    assert lake.content() == {FOLDER + "submissions.jsonl": joined(LINES), FOLDER + landed.name: joined(OTHER)}


def test_an_object_that_is_uploaded_in_pieces_overwrites_nothing_either(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reddit_ingest.s3_storage.MULTIPART_BYTES", 5 * 1024 * 1024)
    large = [Line(b"x" * 1_048_575 + b"\n", T0) for _ in range(6)]
    lake.writer.land(FOLDER, SUBMISSIONS, LINES)
    (landed,) = lake.writer.land(FOLDER, SUBMISSIONS, large)
    assert landed.name != "submissions.jsonl"
    assert lake.content() == {FOLDER + "submissions.jsonl": joined(LINES), FOLDER + landed.name: joined(large)}


def test_bytes_of_the_same_length_are_told_apart(lake: Lake) -> None:
    lake.writer.land(FOLDER, SUBMISSIONS, [Line(b'{"a":1}\n', None)])
    (landed,) = lake.writer.land(FOLDER, SUBMISSIONS, [Line(b'{"a":2}\n', None)])
    assert lake.reader.read(FOLDER + landed.name) == b'{"a":2}\n'


def test_other_bytes_land_once_too(lake: Lake) -> None:
    lake.writer.land(FOLDER, SUBMISSIONS, LINES)
    first = lake.writer.land(FOLDER, SUBMISSIONS, OTHER)
    before = lake.content()
    assert lake.writer.land(FOLDER, SUBMISSIONS, OTHER) == first
    assert lake.content() == before


def test_each_kind_and_each_window_has_names_of_its_own(lake: Lake) -> None:
    next_hour = "reddit/android/2026-01-01/010000/"
    for folder in (FOLDER, next_hour):
        for kind in (SUBMISSIONS, COMMENTS):
            assert lake.writer.land(folder, kind, OTHER)[0].name == f"{kind}.jsonl"
    assert len(lake.content()) == 4


@pytest.mark.parametrize("part_bytes", [1, 20, 21, 40, 41, 10**6])
def test_parts_hold_every_line_in_order_and_are_numbered(lake: Lake, part_bytes: int) -> None:
    lines = [Line(b'{"fullname":"t3_%03d"}\n' % n, T0 + n) for n in range(17)]
    landed = lake.writer_of(part_bytes).land(FOLDER, SUBMISSIONS, lines)
    assert [part.name for part in landed] == [data_name(SUBMISSIONS, n) for n in range(1, len(landed) + 1)]
    assert b"".join(lake.reader.read(FOLDER + part.name) for part in landed) == joined(lines)
    assert sum(part.rows for part in landed) == 17
    assert all(part.bytes < part_bytes + len(lines[0].data) for part in landed)
    assert len(landed) == -(-17 // -(-part_bytes // len(lines[0].data)))


def test_a_second_attempt_with_more_parts_keeps_the_first(lake: Lake) -> None:
    small = lake.writer_of(1)
    first = small.land(FOLDER, SUBMISSIONS, LINES)
    before = lake.content()
    second = small.land(FOLDER, SUBMISSIONS, [*OTHER, *LINES])
    after = lake.content()
    assert {key: after[key] for key in before} == before
    assert b"".join(after[FOLDER + part.name] for part in second) == joined([*OTHER, *LINES])
    assert b"".join(after[FOLDER + part.name] for part in first) == joined(LINES)


def test_an_object_larger_than_memory_lands_whole(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "_MEMORY_BYTES", 1_000)
    lines = [Line(b"%0999d\n" % n, T0) for n in range(50)]
    (landed,) = lake.writer.land(FOLDER, SUBMISSIONS, lines)
    assert landed.bytes == 50_000
    assert lake.reader.read(FOLDER + landed.name) == joined(lines)


def test_a_manifest_is_an_object_named_by_its_content(lake: Lake) -> None:
    key = lake.writer.commit(FOLDER, MANIFEST)
    assert key.startswith(FOLDER)
    assert is_manifest(key)
    assert lake.reader.read(key) == MANIFEST.to_bytes()
    assert Manifest.from_bytes(lake.reader.read(key), key) == MANIFEST


def test_committing_twice_makes_one_manifest(lake: Lake) -> None:
    assert lake.writer.commit(FOLDER, MANIFEST) == lake.writer.commit(FOLDER, MANIFEST)
    assert len(lake.content()) == 1


def test_another_attempt_makes_another_manifest(lake: Lake) -> None:
    claim = {COMMENTS: Coverage(CoverageStatus.EMPTY, "read 0 items on 1 pages, the whole listing")}
    keys = {
        lake.writer.commit(FOLDER, manifest)
        for manifest in (MANIFEST, replace(MANIFEST, observed_at_ts=T0 + 8_000), replace(MANIFEST, coverage=claim))
    }
    assert len(keys) == 3
    assert set(lake.content()) == keys


def test_lines_that_fail_on_the_way_leave_nothing_behind(lake: Lake) -> None:
    def failing() -> Iterator[Line]:
        yield LINES[0]
        raise PlatformError("the source broke off")

    with pytest.raises(PlatformError, match="broke off"):
        lake.writer.land(FOLDER, SUBMISSIONS, failing())
    assert lake.content() == {}


@pytest.mark.parametrize(
    "folder", ["../", "../../etc/", "/etc/", "reddit/../../x/", "/", "reddit/android/../../../x/"], ids=ascii
)
def test_a_key_outside_the_lake_is_refused(lake: Lake, folder: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest):
        lake.writer.land(folder, SUBMISSIONS, LINES)
    with pytest.raises(InvalidRequest):
        lake.writer.commit(folder, MANIFEST)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_key_that_no_object_can_have_is_refused(lake: Lake) -> None:
    with pytest.raises((InvalidRequest, LakeNotUsable)):
        lake.writer.land("reddit/and\0roid/", SUBMISSIONS, LINES)
    with pytest.raises((InvalidRequest, LakeNotUsable)):
        lake.writer.land("reddit/" + "x" * 1_100 + "/", SUBMISSIONS, LINES)


# What only a folder can show: the calls of the operating system that fail.

TROUBLE = [
    (errno.ENOSPC, StorageFull),
    (errno.EDQUOT, StorageFull),
    (errno.EFBIG, StorageFull),
    (errno.EIO, LakeNotUsable),
    (errno.EROFS, LakeNotUsable),
    (errno.EACCES, LakeNotUsable),
    (errno.EPERM, LakeNotUsable),
]


@pytest.fixture
def folder_lake(tmp_path: Path) -> Path:
    return tmp_path / "landing"


def raising(code: int) -> Callable[..., Any]:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise OSError(code, os.strerror(code))

    return fail


def files_in(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("call", ["fsync", "link", "open", "fchmod"])
@pytest.mark.parametrize(("code", "meaning"), TROUBLE, ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_disk_that_fails_leaves_no_half_object_and_its_place_is_told(
    folder_lake: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int, meaning: type[PlatformError]
) -> None:
    writer = FilesystemJsonlWriter(folder_lake)
    writer.land(FOLDER, SUBMISSIONS, LINES)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, raising(code))
        with pytest.raises(meaning, match=FOLDER.rstrip("/")) as told:
            writer.land(FOLDER, COMMENTS, OTHER)
    assert isinstance(told.value.__cause__, OSError)
    assert os.strerror(code) in str(told.value)
    left = [name for name in files_in(folder_lake) if not name.endswith("/submissions.jsonl")]
    assert all((folder_lake / name).read_bytes() == joined(OTHER) for name in left)
    assert writer.land(FOLDER, COMMENTS, OTHER)[0].name == "comments.jsonl"
    assert files_in(folder_lake) == [FOLDER + "comments.jsonl", FOLDER + "submissions.jsonl"]


@pytest.mark.parametrize(("code", "meaning"), TROUBLE[:5], ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_disk_that_is_full_while_the_bytes_are_written_leaves_nothing(
    folder_lake: Path, monkeypatch: pytest.MonkeyPatch, code: int, meaning: type[PlatformError]
) -> None:
    class FullFile:
        def __init__(self, handle: int, mode: str) -> None:
            self._handle = handle

        def __enter__(self) -> "FullFile":
            return self

        def __exit__(self, *exception: object) -> None:
            os.close(self._handle)

        def write(self, block: bytes) -> int:
            os.write(self._handle, block[: len(block) // 2])
            raise OSError(code, os.strerror(code))

    writer = FilesystemJsonlWriter(folder_lake)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdopen", FullFile)
        with pytest.raises(meaning):
            writer.land(FOLDER, COMMENTS, LINES)
        with pytest.raises(meaning):
            writer.commit(FOLDER, MANIFEST)
    assert files_in(folder_lake) == []


def test_the_same_bytes_have_one_file(folder_lake: Path) -> None:
    writer = FilesystemJsonlWriter(folder_lake)
    assert writer.land(FOLDER, SUBMISSIONS, LINES) == writer.land(FOLDER, SUBMISSIONS, LINES)
    assert files_in(folder_lake) == [FOLDER + "submissions.jsonl"]


@pytest.mark.parametrize(("code", "meaning"), TROUBLE[:5], ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_manifest_is_committed_whole_or_not_at_all(
    folder_lake: Path, monkeypatch: pytest.MonkeyPatch, code: int, meaning: type[PlatformError]
) -> None:
    monkeypatch.setattr(os, "link", raising(code))
    with pytest.raises(meaning):
        FilesystemJsonlWriter(folder_lake).commit(FOLDER, MANIFEST)
    assert files_in(folder_lake) == []


def test_a_temporary_folder_that_is_full_is_storage_that_is_full(
    folder_lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "_MEMORY_BYTES", 10)
    monkeypatch.setattr(tempfile, "TemporaryFile", raising(errno.ENOSPC))
    with pytest.raises(StorageFull):
        FilesystemJsonlWriter(folder_lake).land(FOLDER, COMMENTS, LINES)
    assert files_in(folder_lake) == []


def test_a_lake_whose_place_is_a_file_is_not_usable(folder_lake: Path) -> None:
    folder_lake.write_text("not a folder")
    with pytest.raises(LakeNotUsable, match="landing"):
        FilesystemJsonlWriter(folder_lake).land(FOLDER, COMMENTS, LINES)
    assert folder_lake.read_text() == "not a folder"


def test_a_folder_without_the_right_to_write_is_not_usable(folder_lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "mkdir", raising(errno.EACCES))
    with pytest.raises(LakeNotUsable, match="permission"):
        FilesystemJsonlWriter(folder_lake).land(FOLDER, COMMENTS, LINES)


def test_a_link_that_leads_out_of_the_lake_is_refused(folder_lake: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder_lake / "reddit").mkdir(parents=True)
    (folder_lake / "reddit" / "android").symlink_to(elsewhere)
    with pytest.raises(InvalidRequest):
        FilesystemJsonlWriter(folder_lake).land(FOLDER, COMMENTS, LINES)
    assert list(elsewhere.iterdir()) == []


def test_what_another_writer_linked_first_is_kept(folder_lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = folder_lake / FOLDER / "comments.jsonl"
    link = os.link

    def overtaken(source: Any, destination: Any, **more: Any) -> None:
        if not target.exists():
            target.write_bytes(joined(LINES))
        link(source, destination, **more)

    monkeypatch.setattr(os, "link", overtaken)
    (landed,) = FilesystemJsonlWriter(folder_lake).land(FOLDER, COMMENTS, OTHER)
    assert target.read_bytes() == joined(LINES)
    assert landed.name != "comments.jsonl"
    assert (folder_lake / FOLDER / landed.name).read_bytes() == joined(OTHER)
    assert len(files_in(folder_lake)) == 2


def test_an_object_can_be_read_by_others(folder_lake: Path) -> None:
    (landed,) = FilesystemJsonlWriter(folder_lake).land(FOLDER, COMMENTS, OTHER)
    assert (folder_lake / FOLDER / landed.name).stat().st_mode & 0o777 == 0o644


def test_bytes_are_forced_to_disk_before_they_have_a_name(folder_lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, link = os.fsync, os.link
    monkeypatch.setattr(os, "fsync", lambda handle: (steps.append("force"), fsync(handle))[1])
    monkeypatch.setattr(os, "link", lambda *args, **more: (steps.append("name"), link(*args, **more))[1])
    writer = FilesystemJsonlWriter(folder_lake)
    writer.land(FOLDER, COMMENTS, OTHER)
    steps.clear()
    writer.commit(FOLDER, MANIFEST)
    assert steps == ["force", "name", "force"]
    assert json.loads(MANIFEST.to_bytes())["mode"] == "incremental"
