"""What every place for derived objects promises: an object is replaced whole, and what it was is gone for good."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from market_opinion.augmented_store import AugmentedStore, Built, part_key
from market_opinion.tables import DOCUMENTS, to_parquet
from reddit_ingest.bootstrap import LocalLake
from reddit_ingest.core.errors import InvalidRequest, LakeNotUsable, ObjectMissing, ServiceRefused, StorageFull
from reddit_ingest.core.ports import DerivedZone, StagingReader
from reddit_ingest.s3_storage import S3Eraser, S3LakeReader, S3Replacer
from reddit_ingest.storage import FilesystemLakeReader, FilesystemReplacer

from ..emulator import Deployment

KEY = "augmented/documents/subreddit=phones/date=2026-01-01/part.parquet"


@dataclass
class Place:
    """A zone, and everything that stands in it in whatever version."""

    zone: DerivedZone
    reader: StagingReader
    everything: Callable[[], list[bytes]]


@pytest.fixture(params=["filesystem", "versioned bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "filesystem":
        root = tmp_path / "lake"
        reader = FilesystemLakeReader(root)
        return Place(
            LocalLake(root).augmented(),
            reader,
            lambda: [path.read_bytes() for path in root.rglob("*") if path.is_file()],
        )
    deployment: Deployment = request.getfixturevalue("deployment")
    return bucket_place(deployment)


def bucket_place(deployment: Deployment) -> Place:
    s3, bucket = deployment.client("s3"), deployment.bucket
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})

    def everything() -> list[bytes]:
        versions = s3.list_object_versions(Bucket=bucket)
        assert not versions.get("DeleteMarkers")
        return [
            s3.get_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])["Body"].read()
            for each in versions.get("Versions", ())
        ]

    s3_reader = S3LakeReader(s3, bucket)
    return Place(DerivedZone(s3_reader, S3Replacer(s3, bucket), S3Eraser(s3, bucket)), s3_reader, everything)


def documents(text: str) -> dict[str, bytes]:
    row = {**dict.fromkeys(DOCUMENTS.names), "fullname": "t1_a", "created_utc": 1, "text": text}
    return {"documents": to_parquet(pa.Table.from_pylist([row], DOCUMENTS))}


def test_an_object_is_made_and_replaced(place: Place) -> None:
    place.zone.replacer.replace(KEY, b"one")
    place.zone.replacer.replace(KEY, b"two")
    assert place.zone.reader.read(KEY) == b"two"
    assert [*place.zone.reader.keys("augmented/")] == [KEY]


def test_an_object_can_be_lent_as_a_file(place: Place, tmp_path: Path) -> None:
    place.zone.replacer.replace(KEY, b"x" * 3_000_000)
    place.reader.stage(KEY, tmp_path / "lent")
    assert (tmp_path / "lent").read_bytes() == b"x" * 3_000_000


def test_what_is_not_there_cannot_be_lent(place: Place, tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing):
        place.reader.stage(KEY, tmp_path / "lent")


def test_a_key_outside_the_zone_is_refused(place: Place) -> None:
    with pytest.raises(InvalidRequest):
        place.zone.replacer.replace("../outside", b"x")


def test_of_a_part_that_was_replaced_nothing_is_left(place: Place) -> None:
    store = AugmentedStore(place.zone)
    store.replace("phones", "2026-01-01", documents("canary one"))
    store.replace("phones", "2026-01-01", documents("canary two"))
    (content,) = place.everything()
    assert b"canary one" not in content
    assert store.read("documents", "phones", "2026-01-01")["text"].to_pylist() == ["canary two"]


def test_of_a_day_that_was_removed_nothing_is_left(place: Place) -> None:
    store = AugmentedStore(place.zone)
    store.replace("phones", "2026-01-01", documents("canary"))
    store.record("phones", {"2026-01-01": Built("x", {"documents": 1})})
    assert store.built("phones") == {"2026-01-01": Built("x", {"documents": 1})}
    store.replace("phones", "2026-01-01", {})
    store.record("phones", {})
    assert place.everything() == []
    assert (store.built("phones"), store.subreddits()) == ({}, [])


def test_half_written_parts_are_tidied_away(tmp_path: Path) -> None:
    folder = tmp_path / "augmented" / "documents"
    folder.mkdir(parents=True)
    (folder / ".tmp-abc").write_bytes(b"canary")
    AugmentedStore(LocalLake(tmp_path).augmented()).tidy()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_that_cannot_be_written_keeps_what_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replacer = FilesystemReplacer(tmp_path)
    replacer.replace(KEY, b"one")
    for number, error in ((28, StorageFull), (5, LakeNotUsable)):
        with monkeypatch.context() as broken:
            broken.setattr("reddit_ingest.storage.os.fsync", lambda _, number=number: _fail(number))
            with pytest.raises(error):
                replacer.replace(KEY, b"two")
        assert (tmp_path / KEY).read_bytes() == b"one"
    assert [path.name for path in (tmp_path / KEY).parent.iterdir()] == ["part.parquet"]


def test_a_bucket_that_is_not_ours_is_told(deployment: Deployment) -> None:
    with pytest.raises(ServiceRefused, match="s3:PutObject"):
        S3Replacer(deployment.client("s3"), "no-such-bucket-anywhere").replace(part_key("documents", "a", "b"), b"x")


def _fail(number: int) -> None:
    raise OSError(number, "no")
