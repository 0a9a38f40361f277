"""`market`: look after the file that says which brands and products are looked for."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import click

from reddit_ingest.core.errors import EXIT_DONE, EXIT_FAILED, InvalidSetting

from ..market import Market, check_market, shipped_markets
from .display import console, harmless, table
from .options import json_option


@click.group()
def market() -> None:
    """Look after market files: brands, products, how people write them, and aspects.

    \b
    Examples:
      market-opinion market list
      market-opinion market check smartphones
      market-opinion market check ./my-market.toml
    """


@market.command("list")
@json_option
def list_markets(as_json: bool) -> None:
    """List the markets that come with the program; any of them is a pattern for one's own.

    \b
    Examples:
      market-opinion market list
      market-opinion market list --json
    """
    found = [shown for name in shipped_markets() if (shown := check_market(name)[0])]
    if as_json:
        click.echo(json.dumps([_to_dict(shown) for shown in found], indent=1))
        return
    columns = ("market", "version", "#brands", "#products", "#aspects", "#subreddits", "title")
    rows = [
        [one.name, one.version, len(one.brands), len(one.products), len(one.aspects), len(one.subreddits), one.title]
        for one in found
    ]
    console().print(table(columns, rows))


@market.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@json_option
def check(files: Sequence[str], as_json: bool) -> None:
    """Check market files, and tell every fault with its line. FILE is a path, or the name of a shipped market.

    \b
    Examples:
      market-opinion market check ./my-market.toml
      market-opinion market check smartphones espresso --json

    Exit codes: 0 no fault, 1 faults, or a file that cannot be read.
    """
    answers = [_checked(file) for file in files]
    if as_json:
        click.echo(json.dumps(answers, indent=1))
    for answer in () if as_json else answers:
        for line in _lines(answer):
            click.echo(harmless(line))
    click.get_current_context().exit(EXIT_FAILED if any(answer["faults"] for answer in answers) else EXIT_DONE)


def _checked(file: str) -> dict[str, Any]:
    try:
        found, faults = check_market(file)
    except InvalidSetting as error:
        return {"file": file, "faults": [{"line": None, "message": str(error)}]}
    return {"file": file, "faults": [asdict(fault) for fault in faults], **(_to_dict(found) if found else {})}


def _lines(answer: dict[str, Any]) -> Iterator[str]:
    for fault in answer["faults"]:
        yield fault["message"] if fault["line"] is None else f"{answer['file']}:{fault['line']}: {fault['message']}"
    if not answer["faults"]:
        counts = ", ".join(f"{answer[what]:,} {what}" for what in ("brands", "products"))
        yield (
            f"{answer['file']}: no fault; {answer['market']} {answer['version']}: {counts},"
            f" {len(answer['aspects'])} aspects, {len(answer['subreddits'])} subreddits"
        )


def _to_dict(found: Market) -> dict[str, object]:
    return {
        "market": found.name,
        "version": found.version,
        "title": found.title,
        "sha256": found.sha256,
        "time_zone": found.time_zone,
        "brands": len(found.brands),
        "products": len(found.products),
        "aspects": found.aspects,
        "subreddits": found.subreddits,
    }
