"""Deletions through the command line: what a person wants forgotten, what Reddit's users deleted, what grows old."""

import json
import logging
import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from market_opinion.cli import main
from reddit_ingest.bootstrap import LocalLake
from reddit_ingest.core.tombstones import Reason, Tombstone
from reddit_ingest.core.windows import HOUR_S

from .conftest import HOUR, Person, comment, submission

T0 = 1_767_600_000  # 2026-01-05 08:00 UTC
NOW = T0 + 2 * HOUR + 300


def world() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A thread of two authors, one beside it, and a crosspost of the first in another subreddit."""
    first = submission(
        1,
        T0 + 60,
        author="Canary_One",
        author_fullname="t2_canary1",
        author_flair_text="flair of Canary_One",
        title="canary title",
        selftext="canary text",
        permalink="/r/phones/comments/s00001/canary_title/",
        url="https://www.reddit.com/r/phones/comments/s00001/canary_title/",
    )
    second = submission(2, T0 + 90, author="Other_One", selftext="Who is u/canary_one? See /user/Canary_One.")
    shared = submission(3, T0 + 120, "gadgets", author="Sharing_One", title="Look", selftext="", url=first["url"])
    shared |= {"crosspost_parent": "t3_s00001", "crosspost_parent_list": [{**first, "name": "t3_s00001"}]}
    answers = [
        comment(1, T0 + 300, "s00001", author="Canary_Two", body="canary answer"),
        comment(2, T0 + 360, "s00001", author="Other_One", body="I agree."),
        comment(3, T0 + HOUR + 60, "s00001", author="Canary_One", body="canary again"),
    ]
    return [first, second, shared], answers


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a lake is kept that every test gets a copy of; the first one makes it."""
    return tmp_path_factory.mktemp("landed") / "lake"


@pytest.fixture
def someone(reddit, person, world_of, landed: Path) -> Person:
    """A person whose lake holds two hours of both subreddits, one of them read twice."""
    someone: Person = person(reddit(world_of(*world()), NOW))
    if landed.exists():
        shutil.copytree(landed, someone.lake.root)
    else:
        ingest(someone)
        someone.types("backfill", "phones", "--start", str(T0), "--end", str(T0 + HOUR), now=NOW + 60)
        shutil.copytree(someone.lake.root, landed)
    return someone


def ingest(someone: Person) -> None:
    words = ("backfill", "phones", "gadgets", "--start", str(T0), "--end", str(T0 + 2 * HOUR))
    result = someone.types(*words, now=NOW)
    assert result.exit_code == 0, result.output


def hits(someone: Person, *texts: str) -> list[str]:
    """Return the files of the whole lake that hold one of these texts, whatever the case, or have it in their name."""
    files = [path for path in someone.lake.root.rglob("*") if path.is_file()]
    wanted = [text.lower() for text in texts]
    return [
        path.name
        for path in files
        if any(text.encode() in path.read_bytes().lower() or text in str(path.name).lower() for text in wanted)
    ]


def lake_files(someone: Person) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in someone.lake.landing.rglob("*") if path.is_file()}


def test_an_item_leaves_the_whole_lake_and_the_others_stay(someone: Person) -> None:
    assert hits(someone, "canary title", "canary text", "canary_title")
    result = someone.types("forget", "--id", "t3_s00001", "--yes", now=NOW + 99)
    assert result.exit_code == 0, result.output
    assert hits(someone, "canary title", "canary text", "canary_title", "t2_canary1") == []
    assert someone.rows("phones", "submissions").keys() == {"t3_s00002"}
    assert {row["body"] for row in someone.rows("phones", "comments").values()} == {
        "canary answer",
        "I agree.",
        "canary again",
    }
    assert someone.rows("gadgets", "submissions")["t3_s00003"]["title"] == "Look"
    assert "phones" in result.stdout
    assert "canary" not in result.output


def test_an_author_leaves_the_whole_lake_be_it_in_what_others_wrote(someone: Person) -> None:
    result = someone.types("forget", "--author", "u/canary_ONE", "--yes", now=NOW + 99)
    assert result.exit_code == 0, result.output
    assert hits(someone, "canary_one", "t2_canary1", "canary title", "canary text", "canary again") == []
    assert someone.rows("phones", "submissions")["t3_s00002"]["selftext"] == "Who is u/[deleted]? See /user/[deleted]."
    assert hits(someone, "canary answer")


def test_the_audit_names_what_was_erased_and_none_of_its_content(someone: Person) -> None:
    told = someone.json("forget", "--author", "Canary_Two", "--id", "t3_s00001", "--yes", now=NOW + 99)
    of_phones = next(each for each in told["subreddits"] if each["subreddit"] == "phones")
    assert len(of_phones["forgotten"]) == 2
    assert "t3_s00001" in of_phones["forgotten"]
    assert (of_phones["due"], told["not_found"], told["again_from_ts"]) == (0, [], None)
    assert of_phones["rows"] >= 2
    assert "canary" not in json.dumps(told).lower()


def test_forgetting_twice_changes_nothing_more(someone: Person) -> None:
    someone.types("forget", "--id", "t3_s00001", "--yes", now=NOW + 99)
    before = lake_files(someone)
    again = someone.types("forget", "--id", "t3_s00001", "--yes", now=NOW + 199)
    assert again.exit_code == 0
    assert "nothing had to be erased" in again.stdout
    assert lake_files(someone) == before


def test_what_is_not_in_the_lake_is_said_and_nothing_is_touched(someone: Person) -> None:
    before = lake_files(someone)
    for words in (["--id", "t1_none"], ["--author", "nobody_here"], ["--id", "t3_none", "--author", "nobody_here"]):
        result = someone.types("forget", *words, "--yes", now=NOW + 99)
        assert result.exit_code == 1
        assert f"nothing of {words[1].replace('nobody', 'u/nobody')} is in the lake" in result.stderr
    assert lake_files(someone) == before


def test_what_is_forgotten_stays_forgotten_when_reddit_still_shows_it(someone: Person) -> None:
    someone.types("forget", "--author", "Canary_One", "--yes", now=NOW + 99)
    someone.types("backfill", "phones", "--start", str(T0), "--end", str(T0 + HOUR), now=NOW + 200)
    assert hits(someone, "canary title")
    assert "t3_s00001" not in someone.rows("phones", "submissions")
    assert someone.types("forget", "--due", "--yes", now=NOW + 300).exit_code == 0
    assert hits(someone, "canary title", "canary text", "canary again") == []


def test_only_the_subreddits_named_are_searched(someone: Person) -> None:
    result = someone.types("forget", "gadgets", "--author", "Other_One", "--yes", now=NOW + 99)
    assert result.exit_code == 1
    assert someone.types("forget", "phones", "--author", "Other_One", "--yes", now=NOW + 99).exit_code == 0
    assert "t3_s00002" not in someone.rows("phones", "submissions")


def test_what_a_process_that_was_killed_has_left_goes_too(someone: Person) -> None:
    folder = next(someone.lake.landing.glob("reddit/phones/*/*/submissions.jsonl")).parent
    (folder / ".tmp-killed").write_bytes(b"canary text, half")
    (folder / "comments-part2.jsonl").write_bytes((folder / "comments.jsonl").read_bytes())
    spool = someone.lake.root / "imports" / "dump.spool"
    spool.mkdir(parents=True)
    (spool / "1767571200.rows").write_bytes(b"canary text, on its way")
    result = someone.types("forget", "--id", "t3_s00001", "--yes", now=NOW + 99)
    assert result.exit_code == 3
    assert "being written" in result.stderr
    assert "from 2026-01-05 11:06 UTC on" in result.stderr
    hour_ago = time.time() - 3_700
    for path in (spool / "1767571200.rows", spool):
        os.utime(path, (hour_ago, hour_ago))
    assert someone.types("forget", "--due", "--yes", now=NOW + 99).exit_code == 0
    assert hits(someone, "canary text", "canary title") == []


def test_what_reddits_users_deleted_goes_as_soon_as_the_lake_shows_it(someone: Person, tmp_path: Path) -> None:
    gone = {**world()[1][0], "body": "[deleted]", "author": "[deleted]", "retrieved_utc": NOW + 3_000}
    dump = tmp_path / "RC_2026-01.ndjson"
    dump.write_text(json.dumps(gone) + "\n")
    assert someone.types("import", str(dump), now=NOW + 4_000).exit_code == 0
    assert hits(someone, "canary answer")
    told = someone.json("forget", "--due", "--yes", now=NOW + 5_000)
    assert [len(each["forgotten"]) for each in told["subreddits"]] == [0, 1]
    assert hits(someone, "canary answer") == []
    assert f"t1_{gone['id']}" not in someone.rows("phones", "comments")


# Asking.


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--yes"], "name what to forget"),
        (["--id", "t3_s00001"], "add --yes"),
        (["--id", "../x", "--yes"], "not a fullname"),
        (["--id", "t5_abc", "--yes"], "not a fullname"),
        (["--author", "a b", "--yes"], "not the name of an account"),
        (["--author", "[deleted]", "--yes"], "not the name of an account"),
        (["--author", "x" * 50, "--yes"], "not the name of an account"),
        (["../x", "--due", "--yes"], "not a subreddit name"),
    ],
)
def test_wrong_use_is_said_in_a_line_and_touches_nothing(someone: Person, words: list[str], says: str) -> None:
    before = lake_files(someone)
    result = someone.types("forget", *words)
    assert result.exit_code == 2
    assert says in result.stderr
    assert len(result.stderr.strip().splitlines()[-1]) < 200
    assert lake_files(someone) == before


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Somebody sits there who can be asked."""
    monkeypatch.setattr("market_opinion.cli.forget.can_ask", lambda: True)
    return iter(())


@pytest.mark.parametrize(("answer", "is_gone"), [("y\n", True), ("n\n", False), ("", False)])
def test_on_a_terminal_a_person_is_told_what_will_go_and_asked(
    someone: Person, terminal: None, answer: str, is_gone: bool
) -> None:
    words = ["forget", "--author", "Canary_One", "--lake", str(someone.lake.root), "--now", str(NOW + 99)]
    result = CliRunner().invoke(main, words, env=someone.env, input=answer)
    assert "3 items (r/gadgets, r/phones)" in result.stderr
    assert "u/Canary_One in what others wrote" in result.stderr
    assert (result.exit_code, hits(someone, "canary title") == []) == (0 if is_gone else 1, is_gone)


# Status.


def buried(someone: Person, hours_ago: int) -> None:
    erasure = someone.lake.erasure(*_settings())
    erasure.bury("phones", [Tombstone("t3_s00001", T0 + 60, Reason.DELETED, NOW - hours_ago * HOUR_S)])


def _settings() -> Any:
    from reddit_ingest.clocks import FixedClock
    from reddit_ingest.core.settings import IngestSettings

    return IngestSettings(), FixedClock(NOW)


def test_status_says_nothing_of_deletions_when_none_are_due(someone: Person) -> None:
    result = someone.types("status", now=NOW)
    assert "deletion" not in result.stdout
    assert [each["deletions"]["due"] for each in someone.json("status", now=NOW)] == [0, 0]


def test_status_tells_what_has_to_be_erased_and_by_when(someone: Person) -> None:
    buried(someone, hours_ago=3)
    result = someone.types("status", "phones", now=NOW)
    assert result.exit_code == 0
    assert (
        "r/phones: 1 deletions to be honoured, the first noticed 2026-01-05 07:05 UTC, by 2026-01-06 07:05 UTC\n"
        in result.stdout
    )
    told = someone.json("status", "phones", now=NOW)[0]["deletions"]
    assert told == {"due": 1, "overdue": 0, "since_ts": NOW - 3 * HOUR, "deadline_ts": NOW + 21 * HOUR}


def test_an_overdue_deletion_makes_status_incomplete_until_it_is_honoured(someone: Person) -> None:
    buried(someone, hours_ago=25)
    result = someone.types("status", "phones", now=NOW)
    assert result.exit_code == 3
    assert "1 are overdue: run `market-opinion forget --due`" in result.stdout
    someone.env["DELETION_DEADLINE_HOURS"] = "48"
    assert someone.types("status", "phones", now=NOW).exit_code == 0
    del someone.env["DELETION_DEADLINE_HOURS"]
    assert someone.types("forget", "--due", "--yes", now=NOW).exit_code == 0
    assert someone.types("status", "phones", now=NOW).exit_code == 0
    assert hits(someone, "canary title", "canary text") == []


# Texts that are kept for their time.


def test_old_texts_go_and_figures_stay_when_told_so(someone: Person) -> None:
    before = someone.rows("phones", "comments")
    assert someone.types("forget", "--due", "--yes", now=NOW + 99 * HOUR).exit_code == 0
    assert someone.rows("phones", "comments") == before
    someone.env["RAW_TEXT_HOURS"] = "2"
    result = someone.types("forget", "phones", "--due", "--yes", now=T0 + 3 * HOUR)
    assert result.exit_code == 0, result.output
    assert hits(someone, "canary answer", "i agree", "who is") == []
    after = someone.rows("phones", "comments")
    assert after.keys() == before.keys()
    for name, row in after.items():
        assert (row["score"], row["created_utc"]) == (before[name]["score"], before[name]["created_utc"])
    shown = someone.types("show", "phones").stdout
    assert shown.count("text no longer kept") == 2
    assert "author not kept" in shown
    assert someone.types("show", "phones", "--kind", "comments", "--contains", "x").exit_code == 0
    assert someone.types("status", "phones", now=NOW).exit_code == 0


def test_forgetting_one_item_does_not_age_the_others(someone: Person) -> None:
    someone.env["RAW_TEXT_HOURS"] = "1"
    someone.types("forget", "--id", "t3_s00001", "--yes", now=NOW + 99 * HOUR)
    assert hits(someone, "canary answer")


# Authors as hashes.


@pytest.fixture
def hashing(reddit, person, world_of) -> Person:
    posts, answers = world()
    posts[1]["selftext"] = "No names here."
    someone: Person = person(reddit(world_of(posts, answers), NOW))
    someone.env["AUTHORS"] = "hashed"
    return someone


def test_with_hashed_authors_no_name_is_anywhere_in_the_lake(hashing: Person, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "reddit_ingest")
    ingest(hashing)
    assert hits(hashing, "Canary_One", "Canary_Two", "Other_One", "Sharing_One", "t2_canary1", "flair of") == []
    authors = [row["author"] for row in hashing.rows("phones", "comments").values()]
    assert all(author.startswith("h_") and len(author) == 18 for author in authors)
    assert len(set(authors)) == 3
    assert hashing.rows("phones", "submissions")["t3_s00001"]["author"] in authors
    key = (hashing.lake.root / "author.key").read_text().strip()
    assert key not in caplog.text
    assert hits(hashing, key) == ["author.key"]


def test_the_key_is_made_once_for_its_owner_only(hashing: Person) -> None:
    ingest(hashing)
    path = hashing.lake.root / "author.key"
    first = path.read_text()
    assert len(bytes.fromhex(first)) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = hashing.rows("phones", "comments")
    hashing.types("backfill", "phones", "--start", str(T0), "--end", str(T0 + HOUR), now=NOW + 60)
    assert path.read_text() == first
    assert {name: row["author"] for name, row in hashing.rows("phones", "comments").items()} == {
        name: row["author"] for name, row in before.items()
    }


@pytest.mark.parametrize("content", ["", "abc\n", "g" * 64, "A" * 64, "0" * 66])
def test_a_key_that_is_none_is_an_error_that_does_not_show_it_and_it_stays(hashing: Person, content: str) -> None:
    hashing.lake.root.mkdir(parents=True)
    path = hashing.lake.root / "author.key"
    path.write_text(content)
    result = hashing.types("ingest", "phones", now=NOW)
    assert result.exit_code == 1
    assert f"{path} must hold 64 hex digits" in result.stderr
    assert not content.strip() or content.strip() not in result.output
    assert path.read_text() == content
    assert not hashing.lake.landing.exists()


def test_a_key_that_cannot_be_read_is_named(hashing: Person) -> None:
    (hashing.lake.root / "author.key").mkdir(parents=True)
    result = hashing.types("ingest", "phones", now=NOW)
    assert result.exit_code == 1
    assert "author.key cannot be read" in result.stderr


def test_a_hashed_author_is_forgotten_by_name(hashing: Person) -> None:
    ingest(hashing)
    result = hashing.types("forget", "--author", "CANARY_one", "--yes", now=NOW + 99)
    assert result.exit_code == 0, result.output
    assert hits(hashing, "canary title", "canary text", "canary again") == []
    assert hits(hashing, "canary answer")


def test_with_plain_authors_no_key_is_made(someone: Person) -> None:
    assert not (someone.lake.root / "author.key").exists()
    someone.types("forget", "--author", "nobody_here", "--yes", now=NOW)
    assert not (someone.lake.root / "author.key").exists()


def test_an_unknown_way_to_keep_authors_is_named(someone: Person) -> None:
    someone.env["AUTHORS"] = "hidden"
    result = someone.types("ingest", "phones", now=NOW)
    assert result.exit_code == 1
    assert "AUTHORS must be plain or hashed" in result.stderr


def test_a_dump_is_imported_with_hashed_authors_too(tmp_path: Path, hashing: Person) -> None:
    _, answers = world()
    dump = tmp_path / "RC_2026-01.ndjson"
    dump.write_text("".join(json.dumps(row) + "\n" for row in answers))
    result = hashing.types("import", str(dump), now=NOW)
    assert result.exit_code == 0, result.output
    authors = {row["author"] for row in hashing.rows("phones", "comments").values()}
    assert len(authors) == 3
    assert all(author.startswith("h_") for author in authors)
    ingest(hashing)
    assert {row["author"] for row in hashing.rows("phones", "comments").values()} == authors


def test_what_was_imported_is_forgotten_too(tmp_path: Path, someone: Person) -> None:
    dump = tmp_path / "RC_2026-01.ndjson"
    dump.write_text("".join(json.dumps(row) + "\n" for row in world()[1]))
    lake = LocalLake(tmp_path / "imported")
    importer = Person(lake, someone.env)
    assert importer.types("import", str(dump), now=NOW).exit_code == 0
    assert len(importer.rows("phones", "comments")) == 3
    assert importer.types("forget", "--author", "Canary_Two", "--yes", now=NOW).exit_code == 0
    assert {row["author"] for row in importer.rows("phones", "comments").values()} == {"Other_One", "Canary_One"}


# Through a refresh.


def later(simulator: Any, hours: int) -> int:
    now = NOW + hours * HOUR
    simulator.clock.set(now)
    return now


def test_a_refresh_names_no_author_where_authors_are_hashed(reddit, person, world_of) -> None:
    posts, answers = world()
    posts[1]["selftext"] = "No names here."
    posts[0]["num_comments"] = 3
    simulator = reddit(world_of(posts, answers), NOW)
    someone: Person = person(simulator)
    someone.env["AUTHORS"] = "hashed"
    ingest(someone)
    before = {row["author"] for row in someone.rows("phones", "comments").values()}
    told = someone.json("refresh", "phones", "gadgets", now=later(simulator, 40))
    assert told[0]["found"] > 0
    assert hits(someone, "Canary_One", "Canary_Two", "Other_One", "Sharing_One", "t2_canary1") == []
    assert {row["author"] for row in someone.rows("phones", "comments").values()} == before


def test_a_refresh_lets_old_texts_go(reddit, person, world_of) -> None:
    simulator = reddit(world_of(*world()), NOW)
    someone: Person = person(simulator)
    ingest(someone)
    someone.env["RAW_TEXT_HOURS"] = "30"
    someone.types("refresh", "phones", "gadgets", now=later(simulator, 20))
    assert hits(someone, "canary answer")
    someone.types("refresh", "phones", "gadgets", now=later(simulator, 40))
    assert hits(someone, "canary answer", "canary text", "canary title", "canary_one") == []
    assert len(someone.rows("phones", "comments")) == 3


def test_what_its_author_deletes_leaves_the_lake_with_the_next_refresh(reddit, person, world_of) -> None:
    simulator = reddit(world_of(*world()), NOW)
    someone: Person = person(simulator)
    ingest(someone)
    gone = simulator.world.by_name["t3_s00001"]
    gone.gone_ts = NOW + HOUR
    someone.types("refresh", "phones", "gadgets", now=later(simulator, 40))
    assert hits(someone, "canary title", "canary text", "canary_title") == []
    assert hits(someone, "canary answer")
