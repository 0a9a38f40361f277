from dataclasses import replace

from market_opinion.analysis.figures import Coverage
from market_opinion.report.headlines import headlines

from . import made


def brands(*counts: tuple[str, int, int, int], before: dict[str, tuple[int, int, int]] | None = None):
    """Brands of which so much was said; with the same before, where nothing else is told."""
    total = sum(sum(said) for _, *said in counts)
    was = {name: (before or {}).get(name, said) for name, *said in counts}
    total_before = sum(sum(said) for said in was.values())
    return [
        made.brand(name, made.opinion(*said), total, made.opinion(*was[name]), total_before) for name, *said in counts
    ]


def told(*counts, **more) -> str:
    return " ".join(headlines(made.figures(brands(*counts, **more))))


def test_a_leader_is_named_only_where_no_interval_touches_its_own() -> None:
    assert "Apple leads the talk with 80.0%" in told(("Apple", 300, 300, 200), ("Samsung", 70, 70, 60))
    near = told(("Apple", 40, 40, 24), ("Samsung", 40, 40, 20), ("Nothing", 2, 2, 2))
    assert near.startswith("No brand clearly leads the talk: Apple with")
    assert "and Samsung with" in near
    assert "Nothing with" not in near


def test_more_than_three_that_cannot_be_told_apart_are_counted() -> None:
    near = told(*((name, 10, 10, 10) for name in ("Apple", "Samsung", "Google", "Nothing", "OnePlus")))
    assert "nor can 2 more" in near


def test_best_and_worst_are_named_only_where_they_can_be_told_apart() -> None:
    apart = told(("Apple", 200, 50, 10), ("Samsung", 10, 50, 200))
    assert "Best spoken of is Apple at +0.73" in apart
    assert "worst is Samsung at −0.73" in apart
    alike = told(("Apple", 30, 30, 28), ("Samsung", 30, 30, 30))
    assert "In net sentiment the brands cannot be told apart" in alike
    assert "Best spoken of" not in alike


def test_who_cannot_be_told_from_the_best_is_named_with_it() -> None:
    near = told(("Apple", 100, 50, 10), ("Google", 98, 50, 12), ("Samsung", 10, 50, 100))
    assert "Best spoken of is Apple at +0.56" in near
    assert "which cannot be told apart from Google; worst" in near


def test_few_mentions_make_no_best_and_no_worst() -> None:
    few = told(("Apple", 100, 50, 10), ("Samsung", 10, 50, 100), ("Nothing", 29, 0, 0))
    assert "Nothing at" not in few
    assert "30 mentions" in told(("Apple", 10, 5, 5), ("Samsung", 5, 5, 5))


def test_a_change_is_named_only_where_it_stands_out() -> None:
    three = (("Apple", 100, 100, 100), ("Samsung", 100, 100, 100), ("Google", 100, 100, 100))
    grew = told(*three, before={"Apple": (30, 30, 30)})
    assert "The share of Apple grew by 20.3 percentage points" in grew
    still = told(("Apple", 100, 100, 100), ("Samsung", 100, 100, 100), before={"Apple": (99, 99, 99)})
    assert "No brand's share changed by more than chance brings" in still


def test_a_fall_of_net_sentiment_is_named() -> None:
    fell = told(("Apple", 20, 100, 180), ("Samsung", 100, 100, 100), before={"Apple": (180, 100, 20)})
    assert "The net sentiment of Apple fell by 1.07" in fell


def test_nothing_is_said_of_changes_where_little_was_seen_before() -> None:
    counts = (("Apple", 100, 100, 100), ("Samsung", 100, 100, 100))
    hardly = made.figures(brands(*counts, before={"Apple": (30, 30, 30)}), coverage_before=Coverage((made.seen(20),)))
    text = " ".join(headlines(hardly))
    assert "Nothing is said of changes: too little was seen of 5 to 11 January 2026." in text
    assert "grew" not in text


def test_without_a_period_before_there_is_nothing_to_compare_with() -> None:
    alone = made.figures([made.brand("Apple", made.opinion(1, 0, 0), 1)])
    assert headlines(alone) == [
        "Of the market's brands only Apple was spoken of.",
        "No brand has the 30 mentions that a word on its net sentiment needs.",
        "There is nothing from 5 to 11 January 2026 to compare with.",
    ]


def test_of_marked_days_the_least_likely_is_told_and_the_others_counted() -> None:
    marks = (made.marked(probability=1e-4, aspect=None, observed=99.0), made.marked())
    text = headlines(made.figures(marked_days=marks))[-1]
    assert text.startswith("Apple, battery, was spoken of 40 times on 14 January 2026")
    assert text.endswith("In all 2 marks stand below.")


def test_a_market_in_which_all_was_set_aside_has_one_sentence() -> None:
    assert headlines(replace(made.figures(), brands=())) == ["Nothing that counts was said: all of it was set aside."]
