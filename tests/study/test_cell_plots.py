"""What the pictures of cells say."""

import math

import numpy as np
import pytest

from simlab.study.cell_plots import _heat_finding


@pytest.mark.parametrize(
    ("grid", "told"),
    [
        ([[4.1, 18.6], [4.1, 16.6]], "Half of the outages are over within 18.6 s at most, with a the latest"),
        ([[math.nan, math.nan], [math.nan, math.nan]], "No outage was seen"),
        (
            [[math.inf, 18.6], [4.1, 16.6]],
            "Policy a: most outages are not over at wait = 4s; with b at least half are at every value",
        ),
        ([[math.inf, math.inf], [4.1, math.inf]], "Policy a: most outages are not over from wait = 4s on"),
    ],
)
def test_the_heat_map_says_what_its_numbers_are(grid, told):
    assert _heat_finding(np.array(grid), ["a", "b"], ["4s", "16s"], "wait") == told
