"""Hostile plans: which request meets which fault, by plan or at random from a seed."""

import json
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

_STATUSES = (500, 502, 503, 504, 520, 522, 408, 521, 524, 307, 418)

API_FAULTS = (
    *(f"status:{status}" for status in _STATUSES),
    "connection-reset",
    "short-body",
    "hang",
    "400-json",
    "400-reason",
    "400-html",
    "401-invalid-token",
    "401-bare",
    "403-bare-realm",
    "403-private",
    "404-banned",
    "redirect-search",
    "429-html-retry-after",
    "429-json",
    "429-date",
    "451",
    "not-json",
    "cut-json",
    "empty-body",
    "null-body",
    "error-dict-200",
    "list-200",
    "bad-ratelimit-headers",
    "empty-page",
    "repeated-page",
    "null-author",
)
ARCHIVE_FAULTS = ("archive-error-200", "archive-timeout-422")
TOKEN_FAULTS = ("token-401", "token-429", "token-500", "token-error-200", "token-not-json")

# What a random plan draws from: trouble that passes. Verdicts such as "private" would rightly end a subreddit's turn.
_PASSING = tuple(
    name
    for name in API_FAULTS
    if name not in ("hang", "403-private", "404-banned", "redirect-search", "451", "401-bare", "401-invalid-token")
    and name not in ("repeated-page", "null-author")
)
_PASSING_ARCHIVE = (
    *(f"status:{status}" for status in (500, 502, 503, 504)),
    *("connection-reset", "short-body", "429-json", "not-json", "cut-json", "empty-body", "null-body", "list-200"),
    *ARCHIVE_FAULTS,
)
_PASSING_TOKEN = ("token-429", "token-500", "token-not-json")


@dataclass(slots=True)
class Rule:
    """A fault for requests whose path fits: the nth one, the first few, every so many, or a share of them."""

    path: str
    fault: str
    nth: int | None = None
    times: int | None = None
    every: int | None = None
    rate: float | None = None
    seconds: float = 30.0
    met: int = 0

    def strikes(self, path: str) -> bool:
        """Tell whether this request meets the fault, and count it."""
        if not fnmatch(path, self.path):
            return False
        self.met += 1
        if self.nth is not None:
            return self.met == self.nth
        if self.times is not None:
            return self.met <= self.times
        if self.every is not None:
            return self.met % self.every == 0
        share = 1.0 if self.rate is None else self.rate
        return zlib.crc32(f"{self.fault}{self.path}{self.met}".encode()) % 10_000 < share * 10_000


@dataclass(slots=True)
class HostilePlan:
    """Rules in order, the first that strikes wins; and, for a random plan, a seed and a rate."""

    rules: list[Rule] = field(default_factory=list)
    seed: int | None = None
    rate: float = 0.0
    _met: int = 0

    @staticmethod
    def names() -> tuple[str, ...]:
        """Return the names of all faults."""
        return API_FAULTS + ARCHIVE_FAULTS + TOKEN_FAULTS

    @classmethod
    def parse(cls, text: str) -> "HostilePlan":
        """Read a plan: a file's path, JSON, or `random:SEED[:RATE]`.

        Raises:
            ValueError: it is none of these, or names an unknown fault or key.
            OSError: the file cannot be read.
        """
        if text.startswith("random:"):
            seed, _, rate = text.removeprefix("random:").partition(":")
            return cls(seed=int(seed), rate=float(rate or 0.05))
        if not text.lstrip().startswith(("[", "{")):
            text = Path(text).read_text(encoding="utf-8")
        return cls.from_rules(json.loads(text))

    @classmethod
    def from_rules(cls, rules: object) -> "HostilePlan":
        """Build a plan from a list of rules as plain objects."""
        if not isinstance(rules, list):
            raise ValueError("a plan is a list of rules")  # noqa: TRY004  # one kind of error for one kind of text
        return cls([_rule(rule) for rule in rules])

    def fault(self, path: str) -> Rule | None:
        """Return what the next request to a path meets."""
        for rule in self.rules:
            is_token_path = path.endswith("access_token")
            if (rule.fault in TOKEN_FAULTS) == is_token_path and rule.strikes(path):
                return rule
        return self._random(path) if self.seed is not None else None

    def _random(self, path: str) -> Rule | None:
        self._met += 1
        dice = random.Random(self.seed * 1_000_003 + self._met if self.seed is not None else 0)
        choices: Sequence[str] = _PASSING_TOKEN if path.endswith("access_token") else _PASSING
        if path.startswith(("/api/posts/", "/api/comments/", "/api/subreddits/")):
            choices = _PASSING_ARCHIVE
        return Rule(path, dice.choice(choices)) if dice.random() < self.rate else None


def _rule(fields: Any) -> Rule:
    if not isinstance(fields, dict) or fields.get("fault") not in HostilePlan.names():
        raise ValueError(f"unknown fault in {fields!r}; known are {', '.join(HostilePlan.names())}")
    known = {"path", "fault", "nth", "times", "every", "rate", "seconds"}
    if unknown := set(fields) - known:
        raise ValueError(f"unknown keys in a rule: {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}")
    return Rule(**{"path": "*", **fields})
