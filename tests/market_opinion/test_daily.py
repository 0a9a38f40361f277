"""A day in a few rows: every mention is counted, once per aspect, with and without what is set aside."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from market_opinion.daily import daily_opinion
from market_opinion.documents import BOT, CROSSPOST, FLOOD, SET_ASIDE
from market_opinion.sentiment.scoring import LABELS
from market_opinion.tables import MENTIONS

STAMP = {"market": "phones", "market_version": "1", "engine": "lexicon", "model": "m"}

mentions_of_a_day = st.lists(
    st.fixed_dictionaries(
        {
            "brand": st.sampled_from(["apple", "google"]),
            "aspects": st.lists(st.sampled_from(["battery", "camera", "price"]), unique=True),
            "label": st.sampled_from(LABELS),
            "author": st.sampled_from(["ann", "ben", None]),
            "flags": st.lists(st.sampled_from([BOT, FLOOD, CROSSPOST]), unique=True),
        }
    ),
    max_size=30,
)


def _told(mentions: list[dict[str, object]]) -> list[dict[str, object]]:
    table = pa.Table.from_pylist([{**mention, **STAMP} for mention in mentions], MENTIONS)
    rows: list[dict[str, object]] = daily_opinion(table).to_pylist()
    return rows


@given(mentions_of_a_day)
def test_every_mention_counts_once_for_its_brand_and_once_for_each_aspect(mentions: list[dict[str, object]]) -> None:
    rows = _told(mentions)
    assert len({(row["brand"], row["aspect"]) for row in rows}) == len(rows)
    for row in rows:
        about = [m for m in mentions if m["brand"] == row["brand"] and row["aspect"] in (None, *m["aspects"])]  # type: ignore[misc]
        counted = [m for m in about if not SET_ASIDE & {*m["flags"]}]  # type: ignore[misc]
        assert (row["all_mentions"], row["mentions"]) == (len(about), len(counted))
        for label in LABELS:
            assert row[label] == sum(m["label"] == label for m in counted)
            assert row[f"all_{label}"] == sum(m["label"] == label for m in about)
    whole = [row for row in rows if row["aspect"] is None]
    assert sum(row["all_mentions"] for row in whole) == len(mentions)  # type: ignore[misc]


def test_an_author_counts_once_and_nameless_ones_each() -> None:
    said = {"brand": "apple", "aspects": ["battery"], "label": "positive", "flags": []}
    rows = _told([{**said, "author": author} for author in ("ann", "ann", "ben", None, None)])
    assert [(row["aspect"], row["mentions"], row["authors"]) for row in rows] == [(None, 5, 4), ("battery", 5, 4)]


def test_what_only_a_bot_says_is_no_ones_opinion_but_is_told() -> None:
    rows = _told([{"brand": "apple", "aspects": [], "label": "positive", "author": "ann", "flags": [BOT]}])
    assert [(row["mentions"], row["authors"], row["all_mentions"]) for row in rows] == [(0, 0, 1)]


def test_a_day_without_mentions_has_no_rows() -> None:
    assert _told([]) == []
