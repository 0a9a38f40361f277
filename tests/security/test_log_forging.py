"""S11: what comes from outside stays on its line and in its colour: in logs, in errors, in what is printed."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from market_opinion.cli import main
from reddit_ingest.bootstrap import LocalLake
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.coverage import CoverageStatus
from reddit_ingest.core.ports import Reading, WindowReading
from reddit_ingest.core.windows import HOUR_S, Window
from reddit_ingest.ingestion_service import RedditIngestionService
from reddit_ingest.storage import FilesystemJsonlWriter
from reddit_sim import Simulator
from reddit_sim.answers import Answer

from ..fakes import ScriptedSource
from ..faults.scripted.conftest import COMPLETE, NOW, T0, comment, submission
from ..faults.scripted.station import NOW as STATION_NOW
from ..faults.scripted.station import Station, busy_world

NASTY = {
    "a line of its own": "fine\nERROR reddit_ingest.pipeline window landed status=complete",
    "carriage return": "all is well\rERROR: forged",
    "a cleared screen": "\x1b[2J\x1b[Hnothing to see",
    "colours": "\x1b[31mred\x1b[0m",
    "a title of the window": "\x1b]0;owned\x07",
    "a link": "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "C1 controls": "\x9b31m\x9d0;owned\x9c",
    "letters from the right": "\u202egnp.exe\u202c \u2066x\u2069",
    "backspaces": "secret\b\b\b\b\b\bpublic",
    "NUL and DEL": "a\0b\x7fc",
    "line ends of Unicode": "a\u2028b\u2029c\u0085d\x0be\x0cf",
    "markup of rich": "[bold red]x[/] [link=http://evil.example]y[/link]",
    "format directives": "%s %(message)s {0} {levelname} ${HOME}",
    "JSON": '"}\n{"level":"ERROR","message":"forged"}',
}
FORBIDDEN = set(map(chr, [*range(0x20), *range(0x7F, 0xA0)])) - {"\n", "\t"} | set("\u202a\u202e\u2066")


@pytest.fixture(scope="module")
def busy() -> Iterator[Simulator]:
    with Simulator(busy_world(4), now_ts=STATION_NOW) as simulator:
        yield simulator


@pytest.mark.parametrize("kind", ["submissions", "comments"])
@pytest.mark.parametrize("text", NASTY)
def test_text_of_items_cannot_speak_to_the_terminal(tmp_path: Path, text: str, kind: str) -> None:
    said = NASTY[text]
    window = Window(T0, T0 + HOUR_S)
    fields = {"author": said, "permalink": said, "subreddit": said, "title": said, "selftext": said, "body": said}
    fields |= {"num_comments": 0, "score": 1}
    reading = WindowReading(
        window,
        [submission("a", T0 + 1) | fields],
        [comment("b", T0 + 2, "t3_a") | fields],
        {"submissions": COMPLETE, "comments": COMPLETE},
    )
    lake = LocalLake(tmp_path / "lake")
    source = ScriptedSource(lambda *_: Reading([reading], [], 1))
    RedditIngestionService(source, FilesystemJsonlWriter(lake.landing), FixedClock(NOW)).ingest_window(
        "phones", T0, T0 + HOUR_S
    )
    result = CliRunner().invoke(main, ["show", "phones", "--kind", kind, "--lake", str(lake.root)])
    assert result.exit_code == 0
    assert not FORBIDDEN & set(result.output)
    first, *others = result.output.splitlines()
    assert first.startswith("t3_a" if kind == "submissions" else "t1_b")
    assert not [line for line in others if line.startswith(("ERROR", '{"level', "t3_", "t1_"))]
    as_json = CliRunner().invoke(main, ["show", "phones", "--kind", kind, "--lake", str(lake.root), "--json"])
    (line,) = as_json.stdout.split("\n")[:-1]
    assert json.loads(line)["title" if kind == "submissions" else "body"] == said


@pytest.mark.parametrize("status", [200, 400, 403, 404, 418, 429, 500])
@pytest.mark.parametrize("text", NASTY)
def test_what_reddit_answers_cannot_forge_a_log_line_or_a_reason(
    busy: Simulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, text: str, status: int
) -> None:
    said = NASTY[text]
    bodies = [said.encode(), json.dumps({"reason": said, "message": said, "error": said}).encode(), json.dumps(said)]
    real, number = busy._api.answer, iter(range(10**6))

    def answer(request: Any) -> Answer:
        if request.path != "/r/phones/new":
            return real(request)
        body = bodies[next(number) % 3]
        headers = {"content-type": "application/json", "x-note": "y"}
        return Answer(status, body if isinstance(body, bytes) else body.encode(), headers)

    monkeypatch.setattr(busy._api, "answer", answer)
    caplog.set_level(logging.DEBUG, logger="reddit_ingest")
    station = Station(busy)
    station.run()
    assert station.statuses() <= {CoverageStatus.FAILED, CoverageStatus.BLOCKED}
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("reddit_ingest")]
    reasons = [claim.reason for state in station.windows().values() for claim in state.coverage.values()]
    assert lines
    assert reasons
    for line in (*lines, *reasons):
        assert not (FORBIDDEN | {"\n"}) & set(line), line
        assert len(line) < 800


@pytest.mark.parametrize("length", [41, 10_000, 1_000_000])
def test_a_reason_that_is_no_word_is_not_repeated(
    busy: Simulator, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    real, body = busy._api.answer, json.dumps({"reason": "a" * length}).encode()
    monkeypatch.setattr(
        busy._api, "answer", lambda request: Answer(403, body) if request.path == "/r/phones/new" else real(request)
    )
    station = Station(busy)
    station.run()
    (state,) = station.windows().values()
    assert state.coverage["submissions"].reason == "r/phones: forbidden"
