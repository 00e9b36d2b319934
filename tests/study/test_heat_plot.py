"""What the picture of what varies says."""

import math

import numpy as np
import pytest

from simlab.study.heat_plot import finding, plot_heat
from tests.study.test_cell_plots import cell, texts


def test_a_heat_map_says_how_many_sessions_its_cells_have():
    cells = [cell({"policy": "a", "wait": "4s"}, 10), cell({"policy": "b", "wait": "4s"}, 6)]
    assert "n = 16 sessions, 6 to 10 a cell" in texts(plot_heat(cells, "wait"))
    assert "n = 10 sessions, 10 a cell" in texts(plot_heat(cells[:1], "wait"))


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
    assert finding(np.array(grid), ["a", "b"], ["4s", "16s"], "wait") == told


def test_a_heat_map_of_nothing_says_so():
    assert plot_heat([], "wait").get_title(loc="left") == "No session could be run"
