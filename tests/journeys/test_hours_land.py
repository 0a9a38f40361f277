"""The main job through the command line: hours are read over HTTP and landed."""

from typing import Any

from reddit_ingest.core.coverage import CoverageStatus
from reddit_sim import GeneratedWorld, Simulator, SubredditSpec

from .conftest import HOUR, Person, comment, submission

T0 = 1_767_600_000  # 2026-01-05 08:00 UTC


def busy_hours(hours: int, per_hour: int = 6, comments_each: int = 4) -> tuple[list[Any], list[Any]]:
    """Hours of submissions, each with comments spread over the hours after it."""
    posts = [
        submission(hour * per_hour + n, T0 + hour * HOUR + n * (HOUR // per_hour))
        for hour in range(hours)
        for n in range(per_hour)
    ]
    answers = [
        comment(index * comments_each + n, post["created_utc"] + 60 + n * 1_500, post["id"])
        for index, post in enumerate(posts)
        for n in range(comments_each)
    ]
    return posts, answers


def test_the_first_run_reads_the_previous_full_hour_and_moves_the_watermark(reddit, person, world_of) -> None:
    now = T0 + 5 * HOUR + 300
    someone: Person = person(reddit(world_of(*busy_hours(8)), now))
    result = someone.types("ingest", "phones", now=now)
    assert result.exit_code == 0, result.output
    assert someone.watermark("phones") == T0 + 5 * HOUR
    assert someone.windows("phones")[T0 + 4 * HOUR].status is CoverageStatus.COMPLETE
    assert "complete" in result.stdout


def test_a_second_run_in_the_same_hour_reads_nothing_and_changes_nothing(reddit, person, world_of) -> None:
    now = T0 + 5 * HOUR + 300
    simulator: Simulator = reddit(world_of(*busy_hours(8)), now)
    someone: Person = person(simulator)
    someone.types("ingest", "phones", now=now)
    before, requests = someone.rows("phones", "comments"), simulator.stats()["requests_total"]
    result = someone.types("ingest", "phones", now=now)
    assert result.exit_code == 0
    assert "nothing new" in result.stdout
    assert simulator.stats()["requests_total"] == requests
    assert someone.rows("phones", "comments") == before


def test_a_backfill_run_twice_shows_every_item_once_and_leaves_the_watermark(reddit, person, world_of) -> None:
    now = T0 + 8 * HOUR + 300
    posts, answers = busy_hours(8)
    someone: Person = person(reddit(world_of(posts, answers), now))
    words = ("backfill", "phones", "--start", str(T0), "--end", str(T0 + 8 * HOUR))
    for attempt in (now, now + 90):
        assert someone.types(*words, now=attempt).exit_code == 0
    assert someone.watermark("phones") is None
    assert someone.rows("phones", "submissions").keys() == {f"t3_{post['id']}" for post in posts}
    due = {f"t1_{answer['id']}" for answer in answers if answer["created_utc"] < T0 + 8 * HOUR}
    assert due <= someone.rows("phones", "comments").keys()


def test_thirty_missed_hours_cost_one_pass_over_the_listings(reddit, person, world_of) -> None:
    posts, answers = busy_hours(40)
    simulator: Simulator = reddit(world_of(posts, answers), T0 + 6 * HOUR + 300)
    someone: Person = person(simulator)
    someone.types("ingest", "phones", now=T0 + 6 * HOUR + 300)
    simulator.reset_stats()
    later = T0 + 36 * HOUR + 300
    simulator.clock.set(later)
    result = someone.json("ingest", "phones", now=later)
    assert [len(outcome["windows"]) for outcome in result] == [30]
    assert someone.watermark("phones") == T0 + 36 * HOUR
    items = sum(1 for item in posts + answers if T0 + 3 * HOUR <= item["created_utc"] <= later)
    # One pass: a request per 100 items of either listing, and at most one page more of each.
    assert simulator.stats()["requests_total"] <= items // 100 + 4
    seen = someone.rows("phones", "comments").keys()
    due = {a["id"] for a in answers if T0 + 6 * HOUR <= a["created_utc"] < T0 + 36 * HOUR}
    assert {f"t1_{item_id}" for item_id in due} <= seen


def test_new_comments_on_old_submissions_land_in_the_hour_they_were_written(reddit, person, world_of) -> None:
    old = submission(1, T0)
    late_answer = comment(1, T0 + 30 * HOUR + 60, old["id"])
    filler = [submission(n, T0 + 25 * HOUR + n * 60) for n in range(2, 80)]
    now = T0 + 31 * HOUR + 300
    someone: Person = person(reddit(world_of([old, *filler], [late_answer]), now))
    assert someone.types("ingest", "phones", now=now).exit_code == 0
    assert set(someone.rows("phones", "comments")) == {f"t1_{late_answer['id']}"}
    assert someone.windows("phones")[T0 + 30 * HOUR].new_comments == 1


def test_an_hour_without_a_word_is_empty_with_its_proof(reddit, person, world_of) -> None:
    posts, answers = busy_hours(10)
    now = T0 + 20 * HOUR + 300
    someone: Person = person(reddit(world_of(posts, answers), now))
    result = someone.types("ingest", "phones", now=now)
    state = someone.windows("phones")[T0 + 19 * HOUR]
    assert result.exit_code == 0
    assert state.status is CoverageStatus.EMPTY
    assert all(claim.items_seen > 0 and "read" in claim.reason for claim in state.coverage.values())


def test_an_hour_with_three_thousand_comments_is_truncated_and_says_from_when_it_is_complete(
    reddit, person, world_of
) -> None:
    posts = [submission(n, T0 - 30 * HOUR + n * 600) for n in range(180)]
    answers = [comment(n, T0 + n * HOUR // 3_000, posts[n % 30]["id"]) for n in range(3_000)]
    now = T0 + HOUR + 300
    someone: Person = person(reddit(world_of(posts, answers), now))
    result = someone.types("ingest", "phones", now=now)
    claim = someone.windows("phones")[T0].coverage["comments"]
    assert result.exit_code == 3
    assert claim.status is CoverageStatus.TRUNCATED
    assert T0 < claim.complete_from_ts < T0 + HOUR
    seen = someone.rows("phones", "comments")
    assert all(f"t1_{a['id']}" in seen for a in answers if a["created_utc"] >= claim.complete_from_ts)
    assert someone.watermark("phones") == T0 + HOUR
    status = someone.types("status", now=now)
    assert status.exit_code == 3
    assert "truncated" in status.stdout
    assert "complete from" in status.stdout


def test_the_hours_own_threads_are_read_whole_where_the_listing_falls_short(reddit, person, world_of) -> None:
    old = [submission(n, T0 - 30 * HOUR + n * 600) for n in range(180)]
    own = [submission(200 + n, T0 + n * 60) for n in range(10)]
    answers = [comment(n, T0 + 700 + n, own[n % 10]["id"]) for n in range(2_500)]
    now = T0 + HOUR + 300
    simulator: Simulator = reddit(world_of([*old, *own], answers), now)
    someone: Person = person(simulator)
    someone.types("ingest", "phones", now=now)
    assert len(someone.rows("phones", "comments")) == 2_500
    # 10 pages of the listing, a page of submissions, a tree and no more than its share of 250 hidden comments each.
    assert simulator.stats()["requests_total"] <= 11 + 10 * 4


def test_hours_older_than_the_listing_are_recorded_as_unreachable_gaps(reddit, person, world_of) -> None:
    posts = [submission(n, T0 + n * 60) for n in range(3_000)]
    now = T0 + 50 * HOUR + 300
    someone: Person = person(reddit(world_of(posts), now))
    result = someone.types("backfill", "phones", "--start", str(T0), "--end", str(T0 + 2 * HOUR), now=now)
    assert result.exit_code == 3
    assert {state.status for state in someone.windows("phones").values()} == {CoverageStatus.UNREACHABLE}


def test_a_cap_on_submissions_makes_the_window_truncated(reddit, person, world_of) -> None:
    posts, answers = busy_hours(8, per_hour=20)
    now = T0 + 5 * HOUR + 300
    someone: Person = person(reddit(world_of(posts, answers), now))
    result = someone.types("ingest", "phones", "--max-submissions", "10", now=now)
    state = someone.windows("phones")[T0 + 4 * HOUR]
    assert result.exit_code == 3
    assert state.coverage["submissions"].status is CoverageStatus.TRUNCATED
    assert state.submissions == 10


def test_trouble_with_one_subreddit_does_not_keep_the_others_from_being_served(reddit, person) -> None:
    specs = [
        SubredditSpec("phones", submissions_per_hour=8, comments_per_submission=3),
        SubredditSpec("secret", submissions_per_hour=8, comments_per_submission=3, access="private"),
        SubredditSpec("gone", submissions_per_hour=8, comments_per_submission=3, access="banned"),
    ]
    now = T0 + 30 * HOUR + 300
    someone: Person = person(reddit(GeneratedWorld(seed=3, start_ts=T0 - 16 * HOUR, subreddits=specs), now))
    result = someone.types("ingest", "secret", "gone", "nosuchname", "phones", now=now)
    assert result.exit_code == 1
    assert someone.windows("phones")[T0 + 29 * HOUR].status is CoverageStatus.COMPLETE
    for name, reason in (("secret", "private"), ("gone", "banned"), ("nosuchname", "no subreddit")):
        (state,) = someone.windows(name).values()
        assert state.status is CoverageStatus.BLOCKED
        assert reason in state.coverage["submissions"].reason
        assert someone.watermark(name) is None


def test_every_comment_that_could_be_seen_is_captured_hour_after_hour(reddit, person) -> None:
    specs = [SubredditSpec("phones", submissions_per_hour=12, comments_per_submission=10)]
    world = GeneratedWorld(seed=5, start_ts=T0 - 32 * HOUR, subreddits=specs)
    simulator: Simulator = reddit(world, T0)
    someone: Person = person(simulator)
    for hour in range(1, 13):
        now = T0 + hour * HOUR + 150
        simulator.clock.set(now)
        assert someone.types("ingest", "phones", now=now).exit_code == 0
    created = someone.rows("phones", "comments").values()
    assert sum(T0 <= row["created_utc"] < T0 + 12 * HOUR for row in created) > 500
    assert someone.watermark("phones") == T0 + 12 * HOUR
