"""`show`: print landed items so that a person can read them."""

import json
import os
from collections.abc import Iterator
from typing import Any

import click

from reddit_ingest.core.keys import COMMENTS, KINDS, SUBMISSIONS
from reddit_ingest.core.names import subreddit_key
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.core.tombstones import is_expired
from reddit_ingest.view import rows

from .display import harmless, moment
from .options import Moment, ReadableLake, json_option, lake_to_read


@click.command()
@click.argument("subreddit")
@lake_to_read
@click.option("--kind", type=click.Choice(KINDS), default=SUBMISSIONS, show_default=True)
@click.option("--start", "start_ts", type=Moment(), default=0, show_default="everything", help="Created from here on.")
@click.option("--end", "end_ts", type=Moment(), default=2**40, show_default="everything", help="Created before.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many, newest first."
)
@click.option("--contains", default="", help="Only items whose text holds this.")
@json_option
def show(
    subreddit: str,
    lake: ReadableLake,
    kind: str,
    start_ts: int,
    end_ts: int,
    limit: int,
    contains: str,
    as_json: bool,
) -> None:
    """Print landed submissions or comments, newest first, each once, as last seen.

    \b
    Examples:
      market-opinion show smartphones --limit 5
      market-opinion show smartphones --kind comments --contains battery
      market-opinion show smartphones --aws --limit 3
      market-opinion show smartphones --start 2026-01-06T10:00 --end 2026-01-06T11:00 --json

    With --json one whole row a line is printed, as in the data contract.
    """
    prefix = IngestSettings.from_mapping(os.environ).landing_prefix
    found = rows(lake.reader(), f"{prefix}{subreddit_key(subreddit)}/", kind).values()
    fitting = [
        row for row in found if start_ts <= row["created_utc"] < end_ts and contains.lower() in _text(row).lower()
    ]
    newest = sorted(fitting, key=lambda row: (-row["created_utc"], row["fullname"]))[:limit]
    for row in newest:
        click.echo(json.dumps(row, ensure_ascii=False) if as_json else "\n".join(_readable(row, kind)) + "\n")
    if not newest:
        click.echo(f"nothing landed for r/{subreddit} fits; see `market-opinion status {subreddit}`", err=True)


def _text(row: dict[str, Any]) -> str:
    return " ".join(row[field] for field in ("title", "selftext", "body") if row.get(field))


def _readable(row: dict[str, Any], kind: str) -> Iterator[str]:
    author = f"u/{row['author']}" if row["author"] else "author not kept" if is_expired(row, kind) else "[deleted]"
    score = "score hidden" if row.get("score_hidden") else f"score {row['score']}"
    edited = f", edited {moment(row['edited'])}" if row["edited"] else ""
    yield _one_line(f"{row['fullname']}  {moment(row['created_utc'])} UTC  {author}  {score}{edited}")
    if is_expired(row, kind):
        yield "  text no longer kept"
    elif kind == COMMENTS:
        yield from _indented(row["body"])
    else:
        yield _one_line(f"  {row['title']}  [{row['num_comments']} comments]")
        yield from _indented(row["selftext"])
    if first := row.get("first_text"):
        yield from _indented("when first seen: " + " / ".join(value for value in first.values() if value))
    if row.get("permalink"):
        yield _one_line(f"  https://www.reddit.com{row['permalink']}")


def _one_line(text: str) -> str:
    return harmless(text).replace("\n", " ")


def _indented(text: str | None) -> Iterator[str]:
    for line in harmless(text or "").split("\n"):
        if line.strip():
            yield f"  | {line}"
