"""What commands hold: of two holds the later counts, each for its own directions and its own client."""

import asyncio
import math

import pytest

from simlab.core.packet import Direction
from simlab.live.remote.holds import Holds

UP, DOWN = Direction.UP, Direction.DOWN
BOTH = (UP, DOWN)


@pytest.fixture
def holds():
    return Holds(lambda hold: None)


def left(holds):
    return {hold.number: hold.direction for hold in holds}


def test_what_is_let_go_in_one_direction_is_held_in_the_other(holds):
    holds.begin(1, 0, BOTH, math.inf)
    assert holds.let_go(0, (UP,)) == []
    assert left(holds) == {1: "down"}
    assert [hold.number for hold in holds.let_go(0, BOTH)] == [1]
    assert left(holds) == {}


def test_a_hold_of_one_client_ends_with_that_of_all_and_not_the_other_way_round(holds):
    holds.begin(1, 0, BOTH, math.inf)
    holds.begin(2, 7, BOTH, math.inf)
    holds.begin(3, 8, (UP,), math.inf)
    assert [hold.number for hold in holds.let_go(7, BOTH)] == [2]
    assert [hold.number for hold in holds.let_go(0, (UP,))] == [3]
    assert left(holds) == {1: "down"}


def test_one_that_is_over_is_told_of_with_the_directions_it_had_left_and_one_that_was_ended_is_not():
    over = []

    async def run():
        ended = asyncio.Event()
        holds = Holds(lambda hold: (over.append(hold), ended.set() if len(over) == 2 else None))
        holds.begin(1, 0, BOTH, 0.01)
        holds.begin(2, 0, BOTH, 0.01)
        holds.let_go(0, (DOWN,))
        holds.begin(3, 7, (UP,), 0.01)
        holds.let_go(7, (UP,))
        await ended.wait()

    asyncio.run(run())
    assert [(hold.number, hold.direction) for hold in over] == [(1, "up"), (2, "up")]


def test_what_is_told_of_it(holds):
    told = {"number": 1, "kind": "pause", "direction": "up"}
    assert holds.begin(1, 0, (UP,), math.inf).told() == {**told, "for_s": None}
    assert holds[1] in list(holds)
    assert 2 not in holds
