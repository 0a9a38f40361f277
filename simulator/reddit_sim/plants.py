"""What happens in a generated world beside its everyday talk, so that it can be looked for: all of it has its truth."""

import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from . import wordings
from .rhythm import DAY_S, moments
from .talk import BOT, Said
from .varied import Crowd, opinion_on
from .wordings import worded

EVENT, FLOOD = "event", "flood"

_OPENS_A_THREAD = 0.15
_COPY_EVERY_S = 60


class Plant(Protocol):
    """Something that makes people, or machines, say more."""

    def said(self, dice: random.Random, day: int, crowd: Crowd) -> Iterator[tuple[int, Said]]:
        """Yield what is said on a day, counted from 1970, and when; in order. A crowd of authors is at hand."""
        ...


@dataclass(frozen=True, slots=True)
class Event:
    """From `start_ts` on people speak of one aspect of a brand so many times a day more, most of them in one way.

    Of these mentions 85% have the event's polarity, 10% none and 5% the other one. They come from many authors, in
    threads that are there and in new ones, and carry the flag `event`.
    """

    brand: str
    aspect: str
    polarity: int
    start_ts: int
    mentions_per_day: float

    def said(self, dice: random.Random, day: int, crowd: Crowd) -> Iterator[tuple[int, Said]]:
        """Yield what people say of it."""
        for created in moments(dice, day, self.mentions_per_day / 24):
            if created >= self.start_ts:
                polarity = dice.choices((self.polarity, 0, -self.polarity), weights=(85, 10, 5))[0]
                text, opinion = opinion_on(dice, self.brand, self.aspect, polarity)
                title = worded(dice, wordings.BARE_TITLES) if dice.random() < _OPENS_A_THREAD else ""
                yield created, Said(crowd.anyone(dice).name, text, [opinion], [EVENT], title)


@dataclass(frozen=True, slots=True)
class Flood:
    """From `at_ts` on one author pastes one text into a thread every minute; the copies carry the flag `flood`."""

    author: str
    brand: str
    aspect: str
    polarity: int
    copies: int
    at_ts: int

    def said(self, dice: random.Random, day: int, crowd: Crowd) -> Iterator[tuple[int, Said]]:
        """Yield the copies of this day."""
        text, opinion = opinion_on(random.Random(repr(self)), self.brand, self.aspect, self.polarity)
        for created in range(self.at_ts, self.at_ts + self.copies * _COPY_EVERY_S, _COPY_EVERY_S):
            if created // DAY_S == day:
                yield created, Said(self.author, text, [opinion], [FLOOD])


@dataclass(frozen=True, slots=True)
class BotAccount:
    """A program that says, ever anew, what it was made to say of a brand, and signs as a bot; flag `bot`.

    It comments at regular times, so many a day, from the beginning of the world.
    """

    name: str
    brand: str
    aspect: str
    polarity: int
    comments_per_day: int

    def said(self, dice: random.Random, day: int, crowd: Crowd) -> Iterator[tuple[int, Said]]:
        """Yield its comments."""
        every_s = DAY_S // self.comments_per_day
        for number in range(self.comments_per_day):
            text, opinion = opinion_on(dice, self.brand, self.aspect, self.polarity)
            signed = text + dice.choice(wordings.SIGNED_BY_BOT)
            yield (
                day * DAY_S + number * every_s + zlib.crc32(self.name.encode()) % every_s,
                Said(self.name, signed, [opinion], [BOT]),
            )
