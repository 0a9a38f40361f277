"""A report and every documented query over ten million mentions: seconds, memory, and the same over JSONL.

The zone is generated: 10 subreddits x 100 days, 6 documents to 10 mentions, authors with a long tail, brands, products
and aspects of the smartphone market; texts are a sentence each. `report` is the whole command in a process of its own,
from start to the file; it shows the last 7 days against the 7 before, with 28 days of baseline. A query is timed from
the open warehouse to its last row; every one is one of `docs/queries.md`. The peer answers the same questions of
figures (share of voice, net sentiment, aspects, with intervals) by the same SQL over the same mentions as gzipped
JSONL, partitioned by day and subreddit, too.

    python -m bench.report [--mentions 10000000] [--runs 3] [--folder build/big] [--json]

The zone is kept in the folder and made once. Medians are shown.
"""

import argparse
import json
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from market_opinion.analysis.opinions import by_aspect, load_mentions, opinions, shares
from market_opinion.analysis.periods import Period
from market_opinion.analysis.warehouse import open_warehouse
from market_opinion.market import load_market
from market_opinion.tables import MENTIONS
from reddit_ingest.bootstrap import LocalLake

ROOT = Path(__file__).resolve().parents[1]
QUERIES = ROOT / "docs" / "queries.md"
START_TS, DAYS, SUBREDDITS = 1_767_225_600, 100, 10
LAST = date(2026, 4, 10)
MARKET = "smartphones"

_STAMP = "'smartphones' AS market, '1' AS market_version, 'linear' AS engine, '0123456789abcdef' AS model"
_DATE = "strftime(make_timestamp(created_utc * 1000000), '%Y-%m-%d') AS date"
_PLACES = f"'sub' || (hash((d - d % 10) * 29) % 10) AS subreddit, {_DATE}"

# `d` is the number of a document. Every tenth is a submission; the others answer one of the same subreddit and time.
_DOCUMENTS = f"""
CREATE TABLE documents AS
SELECT *, {_PLACES}, {_STAMP} FROM (
    SELECT d, CASE WHEN d % 10 = 0 THEN 't3_' ELSE 't1_' END || printf('%x', d + 100000000) AS fullname,
        CASE WHEN d % 10 = 0 THEN 'submissions' ELSE 'comments' END AS kind,
        ({START_TS} + (d // 10 % {DAYS}) * 86400 + hash(d) % 86400)::BIGINT AS created_utc,
        ({START_TS} + {DAYS} * 86400)::BIGINT AS observed_at_ts, NULL::BIGINT AS edited,
        'user_' || (pow(hash(d * 19) % 1000000 / 1e6, 3) * 600000)::INT AS author,
        't3_' || printf('%x', d - d % 10 + 100000000) AS thread, NULL::VARCHAR AS parent,
        (pow(hash(d * 31) % 1000 / 1e3, 6) * 900)::BIGINT AS score,
        CASE WHEN d % 10 = 0 THEN 9::BIGINT END AS num_comments,
        '/r/sub/comments/' || printf('%x', d) || '/' AS permalink,
        CASE WHEN d % 10 = 0 THEN 'What do you think of number ' || d || '?' ELSE '' END AS title,
        'Honestly, after ' || (d % 977) || ' days of daily use I would say the thing does what I bought it for.'
            AS text, 'en' AS language,
        CASE WHEN hash(d * 23) % 25 = 0 THEN ['near-duplicate'] WHEN hash(d * 23) % 90 = 1 THEN ['bot'] ELSE [] END
            ::VARCHAR[] AS flags
    FROM (SELECT unnest(range($documents)) AS d)
)
"""

_MENTIONS = f"""
CREATE TABLE mentions AS
SELECT * EXCLUDE (subreddit, date, brands, aspects_told, market, market_version, engine, model, d, text), subreddit,
    date, {_STAMP} FROM (
    SELECT d.fullname, n::INT AS number, d.created_utc, 0::INT AS start, 8::INT AS "end", d.text AS quote, d.text,
        0::INT AS quote_start, length(d.text)::INT AS quote_end,
        $brands AS brands, $aspects AS aspects_told,
        brands[1 + (pow(hash(d.d * 7 + n) % 1000 / 1e3, 2) * (len(brands) - 1))::INT] AS brand,
        brand || '-' || (hash(d.d * 3 + n) % 12) AS product, brand AS alias, 'strong' AS rule, 1::FLOAT AS confidence,
        0.1::FLOAT AS p_negative, 0.2::FLOAT AS p_neutral, 0.7::FLOAT AS p_positive,
        ['negative', 'neutral', 'positive'][1 + (hash(d.d * 11 + n) % 3)::INT] AS label, false AS calibrated,
        CASE WHEN hash(d.d * 13 + n) % 10 < 5 THEN [aspects_told[1 + (hash(d.d * 17 + n) % len(aspects_told))::INT]]
            ELSE [] END::VARCHAR[] AS aspects,
        d.author, d.thread, d.score, d.flags, d.subreddit, d.date, d.market, d.market_version, d.engine, d.model, d.d
    FROM documents d, (SELECT unnest(range(5)) AS n) WHERE n <= hash(d.d * 41) % 3 * (hash(d.d * 43) % 10 < 7)::INT
        + (hash(d.d * 47) % 15 = 0)::INT
)
"""

_DAILY = f"""
CREATE TABLE daily_opinion AS
SELECT subreddit, date, brand, aspect, count(*) FILTER (flags = []) AS mentions,
    count(DISTINCT author) FILTER (flags = []) AS authors,
    count(*) FILTER (flags = [] AND label = 'negative') AS negative,
    count(*) FILTER (flags = [] AND label = 'neutral') AS neutral,
    count(*) FILTER (flags = [] AND label = 'positive') AS positive,
    count(*) AS all_mentions, count(*) FILTER (label = 'negative') AS all_negative,
    count(*) FILTER (label = 'neutral') AS all_neutral, count(*) FILTER (label = 'positive') AS all_positive, {_STAMP}
FROM (SELECT *, unnest(list_append(aspects, NULL)) AS aspect FROM mentions) GROUP BY subreddit, date, brand, aspect
"""

_COMPARISONS = f"""
CREATE TABLE comparisons AS
SELECT a.fullname, a.created_utc, 0::INT AS winner, 1::INT AS loser, a.brand AS winner_brand,
    a.product AS winner_product,
    b.brand AS loser_brand, b.product AS loser_product, a.aspects, 0.9::FLOAT AS probability, 0::INT AS start,
    9::INT AS "end", a.author, a.thread, a.score, a.flags, a.subreddit, a.date, {_STAMP}
FROM mentions a JOIN mentions b USING (fullname) WHERE a.number = 0 AND b.number = 1 AND hash(a.fullname) % 5 = 0
"""

_COVERAGE = f"""
SELECT ({START_TS} + h * 3600)::BIGINT AS hour_ts, 'complete' AS status, 'complete' AS submissions_status,
    'complete' AS comments_status, 'reddit-api' AS submissions_source, 'reddit-api' AS comments_source,
    'sub' || s AS subreddit
FROM (SELECT unnest(range({DAYS * 24})) AS h), (SELECT unnest(range({SUBREDDITS})) AS s)
"""


def make_zone(folder: Path, mentions: int) -> LocalLake:
    """Make the zone, unless it is there, and return its lake."""
    lake = LocalLake(folder / f"lake-{mentions}")
    done = lake.root / "made"
    if done.exists():
        return lake
    shutil.rmtree(lake.root, ignore_errors=True)
    lake.landing.mkdir(parents=True)
    market = load_market(MARKET)
    names = {"brands": [brand.id for brand in market.brands], "aspects": list(market.aspects)}
    with duckdb.connect(str(folder / "making.duckdb")) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(_DOCUMENTS, {"documents": round(mentions * 0.6)})
        connection.execute(_MENTIONS, names)
        connection.execute(_DAILY)
        connection.execute(_COMPARISONS)
        for table in ("documents", "mentions", "daily_opinion", "comparisons"):
            columns = "* EXCLUDE (d)" if table == "documents" else "*"
            rows = f"SELECT {columns} FROM {table} ORDER BY subreddit, date"
            write(connection, rows, lake, table, "PARTITION_BY (subreddit, date)")
        write(connection, _COVERAGE, lake, "coverage", "PARTITION_BY (subreddit)")
        columns = ", ".join(f'"{name}"' for name in MENTIONS.names)
        target = lake.root / "jsonl" / "mentions"
        target.parent.mkdir()
        connection.execute(
            f"COPY (SELECT {columns}, subreddit, date FROM mentions ORDER BY subreddit, date) TO '{target}'"
            " (FORMAT json, COMPRESSION gzip, PARTITION_BY (subreddit, date))"
        )
    (folder / "making.duckdb").unlink()
    done.touch()
    return lake


def write(connection: duckdb.DuckDBPyConnection, rows: str, lake: LocalLake, table: str, how: str) -> None:
    """Write a table as parts, under the names that augmentation gives them."""
    target = lake.root / "augmented" / table
    target.parent.mkdir(exist_ok=True)
    connection.execute(f"COPY ({rows}) TO '{target}' (FORMAT parquet, COMPRESSION zstd, {how})")
    for part in target.rglob("data_*.parquet"):
        kept = part.with_name("part.parquet")
        assert not kept.exists(), "a partition was written in two pieces"
        part.rename(kept)


def run_report(lake: LocalLake, folder: Path) -> tuple[float, float]:
    """Run the command; return its seconds and its peak memory in MB."""
    command = [sys.executable, "-m", "market_opinion.cli", "report", "--lake", str(lake.root)]
    measured = [sys.executable, "-c", _MEASURING, *command, "--output", str(folder / "report.html")]
    told = json.loads(subprocess.run(measured, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    return told["seconds"], told["megabytes"]


# The process that measures starts nothing else, so the largest of its children is the command.
_MEASURING = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
seconds = time.perf_counter() - began
print(json.dumps({"seconds": seconds, "megabytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024}))
"""


def documented_queries() -> list[tuple[str, str]]:
    """Return title and SQL of every documented query."""
    pairs = re.findall(r"^#{2,3} (.+?)\n(.*?)(?=^#{2,3} |\Z)", QUERIES.read_text(), re.MULTILINE | re.DOTALL)
    return [(title, sql) for title, text in pairs for sql in re.findall(r"```sql\n(.*?)```", text, re.DOTALL)]


def timed(work: Callable[[], Any], runs: int) -> float:
    """Return the median of seconds."""
    found = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def figures(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Answer the questions that both ways are asked."""
    load_mentions(connection, MARKET, "UTC", Period.ending(LAST, 14), Period.ending(LAST, 7))
    return {
        "net": opinions(connection, ("span", "brand")),
        "shares": shares(connection),
        "aspects": by_aspect(connection),
    }


def figures_of_parquet(lake: LocalLake) -> dict[str, Any]:
    """Answer them from the zone."""
    with open_warehouse(lake.augmented().reader, Period.ending(LAST, 14).first, LAST) as connection:
        return figures(connection)


def figures_of_jsonl(lake: LocalLake) -> dict[str, Any]:
    """Answer them from JSONL; only the days in question are read here, too."""
    types = {field.name: _TYPES.get(str(field.type), "VARCHAR") for field in MENTIONS}
    columns = ", ".join(f"{name!r}: {kind!r}" for name, kind in types.items())
    with open_warehouse(lake.augmented().reader, LAST, LAST) as connection:
        connection.execute(
            f"""
            CREATE OR REPLACE VIEW part_mentions AS SELECT * FROM read_json(
                '{lake.root}/jsonl/mentions/*/*/*.json*', format = 'newline_delimited', hive_partitioning = true,
                columns = {{{columns}, 'subreddit': 'VARCHAR', 'date': 'DATE'}})
            """
        )
        return figures(connection)


_TYPES = {
    "int64": "BIGINT",
    "int32": "INTEGER",
    "float": "FLOAT",
    "bool": "BOOLEAN",
    "list<element: string>": "VARCHAR[]",
}
_TYPES |= {"list<item: string>": "VARCHAR[]"}


def measure(folder: Path, mentions: int, runs: int) -> dict[str, Any]:
    """Measure all of it."""
    lake = make_zone(folder, mentions)
    reports = [run_report(lake, folder) for _ in range(runs)]
    assert figures_of_parquet(lake) == figures_of_jsonl(lake)
    told: dict[str, Any] = {
        "report_s": statistics.median(seconds for seconds, _ in reports),
        "report_mb": max(megabytes for _, megabytes in reports),
        "html_mb": (folder / "report.html").stat().st_size / 1e6,
        "figures_s": timed(lambda: figures_of_parquet(lake), runs),
        "figures_of_jsonl_s": timed(lambda: figures_of_jsonl(lake), runs),
    }
    with open_warehouse(lake.augmented().reader) as connection:
        told["rows"] = dict(
            connection.execute(
                "SELECT 'mentions', count(*) FROM mentions UNION ALL SELECT 'documents', count(*) FROM documents"
            ).fetchall()
        )
        told["queries_s"] = {
            title: timed(lambda sql=sql: connection.execute(sql).fetchall(), runs)
            for title, sql in documented_queries()
        }
    told["all_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return told


def show(told: dict[str, Any]) -> None:
    """Print what was measured."""
    print(f"{told['rows']['mentions']:,} mentions in {told['rows']['documents']:,} documents")
    print(
        f"report            {told['report_s']:8.2f} s   goal 10"
        f"   peak {told['report_mb']:,.0f} MB   {told['html_mb']:.1f} MB of HTML"
    )
    ratio = told["figures_of_jsonl_s"] / told["figures_s"]
    print(f"figures, Parquet  {told['figures_s']:8.2f} s")
    print(f"figures, JSONL    {told['figures_of_jsonl_s']:8.2f} s   {ratio:.1f} times as long")
    for title, seconds in told["queries_s"].items():
        print(f"{seconds:8.2f} s{' ' if seconds < 1 else '!'} {title}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mentions", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "big")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    told = measure(given.folder, given.mentions, given.runs)
    if given.json:
        print(json.dumps(told, indent=1))
    else:
        show(told)


if __name__ == "__main__":
    main()
