"""What stands in the augmented zone of a lake."""

from typing import Any

from market_opinion.augmented_store import AugmentedStore
from reddit_ingest.bootstrap import LocalLake


def table(lake: LocalLake, name: str) -> list[dict[str, Any]]:
    """Return the rows of a table, all subreddits and days in order."""
    store = AugmentedStore(lake.augmented())
    return [
        row
        for subreddit in store.subreddits()
        for day in sorted(store.days(name, subreddit))
        for row in store.read(name, subreddit, day).to_pylist()
    ]
