"""What is said in a generated world, and by whom."""

import random
from dataclasses import dataclass
from typing import Protocol

from . import phrases
from .world import Opinion

BOT, SARCASM, SPAM = "bot", "sarcasm", "spam"

# Each brand's share of praise, complaint and plain statements.
LEANING = {
    "Apple": (45, 30, 25),
    "Samsung": (40, 35, 25),
    "Google": (50, 30, 20),
    "Nothing": (55, 20, 25),
    "OnePlus": (40, 30, 30),
    "Xiaomi": (35, 40, 25),
}
POLARITIES = (1, -1, 0)
_WEIGHTS = (30, 28, 20, 6, 8, 8)


@dataclass(frozen=True, slots=True)
class Said:
    """A text with its author and the truth of it; only what opens a thread has a title."""

    author: str
    text: str
    opinions: list[Opinion]
    flags: list[str]
    title: str = ""


class Talk(Protocol):
    """A way in which the people of a world talk."""

    def liveliness(self, day: int) -> float:
        """Return how much is said on a day, counted from 1970; 1 is the usual."""
        ...

    def submission(self, dice: random.Random) -> Said:
        """Return what opens a thread."""
        ...

    def comment(self, dice: random.Random, on: Said) -> Said:
        """Return what is said in a thread that was opened so."""
        ...


class PlainTalk:
    """A few phrases in turn, by authors who are all alike: enough to read and to land, but people seem to repeat."""

    def liveliness(self, day: int) -> float:
        """Return 1: all days are alike."""
        return 1.0

    def submission(self, dice: random.Random) -> Said:
        """Return what opens a thread."""
        brand, product = product_of(dice)
        aspect = dice.choice(list(phrases.ASPECTS))
        title = dice.choice(phrases.TITLES).format(
            x=product, y=product_of(dice)[1], aspect=dice.choice(phrases.ASPECTS[aspect][0])
        )
        said, opinions, flags = _say(dice, brand, product, aspect)
        return Said(_author(dice, flags), said, opinions, flags, title)

    def comment(self, dice: random.Random, on: Said) -> Said:
        """Return what is said in any thread."""
        brand, product = product_of(dice)
        said, opinions, flags = _say(dice, brand, product, dice.choice(list(phrases.ASPECTS)))
        if not flags and dice.random() < 0.3:
            said, opinions = dice.choice(phrases.NEUTRAL), []
        return Said(_author(dice, flags), said, opinions, flags)


def product_of(dice: random.Random, but: str = "", weights: tuple[int, ...] = _WEIGHTS) -> tuple[str, str]:
    """Return a brand, other than `but`, and one of its products."""
    brand = but
    while brand == but:
        brand = dice.choices(list(phrases.BRANDS), weights=weights)[0]
    return brand, dice.choice(phrases.BRANDS[brand])


def _say(dice: random.Random, brand: str, product: str, aspect: str) -> tuple[str, list[Opinion], list[str]]:
    """Return a text, what it means, and what else it is."""
    chance = dice.random()
    if chance < 0.02:
        return dice.choice(phrases.SPAM).format(x=product), [], [SPAM]
    if chance < 0.04:
        return dice.choice(phrases.BOT).format(x=product), [], [BOT]
    if chance < 0.07:
        kind = "battery" if "battery" in (said := dice.choice(phrases.SARCASM)) else "performance"
        return said.format(x=product), [Opinion(brand, product, kind, -1, "sarcasm")], [SARCASM]
    if chance < 0.15:
        other_brand, other = product_of(dice, but=brand)
        called = dice.choice(phrases.ASPECTS[aspect][0])
        said = dice.choice(phrases.COMPARISONS).format(a=product, b=other, aspect=called)
        pair = [
            Opinion(brand, product, aspect, 1, "comparison"),
            Opinion(other_brand, other, aspect, -1, "comparison"),
        ]
        return _dressed(dice, said), pair, []
    polarity = dice.choices(POLARITIES, weights=LEANING[brand])[0]
    bank = phrases.ASPECTS[aspect][{1: 1, -1: 2, 0: 3}[polarity]]
    return _dressed(dice, dice.choice(bank).format(x=product)), [Opinion(brand, product, aspect, polarity)], []


def _dressed(dice: random.Random, said: str) -> str:
    opener = dice.choice(phrases.OPENERS)
    sentence = opener + said if opener else said[0].upper() + said[1:]
    more = "".join(dice.sample(phrases.MORE, dice.choice((0, 0, 1, 2))))
    return f"{sentence}.{more}{dice.choice(phrases.CLOSERS)}"


def _author(dice: random.Random, flags: list[str]) -> str:
    if BOT in flags:
        return "AutoModerator"
    if SPAM in flags:
        return f"deal_hunter_{dice.randrange(20)}"
    mood = dice.choice(("quiet", "loud", "old", "tiny", "brave"))
    return f"{mood}_{dice.choice(('otter', 'fox', 'yak', 'crow'))}_{dice.randrange(400)}"
