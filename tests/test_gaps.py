"""Gaps hour by hour, from manifests alone: open, closed by whom, never looked at."""

from dataclasses import replace

from reddit_ingest import view
from reddit_ingest.core.abilities import ARCTIC_SHIFT, REDDIT_API
from reddit_ingest.core.coverage import Coverage, CoverageStatus
from reddit_ingest.core.keys import COMMENTS, SUBMISSIONS, window_folder
from reddit_ingest.core.manifest import LandedObject, Manifest
from reddit_ingest.core.windows import HOUR_S, Window, hourly
from reddit_ingest.gaps import Gap, attempts_by_hour, gaps_of, spans
from reddit_ingest.planning import AUTO, DEFAULT_TRAFFIC, Planner, Traffic, measured

from .fakes import MemoryLake

T0 = 1_767_225_600
COMPLETE, EMPTY, TRUNCATED, UNREACHABLE, BLOCKED, FAILED = CoverageStatus
LATER = T0 + 40 * 24 * HOUR_S


def attempt(
    hour: int,
    status: CoverageStatus,
    at: int = 0,
    comments: CoverageStatus | None = None,
    source: str = "reddit-api",
    mode: str = "incremental",
    hours: int = 1,
) -> Manifest:
    """Return an attempt at the nth hour, observed `at` seconds after some moment."""
    window = Window(T0 + hour * HOUR_S, T0 + (hour + hours) * HOUR_S)
    claims = {SUBMISSIONS: Coverage(status, f"it was {status}"), COMMENTS: Coverage(comments or status, "so it was")}
    return Manifest("phones", window, source, mode, LATER + at, "1", coverage=claims)


def gaps(*made: Manifest, watermark: int | None = None) -> list[Gap]:
    return gaps_of("phones", attempts_by_hour(made), watermark)


def told(gap: Gap) -> tuple[object, ...]:
    return ((gap.window.start_ts - T0) // HOUR_S, gap.status, gap.kinds, gap.closed_by)


BOTH = (SUBMISSIONS, COMMENTS)


def test_an_hour_that_was_seen_whole_at_first_was_never_a_gap() -> None:
    assert (
        gaps(attempt(0, COMPLETE, 1), attempt(0, UNREACHABLE, 2), attempt(1, EMPTY, 1), attempt(1, COMPLETE, 3)) == []
    )


def test_a_gap_is_open_until_an_attempt_saw_the_kind_that_was_missing() -> None:
    made = [attempt(0, COMPLETE, 1, comments=TRUNCATED)]
    assert [told(gap) for gap in gaps(*made)] == [(0, TRUNCATED, (COMMENTS,), None)]
    made.append(attempt(0, FAILED, 2, source="arctic-shift", mode="backfill"))
    assert [told(gap) for gap in gaps(*made)] == [(0, TRUNCATED, (COMMENTS,), None)]
    made.append(attempt(0, COMPLETE, 3, source="arctic-shift", mode="backfill"))
    (gap,) = gaps(*made)
    assert told(gap) == (0, TRUNCATED, (COMMENTS,), "arctic-shift")
    assert (gap.since_ts, gap.closed_at_ts) == (LATER + 1, LATER + 3)


def test_the_ledger_names_who_made_the_claim_that_stands() -> None:
    lake = MemoryLake()
    for manifest in (
        attempt(0, COMPLETE, 1, comments=TRUNCATED),
        attempt(0, COMPLETE, 3, source="arctic-shift", mode="backfill"),
        attempt(0, COMPLETE, 5, source="dump", mode="backfill"),
    ):
        lake.commit(window_folder("reddit/", "phones", manifest.window), manifest)
    (state,) = view.ledger(lake, "reddit/phones/")
    assert state.sources == {SUBMISSIONS: "reddit-api", COMMENTS: "arctic-shift"}


def test_attempts_within_one_second_are_told_apart_by_what_they_saw() -> None:
    made = [attempt(0, COMPLETE, source="arctic-shift", mode="backfill"), attempt(0, UNREACHABLE)]
    for order in (made, made[::-1]):
        assert [told(gap) for gap in gaps(*order)] == [(0, UNREACHABLE, BOTH, "arctic-shift")]


def test_a_day_of_an_archive_closes_its_hours() -> None:
    day = attempt(0, COMPLETE, -99, source="dump", mode="import", hours=24)
    found = gaps(attempt(3, UNREACHABLE, 1), attempt(4, COMPLETE, 1), attempt(25, UNREACHABLE, 1), day)
    assert told(found[0]) == (3, UNREACHABLE, BOTH, "dump")
    assert found[0].closed_at_ts is None
    assert [told(gap)[0] for gap in found if not gap.closed_by] == [24, 25]


def test_hours_between_live_runs_and_up_to_the_watermark_that_nobody_looked_at_are_holes() -> None:
    made = [attempt(0, COMPLETE), attempt(3, COMPLETE), attempt(-500, COMPLETE, mode="backfill")]
    assert [told(gap) for gap in gaps(*made)] == [(1, None, BOTH, None), (2, None, BOTH, None)]
    open_hours = [told(gap)[0] for gap in gaps(*made, watermark=T0 + 6 * HOUR_S)]
    assert open_hours == [1, 2, 4, 5]
    made += [attempt(1, EMPTY, mode="backfill"), attempt(2, TRUNCATED, mode="backfill")]
    assert [told(gap) for gap in gaps(*made)] == [(1, None, BOTH, "reddit-api"), (2, TRUNCATED, BOTH, None)]


def test_a_lake_of_backfills_alone_has_no_holes() -> None:
    assert gaps(attempt(0, COMPLETE, mode="backfill"), attempt(9, COMPLETE, mode="import")) == []


def test_hours_that_are_alike_are_joined_and_others_are_not() -> None:
    made = [attempt(n, UNREACHABLE) for n in (0, 1, 2, 4)] + [attempt(3, COMPLETE), attempt(5, TRUNCATED)]
    joined = [((gap.window.start_ts - T0) // HOUR_S, (gap.window.end_ts - T0) // HOUR_S) for gap in spans(gaps(*made))]
    assert joined == [(0, 3), (4, 5), (5, 6)]


def landed(manifest: Manifest, rows: int, comments: int) -> Manifest:
    def of(kind: str, count: int, size: int) -> LandedObject:
        return LandedObject(f"{kind}.jsonl", kind, "0" * 64, count * size, count, None, None)

    objects = (of(SUBMISSIONS, rows, 5_000), of(COMMENTS, comments, 1_000))
    return replace(manifest, objects=objects, new_comments=comments)


def test_traffic_is_measured_on_whole_hours_and_counts_no_hour_twice() -> None:
    made = [
        landed(attempt(0, COMPLETE, 1), 10, 80),
        landed(attempt(0, COMPLETE, 2), 10, 90),
        landed(attempt(1, EMPTY), 0, 0),
        landed(attempt(2, TRUNCATED), 900, 900),
    ]
    traffic = measured(made)
    assert traffic.per_hour == {SUBMISSIONS: 5, COMMENTS: 45}
    assert traffic.bytes_each == {SUBMISSIONS: 5_000, COMMENTS: 1_000}
    assert traffic.is_measured
    assert measured([]) == DEFAULT_TRAFFIC


def planner(*made: Manifest, comments: float = 80.0, now: int = LATER, **unusable: str) -> Planner:
    traffic = Traffic({SUBMISSIONS: 1.0, COMMENTS: comments}, {SUBMISSIONS: 5_000.0, COMMENTS: 1_000.0})
    return Planner(
        "phones", attempts_by_hour(made), traffic, now, {k.replace("_", "-"): v for k, v in unusable.items()}
    )


def test_the_listings_serve_what_they_reach_the_archive_what_has_settled_and_nobody_what_lies_between() -> None:
    # 80 comments an hour: four fifths of a listing of 1,000 reach back ten hours.
    hours = hourly(LATER - 60 * HOUR_S, LATER)
    legs = planner(now=LATER + 120).legs(hours, AUTO)
    assert [(leg.source, len(leg.windows)) for leg in legs] == [
        (ARCTIC_SHIFT.name, 12),
        (None, 39),
        (REDDIT_API.name, 9),
    ]
    assert legs[1].requests == 0
    assert all(ability.name in legs[1].reason for ability in (REDDIT_API, ARCTIC_SHIFT))


def test_a_quiet_subreddit_is_in_reddits_listings_however_old() -> None:
    (leg,) = planner(comments=0.0).legs(hourly(T0, T0 + HOUR_S), AUTO)
    assert leg.source == ARCTIC_SHIFT.name
    (leg,) = planner(comments=0.0, now=T0 + 700 * HOUR_S).legs(hourly(T0, T0 + HOUR_S), AUTO)
    assert leg.source == REDDIT_API.name


def test_a_source_that_could_show_no_more_is_not_asked_again() -> None:
    near = (LATER - T0) // HOUR_S - 5
    hour = Window(T0 + near * HOUR_S, T0 + (near + 1) * HOUR_S)
    for status, expected in ((FAILED, "reddit-api"), (TRUNCATED, None), (UNREACHABLE, None), (BLOCKED, "reddit-api")):
        assert planner(attempt(near, status)).choose(hour)[0] == expected, status
    old = Window(T0, T0 + HOUR_S)
    for status, expected in ((FAILED, "arctic-shift"), (TRUNCATED, None), (BLOCKED, None)):
        assert planner(attempt(0, status, source="arctic-shift")).choose(old)[0] == expected, status
    assert "no way around" in planner(attempt(0, BLOCKED)).choose(old)[1]
    again = planner(attempt(0, BLOCKED, 1), attempt(0, UNREACHABLE, 2))
    assert again.choose(old)[0] == "arctic-shift"


def test_a_source_without_its_key_is_left_out_and_said() -> None:
    without = planner(reddit_api="REDDIT_CLIENT_ID is missing")
    near = hourly(LATER - 5 * HOUR_S, LATER - 4 * HOUR_S)
    assert without.choose(near[0]) == (
        None,
        "reddit-api: REDDIT_CLIENT_ID is missing; arctic-shift: shows an hour reliably 48 hours after its end",
    )
    assert without.choose(near[0], "reddit-api") == (None, "REDDIT_CLIENT_ID is missing")


def test_passes_hold_24_hours_and_the_price_grows_with_what_they_bring() -> None:
    (leg,) = planner().legs(hourly(T0, T0 + 50 * HOUR_S), "arctic-shift")
    assert [len(windows) for windows in leg.passes()] == [24, 24, 2]
    # Of each pass: its submissions and its comments, 100 a request, and the proof of either's end.
    assert leg.requests == 2 * (1 + 2 + 20 + 2) + (1 + 2 + 2 + 2)
    assert leg.bytes == 50 * (5_000 + 80_000)
    assert leg.seconds == leg.requests * ARCTIC_SHIFT.seconds_per_request
    (leg,) = planner().legs(hourly(LATER - 5 * HOUR_S, LATER - 4 * HOUR_S), "reddit-api")
    assert leg.requests == (1 + 1) + (4 + 1)
