"""The key of hashed authors in a file of the lake; made when it is first needed, never written again."""

import os
import secrets
import tempfile
from pathlib import Path

from .core.authors import AuthorKey
from .core.errors import InvalidSetting, LakeNotUsable

NAME = "author.key"


def author_key(lake: Path) -> AuthorKey:
    """Return the key of a lake; the first call makes it, readable by its owner only.

    Raises:
        InvalidSetting: what stands there is no key, or cannot be read.
        LakeNotUsable: it cannot be made.
    """
    path = lake / NAME
    if not path.exists():
        _make(path)
    return _read(path)


def known_author_key(lake: Path) -> AuthorKey | None:
    """Return the key of a lake, or None where it has none; nothing is made.

    Raises:
        InvalidSetting: what stands there is no key, or cannot be read.
    """
    path = lake / NAME
    return _read(path) if path.exists() else None


def _read(path: Path) -> AuthorKey:
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise InvalidSetting(
            f"the key of hashed authors {path} cannot be read: {error.strerror}; check its permissions, or restore it"
            " from a copy"
        ) from error
    return AuthorKey.from_text(text, str(path))


def _make(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)  # for its owner only
        try:
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(32) + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(temporary, path)
        except FileExistsError:
            pass  # another process was first; its key counts
        finally:
            Path(temporary).unlink()
    except OSError as error:
        raise LakeNotUsable(f"cannot write {path}: {error.strerror}; check the folder and its permissions") from error
