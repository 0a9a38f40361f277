"""The ledger as a table: what is claimed of every hour, so that figures can tell how much was seen."""

from collections.abc import Iterable, Sequence

import pyarrow as pa

from reddit_ingest.core.coverage import weakest
from reddit_ingest.core.keys import COMMENTS, SUBMISSIONS
from reddit_ingest.core.manifest import Manifest
from reddit_ingest.gaps import attempts_by_hour
from reddit_ingest.view import claims_of

from .tables import COVERAGE


def coverage_of(found: Iterable[Manifest]) -> pa.Table:
    """Return a row for every hour that the manifests of a subreddit claim something about, in order of time.

    A claim per kind is the strongest of all attempts, the status of the hour the weaker of both. A window of a day
    stands in all its hours.
    """
    rows = [_row(hour.start_ts, made) for hour, made in attempts_by_hour(found).items()]
    return pa.Table.from_pylist(rows, COVERAGE)


def _row(hour_ts: int, made: Sequence[Manifest]) -> dict[str, int | str | None]:
    best = claims_of(made)
    statuses = {kind: manifest.coverage[kind].status for kind, manifest in best.items()}
    sources = {kind: manifest.source for kind, manifest in best.items()}
    return {
        "hour_ts": hour_ts,
        "status": weakest(statuses.values()),
        "submissions_status": statuses.get(SUBMISSIONS),
        "comments_status": statuses.get(COMMENTS),
        "submissions_source": sources.get(SUBMISSIONS),
        "comments_source": sources.get(COMMENTS),
    }
