"""A lake, its runs and everything that happens to them, in any order, against a model that knows what must be seen.

The rules run the real pipeline over ports in memory. The model reads manifests and objects by itself and keeps, for
every hour, what was committed and what had to be; the invariants compare it with what readers are shown.

`FAULT_EXAMPLES` sets the number of examples; then they are other ones every time.
"""

import json
import logging
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from reddit_ingest import view
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.coverage import Coverage, CoverageStatus
from reddit_ingest.core.errors import DamagedState, PlatformError, ServiceRefused, ServiceUnavailable, StorageFull
from reddit_ingest.core.invocation import IngestRequest, Mode
from reddit_ingest.core.ports import Deadline, Progress, Reading, WindowReading
from reddit_ingest.core.windows import Window, plan_backfill
from reddit_ingest.erasure import Erasure
from reddit_ingest.ingestion_service import RedditIngestionService
from reddit_ingest.pipeline import Pipeline, SubredditOutcome
from reddit_ingest.refresh_service import RefreshService

from ..fakes import Crash, Log, MemoryLake, MemoryRecorder, MemoryState, ScriptedLookup

HOUR = 3_600
T0 = 1_767_225_600
HISTORY_S = 9 * HOUR + 1_234
"""The source shows nothing that entered its listings longer ago."""

LOOK_BACK_HOURS, MAX_WINDOWS = 2, 6
SUBREDDITS = ("android", "iphone")
KINDS = ("submissions", "comments")
NEVER = 10**11
STRONGEST_FIRST = ("complete", "empty", "truncated", "unreachable", "failed")

EXAMPLES = os.environ.get("FAULT_EXAMPLES")


class Listed(NamedTuple):
    """An item where it stands in the source's listings."""

    kind: str
    fields: dict[str, Any]
    listed_at: int

    @property
    def created(self) -> int:
        return int(self.fields["created_utc"])


class Reddit:
    """A `Source` whose items appear hour by hour, and late, and change."""

    name = "scripted"

    def __init__(self) -> None:
        self.now = T0
        self.is_down = False
        self.asked: list[tuple[str, Sequence[Window]]] = []
        self._items: dict[str, dict[str, Listed]] = {subreddit: {} for subreddit in SUBREDDITS}

    def live_until(self, now: int) -> None:
        """Let people write in every hour that is over by then: some hours nobody does, some comments answer older."""
        for start in range(self.now - self.now % HOUR, now - now % HOUR, HOUR):
            number = start // HOUR
            for subreddit in SUBREDDITS:
                for n in range((number * 7 + len(subreddit)) % 3):
                    self.add(subreddit, "submissions", start + n * 1_799, start + n * 1_799)
                for n in range(number * 5 % 4):
                    self.add(subreddit, "comments", start + n * 1_199, start + n * 1_199)
        self.now = max(self.now, now)

    def add(self, subreddit: str, kind: str, created: int, listed_at: int) -> None:
        items = self._items[subreddit]
        name = f"{'t3' if kind == 'submissions' else 't1'}_{subreddit}{len(items)}"
        threads = ["t3_before", *(item.fields["name"] for item in items.values() if item.kind == "submissions")]
        says = {"title": name, "selftext": ""} if kind == "submissions" else {"body": name, "link_id": threads[-1]}
        fields = {"name": name, "created_utc": float(created), "score": 0, "author": "somebody", **says}
        items[name] = Listed(kind, fields, listed_at)

    def edit(self, subreddit: str, which: int) -> None:
        if items := list(self._items[subreddit].values()):
            items[which % len(items)].fields["score"] += 1

    @property
    def horizon(self) -> int:
        """The moment from which the listings show what entered them."""
        return self.now - HISTORY_S

    def created_in(self, subreddit: str, start: int, end: int) -> list[Listed]:
        """Return what was created in a span, whether the listings still show it or not."""
        return [item for item in self._items[subreddit].values() if start <= item.created < end]

    def met_before(self, subreddit: str, start: int) -> list[Listed]:
        """Return what a look-back from `start` meets of earlier hours, late ones of any age among them."""
        since = max(start - LOOK_BACK_HOURS * HOUR, self.horizon)
        return [item for item in self._items[subreddit].values() if item.created < start and item.listed_at >= since]

    def status(self, subreddit: str, window: Window) -> str:
        """Return what can be claimed of a window now."""
        if self.is_down:
            return "failed"
        if window.end_ts <= self.horizon:
            return "unreachable"
        if window.start_ts < self.horizon:
            return "truncated"
        return "complete" if self.created_in(subreddit, window.start_ts, window.end_ts) else "empty"

    def read(
        self,
        subreddit: str,
        windows: Sequence[Window],
        *,
        look_back_s: int = 0,
        include_comments: bool = True,
        max_submissions: int | None = None,
        deadline: Deadline,
        progress: Progress,
    ) -> Reading:
        self.asked.append((subreddit, windows))
        earlier: dict[int, WindowReading] = {}
        for item in self.met_before(subreddit, windows[0].start_ts) if look_back_s and not self.is_down else ():
            start = item.created - item.created % HOUR
            _place(item, earlier.setdefault(start, WindowReading(Window(start, start + HOUR))))
        readings = [self._reading(subreddit, window) for window in windows]
        return Reading(readings, [earlier[start] for start in sorted(earlier)], requests=1)

    def _reading(self, subreddit: str, window: Window) -> WindowReading:
        status = self.status(subreddit, window)
        complete_from = self.horizon if status == "truncated" else None
        claim = Coverage(CoverageStatus(status), "as scripted", complete_from)
        reading = WindowReading(window, coverage=dict.fromkeys(KINDS, claim))
        for item in self.created_in(subreddit, window.start_ts, window.end_ts):
            if item.listed_at >= self.horizon and not self.is_down:
                _place(item, reading)
        # An hour holds the comments on its submissions, too, whenever they were written.
        own = {item["name"] for item in reading.submissions}
        answers = [item for item in self._items[subreddit].values() if item.fields.get("link_id") in own]
        for item in answers:
            if item.created not in window and item.listed_at >= self.horizon:
                _place(item, reading)
        return reading


def _place(item: Listed, reading: WindowReading) -> None:
    (reading.submissions if item.kind == "submissions" else reading.comments).append(dict(item.fields))


class WatermarksMayBeAway(MemoryState):
    """A `StateStore` that may be out of reach."""

    is_down = False

    def load_last_run_timestamp(self, subreddit: str) -> int | None:
        if self.is_down:
            raise ServiceUnavailable("ssm:GetParameter: throttled; run again later")
        return super().load_last_run_timestamp(subreddit)


class FolderModel:
    """What the model knows of one window folder."""

    def __init__(self) -> None:
        self.observed: dict[str, set[tuple[int, int]]] = defaultdict(set)
        """Time and score of every observation that a manifest names, by fullname."""
        self.promised: set[str] = set()
        """What must be shown, because a committed attempt claims to have seen everything there was."""
        self.claims: set[str] = set()


def folder_of(subreddit: str, start: int) -> str:
    return f"reddit/{subreddit}/{datetime.fromtimestamp(start, UTC):%Y-%m-%d/%H%M%S}/"


@pytest.fixture(autouse=True)
def no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of runs have much to say."""
    caplog.set_level(logging.CRITICAL, "reddit_ingest")


some = st.sampled_from([SUBREDDITS[:1], SUBREDDITS[1:], SUBREDDITS])
one = st.sampled_from(SUBREDDITS)
effects = st.integers(0, 16)
hours_before = st.integers(0, 3)
"""Hours that pass before a run, so that there is something to do."""


class LakeMachine(RuleBasedStateMachine):
    """Runs, mishaps and people; a rule is one thing that happens.

    A new kind of run is one more rule: it works on `self.lake` and lets `_learn` read what it has committed. What was
    forgotten is in `forgotten`, and the model speaks of it no more.
    """

    @initialize(can_look=st.booleans())
    def a_new_lake(self, can_look: bool) -> None:
        self.can_look = can_look
        self.reddit = Reddit()
        self.lake, self.state, self.recorder = MemoryLake(can_look=can_look), WatermarksMayBeAway(), MemoryRecorder()
        self.now = T0 + 5 * HOUR + 300
        self.reddit.live_until(self.now)
        self.known: set[str] = set()
        self.folders: dict[str, FolderModel] = defaultdict(FolderModel)
        self.touched: set[str] = set()
        self.forgotten: set[str] = set()
        self.base = dict.fromkeys(SUBREDDITS, NEVER)
        """Per subreddit the moment from which its watermark speaks for every hour."""
        self.before_hands: dict[str, tuple[int, int]] = {}
        """Watermark and base as they were before somebody changed the watermark by hand."""

    # What happens by itself

    @rule(subreddits=some, hours=hours_before)
    def ingest(self, subreddits: tuple[str, ...], hours: int) -> None:
        self.time_passes(hours * HOUR)
        self._ingest(subreddits)

    @rule(subreddit=one, hours_ago=st.integers(1, 12), length=st.integers(1, 3))
    def backfill(self, subreddit: str, hours_ago: int, length: int) -> None:
        start = self.now - hours_ago * HOUR
        windows = tuple(plan_backfill(start, min(start + length * HOUR, self.now), self.now + 120))
        settled = tuple(window for window in windows if window.end_ts + 120 <= self.now)
        watermark = self.state.watermarks.get(subreddit)
        if settled:
            outcomes = self._run(IngestRequest(Mode.BACKFILL, (subreddit,), settled))
            assert [result.window for outcome in outcomes for result in outcome.results] == list(settled)
            assert self.state.watermarks.get(subreddit) == watermark, "a backfill has moved the watermark"

    @rule(subreddit=one, hours=hours_before)
    def duplicate_event(self, subreddit: str, hours: int) -> None:
        """The same event twice in one second, the second run begun before the first has moved the watermark."""
        self.time_passes(hours * HOUR)
        before = self.state.watermarks.get(subreddit)
        self._ingest((subreddit,))
        shown, objects = self._shown(f"reddit/{subreddit}/"), set(self.lake.objects)
        after = self.state.watermarks.get(subreddit)
        if after != before:
            self.state.watermarks[subreddit] = before
            self._ingest((subreddit,))
            assert self.state.watermarks[subreddit] == after
        assert self._shown(f"reddit/{subreddit}/") == shown
        if self.can_look:
            assert set(self.lake.objects) == objects, "the same bytes were landed twice"

    @rule(seconds=st.integers(1, 4 * HOUR))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        self.reddit.live_until(self.now)

    @rule(seconds=st.sampled_from([1, 119, HOUR, 2 * HOUR, 3 * HOUR + 7]))
    def the_clock_is_set_back(self, seconds: int) -> None:
        self.now = max(T0 + 2 * HOUR, self.now - seconds)

    @rule(subreddit=one, kind=st.sampled_from(KINDS), minutes_ago=st.integers(1, 11 * 60))
    def an_item_is_approved_late(self, subreddit: str, kind: str, minutes_ago: int) -> None:
        self.reddit.add(subreddit, kind, self.reddit.now - minutes_ago * 60, self.reddit.now)

    @rule(subreddit=one, which=st.integers(0, 999))
    def an_item_is_edited(self, subreddit: str, which: int) -> None:
        self.reddit.edit(subreddit, which)

    @rule(subreddit=one, hours=st.integers(0, 40), log=st.none() | st.builds(Log, effects, before=st.booleans()))
    def known_items_are_looked_at_again(self, subreddit: str, hours: int, log: Log | None) -> None:
        self.time_passes(hours * HOUR)
        self.lake.log = self.state.log = self.recorder.log = log or Log()
        lookup = ScriptedLookup()
        lookup.items = {item.fields["name"]: item.fields for item in self.reddit.created_in(subreddit, 0, NEVER)}
        service = RefreshService(
            lookup,
            self.lake,
            self.lake,
            self._erasure(),
            self.recorder,
            FixedClock(self.now),
            environment="test",
        )
        try:
            report = service.refresh(subreddit, budget=50)
        except Crash:
            report = None
        self._learn({})
        asked = {name for batch in lookup.asked for name in batch}
        assert not self.forgotten & asked, "what was forgotten was asked for"
        assert report is None or (report.deleted, report.gone) == (0, 0)

    @rule(subreddit=one, which=st.integers(0, 999), log=st.none() | st.builds(Log, effects, before=st.booleans()))
    def an_item_is_forgotten(self, subreddit: str, which: int, log: Log | None) -> None:
        place = f"reddit/{subreddit}/"
        if not (known := sorted(self._shown(place))):
            return
        name = known[which % len(known)]
        for attempt in (log, None) if log else (None,):  # where it died it is asked for again
            self.lake.log = attempt or Log()
            try:
                self._erasure().bury(subreddit, self._erasure().find(subreddit, names=frozenset({name})))
                self._erasure().purge(subreddit)
            except Crash:
                continue
        self.lake.log = Log()
        self.forgotten.add(name)
        self._learn({})
        assert name not in self._shown(place)

    def _erasure(self) -> Erasure:
        clock = FixedClock(self.now)
        return Erasure(self.lake, self.lake, self.lake, clock, leftovers=[self.lake], orphan_age_s=0)

    # What goes wrong

    @rule(subreddits=some, hours=hours_before, at=effects, before=st.booleans())
    def a_run_dies(self, subreddits: tuple[str, ...], hours: int, at: int, before: bool) -> None:
        self.time_passes(hours * HOUR)
        self._ingest(subreddits, Log(at, before=before))

    @rule(
        subreddits=some,
        hours=hours_before,
        at=effects,
        before=st.booleans(),
        error=st.sampled_from([ServiceUnavailable, ServiceRefused, StorageFull]),
    )
    def an_effect_fails(
        self, subreddits: tuple[str, ...], hours: int, at: int, before: bool, error: type[PlatformError]
    ) -> None:
        """An effect fails without being done, or is done and its answer lost."""
        self.time_passes(hours * HOUR)
        self._ingest(subreddits, Log(at, before=before, error=error("throttled; run again later")))

    @rule(subreddits=some, hours=hours_before)
    def the_source_fails(self, subreddits: tuple[str, ...], hours: int) -> None:
        self.time_passes(hours * HOUR)
        self.reddit.is_down = True
        self._ingest(subreddits)
        self.reddit.is_down = False

    @rule(subreddits=some)
    def the_watermarks_are_out_of_reach(self, subreddits: tuple[str, ...]) -> None:
        self.state.is_down = True
        objects, asked = len(self.lake.objects), len(self.reddit.asked)
        outcomes = self._run(IngestRequest(Mode.INCREMENTAL, subreddits))
        assert all(isinstance(outcome.trouble, ServiceUnavailable) for outcome in outcomes)
        assert (len(self.lake.objects), len(self.reddit.asked)) == (objects, asked), "work was done without a plan"
        self.state.is_down = False

    @rule(
        subreddit=one,
        what=st.sampled_from(["text", "negative", "off the hour", "future", "milliseconds"]),
        stays=st.booleans(),
    )
    def a_watermark_is_damaged_by_hand(self, subreddit: str, what: str, stays: bool) -> None:
        watermark = self.state.watermarks.get(subreddit)
        if subreddit not in self.before_hands and isinstance(watermark, int) and self.base[subreddit] != NEVER:
            self.before_hands[subreddit] = (watermark, self.base[subreddit])
        end = self.now - self.now % HOUR
        self.state.watermarks[subreddit] = {
            "text": "yesterday",
            "negative": -HOUR,
            "off the hour": end - 1,
            "milliseconds": end * 1_000,
            "future": end + 2 * HOUR,
        }[what]
        if what == "future":  # once that moment has come it is believed
            self.base[subreddit] = end + 2 * HOUR
        self._ingest((subreddit,))
        if not stays:
            self.a_watermark_is_repaired_by_hand(subreddit)

    @rule(subreddit=one)
    def a_watermark_is_repaired_by_hand(self, subreddit: str) -> None:
        if subreddit in self.before_hands:
            self.state.watermarks[subreddit], self.base[subreddit] = self.before_hands.pop(subreddit)
        elif self.base[subreddit] == NEVER:
            self.state.watermarks.pop(subreddit, None)

    @rule(subreddit=one, hours=st.integers(1, 5))
    def an_old_watermark_comes_back(self, subreddit: str, hours: int) -> None:
        watermark = self.state.watermarks.get(subreddit)
        if isinstance(watermark, int) and watermark - hours * HOUR >= self.base[subreddit]:
            self.state.watermarks[subreddit] = watermark - hours * HOUR

    @rule(subreddit=one)
    def a_watermark_is_thrown_away(self, subreddit: str) -> None:
        self.state.watermarks.pop(subreddit, None)
        self.before_hands.pop(subreddit, None)

    # What must hold

    @invariant()
    def what_is_shown_is_what_was_committed_and_its_newest_observation(self) -> None:
        for path in self.touched:
            # A comment also stands in the hour of its submission, and its tombstone only in its own.
            shown = {name: row for name, row in self._shown(path).items() if name not in self.forgotten}
            self._compare(shown, self._remembered(self.folders[path].observed))

    @invariant()
    def nothing_that_had_to_be_seen_is_missing(self) -> None:
        for path in self.touched:
            model = self.folders[path]
            missing = model.promised - model.observed.keys() - self.forgotten
            assert not missing, missing

    @invariant()
    def every_claim_and_every_gap_is_in_the_ledger(self) -> None:
        for path in self.touched:
            claims = self.folders[path].claims
            status = [state.status for state in view.ledger(self.lake, path)]
            assert status == ([min(claims, key=STRONGEST_FIRST.index)] if claims else [])

    @invariant()
    def no_watermark_is_past_an_hour_that_is_not_committed_and_recorded(self) -> None:
        recorded = {(run.subreddit, run.window.start_ts) for run in self.recorder.runs}
        for subreddit, watermark in self.state.watermarks.items():
            if not isinstance(watermark, int) or watermark % HOUR or watermark > self.reddit.now:
                continue  # damaged by hand; a run says so and touches nothing
            for start in range(self.base[subreddit], watermark, HOUR):
                claims = self.folders[folder_of(subreddit, start)].claims
                assert claims - {"failed"}, f"{subreddit}: {watermark} is past {start}"
                assert (subreddit, start) in recorded

    def teardown(self) -> None:
        """Look at the whole lake once more, as one: comments stand in several hours."""
        if not hasattr(self, "lake"):
            return
        observed: dict[str, set[tuple[int, int]]] = defaultdict(set)
        for model in self.folders.values():
            for name, found in model.observed.items():
                observed[name] |= found
        self._compare(self._shown("reddit/"), self._remembered(observed))
        claimed = {
            path: min(model.claims, key=STRONGEST_FIRST.index) for path, model in self.folders.items() if model.claims
        }
        ledger = view.ledger(self.lake, "reddit/")
        assert {folder_of(state.subreddit, state.window.start_ts): state.status for state in ledger} == claimed

    # How it is done

    def _ingest(self, subreddits: tuple[str, ...], log: Log | None = None) -> None:
        """Run as the schedule would; where nothing has struck, exactly the due hours are done and nothing else."""
        log = log or Log()
        due = {subreddit: self._due(subreddit) for subreddit in subreddits}
        before = {subreddit: self.state.watermarks.get(subreddit) for subreddit in subreddits}
        asked = len(self.reddit.asked)
        outcomes = self._run(IngestRequest(Mode.INCREMENTAL, subreddits), log)
        if log.has_struck:
            return
        for outcome in outcomes:
            expected, old = due[outcome.subreddit], before[outcome.subreddit]
            new = self.state.watermarks.get(outcome.subreddit)
            if expected is None:
                assert isinstance(outcome.trouble, DamagedState)
                assert new == old, "a watermark that cannot be trusted was touched"
                continue
            assert outcome.trouble is None, outcome.trouble
            assert [result.window_start_ts for result in outcome.results] == expected
            assert new == (expected[-1] + HOUR if expected and not self.reddit.is_down else old)
        served = [subreddit for subreddit in subreddits if due[subreddit]]
        assert [subreddit for subreddit, _ in self.reddit.asked[asked:]] == served

    def _due(self, subreddit: str) -> list[int] | None:
        """Return the starts of the hours that the next run reads; None where its watermark cannot be one."""
        settled = (self.now - 120) // HOUR * HOUR
        watermark = self.state.watermarks.get(subreddit)
        if watermark is None:
            self.base[subreddit] = settled - HOUR
            return [settled - HOUR]
        if not isinstance(watermark, int) or watermark % HOUR or not T0 - HOUR <= watermark <= self.now:
            return None
        return list(range(watermark, min(settled, watermark + MAX_WINDOWS * HOUR), HOUR))

    def _run(self, request: IngestRequest, log: Log | None = None) -> list[SubredditOutcome]:
        """Run the real pipeline and let the model learn what it has committed."""
        self.lake.log = self.state.log = self.recorder.log = log or Log()
        clock = FixedClock(self.now)
        pipeline = Pipeline(
            RedditIngestionService(self.reddit, self.lake, clock),
            self.state,
            self.recorder,
            clock,
            environment="test",
            max_windows=MAX_WINDOWS,
            look_back_hours=LOOK_BACK_HOURS,
        )
        asked, outcomes = len(self.reddit.asked), list[SubredditOutcome]()
        try:
            outcomes.extend(pipeline.run(request))
        except (Crash, PlatformError):
            if not (log and log.has_struck):
                raise
        self._learn(dict(self.reddit.asked[asked:]) if request.mode is Mode.INCREMENTAL else {})
        return outcomes

    def _learn(self, looked_back: dict[str, Sequence[Window]]) -> None:
        new = [key for key in self.lake.objects if key not in self.known]
        self.known.update(new)
        self.touched = {key.rpartition("/")[0] + "/" for key in new}
        for key in new:
            if "/manifest-" in key:
                self._learn_manifest(key, looked_back)

    def _learn_manifest(self, key: str, looked_back: dict[str, Sequence[Window]]) -> None:
        path, fields = key.rpartition("/")[0] + "/", json.loads(self.lake.objects[key])
        subreddit, window = fields["subreddit"], Window(fields["window_start_ts"], fields["window_end_ts"])
        model = self.folders[path]
        assert path == folder_of(subreddit, window.start_ts)
        for landed in fields["objects"]:
            lines = self.lake.objects[path + landed["name"]].splitlines() if landed["kind"] in KINDS else []
            for line in lines:
                row = json.loads(line)
                model.observed[row["fullname"]].add((row["observed_at_ts"], row["score"]))
        if not fields["coverage"] or fields["replaces"]:
            return  # one that stands for another claims what that one has claimed
        assert window.end_ts + 120 <= fields["observed_at_ts"], "an hour was read before it had settled"
        status = self.reddit.status(subreddit, window)
        model.claims.add(status)
        if status in ("complete", "empty", "truncated"):
            since = max(window.start_ts, self.reddit.horizon)
            model.promised |= {item.fields["name"] for item in self.reddit.created_in(subreddit, since, window.end_ts)}
        # The hours before come first, so a committed hour says that they are committed, too.
        start = looked_back[subreddit][0].start_ts if subreddit in looked_back and status != "failed" else 0
        for item in self.reddit.met_before(subreddit, start):
            own = folder_of(subreddit, item.created - item.created % HOUR)
            self.folders[own].promised.add(item.fields["name"])
            self.touched.add(own)

    def _shown(self, prefix: str) -> dict[str, tuple[int, int]]:
        return dict(self._rows(prefix))

    def _rows(self, prefix: str) -> Iterator[tuple[str, tuple[int, int]]]:
        for kind in KINDS:
            for name, row in view.rows(self.lake, prefix, kind).items():
                yield name, (row["observed_at_ts"], row["score"])

    def _remembered(self, observed: dict[str, set[tuple[int, int]]]) -> dict[str, set[tuple[int, int]]]:
        return {name: found for name, found in observed.items() if name not in self.forgotten}

    @staticmethod
    def _compare(shown: dict[str, tuple[int, int]], observed: dict[str, set[tuple[int, int]]]) -> None:
        assert shown.keys() == observed.keys(), shown.keys() ^ observed.keys()
        for name, row in shown.items():
            newest = max(ts for ts, _ in observed[name])
            assert row in observed[name], f"{name}: nobody has seen {row}"
            assert row[0] == newest, f"{name} is shown as of {row[0]}, and was seen at {newest}"


TestLake = LakeMachine.TestCase
TestLake.settings = settings(
    max_examples=int(EXAMPLES or 80),
    stateful_step_count=50,
    derandomize=EXAMPLES is None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
