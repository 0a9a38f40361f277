"""`alerts` on a world with trouble: what a person reads, what a program gets, what a webhook is sent."""

import json
import shutil
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market_opinion import webhook
from market_opinion.analysis.alerting import NET, VOLUME, Signal
from market_opinion.analysis.evidence import DrivingThread
from market_opinion.analysis.figures import Coverage, SubredditCoverage
from market_opinion.cli.alerts import EXIT_ALERTS, _Alert, _Looked, _slack
from market_opinion.market import load_market
from reddit_ingest.bootstrap import LocalLake

from ..worlds import FIRST_DAY, eventful_world, lake_of
from .conftest import Person

DAYS = 9
LAST = FIRST_DAY + timedelta(DAYS - 1)
"""The first day of a brand's trouble with its battery."""
SMARTPHONES = load_market("smartphones")
SECRET = "/services/T0/B0/verysecret"


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> LocalLake:
    return lake_of(eventful_world(1), tmp_path_factory.mktemp("troubled"), days=DAYS)


@pytest.fixture
def someone(troubled: LocalLake) -> Person:
    return Person(troubled, {})


class Taker:
    """A webhook on this machine: gives each post the next answer, the last one for ever, and keeps what it gets."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = [(200, {})]
        self.posts: list[Any] = []
        taker = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                taker.posts.append((self.path, json.loads(body)))
                status, headers = taker.answers.pop(0) if len(taker.answers) > 1 else taker.answers[0]
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}{SECRET}"


@pytest.fixture
def taker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Taker]:
    monkeypatch.setattr(webhook, "PAUSES_S", (0.0, 0.0))
    made = Taker()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_the_trouble_is_told_with_the_threads_that_brought_it(someone: Person) -> None:
    told = someone.types("alerts")
    assert told.exit_code == EXIT_ALERTS, told.output
    first, *rest = told.stdout.splitlines()
    assert first.startswith(f"{LAST}  Samsung, battery: net sentiment -0.")
    assert "is usual" in first
    assert any("where 9.2 (3 to 17) are usual" in line for line in rest)
    assert sum("    https://www.reddit.com/r/" in line for line in rest) >= 3
    assert rest[-1] == "  72 of 72 hours seen whole"
    assert not any(brand in told.stdout for brand in ("Google, camera", "Xiaomi, price"))  # the flood's, the bot's


def test_the_json_holds_what_the_lake_holds(someone: Person) -> None:
    (day,) = someone.json("alerts")["days"]
    assert day["day"] == LAST.isoformat()
    assert day["coverage"] == {"hours": 72, "whole": 72, "is_poor": False}
    assert {(one["brand"], one["aspect"]) for one in day["alerts"]} == {("samsung", "battery")}
    for alert in day["alerts"]:
        assert alert["probability"] < alert["allowed"] < 0.01
        assert alert["threads"]
        for thread in alert["threads"]:
            subreddit = thread["address"].split("/")[4]
            row = someone.rows(subreddit, "submissions")[thread["fullname"]]
            assert (row["title"], f"https://www.reddit.com{row['permalink']}") == (thread["title"], thread["address"])
    assert "signals" not in day


def test_explain_shows_every_test_with_its_reason(someone: Person) -> None:
    (day,) = someone.json("alerts", "--explain")["days"]
    assert len(day["signals"]) == 2 * day["series"] > 60
    assert sum(one["probability"] is not None for one in day["signals"]) == day["tests"]
    assert sum(one["is_alert"] for one in day["signals"]) == len(day["alerts"])
    shown = someone.types("alerts", "--explain").stdout
    for reason in ("ALERT: chance alone would hardly bring it", "as chance has it", "too little said"):
        assert reason in shown


def test_a_quiet_day_is_one_line_and_done(someone: Person) -> None:
    told = someone.types("alerts", "--day", str(LAST - timedelta(1)))
    assert told.exit_code == 0, told.output
    (line,) = told.stdout.splitlines()
    assert line.startswith(f"{LAST - timedelta(1)}  nothing out of the ordinary in ")
    assert line.endswith("72 of 72 hours seen whole")


def test_a_day_that_cannot_be_judged_is_not_called_quiet(someone: Person) -> None:
    told = someone.types("alerts", "--day", str(FIRST_DAY + timedelta(3)))
    assert told.exit_code == 3
    assert "cannot be judged: too little baseline: 3 days" in told.stdout
    before = someone.types("alerts", "--day", str(FIRST_DAY - timedelta(1)))
    assert before.exit_code == 2
    assert "nothing was said of the market smartphones" in before.stderr


def test_several_days_are_looked_at_one_by_one(someone: Person) -> None:
    days = someone.json("alerts", "--days", "2")["days"]
    assert [day["day"] for day in days] == [str(LAST - timedelta(1)), str(LAST)]
    assert [bool(day["alerts"]) for day in days] == [False, True]


def test_a_stricter_level_lets_less_through(someone: Person) -> None:
    assert someone.types("alerts", "--level", "1e-12").exit_code == 0


def test_nothing_of_a_deleted_thread_is_told_even_before_the_tables_are_made_again(
    someone: Person, tmp_path: Path
) -> None:
    someone = Person(LocalLake(shutil.copytree(someone.lake.root, tmp_path / "lake")), {})
    thread = someone.json("alerts")["days"][0]["alerts"][0]["threads"][0]
    assert someone.types("forget", "--id", thread["fullname"], "--yes").exit_code == 0
    told = someone.types("alerts", "--json").stdout
    assert thread["fullname"] in told
    assert thread["title"] not in told
    assert thread["address"] not in told


def test_a_webhook_gets_what_json_prints(someone: Person, taker: Taker) -> None:
    someone.env[webhook.VARIABLE] = taker.url
    told = someone.types("alerts", "--json")
    assert told.exit_code == EXIT_ALERTS
    assert taker.posts == [(SECRET, json.loads(told.stdout))]


def test_slack_gets_a_message_of_blocks(someone: Person, taker: Taker) -> None:
    assert someone.types("alerts", "--webhook", taker.url, "--form", "slack").exit_code == EXIT_ALERTS
    ((_, message),) = taker.posts
    assert message["text"] == f"{SMARTPHONES.title}: 2 out of the ordinary, {LAST}"
    texts = [block["text"]["text"] for block in message["blocks"]]
    assert texts[1].startswith(f"*Samsung, battery* ({LAST}): net sentiment")
    assert "|" in texts[1].partition("<https://www.reddit.com/r/")[2].partition(">")[0]


def test_nothing_is_posted_of_a_quiet_day(someone: Person, taker: Taker) -> None:
    someone.types("alerts", "--webhook", taker.url, "--day", str(LAST - timedelta(1)))
    assert taker.posts == []


def test_trouble_that_passes_is_met_with_another_try(someone: Person, taker: Taker) -> None:
    taker.answers = [(500, {}), (429, {"retry-after": "0"}), (200, {})]
    assert someone.types("alerts", "--webhook", taker.url).exit_code == EXIT_ALERTS
    assert len(taker.posts) == 3


@pytest.mark.parametrize(
    ("status", "headers", "code", "posts"),
    [
        (503, {}, 3, 3),
        (429, {"retry-after": "3600"}, 3, 1),
        (404, {}, 1, 1),
        (307, {"location": "{url}/elsewhere"}, 1, 1),
        (302, {"location": "http://localhost:1/"}, 1, 1),
    ],
)
def test_what_was_not_delivered_is_told_all_the_same(
    someone: Person, taker: Taker, status: int, headers: dict[str, str], code: int, posts: int
) -> None:
    taker.answers = [(status, {name: value.format(url=taker.url) for name, value in headers.items()})]
    told = someone.types("alerts", "--webhook", taker.url)
    assert told.exit_code == code
    assert "Samsung, battery" in told.stdout
    (line,) = told.stderr.splitlines()
    assert line.startswith(f"Error: the webhook at 127.0.0.1 answers {status}")
    assert "verysecret" not in told.output
    assert len(taker.posts) == posts


def test_nobody_there_is_trouble_that_may_pass(someone: Person, taker: Taker) -> None:
    taker.server.shutdown()
    taker.server.server_close()
    told = someone.types("alerts", "--webhook", taker.url)
    assert told.exit_code == 3
    assert "does not answer (ConnectionError)" in told.stderr
    assert "verysecret" not in told.output


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/verysecret",
        "http://127.0.0.1.example.com/verysecret",
        "http://localhost\\@example.com/verysecret",
        "ftp://localhost/verysecret",
        "file:///verysecret",
        "verysecret",
        "https://",
        "https://[verysecret",
        "https://host:verysecret/",
        "https://host/\nverysecret",
    ],
)
def test_only_https_is_an_address(someone: Person, url: str) -> None:
    told = someone.types("alerts", "--webhook", url)
    assert told.exit_code == 1
    assert told.stdout == ""
    assert told.stderr.startswith("Error: the webhook is no https address")
    assert "verysecret" not in told.output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--market", "no-such"], 1, "no market is called 'no-such'"),
        (["--market", "espresso"], 2, "run `market-opinion augment --market espresso`"),
        (["--day", "2030-01-01"], 2, f"the last whole day is {LAST}"),
        (["--day", "yesterday"], 2, "'yesterday' is no day; write 2026-01-05"),
        (["--level", "0"], 2, "is not in the range"),
        (["--days", "0"], 2, "is not in the range"),
    ],
)
def test_bad_input_is_one_clear_line(someone: Person, words: list[str], code: int, said: str) -> None:
    told = someone.types("alerts", *words)
    assert told.exit_code == code
    assert said in told.stderr.splitlines()[-1]


def test_an_empty_lake_says_what_to_run(tmp_path: Path) -> None:
    lake = LocalLake(tmp_path / "empty")
    lake.landing.mkdir(parents=True)
    told = Person(lake, {}).types("alerts")
    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr == "Error: the tables are empty; run `market-opinion augment` first\n"


def looked(title: str, alerts: int) -> _Looked:
    day = date(2026, 1, 13)
    signal = Signal(day, "samsung", "battery", VOLUME, 40, 6.0, 2.0, 11.0, 40, 30, 1e-9, 1e-4, True, "", 28)
    net = Signal(day, "samsung", "battery", NET, -0.5, 0.1, None, None, 40, 30, None, None, False, "", 28)
    thread = DrivingThread("t3_x", title, "https://www.reddit.com/r/x/comments/x/", 9, 0, 5, 2)
    made = [_Alert(signal, net, "Samsung", (thread,) * 3)] * alerts
    return _Looked(day, [signal, net], made, Coverage((SubredditCoverage("x", 24, {"complete": 24}, {}, 0, 0, 0),)))


HOSTILE = st.sampled_from(["<!channel>", "a|b>c<d", "&" * 400, "\x1b[2J\u202e", " \n"])


@given(st.text(max_size=400) | HOSTILE, st.integers(1, 60))
def test_no_title_breaks_a_message_for_slack(title: str, alerts: int) -> None:
    message = _slack(SMARTPHONES, [looked(title, alerts)])
    assert len(message["blocks"]) <= 50
    for block in message["blocks"]:
        text = block["text"]["text"]
        assert 0 < len(text) <= 3_000
        assert "|>" not in text
        assert block["text"]["verbatim"]
        for marked in text.split("<")[1:]:
            assert marked.startswith("https://www.reddit.com/r/x/comments/x/|")
        assert text.count("<") == text.count(">")
        assert "\x1b" not in text
