"""Refresh in memory: what is asked for, what lands, what is buried, a crash at every effect, trouble on the way."""

from collections.abc import Sequence
from typing import Any

import pytest

from reddit_ingest import view
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.coverage import Coverage, CoverageStatus
from reddit_ingest.core.errors import CredentialsRejected, DeadlineReached, SourceUnavailable, SubredditBlocked
from reddit_ingest.core.ladder import Ladder
from reddit_ingest.core.ports import Reading, WindowReading
from reddit_ingest.core.tombstones import Reason, Tombstone
from reddit_ingest.core.windows import HOUR_S, Window, hour_of
from reddit_ingest.erasure import Erasure
from reddit_ingest.ingestion_service import RedditIngestionService
from reddit_ingest.refresh_service import RefreshReport, RefreshService
from reddit_ingest.verification import Verifier

from .fakes import (
    Crash,
    Log,
    MemoryHistory,
    MemoryLake,
    MemoryRecorder,
    MemoryState,
    ScriptedLookup,
    ScriptedSource,
)

T0 = 1_767_225_600
PLACE = "reddit/phones/"
COMPLETE = Coverage(CoverageStatus.COMPLETE, "read 9 items on 1 pages")


def at(hours: float) -> int:
    return T0 + int(hours * HOUR_S)


def post(item_id: str, created: int = T0 + 60, **fields: Any) -> dict[str, Any]:
    item = {"name": f"t3_{item_id}", "id": item_id, "created_utc": float(created), "author": "alice", "score": 1}
    return {**item, "title": f"Title of {item_id}", "selftext": f"Text of {item_id}", "num_comments": 0, **fields}


def answer(item_id: str, link: str = "p", created: int = T0 + 120, **fields: Any) -> dict[str, Any]:
    item = {"name": f"t1_{item_id}", "id": item_id, "created_utc": float(created), "author": "bob", "score": 1}
    return {**item, "body": f"Body of {item_id}", "link_id": f"t3_{link}", "parent_id": f"t3_{link}", **fields}


DELETED = {"author": "[deleted]", "body": "[deleted]"}
REMOVED = {"body": "[removed]"}


class World:
    """A lake that has read one hour, and a Reddit that says what has become of it since."""

    def __init__(self, *items: dict[str, Any], orphan_age_s: int = 0) -> None:
        self.lake, self.recorder, self.lookup = MemoryLake(), MemoryRecorder(), ScriptedLookup()
        self._orphan_age_s = orphan_age_s
        self.has(*items)
        self.ingest(items, now=at(1.1))

    def has(self, *items: dict[str, Any]) -> None:
        self.lookup.items |= {item["name"]: item for item in items}

    def ingest(self, items: Sequence[dict[str, Any]], now: int) -> None:
        window = hour_of(T0)
        posts = [item for item in items if item["name"].startswith("t3_")]
        answers = [item for item in items if item["name"].startswith("t1_")]
        reading = WindowReading(window, posts, answers, {"submissions": COMPLETE, "comments": COMPLETE})
        source = ScriptedSource(lambda *_: Reading([reading], [], 2))
        service = RedditIngestionService(source, self.lake, FixedClock(now))
        list(service.ingest_windows("phones", [window]))

    def service(self, now: int, log: Log | None = None, **more: Any) -> RefreshService:
        self.lake.log = self.recorder.log = log or Log()
        clock = FixedClock(now)
        erasure = Erasure(
            self.lake, self.lake, self.lake, clock, leftovers=[self.lake], orphan_age_s=self._orphan_age_s
        )
        return RefreshService(
            self.lookup, self.lake, self.lake, erasure, self.recorder, clock, environment="test", **more
        )

    def refresh(self, now: int, budget: int = 300, log: Log | None = None) -> RefreshReport:
        self.lookup.asked.clear()
        self.lookup.trees.clear()
        return self.service(now, log).refresh("phones", budget)

    def asked(self) -> list[str]:
        return [name for batch in self.lookup.asked for name in batch]

    def seen(self, kind: str = "comments") -> dict[str, dict[str, Any]]:
        return view.rows(self.lake, PLACE, kind)

    def graves(self) -> dict[str, Tombstone]:
        return dict(view.graves(self.lake, PLACE))

    def holds(self, text: str) -> bool:
        return any(text.encode() in content for content in self.lake.objects.values())


def test_what_changed_lands_in_its_own_hour_and_the_first_text_stays_beside_the_last() -> None:
    world = World(post("p"), answer("a"), answer("b"))
    world.has(answer("a", score=40, body="Body of a, edited", edited=float(at(1.5))))
    report = world.refresh(at(3))
    assert (report.due, report.asked, report.found, report.rescored, report.edited) == (3, 3, 3, 1, 1)
    row = world.seen()["t1_a"]
    assert (row["score"], row["body"], row["first_text"]) == (40, "Body of a, edited", {"body": "Body of a"})
    assert (row["observed_at_ts"], row["edited"]) == (at(3), at(1.5))
    made = [each for _, each in view.manifests(world.lake, PLACE) if each.mode == "refresh"]
    assert [(each.window, each.coverage, each.requests) for each in made] == [(hour_of(T0), {}, 1)]
    (state,) = view.ledger(world.lake, PLACE)
    assert state.status is CoverageStatus.COMPLETE


def test_each_rung_is_climbed_once_and_nothing_is_remembered_but_what_stands_in_the_lake() -> None:
    world = World(post("p"))
    asked = []
    for now in range(at(1.5), at(15 * 24), HOUR_S // 2):
        world.refresh(now)
        asked += [(now - T0) / HOUR_S for _ in world.asked()]
    assert asked == [2.5, 36.5, 168.5]


def test_missed_runs_are_made_up_for_with_one_look_and_only_up_to_the_horizon() -> None:
    world = World(post("p"))
    assert World(post("p")).refresh(at(15 * 24)).due == 0
    assert world.refresh(at(13 * 24)).found == 1
    assert world.refresh(at(13 * 24 + 1)).due == 0


def test_a_deleted_item_is_buried_and_its_text_is_gone_from_every_byte_of_the_lake() -> None:
    world = World(post("p"), answer("a"), answer("b"))
    world.has(answer("a", **DELETED))
    report = world.refresh(at(3))
    assert (report.deleted, report.erased, report.deletions_due) == (1, 1, 0)
    assert world.seen().keys() == {"t1_b"}
    assert not world.holds("Body of a")
    grave = world.graves()["t1_a"]
    assert (grave.reason, grave.noticed_at_ts, grave.purged_at_ts) == (Reason.DELETED, at(3), at(3))


def test_a_deletion_that_an_ingest_has_seen_is_honoured_without_a_request() -> None:
    world = World(post("p"), answer("a"))
    world.ingest([answer("a", **DELETED)], now=at(1.2))
    report = world.refresh(at(3))
    assert (report.deleted, world.asked()) == (1, ["t3_p"])
    assert not world.holds("Body of a")


def test_what_is_missing_once_stays_and_what_is_missing_again_a_day_later_goes() -> None:
    world = World(post("p"), answer("a"), answer("b"))
    del world.lookup.items["t1_a"]
    assert world.refresh(at(3)).missing == 1
    assert world.seen()["t1_a"]["body"] == "Body of a"
    assert world.refresh(at(4)).due == 0, "a look that missed it is a look"
    report = world.refresh(at(27))
    assert (report.due, report.missing, report.gone) == (1, 1, 1)
    assert "t1_a" not in world.seen()
    assert not world.holds("Body of a")
    assert world.graves()["t1_a"].reason is Reason.GONE


def test_what_was_missing_and_came_back_has_to_be_missed_twice_anew() -> None:
    world = World(post("p"), answer("a"))
    there = world.lookup.items.pop("t1_a")
    world.refresh(at(3))
    world.has(there)
    world.refresh(at(27))
    del world.lookup.items["t1_a"]
    assert world.refresh(at(37)).missing == 1
    assert "t1_a" in world.seen()
    assert world.refresh(at(61)).gone == 1


def test_what_was_removed_and_restored_is_shown_again_and_what_stays_removed_goes() -> None:
    world = World(post("p"), answer("back"), answer("gone"))
    world.has(answer("back", **REMOVED), answer("gone", **REMOVED))
    report = world.refresh(at(3))
    assert (report.removed, report.gone, report.edited) == (2, 0, 0)
    assert world.seen()["t1_back"]["body"] == "[removed]"
    world.has(answer("back"))
    report = world.refresh(at(27))
    assert (report.removed, report.gone) == (1, 1)
    assert {name: row["body"] for name, row in world.seen().items()} == {"t1_back": "Body of back"}
    assert not world.holds("Body of gone")


def test_a_deleted_account_loses_its_name_and_keeps_its_text() -> None:
    world = World(post("p"), answer("a", author_fullname="t2_bob"))
    world.has(answer("a", author="[deleted]"))
    assert world.refresh(at(3)).anonymous == 1
    row = world.seen()["t1_a"]
    assert (row["body"], row["author"], row["author_fullname"]) == ("Body of a", None, None)
    assert not world.holds('"bob"')
    assert not world.holds("t2_bob")
    assert world.refresh(at(37)).anonymous == 0, "it is noticed once"


def test_nobody_asks_for_what_is_hidden_and_what_was_landed_again_since_is_erased() -> None:
    world = World(post("p"), answer("a"))
    Erasure(world.lake, world.lake, world.lake, FixedClock(at(1.2))).bury(
        "phones", [Tombstone("t1_a", T0 + 120, Reason.FORGOTTEN, at(1.2))]
    )
    world.refresh(at(3))
    assert world.asked() == ["t3_p"]
    assert not world.holds("Body of a")
    world.ingest([answer("a")], now=at(3.5))
    assert world.holds("Body of a")
    world.refresh(at(4))
    assert world.asked() == []
    assert not world.holds("Body of a")


def test_a_tombstone_that_could_not_be_purged_before_is_purged_although_nothing_else_is_due() -> None:
    world = World(post("p"), answer("a"), orphan_age_s=3_600)
    orphan = next(key for key in world.lake.objects if key.endswith("comments.jsonl")).replace("ts.", "ts-part2.")
    world.lake.objects[orphan] = b'{"fullname":"t1_a","created_utc":1767225720,"body":"Body of a"}\n'
    world.lake.young.add(orphan)
    world.has(answer("a", **DELETED))
    assert world.refresh(at(3)).deletions_due == 1
    world.lake.young.clear()
    report = world.refresh(at(4))
    assert (report.due, report.requests, report.deletions_due) == (0, 0, 0)
    assert not world.holds("Body of a")


def test_the_most_active_threads_come_first_and_the_next_runs_go_on_until_nothing_is_left() -> None:
    items = [post("aquiet", num_comments=1), post("zbusy", num_comments=180), post("middle", num_comments=70)]
    items += [
        answer(f"{link}{n}", link, T0 + 200 + n)
        for link, many in (("zbusy", 180), ("middle", 70), ("aquiet", 1))
        for n in range(many)
    ]
    world = World(*items)
    report = world.refresh(at(3), budget=2)
    assert (report.due, report.asked, report.remaining, report.requests) == (254, 200, 54, 2)
    assert [len(batch) for batch in world.lookup.asked] == [100, 100]
    links = [name for name in world.asked() if "zbusy" in name]
    assert len(links) == 181, "the busiest thread whole"
    assert not [name for name in world.asked() if "aquiet" in name]
    report = world.refresh(at(3.1), budget=2)
    assert (report.due, report.remaining) == (54, 0)
    assert world.recorder.refreshes[0].remaining == 54


def test_a_thread_that_grew_is_read_and_its_comments_land_in_their_own_hours() -> None:
    world = World(post("p", num_comments=1), answer("a"))
    world.has(post("p", num_comments=9))
    hours = (0, 1, 1, 2, 2, 2)
    late = [answer(f"late{n}", created=at(hour) + 300 + n) for n, hour in enumerate(hours)]
    shells = [answer("x", **DELETED), answer("y", **REMOVED)]
    world.lookup.threads["t3_p"] = [answer("a"), *late, *shells]
    report = world.refresh(at(3))
    assert (report.threads, report.new_comments, report.requests) == (1, 6, 2)
    assert world.lookup.trees == ["t3_p"]
    assert world.seen().keys() == {"t1_a", *(item["name"] for item in late)}
    landed = {each.window: each.new_comments for _, each in view.manifests(world.lake, PLACE) if each.mode == "refresh"}
    assert landed == {Window(at(n), at(n + 1)): count for n, count in enumerate((2, 2, 3))}
    assert world.refresh(at(3.5)).threads == 0


def test_a_thread_that_lacks_only_what_deletions_explain_is_left_alone() -> None:
    world = World(post("p"), answer("a"))
    world.has(post("p", num_comments=6))
    assert world.refresh(at(3)).threads == 0


def test_a_thread_for_which_the_budget_is_spent_is_read_by_the_next_run() -> None:
    world = World(post("p"), answer("a"))
    world.has(post("p", num_comments=20))
    world.lookup.threads["t3_p"] = [answer(f"late{n}", created=at(0.5) + n) for n in range(20)]
    report = world.refresh(at(3), budget=1)
    assert (report.threads, report.remaining) == (0, 1)
    report = world.refresh(at(3.1), budget=2)
    assert (report.due, report.threads, report.new_comments, report.remaining) == (1, 1, 20, 0)


def test_what_a_thread_gave_before_the_trouble_lands_and_the_thread_stays_due() -> None:
    world = World(post("p"), answer("a"))
    world.has(post("p", num_comments=20))

    def breaks_off(fullname: str) -> Any:
        yield answer("late", created=at(0.5))
        raise DeadlineReached("3 s left")

    world.lookup.thread = breaks_off  # type: ignore[method-assign]
    report = world.refresh(at(3))
    assert (report.new_comments, report.remaining) == (1, 1)
    assert isinstance(report.trouble, DeadlineReached)
    assert "t1_late" in world.seen()
    assert world.refresh(at(3.1)).due == 1


def test_a_thread_that_is_gone_itself_keeps_nothing_up() -> None:
    world = World(post("p"), answer("a"))
    world.has(post("p", num_comments=20))
    world.lookup.trouble[2] = SubredditBlocked("GET /comments/p", "not found")
    report = world.refresh(at(3))
    assert (report.trouble, report.remaining) == (None, 0)


def test_of_a_blocked_subreddit_nothing_is_missing() -> None:
    world = World(post("p"), answer("a"))
    world.lookup.trouble[1] = SubredditBlocked("r/phones", "private")
    report = world.refresh(at(3))
    assert isinstance(report.trouble, SubredditBlocked)
    assert (report.missing, report.asked, report.remaining) == (0, 0, 2)
    assert "private" in world.recorder.refreshes[0].reason
    world.lookup.trouble.clear()
    assert world.refresh(at(30)).found == 2


def test_trouble_leaves_to_the_next_run_what_was_not_asked_and_lands_what_was() -> None:
    world = World(*(answer(f"c{n}", score=1) for n in range(150)))
    world.has(*(answer(f"c{n}", score=2) for n in range(150)))
    world.lookup.trouble[2] = SourceUnavailable("Reddit answered 503")
    report = world.refresh(at(3))
    assert (report.asked, report.remaining, report.rescored) == (100, 50, 100)
    assert sum(row["score"] == 2 for row in world.seen().values()) == 100
    world.lookup.trouble.clear()
    assert world.refresh(at(3.1)).due == 50


def test_a_record_that_cannot_be_stored_is_set_aside_and_the_others_land() -> None:
    world = World(answer("a"), answer("b"))
    world.has(answer("a", body="\ud83d half a pair"), answer("b", score=7))
    report = world.refresh(at(3))
    assert (report.found, report.remaining) == (2, 0)
    assert world.seen()["t1_b"]["score"] == 7
    assert world.holds("half a pair"), "in quarantine"


def test_subreddits_share_the_budget_and_trouble_of_one_does_not_keep_up_the_next() -> None:
    world = World(*(answer(f"c{n}") for n in range(350)))
    world.lookup.trouble[1] = SourceUnavailable("Reddit answered 503")
    first, second = world.service(at(3)).refresh_all(["phones", "empty"], budget=3)
    assert isinstance(first.trouble, SourceUnavailable)
    assert (second.subreddit, second.trouble, second.due) == ("empty", None, 0)
    world.lookup.trouble.clear()
    first, _ = world.service(at(3.1)).refresh_all(["phones", "empty"], budget=5)
    assert first.requests == 3, "half of five, rounded up"


def test_credentials_that_are_refused_end_the_run() -> None:
    world = World(answer("a"))
    world.lookup.trouble[1] = CredentialsRejected("no")
    with pytest.raises(CredentialsRejected):
        list(world.service(at(3)).refresh_all(["phones", "empty"], budget=3))


def test_no_time_left_is_told_of_every_subreddit_and_nothing_is_asked() -> None:
    class Over:
        def remaining_s(self) -> float:
            return 3.0

    world = World(answer("a"))
    reports = list(world.service(at(3)).refresh_all(["phones", "empty"], 9, Over()))
    assert [type(report.trouble) for report in reports] == [DeadlineReached, DeadlineReached]
    assert world.lookup.asked == []


def test_the_ladder_is_a_setting() -> None:
    world = World(answer("a"))
    service = world.service(at(5), ladder=Ladder((6 * HOUR_S,)))
    assert service.refresh("phones", 9).due == 0


def test_the_lake_is_sound_for_those_who_verify_it() -> None:
    world = eventful()
    world.refresh(at(27))
    verifier = Verifier(world.lake, MemoryState(), MemoryHistory(world.recorder), world.lake, FixedClock(at(27)))
    own = [each for each in verifier.verify("phones").findings if each.kind not in ("run record", "watermark")]
    assert [(each.kind, each.place) for each in own] == []


def eventful() -> World:
    """A lake at the second look: something of everything will happen to it."""
    items = [post("p", num_comments=6), post("q"), *(answer(f"c{n}", created=T0 + 120 + n) for n in range(6))]
    world = World(*items)
    world.has(answer("c1", created=T0 + 121, **REMOVED))
    del world.lookup.items["t1_c2"]
    world.refresh(at(3))
    world.has(
        answer("c0", created=T0 + 120, **DELETED),
        answer("c3", created=T0 + 123, author="[deleted]"),
        answer("c4", created=T0 + 124, body="Body of c4, edited"),
        post("q", selftext="[deleted]", author="[deleted]", removed_by_category="deleted"),
        post("p", num_comments=30),
    )
    world.lookup.threads["t3_p"] = [answer(f"late{n}", created=at(n) + 1_000) for n in range(25)]
    return world


def outcome(world: World) -> Any:
    rows = {
        name: {field: row.get(field) for field in ("body", "selftext", "author", "first_text", "num_comments")}
        for kind in ("submissions", "comments")
        for name, row in world.seen(kind).items()
    }
    ends = {name: (grave.reason, grave.purged_at_ts is not None) for name, grave in world.graves().items()}
    return rows, ends


SECOND = at(37)


def effects() -> list[str]:
    log = Log()
    eventful().refresh(SECOND, log=log)
    return log.effects


def test_the_order_of_effects_is_objects_manifests_tombstones_erasure_record() -> None:
    world, log = World(answer("a"), answer("b")), Log()
    world.has(answer("a", **DELETED))
    world.refresh(at(3), log=log)
    landed, buried = ["object", "manifest"], ["object", "manifest"]
    cleaned, marked = ["object", "manifest", "erase", "erase"], ["object", "manifest", "erase", "erase"]
    assert log.effects == [*landed, *buried, *cleaned, *marked, "record"]


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_crash_at_any_effect_repeats_work_and_loses_nothing(before: bool) -> None:
    whole = eventful()
    whole.refresh(SECOND)
    rows, ends = outcome(whole)
    assert {name: reason for name, (reason, _) in ends.items()} == {
        "t1_c0": Reason.DELETED,
        "t1_c1": Reason.GONE,
        "t1_c2": Reason.GONE,
        "t1_c3": Reason.ACCOUNT,
        "t3_q": Reason.DELETED,
    }
    assert all(is_purged for _, is_purged in ends.values())
    assert len([name for name in rows if "late" in name]) == 25
    for call in range(len(effects())):
        world = eventful()
        with pytest.raises(Crash):
            world.refresh(SECOND, log=Log(call, before=before))
        world.refresh(SECOND + 60)
        assert outcome(world) == (rows, ends), f"effect {call}"
        for text in ("Body of c0", "Body of c1", "Body of c2", "Text of q", "Title of q"):
            assert not world.holds(text), f"effect {call}: {text}"
        assert world.recorder.refreshes[-1].remaining == 0
