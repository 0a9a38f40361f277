"""Cases of one kind by the hundred: `make test` tries some, spread over all, and `make test-slow` the others."""

from collections.abc import Iterable
from typing import Any

import pytest


def one_in(n: int, cases: Iterable[Any]) -> list[Any]:
    """Return cases for `parametrize`; all but the first and every nth after it are marked slow."""
    return [
        case
        if number % n == 0
        else pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow)
        for number, case in enumerate(cases)
    ]
