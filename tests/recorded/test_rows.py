"""Every recorded submission and comment becomes a row, and nothing of it is lost."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reddit_ingest.fetchers import is_listing
from reddit_ingest.reddit_client import RedditConnection
from reddit_ingest.serializers import CommentSerializer, SubmissionSerializer, encode_row

from .replay import Exchange, ReplayServer, things

Api = Callable[[str], list[Exchange]]

COUNTS = {
    "about_subreddits_users": (9, 0, 0, 0),
    "errors": (102, 0, 0, 0),
    "go_reddit_fixtures": (7, 9, 9, 1),
    "info_batches_2016_vs_2020": (4, 123, 131, 0),
    "info_single_and_url": (19, 26, 14, 0),
    "listings_subreddit": (31, 2_235, 290, 0),
    "paging_to_exhaustion": (11, 11, 990, 0),
    "polling_streams": (57, 1_086, 2_617, 0),
    "submissions_kinds": (61, 70, 7, 0),
    "trees_3hahrw": (113, 25, 2_123, 120),
    "trees_other": (40, 122, 1_038, 518),
}
"""Exchanges, submissions, comments and `more` of each file, as the folder's README counts them."""

_RENAMED = {"all_awardings": "awards", "name": "fullname"}


def assert_nothing_lost(item: Mapping[str, Any], row: Mapping[str, Any]) -> None:
    for key, value in item.items():
        if key == "replies":
            continue
        if key in row["raw"]:
            assert row["raw"][key] == value, key
            continue
        kept = row[_RENAMED.get(key, key)]
        if (key == "author" and value in (None, "[deleted]")) or (key == "edited" and not value):
            assert kept is None
        elif key == "all_awardings":
            assert kept == (value or [])
        elif key == "created_utc":
            assert kept == int(value)
        else:
            assert kept == value, key


def landed(item: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return the row of an item, read back from its line."""
    serializer = SubmissionSerializer() if kind == "t3" else CommentSerializer()
    line = encode_row(serializer.to_dict(item))
    assert line.data.count(b"\n") == 1
    return json.loads(line.data)  # type: ignore[no-any-return]


def parsed(exchange: Exchange) -> Any:
    try:
        return exchange.json()
    except ValueError:
        return None


@pytest.mark.parametrize("name", COUNTS)
def test_every_recorded_thing_becomes_a_row_and_nothing_of_it_is_lost(api: Api, name: str) -> None:
    exchanges = api(name)
    counted: Counter[str] = Counter()
    for exchange in exchanges:
        for kind, data in things(parsed(exchange)):
            counted[kind] += 1
            if kind != "more":
                assert_nothing_lost(data, landed(data, kind))
    assert (len(exchanges), counted["t3"], counted["t1"], counted["more"]) == COUNTS[name]


def test_every_recorded_file_is_in_the_table(shared_data: Path) -> None:
    files = {path.name.removesuffix(".jsonl.gz") for path in (shared_data / "reddit" / "api").glob("*.jsonl.gz")}
    assert files == set(COUNTS)


@pytest.mark.parametrize("name", ["info_batches_2016_vs_2020", "info_single_and_url", "submissions_kinds"])
def test_what_is_read_over_http_is_what_was_recorded(
    api: Api, server: ReplayServer, connection: RedditConnection, name: str
) -> None:
    for exchange in api(name):
        server.answer = lambda question, exchange=exchange: exchange.answer  # type: ignore[misc]
        is_expected = is_listing if exchange.path == "/api/info" else lambda answer: answer is not None
        assert connection.get(exchange.path, exchange.query, is_expected) == exchange.json()
    assert len(server.questions) == len(api(name))


def test_batches_of_info_lose_what_reddit_no_longer_shows(api: Api) -> None:
    old, _, new, _ = ({data["name"] for _, data in things(each.json())} for each in api("info_batches_2016_vs_2020"))
    assert old - new


def numbered_lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        for line in file:
            yield json.loads(line)


@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [("AskWomen_2019-10_submissions", "t3", 8_271), ("RC_2005-12_comments", "t1", 1_075)],
)
def test_every_line_of_a_dump_becomes_a_row_and_nothing_of_it_is_lost(
    shared_data: Path, name: str, kind: str, count: int
) -> None:
    fullnames = set()
    for item in numbered_lines(shared_data / "reddit" / "pushshift" / f"{name}.ndjson.gz"):
        row = landed(item, kind)
        assert_nothing_lost(item, row)
        assert row["fullname"] == f"{kind}_{item['id']}"
        fullnames.add(row["fullname"])
    assert len(fullnames) == count


def test_edge_cases_of_the_dumps_are_what_the_rows_say(shared_data: Path) -> None:
    path = shared_data / "reddit" / "pushshift" / "AskWomen_2019-10_submissions.ndjson.gz"
    rows = [SubmissionSerializer().to_dict(item) for item in numbered_lines(path)]
    assert sum(row["selftext"] == "[removed]" for row in rows) == 6_643
    assert sum(row["selftext"] == "[deleted]" for row in rows) == 508
    assert sum(row["edited"] is not None for row in rows) == 271
    assert sum(row["removed_by_category"] is not None for row in rows) == 345
