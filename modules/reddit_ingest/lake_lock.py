"""One writer at a time in a local lake.

Landing is safe without it; it saves work, and lets an eraser trust what it sees.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .core.errors import LakeBusy, LakeNotUsable
from .core.ports import Progress, Sleep

WAIT_S = 60.0
_LOOK_AGAIN_S = 0.2


@contextmanager
def locked(root: Path, progress: Progress, wait_s: float = WAIT_S, sleep: Sleep = time.sleep) -> Iterator[None]:
    """Hold the lock of the lake in a folder; another holder is waited for.

    The system lets go of the lock when its holder dies, however that happens: there are no stale locks.

    Raises:
        LakeBusy: the other holder did not end within `wait_s`.
        LakeNotUsable: the lock file cannot be made.
    """
    path = root / ".lock"
    try:
        root.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise LakeNotUsable(f"cannot write {path}: {error.strerror}; check the folder and its permissions") from error
    try:
        _acquire(handle, path, progress, wait_s, sleep)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, path: Path, progress: Progress, wait_s: float, sleep: Sleep) -> None:
    waited = 0.0
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
            if waited >= wait_s:
                raise LakeBusy(
                    f"{path.parent} is locked by process {holder}, which works on it; run again when it is done"
                ) from None
            if waited == 0:
                progress.waiting(wait_s, f"process {holder} works on {path.parent}")
            sleep(_LOOK_AGAIN_S)
            waited += _LOOK_AGAIN_S
        else:
            return
