import math
from itertools import pairwise

import pytest

from simlab.core.errors import InvalidInputError
from simlab.profile import Scenario, load
from simlab.profile.spread import Spread

STORM = """
duration = "600s"
[[weather]]
kind = "blackout"
every = { model = "exponential", mean = "60s" }
for = { model = "uniform", low = "1s", high = "8s" }
"""


def faults(text, **settled):
    return Scenario.of(load(text, "x.toml"), **settled).profile.faults


def test_a_seed_repeats_the_weather_and_another_has_its_own():
    assert faults(STORM, seed=3) == faults(STORM, seed=3)
    assert faults(STORM, seed=3) != faults(STORM, seed=4)


def test_every_policy_meets_the_same_weather():
    assert faults(STORM, policy_name="never", seed=3) == faults(STORM, policy_name="pipecat", seed=3)


def test_the_weather_of_a_seed():
    first = faults(STORM, seed=1)[:3]
    assert [(fault.at_s, fault.for_s) for fault in first] == [
        (119.628, 6.22),
        (174.413, 1.094),
        (190.895, 7.545),
    ]


def test_drawn_faults_lie_within_the_session_and_do_not_overlap():
    for seed in range(50):
        drawn = faults(STORM, seed=seed)
        assert all(1.0 <= fault.for_s <= 8.0 for fault in drawn[:-1])
        assert all(one.until_s <= other.at_s for one, other in pairwise(drawn))
        assert all(fault.until_s <= 600.0 for fault in drawn)


def test_the_intervals_are_spread_as_asked():
    """The mean of n exponential intervals of mean m has the standard deviation m / sqrt(n)."""
    quiet_s = []
    for seed in range(200):
        end_s = 0.0
        for fault in faults(STORM, seed=seed):
            quiet_s.append(fault.at_s - end_s)
            end_s = fault.until_s
    # The last interval of a session is never seen, which makes long ones rarer: sessions are ten means
    # long, and the bias of a renewal process watched for a time t is about m / t of the mean.
    n, bias_s = len(quiet_s), 60.0 * 60.0 / 600.0
    tolerance_s = 5 * 60.0 / math.sqrt(n) + bias_s
    assert sum(quiet_s) / n == pytest.approx(60.0, abs=tolerance_s)


def test_a_saved_scenario_has_the_faults_and_no_weather_any_more():
    scenario = Scenario.of(load(STORM, "x.toml"), seed=5)
    again = Scenario.of(load(scenario.to_toml(), "y.toml"))
    assert again == scenario
    assert again.profile.weather == ()


def test_a_drawn_fault_that_would_overlap_another_is_left_out():
    text = STORM + '[[fault]]\nkind = "blackout"\nat = "0s"\nfor = "600s"\n'
    assert len(faults(text, seed=1)) == 1


def test_too_much_weather_is_refused():
    text = STORM.replace('"60s"', '"10ms"').replace('"1s"', '"1ms"').replace('"8s"', '"2ms"')
    with pytest.raises(InvalidInputError, match="more than 1000 faults"):
        faults(text)


@pytest.mark.parametrize(
    ("spread", "said"),
    [
        ('{ model = "exponential" }', "weather[0].every"),
        ('{ model = "uniform", low = "8s", high = "1s" }', "weather[0].every"),
        ('{ model = "exponential", mean = "-4s" }', "weather[0].every"),
        ('{ model = "exponentail", mean = "4s" }', "exponential"),
        ("5", "weather[0].every"),
    ],
)
def test_wrong_spreads_are_named(spread, said):
    text = STORM.replace('{ model = "exponential", mean = "60s" }', spread)
    with pytest.raises(InvalidInputError) as error:
        load(text, "x.toml")
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('how = "refused"', 'weather[0].how is "refused", want no such key for a blackout'),
        ('directoin = "up"', 'weather[0].directoin is unknown, did you mean "direction"?'),
        ('match = ["stum"]', "weather[0].match"),
    ],
)
def test_keys_that_the_kind_does_not_have_are_named(keys, said):
    with pytest.raises(InvalidInputError) as error:
        load(STORM + keys + "\n", "x.toml")
    assert said in str(error.value)


def test_a_block_says_what_it_matches():
    with pytest.raises(InvalidInputError) as error:
        load(STORM.replace('"blackout"', '"block"'), "x.toml")
    assert str(error.value) == "x.toml: weather[0].match is missing, want it for a block"
    with pytest.raises(InvalidInputError) as error:
        load(STORM.replace('"blackout"', '"signalling"'), "x.toml")
    assert str(error.value) == "x.toml: weather[0].how is missing, want it for a signalling"


def test_a_kind_of_its_own_keys():
    text = STORM.replace('"blackout"', '"block"') + 'match = ["stun"]\ndirection = "up"\n'
    assert {(fault.match, fault.direction) for fault in faults(text)} == {(("stun",), "up")}


def test_a_spread_is_an_inverse_distribution_function():
    uniform = Spread.model_validate({"model": "uniform", "low": "1s", "high": "5s"})
    assert [uniform.at(share) for share in (0.0, 0.5)] == [1.0, 3.0]
    exponential = Spread.model_validate({"model": "exponential", "mean": "10s"})
    assert exponential.at(1 - math.exp(-1)) == pytest.approx(10.0)
    assert Spread.model_validate("7s").at(0.99) == 7.0
