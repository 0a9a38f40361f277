"""The landing zone in a bucket: immutable objects that appear whole or not at all, and the reader of them."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import ClientError

from .aws import error_code, translated
from .core.errors import InvalidRequest, ObjectMissing, PlatformError
from .core.items import Line
from .core.keys import manifest_name
from .core.manifest import LandedObject, Manifest, sha256_hex
from .jsonl import Part, Put, land_lines
from .logs import tell

logger = logging.getLogger(__name__)

MULTIPART_BYTES = 16 * 1024 * 1024
"""Objects above this size are uploaded in pieces of it, so that one lost connection costs one piece."""

_LONGEST_KEY = 1_024
_COPY_BYTES = 1024 * 1024
_TRIES = 3
_TAKEN = "PreconditionFailed"
# Another writer is creating the same object at this moment, or the reply to a completed upload was lost; another try
# finds out what is so.
_UNCLEAR = {"ConditionalRequestConflict", "NoSuchUpload"}


class S3JsonlWriter:
    """Lands rows under a bucket; needs `s3:PutObject` and `s3:AbortMultipartUpload`, and no right to read.

    Every object is created with `If-None-Match: *`, so nothing is ever overwritten. Rows are spooled whole (memory
    first, then a temporary file) before the upload begins; memory stays below about 40 MB whatever the size.
    """

    def __init__(self, client: Any, bucket: str, part_bytes: int = 128 * 1024 * 1024) -> None:
        self._client = client
        self._bucket = bucket
        self._part_bytes = part_bytes

    def land(self, folder: str, kind: str, lines: Iterable[Line]) -> tuple[LandedObject, ...]:
        """Write lines, in their order, as one or more objects; no lines, no object. Idempotent."""
        return land_lines(folder, kind, lines, self._part_bytes, self._put_new)

    def commit(self, folder: str, manifest: Manifest) -> str:
        """Write the manifest that makes objects visible and return its key. Idempotent."""
        content = manifest.to_bytes()
        key = folder + manifest_name(sha256_hex(content))
        self._created(key, lambda: self._put(key, content, "application/json"))
        return key

    def _put_new(self, key: str, part: Part) -> Put:
        def upload() -> None:
            part.file.seek(0)
            if part.bytes > MULTIPART_BYTES:
                self._put_in_pieces(key, part.file)
            else:
                self._put(key, part.file, "application/x-ndjson")

        return Put.CREATED if self._created(key, upload) else Put.UNSEEN

    def _created(self, key: str, upload: Callable[[], None], tries: int = _TRIES) -> bool:
        """Run an upload that creates an object; False where the name is taken, be it by this very upload.

        A reply that is lost after the write makes the SDK's own next try find the name taken.
        """
        _check_key(key)
        with translated("s3:PutObject", self._place(key)):
            try:
                upload()
            except ClientError as error:
                code = error_code(error)
                if code in _UNCLEAR and tries > 1:
                    return self._created(key, upload, tries - 1)
                if code != _TAKEN:
                    raise
                return False
        return True

    def _place(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"

    def _put(self, key: str, body: bytes | IO[bytes], content_type: str) -> None:
        self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*")

    def _put_in_pieces(self, key: str, file: IO[bytes]) -> None:
        place = {"Bucket": self._bucket, "Key": key}
        upload_id = self._client.create_multipart_upload(**place, ContentType="application/x-ndjson")["UploadId"]
        try:
            pieces: list[dict[str, Any]] = []
            while piece := file.read(MULTIPART_BYTES):
                number = len(pieces) + 1
                answer = self._client.upload_part(**place, UploadId=upload_id, PartNumber=number, Body=piece)
                pieces.append({"PartNumber": number, "ETag": answer["ETag"]})
            self._client.complete_multipart_upload(
                **place, UploadId=upload_id, MultipartUpload={"Parts": pieces}, IfNoneMatch="*"
            )
        except BaseException:
            self._abort(key, upload_id)
            raise

    def _abort(self, key: str, upload_id: str) -> None:
        try:
            with translated("s3:AbortMultipartUpload", self._place(key)):
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
        except PlatformError as error:
            # What brought us here is the news; the bucket's lifecycle removes the pieces after some days.
            tell(logger, logging.WARNING, "pieces of an upload left behind", key=key, reason=error)


class S3LakeReader:
    """Reads the landing zone in a bucket; needs `s3:ListBucket` and `s3:GetObject`."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys under a prefix in ascending order; a request per 1,000 keys."""
        _check_key(prefix)
        with translated("s3:ListBucket", f"s3://{self._bucket}/{prefix}"):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                yield from (entry["Key"] for entry in page.get("Contents", ()))

    def read(self, key: str) -> bytes:
        """Return an object's bytes."""
        _check_key(key)
        with translated("s3:GetObject", f"s3://{self._bucket}/{key}"):
            try:
                content: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except self._client.exceptions.NoSuchKey as error:
                raise ObjectMissing(f"s3://{self._bucket}/{key} is named by a manifest but is not there") from error
        return content

    def folder(self) -> None:
        """Return None: objects of a bucket are no files of this machine."""
        return

    def stage(self, key: str, target: Path) -> None:
        """Download an object."""
        _check_key(key)
        with translated("s3:GetObject", f"s3://{self._bucket}/{key}"), target.open("wb") as file:
            try:
                body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
            except self._client.exceptions.NoSuchKey as error:
                raise ObjectMissing(f"s3://{self._bucket}/{key} is named by a manifest but is not there") from error
            file.writelines(body.iter_chunks(_COPY_BYTES))


class S3Replacer:
    """Writes objects that may change to a bucket; needs `s3:PutObject`. Where versions are kept, the old one is."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def replace(self, key: str, content: bytes) -> None:
        """Put an object in the place of what stands under its key, if anything does."""
        _check_key(key)
        with translated("s3:PutObject", f"s3://{self._bucket}/{key}"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType="application/octet-stream")


class S3Eraser:
    """Deletes objects from a bucket for good.

    Needs `s3:ListBucketVersions`, `s3:GetObjectVersion` and `s3:DeleteObjectVersion`.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def erase(self, key: str, sha256: str | None = None, least_age_s: int = 0) -> bool:
        """Delete every version of an object; False where there is none, or the current one was left alone.

        The current version is left alone where it holds other bytes than `sha256` says or is younger than
        `least_age_s`; what a deletion or another writer has pushed behind it goes in any case. Versions are deleted by
        their id, so that what takes the name meanwhile is not hit.
        """
        _check_key(key)
        versions = self._versions(key)
        stays = [each for each in versions if each["IsLatest"] and not self._fits(key, each, sha256, least_age_s)]
        for version in versions:
            if version not in stays:
                with translated("s3:DeleteObjectVersion", f"s3://{self._bucket}/{key}"):
                    self._client.delete_object(Bucket=self._bucket, Key=key, VersionId=version["VersionId"])
        return bool(versions) and not stays

    def _versions(self, key: str) -> list[dict[str, Any]]:
        """Return all versions, markers of deletion last: without its marker an older version would come back."""
        with translated("s3:ListBucketVersions", f"s3://{self._bucket}/{key}"):
            pages = list(self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=key))
        return [
            {**version, "IsMarker": kind == "DeleteMarkers"}
            for kind in ("Versions", "DeleteMarkers")
            for page in pages
            for version in page.get(kind, ())
            if version["Key"] == key
        ]

    def _fits(self, key: str, version: dict[str, Any], sha256: str | None, least_age_s: int) -> bool:
        if version["IsMarker"]:
            return True
        if (datetime.now(UTC) - version["LastModified"]).total_seconds() < least_age_s:
            return False
        return sha256 is None or self._sha256(key, version["VersionId"]) == sha256

    def _sha256(self, key: str, version_id: str) -> str:
        digest = hashlib.sha256()
        with translated("s3:GetObjectVersion", f"s3://{self._bucket}/{key}"):
            body = self._client.get_object(Bucket=self._bucket, Key=key, VersionId=version_id)["Body"]
            for block in body.iter_chunks(_COPY_BYTES):
                digest.update(block)
        return digest.hexdigest()


class S3Leftovers:
    """Finds and aborts uploads in pieces that were never completed.

    Needs `s3:ListBucketMultipartUploads`, and `s3:AbortMultipartUpload` to remove. The bucket's lifecycle removes them
    too, after some days.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def found(self, prefix: str) -> list[str]:
        """Return the keys under a prefix for which an upload was begun and not completed."""
        return [upload["Key"] for upload in self._uploads(prefix)]

    def remove(self, prefix: str, least_age_s: int) -> list[str]:
        """Abort those that were begun at least so long ago, and return their keys."""
        removed = []
        for upload in self._uploads(prefix):
            if (datetime.now(UTC) - upload["Initiated"]).total_seconds() >= least_age_s:
                place = {"Bucket": self._bucket, "Key": upload["Key"]}
                with translated("s3:AbortMultipartUpload", f"s3://{self._bucket}/{upload['Key']}"):
                    self._client.abort_multipart_upload(**place, UploadId=upload["UploadId"])
                removed.append(upload["Key"])
        return removed

    def _uploads(self, prefix: str) -> list[dict[str, Any]]:
        _check_key(prefix)
        with translated("s3:ListBucketMultipartUploads", f"s3://{self._bucket}/{prefix}"):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=prefix)
            return [upload for page in pages for upload in page.get("Uploads", ())]


def _check_key(key: str) -> None:
    if "\0" in key or key.startswith("/") or ".." in key.split("/") or len(key.encode()) > _LONGEST_KEY:
        raise InvalidRequest(f"the key {key[:80]!r} points outside the lake, or no object can have it")
