"""`simulator`: a Reddit on this machine, for trying things out and for tests."""

from pathlib import Path

import click

from reddit_ingest.core.errors import InvalidRequest, LakeNotUsable
from reddit_ingest.core.ports import Clock
from reddit_sim import GeneratedWorld, HostilePlan, RecordedWorld, World
from reddit_sim.serve import serve

from .options import now_option

_DAY_S = 86_400


@click.command()
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of the generated world.")
@click.option("--submissions", type=click.Path(path_type=Path), help="Recorded submissions instead: NDJSON, .gz, .zst.")
@click.option("--comments", type=click.Path(path_type=Path), help="Recorded comments: NDJSON, .gz or .zst.")
@click.option("--days", type=click.IntRange(1, 60), default=3, show_default=True, help="Days that lie behind --now.")
@now_option
@click.option("--port", type=click.IntRange(0, 65535), default=8010, show_default=True, help="0 takes any free port.")
@click.option("--hostile", default="", help="Faults: a JSON file, JSON, or random:SEED[:RATE]; see docs/simulator.md.")
def simulator(
    seed: int,
    submissions: Path | None,
    comments: Path | None,
    days: int,
    clock: Clock,
    port: int,
    hostile: str,
) -> None:
    """Serve a simulated Reddit until Ctrl-C.

    \b
    Examples:
      market-opinion simulator --seed 7
      market-opinion simulator --submissions RS_2019-10.zst --now 2019-10-02T00:03
      market-opinion simulator --hostile random:1:0.05

    It prints the variables that point the other commands at it. Its clock starts at --now and goes on; set it with
    POST /_sim/clock.
    """
    now_ts = clock.now_ts()
    world = _world(seed, submissions, comments, now_ts - days * _DAY_S)
    try:
        plan = HostilePlan.parse(hostile) if hostile else None
    except (ValueError, OSError) as error:
        raise InvalidRequest(f"--hostile: {error}") from error
    try:
        serve(world, now_ts=now_ts, port=port, hostile=plan, on_ready=_announce)
    except OSError as error:
        raise LakeNotUsable(f"cannot listen on port {port}: {error.strerror}; choose another with --port") from error


def _world(seed: int, submissions: Path | None, comments: Path | None, start_ts: int) -> World:
    if not submissions and not comments:
        return GeneratedWorld(seed=seed, start_ts=start_ts - start_ts % _DAY_S)
    try:
        return RecordedWorld.from_files(
            submissions=[submissions] if submissions else [], comments=[comments] if comments else []
        )
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"cannot read the recording: {error}") from error


def _announce(url: str) -> None:
    click.echo(f"Reddit simulator at {url} (Ctrl-C ends it). In another terminal:\n", err=True)
    for name, value in environment(url).items():
        click.echo(f"export {name}='{value}'")


def environment(url: str) -> dict[str, str]:
    """Return the variables that point the other commands at a simulator."""
    return {
        "REDDIT_CLIENT_ID": "simulator",
        "REDDIT_CLIENT_SECRET": "simulator",
        "REDDIT_USER_AGENT": "any:market-opinion:v1 (by /u/simulator)",
        "REDDIT_OAUTH_URL": url,
        "REDDIT_URL": url,
        "ARCTIC_SHIFT_URL": url,
    }
