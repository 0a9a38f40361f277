"""What a refresh is worth: eight simulated days read hour by hour, with it and without, side by side in one run.

The three subreddits of the simulator, two of them at a fifth of their traffic; half-way nothing runs for some hours, so
that the listings no longer reach back. The truth is what the simulator knows. Edits and deletions count where the lake
had seen the item before, and the item was at least two days old at the end.

    python -m bench.capture [--days 8] [--outage 30] [--seed 7] [--json]
"""

import argparse
import json
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from unittest import mock

import prawcore.sessions

from market_opinion.cli.simulator import environment
from reddit_ingest.bootstrap import LocalLake, local_pipeline, local_refresh
from reddit_ingest.core.invocation import IngestRequest, Mode
from reddit_ingest.core.settings import IngestSettings, RefreshSettings
from reddit_ingest.core.tombstones import Tombstone, fate
from reddit_ingest.core.windows import HOUR_S, SETTLE_S
from reddit_ingest.view import graves, lines_of, manifests
from reddit_sim import GeneratedWorld, Simulator
from reddit_sim.generated import DEFAULT_SUBREDDITS
from reddit_sim.things import Thing

WORLD_START_TS = 1_767_571_200  # 2026-01-05 00:00 UTC
START_TS = WORLD_START_TS + 24 * HOUR_S  # threads of the day before are alive
SUBREDDITS = tuple(spec.name.lower() for spec in DEFAULT_SUBREDDITS)
OLD_S = 48 * HOUR_S


@dataclass
class Clock:
    """The simulated time."""

    ts: int

    def now_ts(self) -> int:
        """Return it."""
        return self.ts


@dataclass
class Noticed:
    """Of how many events how many were noticed, and how long after; of how many gone items the lake still has text."""

    events: int = 0
    kept: int = 0
    delays_s: list[int] = field(default_factory=list)

    def happened(self, at_ts: int, noticed_ts: int | None) -> None:
        """Count one event."""
        self.events += 1
        if noticed_ts is not None:
            self.delays_s.append(max(0, noticed_ts - at_ts))

    def to_dict(self) -> dict[str, float | None]:
        """Return share, median and 95 % delay in hours."""
        hours = sorted(delay / HOUR_S for delay in self.delays_s)
        return {
            "events": self.events,
            "kept": self.kept,
            "share": len(hours) / self.events if self.events else None,
            "median_h": statistics.median(hours) if hours else None,
            "late_h": hours[int(len(hours) * 0.95)] if hours else None,
        }


@dataclass
class Figures:
    """What one way of running cost and caught."""

    way: str
    comments: int = 0
    requests: int = 0
    refresh_requests: int = 0
    captured: float = 0.0
    captured_around_outage: float = 0.0
    captured_otherwise: float = 0.0
    edits: Noticed = field(default_factory=Noticed)
    deletions: Noticed = field(default_factory=Noticed)
    removals: Noticed = field(default_factory=Noticed)
    seconds: float = 0.0

    @property
    def per_1000(self) -> float:
        """Requests per 1,000 comments that there were to see."""
        return 1_000 * self.requests / self.comments

    def to_dict(self) -> dict[str, object]:
        """Return them as plain data."""
        noticed = {name: getattr(self, name).to_dict() for name in ("edits", "deletions", "removals")}
        return {**asdict(self), **noticed, "per_1000_comments": self.per_1000}


@dataclass
class Trace:
    """What a lake has seen of one item: first and last look, when its edit and its end showed first."""

    first_ts: int
    edited_ts: int | None = None
    ended_ts: int | None = None


def alone(way: str, days: int, outage_h: int, seed: int) -> Figures:
    """Live in a process where nobody waits for pauses or for the disk: what is measured is what was seen."""
    logging.getLogger("reddit_ingest").setLevel(logging.ERROR)
    with mock.patch.object(prawcore.sessions.time, "sleep"), mock.patch.object(os, "fsync"):
        return live(way, days, outage_h, seed)


def live(way: str, days: int, outage_h: int, seed: int) -> Figures:
    """Live through the days and measure."""
    began = time.monotonic()
    specs = [
        replace(spec, submissions_per_hour=spec.submissions_per_hour * (0.2 if spec.submissions_per_hour > 1 else 1))
        for spec in DEFAULT_SUBREDDITS
    ]
    world = GeneratedWorld(seed=seed, start_ts=WORLD_START_TS, subreddits=specs)
    end_ts = START_TS + days * 24 * HOUR_S
    outage = range(START_TS + days * 12 * HOUR_S, START_TS + days * 12 * HOUR_S + outage_h * HOUR_S)
    figures = Figures(way)
    with Simulator(world, now_ts=START_TS) as reddit, tempfile.TemporaryDirectory() as folder:
        clock, lake, environ = Clock(START_TS), LocalLake(Path(folder)), environment(reddit.url)
        settings = IngestSettings(max_windows_per_run=48)
        pipeline = local_pipeline(lake, settings, environ, clock)
        refresh = local_refresh(lake, settings, environ, clock)
        for start in range(START_TS, end_ts, HOUR_S):
            if start in outage:
                continue
            clock.ts = start + HOUR_S + SETTLE_S
            reddit.clock.set(clock.ts)
            list(pipeline.run(IngestRequest(Mode.INCREMENTAL, SUBREDDITS)))
            if way == "with refresh":
                reports = list(refresh.refresh_all(SUBREDDITS, RefreshSettings().requests))
                assert not any(report.trouble for report in reports), reports
                figures.refresh_requests += sum(report.requests for report in reports)
        figures.requests = int(reddit.stats()["requests_total"])
        for subreddit in SUBREDDITS:
            measure(figures, world, lake, subreddit, clock.ts)
        count_captured(figures, world, lake, end_ts, outage)
    figures.seconds = time.monotonic() - began
    return figures


def traces(lake: LocalLake, subreddit: str) -> dict[str, Trace]:
    """Return what the lake still shows of every item and its observations."""
    found: dict[str, Trace] = {}
    for name, row, kind in observations(lake, subreddit):
        seen_ts = row["observed_at_ts"]
        trace = found.setdefault(name, Trace(seen_ts))
        trace.first_ts = min(trace.first_ts, seen_ts)
        if row["edited"]:
            trace.edited_ts = min(trace.edited_ts or seen_ts, seen_ts)
        if (ended := fate(row, kind)) and ended.hides:
            trace.ended_ts = min(trace.ended_ts or seen_ts, seen_ts)
    return found


def observations(lake: LocalLake, subreddit: str) -> Iterator[tuple[str, dict, str]]:  # type: ignore[type-arg]
    """Yield every row of the lake with its name and kind."""
    reader = lake.reader()
    for folder, manifest in manifests(reader, f"reddit/{subreddit}/"):
        for landed in manifest.objects:
            if landed.kind in ("submissions", "comments"):
                for row in map(json.loads, lines_of(reader, folder, landed)):
                    yield row["fullname"], row, landed.kind


def measure(figures: Figures, world: GeneratedWorld, lake: LocalLake, subreddit: str, now_ts: int) -> None:
    """Count what was noticed of a subreddit's edits and ends."""
    seen, buried = traces(lake, subreddit), graves(lake.reader(), f"reddit/{subreddit}/")
    things: list[Thing] = [*world.posts(subreddit), *world.comments(subreddit)]
    for thing in things:
        trace, grave = seen.get(thing.name), buried.get(thing.name)
        if thing.created_utc + OLD_S > now_ts or (trace is None and grave is None):
            continue
        if thing.is_gone(now_ts):
            noticed = figures.deletions if thing.gone_by == "author" else figures.removals
            count_end(noticed, thing, trace, grave)
            noticed.kept += trace is not None and trace.ended_ts != trace.first_ts
        elif trace and thing.is_edited(now_ts) and trace.first_ts < (thing.edit_ts or 0):
            figures.edits.happened(thing.edit_ts or 0, trace.edited_ts)


def count_end(noticed: Noticed, thing: Thing, trace: Trace | None, grave: Tombstone | None) -> None:
    """Count an end of something that the lake had seen before it."""
    ended_ts = thing.gone_ts or 0
    if grave is not None:
        noticed.happened(ended_ts, grave.noticed_at_ts)
    elif trace is not None and trace.first_ts < ended_ts:
        noticed.happened(ended_ts, trace.ended_ts)


def count_captured(figures: Figures, world: GeneratedWorld, lake: LocalLake, end_ts: int, outage: range) -> None:
    """Count which comments the lake has ever seen, of all that were ever there to see."""
    there: dict[str, int] = {}
    seen: set[str] = set()
    for subreddit in SUBREDDITS:
        things = world.comments(subreddit)
        there |= {thing.name: thing.created_utc for thing in things if START_TS <= thing.created_utc < end_ts}
        seen |= traces(lake, subreddit).keys() | graves(lake.reader(), f"reddit/{subreddit}/").keys()
    around = {name for name, created in there.items() if created in outage}
    figures.comments = len(there)
    figures.captured = share(there.keys(), seen)
    figures.captured_around_outage = share(around, seen)
    figures.captured_otherwise = share(there.keys() - around, seen)


def share(there: object, seen: set[str]) -> float:
    """Return how much of something was seen."""
    names = set(there)  # type: ignore[call-overload]
    return len(names & seen) / len(names) if names else 1.0


def lines(each: Figures) -> list[str]:
    """Return the figures as the cells of a column."""
    cells = [
        f"{each.comments:,}",
        f"{each.captured_otherwise:.2%}",
        f"{each.captured_around_outage:.2%}",
        f"{each.captured:.2%}",
        f"{each.requests:,}",
        f"{each.refresh_requests:,}",
        f"{each.per_1000:.1f}",
    ]
    for noticed in (each.edits, each.deletions, each.removals):
        told = noticed.to_dict()
        cells += [
            f"{noticed.events:,}",
            f"{told['share'] or 0:.1%}",
            "-" if told["median_h"] is None else f"{told['median_h']:.1f} h / {told['late_h']:.1f} h",
        ]
        cells += [] if noticed is each.edits else [f"{noticed.kept:,}"]
    return [*cells, f"{each.seconds:.0f} s"]


_LABELS = [
    "comments there were",
    "  captured in running hours",
    "  captured of the outage's hours",
    "  captured in all",
    "requests",
    "  of them for the refresh",
    "  per 1,000 comments",
    "edits after the first look",
    "  noticed",
    "  median / 95 % delay",
    "deleted by the author",
    "  noticed and erased",
    "  median / 95 % delay",
    "  text still in the lake",
    "removed by moderators",
    "  noticed once, or twice and erased",
    "  median / 95 % delay",
    "  text still in the lake",
    "time to live through it",
]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=8)
    parser.add_argument("--outage", type=int, default=30, help="hours")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    ways = ("without refresh", "with refresh")
    with ProcessPoolExecutor(len(ways)) as pool:
        lives = [pool.submit(alone, way, options.days, options.outage, options.seed) for way in ways]
        measured = [life.result() for life in lives]
    if options.json:
        print(json.dumps([each.to_dict() for each in measured], indent=1))
        return
    print(f"{options.days} days, {options.outage} hours of outage, seed {options.seed}")
    print(f"{'':40} {measured[0].way:>18} {measured[1].way:>18}")
    for label, without, with_refresh in zip(_LABELS, lines(measured[0]), lines(measured[1]), strict=True):
        print(f"{label:40} {without:>18} {with_refresh:>18}")


if __name__ == "__main__":
    main()
