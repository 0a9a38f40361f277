"""Training: repeatable, on checked data, and it learns where to look."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from market_opinion.sentiment import making, training
from market_opinion.sentiment.datasets import Labelled
from market_opinion.sentiment.linear import LinearScorer
from reddit_ingest.core.errors import InvalidRequest

GOOD, BAD = ["zippy", "neat", "grand", "swell"], ["grotty", "naff", "ropey", "duff"]


def a_set(template: str = "a table , {0} alpha , {1} omega") -> list[Labelled]:
    """Every word before every name: only the word beside a name tells its label."""
    rows = []
    for words in product(GOOD + BAD, repeat=2):
        text = template.format(*words)
        said = {"alpha": 2 * (words[0] in GOOD), "omega": 2 * (words[1] in GOOD), "table": 1}
        for name, label in said.items():
            start = text.index(name)
            rows.append(Labelled(text, (start, start + len(name)), label))
    return rows


def test_words_are_credited_to_the_target_beside_them() -> None:
    model = training.train({"a": a_set()})
    text = "a table , grotty alpha , swell omega"
    answers = LinearScorer(model).score([text] * 3, [(17, 22), (31, 36), (2, 7)])
    assert answers.argmax(axis=1).tolist() == [0, 2, 1]


def test_the_same_sets_give_the_same_bytes() -> None:
    sets = {"a": a_set(), "b": a_set("{0} alpha and {1} omega on a table")}
    assert training.train(sets).to_bytes() == training.train(sets).to_bytes()


def test_a_class_that_no_row_has_is_never_answered() -> None:
    model = training.train({"a": [row for row in a_set() if row.label != 1]})
    texts = ["a table , zippy alpha , duff omega"] * 2
    answers = LinearScorer(model).score(texts, [(16, 21), (29, 34)])
    assert answers.argmax(axis=1).tolist() == [2, 0]
    assert answers[:, 1].max() < 1e-6


def test_a_set_of_its_own_kind_has_weights_of_its_own() -> None:
    upside_down = [Labelled(row.text, row.span, 2 - row.label) for row in a_set()]
    models = training.train_for_each({"a": a_set(), "b": upside_down})
    text = "the zippy alpha"
    answers = {name: LinearScorer(model).score([text], [(10, 15)]).argmax() for name, model in models.items()}
    assert answers == {"a": 2, "b": 0}


def test_a_text_without_a_target_is_learned_once_more_around_a_word_of_its_own() -> None:
    rows = [Labelled("I love that camera", None, 2), Labelled("so good", None, 2), Labelled("a Pixel", (2, 7), 1)]
    made = training.with_stand_ins(rows)
    assert made[:3] == rows
    assert [(row.text[slice(*row.span)], row.label) for row in made[3:] if row.span] == [("camera", 2)]
    assert training.with_stand_ins(rows) == made


def test_training_refuses_data_that_is_not_that_of_the_card(tmp_path: Path) -> None:
    name = next(iter(training.CLEAN_SETS))
    with pytest.raises(InvalidRequest, match="cannot be read"):
        making.make_shipped(tmp_path, 0)
    (tmp_path / name).write_text("id\tlabel\ttext\n1\tpositive\tgood\n")
    with pytest.raises(InvalidRequest, match="is not the training set of the card"):
        making.make_shipped(tmp_path, 0)


def test_a_column_tells_the_more_the_more_it_is_of_one_class_and_nothing_where_it_is_rare() -> None:
    columns = {"of one class": [1, 1, 1, 0, 0, 0], "of all": [1, 1, 0, 1, 1, 0], "rare": [1, 1, 0, 0, 0, 0]}
    matrix = sparse.csr_matrix(np.array(list(columns.values())).T)
    one, every, rare = training.telling(matrix, np.array([0, 0, 0, 2, 2, 2]), 3)
    assert one > 0.9
    assert one > every > rare == 0
