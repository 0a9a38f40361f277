"""The landing zone in a folder: immutable files that appear whole or not at all, and the reader of them."""

import errno
import hashlib
import io
import os
import shutil
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
from .jsonl import Pack, Part, Put, land_lines, land_packs

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_COPY_BYTES = 1024 * 1024
_TEMPORARY = ".tmp-"
_DEAD_S = 3_600


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


class BulkJsonlWriter:
    """Lands many compressed windows for the price of a few; use it under the lake's lock.

    What is written gets its names in `settle`: data objects are forced to disk all at once and linked, then manifests
    are. As with the other writer a final name holds the whole object or does not exist, and no manifest appears before
    what it names is safe.
    """

    def __init__(self, root: Path, part_bytes: int = 128 * 1024 * 1024) -> None:
        self._root = root
        self._part_bytes = part_bytes
        self._objects: dict[Path, tuple[str, str]] = {}
        self._manifests: dict[Path, bytes] = {}
        self._made: set[Path] = set()

    def land_packs(self, folder: str, kind: str, packs: Iterable[Pack], suffix: str) -> tuple[LandedObject, ...]:
        """Write packs, in their order, as one or more objects with a suffix to their names. Idempotent."""
        with _translated(Path(tempfile.gettempdir()), "what is to be landed"):
            return land_packs(folder, kind, packs, self._part_bytes, self._put_new, suffix)

    def commit(self, folder: str, manifest: Manifest) -> str:
        """Keep the manifest that will make objects visible and return its key. Idempotent."""
        content = manifest.to_bytes()
        key = folder + manifest_name(sha256_hex(content))
        self._manifests[_inside(self._root, key)] = content
        return key

    def settle(self) -> int:
        """Make everything that was landed and committed since the last time stand; return how many windows it was.

        Raises:
            LakeNotUsable, StorageFull: nothing is left half written under a final name, and running it again goes on.
        """
        objects, manifests = self._objects, self._manifests
        self._objects, self._manifests = {}, {}
        with _translated(self._root, "what is to be landed"):
            self._link_all({target: temporary for target, (temporary, _) in objects.items()})
            written = {}
            for target, content in manifests.items():
                if not target.exists():
                    self._make_folder(target.parent)
                    written[target] = _written(io.BytesIO(content), target.parent)
            self._link_all(written)
        self._made.clear()
        return len(manifests)

    def discard(self) -> None:
        """Remove what was landed and never settled."""
        for temporary, _ in self._objects.values():
            Path(temporary).unlink(missing_ok=True)
        self._objects, self._manifests = {}, {}

    def _make_folder(self, folder: Path) -> None:
        if folder not in self._made:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103  # looks first; Path.mkdir tries, which costs more
            self._made.add(folder)

    def _link_all(self, written: dict[Path, str]) -> None:
        if not written:
            return
        _force_all(self._root)
        for target, temporary in written.items():
            # Under the lock nobody else takes a name. Whoever does all the same ends this import before its manifests.
            os.link(temporary, target)
            Path(temporary).unlink()
        _force_all(self._root)

    def _put_new(self, key: str, part: Part) -> Put:
        target = _inside(self._root, key)
        with _translated(target, f"{part.bytes:,} bytes"):
            if target in self._objects:
                return Put.SAME if self._objects[target][1] == part.sha256 else Put.TAKEN
            if target.exists():
                return Put.SAME if _holds(target, part) else Put.TAKEN
            self._make_folder(target.parent)
            self._objects[target] = (_written(part.file, target.parent), part.sha256)
            return Put.CREATED


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

    def folder(self) -> Path:
        """Return where the objects stand."""
        return self._root

    def stage(self, key: str, target: Path) -> None:
        """Make a link to an object."""
        path = _inside(self._root, key)
        if not path.is_file():
            raise ObjectMissing(f"{path} is named by a manifest but is not there")
        with _translated(target, key):
            target.symlink_to(path.resolve())


class FilesystemReplacer:
    """Writes objects that may change under a folder.

    Each is written under a temporary name, forced to disk, and renamed over what stood there.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def replace(self, key: str, content: bytes) -> None:
        """Put an object in the place of what stands under its key, if anything does."""
        target = _inside(self._root, key)
        with _translated(target, f"{len(content):,} bytes"):
            _make_folder(target.parent, self._root)
            temporary = Path(_written(io.BytesIO(content), target.parent))
            try:
                _force(temporary)
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
            _force(target.parent)


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
            _force(path.parent)
            return True


class FilesystemLeftovers:
    """Finds and removes the temporary files of writers that died. Remove only under the lake's lock."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def found(self, prefix: str) -> list[str]:
        """Return the temporary files under a prefix."""
        folder = _inside(self._root, prefix)
        return sorted(path.relative_to(self._root).as_posix() for path in folder.rglob(f"{_TEMPORARY}*"))

    def remove(self, prefix: str, least_age_s: int) -> list[str]:
        """Remove those that are at least so old, and return where they were."""
        removed = []
        for name in self.found(prefix):
            path = self._root / name
            with _translated(path, name):
                if time.time() - path.stat().st_mtime >= least_age_s:
                    path.unlink()
                    removed.append(name)
        return removed


class SpoolLeftovers:
    """What imports that died have spooled, in folders `*.spool`; of which subreddits is not known, so it is of all.

    An import that is at work changes its spool every few seconds; one that has not for an hour is dead.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def found(self, prefix: str) -> list[str]:
        """Return the spools."""
        return sorted(path.name for path in self._folder.glob("*.spool"))

    def remove(self, prefix: str, least_age_s: int) -> list[str]:
        """Remove the spools of imports that are dead, and return them."""
        removed = []
        for name in self.found(prefix):
            path = self._folder / name
            with _translated(path, name):
                changed = max(part.stat().st_mtime for part in (path, *path.iterdir()))
                if time.time() - changed >= max(least_age_s, _DEAD_S):
                    shutil.rmtree(path)
                    removed.append(name)
        return removed


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
        _force(made.parent)


def _link_whole(content: IO[bytes], target: Path) -> bool:
    """Give the content its final name in one step; False where the name is taken."""
    temporary = _written(content, target.parent)
    try:
        _force(Path(temporary))
        os.link(temporary, target)
    except FileExistsError:
        content.seek(0)
        return False
    finally:
        Path(temporary).unlink(missing_ok=True)
    _force(target.parent)
    return True


def _written(content: IO[bytes], folder: Path) -> str:
    """Write the content to a temporary file in a folder and return its path; it is not forced to disk."""
    handle, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            while block := content.read(_COPY_BYTES):
                file.write(block)
            os.fchmod(file.fileno(), 0o644)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return temporary


def _force_all(folder: Path) -> None:
    """Force everything that was written to a folder's file system to disk."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "syncfs"):  # Linux has it
        os.sync()
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        if libc.syncfs(handle):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    finally:
        os.close(handle)


def _force(folder: Path) -> None:
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
