"""Outages and usable time by a second method: counting the cells of a 10 ms grid."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlab.study.metrics import usable_fraction
from simlab.study.outages import outages
from tests.study.timelines import connected, gap, timeline

_CELL_S = 0.01
_DURATION_CELLS = 6000
_READY_CELL = 30
_CHANNELS = [(what, way) for what in ("message", "media") for way in ("up", "down")]


@st.composite
def _silences(draw):
    """Draw the silences of one channel, in cells: (from, to), to None where it lasted to the end."""
    lengths = draw(st.lists(st.tuples(st.integers(1, 2500), st.integers(100, 1500)), max_size=4))
    found, at = [], _READY_CELL
    for pause, length in lengths:
        begin, at = at + pause, at + pause + length
        if at >= _DURATION_CELLS:
            return [*found, (begin, None)] if begin < _DURATION_CELLS - 100 else found
        found.append((begin, at))
    return found


def _silent_cells(silences) -> set[int]:
    return {cell for a, b in silences for cell in range(a, _DURATION_CELLS if b is None else b)}


def _runs(cells: set[int]) -> list[tuple[int, int]]:
    """Return the unbroken runs of a set of cells."""
    starts = sorted(cell for cell in cells if cell - 1 not in cells)
    ends = sorted(cell + 1 for cell in cells if cell + 1 not in cells)
    return list(zip(starts, ends, strict=True))


@given(st.tuples(*[_silences() for _ in _CHANNELS]))
def test_outages_and_usable_time_agree_with_a_grid(by_channel):
    events = [
        e
        for (what, way), silences in zip(_CHANNELS, by_channel, strict=True)
        for a, b in silences
        for e in gap(what, way, a / 100, None if b is None else b / 100)
    ]
    session = timeline(connected(_READY_CELL * _CELL_S), events, duration_s=_DURATION_CELLS * _CELL_S)

    dead = set().union(*map(_silent_cells, by_channel))
    never_ended = any(b is None for silences in by_channel for _, b in silences)
    expected = [(a / 100, b / 100) for a, b in _runs(dead)]
    if never_ended:
        expected[-1] = (expected[-1][0], math.inf)
    assert [(o.span.began_s, o.span.ended_s) for o in outages(session)] == expected

    speechless = _silent_cells(by_channel[0]) | _silent_cells(by_channel[1])
    usable = _DURATION_CELLS - _READY_CELL - len(speechless)
    # usable_fraction is rounded to six places.
    assert usable_fraction(session) == pytest.approx(usable / _DURATION_CELLS, abs=5.1e-7)
