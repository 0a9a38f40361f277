"""Options and arguments that several commands share."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from reddit_ingest.bootstrap import FixedClock, LocalLake, SystemClock
from reddit_ingest.core.ports import Clock


class Moment(click.ParamType[int]):
    """A moment as ISO 8601 (UTC where it names no zone) or seconds UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return seconds UTC."""
        if isinstance(value, int):
            return value
        try:
            if value.isascii() and value.isdigit():
                datetime.fromtimestamp(int(value), UTC)
                return int(value)
            moment = datetime.fromisoformat(value)
            return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
        except (ValueError, OverflowError, OSError):
            self.fail(f"{value[:40]!r} is no time; write 2026-01-05T10:00 (UTC) or seconds, 1767607200", param, ctx)


class _ClockType(Moment):
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return FixedClock(super().convert(value, param, ctx)) if isinstance(value, str) else value


class _LakeType(click.ParamType[LocalLake]):
    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> LocalLake:
        return value if isinstance(value, LocalLake) else LocalLake(Path(value))


Command = Callable[..., Any]


def lake_option(default: str = "lake") -> Callable[[Command], Command]:
    """Add `--lake`."""
    return click.option(
        "--lake", type=_LakeType(), default=default, show_default=f"./{default}", help="Folder of the lake."
    )


def now_option(command: Command) -> Command:
    """Add `--now`, which stands in for the clock."""
    return click.option(
        "--now",
        "clock",
        type=_ClockType(),
        default=SystemClock,
        show_default="the clock",
        help="Pretend that it is this time (replays, tests): 2026-01-05T10:02 or seconds UTC.",
    )(command)


def json_option(command: Command) -> Command:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


class TimeLimit:
    """A deadline some seconds from now; None never comes."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    def remaining_s(self) -> float:
        """Return the seconds left."""
        return float("inf") if self._end is None else self._end - time.monotonic()


__all__ = ["Clock", "Moment", "TimeLimit", "json_option", "lake_option", "now_option"]
