import doctest
import importlib
import pkgutil

import pytest

from reddit_ingest import core

MODULES = [f"{core.__name__}.{found.name}" for found in pkgutil.iter_modules(core.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_a_core_module_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_core_has_examples() -> None:
    assert sum(doctest.testmod(importlib.import_module(name)).attempted for name in MODULES) >= 4
