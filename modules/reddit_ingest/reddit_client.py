"""The way to Reddit: a configured PRAW client, and the one place that guards deadline, pacing and time-outs."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import praw
import prawcore
import requests
from praw.exceptions import PRAWException

from .core.errors import (
    CredentialsRejected,
    DeadlineReached,
    QuotaSpent,
    SourceUnavailable,
    SubredditBlocked,
    TryLater,
)
from .core.ports import Deadline, Progress, Silent, Sleep
from .core.settings import RedditCredentials, RedditEndpoint

CONNECT_TIMEOUT_S = 3.05
READ_TIMEOUT_S = 10.0

CALL_RESERVE_S = 15.0
"""A request is begun only when this much time is left after PRAW's pacing sleep: one time-out, and the landing."""

_ATTEMPTS = 3
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_LONGEST_SLEEP_S = 660.0
_LONGEST_REASON = 40

Params = Mapping[str, str | int]


class _Requestor(prawcore.Requestor):
    """Sets the time-outs that PRAW's own setting does not set, and counts what really goes over the wire.

    Redirects are never followed: PRAW would follow those of the login to whatever server they name.
    """

    sent = 0
    quota_left: int | None = None
    server_ts: int | None = None

    def request(self, *args: Any, timeout: float | None = None, **kwargs: Any) -> requests.Response:
        """Send one HTTP request."""
        self.sent += 1
        kwargs |= {"allow_redirects": False, "timeout": (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)}
        response = super().request(*args, **kwargs)
        remaining = response.headers.get("x-ratelimit-remaining", "").partition(".")[0]
        self.quota_left = int(remaining) if remaining.isascii() and remaining.isdecimal() else self.quota_left
        self.server_ts = _moment(response.headers.get("date", "")) or self.server_ts
        return response


class RedditClientFactory:
    """Makes PRAW clients for reading."""

    @staticmethod
    def create(credentials: RedditCredentials | None = None, endpoint: RedditEndpoint | None = None) -> praw.Reddit:
        """Return a read-only client; it costs no request until it is first used. One per thread.

        Without arguments the client is configured from the environment: `REDDIT_CLIENT_ID`, `REDDIT_CLIENT_SECRET`,
        `REDDIT_USER_AGENT`, and `REDDIT_OAUTH_URL` with `REDDIT_URL` for another server than Reddit's.

        Raises:
            InvalidSetting: a variable is missing or malformed.
        """
        credentials = credentials or RedditCredentials.from_mapping(os.environ)
        endpoint = endpoint or RedditEndpoint.from_mapping(os.environ)
        urls: dict[str, Any] = {}
        if endpoint.oauth_url:
            urls = {"oauth_url": endpoint.oauth_url, "reddit_url": endpoint.reddit_url}
        return praw.Reddit(
            client_id=credentials.client_id,
            client_secret=credentials.client_secret,
            user_agent=credentials.user_agent,
            requestor_class=_Requestor,
            # Both checks cost time or a request at every cold start and serve nothing here.
            check_for_updates=False,
            check_for_async=False,
            **urls,
        )


class RedditConnection:
    """Reads JSON from Reddit's API, or says by its error what to do next.

    A request is begun only when PRAW's pacing and one time-out still fit before the deadline. What PRAW has already
    tried three times is not tried again; what it gives up on at once (429, 200 without JSON, an empty body) is tried up
    to three times.
    """

    def __init__(self, reddit: praw.Reddit, sleep: Sleep = time.sleep) -> None:
        self._reddit = reddit
        self._sleep = sleep
        self.deadline: Deadline | None = None
        self.progress: Progress = Silent()

    @property
    def requests_sent(self) -> int:
        """HTTP requests sent so far, retries and token requests included."""
        return self._requestor.sent

    @property
    def quota_left(self) -> int | None:
        """Requests left in the current ten minutes as Reddit last said; None where it says nothing."""
        return self._requestor.quota_left

    @property
    def server_ts(self) -> int | None:
        """What Reddit's clock showed at its last answer, seconds UTC; None where it has not said."""
        return self._requestor.server_ts

    def get(self, path: str, params: Params, expect: Callable[[Any], bool], subreddit: str = "") -> Any:
        """Return the JSON of a GET whose shape passes `expect`; `subreddit` is named in errors.

        Raises:
            SubredditBlocked, CredentialsRejected, SourceUnavailable, QuotaSpent, DeadlineReached
        """
        return self._persistently("GET", path, subreddit, expect, params=dict(params))

    def post(self, path: str, data: Params, expect: Callable[[Any], bool], subreddit: str = "") -> Any:
        """Return the JSON of a POST that only reads; errors as for `get`."""
        return self._persistently("POST", path, subreddit, expect, data=dict(data))

    def _persistently(
        self, method: str, path: str, subreddit: str, expect: Callable[[Any], bool], **content: Any
    ) -> Any:
        for attempt in range(1, _ATTEMPTS + 1):
            self._check_pace()
            try:
                return self._once(method, path, subreddit, expect, content)
            except _Hasty as hasty:
                if attempt == _ATTEMPTS or (hasty.retry_after_s or 0) > _LONGEST_PAUSE_S:
                    raise hasty.final(f"{method} {path}") from hasty.__cause__
                self._pause(hasty.retry_after_s or _FIRST_PAUSE_S * attempt, str(hasty))
        raise AssertionError("unreachable")

    def _once(
        self, method: str, path: str, subreddit: str, expect: Callable[[Any], bool], content: dict[str, Any]
    ) -> Any:
        with _translated(f"{method} {path}", subreddit):
            answer = self._reddit.request(method=method, path=path, **content)
        if not expect(answer):
            raise _Hasty(f"answered 200 with {_shape(answer)} instead of a listing")
        return answer

    def _check_pace(self) -> None:
        # PRAW would sleep inside the call, up to ten minutes in one go; only its private limiter knows how long.
        limiter = self._core.rate_limiter
        wait_s = ((limiter.next_request_timestamp_ns or 0) - time.monotonic_ns()) / 1e9
        if wait_s > _LONGEST_SLEEP_S:
            # A clock that stood still while the process was frozen; the ten minutes it remembers are long over.
            limiter.next_request_timestamp_ns = None
            wait_s = 0.0
        self._check_time(max(0.0, wait_s), "the quota of the current ten minutes is spent")
        if wait_s > 1:
            self.progress.waiting(wait_s, "Reddit's quota sets the pace")

    def _pause(self, seconds: float, why: str) -> None:
        self._check_time(seconds, why)
        self.progress.waiting(seconds, why)
        self._sleep(seconds)

    def _check_time(self, wait_s: float, why: str) -> None:
        left_s = self.deadline.remaining_s() if self.deadline else float("inf")
        if left_s < wait_s + CALL_RESERVE_S:
            waiting = f" after a pause of {wait_s:.0f} s ({why})" if wait_s >= 1 else ""
            raise DeadlineReached(
                f"{max(0, left_s):.0f} s left, too little for another request{waiting}; the next run goes on from here"
            )

    @property
    def _core(self) -> prawcore.Session:
        assert self._reddit._core is not None  # PRAW makes it in its constructor  # noqa: S101
        return self._reddit._core

    @property
    def _requestor(self) -> _Requestor:
        requestor = self._core.requestor
        assert isinstance(requestor, _Requestor)  # the factory's clients have it  # noqa: S101
        return requestor


class _Hasty(Exception):
    """Something PRAW gives up on at once although another try may succeed."""

    def __init__(self, message: str, retry_after_s: float | None = None, *, quota: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self._quota = quota

    def final(self, call: str) -> TryLater:
        if self._quota:
            return QuotaSpent(f"Reddit asks for a pause ({self}) at {call}; run again later", self.retry_after_s)
        return SourceUnavailable(f"Reddit {self} at {call}, {_ATTEMPTS} times; run again later")


@contextmanager
def _translated(call: str, subreddit: str) -> Iterator[None]:
    """Turn everything PRAW, prawcore and requests raise into the platform's errors, cause kept."""
    try:
        yield
    except _FOREIGN as error:
        raise translate(error, call, subreddit) from error


def translate(error: Exception, call: str, subreddit: str) -> Exception:
    """Return what a foreign exception means to us: blocked, rejected, later, or worth another try at once."""
    for types, meaning in _MEANINGS:
        if isinstance(error, types):
            return meaning(error, call, subreddit)
    # PRAW meets answers that it does not expect with plain Python errors.
    if isinstance(error, KeyError) and error.args == (401,):
        return _credentials_rejected(error, call, subreddit)
    return _Hasty(f"sent an answer that cannot be read ({type(error).__name__}: {_one_line(error)})")


def _blocked(error: Any, call: str, subreddit: str) -> Exception:
    response = error.response
    if "html" in response.headers.get("content-type", ""):
        return SourceUnavailable(
            f"Reddit refuses this client with a page ({response.status_code}) at {call}; check that the network and"
            " REDDIT_USER_AGENT are not blocked, then run again later"
        )
    return SubredditBlocked(f"r/{subreddit}" if subreddit else call, _block_reason(response))


def _missing(error: Any, call: str, subreddit: str) -> Exception:
    return SubredditBlocked(f"r/{subreddit}" if subreddit else call, "no subreddit has this name")


def _credentials_rejected(error: Any, call: str, subreddit: str) -> Exception:
    return CredentialsRejected(
        f"Reddit rejects the credentials at {call}; check REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET,"
        " and that the app was not deleted"
    )


def _server_error(error: Any, call: str, subreddit: str) -> Exception:
    return SourceUnavailable(f"Reddit answered {error.response.status_code} at {call}, 3 times; run again later")


def _unreachable(error: Any, call: str, subreddit: str) -> Exception:
    cause = type(error.original_exception).__name__
    return SourceUnavailable(f"cannot reach Reddit at {call}: {cause}; run again later")


def _other_status(error: Any, call: str, subreddit: str) -> Exception:
    response = error.response
    if response.status_code == 401:
        return _credentials_rejected(error, call, subreddit)
    if response.status_code == 429:
        return _Hasty("answered 429", _retry_after_s(response), quota=True)
    return _Hasty(f"answered {response.status_code} with {_one_line(response.text)!r}")


_MEANINGS: tuple[tuple[tuple[type[Exception], ...], Callable[[Any, str, str], Exception]], ...] = (
    ((prawcore.Forbidden, prawcore.NotFound, prawcore.UnavailableForLegalReasons), _blocked),
    ((prawcore.Redirect,), _missing),
    ((prawcore.OAuthException, prawcore.InvalidToken, prawcore.InsufficientScope), _credentials_rejected),
    ((prawcore.ServerError,), _server_error),
    ((prawcore.ResponseException,), _other_status),
    ((prawcore.RequestException,), _unreachable),
)
_FOREIGN = (
    prawcore.PrawcoreException,
    PRAWException,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    RecursionError,
)


def _block_reason(response: requests.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        body = {}
    reason = body.get("reason") if isinstance(body, dict) else None
    meanings = {403: "forbidden", 404: "not found", 451: "withheld for legal reasons"}
    is_word = isinstance(reason, str) and reason.isascii() and reason.isidentifier() and len(reason) <= _LONGEST_REASON
    return str(reason) if is_word else meanings[response.status_code]


def _one_line(text: object) -> str:
    """Return the beginning of a text from outside as one harmless line."""
    return " ".join("".join(char if char.isprintable() else " " for char in str(text)[:400]).split())[:80]


def _retry_after_s(response: requests.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdecimal() else None


def _moment(date: str) -> int | None:
    try:
        return int(parsedate_to_datetime(date).timestamp())
    except (ValueError, TypeError, OverflowError):
        return None


def _shape(answer: object) -> str:
    if answer in (None, ""):
        return "an empty body" if answer == "" else "null"
    return f"{type(answer).__name__} {str(answer)[:60]!r}"
