"""The places of all seeded mistakes are still there; `make test-mutations` makes them."""

import ast

import pytest

from .seeded import MODULES, MUTATIONS, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.what)
def test_the_place_of_a_mutation_is_found_exactly_once(mutation: Mutation) -> None:
    text = (MODULES / mutation.path).read_text()
    assert text.count(mutation.old) == 1
    assert mutation.new != mutation.old
    ast.parse(text.replace(mutation.old, mutation.new))


def test_every_mutation_names_tests_that_are_there() -> None:
    assert [each.what for each in MUTATIONS if not (MODULES.parent / each.caught_by).is_file()] == []


def test_no_mutation_is_made_twice() -> None:
    assert len({each.what for each in MUTATIONS}) == len({(each.file, each.old, each.new) for each in MUTATIONS})
    assert len({each.what for each in MUTATIONS}) == len(MUTATIONS)
