"""What drove a day: the threads in which a brand, or an aspect of one, was spoken of."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import duckdb

from .alerting import NET, Signal, baseline_of
from .periods import Period

THREADS = 3

_DRIVING = """
WITH said AS (
    SELECT thread, opinion, created_utc >= $start AS is_now FROM mentions
    WHERE market = $market AND is_counted AND brand = $brand AND ($aspect IS NULL OR list_contains(aspects, $aspect))
        AND date BETWEEN $first AND $last AND created_utc >= $from AND created_utc < $end
), counted AS (
    SELECT thread, count(*) FILTER (is_now) AS mentions, count(*) FILTER (is_now AND opinion > 0) AS positive,
        count(*) FILTER (is_now AND opinion < 0) AS negative, count(*) FILTER (NOT is_now) AS before
    FROM said GROUP BY thread HAVING mentions > 0
), most AS (
    SELECT *, CASE $sign WHEN 1 THEN positive WHEN -1 THEN negative ELSE mentions END AS weight FROM counted
    ORDER BY weight DESC, mentions DESC, thread LIMIT $threads
)
SELECT most.thread, title, permalink, mentions, positive, negative, before
FROM most LEFT JOIN documents ON fullname = most.thread
ORDER BY weight DESC, mentions DESC, most.thread
"""


@dataclass(frozen=True, slots=True)
class DrivingThread:
    """A thread with its counted mentions of a signal's brand and aspect on that day, and `before`, in the baseline.

    `title` and `address` are None where the lake does not hold the submission, or it was deleted.
    """

    fullname: str
    title: str | None
    address: str | None
    mentions: int
    positive: int
    negative: int
    before: int


def threads_behind(
    connection: duckdb.DuckDBPyConnection, market: str, zone: str, signal: Signal, is_buried: Callable[[str], bool]
) -> tuple[DrivingThread, ...]:
    """Return up to three threads that a signal comes from, the first one most.

    For a spike these have most mentions, for a shift most opinions in its direction. `is_buried` tells of a fullname
    whether it was deleted since the tables were made. The views have to hold the day and its baseline.
    """
    day, before = Period(signal.day, signal.day).bounds(zone), baseline_of(signal.day).bounds(zone)
    bounds = day | {"from": before["start"], "first": before["first"]}
    asked = {"market": market, "brand": signal.brand, "aspect": signal.aspect, "threads": THREADS}
    rows = connection.execute(_DRIVING, bounds | asked | {"sign": _direction(signal)}).fetchall()
    return tuple(
        DrivingThread(
            fullname, *((None, None) if is_buried(fullname) else (title or None, _address(permalink))), *counts
        )
        for fullname, title, permalink, *counts in rows
    )


def _direction(signal: Signal) -> int:
    if signal.kind != NET or signal.observed is None or signal.expected is None:
        return 0
    return 1 if signal.observed > signal.expected else -1


def _address(permalink: str | None) -> str | None:
    # Whatever a permalink holds, it leads nowhere but to Reddit, and is nothing that a terminal or a chat obeys.
    return "https://www.reddit.com/" + quote(permalink.lstrip("/"), safe="/_-~.%") if permalink else None
