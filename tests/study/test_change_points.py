"""Since which night a series is another."""

import csv
import itertools
import math
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlab.core.rng import stream
from simlab.study.change_points import Part, change_points, farthest


def found(nights, alpha=0.01, *, matched=False):
    return [one.night for one in change_points(nights, alpha, stream(1, "test"), matched=matched)]


def test_the_nile_fell_in_1899_as_is_well_known():
    # Cobb (1978), Biometrika 65(2), 243-251, and many since: the volume at Aswan, 1871 to 1970.
    data = Path(find_spec("statsmodels").origin).parent / "datasets" / "nile" / "nile.csv"
    nile = list(csv.DictReader(data.open()))
    years = found([[float(one["volume"])] for one in nile])
    assert [nile[one]["year"] for one in years] == ["1899"]


def test_a_rise_and_a_fall_are_found_together():
    draws = np.random.default_rng(1)
    nights = [draws.normal(3.0 if 7 <= night < 9 else 0.0, 1.0, 10) for night in range(11)]
    assert found(nights) == [7, 9]


def test_three_levels_have_two_changes():
    draws = np.random.default_rng(2)
    nights = [draws.normal((0.0, 2.0, 5.0)[night // 10], 1.0, 8) for night in range(30)]
    assert found(nights) == [10, 20]


def test_with_the_same_seeds_every_night_the_smallest_change_shows():
    weather = np.random.default_rng(3).gamma(4.0, 2.5, 10)
    nights = [weather + (0.001 if night >= 6 else 0.0) for night in range(9)]
    assert found(nights, matched=True) == [6]
    assert found(nights) == []  # hidden by the weather, where it is not known which session is which


def test_nothing_changes_in_what_is_always_the_same():
    assert found([[1.0, 2.0]] * 9, matched=True) == []
    assert found([[1.0]] * 9) == []
    assert found([[1.0, 5.0]]) == []


def test_unchanged_nights_show_a_change_as_rarely_as_is_said():
    # Of 1000 series at a level of 5 % the number has an SD of 0.7 %; 7.1 % is 3 SD above.
    draws = np.random.default_rng(4)
    wrong = [bool(found([draws.gamma(4.0, 2.5, 5) for _ in range(12)], 0.05)) for _ in range(1000)]
    assert np.mean(wrong) <= 0.071


def test_the_p_value_is_that_of_all_arrangements():
    values = np.array([0.0, 0.1, 0.3, 0.2, 9.0, 8.0, 9.5, 9.7])
    centred = values - values.mean()
    every = np.array(list(itertools.permutations(centred)))
    heights, _, _ = farthest(every, np.ones(8, dtype=int))
    exact = np.mean(heights >= by_hand(centred) * (1 - 1e-9))
    part = Part(values[:, None], 0.001, stream(5, "test"), matched=True)
    p, start, stop = part.p_of_stretch()
    # It stops at 50 arrangements that are as far: a relative SD of 1 / sqrt(50), 14 %; 3 of these.
    assert p == pytest.approx(exact, rel=0.43)
    assert {start, stop} & {4}


def by_hand(centred):
    """How far a stretch is from the others, at most, in the plainest way."""
    reached = 0.0
    for start, stop in itertools.combinations(range(len(centred) + 1), 2):
        inside, outside = centred[start:stop], [*centred[:start], *centred[stop:]]
        if len(outside):
            apart = np.mean(inside) - np.mean(outside)
            reached = max(reached, apart**2 * len(inside) * len(outside) / len(centred) ** 2)
    return reached


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=12))
def test_the_farthest_stretch_is_that_of_the_plain_way(values):
    centred = np.array(values) - math.fsum(values) / len(values)
    (height,), start, stop = farthest(centred[None], np.ones(len(values), dtype=int))
    assert height == pytest.approx(by_hand(centred), abs=1e-6)
    assert 0 <= start <= stop <= len(values)
