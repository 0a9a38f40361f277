"""`repair`: put a lake in order from what its manifests say."""

import json
import os
from collections.abc import Sequence
from typing import Any

import click
from rich.text import Text

from reddit_ingest.bootstrap import LocalLake, local_pipeline
from reddit_ingest.core.errors import EXIT_DONE, EXIT_FAILED, EXIT_INCOMPLETE
from reddit_ingest.core.invocation import IngestRequest, Mode
from reddit_ingest.core.names import subreddit_key
from reddit_ingest.core.ports import Clock
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.core.windows import Window, hourly, iso
from reddit_ingest.pipeline import Pipeline, SubredditOutcome
from reddit_ingest.repairing import Outcome, Repairer, Step

from .display import LiveProgress, console, harmless, table
from .ingest import exit_code, print_outcomes
from .options import json_option, lake_to_read, now_option

_STYLE = {Outcome.DONE: "green", Outcome.KEPT: "", Outcome.LATER: "yellow", Outcome.STUCK: "red"}

Spans = dict[str, list[Window]]


@click.command()
@click.argument("subreddits", nargs=-1)
@lake_to_read
@now_option
@click.option("--drop-orphans", is_flag=True, help="Erase what no manifest names, instead of adopting it.")
@click.option("--rerun", is_flag=True, help="Then read failed hours, and hours that nobody looked at, from Reddit.")
@json_option
def repair(subreddits: Sequence[str], lake: Any, clock: Clock, drop_orphans: bool, rerun: bool, as_json: bool) -> None:
    """Put the lake in order from what its manifests say; `market-opinion verify` tells before what there is to do.

    Adopts objects that no manifest names, if all of their rows belong there; finishes purges; removes what a process
    that died had half written; writes missing run records; sets the watermark to where the manifests lead. Running it
    again, or killing it and running it again, changes nothing more. Bytes that were changed or lost it cannot mend.

    --rerun reads like `backfill` and needs Reddit's credentials. With --aws it prints the commands that let the
    deployed function do it, and objects younger than an hour are not erased: a run may be about to commit them.

    \b
    Examples:
      market-opinion repair
      market-opinion repair android --rerun
      market-opinion repair android --drop-orphans
      market-opinion repair --aws

    Exit codes: 0 in order, 1 a person must act, 3 something is left for later: hours to read again, objects that are
    too young.
    """
    settings = IngestSettings.from_mapping(os.environ)
    is_local = isinstance(lake, LocalLake)
    names = list(dict.fromkeys(map(subreddit_key, subreddits))) or lake.verifier(settings, clock).subreddits()[0]
    repairer: Repairer = lake.repairer(settings, clock)
    with LiveProgress() as progress:
        pipeline = local_pipeline(lake, settings, os.environ, clock, progress) if rerun and is_local else None
        if isinstance(lake, LocalLake):
            with lake.locked(progress):
                steps, outcomes, left = _repair(repairer, names, drop_orphans, pipeline)
        else:
            steps, outcomes, left = _repair(repairer, names, drop_orphans, None)
    if as_json:
        click.echo(json.dumps(_as_dict(steps, outcomes, left), indent=1))
    else:
        _print(steps, outcomes, left, lake if isinstance(lake, LocalLake) else None)
    click.get_current_context().exit(_exit_code(steps, outcomes, left))


def _repair(
    repairer: Repairer, names: Sequence[str], drop_orphans: bool, pipeline: Pipeline | None
) -> tuple[list[Step], list[SubredditOutcome], Spans]:
    """Repair, and with a pipeline read again what is to be read; return the spans that are left to be read."""
    steps = [step for name in names for step in repairer.repair(name, drop_orphans)]
    spans = {name: found for name in names if (found := repairer.to_read_again(name))}
    if pipeline is None:
        return steps, [], spans
    requests = [
        IngestRequest(Mode.BACKFILL, (name,), tuple(hourly(span.start_ts, span.end_ts)))
        for name, found in spans.items()
        for span in found
    ]
    outcomes = [outcome for request in requests for outcome in pipeline.run(request)]
    # What was read now may lead the watermark on.
    steps += [step for name in spans for step in repairer.repair(name, drop_orphans) if step not in steps]
    return steps, outcomes, {name: found for name in spans if (found := repairer.to_read_again(name))}


def _print(
    steps: Sequence[Step], outcomes: Sequence[SubredditOutcome], left: Spans, local_lake: LocalLake | None
) -> None:
    out = console()
    if steps:
        out.print(table(("", "where", "what"), [_row(step) for step in steps]))
    elif not left:
        out.print("nothing to repair")
    if outcomes and local_lake:
        out.print()
        print_outcomes(outcomes, local_lake)
    for name, spans in left.items():
        for span in spans:
            words = f"market-opinion backfill {name} --start {iso(span.start_ts)} --end {iso(span.end_ts)}"
            if local_lake:
                click.echo(
                    f"r/{name} {span} is still to be read: `market-opinion repair --rerun` or `{words}`", err=True
                )
            else:
                out.print(f"{words} --function FUNCTION", soft_wrap=True)


def _row(step: Step) -> list[object]:
    return [Text(str(step.outcome), style=_STYLE[step.outcome]), harmless(step.place), harmless(step.text)]


def _as_dict(steps: Sequence[Step], outcomes: Sequence[SubredditOutcome], left: Spans) -> dict[str, Any]:
    return {
        "steps": [{name: str(getattr(step, name)) for name in Step.__slots__} for step in steps],
        "read": [outcome.to_dict() for outcome in outcomes],
        "to_read": [
            {"subreddit": name, "start_ts": span.start_ts, "end_ts": span.end_ts}
            for name, spans in left.items()
            for span in spans
        ],
    }


def _exit_code(steps: Sequence[Step], outcomes: Sequence[SubredditOutcome], left: Spans) -> int:
    if any(step.outcome is Outcome.STUCK for step in steps):
        return EXIT_FAILED
    if code := exit_code(outcomes):
        return code
    return EXIT_INCOMPLETE if left or any(step.outcome is Outcome.LATER for step in steps) else EXIT_DONE
