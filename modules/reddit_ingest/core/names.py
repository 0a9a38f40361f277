"""Subreddit names: the only text from outside that becomes part of a path, a key or a parameter name."""

import re

from .errors import InvalidRequest

# reddit.com is the one subreddit with a dot: the first there was, and all of the oldest archives.
_SUBREDDIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{1,20}|u_[A-Za-z0-9_-]{3,20}|(?i:reddit\.com)", re.ASCII)

# Today a name has 3 to 20 characters; some old ones are shorter or longer.
_AUTHOR = re.compile(r"(?:/?u/)?([A-Za-z0-9_-]{1,40})", re.ASCII)
_FULLNAME = re.compile(r"t[13]_[0-9a-z]{1,20}", re.ASCII)


def subreddit_key(name: object) -> str:
    """Return the canonical (lower-case) form of a subreddit name, as used in keys, parameters and tables.

    Raises:
        InvalidRequest: the name is not one that Reddit could have given out.

    >>> subreddit_key("PocketPhones")
    'pocketphones'
    """
    if not isinstance(name, str) or not _SUBREDDIT.fullmatch(name):
        shown = repr(name if not isinstance(name, str) or len(name) <= 40 else name[:40] + "…")
        raise InvalidRequest(
            f"not a subreddit name: {shown}; write the bare name, 2 to 21 letters, digits and underscores,"
            " for example smartphones (a user's own page: u_name)"
        )
    return name.lower()


def subreddit_keys(names: object) -> tuple[str, ...]:
    """Return the canonical names of a list or comma list, in order, each once.

    >>> subreddit_keys("Android, iphone,android")
    ('android', 'iphone')
    """
    parts = names.split(",") if isinstance(names, str) else names
    if not isinstance(parts, list | tuple):
        raise InvalidRequest(f"not a list of subreddits: {names!r}; write android,iphone")
    return tuple(dict.fromkeys(subreddit_key(part.strip() if isinstance(part, str) else part) for part in parts))


def author_name(name: object) -> str:
    """Return the bare name of an account, written `name`, `u/name` or `/u/name`.

    Raises:
        InvalidRequest: the name is not one that Reddit could have given out.

    >>> author_name("u/Some_One")
    'Some_One'
    """
    found = _AUTHOR.fullmatch(name) if isinstance(name, str) else None
    if not found:
        raise InvalidRequest(f"not the name of an account: {str(name)[:40]!r}; write it as Reddit does, u/name")
    return found[1]


def item_fullname(name: object) -> str:
    """Return the fullname of a submission or comment.

    Raises:
        InvalidRequest: it is none.

    >>> item_fullname("T3_1abcd")
    't3_1abcd'
    """
    if not isinstance(name, str) or not _FULLNAME.fullmatch(name.lower()):
        raise InvalidRequest(
            f"not a fullname: {str(name)[:40]!r}; write t3_ and the id of a submission, t1_ and that of a comment"
        )
    return name.lower()
