"""The sentences at the top of a report, by rules: nothing is said that the intervals do not allow.

Two brands are told apart where their intervals do not touch; that holds whatever the two have to do with each other. A
change is named only where it stands out among the changes of all brands (Holm's rule, 5 %).
"""

from collections.abc import Callable, Sequence

from ..analysis.figures import BrandFigures, Figures, MarkedDay
from ..analysis.statistics import LEVEL, Estimate, holm, student_tail
from . import wording

FEWEST_MENTIONS = 30
"""Brands of fewer mentions are not named for their net sentiment."""

_NAMED = 3
Change = Callable[[BrandFigures], Estimate | None]


def headlines(figures: Figures) -> list[str]:
    """Return one to five sentences that a reader may quote, the most important first."""
    if not figures.brands:
        return ["Nothing that counts was said: all of it was set aside."]
    return [_leader(figures.brands), *_net(figures.brands), *_changes(figures), *_marked(figures)]


def _leader(brands: Sequence[BrandFigures]) -> str:
    first, *others = brands
    if not others:
        return f"Of the market's brands only {first.name} was spoken of."
    near = [brand for brand in others if brand.share.high >= first.share.low]
    if not near:
        return f"{first.name} leads the talk with {_with_interval(first)} of all mentions of brands."
    told = [f"{brand.name} with {_with_interval(brand)}" for brand in (first, *near[: _NAMED - 1])]
    more = f", nor can {_others(len(near) - len(told) + 1)}" if len(near) >= _NAMED else ""
    return f"No brand clearly leads the talk: {wording.listed(told)} cannot be told apart{more}."


def _others(number: int) -> str:
    return "one more" if number == 1 else f"{number} more"


def _with_interval(brand: BrandFigures) -> str:
    return f"{wording.share(brand.share)} ({wording.share_interval(brand.share)})"


def _net(brands: Sequence[BrandFigures]) -> list[str]:
    heard = [(brand, brand.opinion.net) for brand in brands if brand.opinion.mentions >= FEWEST_MENTIONS]
    known = sorted(((brand, net) for brand, net in heard if net), key=lambda one: (-one[1].value, one[0].brand))
    if not known:
        return [f"No brand has the {FEWEST_MENTIONS} mentions that a word on its net sentiment needs."]
    best, worst = known[0], known[-1]
    if len(known) == 1:
        return [f"The net sentiment of {_net_told(*best)}."]
    if worst[1].high >= best[1].low:
        return [f"In net sentiment the brands cannot be told apart: from {_net_told(*worst)} to {_net_told(*best)}."]
    near_best = _near([brand for brand, net in known[1:] if net.high >= best[1].low])
    near_worst = _near([brand for brand, net in reversed(known[:-1]) if net.low <= worst[1].high])
    return [f"Best spoken of is {_net_told(*best)}{near_best}; worst is {_net_told(*worst)}{near_worst}."]


def _net_told(brand: BrandFigures, net: Estimate) -> str:
    return f"{brand.name} at {wording.net(net.value)} ({wording.net_interval(net)})"


def _near(brands: Sequence[BrandFigures]) -> str:
    if not brands:
        return ""
    names = [brand.name for brand in brands[:_NAMED]]
    if len(brands) > _NAMED:
        names = [*names[:-1], _others(len(brands) - _NAMED + 1)]
    return f", which cannot be told apart from {wording.listed(names)}"


def _changes(figures: Figures) -> list[str]:
    before = wording.span(figures.before)
    if not any(brand.share_before for brand in figures.brands):
        return [f"There is nothing from {before} to compare with."]
    if not figures.is_comparable:
        return [f"Nothing is said of changes: too little was seen of {before}."]
    shares = _largest(figures.brands, lambda brand: brand.share_change)
    nets = _largest(figures.brands, lambda brand: brand.net_change)
    told = []
    if shares:
        brand, change = shares
        verb = "grew" if change.value > 0 else "fell"
        size = wording.points(change).lstrip("+−")
        told.append(
            f"The share of {brand.name} {verb} by {size} percentage points ({wording.points_interval(change)})"
            f" against {before}, the largest change."
        )
    else:
        told.append(f"No brand's share changed by more than chance brings against {before}.")
    if nets:
        brand, change = nets
        verb = "rose" if change.value > 0 else "fell"
        size = wording.net(change.value).lstrip("+−")
        told.append(
            f"The net sentiment of {brand.name} {verb} by {size} ({wording.net_interval(change)}), the largest change."
        )
    return told


def _largest(brands: Sequence[BrandFigures], change_of: Change) -> tuple[BrandFigures, Estimate] | None:
    """Return the brand with the largest of the changes that stand out among all."""
    found = [(brand, change) for brand in brands if (change := change_of(brand)) and change.error]
    rejects = holm([student_tail(change.value / change.error, change.freedom) for _, change in found], 1 - LEVEL)
    certain = [one for one, rejected in zip(found, rejects, strict=True) if rejected]
    return max(certain, key=lambda one: (abs(one[1].value), one[0].brand)) if certain else None


def _marked(figures: Figures) -> list[str]:
    if not figures.marked_days:
        return []
    names = {brand.brand: brand.name for brand in figures.brands}
    first, *others = sorted(figures.marked_days, key=lambda mark: (mark.probability, mark.day, mark.brand))
    more = f" In all {len(others) + 1} marks stand below." if others else ""
    return [f"{mark_told(first, names[first.brand])}{more}"]


def mark_told(mark: MarkedDay, name: str) -> str:
    """Return what stands out on a marked day, as a sentence."""
    subject = f"{name}, {mark.aspect}," if mark.aspect else name
    when = wording.day(mark.day)
    if mark.kind == "volume":
        usual = f"{mark.expected:.0f} were to be expected" if mark.expected >= 1 else "hardly any was to be expected"
        return f"{subject} was spoken of {wording.count(round(mark.observed))} times on {when}, where {usual}."
    way = "better" if mark.observed > mark.expected else "worse"
    return (
        f"{subject} was spoken {way} of on {when} than before: {wording.net(mark.observed)}"
        f" against {wording.net(mark.expected)}."
    )
