"""Late truth through the command line: what changed after the hours were read, and what was deleted, over HTTP."""

from typing import Any

import pytest

from reddit_sim import Simulator

from .conftest import HOUR, Person, comment, submission

T0 = 1_767_600_000  # 2026-01-05 08:00 UTC
READ = T0 + HOUR + 300
LATER = T0 + 4 * HOUR


@pytest.fixture
def read_hour(reddit, person, world_of):
    """Let somebody read an hour; return the person, the simulator, and its things by number."""

    def read(posts: list[Any], answers: list[Any]) -> tuple[Person, Simulator, list[Any]]:
        simulator = reddit(world_of(posts, answers), READ)
        someone: Person = person(simulator)
        assert someone.types("ingest", "phones", now=READ).exit_code == 0
        simulator.clock.set(LATER)
        simulator.reset_stats()
        return someone, simulator, [simulator.world.by_name[f"t1_{answer['id']}"] for answer in answers]

    return read


def talk(comments: int = 6) -> tuple[list[Any], list[Any]]:
    posts = [submission(1, T0 + 60)]
    return posts, [comment(n, T0 + 120 + n, posts[0]["id"]) for n in range(comments)]


def in_lake(someone: Person, text: str) -> bool:
    return any(text.encode() in path.read_bytes() for path in someone.lake.root.rglob("*") if path.is_file())


def test_scores_and_edits_are_seen_and_the_first_text_is_kept(read_hour) -> None:
    someone, simulator, things = read_hour(*talk())
    things[0].edit_ts, things[0].edited_text = READ + 60, "I was wrong."
    things[1].final_score = 300
    result = someone.types("refresh", now=LATER)
    assert result.exit_code == 0, result.output
    assert simulator.stats()["requests"] == {"GET /api/info": 1}
    rows = someone.rows("phones", "comments")
    edited, scored = rows[things[0].name], rows[things[1].name]
    assert (edited["body"], edited["edited"]) == ("I was wrong.", READ + 60)
    assert edited["first_text"] == {"body": "Comment 0: mine does not."}
    assert scored["score"] > 100


def test_deleted_text_is_gone_from_the_bytes_of_the_lake_within_the_run(read_hour) -> None:
    someone, _, things = read_hour(*talk())
    things[2].gone_ts, things[2].gone_by = READ + 60, "author"
    assert in_lake(someone, "Comment 2: mine does not.")
    (report,) = someone.json("refresh", "phones", now=LATER)
    assert (report["deleted"], report["deletions_due"]) == (1, 0)
    assert not in_lake(someone, "Comment 2: mine does not.")
    assert things[2].name not in someone.rows("phones", "comments")
    assert len(someone.rows("phones", "comments")) == 5


def test_what_a_moderator_removed_goes_when_it_is_still_removed_a_day_later(read_hour) -> None:
    someone, simulator, things = read_hour(*talk())
    things[3].gone_ts, things[3].gone_by = READ + 60, "moderator"
    (report,) = someone.json("refresh", "phones", now=LATER)
    assert (report["removed"], report["gone"]) == (1, 0)
    simulator.clock.set(LATER + 25 * HOUR)
    (report,) = someone.json("refresh", "phones", now=LATER + 25 * HOUR)
    assert (report["due"], report["removed"], report["gone"]) == (1, 1, 1)
    assert not in_lake(someone, "Comment 3: mine does not.")


def test_a_comment_that_reddit_no_longer_knows_is_gone_when_it_is_missed_twice(read_hour) -> None:
    someone, simulator, things = read_hour(*talk())
    del simulator.world.by_name[things[4].name]
    (report,) = someone.json("refresh", "phones", now=LATER)
    assert (report["missing"], report["gone"]) == (1, 0)
    assert things[4].name in someone.rows("phones", "comments")
    (report,) = someone.json("refresh", "phones", now=LATER + 25 * HOUR)
    assert (report["missing"], report["gone"]) == (1, 1)
    assert not in_lake(someone, "Comment 4: mine does not.")


def test_comments_that_the_listing_could_not_show_are_read_from_the_thread_that_grew(reddit, person, world_of) -> None:
    posts = [submission(1, T0 + 60)]
    rush = [comment(n, T0 + HOUR + 400 + n * 2, posts[0]["id"]) for n in range(1_300)]
    simulator = reddit(world_of(posts, rush), READ)
    someone: Person = person(simulator)
    someone.types("ingest", "phones", now=READ)
    simulator.clock.set(READ + HOUR)
    assert someone.types("ingest", "phones", now=READ + HOUR).exit_code == 3, "the listing shows 1,000"
    assert len(someone.rows("phones", "comments")) == 1_000
    (report,) = someone.json("refresh", "phones", now=READ + HOUR)
    assert (report["threads"], report["new_comments"]) == (1, 300)
    assert report["requests"] == 11, "a token, the submission, its thread, and 8 for what that hides"
    assert someone.rows("phones", "comments").keys() == {f"t1_{each['id']}" for each in rush}


def test_what_the_budget_leaves_over_the_next_run_does(read_hour) -> None:
    someone, _, _ = read_hour(*talk(250))
    result = someone.types("refresh", "--budget", "2", now=LATER)
    assert result.exit_code == 3
    assert "r/phones: 151 of 251 items are left; run it again to go on" in result.stderr
    assert someone.types("refresh", "--budget", "9", now=LATER).exit_code == 0
    assert someone.json("refresh", now=LATER)[0]["due"] == 0


def test_a_subreddit_that_went_private_loses_nothing(read_hour) -> None:
    someone, simulator, _ = read_hour(*talk())
    specs = simulator.world.subreddits
    specs["phones"] = type(specs["phones"])("phones", access="private")
    for hours in (0, 30):
        result = someone.types("refresh", now=LATER + hours * HOUR)
        assert result.exit_code == 1
        assert "r/phones cannot be read: private" in result.stderr
    assert len(someone.rows("phones", "comments")) == 6


@pytest.mark.parametrize("fault", ["empty-page", "null-body", "error-dict-200", "not-json", "cut-json", "status:503"])
def test_an_answer_that_lies_or_breaks_loses_nothing(read_hour, fault) -> None:
    someone, simulator, things = read_hour(*talk())
    simulator.set_hostile(f'[{{"path": "/api/info", "fault": "{fault}"}}]')
    for hours in (0, 30):
        someone.types("refresh", now=LATER + hours * HOUR)
    assert someone.rows("phones", "comments").keys() == {thing.name for thing in things}
    simulator.set_hostile("[]")
    assert someone.types("refresh", now=LATER + 40 * HOUR).exit_code == 0


def test_one_empty_answer_is_asked_for_again_and_believed_no_longer(read_hour) -> None:
    someone, simulator, _ = read_hour(*talk())
    simulator.set_hostile('[{"path": "/api/info", "fault": "empty-page", "times": 1}]')
    (report,) = someone.json("refresh", now=LATER)
    assert (report["found"], report["missing"]) == (7, 0)


def test_the_time_limit_ends_a_run_cleanly_and_is_no_failure(read_hour) -> None:
    someone, _, _ = read_hour(*talk())
    result = someone.types("refresh", "--time-limit", "5", now=LATER)
    assert result.exit_code == 3
    assert "r/phones" in result.stderr


def test_without_a_lake_there_is_nothing_to_refresh(reddit, person, world_of) -> None:
    result = person(reddit(world_of([]), READ)).types("refresh", now=LATER)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "no lake at" in result.stderr
