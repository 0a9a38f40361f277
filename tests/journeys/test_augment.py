"""From a simulated Reddit to tables of opinions, and back to what its people really meant."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from market_opinion.cli.simulator import environment
from market_opinion.tables import SCHEMAS, from_parquet
from reddit_ingest.bootstrap import LocalLake
from reddit_ingest.core.keys import COMMENTS, KINDS
from reddit_sim import GeneratedWorld, Simulator, SubredditSpec

from ..augmented import table
from .conftest import HOUR, Person

T0 = 1_767_571_200  # 2026-01-05 00:00 UTC
START = T0 + 24 * HOUR
NOW = START + 26 * HOUR + 200
SPECS = [SubredditSpec("phones", 8, 8), SubredditSpec("tablets", 1, 4)]
POLARITY = {"negative": -1, "neutral": 0, "positive": 1}


@pytest.fixture(scope="module")
def world() -> GeneratedWorld:
    return GeneratedWorld(seed=11, start_ts=T0, subreddits=SPECS)


@pytest.fixture(scope="module")
def landed(world: GeneratedWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with twenty-six hours of two subreddits."""
    root = tmp_path_factory.mktemp("landed") / "lake"
    with Simulator(world, now_ts=NOW) as simulator:
        words = ["backfill", "phones", "tablets", "--start", str(START), "--end", str(START + 26 * HOUR)]
        Person(LocalLake(root), environment(simulator.url)).types(*words, now=NOW)
    return root


@pytest.fixture
def someone(landed: Path, tmp_path: Path) -> Person:
    """A person with a lake like that."""
    return Person(LocalLake(shutil.copytree(landed, tmp_path / "lake")), {})


def augment(someone: Person, *words: str) -> dict[str, dict[str, Any]]:
    result = someone.types("augment", *words, "--json")
    assert result.exit_code == 0, result.output
    return {told["subreddit"]: told for told in json.loads(result.stdout)}


def files(lake: LocalLake) -> dict[str, bytes]:
    """Everything in the augmented zone, half-written files too."""
    root = lake.root / "augmented"
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def test_the_tables_hold_what_the_lake_shows(someone: Person) -> None:
    told = augment(someone, "--engine", "lexicon")
    shown = {name: row for place in told for kind in KINDS for name, row in someone.rows(place, kind).items()}
    documents = {row["fullname"]: row for row in table(someone.lake, "documents")}
    assert documents.keys() == shown.keys()
    assert sum(one["rows"]["documents"] for one in told.values()) == len(shown)
    for name, row in shown.items():
        text = row["body"] if "body" in row else "\n\n".join(part for part in (row["title"], row["selftext"]) if part)
        assert documents[name]["text"] == text
        assert documents[name]["observed_at_ts"] == row["observed_at_ts"]
    texts = {name: row["text"] for name, row in documents.items()}
    mentions = table(someone.lake, "mentions")
    assert len(mentions) > 500
    for row in mentions:
        assert texts[row["fullname"]][row["quote_start"] : row["quote_end"]] == row["quote"]
        assert texts[row["fullname"]][row["start"] : row["end"]] == row["alias"]


def test_shares_and_sentiment_come_near_to_what_people_meant(someone: Person, world: GeneratedWorld) -> None:
    augment(someone)
    said = {
        row["fullname"]
        for row in table(someone.lake, "documents")
        if row["kind"] == COMMENTS
        and not {"bot", "deleted", "removed", "spam"} & {*row["flags"], *world.flags(row["fullname"])}
    }
    meant, found = defaultdict(Counter), defaultdict(Counter)
    for name in said:
        for opinion in world.truth(name):
            meant[opinion.brand.lower()][opinion.polarity] += 1
    for row in table(someone.lake, "mentions"):
        if row["fullname"] in said:
            found[row["brand"]][POLARITY[row["label"]]] += 1
    assert meant.keys() == found.keys()
    shares = {brand: abs(_share(meant, brand) - _share(found, brand)) for brand in meant}
    nets = {brand: abs(_net(meant[brand]) - _net(found[brand])) for brand in meant if meant[brand].total() >= 100}
    assert max(shares.values()) < 0.005, shares
    assert sum(nets.values()) / len(nets) < 0.08, nets
    assert max(nets.values()) < 0.16, nets


def _share(counts: dict[str, Counter[int]], brand: str) -> float:
    return counts[brand].total() / sum(count.total() for count in counts.values())


def _net(count: Counter[int]) -> float:
    return (count[1] - count[-1]) / count.total()


def test_comparisons_name_the_right_winner(someone: Person, world: GeneratedWorld) -> None:
    augment(someone, "--engine", "lexicon")
    right = wrong = 0
    for row in table(someone.lake, "comparisons"):
        meant = {opinion.brand.lower(): opinion.polarity for opinion in world.truth(row["fullname"])}
        if len(meant) == 2:
            right += meant.get(row["winner_brand"]) == 1
            wrong += meant.get(row["winner_brand"]) == -1
    assert right >= 10
    assert right >= 20 * wrong


def test_one_process_and_several_make_the_same_bytes(someone: Person) -> None:
    augment(someone, "--engine", "lexicon")
    alone = files(someone.lake)
    told = augment(someone, "--engine", "lexicon", "--rebuild", "--jobs", "2")
    assert all(one["unchanged"] == 0 for one in told.values())
    assert files(someone.lake) == alone


def test_killed_at_any_moment_and_run_again_it_makes_the_same_bytes(someone: Person) -> None:
    augment(someone, "--engine", "lexicon")
    whole = files(someone.lake)
    dice, killed = random.Random(7), 0
    for jobs in ("1", "2"):
        words = ["augment", "--rebuild", "--engine", "lexicon", "--jobs", jobs, "--lake", str(someone.lake.root)]
        program = [sys.executable, "-m", "market_opinion.cli", *words]
        process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert process.stderr
        process.stderr.readline()  # something has been made
        time.sleep(dice.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        process.stderr.close()
        augment(someone, "--engine", "lexicon")
        assert files(someone.lake) == whole
    assert killed


def test_forget_and_augment_leave_no_trace(someone: Person) -> None:
    augment(someone, "--engine", "lexicon")
    mentions = table(someone.lake, "mentions")
    victim = next(row for row in table(someone.lake, "documents") if row["fullname"] == mentions[40]["fullname"])
    traces = (victim["author"], victim["permalink"])
    assert all(_traces(someone.lake, trace) for trace in traces)
    assert someone.types("forget", "--author", victim["author"], "--yes").exit_code == 0
    augment(someone, "--engine", "lexicon")
    assert [name for trace in traces for name in _traces(someone.lake, trace)] == []


def _traces(lake: LocalLake, trace: str) -> list[str]:
    found = []
    for name, content in files(lake).items():
        unpacked = str(from_parquet(content).to_pylist()) if name.endswith(".parquet") else ""
        if trace.encode() in content or trace in unpacked:
            found.append(name)
    return found


def test_authors_that_were_hashed_stay_so(
    world: GeneratedWorld, reddit: Callable[..., Simulator], person: Callable[..., Person]
) -> None:
    someone = person(reddit(world, NOW))
    someone.env["AUTHORS"] = "hashed"
    someone.types("backfill", "phones", "--start", str(START), "--end", str(START + 2 * HOUR), now=NOW)
    augment(someone, "--engine", "lexicon")
    authors = {row["author"] for row in table(someone.lake, "documents")} - {None}
    assert authors
    assert all(author.startswith("h_") for author in authors)


def test_every_row_tells_which_market_and_model_made_it(someone: Person) -> None:
    augment(someone, "tablets", "--engine", "lexicon")
    for name in SCHEMAS:
        for row in table(someone.lake, name):
            assert (row["market"], row["engine"]) == ("smartphones", "lexicon")
            assert row["market_version"]
            assert row["model"]


def test_an_empty_lake_has_nothing_to_augment(someone: Person, tmp_path: Path) -> None:
    lake = LocalLake(tmp_path / "empty")
    lake.landing.mkdir(parents=True)
    assert Person(lake, {}).json("augment") == []


def test_nothing_is_made_of_a_subreddit_that_was_never_landed(someone: Person) -> None:
    told = augment(someone, "Nowhere", "--engine", "lexicon")
    assert told["nowhere"]["rows"] == dict.fromkeys(SCHEMAS, 0)
    assert files(someone.lake) == {}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--market", "no-such"], 1, "no market is called 'no-such'"),
        (["--engine", "oracle"], 2, "is not one of"),
        (["no/name"], 2, "not a subreddit name"),
        (["--jobs", "-1"], 2, "-1 is not in the range"),
    ],
)
def test_bad_input_is_one_clear_line(someone: Person, words: list[str], code: int, said: str) -> None:
    result = someone.types("augment", *words)
    assert result.exit_code == code
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_damage_in_one_subreddit_keeps_no_other_from_being_augmented(someone: Person) -> None:
    landed = sorted(someone.lake.landing.rglob("phones/**/comments.jsonl"))[0]
    landed.write_bytes(landed.read_bytes().replace(b"fullname", b"fullnane", 1))
    result = someone.types("augment", "--engine", "lexicon", "--json")
    assert result.exit_code == 1
    assert [told["subreddit"] for told in json.loads(result.stdout)] == ["tablets"]
    assert "r/phones" in result.stderr
    assert "restore it from a copy" in result.stderr


def test_others_land_while_it_augments(someone: Person) -> None:
    with someone.lake.locked():
        assert augment(someone, "tablets", "--engine", "lexicon")["tablets"]["rows"]["documents"] > 0
