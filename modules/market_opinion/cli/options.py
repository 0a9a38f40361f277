"""Options and arguments that several commands share."""

import functools
import os
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

import click

from reddit_ingest.bootstrap import LocalLake
from reddit_ingest.clocks import FixedClock, SystemClock
from reddit_ingest.core.ports import Clock, LakeReader, StateStore


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


class Day(click.ParamType[date]):
    """A day as ISO 8601."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value[:40]!r} is no day; write 2026-01-05", param, ctx)


class _ClockType(Moment):
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return FixedClock(super().convert(value, param, ctx)) if isinstance(value, str) else value


class _LakeType(click.ParamType[LocalLake]):
    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> LocalLake:
        return value if isinstance(value, LocalLake) else LocalLake(Path(value))


Command = Callable[..., Any]

DEFAULT_MARKET = "smartphones"
REPORTS = "reports"
"""Where pages stand in a lake in a folder; they hold people's words."""


def lake_option(default: str = "lake") -> Callable[[Command], Command]:
    """Add `--lake`."""
    return click.option(
        "--lake", type=_LakeType(), default=default, show_default=f"./{default}", help="Folder of the lake."
    )


class ReadableLake(Protocol):
    """A lake to look at, in a folder or on AWS."""

    def reader(self) -> LakeReader:
        """Return the reading side of the landing zone."""
        ...

    def state(self, environment: str) -> StateStore:
        """Return the watermarks."""
        ...


def lake_to_read(command: Command) -> Command:
    """Add `--lake` and `--aws`, and hand over the lake that they name as `lake`."""

    @lake_option()
    @click.option(
        "--aws",
        "is_deployed",
        is_flag=True,
        help="Read the deployed lake instead; LANDING_BUCKET_NAME, ENVIRONMENT and the others name it.",
    )
    @functools.wraps(command)
    def with_lake(*args: Any, lake: LocalLake, is_deployed: bool, **options: Any) -> Any:
        if is_deployed:
            # The SDK costs more time than all the rest; only those who ask for AWS wait for it.
            from reddit_ingest.bootstrap_aws import DeployedLake

            return command(*args, lake=DeployedLake(os.environ), **options)
        lake.check_exists()
        return command(*args, lake=lake, **options)

    return with_lake


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


def market_option(command: Command) -> Command:
    """Add `--market`."""
    return click.option(
        "--market", default=DEFAULT_MARKET, show_default=True, help="Name of a shipped market, or a market file."
    )(command)


def jobs_of(jobs: int | None) -> int:
    """Return how many jobs may run at a time, unless told one per core."""
    return jobs or len(os.sched_getaffinity(0))


class TimeLimit:
    """A deadline some seconds from now; None never comes."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    def remaining_s(self) -> float:
        """Return the seconds left."""
        return float("inf") if self._end is None else self._end - time.monotonic()


__all__ = ["Clock", "Day", "Moment", "TimeLimit", "json_option", "lake_option", "now_option"]
