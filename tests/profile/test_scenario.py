import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from simlab.core.errors import InvalidInputError
from simlab.profile import Scenario, load, units
from tests.profile.texts import FULL, SHIPPED

TEXTS = {**SHIPPED, "full": FULL, "empty": ""}

DURATIONS = st.floats(0, 1e4).map(units.duration_text)
CHANCES = st.floats(0, 1).map(units.chance_text)
DELAYS = st.one_of(
    DURATIONS,
    st.fixed_dictionaries(
        {"model": st.just("uniform"), "mean": DURATIONS, "jitter": DURATIONS},
        optional={"reorder": st.booleans()},
    ),
    st.fixed_dictionaries({"model": st.just("normal"), "mean": DURATIONS, "deviation": DURATIONS}),
)
LOSSES = st.one_of(
    CHANCES,
    st.floats(0, 1),
    st.fixed_dictionaries(
        {"model": st.just("gilbert-elliott"), "loss": st.floats(0, 0.5), "burst": st.floats(1, 1000)}
    ),
    st.fixed_dictionaries(
        {"model": st.just("gilbert-elliott"), "p": CHANCES, "r": CHANCES},
        optional={"h": CHANCES, "k": CHANCES},
    ),
)
DIRECTIONS = st.fixed_dictionaries(
    {},
    optional={
        "delay": DELAYS,
        "loss": LOSSES,
        "rate": st.floats(0, 1e10, exclude_min=True).map(units.rate_text),
        "duplicate": CHANCES,
        "corrupt": CHANCES,
    },
)
PROFILES = st.fixed_dictionaries(
    {},
    optional={
        "name": st.from_regex("[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
        "description": st.text(st.characters(codec="utf-8")),
        "duration": st.floats(0.001, 86_400).map(units.duration_text),
        "seed": st.integers(0, 2**63 - 1),
        "clock": st.sampled_from(["virtual", "real"]),
        "link": st.builds(
            lambda both, up, down: {**both, "up": up, "down": down}, DIRECTIONS, DIRECTIONS, DIRECTIONS
        ),
        "signalling": st.fixed_dictionaries({"delay": DURATIONS}),
        "policy": st.fixed_dictionaries(
            {}, optional={"grace": DURATIONS, "max_attempts": st.integers(0, 99)}
        ),
        "expect": st.fixed_dictionaries({"recovery_p95": DURATIONS.map("<={}".format)}),
    },
)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_saved_scenario_loads_as_the_same(text):
    scenario = Scenario.of(load(text, "a.toml"))
    again = Scenario.of(load(scenario.to_toml(), "scenario.toml"))
    assert again == scenario
    assert hash(again) == hash(scenario)
    assert again.to_toml() == scenario.to_toml()
    assert again.hash == scenario.hash


@given(PROFILES)
def test_any_scenario_survives_being_written(tables):
    scenario = Scenario.of(load(tomli_w.dumps(tables), "a.toml"))
    again = Scenario.of(load(scenario.to_toml(), "b.toml"))
    assert again == scenario
    assert again.hash == scenario.hash


def test_values_are_written_in_their_units():
    text = Scenario.of(load(FULL, "full.toml")).to_toml()
    for line in (
        'duration = "120s"',
        'grace = "4s"',
        'rate = "500kbit/s"',
        'queue = "64KiB"',
        'corrupt = "0.1%"',
    ):
        assert line in text.splitlines()


def test_the_golden_hash():
    # A change here means that scenarios saved earlier count as different ones.
    assert Scenario.of(load("", "clean.toml")).hash == "21fdf8b71177ca89"


def test_what_is_settled():
    profile = load(FULL, "full.toml")
    scenario = Scenario.of(profile, policy_name="none", seed=7, clock="virtual")
    assert (scenario.policy_name, scenario.seed, scenario.clock) == ("none", 7, "virtual")
    assert scenario.profile.policy.max_attempts is None
    assert profile.seed == 9
    assert str(scenario) == "full, policy none, seed 7, virtual clock, 120s"
    assert scenario.hash != Scenario.of(profile).hash


def test_the_profiles_own_policy_keeps_its_keys():
    scenario = Scenario.of(load(FULL, "full.toml"), policy_name="pipecat")
    assert scenario.profile.policy.max_attempts == 7


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_seeds_that_a_profile_could_not_hold(seed):
    with pytest.raises(InvalidInputError, match=f"seed is {seed}, want 0 or more"):
        Scenario.of(load("", "x"), seed=seed)
