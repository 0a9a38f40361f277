"""The archive as a source, over real HTTP: nothing lost at a page's edge, nothing claimed without proof."""

import json

import pytest

from reddit_ingest import arctic_client
from reddit_ingest.core.abilities import ARCTIC_SHIFT
from reddit_ingest.core.coverage import CoverageStatus
from reddit_ingest.core.errors import InvalidSetting
from reddit_ingest.core.keys import COMMENTS, SUBMISSIONS
from reddit_ingest.core.settings import ArcticShiftEndpoint
from reddit_sim import Quota, SubredditSpec

from ..simulator.conftest import comment, post, world
from .conftest import HOUR, T0, Reader, found

LATER = 30 * HOUR  # the archive is known to reach beyond the windows when it shows this


def statuses(reading, kind: str) -> list[CoverageStatus]:
    return [window.coverage[kind].status for window in reading.windows]


def hostile(fault: str, path: str = "/api/posts/search", **rule: object) -> str:
    return json.dumps([{"path": path, "fault": fault, **rule}])


def filled(posts: int = 30, start: int = T0, step: int = 240):
    threads = [post(n, start + n * step) for n in range(posts)]
    later = post(9_999, T0 + LATER)
    return world([*threads, later], [*(comment(n, thread) for n, thread in enumerate(threads)), comment(9_999, later)])


def test_hours_are_read_whole_from_start_to_end_and_nothing_beyond(archive) -> None:
    reading = archive(filled()).read(T0, T0 + 3 * HOUR)
    assert found(reading, SUBMISSIONS) == [f"p{n:05d}" for n in range(30)]
    assert sorted(found(reading, COMMENTS)) == [f"c{n:05d}" for n in range(30)]
    assert statuses(reading, SUBMISSIONS) == [CoverageStatus.COMPLETE, CoverageStatus.COMPLETE, CoverageStatus.EMPTY]
    assert [len(window.submissions) for window in reading.windows] == [15, 15, 0]


def test_the_first_and_the_last_second_of_a_window_belong_to_it_and_to_no_other(archive) -> None:
    edges = [T0 - 1, T0, T0 + HOUR - 1, T0 + HOUR]
    reading = archive(world([post(n, ts) for n, ts in enumerate([*edges, T0 + LATER])])).read(T0, T0 + HOUR)
    assert found(reading, SUBMISSIONS) == ["p00001", "p00002"]


@pytest.mark.parametrize("ties", [2, 60, 99])
def test_ties_at_the_edge_of_a_page_are_neither_lost_nor_doubled(archive, ties: int) -> None:
    # Page after page ends inside a second that several items share, wherever the archive cuts.
    times = [T0 + n // ties for n in range(3_000)]
    reading = archive(world([post(n, ts) for n, ts in enumerate([*times, T0 + LATER])])).read(T0, T0 + HOUR)
    assert sorted(found(reading, SUBMISSIONS)) == [f"p{n:05d}" for n in range(3_000)]
    assert statuses(reading, SUBMISSIONS) == [CoverageStatus.COMPLETE]


def test_a_second_that_is_fuller_than_a_page_ends_the_reading_and_is_told(archive) -> None:
    crowd = [post(n, T0 + HOUR + 7) for n in range(1_500)]
    reading = archive(world([post(5_000, T0 + 5), *crowd, post(9_999, T0 + LATER)])).read(T0, T0 + 2 * HOUR)
    assert statuses(reading, SUBMISSIONS) == [CoverageStatus.COMPLETE, CoverageStatus.FAILED]
    assert "of the second 2026-01-05T09:00:07Z" in reading.windows[1].coverage[SUBMISSIONS].reason
    assert reading.requests < 10


@pytest.mark.parametrize(
    "fault",
    [
        "archive-error-200", "archive-timeout-422", "status:500", "status:503", "429-json", "connection-reset",
        "short-body", "not-json", "cut-json", "empty-body", "null-body", "list-200", "error-dict-200",
        "bad-ratelimit-headers", "429-date",
    ],
)  # fmt: skip
def test_trouble_that_passes_costs_a_pause_and_nothing_else(archive, fault: str) -> None:
    reader: Reader = archive(filled())
    reader.simulator.set_hostile(hostile(fault, nth=1))
    reading = reader.read(T0, T0 + 2 * HOUR)
    assert found(reading, SUBMISSIONS) == [f"p{n:05d}" for n in range(30)]
    assert statuses(reading, SUBMISSIONS) == [CoverageStatus.COMPLETE] * 2
    assert len(reader.slept) == (0 if fault == "bad-ratelimit-headers" else 1)
    assert all(seconds >= arctic_client.PAUSES_S[0] for seconds in reader.slept)


@pytest.mark.parametrize("path", ["/api/posts/search", "/api/comments/search"])
@pytest.mark.parametrize("fault", ["archive-error-200", "archive-timeout-422", "null-body", "empty-body", "status:502"])
def test_an_answer_that_is_a_failure_is_never_an_empty_hour(archive, path: str, fault: str) -> None:
    reader: Reader = archive(filled())
    reader.simulator.set_hostile(hostile(fault, path))
    reading = reader.read(T0, T0 + 2 * HOUR)
    assert statuses(reading, COMMENTS) == [CoverageStatus.FAILED] * 2
    reason = reading.windows[0].coverage[COMMENTS].reason
    assert "run again later" in reason
    assert "4 times" in reason
    assert reader.slept == list(arctic_client.PAUSES_S)


def test_a_query_that_takes_too_long_is_asked_again_for_less(archive, monkeypatch) -> None:
    reader: Reader = archive(filled())
    reader.simulator.set_hostile(hostile("archive-timeout-422", times=2))
    asked: list[object] = []
    get = reader.connection._session.get
    monkeypatch.setattr(
        reader.connection._session, "get", lambda url, **how: (asked.append(how["params"]["limit"]), get(url, **how))[1]
    )
    reading = reader.read(T0, T0 + HOUR, include_comments=False)
    assert asked[:3] == ["auto", 100, 50]
    assert statuses(reading, SUBMISSIONS) == [CoverageStatus.COMPLETE]


def test_an_archive_that_hangs_is_given_up_and_the_hour_stays_open(archive, monkeypatch) -> None:
    monkeypatch.setattr(arctic_client, "READ_TIMEOUT_S", 0.05)
    reader: Reader = archive(filled())
    reader.simulator.set_hostile(hostile("hang", seconds=0.3))
    reading = reader.read(T0, T0 + HOUR)
    assert statuses(reading, SUBMISSIONS) == [CoverageStatus.FAILED]
    assert "ReadTimeout" in reading.windows[0].coverage[SUBMISSIONS].reason


def test_what_was_read_before_the_trouble_lands_and_the_next_pass_does_the_rest(archive, monkeypatch) -> None:
    posts = [post(n, T0 + n * 5) for n in range(2_000)]
    reader: Reader = archive(world([*posts, post(9_999, T0 + LATER)]))
    # Pages arrive until the first hour has been passed, then the archive goes away.
    monkeypatch.setattr(
        reader.listener,
        "page",
        lambda subreddit, kind, pages, items, quota: (
            items > 750 and reader.simulator.set_hostile(hostile("status:503"))
        ),
    )
    first = reader.read(T0, T0 + 3 * HOUR, include_comments=False)
    seen = statuses(first, SUBMISSIONS)
    assert (seen[0], seen[-1]) == (CoverageStatus.COMPLETE, CoverageStatus.FAILED)
    whole = [window for window in first.windows if window.coverage[SUBMISSIONS].status.is_whole]
    assert all(len(window.submissions) == HOUR // 5 for window in whole)
    assert len(found(first, SUBMISSIONS)) > 750
    monkeypatch.undo()
    reader.simulator.set_hostile("[]")
    rest = reader.read(T0 + len(whole) * HOUR, T0 + 3 * HOUR, include_comments=False)
    assert {*found(first, SUBMISSIONS), *found(rest, SUBMISSIONS)} == {item.id for item in posts}
    assert all(status.is_whole for status in statuses(rest, SUBMISSIONS))


def test_a_spent_quota_is_waited_for_before_the_next_request(archive) -> None:
    quota = Quota(limit=1, slice_s=60, clock=lambda: 1_767_600_030.0)
    reader: Reader = archive(filled(), archive_quota=quota)
    reader.read(T0, T0 + HOUR)
    assert [round(seconds) for seconds in reader.slept[:1]] == [30]
    assert "quota" in reader.listener.pauses[0][1]


def test_a_quota_that_is_spent_for_long_ends_the_pass_at_once(archive) -> None:
    quota = Quota(limit=1, slice_s=7_200, clock=lambda: 1_767_600_000.0)
    reading = (reader := archive(filled(), archive_quota=quota)).read(T0, T0 + HOUR)
    assert reader.slept == []
    assert statuses(reading, COMMENTS) == [CoverageStatus.FAILED]
    assert "quota" in reading.windows[0].coverage[COMMENTS].reason


def test_no_request_is_begun_that_might_outlast_the_deadline(archive) -> None:
    class Soon:
        def remaining_s(self) -> float:
            return arctic_client.CALL_RESERVE_S - 1

    reading = archive(filled()).read(T0, T0 + HOUR, deadline=Soon())
    assert reading.requests == 0
    assert statuses(reading, SUBMISSIONS) == [CoverageStatus.FAILED]


def test_an_empty_hour_is_claimed_only_where_the_archive_is_known_to_reach_beyond_it(archive) -> None:
    reader: Reader = archive(filled(posts=10))
    reader.simulator.stop_archive(T0 + 20 * HOUR)
    reading = reader.read(T0 + 10 * HOUR, T0 + 12 * HOUR)
    assert statuses(reading, SUBMISSIONS) == [CoverageStatus.FAILED] * 2
    assert "holds nothing after 2026-01-05T08:36:00Z yet" in reading.windows[0].coverage[SUBMISSIONS].reason
    reader.simulator.stop_archive(None)
    assert statuses(reader.read(T0 + 10 * HOUR, T0 + 12 * HOUR), SUBMISSIONS) == [CoverageStatus.EMPTY] * 2


def test_hours_that_have_not_settled_are_read_and_not_vouched_for(archive) -> None:
    now = T0 + 2 * HOUR + ARCTIC_SHIFT.settles_s
    reading = archive(filled(posts=60), now_ts=now).read(T0, T0 + 4 * HOUR)
    assert statuses(reading, SUBMISSIONS) == [CoverageStatus.COMPLETE] * 2 + [CoverageStatus.FAILED] * 2
    assert "read it again after 2026-01-07T11:00:00Z" in reading.windows[2].coverage[SUBMISSIONS].reason
    assert len(reading.windows[2].submissions) == 15


@pytest.mark.parametrize("access", ["private", "quarantined"])
def test_a_subreddit_of_which_the_archive_holds_nothing_is_blocked_not_empty(archive, access) -> None:
    specs = [SubredditSpec("secret", access=access)]
    reading = archive(world([post(1, T0, "secret"), post(2)], subreddits=specs)).read(T0, T0 + HOUR, "secret")
    assert statuses(reading, SUBMISSIONS) == statuses(reading, COMMENTS) == [CoverageStatus.BLOCKED]
    assert "r/secret" in reading.windows[0].coverage[SUBMISSIONS].reason


def test_a_subreddit_that_never_said_anything_is_empty_when_the_archive_knows_it(archive) -> None:
    specs = [SubredditSpec("quiet", created_utc=T0 - HOUR)]
    made = world([post(1, T0), late := post(2, T0 + LATER)], [comment(1, late)], subreddits=specs)
    reading = archive(made).read(T0, T0 + HOUR, "quiet")
    assert statuses(reading, SUBMISSIONS) == statuses(reading, COMMENTS) == [CoverageStatus.EMPTY]


def test_a_cap_on_submissions_is_told_with_how_far_it_reached(archive) -> None:
    reading = archive(filled(posts=40)).read(T0, T0 + 3 * HOUR, max_submissions=20)
    assert len(found(reading, SUBMISSIONS)) == 20
    assert statuses(reading, SUBMISSIONS) == [
        CoverageStatus.COMPLETE,
        CoverageStatus.TRUNCATED,
        CoverageStatus.UNREACHABLE,
    ]


@pytest.mark.parametrize(
    ("things", "says"),
    [
        ([{"id": "a", "subreddit": "other", "created_utc": T0 + 1}], "r/other instead of r/phones"),
        ([{"id": n, "subreddit": "phones", "created_utc": T0 + 9 - n} for n in range(3)], "not in the order of time"),
        ([{"id": "a", "subreddit": "phones", "created_utc": T0 - 900}], "not in the order of time"),
        (["t3_a"], "something else than items"),
    ],
)
def test_an_answer_to_another_question_is_not_believed(archive, monkeypatch, things, says: str) -> None:
    reader: Reader = archive(filled())
    monkeypatch.setattr(arctic_client, "_things", lambda response, body, path: things)
    reading = reader.read(T0, T0 + HOUR)
    assert statuses(reading, SUBMISSIONS) == [CoverageStatus.FAILED]
    assert says in reading.windows[0].coverage[SUBMISSIONS].reason
    assert found(reading, SUBMISSIONS) == []


def test_an_item_that_does_not_say_when_it_was_written_is_kept_for_the_quarantine(archive, monkeypatch) -> None:
    reader: Reader = archive(filled())
    things = arctic_client._things
    nameless = {"subreddit": "phones", "title": "no id, no time"}
    monkeypatch.setattr(arctic_client, "_things", lambda *answer: [*things(*answer), nameless])
    reading = reader.read(T0, T0 + HOUR, include_comments=False)
    assert [item for item in reading.windows[0].submissions if "id" not in item] == [nameless]
    assert statuses(reading, SUBMISSIONS) == [CoverageStatus.COMPLETE]


def test_a_host_that_is_not_the_archive_is_named_with_its_variable_and_asked_once(archive) -> None:
    reader: Reader = archive(filled())
    reader.connection._url += "/nowhere"
    reading = reader.read(T0, T0 + HOUR)
    assert reading.requests == 1
    assert "check ARCTIC_SHIFT_URL" in reading.windows[0].coverage[SUBMISSIONS].reason


@pytest.mark.parametrize("url", ["ftp://x", "archive.example", "https://", "http://user:secret@host", "http://h/?q=1"])
def test_an_address_that_is_none_is_an_error_that_names_the_variable(url: str) -> None:
    with pytest.raises(InvalidSetting, match="ARCTIC_SHIFT_URL must be an address such as https://arctic-shift"):
        ArcticShiftEndpoint.from_mapping({"ARCTIC_SHIFT_URL": url})


def test_the_public_archive_is_the_default_and_a_slash_at_the_end_means_nothing() -> None:
    assert ArcticShiftEndpoint.from_mapping({}).url == "https://arctic-shift.photon-reddit.com"
    assert ArcticShiftEndpoint.from_mapping({"ARCTIC_SHIFT_URL": "http://[::1]:80/x/"}).url == "http://[::1]:80/x"


def test_a_moment_in_the_reset_header_is_as_good_as_seconds(monkeypatch) -> None:
    import requests

    monkeypatch.setattr(arctic_client.time, "time", lambda: 1_800_000_000.0)
    for text, seconds in (("12", 12), ("1800000012", 12), ("1800000012000", 12), ("soon", None), ("", None)):
        response = requests.Response()
        response.headers["x-ratelimit-reset"] = text
        assert arctic_client._until_reset_s(response) == seconds
