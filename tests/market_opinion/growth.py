"""Texts so long that work which grows with the square of them takes minutes, and other work a moment."""

import pytest

LENGTH = 400_000
"""Ten times what Reddit allows."""

grows_with_length = pytest.mark.timeout(60)
"""What a test of such a text is marked with."""


def long(part: str) -> str:
    """Return a text of about that length that says the same again and again."""
    return part * (LENGTH // len(part))
