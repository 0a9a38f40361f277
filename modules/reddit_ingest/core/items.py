"""The two facts that place an item, its fullname and the second it was created, and the line it becomes."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Line(NamedTuple):
    """One encoded row, ending in a newline, with the time the item was created (None: unknown)."""

    data: bytes
    created_utc: int | None


def created_utc(item: Mapping[str, Any]) -> int | None:
    """Return the second an item was created, or None where the item does not say so in a usable way.

    The API sends a whole float, archives send an int, some old archives a string of digits.
    """
    value = item.get("created_utc")
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:12])
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 10**11:  # also rejects NaN
        return None
    return int(value)


def fullname(item: Mapping[str, Any], prefix: str) -> str | None:
    """Return `t3_…` or `t1_…`, from the item's name or, in archives that lack it, from its id."""
    name = item.get("name")
    if isinstance(name, str) and name.startswith(prefix) and len(name) > len(prefix):
        return name
    item_id = item.get("id")
    return f"{prefix}{item_id}" if isinstance(item_id, str) and item_id else None
