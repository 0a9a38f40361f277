"""Whether there is memory for the window of a zstd frame, before it is asked for."""

from pathlib import Path

from ..core.errors import ArchiveNotUsable

OWN_BYTES = 96 * 1024 * 1024
"""What an import needs beside the window."""

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def available_bytes() -> int | None:
    """Return the memory that can be had without swapping, within the limits of a container; None: unknown."""
    try:
        told = dict(line.split(":", 1) for line in _MEMINFO.read_text().splitlines())
        available = int(told["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError, IndexError):
        return None
    try:
        limit = int((_CGROUP / "memory.max").read_text())
        return min(available, limit - int((_CGROUP / "memory.current").read_text()))
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return available


def check_window(need: int) -> None:
    """Refuse a window that there is no memory for.

    Raises:
        ArchiveNotUsable: nothing was decompressed.
    """
    available = available_bytes()
    if available is not None and need + OWN_BYTES > available:
        raise ArchiveNotUsable(
            f"this archive needs {mebibytes(need + OWN_BYTES)} of memory, and {mebibytes(available)} are free; close"
            " something, or use a machine with more"
        )


def mebibytes(count: int) -> str:
    """Return a size for people."""
    return f"{count // 2**20:,} MiB"
