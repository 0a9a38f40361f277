"""From an event (or the command line, which makes one) to a validated request. Nothing is called before this passes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .errors import InvalidRequest
from .names import subreddit_key, subreddit_keys
from .settings import IngestSettings
from .windows import Window, plan_backfill

_REFRESH_KEYS = {"subreddit", "subreddits", "budget"}
_KEYS = {"mode", "subreddit", "subreddits", "start_ts", "end_ts", "max_submissions"}


class Mode(StrEnum):
    """Why a window is read; it stands in manifests and run records."""

    INCREMENTAL = "incremental"
    BACKFILL = "backfill"
    LOOK_BACK = "look_back"
    """Items of earlier hours, met again or late while reading: an attempt that adds and claims nothing."""
    REFRESH = "refresh"
    """Known items, asked for again: an attempt that adds and claims nothing."""
    FORGET = "forget"
    """Tombstones: an attempt that takes away from what readers see and claims nothing."""
    IMPORT = "import"
    """Days of a dump file."""
    REPAIR = "repair"
    """Objects of an attempt that ended before its manifest: adopted afterwards, and nothing is claimed."""


@dataclass(frozen=True, slots=True)
class IngestRequest:
    """What one run is asked to do; `windows` is empty for an incremental run, which plans from the watermark."""

    mode: Mode
    subreddits: tuple[str, ...]
    windows: tuple[Window, ...] = ()
    max_submissions: int | None = None


def parse_event(event: Mapping[str, Any], settings: IngestSettings, now_ts: int) -> IngestRequest:
    """Return the request that an event makes.

    `{}` and `{"subreddit"}` are incremental; `{"mode": "backfill"}` or any of `start_ts`, `end_ts` is a backfill of the
    hours that touch the range. EventBridge's own envelope counts as `{}`.

    Raises:
        InvalidRequest: a key is unknown, missing or malformed.
    """
    fields = _fields(event, _KEYS)
    mode = _mode(fields)
    return IngestRequest(
        mode=mode,
        subreddits=_subreddits(fields, settings),
        windows=_backfill_windows(fields, now_ts) if mode is Mode.BACKFILL else (),
        max_submissions=_max_submissions(fields, settings),
    )


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """What one refresh is asked to do, and how many requests it may spend."""

    subreddits: tuple[str, ...]
    budget: int


def parse_refresh_event(event: Mapping[str, Any], settings: IngestSettings, budget: int) -> RefreshRequest:
    """Return the refresh that an event asks for: `{}`, `{"subreddit"}` or `{"subreddits"}`, and `"budget"` with each.

    Raises:
        InvalidRequest: a key is unknown or malformed.
    """
    fields = _fields(event, _REFRESH_KEYS)
    asked = fields.get("budget", budget)
    if isinstance(asked, bool) or not isinstance(asked, int) or asked < 1:
        raise InvalidRequest(f'"budget" is a whole number of requests of at least 1, got {asked!r}')
    return RefreshRequest(_subreddits(fields, settings), asked)


def _fields(event: object, known: set[str]) -> dict[str, Any]:
    if not isinstance(event, Mapping):
        raise InvalidRequest(f"an event is a JSON object, got {type(event).__name__}")
    fields = {} if "detail-type" in event and "source" in event else dict(event)
    if unknown := sorted(repr(str(key))[1:-1][:40] for key in set(fields) - known)[:5]:
        raise InvalidRequest(f"unknown keys in the event: {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    return fields


def _mode(fields: Mapping[str, Any]) -> Mode:
    has_range = "start_ts" in fields or "end_ts" in fields
    named = fields.get("mode", Mode.BACKFILL if has_range else Mode.INCREMENTAL)
    if named not in (Mode.INCREMENTAL, Mode.BACKFILL) or (named == Mode.INCREMENTAL and has_range):
        raise InvalidRequest(f'"mode" is "incremental" (no range) or "backfill" (start_ts, end_ts), got {named!r}')
    return Mode(named)


def _subreddits(fields: Mapping[str, Any], settings: IngestSettings) -> tuple[str, ...]:
    if "subreddit" in fields and "subreddits" in fields:
        raise InvalidRequest('give "subreddit" or "subreddits", not both')
    if "subreddit" in fields:
        return (subreddit_key(fields["subreddit"]),)
    names = subreddit_keys(fields["subreddits"]) if "subreddits" in fields else settings.subreddits
    if not names:
        raise InvalidRequest("no subreddit: name one in the event, or set SUBREDDITS (android,iphone)")
    return names


def _backfill_windows(fields: Mapping[str, Any], now_ts: int) -> tuple[Window, ...]:
    bounds = [fields.get(name) for name in ("start_ts", "end_ts")]
    if any(isinstance(bound, bool) or not isinstance(bound, int) for bound in bounds):
        raise InvalidRequest(
            f"a backfill needs start_ts and end_ts as whole seconds UTC, got {bounds[0]!r}, {bounds[1]!r}"
        )
    return tuple(plan_backfill(bounds[0], bounds[1], now_ts))  # type: ignore[arg-type]  # both are int here


def _max_submissions(fields: Mapping[str, Any], settings: IngestSettings) -> int | None:
    value = fields.get("max_submissions", settings.max_submissions)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise InvalidRequest(f'"max_submissions" is a whole number of at least 1, got {value!r}')
    return value
