"""What waits in PRAW: it paces itself, and pauses for seconds between its tries."""

import time
from types import SimpleNamespace

import prawcore.rate_limit
import prawcore.sessions
import pytest


def skip_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let PRAW wait for nothing. Whoever else pauses does so: only PRAW's own name for the clock is another."""
    still = SimpleNamespace(sleep=lambda seconds: None, monotonic=time.monotonic, monotonic_ns=time.monotonic_ns)
    for module in (prawcore.sessions, prawcore.rate_limit):
        monkeypatch.setattr(module, "time", still)
