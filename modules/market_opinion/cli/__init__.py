"""The command line `market-opinion`: a thin skin over the rooms. Results on stdout, progress and messages on stderr.

Exit codes: 0 done, 1 failed (a person must act), 2 usage, 3 incomplete (the same command may do better later), and of
`alerts` 4: there are some.
"""

import logging
import sys
from importlib import import_module

import click

from reddit_ingest import __version__
from reddit_ingest.core.errors import EXIT_INCOMPLETE, PlatformError

_COMMANDS = {
    "ingest": ("ingest", "ingest"),
    "backfill": ("ingest", "backfill"),
    "import": ("importing", "import_dumps"),
    "gaps": ("gaps", "gaps"),
    "plan": ("plan", "plan"),
    "refresh": ("refresh", "refresh"),
    "augment": ("augment", "augment"),
    "calibrate": ("calibrate", "calibrate"),
    "report": ("report", "report"),
    "query": ("query", "query"),
    "alerts": ("alerts", "alerts"),
    "evaluate": ("evaluate", "evaluate"),
    "status": ("status", "status"),
    "show": ("show", "show"),
    "verify": ("verify", "verify"),
    "repair": ("repair", "repair"),
    "forget": ("forget", "forget"),
    "market": ("market", "market"),
    "demo": ("demo", "demo"),
    "simulator": ("simulator", "simulator"),
}
"""Module and name of every command. Nobody waits for the libraries of a command that was not asked for."""


class _Group(click.Group):
    """Finds commands, and turns the platform's errors into one line on stderr and the documented exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f".{module}", __package__), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except PlatformError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("Interrupted: every finished window is safe; run the same command again to go on.", err=True)
            ctx.exit(EXIT_INCOMPLETE)
        except BrokenPipeError:
            sys.stderr.close()  # the reader of our output has gone; there is nobody to tell
            ctx.exit(0)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]}, epilog="Docs: README.md and docs/.")
@click.version_option(__version__, prog_name="market-opinion")
@click.option("-v", "--verbose", is_flag=True, help="Log every step to stderr.")
def main(verbose: bool) -> None:
    """Record what people say on Reddit about competing products, hour by hour, with proof of what was seen.

    \b
    Without an account:
      market-opinion demo
    With REDDIT_CLIENT_ID, REDDIT_CLIENT_SECRET and REDDIT_USER_AGENT set:
      market-opinion ingest android iphone
      market-opinion status

    Exit codes: 0 done, 1 failed, 2 usage, 3 incomplete, try later, 4 there are alerts.
    """
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO if verbose else logging.CRITICAL,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
