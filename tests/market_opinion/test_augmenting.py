"""The unit of augmentation: a batch of documents in, a batch of mentions out."""

import pyarrow as pa
import pytest

from market_opinion.augmenting import Augmented, augment_batch, documents_of, read_batch, with_context
from market_opinion.labels import Correction, Labels, Place, digest_of
from market_opinion.market import Market, load_market
from market_opinion.sentiment.calibrating import Calibration
from market_opinion.sentiment.scoring import Scorer, make_scorer
from market_opinion.tables import COMPARISONS, DOCUMENTS, ITEMS, MENTIONS, from_parquet, to_parquet

from .growth import grows_with_length
from .landing import Row, comment, kind_of, submission


@pytest.fixture(scope="module")
def market() -> Market:
    return load_market("smartphones")


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return make_scorer("lexicon")


def items(*rows: Row) -> pa.Table:
    told = [{**{name: row.get(name) for name in ITEMS.names}, "kind": kind_of(row)} for row in rows]
    return pa.Table.from_pylist([{**row, "link_title": None} for row in told], ITEMS)


def documents(market: Market, scorer: Scorer, *rows: Row) -> pa.RecordBatch:
    found = items(*rows)
    (batch,) = with_context(documents_of(found, market, scorer), found, "phones").combine_chunks().to_batches()
    return batch


def read(market: Market, scorer: Scorer, *rows: Row) -> Augmented:
    return read_batch(documents(market, scorer, *rows), market, scorer)


def test_a_mention_tells_who_is_meant_where_and_what_is_thought(market: Market, scorer: Scorer) -> None:
    text = "I like trains.\n\nMy **Pixel 9** is great, really wonderful! The end."
    (mention,) = read(market, scorer, comment("c", text)).mentions.to_pylist()
    assert (mention["fullname"], mention["number"], mention["brand"]) == ("t1_c", 0, "google")
    assert text[mention["start"] : mention["end"]] == "Pixel 9"
    assert text[mention["quote_start"] : mention["quote_end"]] == mention["quote"]
    assert mention["quote"] == "My **Pixel 9** is great, really wonderful!"
    assert mention["label"] == "positive"
    assert mention["p_positive"] > max(mention["p_neutral"], mention["p_negative"])
    stamp = [mention[name] for name in ("market", "market_version", "engine", "model")]
    assert stamp == ["smartphones", market.version, "lexicon", scorer.model_hash]


@grows_with_length
@pytest.mark.parametrize(("words", "names"), [("iphone ", 1), ("great iphone! ", 1), ("Pixel 8 vs LG ", 2)])
def test_a_post_that_names_things_thousands_of_times_costs_what_its_length_costs(
    market: Market, scorer: Scorer, words: str, names: int
) -> None:
    often = 120_000 // len(words)
    mentions = read(market, scorer, comment("c", words * often)).mentions
    assert mentions.num_rows == often * names
    assert mentions.nbytes < 1_500 * mentions.num_rows
    assert all(
        row["quote_start"] <= row["start"] and row["end"] <= row["quote_end"] <= row["end"] + 500
        for row in mentions.to_pylist()
    )


def test_quotes_of_all_mentions_are_exact_substrings_of_the_text(market: Market, scorer: Scorer) -> None:
    texts = [
        "The [iPhone 17](https://example.com/a_b) &amp; the *Galaxy S25*: both fine.\u2028And my Pixel 10 😀😀 too.",
        "> quoted Pixel 9\n\nNo: `code Pixel 8` but the iPhone 16 \u200bis \\*bad\\*.\r\nEnd",
        "😀🔥 Galaxy S25 Ultra 😀🔥",
    ]
    batch = documents(market, scorer, *(comment(f"c{n}", text, n) for n, text in enumerate(texts)))
    mentions = augment_batch(batch, market, scorer).to_pylist()
    assert len(mentions) >= 5
    for mention in mentions:
        text = texts[int(mention["fullname"][-1])]
        assert text[mention["quote_start"] : mention["quote_end"]] == mention["quote"]
        assert mention["alias"].lower() in mention["quote"].lower()


def test_how_documents_are_cut_into_batches_changes_nothing(market: Market, scorer: Scorer) -> None:
    rows = [
        comment(f"c{n}", f"the Pixel {n} is {'good' if n % 2 else 'bad'}, the iPhone 16 not", n) for n in range(7, 11)
    ]
    batch = documents(market, scorer, *rows)
    whole = augment_batch(batch, market, scorer)
    apart = [augment_batch(batch.slice(n, 1), market, scorer) for n in range(len(rows))]
    assert pa.Table.from_batches([whole]) == pa.Table.from_batches(apart).combine_chunks()
    assert whole.num_rows == 8


def test_labels_go_to_their_mentions_however_the_batch_is_cut(market: Market, scorer: Scorer) -> None:
    rows = [comment(f"c{n}", f"the Pixel {n} is good, the iPhone 16 not", n) for n in range(7, 11)]
    batch, text = documents(market, scorer, *rows), rows[2]["body"]
    place = Place("phones", "2026-01-01", "t1_c9", text.index("iPhone"), text.index(" not"), digest_of(text))
    calibration = Calibration("lexicon", scorer.model_hash, 0.0, 1.5, 100, "", 0.0, 0.1, {})
    labels = Labels(calibration, (Correction(place, "apple", "positive"),))
    whole, plain = augment_batch(batch, market, scorer, labels), augment_batch(batch, market, scorer)
    apart = [augment_batch(batch.slice(n, 1), market, scorer, labels) for n in range(len(rows))]
    assert pa.Table.from_batches([whole]) == pa.Table.from_batches(apart).combine_chunks()
    for row, old in zip(whole.to_pylist(), plain.to_pylist(), strict=True):
        assert (row["calibrated"], old["calibrated"]) == (True, False)
        if (row["fullname"], row["brand"]) == ("t1_c9", "apple"):
            assert (row["label"], row["p_positive"], row["p_neutral"]) == ("positive", 1, 0)
        else:
            assert old["p_positive"] < row["p_positive"] < 1


@pytest.mark.parametrize("text", ["", None, "😀🔥👍", " \n\n ", "[deleted]", "\u200b", "…"])
def test_a_document_that_says_nothing_has_no_mentions(market: Market, scorer: Scorer, text: str | None) -> None:
    for row in (comment("c", text), submission("s", title=text, selftext=text)):
        found = read(market, scorer, row)
        assert (found.mentions.num_rows, found.comparisons.num_rows) == (0, 0)
        assert (found.mentions.schema, found.comparisons.schema) == (MENTIONS, COMPARISONS)


def test_a_batch_without_documents_has_no_mentions(market: Market, scorer: Scorer) -> None:
    batch = documents(market, scorer, comment("c", "x")).slice(0, 0)
    assert augment_batch(batch, market, scorer) == pa.RecordBatch.from_pylist([], MENTIONS)


@pytest.mark.parametrize("unit", ["word ", "The Pixel 9 is a great phone. ", "x" * 200 + " iPhone 16 ", "😀"])
def test_a_post_of_40000_characters_is_read_to_its_end(market: Market, scorer: Scorer, unit: str) -> None:
    text = (unit * 40_000)[:39_970] + "\n\nI hate the Galaxy S25."
    found = read(market, scorer, submission("s", title="Long", selftext=text)).mentions.to_pylist()
    assert (found[-1]["brand"], found[-1]["label"], found[-1]["quote"]) == (
        "samsung",
        "negative",
        "I hate the Galaxy S25.",
    )
    assert [mention["number"] for mention in found] == list(range(len(found)))


def test_the_thread_and_the_parent_tell_what_a_short_name_means(market: Market, scorer: Scorer) -> None:
    said, thread = "I love my 15 Pro.", submission("s", title="iPhone or something else?")
    question = comment("q", "Who has an iPhone?", 1, link="unknown")
    for rows in (
        [thread, comment("a", said, 2, link="s")],
        [question, comment("a", said, 2, link="unknown", parent_id="t1_q")],
    ):
        mentions = read(market, scorer, *rows).mentions.to_pylist()
        assert [row["brand"] for row in mentions if row["fullname"] == "t1_a"] == ["apple"]
    assert read(market, scorer, comment("a", said, 2, link="unknown")).mentions.num_rows == 0


def test_a_comparison_names_the_winner_whichever_is_named_first(market: Market, scorer: Scorer) -> None:
    texts = ["The Pixel 9 is better than the iPhone 16.", "The iPhone 16 is worse than the Pixel 9."]
    for text in texts:
        (found,) = read(market, scorer, comment("c", text)).comparisons.to_pylist()
        assert (found["winner_brand"], found["loser_brand"]) == ("google", "apple")
        assert text[found["start"] : found["end"]] == text
        assert {found["winner"], found["loser"]} == {0, 1}


def test_names_in_different_sentences_are_not_compared(market: Market, scorer: Scorer) -> None:
    text = "The Pixel 9 is good. Better than nothing. I sold the iPhone 16."
    assert read(market, scorer, comment("c", text)).comparisons.num_rows == 0


def test_the_columns_of_a_document_come_from_its_row(market: Market, scorer: Scorer) -> None:
    row = submission("s", title="Pixel 9", selftext="It works.", score=7, num_comments=3, edited=1_767_225_700)
    (document,) = documents_of(items(row), market, scorer).to_pylist()
    assert document["text"] == "Pixel 9\n\nIt works."
    assert [document[name] for name in ("kind", "thread", "parent", "title")] == [
        "submissions",
        "t3_s",
        None,
        "Pixel 9",
    ]
    assert [document[name] for name in ("score", "num_comments", "edited")] == [7, 3, 1_767_225_700]
    assert documents_of(items(row), market, scorer).schema == DOCUMENTS


def test_flags_of_repeats_stand_in_the_documents(market: Market, scorer: Scorer) -> None:
    said = "Buy cheap phone cases here today only"
    rows = [comment(f"c{n}", said, n, author="spammer") for n in range(3)]
    flags = [set(row["flags"]) for row in documents_of(items(*rows), market, scorer).to_pylist()]
    assert flags == [{"flood"}, {"flood", "near-duplicate"}, {"flood", "near-duplicate"}]


def test_the_same_rows_give_the_same_parquet_and_come_back_from_it(market: Market, scorer: Scorer) -> None:
    batch = documents(market, scorer, comment("c", "My Pixel 9 is great."), comment("d", "🔥", 1))
    for table in (documents_of(items(comment("c", "x")), market, scorer), pa.Table.from_batches([batch])):
        assert to_parquet(table) == to_parquet(table)
        assert from_parquet(to_parquet(table)) == table
