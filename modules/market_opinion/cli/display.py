"""What a person sees: tables on stdout, progress on stderr, text from outside made harmless."""

import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reddit_ingest.core.coverage import CoverageStatus
from reddit_ingest.core.records import RunRecord

_STYLE = {
    CoverageStatus.COMPLETE: "green",
    CoverageStatus.EMPTY: "dim green",
    CoverageStatus.TRUNCATED: "yellow",
    CoverageStatus.UNREACHABLE: "yellow",
    CoverageStatus.BLOCKED: "red",
    CoverageStatus.FAILED: "red",
}


def console() -> Console:
    """Return the console for results; piped output is wide enough that no cell is cut."""
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False, soft_wrap=False)


def moment(ts: int | None) -> str:
    """Return a time for people, to the minute, UTC."""
    return "-" if ts is None else datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%d %H:%M")


def status_text(status: CoverageStatus | str) -> Text:
    """Return a status in its colour."""
    return Text(str(status), style=_STYLE.get(CoverageStatus(status), ""))


def harmless(text: object) -> str:
    """Return text from outside without anything that a terminal would obey: escapes, bidi marks, other controls."""
    shown = str(text).replace("\r\n", "\n")
    return "".join(char if char in "\n\t" or not unicodedata.category(char).startswith("C") else "�" for char in shown)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> Table:
    """Return a table; columns whose name starts with `#` are numbers."""
    made = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(
            column.removeprefix("#"), justify="right" if column.startswith("#") else "left", overflow="fold"
        )
    for row in rows:
        made.add_row(
            *(
                cell if isinstance(cell, Text) else Text(f"{cell:,}" if isinstance(cell, int) else str(cell))
                for cell in row
            )
        )
    return made


class LiveProgress:
    """Tells on stderr how the work goes on: one line that changes on a terminal, one line a window elsewhere."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._status = self._console.status("starting")

    def __enter__(self) -> "LiveProgress":
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def page(self, subreddit: str, kind: str, pages: int, items: int, quota_left: int | None) -> None:
        """Show how far a listing or the threads have been read."""
        left = "" if quota_left is None else f", {quota_left} requests left in these ten minutes"
        unit = "done" if kind == "threads" else f"page {pages}"
        self._status.update(Text(f"r/{harmless(subreddit)} {kind}: {unit}, {items:,} items{left}"))

    def waiting(self, seconds: float, why: str) -> None:
        """Show a pause."""
        self._say(f"waiting {seconds:.0f} s: {harmless(why)}")

    def window(self, record: RunRecord) -> None:
        """Show a landed window."""
        self._say(
            f"r/{record.subreddit} {moment(record.window.start_ts)} {record.status}:"
            f" {record.submissions:,} submissions, {record.comments:,} comments"
        )

    def done(self, line: str) -> None:
        """Show that a piece of work is done."""
        self._say(line)

    def step(self, line: str) -> None:
        """Show a small step, on a terminal only."""
        self._status.update(Text(line))

    def _say(self, line: str) -> None:
        if self._console.is_terminal:
            self._status.update(Text(line))
        else:
            self._console.print(Text(line), soft_wrap=True)
