"""Serving until Ctrl-C, for the command `market-opinion simulator`."""

import threading
from collections.abc import Callable

from .hostile import HostilePlan
from .quota import Quota
from .server import Simulator
from .world import World


def serve(
    world: World,
    now_ts: int,
    port: int,
    hostile: HostilePlan | None,
    on_ready: Callable[[str], None],
    quota: Quota | None = None,
) -> None:
    """Serve a world whose clock goes on from `now_ts`; call `on_ready` with the address, then block.

    Raises:
        OSError: the port is taken.
    """
    with Simulator(world, now_ts=now_ts, port=port, hostile=hostile, quota=quota, ticking=True) as simulator:
        on_ready(simulator.url)
        threading.Event().wait()
