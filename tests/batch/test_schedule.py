"""Which sessions run next: the same ones, in whatever order they end."""

import random

import pytest

from simlab.batch.outcome import Outcome
from simlab.batch.plan import Matrix, plan
from simlab.batch.scenarios import Wanted
from simlab.batch.schedule import Schedule
from simlab.batch.stopping import looks, width
from tests.batch.studies import profile_in

SEEDS = 60
WIDTH = 0.3


@pytest.fixture
def planned(tmp_path):
    wanted = Wanted([profile_in(tmp_path)], ["pipecat", "never"], seeds=SEEDS)
    return lambda until_width: plan(Matrix(wanted, until_width=until_width))


def became(number):
    """All sessions of the first cell succeed, every third of the second fails, and one could not be run."""
    if number == SEEDS + 1:
        return Outcome(number, None, failed={"stage": "server"})
    return Outcome(number, {"succeeded": number < SEEDS or number % 3 > 0})


def is_enough(look):
    """Tell it of the second cell, seed by seed."""
    ran = [became(SEEDS + number).succeeded for number in range(look) if number != 1]
    return width(sum(ran), len(ran)) <= WIDTH


def play(schedule, order):
    waiting, done = schedule.begin(), []
    while waiting:
        number = waiting.pop(order.randrange(len(waiting)))
        done.append(number)
        waiting += schedule.after(became(number))
    return done


def test_without_a_width_all_run(planned):
    schedule = Schedule(planned(None))
    assert schedule.begin() == list(range(2 * SEEDS))
    assert schedule.most == 2 * SEEDS


def test_the_same_sessions_whatever_the_order(planned):
    found = [play(Schedule(planned(WIDTH)), random.Random(seed)) for seed in range(20)]
    assert len({frozenset(done) for done in found}) == 1
    assert all(len(set(done)) == len(done) for done in found)


def test_each_cell_stops_when_it_knows_enough(planned):
    schedule = Schedule(planned(WIDTH))
    done = play(schedule, random.Random(1))
    first, second = ([number for number in done if number // SEEDS == cell] for cell in (0, 1))
    assert len(first) == 9
    assert width(9, 9) <= WIDTH
    succeeded = [outcome for number in second if (outcome := became(number).succeeded) is not None]
    assert len(second) == 37
    assert next(look for look in looks(SEEDS, WIDTH) if is_enough(look)) == 37
    assert len(succeeded) == 36
    assert schedule.most == len(done)


def test_what_is_known_does_not_run_again(planned):
    whole = sorted(play(Schedule(planned(WIDTH)), random.Random(1)))
    for count in (0, 3, 9, 20, len(whole)):
        rest = play(Schedule(planned(WIDTH), map(became, whole[:count])), random.Random(2))
        assert sorted([*whole[:count], *rest]) == whole


def test_the_seeds_are_the_most(planned):
    schedule = Schedule(planned(0.001))
    assert sorted(play(schedule, random.Random(1))) == list(range(2 * SEEDS))
