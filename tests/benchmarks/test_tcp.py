import numpy as np
import pytest

from benchmarks.tcp import DELAY, DOWN, LEVEL, LIMIT_S, SCRIPTS, SMALL, UP, Losing, late_ks, modelled
from benchmarks.tcp_kernel import Times

RNG = np.random.default_rng(0)
TIMES_S = np.random.default_rng(1).choice([0.04, 0.28, 1.04, 3.04], 600, p=[0.7, 0.1, 0.15, 0.05])


def test_what_is_late_by_no_more_than_a_timer_is_no_difference():
    assert late_ks(TIMES_S * 1.1 + 0.01, TIMES_S) == (0.0, 1.0)


@pytest.mark.parametrize("linux_s", [TIMES_S * 1.3 + 0.03, TIMES_S - 0.02])
def test_what_is_later_or_early_is_one(linux_s):
    assert late_ks(linux_s, TIMES_S)[1] < LEVEL


def test_the_model_of_a_connection_without_losses_and_of_one_that_never_opens():
    none = {UP: Losing(None, RNG, 0.0), DOWN: Losing(None, RNG, 0.0)}
    assert modelled(SMALL, none, DELAY) == pytest.approx(Times(0.04, 0.08))
    assert modelled(SMALL, none | {UP: Losing(None, RNG, 1.0)}, DELAY) == Times(LIMIT_S, LIMIT_S)


def test_every_script_comes_to_its_end():
    for case, up, down in SCRIPTS:
        losses = {UP: Losing(up, RNG, 0.0), DOWN: Losing(down, RNG, 0.0)}
        assert 0.08 - 1e-9 <= modelled(case, losses, DELAY).answered_s < 4.0
