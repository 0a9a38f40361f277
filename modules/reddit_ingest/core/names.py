"""Subreddit names: the only text from outside that becomes part of a path, a key or a parameter name."""

import re

from .errors import InvalidRequest

_SUBREDDIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{1,20}|u_[A-Za-z0-9_-]{3,20}", re.ASCII)


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
