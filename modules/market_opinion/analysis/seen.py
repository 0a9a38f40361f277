"""How much of a period was seen: hours by status and source; of the comments that Reddit counts, those in the lake."""

from collections import Counter
from collections.abc import Mapping
from datetime import date

import duckdb

from reddit_ingest.core.windows import HOUR_S

from .figures import NOT_LOOKED_AT, Coverage, SubredditCoverage
from .periods import Period


def coverage(connection: duckdb.DuckDBPyConnection, zone: str, period: Period) -> Coverage:
    """Return the coverage of a period by subreddit, of all that the lake holds anything of."""
    bounds = period.bounds(zone)
    hours = connection.execute(
        """
        SELECT subreddit, status, submissions_source, comments_source, count(*)
        FROM coverage WHERE hour_ts >= $start AND hour_ts < $end AND date BETWEEN $first AND $last GROUP BY ALL
        """,
        bounds,
    ).fetchall()
    subreddits = [row[0] for row in connection.execute("SELECT DISTINCT subreddit FROM coverage ORDER BY 1").fetchall()]
    threads = _threads(connection, bounds)
    total = (period.end_ts(zone) - period.start_ts(zone)) // HOUR_S
    found = []
    for subreddit in subreddits:
        statuses: Counter[str] = Counter()
        sources: Counter[str] = Counter()
        for name, status, submissions_source, comments_source, count in hours:
            if name == subreddit:
                statuses[status] += count
                sources[_source(submissions_source, comments_source)] += count
        if missing := total - statuses.total():
            statuses[NOT_LOOKED_AT] = missing
        found.append(SubredditCoverage(subreddit, total, statuses, sources, *threads.get(subreddit, (0, 0, 0))))
    return Coverage(tuple(found))


def _source(*sources: str | None) -> str:
    return " and ".join(sorted({source for source in sources if source}))


def _threads(
    connection: duckdb.DuckDBPyConnection, bounds: Mapping[str, int | date]
) -> dict[str, tuple[int, int, int]]:
    """Return threads that began in a span of time, their comments by Reddit's count, and of these the seen ones."""
    rows = connection.execute(
        """
        WITH told AS (
            SELECT subreddit, fullname, greatest(num_comments, 0) AS told FROM documents
            WHERE kind = 'submissions' AND date BETWEEN $first AND $last
                AND created_utc >= $start AND created_utc < $end
        ), seen AS (
            SELECT thread, count(*) AS seen FROM part_documents
            WHERE kind = 'comments' AND date >= $first GROUP BY thread
        )
        SELECT subreddit, count(*), sum(told)::BIGINT, sum(least(told, coalesce(seen, 0)))::BIGINT
        FROM told LEFT JOIN seen ON thread = fullname GROUP BY subreddit
        """,
        bounds,
    ).fetchall()
    return {row[0]: (row[1], row[2] or 0, row[3] or 0) for row in rows}
