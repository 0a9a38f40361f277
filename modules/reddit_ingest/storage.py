"""The landing zone in a folder: immutable files that appear whole or not at all, and the reader of them."""

import errno
import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import IO

from .core.errors import InvalidRequest, LakeNotUsable, ObjectMissing, PlatformError, StorageFull
from .core.items import Line
from .core.keys import manifest_name
from .core.manifest import LandedObject, Manifest, sha256_hex
from .jsonl import Part, Put, land_lines

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_COPY_BYTES = 1024 * 1024


class FilesystemJsonlWriter:
    """Lands rows under a folder.

    Each file is written under a temporary name, forced to disk, linked to its final name without replacing anything,
    and its folder forced to disk: after a crash a final name holds the whole object or does not exist.
    """

    def __init__(self, root: Path, part_bytes: int = 128 * 1024 * 1024) -> None:
        self._root = root
        self._part_bytes = part_bytes

    def land(self, folder: str, kind: str, lines: Iterable[Line]) -> tuple[LandedObject, ...]:
        """Write lines, in their order, as one or more objects; no lines, no object. Idempotent."""
        # What is large is spooled in the temporary folder, which may be full as well.
        with _translated(Path(tempfile.gettempdir()), "what is to be landed"):
            return land_lines(folder, kind, lines, self._part_bytes, self._put_new)

    def commit(self, folder: str, manifest: Manifest) -> str:
        """Write the manifest that makes objects visible and return its key. Idempotent."""
        content = manifest.to_bytes()
        key = folder + manifest_name(sha256_hex(content))
        with tempfile.SpooledTemporaryFile() as file:
            file.write(content)
            file.seek(0)
            self._put_new(key, Part(file, sha256_hex(content), len(content), 1, None, None))
        return key

    def _put_new(self, key: str, part: Part) -> Put:
        target = _inside(self._root, key)
        with _translated(target, f"{part.bytes:,} bytes"):
            if not target.exists():
                _make_folder(target.parent, self._root)
                if _link_whole(part.file, target):
                    return Put.CREATED
            return Put.SAME if _holds(target, part) else Put.TAKEN


class FilesystemLakeReader:
    """Reads the landing zone under a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys under a prefix that ends in a slash (or is empty), in ascending order."""
        folder = _inside(self._root, prefix) if prefix else self._root
        if folder.is_dir():
            yield from _files(folder, prefix)

    def read(self, key: str) -> bytes:
        """Return an object's bytes."""
        path = _inside(self._root, key)
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise ObjectMissing(f"{path} is named by a manifest but is not there") from error
        except OSError as error:
            raise LakeNotUsable(f"cannot read {path}: {error.strerror}") from error


class FilesystemEraser:
    """Deletes objects under a folder. Call it only under the lake's lock."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def erase(self, key: str, sha256: str | None = None, least_age_s: int = 0) -> bool:
        """Delete an object; False where it is not there, holds other bytes, or is too young."""
        path = _inside(self._root, key)
        with _translated(path, key):
            if not path.exists() or time.time() - path.stat().st_mtime < least_age_s:
                return False
            if sha256 is not None and _digest(path) != sha256:
                return False
            path.unlink()
            _force_folder(path.parent)
            return True


def _files(folder: Path, prefix: str) -> Iterator[str]:
    try:
        # A folder sorts as its keys do in a bucket: with the slash behind its name.
        entries = sorted(
            ((entry.name + "/" * entry.is_dir(), entry) for entry in os.scandir(folder)), key=itemgetter(0)
        )
    except OSError as error:
        raise LakeNotUsable(f"cannot read {folder}: {error.strerror}; check its permissions") from error
    for name, entry in entries:
        if entry.is_dir():
            yield from _files(Path(entry.path), prefix + name)
        elif not name.startswith("."):
            yield prefix + name


def _inside(root: Path, key: str) -> Path:
    path = root / key
    if "\0" in key or not path.resolve().is_relative_to(root.resolve()):
        raise InvalidRequest(f"the key {key!r} points outside the lake {root}")
    return path


@contextmanager
def _translated(target: Path, what: str) -> Iterator[None]:
    try:
        yield
    except PlatformError:
        raise
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StorageFull(
                f"no room for {what} at {target.parent} ({error.strerror}); free some space and run again:"
                " what was landed before is intact"
            ) from error
        raise LakeNotUsable(
            f"cannot write {target}: {error.strerror}; check the folder and its permissions, then run again"
        ) from error


def _make_folder(folder: Path, root: Path) -> None:
    missing = [path for path in (folder, *folder.parents) if path.is_relative_to(root) and not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        _force_folder(made.parent)


def _link_whole(content: IO[bytes], target: Path) -> bool:
    """Give the content its final name in one step; False where the name is taken."""
    handle, temporary = tempfile.mkstemp(prefix=".tmp-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            while block := content.read(_COPY_BYTES):
                file.write(block)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        os.link(temporary, target)
    except FileExistsError:
        content.seek(0)
        return False
    finally:
        Path(temporary).unlink(missing_ok=True)
    _force_folder(target.parent)
    return True


def _force_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _holds(target: Path, part: Part) -> bool:
    if target.stat().st_size != part.bytes:
        return False
    return _digest(target) == part.sha256


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
