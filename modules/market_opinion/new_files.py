"""Files that a person gets: never in the place of another one, never half written, and safe in a spreadsheet."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from reddit_ingest.core.errors import InvalidRequest

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@contextmanager
def new_file(path: Path, trouble: str, perhaps: str = "") -> Iterator[BinaryIO]:
    """Open a file that was not there; it is gone again when something fails meanwhile.

    `trouble` is what a person is told when it cannot be written, with the cause behind it; `perhaps` says what may be
    in a file that is there already.

    Raises:
        InvalidRequest: there is such a file already, or it cannot be written.
    """
    try:
        with path.open("xb") as file:
            try:
                yield file
                file.flush()
            except BaseException:
                path.unlink()
                raise
    except FileExistsError as cause:
        raise InvalidRequest(f"{path} is there already{perhaps}; name another file") from cause
    except (OSError, ValueError) as cause:
        why = cause.strerror if isinstance(cause, OSError) else cause
        raise InvalidRequest(f"{trouble}: {why}") from cause


def for_spreadsheet(cell: str) -> str:
    """Return text for a cell of a CSV: what a spreadsheet would take for a formula begins with `'`."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
