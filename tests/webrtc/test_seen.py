import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlab.webrtc.seen import Seen


@given(st.lists(st.one_of(st.integers(-3, 20), st.booleans(), st.floats(0, 5), st.sampled_from(["1", None]))))
def test_it_tells_what_a_set_tells(numbers):
    seen, known = Seen(), set()
    for number in numbers:
        assert seen.add(number) == (number not in known)
        known.add(number)


def test_numbers_in_a_row_take_no_memory():
    seen = Seen()
    for number in (1, 0, *range(2, 5000)):
        seen.add(number)
    assert sys.getsizeof(seen._beyond) == sys.getsizeof(set())
    assert not seen.add(4999)
    assert seen.add(5000)


def test_what_is_not_hashable_is_refused():
    with pytest.raises(TypeError, match="unhashable"):
        Seen().add([])
