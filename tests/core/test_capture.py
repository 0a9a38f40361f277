from hypothesis import given
from hypothesis import strategies as st

from reddit_ingest.core.capture import AGES_S, capture_curve
from reddit_ingest.core.windows import HOUR_S

NOW = 1_767_225_600
MOMENTS = st.integers(NOW - 400 * HOUR_S, NOW)
COMMENTS = st.lists(st.tuples(MOMENTS, st.integers(0, 200 * HOUR_S)).map(lambda pair: (pair[0], sum(pair))))
THREADS = st.lists(st.tuples(MOMENTS, st.integers(-3, 20)))


@given(COMMENTS, THREADS)
def test_shares_are_shares_and_what_threads_tell_of_is_no_less_than_what_is_known(
    comments: list[tuple[int, int]], threads: list[tuple[int, int]]
) -> None:
    curve = capture_curve(comments, threads, NOW)
    assert tuple(point.age_s for point in curve) == AGES_S
    for point in curve:
        assert 0 <= point.seen <= point.comments <= point.told
        assert point.comments == len([1 for created, _ in comments if NOW - created >= point.age_s])
        assert point.seen == len([1 for a, b in comments if NOW - a >= point.age_s and b - a <= point.age_s])


@given(COMMENTS, THREADS, st.randoms(use_true_random=False))
def test_the_order_of_what_is_known_means_nothing(comments: list, threads: list, dice) -> None:  # type: ignore[no-untyped-def,type-arg]
    before = capture_curve(comments, threads, NOW)
    dice.shuffle(comments)
    dice.shuffle(threads)
    assert capture_curve(comments, threads, NOW) == before


@given(COMMENTS)
def test_a_comment_seen_sooner_never_lowers_the_curve(comments: list[tuple[int, int]]) -> None:
    sooner = [(created, (created + first_ts) // 2) for created, first_ts in comments]
    for now, then in zip(capture_curve(comments, [], NOW), capture_curve(sooner, [], NOW), strict=True):
        assert now.seen <= then.seen


def test_what_nobody_has_seen_counts_where_the_thread_is_old_enough() -> None:
    born = NOW - 3 * HOUR_S
    one, two, six, *_ = capture_curve([(born, born + 5_000)], [(born, 3), (NOW - 5 * HOUR_S, -2)], NOW)
    assert (one.seen, one.comments, one.told) == (0, 1, 4)
    assert (two.seen, two.comments, two.told) == (1, 1, 4)
    assert (six.of_known, six.of_told) == (None, None)
