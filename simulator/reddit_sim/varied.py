"""Talk as varied as people: no two say the same, few write most, some hold to one opinion, and threads have a topic."""

import random
from dataclasses import dataclass, replace

from . import phrases, wordings
from .talk import BOT, LEANING, POLARITIES, SARCASM, SPAM, Said, product_of
from .wordings import worded
from .world import Opinion

_PEOPLE = 2_000
_LEADERS = 6
"""The larger, the less of all talk is that of the few: with 6 the busiest author writes 1 text in 37."""

_BRAND_WEIGHTS = (22, 20, 18, 12, 14, 14)
_MONDAY_TO_SUNDAY = (1.08, 1.08, 1.06, 1.04, 1.0, 0.85, 0.89)
_FAN, _CRITIC = (85, 5, 10), (5, 85, 10)
_NAMES = (
    ("quiet", "loud", "old", "tiny", "brave", "lazy", "early", "sunny", "plain", "odd"),
    ("otter", "fox", "yak", "crow", "mole", "heron", "badger", "lynx", "toad", "finch"),
)
_ASPECTS = tuple(wordings.ASPECTS)


@dataclass(frozen=True, slots=True)
class Person:
    """An author; of the brand that they keep coming back to, if there is one, they think as `leaning` says."""

    name: str
    brand: str = ""
    leaning: tuple[int, int, int] = (1, 1, 1)

    def polarity_on(self, dice: random.Random, brand: str) -> int:
        """Return what this person thinks of a brand this time."""
        return dice.choices(POLARITIES, weights=self.leaning if brand == self.brand else LEANING[brand])[0]


class Crowd:
    """The people of a world, the same for the same seed; how much they write falls with their rank (Zipf's law)."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._people: dict[int, Person] = {}

    def anyone(self, dice: random.Random) -> Person:
        """Return whoever writes next."""
        rank = int(_LEADERS * (1 + _PEOPLE / _LEADERS) ** dice.random()) - _LEADERS
        if rank not in self._people:
            self._people[rank] = _person(random.Random(f"{self._seed}/person {rank}"))
        return self._people[rank]


def _person(dice: random.Random) -> Person:
    name = f"{dice.choice(_NAMES[0])}_{dice.choice(_NAMES[1])}_{dice.randrange(10_000)}"
    chance = dice.random()
    if chance > 0.28:
        return Person(name)
    return Person(name, product_of(dice, weights=_BRAND_WEIGHTS)[0], _FAN if chance < 0.2 else _CRITIC)


class VariedTalk:
    """Talk of a crowd: one in five comments is about no product, a third stays with the product of its thread."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd

    def liveliness(self, day: int) -> float:
        """Return more for the days of work than for Saturday and Sunday."""
        return _MONDAY_TO_SUNDAY[(day + 3) % 7]  # 1970 began on a Thursday

    def submission(self, dice: random.Random) -> Said:
        """Return what opens a thread; its title names the product, too, and means of it what the text below says."""
        person = self._crowd.anyone(dice)
        brand, product = _subject(dice, person, None)
        aspect = dice.choice(_ASPECTS)
        below = _say(dice, person, brand, product, aspect)
        other_brand, other = product_of(dice, brand, _BRAND_WEIGHTS)
        title = worded(dice, wordings.TITLES)
        meant = next(opinion.polarity for opinion in below.opinions if opinion.product == product)
        named = [Opinion(brand, product, aspect if "{aspect}" in title else "", meant, "title")]
        if "{y}" in title:
            named.append(Opinion(other_brand, other, "", 0, "title"))
        called = dice.choice(wordings.ASPECTS[aspect][0])
        title = title.format(x=product, y=other, aspect=called).strip()
        return replace(below, title=title, opinions=[*named, *below.opinions])

    def comment(self, dice: random.Random, on: Said) -> Said:
        """Return what is said in a thread that was opened so."""
        person = self._crowd.anyone(dice)
        if dice.random() < 0.2:
            return Said(person.name, _ended(worded(dice, wordings.CHAT)), [], [])
        topic = next((opinion for opinion in on.opinions if opinion.aspect), None)
        brand, product = _subject(dice, person, topic)
        stays = topic and brand == topic.brand and dice.random() < 0.5
        return _say(dice, person, brand, product, topic.aspect if topic and stays else dice.choice(_ASPECTS))


def opinion_on(dice: random.Random, brand: str, aspect: str, polarity: int) -> tuple[str, Opinion]:
    """Return a text about one of a brand's products, and what it means."""
    product = dice.choice(phrases.BRANDS[brand])
    return _stated(dice, product, aspect, polarity), Opinion(brand, product, aspect, polarity)


def _subject(dice: random.Random, person: Person, topic: Opinion | None) -> tuple[str, str]:
    if person.brand and dice.random() < 0.6:
        return person.brand, dice.choice(phrases.BRANDS[person.brand])
    if topic and dice.random() < 0.35:
        return topic.brand, topic.product
    return product_of(dice, weights=_BRAND_WEIGHTS)


def _say(dice: random.Random, person: Person, brand: str, product: str, aspect: str) -> Said:
    chance = dice.random()
    if chance < 0.01:
        spammer = f"deal_hunter_{dice.randrange(20)}"
        text = worded(dice, wordings.SPAM).format(x=product)
        return Said(spammer, text, [Opinion(brand, product, "", 0, SPAM)], [SPAM])
    if chance < 0.03:
        text = worded(dice, wordings.BOT).format(x=product)
        return Said("AutoModerator", text, [Opinion(brand, product, "", 0, BOT)], [BOT])
    if chance < 0.06:
        aspect = dice.choice(list(wordings.SARCASM))
        text = worded(dice, wordings.SARCASM[aspect]).format(x=product)
        return Said(person.name, text, [Opinion(brand, product, aspect, -1, SARCASM)], [SARCASM])
    if chance < 0.14:
        return _comparison(dice, person, (brand, product), aspect)
    polarity = person.polarity_on(dice, brand)
    return Said(person.name, _stated(dice, product, aspect, polarity), [Opinion(brand, product, aspect, polarity)], [])


def _comparison(dice: random.Random, person: Person, subject: tuple[str, str], aspect: str) -> Said:
    winner, loser = subject, product_of(dice, subject[0], _BRAND_WEIGHTS)
    if person.polarity_on(dice, subject[0]) < 0:
        winner, loser = loser, winner
    called = dice.choice(wordings.ASPECTS[aspect][0])
    text = _dressed(dice, worded(dice, wordings.COMPARISONS)).format(a=winner[1], b=loser[1], aspect=called)
    pair = [Opinion(*winner, aspect, 1, "comparison"), Opinion(*loser, aspect, -1, "comparison")]
    return Said(person.name, text, pair, [])


def _stated(dice: random.Random, product: str, aspect: str, polarity: int) -> str:
    bank = wordings.ASPECTS[aspect][{1: 1, -1: 2, 0: 3}[polarity]]
    return _dressed(dice, worded(dice, bank)).format(x=product)


def _dressed(dice: random.Random, sentence: str) -> str:
    opener = worded(dice, wordings.OPENERS)
    more = (worded(dice, (each,)) for each in dice.sample(wordings.MORE, dice.choice((0, 0, 1, 2))))
    return f"{_ended(opener + sentence)}{''.join(more)}{dice.choice(wordings.CLOSERS)}"


def _ended(sentence: str) -> str:
    sentence = sentence[0].upper() + sentence[1:]
    return sentence if sentence[-1] in ".?!" else f"{sentence}."
