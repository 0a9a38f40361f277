import inspect
import re
from collections.abc import Iterator
from typing import Any

import praw.exceptions
import prawcore.exceptions
import pytest
import requests

from reddit_ingest import reddit_client
from reddit_ingest.core import errors
from reddit_ingest.core.errors import (
    CredentialsRejected,
    DeadlineReached,
    PlatformError,
    PoisonedRecord,
    QuotaSpent,
    SourceUnavailable,
    SubredditBlocked,
    TryLater,
)
from reddit_ingest.reddit_client import translate


def classes_of(module: Any, root: type[Exception]) -> list[type[Exception]]:
    return [
        found
        for _, found in inspect.getmembers(module, inspect.isclass)
        if issubclass(found, root) and found.__module__ == module.__name__
    ]


EXISTING = classes_of(errors, PlatformError)
DRAWN = re.compile(r"^(?P<lead>[ │├└─]*)(?P<name>[A-Z]\w+)(?:\s{2,}(?P<text>.*))?$")


def drawn() -> Iterator[tuple[str, str | None, int | None]]:
    """Yield (name, parent, exit code) for each line of the tree in the docstring."""
    path: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = DRAWN.match(line)
        if not found or (not found["lead"].endswith("── ") and found["name"] != "PlatformError"):
            continue
        depth = len(found["lead"])
        while path and path[-1][0] >= depth:
            path.pop()
        code = re.search(r"exit code (\d)", found["text"] or "")
        yield found["name"], path[-1][1] if path else None, int(code[1]) if code else None
        path.append((depth, found["name"]))


def test_the_drawn_tree_names_exactly_the_classes_that_exist() -> None:
    names = [name for name, _, _ in drawn()]
    assert sorted(names) == sorted(found.__name__ for found in EXISTING)


def test_the_drawn_tree_shows_the_real_parents() -> None:
    parents = {found.__name__: found.__bases__[0].__name__ for found in EXISTING if found is not PlatformError}
    assert {name: parent for name, parent, _ in drawn() if parent} == parents


def test_every_class_has_the_exit_code_that_the_tree_gives_it() -> None:
    codes: dict[str, int] = {}
    for name, parent, code in drawn():
        codes[name] = code if code is not None else codes.get(parent or "", errors.EXIT_FAILED)
    assert {found.__name__: found.exit_code for found in EXISTING} == codes


def test_the_exit_codes_are_the_documented_numbers() -> None:
    found = (errors.EXIT_DONE, errors.EXIT_FAILED, errors.EXIT_USAGE, errors.EXIT_INCOMPLETE)
    assert found == (0, 1, 2, 3)
    assert DeadlineReached.exit_code == QuotaSpent.exit_code == 3
    assert PoisonedRecord.__base__ is errors.SkipRecord


def test_every_class_says_what_it_means() -> None:
    assert all((found.__doc__ or "").strip().endswith(".") for found in EXISTING)


def test_a_blocked_subreddit_tells_its_name_and_the_reason() -> None:
    blocked = SubredditBlocked("r/android", "private")
    assert (blocked.where, blocked.reason) == ("r/android", "private")
    assert "r/android cannot be read: private" in str(blocked)


STATUS = {
    "BadJSON": 200,
    "BadRequest": 400,
    "Conflict": 409,
    "Forbidden": 403,
    "InsufficientScope": 403,
    "InvalidToken": 401,
    "NotFound": 404,
    "Redirect": 302,
    "ServerError": 500,
    "SpecialError": 415,
    "TooLarge": 413,
    "TooManyRequests": 429,
    "URITooLong": 414,
    "UnavailableForLegalReasons": 451,
    "ResponseException": 408,
}


def answer(status: int, content: bytes = b"{}", **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response._content = content
    response.headers.update({"content-type": "application/json; charset=UTF-8", **headers})
    return response


def made(kind: type[Exception]) -> Exception:
    """Return an exception of a class of the libraries, as they would make it."""
    special: dict[str, Any] = {
        "OAuthException": lambda: kind(answer(200), "invalid_grant", None),
        "RequestException": lambda: kind(requests.ConnectionError("refused"), ("GET", "/"), {}),
        "Redirect": lambda: kind(answer(302, location="https://oauth.reddit.com/subreddits/search")),
        "RedditAPIException": lambda: kind([["BAD_SR_NAME", "no such subreddit", "sr"]]),
        "TooLargeMediaException": lambda: kind(actual=2, maximum_size=1),
        "DuplicateReplaceException": kind,
        "InvalidImplicitAuth": kind,
        "MediaPostFailed": kind,
    }
    if kind.__name__ in special:
        return special[kind.__name__]()  # type: ignore[no-any-return]
    return kind(answer(STATUS[kind.__name__])) if issubclass(kind, prawcore.ResponseException) else kind("a message")


FOREIGN = [
    *classes_of(prawcore.exceptions, prawcore.PrawcoreException),
    *classes_of(praw.exceptions, praw.exceptions.PRAWException),
]


def test_the_walk_through_the_libraries_finds_their_exceptions() -> None:
    assert {"Forbidden", "TooManyRequests", "RedditAPIException", "OAuthException"} <= {k.__name__ for k in FOREIGN}
    assert len(FOREIGN) >= 30


def final(meaning: Exception) -> Exception:
    """Return what remains of a meaning once every further try has failed."""
    return meaning.final("GET /r/android/new") if isinstance(meaning, reddit_client._Hasty) else meaning


@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: kind.__name__)
def test_every_exception_of_the_libraries_has_a_meaning_in_one_line(kind: type[Exception]) -> None:
    meaning = final(translate(made(kind), "GET /r/android/new", "android"))
    assert isinstance(meaning, SubredditBlocked | CredentialsRejected | TryLater)
    assert "\n" not in str(meaning)


@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: kind.__name__)
def test_every_exception_of_the_libraries_is_caught_and_its_cause_kept(kind: type[Exception]) -> None:
    error = made(kind)
    caught = pytest.raises((PlatformError, reddit_client._Hasty))
    with caught as translated, reddit_client._translated("GET /r/android/new", "android"):
        raise error
    assert translated.value.__cause__ is error


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("Forbidden", SubredditBlocked),
        ("NotFound", SubredditBlocked),
        ("Redirect", SubredditBlocked),
        ("UnavailableForLegalReasons", SubredditBlocked),
        ("InvalidToken", CredentialsRejected),
        ("InsufficientScope", CredentialsRejected),
        ("OAuthException", CredentialsRejected),
        ("TooManyRequests", QuotaSpent),
        ("ServerError", SourceUnavailable),
        ("RequestException", SourceUnavailable),
        ("BadJSON", SourceUnavailable),
        ("ResponseException", SourceUnavailable),
    ],
)
def test_what_the_important_exceptions_mean(name: str, meaning: type[Exception]) -> None:
    error = made(getattr(prawcore.exceptions, name))
    assert type(final(translate(error, "GET /r/android/new", "android"))) is meaning


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"5", b'"banned"', b'{"reason": 5}', b'{"reason": null}', b"{"]
)
@pytest.mark.parametrize("name", ["Forbidden", "NotFound", "UnavailableForLegalReasons"])
def test_a_refusal_without_a_usable_reason_is_still_a_refusal(name: str, content: bytes) -> None:
    error = getattr(prawcore.exceptions, name)(answer(STATUS[name], content))
    assert type(translate(error, "GET /r/android/new", "android")) is SubredditBlocked


def test_the_reason_of_a_refusal_is_told() -> None:
    error = prawcore.NotFound(answer(404, b'{"reason": "banned", "message": "Not Found", "error": 404}'))
    assert "banned" in str(translate(error, "GET /r/android/new", "android"))


def test_a_refusal_page_says_nothing_about_the_subreddit() -> None:
    error = prawcore.Forbidden(answer(403, b"<html>blocked</html>", **{"content-type": "text/html"}))
    assert type(translate(error, "GET /r/android/new", "android")) is SourceUnavailable


@pytest.mark.parametrize(("header", "seconds"), [("4", 4.0), ("0", 0.0), ("", None), ("4.5", None), ("soon", None)])
def test_the_pause_that_a_429_asks_for_is_kept(header: str, seconds: float | None) -> None:
    error = prawcore.ResponseException(answer(429, **{"retry-after": header}))
    meaning = final(translate(error, "POST /api/v1/access_token", "android"))
    assert isinstance(meaning, QuotaSpent)
    assert meaning.retry_after_s == seconds


def test_a_pause_in_digits_that_are_no_number_is_no_crash() -> None:
    error = prawcore.ResponseException(answer(429, **{"retry-after": "²"}))
    assert isinstance(final(translate(error, "POST /api/v1/access_token", "android")), QuotaSpent)
