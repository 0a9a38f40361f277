"""The augmented zone follows the landing zone: what changed is made again, what is gone is gone, the rest stands."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from market_opinion import augmentation_service
from market_opinion.augmentation_service import AugmentationService, DayBuilder, Outcome, Partition, Task, date_of
from market_opinion.augmented_store import AugmentedStore, part_key
from market_opinion.label_store import LabelStore
from market_opinion.labels import Correction, Place, digest_of
from market_opinion.market import Market, load_market
from market_opinion.sentiment.calibrating import Calibration
from market_opinion.sentiment.scoring import Scorer, make_scorer
from market_opinion.tables import OF_DOCUMENT, SCHEMAS, from_parquet
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.coverage import Coverage, CoverageStatus
from reddit_ingest.core.errors import DamagedState
from reddit_ingest.core.keys import KINDS, window_folder
from reddit_ingest.core.manifest import Manifest
from reddit_ingest.core.ports import DerivedZone
from reddit_ingest.core.tombstones import Reason, Tombstone
from reddit_ingest.core.windows import HOUR_S, Window
from reddit_ingest.erasure import Erasure

from ..fakes import Crash, Log, MemoryLake
from ..lakes import T0
from .landing import DAY, SUBREDDIT, comment, land, shown, submission

NOW = T0 + 30 * DAY


@pytest.fixture(scope="module")
def market() -> Market:
    return load_market("smartphones")


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return make_scorer("lexicon")


class Zones:
    """A landing zone, and the augmented zone that is made from it."""

    def __init__(self, market: Market, scorer: Scorer) -> None:
        self.landing, self.derived = MemoryLake(), MemoryLake()
        self.market, self.scorer = market, scorer

    @property
    def zone(self) -> DerivedZone:
        return DerivedZone(self.derived, self.derived, self.derived, [self.derived])

    @property
    def store(self) -> AugmentedStore:
        return AugmentedStore(self.zone)

    @property
    def labels(self) -> LabelStore:
        return LabelStore(self.zone, self.market.name)

    @property
    def erasure(self) -> Erasure:
        return Erasure(self.landing, self.landing, self.landing, FixedClock(NOW))

    def builder(self) -> DayBuilder:
        return DayBuilder(self.landing, self.market, self.scorer)

    def service(self) -> AugmentationService:
        return AugmentationService(self.landing, self.store, self.labels, self.market, self.scorer)

    def augment(self, log: Log | None = None, *, is_rebuild: bool = False) -> Outcome:
        self.derived.log = log or Log()
        return self.service().augment(SUBREDDIT, self.builder(), is_rebuild=is_rebuild)

    def forget(self, *names: str) -> None:
        self.erasure.bury(SUBREDDIT, [Tombstone(name, T0, Reason.FORGOTTEN, NOW) for name in names])
        self.erasure.purge(SUBREDDIT)

    def names(self, table: str = "documents") -> list[str]:
        days = sorted(self.store.days(table, SUBREDDIT))
        return [name for day in days for name in self.store.read(table, SUBREDDIT, day)["fullname"].to_pylist()]


@pytest.fixture
def zones(market: Market, scorer: Scorer) -> Zones:
    """Four days with a submission and two comments each, landed hour by hour."""
    made = Zones(market, scorer)
    for day in range(4):
        link = f"s{day}"
        land(made.landing, [submission(link, day * DAY, title=f"The Pixel {day + 6} is great")])
        land(made.landing, [comment(f"a{day}", "The iPhone 16 beats the Pixel 9.", day * DAY + 4_000, link=link)])
        land(made.landing, [comment(f"b{day}", f"Word{day}", day * DAY + 80_000, link=link, author=f"author{day}")])
    return made


def test_every_item_of_the_view_is_a_document_once(zones: Zones) -> None:
    outcome = zones.augment()
    assert sorted(zones.names()) == sorted(shown(zones.landing))
    rows = {"documents": 12, "mentions": 12, "comparisons": 4, "daily_opinion": 8}
    assert outcome == Outcome(SUBREDDIT, 4, 0, 0, rows, True)


def test_a_second_run_changes_nothing(zones: Zones) -> None:
    zones.augment()
    before, log = dict(zones.derived.objects), Log()
    assert zones.augment(log).unchanged == 4
    assert (zones.derived.objects, log.effects) == (before, [])


def test_only_days_with_something_new_and_those_after_them_are_made_again(zones: Zones) -> None:
    zones.augment()
    land(zones.landing, [comment("new", "My Galaxy S25 is bad.", DAY + 9_000, link="s1")])
    outcome = zones.augment()
    # What was said on a day may be answered on the next.
    assert (outcome.built, outcome.unchanged) == (2, 2)
    assert "t1_new" in zones.names("mentions")


def test_an_attempt_that_saw_nothing_new_makes_nothing_again(zones: Zones) -> None:
    zones.augment()
    land(zones.landing, [comment("a1", "The iPhone 16 beats the Pixel 9.", DAY + 4_000, link="s1")])
    assert zones.augment().built == 0


def test_the_newest_observation_stands_in_the_tables(zones: Zones) -> None:
    zones.augment()
    land(zones.landing, [comment("a1", "Edited: the Galaxy S25 it is.", DAY + 4_000, seen=20 * DAY, link="s1")])
    zones.augment()
    brands = {row["brand"] for row in _rows(zones, "mentions") if row["fullname"] == "t1_a1"}
    assert brands == {"samsung"}


def test_a_comment_that_only_its_threads_hour_holds_stands_on_its_own_day(zones: Zones) -> None:
    land(zones.landing, [comment("late", "The Pixel 9 again.", 2 * DAY + 5, link="s0")], at=0)
    zones.augment()
    assert "t1_late" in zones.store.read("documents", SUBREDDIT, "2026-01-03")["fullname"].to_pylist()


@pytest.mark.parametrize("is_rebuild", [False, True])
def test_made_step_by_step_or_at_once_it_is_the_same(zones: Zones, is_rebuild: bool) -> None:
    other = Zones(zones.market, zones.scorer)
    for key, content in zones.landing.objects.items():
        other.landing.objects[key] = content
        if key.endswith(".json") and "/04" not in key:
            other.augment()
    other.augment(is_rebuild=is_rebuild)
    zones.augment()
    assert other.derived.objects == zones.derived.objects


def die_everywhere(zones: Zones, before: bool) -> int:
    """Augment; then die at each effect of that, go on, and find the same bytes. Return how many effects there are."""
    stale, log = dict(zones.derived.objects), Log()
    zones.augment(log)
    whole = dict(zones.derived.objects)
    for place in range(len(log.effects)):
        zones.derived.objects = dict(stale)
        with pytest.raises(Crash):
            zones.augment(Log(dies_at=place, before=before))
        zones.augment()
        assert zones.derived.objects == whole, place
    return len(log.effects)


@pytest.mark.parametrize("before", [True, False])
def test_a_crash_at_any_effect_and_another_run_give_the_same_bytes(zones: Zones, before: bool) -> None:
    zones.augment()
    land(zones.landing, [comment("new", "My Galaxy S25 is bad.", DAY + 9_000, link="s1")])
    zones.forget("t3_s3", "t1_a3", "t1_b3")
    assert die_everywhere(zones, before) > 8


def test_what_is_forgotten_leaves_no_trace(zones: Zones) -> None:
    zones.augment()
    traces = [b"t1_b2", b"Word2", b"author2"]
    assert all(any(_holds(content, trace) for content in zones.derived.objects.values()) for trace in traces)
    zones.forget("t1_b2")
    zones.augment()
    assert not any(_holds(content, trace) for content in zones.derived.objects.values() for trace in traces)


def test_what_is_buried_but_not_purged_yet_is_gone_from_the_tables(zones: Zones) -> None:
    zones.augment()
    zones.erasure.bury(SUBREDDIT, [Tombstone("t1_b2", T0 + 2 * DAY + 80_000, Reason.DELETED, NOW)])
    zones.augment()
    assert "t1_b2" not in zones.names()
    assert sorted(zones.names()) == sorted(shown(zones.landing))
    # The purge takes it out of the objects, which are others then; the tables stay as they are.
    before = {key: content for key, content in zones.derived.objects.items() if key.endswith(".parquet")}
    zones.erasure.purge(SUBREDDIT)
    zones.augment()
    assert {key: zones.derived.objects[key] for key in before} == before


def test_a_forgotten_title_no_longer_tells_what_is_meant(zones: Zones) -> None:
    land(zones.landing, [comment("short", "I love my 15 Pro.", DAY + 9_000, link="s9", link_title="iPhone or not")])
    zones.augment()
    assert "t1_short" in zones.names("mentions")
    zones.forget("t3_s9")
    zones.augment()
    assert "t1_short" not in zones.names("mentions")
    assert "t1_short" in zones.names()


def test_a_day_of_which_nothing_is_left_has_no_parts(zones: Zones) -> None:
    zones.augment()
    zones.forget("t3_s3", "t1_a3", "t1_b3")
    outcome = zones.augment()
    assert outcome.rows["documents"] == 9
    assert not [key for key in zones.derived.objects if "date=2026-01-04" in key]


def test_a_subreddit_that_is_no_more_in_the_landing_zone_goes(zones: Zones) -> None:
    zones.augment()
    zones.landing.objects.clear()
    assert zones.service().subreddits() == [SUBREDDIT]
    assert zones.augment().removed == 4
    assert zones.derived.objects == {}


def test_texts_that_were_kept_for_their_time_go_and_the_figures_stay(zones: Zones) -> None:
    zones.augment()
    zones.erasure.purge(SUBREDDIT, expire_before_ts=T0 + DAY)
    zones.augment()
    texts = {row["fullname"]: row["text"] for row in _rows(zones, "documents")}
    assert [texts["t1_a0"], texts["t3_s0"], texts["t1_b1"]] == ["", "", "Word1"]
    assert {"t1_a0", "t3_s0"}.isdisjoint(zones.names("mentions"))


def test_another_market_or_engine_makes_everything_again(zones: Zones) -> None:
    zones.augment()
    zones.market = replace(zones.market, version="next", sha256="other")
    assert zones.augment().built == 4
    assert {row["market_version"] for table in SCHEMAS for row in _rows(zones, table)} == {"next"}
    zones.scorer = make_scorer("linear")
    assert zones.augment().built == 4
    assert {row["engine"] for table in SCHEMAS for row in _rows(zones, table)} == {"linear"}


def test_other_code_makes_everything_again(zones: Zones, monkeypatch: pytest.MonkeyPatch) -> None:
    zones.augment()
    monkeypatch.setattr(augmentation_service, "code_digest", lambda: "other")
    assert zones.augment().built == 4


def test_a_part_that_was_taken_away_is_made_again(zones: Zones) -> None:
    zones.augment()
    whole = dict(zones.derived.objects)
    del zones.derived.objects[part_key("mentions", SUBREDDIT, "2026-01-02")]
    assert zones.augment().built == 1
    assert zones.derived.objects == whole


def test_a_part_of_a_day_that_there_is_not_is_removed(zones: Zones) -> None:
    zones.augment()
    whole = dict(zones.derived.objects)
    zones.derived.objects[part_key("documents", SUBREDDIT, "2020-01-01")] = b"left by another program"
    assert zones.augment().removed == 1
    assert zones.derived.objects == whole


def judge(zones: Zones, *names: str, label: str = "negative") -> None:
    """Let a person judge the mentions of some items."""
    rows = [row for row in _rows(zones, "mentions") if row["fullname"] in names]
    documents = {row["fullname"]: row for row in _rows(zones, "documents")}
    for row in rows:
        document, date = documents[row["fullname"]], date_of(row["created_utc"] // DAY)
        place = Place(SUBREDDIT, date, row["fullname"], row["start"], row["end"], digest_of(document["text"]))
        zones.labels.add([Correction(place, row["brand"], label, 1.0, document["observed_at_ts"])])


def test_a_persons_label_makes_its_day_again_and_wins(zones: Zones) -> None:
    zones.augment()
    judge(zones, "t1_a1")
    outcome = zones.augment()
    assert (outcome.built, outcome.unchanged) == (1, 3)
    labels = {(row["label"], row["p_negative"]) for row in _rows(zones, "mentions") if row["fullname"] == "t1_a1"}
    assert labels == {("negative", 1)}
    assert {row["calibrated"] for row in _rows(zones, "mentions")} == {False}
    assert zones.augment().built == 0


def test_offsets_make_every_day_again_and_the_same_offsets_none(zones: Zones) -> None:
    zones.augment()
    before = _rows(zones, "mentions")
    told = Calibration("lexicon", zones.scorer.model_hash, 1.5, -1.5, 100, "", 0.0, 0.1, {})
    zones.labels.keep(told)
    assert zones.augment().built == 4
    rows = _rows(zones, "mentions")
    assert {row["calibrated"] for row in rows} == {True}
    assert all(row["p_positive"] < old["p_positive"] for old, row in zip(before, rows, strict=True))
    zones.labels.keep(replace(told, labels=200, net_bias=0.5))
    assert zones.augment().built == 0
    zones.labels.keep(replace(told, model_hash="another"))
    assert zones.augment().built == 4
    assert _rows(zones, "mentions") == before


@pytest.mark.parametrize("before", [True, False])
def test_labels_of_what_was_forgotten_go_even_if_the_run_dies_at_any_effect(zones: Zones, before: bool) -> None:
    zones.augment()
    judge(zones, "t1_a1", "t1_a2")
    zones.augment()
    zones.forget("t1_a1")
    assert die_everywhere(zones, before)
    assert [each.place.fullname for each in zones.labels.corrections()] == ["t1_a2", "t1_a2"]
    assert not any(_holds(content, b"t1_a1") for content in zones.derived.objects.values())


def test_labels_of_what_is_forgotten_while_a_day_is_made_are_gone_when_the_run_ends(zones: Zones) -> None:
    zones.augment()
    judge(zones, "t1_a1")
    builder, done = zones.builder(), []

    def build(tasks: Sequence[Task]) -> Iterator[tuple[Task, Partition | None]]:
        for task, built in builder(tasks):
            if not done:
                zones.forget("t1_a1")
                done.append(task)
            yield task, built

    assert zones.service().augment(SUBREDDIT, build).is_settled
    assert not any(_holds(content, b"t1_a1") for content in zones.derived.objects.values())


@pytest.mark.parametrize("record", [b"", b"{}", b"[]", b'{"days": {"2026-01-01": {"rows": 1}}}', b"\xff"])
def test_a_record_that_cannot_be_read_is_made_again(zones: Zones, record: bytes) -> None:
    zones.augment()
    whole = dict(zones.derived.objects)
    zones.derived.objects[f"augmented/_built/{SUBREDDIT}.json"] = record
    assert zones.augment().built == 4
    assert zones.derived.objects == whole


def test_the_record_says_nothing_of_anybody(zones: Zones) -> None:
    zones.augment()
    record = json.loads(zones.derived.objects[f"augmented/_built/{SUBREDDIT}.json"])
    assert record["days"]["2026-01-01"]["rows"] == {"documents": 3, "mentions": 3, "comparisons": 1, "daily_opinion": 2}
    assert set(record["days"]["2026-01-01"]) == {"inputs", "rows"}


def test_mentions_and_comparisons_repeat_what_their_document_tells(zones: Zones) -> None:
    zones.augment()
    for table in ("mentions", "comparisons"):
        found = 0
        for day in zones.store.days(table, SUBREDDIT):
            documents = {row["fullname"]: row for row in zones.store.read("documents", SUBREDDIT, day).to_pylist()}
            for row in zones.store.read(table, SUBREDDIT, day).to_pylist():
                found += 1
                assert {name: row[name] for name in OF_DOCUMENT} == {
                    name: documents[row["fullname"]][name] for name in OF_DOCUMENT
                }
        assert found


def test_coverage_follows_the_ledger_even_where_no_row_has_landed(zones: Zones) -> None:
    key = f"augmented/coverage/subreddit={SUBREDDIT}/part.parquet"
    zones.augment()
    assert key not in zones.derived.objects  # these attempts claim nothing
    hour = Window(T0 + 9 * DAY, T0 + 9 * DAY + HOUR_S)
    claims = {kind: Coverage(CoverageStatus.EMPTY, "") for kind in KINDS}
    made = Manifest(SUBREDDIT, hour, "reddit-api", "incremental", hour.end_ts, "1", (), coverage=claims)
    zones.landing.commit(window_folder("reddit/", SUBREDDIT, hour), made)
    assert zones.augment().built == 0
    assert [row["status"] for row in from_parquet(zones.derived.objects[key]).to_pylist()] == ["empty"]


def test_what_is_purged_while_a_day_is_made_is_gone_when_the_run_ends(zones: Zones) -> None:
    builder, purged = zones.builder(), []

    def build(tasks: Sequence[Task]) -> Iterator[tuple[Task, Partition | None]]:
        for task, built in builder(tasks):
            if not purged:
                zones.forget("t1_b0")
                purged.append(built)
            yield task, built

    outcome = zones.service().augment(SUBREDDIT, build)
    assert outcome.is_settled
    assert not any(_holds(content, b"Word0") for content in zones.derived.objects.values())
    assert sorted(zones.names()) == sorted(shown(zones.landing))


def test_objects_that_are_erased_before_they_are_read_are_looked_for_anew(zones: Zones) -> None:
    service, plan = zones.service(), zones.service().plan(SUBREDDIT)
    zones.forget("t1_b0")
    answers = list(zones.builder()(plan))
    # The first day was made from what is no more, and the second looks at the first.
    assert [built is None for _, built in answers] == [True, True, False, False]
    assert service.augment(SUBREDDIT, zones.builder()).is_settled


def test_a_landing_zone_that_never_rests_leaves_the_rest_to_the_next_run(zones: Zones) -> None:
    builder, number = zones.builder(), iter(range(100))

    def build(tasks: Sequence[Task]) -> Iterator[tuple[Task, Partition | None]]:
        yield from builder(tasks)
        land(zones.landing, [comment(f"n{next(number)}", "The Pixel 9 again.", 3 * DAY + 9_000)])

    assert not zones.service().augment(SUBREDDIT, build).is_settled
    assert zones.augment().is_settled


def test_damage_stops_a_subreddit_and_what_was_made_stands(zones: Zones) -> None:
    zones.augment()
    before = dict(zones.derived.objects)
    land(zones.landing, [comment("new", "The Pixel 9 again.", DAY + 9_000)])
    key = next(key for key in zones.landing.objects if "2026-01-02" in key and key.endswith("comments.jsonl"))
    zones.landing.objects[key] = zones.landing.objects[key].replace(b"Pixel 9", b"Pixel 8")
    with pytest.raises(DamagedState, match="restore it from a copy"):
        zones.augment()
    assert zones.derived.objects == before


def _rows(zones: Zones, table: str) -> list[dict[str, object]]:
    days = sorted(zones.store.days(table, SUBREDDIT))
    return [row for day in days for row in zones.store.read(table, SUBREDDIT, day).to_pylist()]


def _holds(content: bytes, trace: bytes) -> bool:
    """Search in the bytes, and in what they unpack to."""
    from market_opinion.tables import from_parquet

    return trace in content or (content[:4] == b"PAR1" and trace in repr(from_parquet(content).to_pylist()).encode())
