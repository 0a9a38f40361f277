"""`verify`: is everything there that the lake says it holds?"""

import functools
import json
import os
from collections.abc import Sequence
from typing import Any, Protocol

import click
from rich.text import Text

from reddit_ingest.core.errors import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, PlatformError
from reddit_ingest.core.names import subreddit_key
from reddit_ingest.core.ports import Clock
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.verification import Finding, Report, Severity, Verifier

from .display import LiveProgress, console, harmless, table
from .options import Command, json_option, lake_to_read, now_option

_STYLE = {Severity.DAMAGE: "red", Severity.NOTE: "yellow"}


class VerifiableLake(Protocol):
    """A lake that can be looked at for damage, in a folder or on AWS."""

    def verifier(self, settings: IngestSettings, clock: Clock) -> Verifier:
        """Return what looks for damage."""
        ...


def _exits_2_where_it_cannot_look(command: Command) -> Command:
    @functools.wraps(command)
    def looking(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except PlatformError as error:
            click.echo(f"Error: {harmless(error)}", err=True)
            click.get_current_context().exit(EXIT_USAGE)

    return looking


@click.command()
@_exits_2_where_it_cannot_look
@click.argument("subreddits", nargs=-1)
@lake_to_read
@now_option
@json_option
def verify(subreddits: Sequence[str], lake: VerifiableLake, clock: Clock, as_json: bool) -> None:
    """Look at every manifest, object and row, and tell what is damaged, left over or missing. Changes nothing.

    Checked: hashes and counts, rows and the windows they stand in, hours that nobody looked at, the watermark, what no
    manifest names, run records, purges that are due. It may run while others write. With --aws every object is a
    request; name a subreddit when the lake is large.

    \b
    Examples:
      market-opinion verify
      market-opinion verify android --lake lake --json
      market-opinion verify --aws

    Exit codes: 0 all is well (there may be notes), 1 damage was found, 2 it could not be looked at: no lake, no right,
    wrong use.
    """
    verifier = lake.verifier(IngestSettings.from_mapping(os.environ), clock)
    names, report = verifier.subreddits()
    if subreddits:
        names, report = list(dict.fromkeys(map(subreddit_key, subreddits))), Report()
    with LiveProgress() as progress:
        for name in names:
            report.add(verifier.verify(name, progress.step))
    if as_json:
        click.echo(json.dumps(_as_dict(names, report), indent=1))
    else:
        _print(names, report)
    click.get_current_context().exit(EXIT_DONE if report.is_sound else EXIT_FAILED)


def _print(names: Sequence[str], report: Report) -> None:
    out = console()
    if report.findings:
        # Damage first; within that, in the order of the lake.
        ordered = sorted(report.findings, key=lambda finding: finding.severity is not Severity.DAMAGE)
        out.print(table(("", "what", "where", "finding"), [_row(finding) for finding in ordered]))
        out.print()
    damaged = sum(finding.severity is Severity.DAMAGE for finding in report.findings)
    notes = len(report.findings) - damaged
    out.print(
        f"Checked {_many(len(names), 'subreddit')}: {_many(report.windows, 'window')},"
        f" {_many(report.objects, 'object')}, {_many(report.rows, 'row')}, {report.bytes:,} bytes:"
        f" {damaged or 'no'} damage, {_many(notes, 'note')}.",
        soft_wrap=True,
    )


def _row(finding: Finding) -> list[object]:
    severity = Text(str(finding.severity), style=_STYLE[finding.severity])
    return [severity, finding.kind, harmless(finding.place), harmless(finding.text)]


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _as_dict(names: Sequence[str], report: Report) -> dict[str, Any]:
    findings = [{name: str(getattr(finding, name)) for name in Finding.__slots__} for finding in report.findings]
    counts = {name: getattr(report, name) for name in ("windows", "objects", "rows", "bytes")}
    return {"subreddits": list(names), **counts, "is_sound": report.is_sound, "findings": findings}
