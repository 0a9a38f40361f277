"""Taking text out of a lake in memory: what is left, what is shown, and what a crash or another run changes."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reddit_ingest import erasure, view
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.coverage import Coverage, CoverageStatus
from reddit_ingest.core.errors import DamagedState
from reddit_ingest.core.keys import KINDS, QUARANTINE, is_manifest, window_folder
from reddit_ingest.core.manifest import Manifest
from reddit_ingest.core.ports import Reading, WindowReading
from reddit_ingest.core.tombstones import Reason, Tombstone
from reddit_ingest.core.windows import HOUR_S, Window, hour_of
from reddit_ingest.erasure import Erasure
from reddit_ingest.ingestion_service import RedditIngestionService

from .fakes import Crash, Log, MemoryLake, ScriptedSource

T0 = 1_767_225_600
NOW = T0 + 48 * HOUR_S
SUB = "phones"
COMPLETE = Coverage(CoverageStatus.COMPLETE, "read")

Item = dict[str, Any]


def submission(name: str, created: int = T0 + 60, subreddit: str = SUB, **fields: Any) -> Item:
    path = f"/r/{subreddit}/comments/{name}/title_of_{name}_canary/"
    return {
        "name": f"t3_{name}",
        "id": name,
        "subreddit": subreddit,
        "created_utc": float(created),
        "author": f"Author-{name}",
        "author_fullname": f"t2_{name}",
        "author_flair_text": f"flair of {name} canary",
        "title": f"title of {name} canary",
        "selftext": f"selftext of {name} canary",
        "selftext_html": f"<p>selftext of {name} canary</p>",
        "url": f"https://www.reddit.com{path}",
        "permalink": path,
        "score": 1,
        **fields,
    }


def comment(name: str, link: Item, created: int | None = None, **fields: Any) -> Item:
    return {
        "name": f"t1_{name}",
        "id": name,
        "subreddit": link["subreddit"],
        "created_utc": float(created or link["created_utc"] + 60),
        "author": f"Author-{name}",
        "author_fullname": f"t2_{name}",
        "body": f"body of {name} canary",
        "link_id": link["name"],
        "parent_id": link["name"],
        "permalink": f"{link['permalink']}{name}/",
        "link_title": link["title"],
        "link_author": link["author"],
        "link_url": link["url"],
        "link_permalink": f"https://www.reddit.com{link['permalink']}",
        "score": 1,
        **fields,
    }


def crosspost(name: str, original: Item, created: int, subreddit: str = SUB) -> Item:
    more = {"url": original["url"], "crosspost_parent": original["name"], "crosspost_parent_list": [original]}
    return submission(name, created, subreddit, selftext="", selftext_html=None, **more)


def land(
    lake: MemoryLake,
    items: Sequence[Item],
    observed: int,
    window: Window | None = None,
    subreddit: str = SUB,
    log: Log | None = None,
) -> None:
    """Land items as one attempt at a window: by default the hour of the first."""
    window = window or hour_of(int(items[0]["created_utc"]))
    reading = WindowReading(
        window,
        [item for item in items if item["name"].startswith("t3_")],
        [item for item in items if item["name"].startswith("t1_")],
        dict.fromkeys(KINDS, COMPLETE),
    )
    source = ScriptedSource(lambda *_: Reading([reading], [], 1))
    lake.log = log or Log()
    service = RedditIngestionService(source, lake, FixedClock(observed))
    list(service.ingest_windows(subreddit, [window]))


def erasing(lake: MemoryLake, now: int = NOW, log: Log | None = None, **more: Any) -> Erasure:
    lake.log = log or Log()
    return Erasure(lake, lake, lake, FixedClock(now), leftovers=[lake], **more)


def tombstone(item: Item, reason: Reason = Reason.DELETED, noticed: int = NOW - 10) -> Tombstone:
    return Tombstone(item["name"], int(item["created_utc"]), reason, noticed)


def bury(lake: MemoryLake, *items: Item, reason: Reason = Reason.DELETED, noticed: int = NOW - 10) -> None:
    for item in items:
        erasing(lake).bury(item["subreddit"], [tombstone(item, reason, noticed)])


def purge(lake: MemoryLake, now: int = NOW, subreddit: str = SUB, **more: Any) -> erasure.PurgeReport:
    return erasing(lake, now).purge(subreddit, **more)


def shown(lake: MemoryLake) -> dict[str, Any]:
    return {name: row for kind in KINDS for name, row in view.rows(lake, "reddit/", kind).items()}


def hits(lake: MemoryLake, *texts: str) -> list[str]:
    """Return the keys of objects that hold one of these texts."""
    return [key for key, content in lake.objects.items() if any(text.encode() in content for text in texts)]


def traces(item: Item) -> tuple[str, ...]:
    """Return what must be found nowhere when an item is gone."""
    name = item["id"]
    return f"of {name} canary", f"of_{name}_canary", f"Author-{name}", f"t2_{name}"


def states(lake: MemoryLake, prefix: str = "reddit/") -> dict[str, Tombstone]:
    return dict(view.graves(lake, prefix))


POST, OTHER = submission("aaa"), submission("bbb", T0 + 90)
REPLY, OTHERS_REPLY = comment("ccc", POST), comment("ddd", OTHER)
LATE = comment("eee", POST, T0 + HOUR_S + 5)


def a_lake(**options: Any) -> MemoryLake:
    """Two submissions with a comment each, and a comment of the next hour that stands in two folders."""
    lake = MemoryLake(**options)
    land(lake, [POST, OTHER, REPLY, OTHERS_REPLY, LATE], T0 + 2 * HOUR_S)
    land(lake, [LATE], T0 + 2 * HOUR_S + 5)
    return lake


# Nothing is left, and nothing else is lost.


@pytest.mark.parametrize("gone", [POST, OTHER, REPLY, OTHERS_REPLY, LATE], ids=lambda item: item["name"])
@pytest.mark.parametrize("can_look", [True, False], ids=["folder", "bucket"])
def test_after_a_purge_no_object_holds_text_or_author_and_all_else_is_shown_as_before(
    gone: Item, can_look: bool
) -> None:
    lake = a_lake(can_look=can_look)
    before = shown(lake)
    bury(lake, gone)
    buried = shown(lake)
    assert before.keys() - buried.keys() == {gone["name"]}
    assert not any(text in json.dumps(buried) for text in traces(gone))
    report = purge(lake)
    assert hits(lake, *traces(gone)) == []
    assert shown(lake) == buried
    assert report.rows >= 1
    assert report.due == 0


def test_what_others_carry_of_a_submission_goes_with_it_and_their_own_words_stay() -> None:
    lake = a_lake()
    bury(lake, POST)
    purge(lake)
    row = shown(lake)["t1_ccc"]
    assert row["body"] == "body of ccc canary"
    assert row["link_id"] == "t3_aaa"
    assert shown(lake)["t1_ddd"]["raw"]["link_title"] == "title of bbb canary"


def test_a_row_that_holds_nothing_to_erase_keeps_its_bytes() -> None:
    lake = a_lake()
    lines = {line for content in lake.objects.values() for line in content.split(b"\n") if b'"t3_bbb"' in line}
    bury(lake, POST)
    purge(lake)
    assert lines <= {line for content in lake.objects.values() for line in content.split(b"\n")}


def test_an_object_without_anything_to_erase_is_not_touched() -> None:
    lake = a_lake()
    land(lake, [submission("zzz", T0 + 9 * HOUR_S)], T0 + 10 * HOUR_S)
    untouched = {key: lake.objects[key] for key in lake.keys("reddit/phones/2026-01-01/090000/")}
    bury(lake, POST)
    purge(lake)
    assert untouched.items() <= lake.objects.items()


def test_all_attempts_are_purged_and_so_is_the_text_that_was_there_first() -> None:
    lake = a_lake()
    land(lake, [{**POST, "selftext": "second text of aaa canary"}, REPLY], T0 + 3 * HOUR_S)
    land(lake, [POST, {**REPLY, "body": "third body of ccc canary"}], T0 + 36 * HOUR_S)
    assert shown(lake)["t1_ccc"]["first_text"] == {"body": "body of ccc canary"}
    bury(lake, POST, REPLY)
    purge(lake)
    assert hits(lake, *traces(POST), *traces(REPLY)) == []


def test_an_object_that_two_manifests_name_goes_when_the_last_of_them_is_replaced() -> None:
    lake = a_lake()
    folder = window_folder("reddit/", SUB, hour_of(T0))
    (key,) = [key for key in lake.keys(folder) if is_manifest(key)]
    lake.commit(folder, replace(view.read_manifest(lake, key), observed_at_ts=T0 + 3 * HOUR_S))
    bury(lake, REPLY)
    purge(lake)
    assert hits(lake, *traces(REPLY)) == []
    assert shown(lake).keys() == {"t3_aaa", "t3_bbb", "t1_ddd", "t1_eee"}


def test_the_last_row_of_an_object_takes_the_object_with_it() -> None:
    lake = MemoryLake()
    land(lake, [POST], T0 + HOUR_S)
    bury(lake, POST)
    report = purge(lake)
    assert (report.rows, report.objects) == (1, 1)
    assert not any("submissions" in key for key in lake.objects)
    (state,) = view.ledger(lake, "reddit/phones/")
    assert state.status is CoverageStatus.COMPLETE


@pytest.mark.parametrize(
    "record",
    [
        {"name": "t3_aaa", "title": "title of aaa canary", "score": float("nan"), "created_utc": T0},
        {"id": "aaa", "title": "title of aaa canary", "x": "\ud83d", "created_utc": T0},
        {"id": "new", "crosspost_parent_list": [{"id": "aaa", "title": "title of aaa canary"}], "score": float("inf")},
    ],
)
def test_a_quarantined_record_is_erased_and_others_stay(record: Item) -> None:
    lake = a_lake()
    land(lake, [{"name": "t3_", **record}, {"id": "keep", "name": "t3_keep", "x": "keep this"}], NOW - 99, hour_of(T0))
    assert any(QUARANTINE in key for key in lake.objects)
    bury(lake, POST)
    purge(lake)
    assert hits(lake, *traces(POST)) == []
    assert hits(lake, "keep this")


@pytest.mark.parametrize("subreddit", [SUB, "gadgets"])
def test_a_crosspost_of_any_subreddit_of_the_lake_loses_its_original(subreddit: str) -> None:
    lake = a_lake()
    picture = {**POST, "url": "https://pictures.example/of_aaa_canary.jpg"}
    shared = crosspost("xxx", picture, T0 + 5 * HOUR_S, subreddit)
    land(lake, [shared, comment("fff", shared)], T0 + 6 * HOUR_S, subreddit=subreddit)
    land(lake, [comment("ggg", shared, T0 + 8 * HOUR_S)], T0 + 9 * HOUR_S, subreddit=subreddit)
    bury(lake, POST)
    purge(lake)
    assert hits(lake, *traces(POST)) == []
    assert shown(lake)["t3_xxx"]["title"] == "title of xxx canary"
    assert shown(lake)["t1_ggg"]["body"] == "body of ggg canary"


def test_a_crosspost_that_is_landed_after_its_original_was_purged_elsewhere_loses_it_too() -> None:
    lake = a_lake()
    bury(lake, POST)
    purge(lake)
    land(lake, [crosspost("xxx", POST, NOW + 60, "gadgets")], NOW + HOUR_S, subreddit="gadgets")
    assert hits(lake, *traces(POST))
    purge(lake, NOW + 2 * HOUR_S, "gadgets")
    assert hits(lake, *traces(POST)) == []


def test_where_a_crosspost_lost_its_original_one_that_comes_later_is_shown_without_it() -> None:
    lake = a_lake()
    land(lake, [crosspost("xxx", POST, T0 + 5 * HOUR_S, "gadgets")], T0 + 6 * HOUR_S, subreddit="gadgets")
    bury(lake, POST)
    purge(lake)
    assert {name: grave.purged_at_ts for name, grave in states(lake, "reddit/gadgets/").items()} == {"t3_aaa": NOW}
    land(lake, [crosspost("yyy", POST, NOW + 60, "gadgets")], NOW + HOUR_S, subreddit="gadgets")
    assert shown(lake)["t3_yyy"]["raw"]["crosspost_parent_list"] == []
    settled = dict(lake.objects)
    purge(lake)
    assert lake.objects == settled


def test_a_purge_elsewhere_does_not_pass_for_one_of_ones_own() -> None:
    lake = a_lake()
    own = submission("own", T0 + 60, "gadgets")
    land(lake, [own, crosspost("xxx", POST, T0 + 90, "gadgets")], T0 + HOUR_S, subreddit="gadgets")
    bury(lake, own, noticed=T0 + 2 * HOUR_S)
    purge(lake, T0 + 3 * HOUR_S, "gadgets")
    land(lake, [own], T0 + 9 * HOUR_S, subreddit="gadgets")
    bury(lake, POST)
    purge(lake, NOW)
    assert "t3_aaa" in states(lake, "reddit/gadgets/")
    assert hits(lake, *traces(own))
    purge(lake, NOW + 60, "gadgets")
    assert hits(lake, *traces(own)) == []


def test_what_a_run_that_died_had_landed_is_erased() -> None:
    lake = MemoryLake()
    with pytest.raises(Crash):
        land(lake, [POST, REPLY], T0 + HOUR_S, log=Log(dies_at=2))
    land(lake, [OTHER], T0 + 2 * HOUR_S)
    assert hits(lake, *traces(POST))
    bury(lake, POST, REPLY)
    purge(lake)
    assert hits(lake, *traces(POST), *traces(REPLY)) == []
    assert shown(lake).keys() == {"t3_bbb"}


def test_what_may_be_about_to_be_committed_is_left_and_its_tombstones_wait() -> None:
    lake = a_lake()
    with pytest.raises(Crash):
        land(lake, [POST, submission("hhh")], T0 + HOUR_S, log=Log(dies_at=1))
    lake.young = {key for key in lake.objects if key not in a_lake().objects}
    assert lake.young
    bury(lake, POST, OTHERS_REPLY)
    assert purge(lake).due == 1
    assert {name: grave.purged_at_ts for name, grave in states(lake).items()} == {"t3_aaa": None, "t1_ddd": NOW}
    assert hits(lake, *traces(POST)) == list(lake.young)
    lake.young = set()
    assert purge(lake, NOW + 2 * HOUR_S).due == 0
    assert hits(lake, *traces(POST)) == []
    assert states(lake)["t3_aaa"].purged_at_ts == NOW + 2 * HOUR_S


def test_what_is_half_written_goes_and_what_may_be_being_written_keeps_tombstones_waiting() -> None:
    lake = a_lake()
    lake.half_written = ["reddit/phones/2026-01-01/000000/.tmp-1", "reddit/other/2026-01-01/000000/.tmp-2"]
    lake.young = {"reddit/phones/2026-01-01/000000/.tmp-1"}
    bury(lake, POST)
    assert purge(lake).due == 1
    lake.young = set()
    assert purge(lake).due == 0
    assert lake.half_written == ["reddit/other/2026-01-01/000000/.tmp-2"]


def test_tombstones_hold_no_content_and_stay_with_the_time_of_the_purge() -> None:
    lake = a_lake()
    bury(lake, POST)
    assert states(lake)["t3_aaa"].purged_at_ts is None
    purge(lake)
    (content,) = [content for key, content in lake.objects.items() if "tombstones" in key]
    assert json.loads(content) == {
        "fullname": "t3_aaa",
        "created_utc": T0 + 60,
        "reason": "deleted",
        "noticed_at_ts": NOW - 10,
        "purged_at_ts": NOW,
    }


def test_a_purge_of_what_is_purged_changes_nothing() -> None:
    lake = a_lake()
    bury(lake, POST, LATE)
    purge(lake)
    before = dict(lake.objects)
    report = purge(lake, NOW + 60)
    assert (report.rows, report.objects, report.due) == (0, 0, 0)
    assert lake.objects == before


def test_a_purge_of_a_lake_without_tombstones_changes_nothing() -> None:
    lake = a_lake()
    before = dict(lake.objects)
    purge(lake)
    purge(MemoryLake())
    assert lake.objects == before


# What comes back.


@pytest.mark.parametrize("reason", [Reason.DELETED, Reason.FORGOTTEN])
def test_what_a_later_run_lands_again_is_not_shown_and_is_purged_again(reason: Reason) -> None:
    lake = a_lake()
    bury(lake, POST, reason=reason)
    purge(lake)
    land(lake, [POST, REPLY], NOW + HOUR_S)
    assert "t3_aaa" not in shown(lake)
    assert hits(lake, *traces(POST))
    purge(lake, NOW + 2 * HOUR_S)
    assert hits(lake, *traces(POST)) == []
    assert "t1_ccc" in shown(lake)


def test_a_restored_item_is_shown_again_and_its_old_text_is_not() -> None:
    lake = a_lake()
    bury(lake, POST, reason=Reason.GONE, noticed=T0 + 40 * HOUR_S)
    land(lake, [{**POST, "selftext": "better text", "selftext_html": ""}], T0 + 41 * HOUR_S)
    for step in ("buried", "purged"):
        row = shown(lake)["t3_aaa"]
        assert row["selftext"] == "better text", step
        assert "first_text" not in row
        purge(lake)
    assert hits(lake, "selftext of aaa canary") == []


def test_of_a_deleted_account_the_text_stays_without_the_name() -> None:
    lake = a_lake()
    bury(lake, POST, reason=Reason.ACCOUNT)
    before = shown(lake)
    assert (before["t3_aaa"]["title"], before["t3_aaa"]["author"]) == ("title of aaa canary", None)
    report = purge(lake)
    assert shown(lake) == before
    assert hits(lake, "Author-aaa", "t2_aaa") == []
    assert report.rows == 0
    assert report.changed == 4  # the submission and its comments, one of which stands in two folders
    assert hits(lake, "title of aaa canary")


# Finding what a person wants forgotten.


def find(lake: MemoryLake, subreddit: str = SUB, **what: Any) -> dict[str, Tombstone]:
    found = erasing(lake).find(subreddit, **{name: frozenset(value) for name, value in what.items()})
    assert all(each.reason is Reason.FORGOTTEN and each.noticed_at_ts == NOW for each in found)
    return {each.fullname: each for each in found}


def test_an_item_is_found_by_its_name_with_the_hour_it_was_created_in() -> None:
    assert find(a_lake(), names=["t3_aaa", "t1_eee", "t1_none"]).keys() == {"t3_aaa", "t1_eee"}
    assert find(a_lake(), names=["t1_eee"])["t1_eee"].created_utc == T0 + HOUR_S + 5


def test_everything_of_an_author_is_found_whatever_the_case() -> None:
    lake = a_lake()
    land(lake, [comment("iii", OTHER, author="AUTHOR-AAA")], T0 + 3 * HOUR_S)
    assert find(lake, authors=["author-aaa"]).keys() == {"t3_aaa", "t1_iii"}
    assert find(lake, authors=["author-a"]) == {}


def test_what_is_known_only_from_what_others_carry_of_it_is_found() -> None:
    lake = MemoryLake()
    unseen = submission("zzz", T0 - 90 * HOUR_S)
    land(lake, [comment("ccc", unseen, T0 + 60)], T0 + HOUR_S)
    land(lake, [crosspost("xxx", unseen, T0 + 70, "gadgets")], T0 + HOUR_S, subreddit="gadgets")
    for found in ({"names": ["t3_zzz"]}, {"authors": ["Author-zzz"]}):
        assert find(lake, **found).keys() == {"t3_zzz"}
        assert find(lake, "gadgets", **found).keys() == {"t3_zzz"}


def test_an_answer_to_an_item_holds_nothing_of_it() -> None:
    lake = a_lake()
    land(lake, [comment("jjj", OTHER, parent_id="t1_kkk")], T0 + 3 * HOUR_S)
    assert find(lake, names=["t1_kkk"]) == {}


def test_what_no_manifest_names_is_found_and_so_are_quarantined_records() -> None:
    lake = MemoryLake()
    with pytest.raises(Crash):
        land(lake, [POST, REPLY], T0 + HOUR_S, log=Log(dies_at=2))
    land(lake, [{**OTHER, "score": float("nan")}], T0 + HOUR_S)
    assert find(lake, names=["t3_aaa", "t3_bbb"]).keys() == {"t3_aaa", "t3_bbb"}
    assert find(lake, authors=["Author-bbb"]).keys() == {"t3_bbb"}
    assert hour_of(find(lake, names=["t3_bbb"])["t3_bbb"].created_utc) == hour_of(T0)


def test_what_was_forgotten_is_found_no_more() -> None:
    lake = a_lake()
    for found in find(lake, authors=["Author-aaa"]).values():
        erasing(lake).bury(SUB, [found])
    purge(lake, author="Author-aaa")
    assert find(lake, authors=["Author-aaa"], names=["t3_aaa"]) == {}
    assert hits(lake, *traces(POST)) == []


def test_a_forgotten_author_is_not_named_by_others() -> None:
    lake = a_lake()
    text = "ask u/Author-aaa or /user/author-aaa, not u/Author-aaab"
    land(lake, [comment("lll", OTHER, body=text, approved_by="Author-aaa")], T0 + 3 * HOUR_S)
    land(lake, [{**comment("mmm", OTHER, body=text), "score": float("nan")}], T0 + 4 * HOUR_S)
    purge(lake, author="AUTHOR-AAA")
    assert shown(lake)["t1_lll"]["body"] == "ask u/[deleted] or /user/[deleted], not u/Author-aaab"
    assert not any(b"t1_mmm" in content for content in lake.objects.values())


def test_what_its_author_deleted_is_noticed_from_what_the_lake_itself_shows() -> None:
    lake = a_lake()
    land(lake, [{**POST, "selftext": "[deleted]", "author": "[deleted]"}], T0 + 30 * HOUR_S)
    land(lake, [{**REPLY, "body": "[removed]"}], T0 + 30 * HOUR_S)
    noticed = erasing(lake).notice(SUB)
    assert [(each.fullname, each.reason) for each in noticed] == [("t3_aaa", Reason.DELETED)]
    erasing(lake).bury(SUB, noticed)
    purge(lake)
    assert hits(lake, *traces(POST)) == []
    assert erasing(lake).notice(SUB) == []


# Texts that were kept for their time.


def test_texts_of_old_windows_go_and_the_figures_stay() -> None:
    lake = a_lake()
    land(lake, [submission("new", NOW - HOUR_S)], NOW)
    before, counts = shown(lake), view.ledger(lake, "reddit/")
    purge(lake, expire_before_ts=T0 + 24 * HOUR_S)
    after = shown(lake)
    assert after.keys() == before.keys()
    assert after["t3_new"] == before["t3_new"]
    assert not any(hits(lake, *traces(item)) for item in (POST, OTHER, REPLY, OTHERS_REPLY, LATE))
    for name in ("t3_aaa", "t1_eee"):
        assert {field for field in after[name] if after[name][field] != before[name][field]} <= {
            *("title", "selftext", "body", "author", "author_fullname", "author_flair_text", "url", "permalink", "raw")
        }
    assert view.ledger(lake, "reddit/") == counts


def test_texts_are_kept_for_as_long_as_was_said_when_the_eraser_was_made() -> None:
    lake = a_lake()
    keeping = erasing(lake)
    assert not keeping.expires_texts
    keeping.purge(SUB)
    assert hits(lake, *traces(POST))
    expiring = erasing(lake, T0 + 26 * HOUR_S - 1, raw_text_hours=25)
    assert expiring.expires_texts
    expiring.purge(SUB)
    assert hits(lake, *traces(POST))
    erasing(lake, T0 + 26 * HOUR_S, raw_text_hours=25).purge(SUB)
    assert hits(lake, *traces(POST)) != []  # told once more by the comment of the next hour
    erasing(lake, T0 + 27 * HOUR_S, raw_text_hours=25).purge(SUB)
    assert hits(lake, *traces(POST)) == []


def test_texts_go_once_and_what_is_landed_again_later_goes_too() -> None:
    lake = a_lake()
    purge(lake, expire_before_ts=T0 + 24 * HOUR_S)
    before = dict(lake.objects)
    purge(lake, NOW + 60, expire_before_ts=T0 + 24 * HOUR_S)
    assert lake.objects == before
    land(lake, [POST], NOW + 90)
    assert hits(lake, *traces(POST))
    purge(lake, NOW + 99, expire_before_ts=T0 + 24 * HOUR_S)
    assert hits(lake, *traces(POST)) == []


def test_a_copy_that_still_has_its_text_is_shown_before_one_that_has_not() -> None:
    lake = MemoryLake()
    land(lake, [POST, LATE], T0 + 2 * HOUR_S)
    land(lake, [LATE], T0 + 2 * HOUR_S)
    purge(lake, expire_before_ts=T0 + HOUR_S)
    assert shown(lake)["t1_eee"]["body"] == "body of eee canary"
    assert "first_text" not in shown(lake)["t1_eee"]


def test_old_quarantined_records_and_what_no_manifest_names_go_with_the_texts() -> None:
    lake = a_lake()
    land(lake, [{**submission("nan"), "score": float("nan")}], T0 + 2 * HOUR_S)
    with pytest.raises(Crash):
        land(lake, [submission("dead")], T0 + 2 * HOUR_S, log=Log(dies_at=1))
    purge(lake, expire_before_ts=T0 + 24 * HOUR_S)
    assert hits(lake, *traces(submission("nan")), *traces(submission("dead"))) == []


@pytest.mark.parametrize("nth", range(20))
def test_a_crash_while_texts_go_loses_no_figure(nth: int) -> None:
    whole, lake = a_lake(), a_lake()
    purge(whole, expire_before_ts=T0 + 24 * HOUR_S)
    with suppress(Crash):
        erasing(lake, log=Log(dies_at=nth)).purge(SUB, expire_before_ts=T0 + 24 * HOUR_S)
    purge(lake, expire_before_ts=T0 + 24 * HOUR_S)
    assert shown(lake) == shown(whole)


# Crashes, and others at work.


def purging(lake: MemoryLake, log: Log) -> None:
    bury(lake, POST, LATE)
    erasing(lake, log=log).purge(SUB)


def effects_of_a_purge() -> int:
    log = Log()
    purging(a_lake(), log)
    return len(log.effects)


EFFECTS = effects_of_a_purge()


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("can_look", [True, False], ids=["folder", "bucket"])
@pytest.mark.parametrize("nth", range(EFFECTS))
def test_a_crash_at_any_effect_hides_what_is_buried_and_the_next_purge_ends_the_work(
    nth: int, can_look: bool, before: bool
) -> None:
    whole = a_lake(can_look=can_look)
    purging(whole, Log())
    lake = a_lake(can_look=can_look)
    with pytest.raises(Crash):
        purging(lake, Log(dies_at=nth, before=before))
    assert shown(lake) == shown(whole)
    for _ in range(2):
        purge(lake)
        assert shown(lake) == shown(whole)
        assert hits(lake, *traces(POST), *traces(LATE)) == []
        assert {grave.purged_at_ts for grave in states(lake).values()} == {NOW}
    assert view.ledger(lake, "reddit/") == view.ledger(whole, "reddit/")


def test_what_a_purge_that_died_had_landed_again_is_not_taken_for_an_orphan() -> None:
    lake = a_lake()
    bury(lake, POST)
    with pytest.raises(Crash):
        erasing(lake, log=Log(dies_at=2)).purge(SUB)  # the cleaned comments stand there, and still name their thread
    assert len([key for key in lake.objects if "000000/comments" in key]) == 2
    purge(lake, NOW + 2 * HOUR_S)
    assert {"t1_ccc", "t1_eee", "t3_bbb"} <= shown(lake).keys()


@pytest.mark.parametrize("nth", range(EFFECTS + 1))
@pytest.mark.parametrize("can_look", [True, False], ids=["folder", "bucket"])
def test_what_another_run_commits_in_the_midst_of_a_purge_is_not_lost(nth: int, can_look: bool) -> None:
    fresh = submission("new")
    lake = a_lake(can_look=can_look)

    def commit() -> None:
        log = lake.log
        land(lake, [POST, fresh, OTHER, REPLY], NOW - 5)
        lake.log = log

    bury(lake, POST, LATE)
    lake.log = Log()
    between(lake, nth, commit)
    erasing_as_it_is(lake).purge(SUB)
    between(lake, -1, commit)
    assert shown(lake).keys() == {"t3_bbb", "t1_ccc", "t1_ddd", "t3_new"}
    if not any(b"of new canary" in content for content in lake.objects.values()):
        commit()
    purge(lake, NOW + 60)
    assert hits(lake, *traces(POST), *traces(LATE)) == []
    assert shown(lake).keys() == {"t3_bbb", "t1_ccc", "t1_ddd", "t3_new"}


def erasing_as_it_is(lake: MemoryLake) -> Erasure:
    return Erasure(lake, lake, lake, FixedClock(NOW), leftovers=[lake])


def between(lake: MemoryLake, nth: int, act: Callable[[], None]) -> None:
    """Let something else happen just before the nth effect from now on; a negative one has no such moment."""

    class Interrupting(Log):
        def effect(self, name: str) -> Iterator[None]:
            if len(self.effects) == nth and not self.has_struck:
                self.has_struck = True
                act()
            yield from super().effect(name)

    if nth < 0:
        log = lake.log
        if isinstance(log, Log) and not log.has_struck:
            log.has_struck = True
            act()
        return
    lake.log = Interrupting()


@pytest.mark.parametrize("nth", range(EFFECTS))
def test_what_is_buried_in_the_midst_of_a_purge_is_not_marked_as_purged_by_it(nth: int) -> None:
    lake = a_lake()
    bury(lake, POST, LATE)

    def commit() -> None:
        log = lake.log
        bury(lake, OTHER)
        lake.log = log

    between(lake, nth, commit)
    erasing_as_it_is(lake).purge(SUB)
    assert states(lake)["t3_bbb"].purged_at_ts is None
    purge(lake, NOW + 60)
    assert hits(lake, *traces(OTHER)) == []
    assert states(lake)["t3_bbb"].purged_at_ts == NOW + 60


@pytest.mark.parametrize("nth", range(EFFECTS))
def test_two_purges_at_once_leave_nothing_that_the_next_one_does_not_see(nth: int) -> None:
    lake = a_lake()
    bury(lake, LATE)

    def other_purge() -> None:
        log = lake.log
        bury(lake, POST)
        purge(lake)
        lake.log = log

    between(lake, nth, other_purge)
    with suppress(DamagedState):  # the other one may have erased what this one was about to read
        erasing_as_it_is(lake).purge(SUB)
    between(lake, -1, other_purge)
    purge(lake, NOW + 9 * HOUR_S)
    assert hits(lake, *traces(POST), *traces(LATE)) == []
    assert shown(lake).keys() == {"t3_bbb", "t1_ccc", "t1_ddd"}


def test_a_damaged_object_keeps_nothing_else_from_being_purged_and_no_tombstone_lies() -> None:
    lake = a_lake()
    land(lake, [submission("zzz", T0 + 9 * HOUR_S)], T0 + 10 * HOUR_S)
    key = "reddit/phones/2026-01-01/010000/comments.jsonl"
    lake.objects[key] = lake.objects[key].replace(b"body", b"BODY")
    bury(lake, POST, submission("zzz", T0 + 9 * HOUR_S))
    with pytest.raises(DamagedState, match=key):
        purge(lake)
    assert hits(lake, *traces(submission("zzz"))) == []
    assert set(hits(lake, *traces(POST))) <= {key}
    assert {grave.purged_at_ts for grave in states(lake).values()} == {None}


def test_somebody_elses_file_in_the_place_of_an_object_is_erased_only_where_it_names_what_is_gone() -> None:
    lake = a_lake()
    place = "reddit/phones/2026-01-01/000000/"
    lake.objects[f"{place}comments-part7.jsonl"] = b"no JSON about t3_aaa\n"
    lake.objects[f"{place}comments-part8.jsonl"] = b"no JSON about anything\n"
    lake.objects[f"{place}notes.txt"] = b"t3_aaa\n"
    assert "t3_aaa" in find(lake, names=["t3_aaa"])
    bury(lake, POST)
    purge(lake)
    assert f"{place}comments-part7.jsonl" not in lake.objects
    assert f"{place}comments-part8.jsonl" in lake.objects
    assert f"{place}notes.txt" in lake.objects


def test_a_purge_reads_no_object_of_the_time_before_the_oldest_thing_that_waits() -> None:
    lake = MemoryLake()
    for hour in range(48):
        land(lake, [submission(f"s{hour}", T0 + hour * HOUR_S)], T0 + (hour + 1) * HOUR_S)
    bury(lake, submission("s40", T0 + 40 * HOUR_S))
    reads: list[str] = []
    read = lake.read
    lake.read = lambda key: reads.append(key) or read(key)  # type: ignore[method-assign, func-returns-value]
    purge(lake)
    data = {key.split("/")[3] for key in reads if "submissions" in key and "2026-01-02" in key}
    assert not any("2026-01-01" in key for key in reads if "submissions" in key)
    assert min(data) >= "140000"
    reads.clear()
    purge(lake, NOW + 60)
    assert [key for key in reads if "submissions" in key and "2026-01-02/2" not in key] == []


# Random lakes.


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Item], list[tuple[list[int], int]], list[int]]:
    """Items, attempts (which items, observed when), and which items go."""
    items: list[Item] = []
    for number in range(draw(st.integers(2, 7))):
        created = T0 + draw(st.integers(0, 5)) * HOUR_S + number
        posts = [item for item in items if item["name"].startswith("t3_")]
        shape = draw(st.sampled_from(["post", "comment", "comment", "crosspost"])) if posts else "post"
        if shape == "post":
            items.append(submission(f"p{number}", created, draw(st.sampled_from([SUB, "gadgets"]))))
            continue
        other = draw(st.sampled_from(posts))
        created = max(created, int(other["created_utc"]) + 1)
        if shape == "crosspost":
            items.append(crosspost(f"x{number}", other, created, draw(st.sampled_from([SUB, "gadgets"]))))
        else:
            items.append(comment(f"c{number}", other, created))
    numbers = st.integers(0, len(items) - 1)
    attempts = draw(
        st.lists(st.tuples(st.lists(numbers, min_size=1, max_size=4), st.integers(6, 40)), min_size=1, max_size=6)
    )
    return items, attempts, draw(st.lists(numbers, min_size=1, max_size=3, unique=True))


def land_world(lake: MemoryLake, items: list[Item], attempts: list[tuple[list[int], int]]) -> None:
    """Land every attempt in the hours of its items, comments also in the hour of their submission."""
    hours = {item["name"]: hour_of(int(item["created_utc"])) for item in items}
    for chosen, observed in attempts:
        seen = [items[number] for number in dict.fromkeys(chosen)]
        for subreddit in {item["subreddit"] for item in seen}:
            own = [item for item in seen if item["subreddit"] == subreddit]
            for window in {hours[item["name"]] for item in own} | {
                hours[item["link_id"]] for item in own if "link_id" in item
            }:
                fitting = [item for item in own if window in (hours[item["name"]], hours.get(item.get("link_id", "")))]
                land(lake, fitting, T0 + observed * HOUR_S, window, subreddit)


def a_crosspost_of_a_crosspost() -> tuple[list[Item], list[tuple[list[int], int]], list[int]]:
    """The one in the middle goes; the comment on the last names it nowhere, but has the address that it gave on."""
    first = submission("p0", T0)
    middle = crosspost("x1", first, T0 + 1, SUB)
    last = crosspost("x2", middle, T0 + 2, SUB)
    return [first, middle, last, comment("c3", last, T0 + 3)], [([2, 3], 6)], [1]


@settings(max_examples=150)
@example(a_crosspost_of_a_crosspost())
@given(worlds())
def test_whatever_a_lake_holds_what_is_gone_leaves_no_trace_and_the_rest_is_as_it_was(world: Any) -> None:
    items, attempts, going = world
    lake = MemoryLake()
    land_world(lake, items, attempts)
    gone = [items[number] for number in going]
    before = shown(lake)
    bury(lake, *gone)
    buried = shown(lake)
    assert buried.keys() == before.keys() - {item["name"] for item in gone}
    for subreddit in (SUB, "gadgets"):
        purge(lake, subreddit=subreddit)
    after = shown(lake)
    assert without_link_url(after) == without_link_url(buried)
    for item in gone:
        assert hits(lake, *traces(item)) == []
    bare = {item["name"] for item in items if item.get("crosspost_parent") in {each["name"] for each in gone}}
    untouched = {
        name
        for name, row in before.items()
        if row.get("link_id") not in bare
        and not any(item["name"] in json.dumps(row) or f"/{item['id']}/" in json.dumps(row) for item in gone)
    }
    assert all(after[name] == before[name] for name in untouched)
    assert all(grave.purged_at_ts == NOW for grave in states(lake).values())
    settled = dict(lake.objects)
    purge(lake)
    assert lake.objects == settled


def without_link_url(rows: dict[str, Any]) -> dict[str, Any]:
    """A comment on a crosspost loses the original's address with the purge, not before."""
    return {
        name: {**row, "raw": {key: value for key, value in row["raw"].items() if key != "link_url"}}
        for name, row in rows.items()
    }


def test_manifests_say_which_they_stand_for() -> None:
    lake = a_lake()
    folder = window_folder("reddit/", SUB, hour_of(T0))
    (old,) = [key for key in lake.keys(folder) if is_manifest(key)]
    bury(lake, POST)
    purge(lake)
    manifests = [Manifest.from_bytes(lake.read(key), key) for key in lake.keys(folder) if is_manifest(key)]
    (new,) = [manifest for manifest in manifests if old.rpartition("/")[2] in manifest.replaces]
    assert (new.coverage, new.observed_at_ts, new.requests) == (dict.fromkeys(KINDS, COMPLETE), T0 + 2 * HOUR_S, 1)
    assert old not in lake.objects


def test_tombstones_of_one_hour_stand_in_one_object() -> None:
    lake = a_lake()
    erasing(lake).bury(SUB, [tombstone(POST), tombstone(REPLY), tombstone(LATE)])
    assert sorted(key for key in lake.objects if "tombstones" in key) == [
        "reddit/phones/2026-01-01/000000/tombstones.jsonl",
        "reddit/phones/2026-01-01/010000/tombstones.jsonl",
    ]
    before = dict(lake.objects)
    erasing(lake).bury(SUB, [])
    assert lake.objects == before


def test_lines_keep_their_separators() -> None:
    lake = MemoryLake()
    odd = submission("odd", selftext="a\u2028b\u0085c\rd")
    land(lake, [POST, odd], T0 + HOUR_S)
    bury(lake, POST)
    purge(lake)
    assert shown(lake)["t3_odd"]["selftext"] == "a\u2028b\u0085c\rd"
    assert shown(lake).keys() == {"t3_odd"}
