"""Memory for the compiled loop: zeros that nobody else has."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simlab.live.udp.compiled.room import Room

kinds = st.sampled_from([np.dtype(np.int8), np.dtype(np.int64), np.dtype([("a", "u1"), ("b", "f8")])])
shapes = st.integers(1, 5000) | st.tuples(st.integers(1, 40), st.integers(1, 70_000))


@given(st.lists(st.tuples(shapes, kinds), max_size=12))
def test_arrays_are_zeros_begin_on_a_cache_line_and_do_not_overlap(wanted):
    room = Room()
    arrays = [room.zeros(shape, kind) for shape, kind in wanted]
    for number, array in enumerate(arrays):
        all_bytes = array.reshape(-1).view(np.uint8)
        assert not all_bytes.any()
        assert array.ctypes.data % 64 == 0
        all_bytes[:] = number + 1
    for number, ((shape, kind), array) in enumerate(zip(wanted, arrays, strict=True)):
        assert (array.dtype, array.shape) == (kind, tuple(np.atleast_1d(shape)))
        assert (array.reshape(-1).view(np.uint8) == number + 1).all()


def test_small_arrays_lie_side_by_side_in_one_huge_page():
    room = Room()
    few = [room.zeros(100, np.int64) for _ in range(100)]
    assert len({array.ctypes.data >> 21 for array in few}) == 1
