import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from simlab.study.spans import Span, common, total_s, union, without

_spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda p: Span(float(p[0]), float(p[0] + p[1])))
)


def _cells(spans) -> set[int]:
    """Return the whole seconds that the spans cover: the same by counting."""
    return {second for second in range(100) for s in spans if s.began_s <= second and second + 1 <= s.ended_s}


def test_touching_spans_are_one():
    assert union([Span(3.0, 4.0), Span(1.0, 3.0), Span(5.0, 6.0)]) == (Span(1.0, 4.0), Span(5.0, 6.0))


def test_an_open_span_swallows_what_follows():
    assert union([Span(1.0, math.inf), Span(5.0, 6.0)]) == (Span(1.0, math.inf),)


def test_spans_that_only_touch_have_no_time_in_common():
    assert common([Span(1.0, 2.0)], [Span(2.0, 3.0)]) == ()
    assert Span(1.0, 2.0).meets(Span(2.0, 3.0))


def test_what_is_left():
    whole = Span(0.0, 10.0)
    assert without(whole, [Span(-1.0, 2.0), Span(4.0, 5.0), Span(9.0, math.inf)]) == (
        Span(2.0, 4.0),
        Span(5.0, 9.0),
    )
    assert without(whole, [Span(0.0, 10.0)]) == ()
    assert without(whole, []) == (whole,)


@given(_spans, _spans)
def test_they_are_sets_of_moments(first, second):
    whole = Span(0.0, 100.0)
    assert _cells(union(first)) == _cells(first)
    assert _cells(common(first, second)) == _cells(first) & _cells(second)
    assert _cells(without(whole, first)) == set(range(100)) - _cells(first)
    assert total_s(union(first)) == len(_cells(first))


@given(_spans)
def test_a_union_is_in_order_and_apart(spans):
    merged = union(spans)
    assert all(a.ended_s < b.began_s for a, b in pairwise(merged))
