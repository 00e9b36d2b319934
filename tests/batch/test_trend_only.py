"""Some of the cells of a trend."""

import pytest

from simlab.batch.trend import Trend
from simlab.core.errors import InvalidInputError

CELLS = [
    {"policy": policy, "varied": {"fault[0].for": length}}
    for policy in ("pipecat", "livekit")
    for length in ("4s", "16s")
]


def test_cells_are_chosen_by_what_varies_too():
    assert Trend(CELLS).only(policy="pipecat").records == CELLS[:2]
    assert Trend(CELLS).only(policy="livekit", **{"fault[0].for": "4s"}).records == CELLS[2:3]


def test_a_column_that_no_night_has_is_told():
    with pytest.raises(InvalidInputError, match="no night has a polcy"):
        Trend(CELLS).only(polcy="pipecat")
    assert Trend([]).only(policy="pipecat").records == []
