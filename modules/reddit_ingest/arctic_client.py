"""The way to Arctic Shift, an archive of Reddit: pacing, time-outs, deadline, and what its answers mean.

https://github.com/ArthurHeitmann/arctic_shift/tree/master/api describes it. It is a free service: this client sends one
request at a time, at most two a second, and none before the moment that the quota's headers name.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from . import __version__
from .core.errors import DeadlineReached, QuotaSpent, SourceUnavailable, TryLater
from .core.ports import Deadline, Progress, Silent, Sleep
from .core.settings import ArcticShiftEndpoint

CONNECT_TIMEOUT_S = 3.05
READ_TIMEOUT_S = 30.0

CALL_RESERVE_S = 35.0
"""A request is begun only when this much time is left: one time-out, and the landing."""

PACE_S = 0.5
PAUSES_S = (2.0, 10.0, 30.0)
"""Between tries; what throttles tells to slow down lets go only after a while."""

_LONGEST_PAUSE_S = 900.0
_LARGEST_BODY = 64 * 1024 * 1024
_LONGEST_BODY_S = 120.0

_SMALLER: dict[str | int, int] = {"auto": 100, 100: 50, 50: 25}
_LEAST_OF_AUTO = 100
_PASSING = (408, 422, 429)

Params = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Page:
    """The things that one request brought; a full page may have been cut at its end."""

    things: list[Any]
    is_full: bool


class ArcticShiftConnection:
    """Reads lists of things from the archive, or says by its error what to do next."""

    def __init__(self, endpoint: ArcticShiftEndpoint, sleep: Sleep = time.sleep) -> None:
        self._url = endpoint.url
        self._sleep = sleep
        self._session = requests.Session()
        self._session.headers["user-agent"] = f"market-opinion/{__version__}"
        self._next_s = 0.0
        self.requests_sent = 0
        self.deadline: Deadline | None = None
        self.progress: Progress = Silent()

    def get(self, path: str, params: Params) -> Page:
        """Return the things that an endpoint answers with; `limit` shrinks where the archive runs out of time.

        Trouble that may pass is met with up to three further tries.

        Raises:
            SourceUnavailable, QuotaSpent, DeadlineReached
        """
        tries = 1 + len(PAUSES_S)
        for pause in (*PAUSES_S, None):
            self._keep_pace()
            try:
                return _page(self._once(path, params), params)
            except _Hasty as hasty:
                if pause is None or (hasty.retry_after_s or 0) > _LONGEST_PAUSE_S:
                    raise hasty.final(path, tries) from hasty.__cause__
                if hasty.is_too_much and params.get("limit") in _SMALLER:
                    params = {**params, "limit": _SMALLER[params["limit"]]}
                self._pause(max(pause, hasty.retry_after_s or 0), str(hasty))
        raise AssertionError("unreachable")

    def _once(self, path: str, params: Params) -> list[Any]:
        self.requests_sent += 1
        self._next_s = time.monotonic() + PACE_S
        try:
            with self._session.get(
                self._url + path,
                params=dict(params),
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                allow_redirects=False,
                stream=True,
            ) as response:
                self._note_quota(response)
                return _things(response, _body(response), path)
        except requests.RequestException as error:
            is_too_much = isinstance(error, requests.Timeout)
            raise _Hasty(f"cannot be reached ({type(error).__name__})", is_too_much=is_too_much) from error

    def _note_quota(self, response: requests.Response) -> None:
        left = _number(response.headers.get("x-ratelimit-remaining"))
        if left is not None and left < 1:
            self._next_s = time.monotonic() + (_until_reset_s(response) or PAUSES_S[-1])

    def _keep_pace(self) -> None:
        wait_s = max(0.0, self._next_s - time.monotonic())
        if wait_s > _LONGEST_PAUSE_S:
            raise QuotaSpent("Arctic Shift's quota is spent; run again later", wait_s)
        self._check_time(wait_s)
        if wait_s > 1:
            self.progress.waiting(wait_s, "Arctic Shift's quota sets the pace")
        if wait_s:
            self._sleep(wait_s)

    def _pause(self, seconds: float, why: str) -> None:
        self._check_time(seconds)
        self.progress.waiting(seconds, f"Arctic Shift {why}")
        self._sleep(seconds)

    def _check_time(self, wait_s: float) -> None:
        left_s = self.deadline.remaining_s() if self.deadline else float("inf")
        if left_s < wait_s + CALL_RESERVE_S:
            waiting = f" after a pause of {wait_s:.0f} s" if wait_s >= 1 else ""
            raise DeadlineReached(
                f"{max(0, left_s):.0f} s left, too little for another request{waiting}; the next run goes on from here"
            )


class _Hasty(Exception):
    """Something that another try may mend; `is_too_much`: with a smaller page."""

    def __init__(
        self,
        message: str,
        retry_after_s: float | None = None,
        *,
        is_quota: bool = False,
        is_too_much: bool = False,
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.is_quota = is_quota
        self.is_too_much = is_too_much

    def final(self, path: str, tries: int) -> TryLater:
        if self.is_quota:
            return QuotaSpent(f"Arctic Shift asks for a pause ({self}) at {path}; run again later", self.retry_after_s)
        return SourceUnavailable(f"Arctic Shift {self} at {path}, {tries} times; run again later")


def _things(response: requests.Response, body: bytes, path: str) -> list[Any]:
    """Return the data of an answer, which may be a failure under the status 200."""
    status = response.status_code
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    error = answer.get("error") if isinstance(answer, dict) else None
    if status == 200 and isinstance(answer, dict) and isinstance(answer.get("data"), list) and not error:
        return answer["data"]  # type: ignore[no-any-return]  # looked at just now
    said = f"{status} with {_one_line(error)!r}" if error else f"{status} without a list of things"
    if status == 200 or status in _PASSING or status >= 500:
        # Under 200 and 422 alike it says that a query took too long, in changing words.
        is_too_much = status == 422 or (status == 200 and bool(error))
        retry_after_s = _retry_after_s(response)
        raise _Hasty(f"answered {said}", retry_after_s, is_quota=status == 429, is_too_much=is_too_much)
    raise SourceUnavailable(f"Arctic Shift answered {said} at {path}; check ARCTIC_SHIFT_URL, then run again later")


def _page(things: list[Any], params: Params) -> Page:
    limit = params.get("limit")
    return Page(things, len(things) >= (limit if isinstance(limit, int) else _LEAST_OF_AUTO))


def _body(response: requests.Response) -> bytes:
    """Return the whole body; one that never ends is given up."""
    body, began = bytearray(), time.monotonic()
    for block in response.iter_content(1 << 16):
        body += block
        if len(body) > _LARGEST_BODY or time.monotonic() - began > _LONGEST_BODY_S:
            raise _Hasty("sent an answer without end")
    return bytes(body)


def _retry_after_s(response: requests.Response) -> float | None:
    if (asked := _number(response.headers.get("retry-after"))) is not None:
        return asked
    return _until_reset_s(response) if response.status_code == 429 else None


def _until_reset_s(response: requests.Response) -> float | None:
    """Return the seconds until the quota is new; the header is seconds to wait or, where it is large, a moment."""
    reset = _number(response.headers.get("x-ratelimit-reset"))
    if reset is None or reset < 10**9:
        return reset
    return max(0.0, reset / (1_000 if reset > 10**11 else 1) - time.time())


def _number(text: str | None) -> float | None:
    whole = (text or "").partition(".")[0]
    return float(whole) if whole.isascii() and whole.isdecimal() and len(whole) < 16 else None


def _one_line(text: object) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in str(text)[:400]).split())[:80]
