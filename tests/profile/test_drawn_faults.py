import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simlab.profile import Profile, Scenario, load
from simlab.profile.drawn_faults import HUNTED, drawn_faults
from simlab.profile.faults import KINDS
from simlab.profile.load import checked

CLEAN = load('duration = "60s"', "clean.toml")
OWN = load(
    """
duration = "60s"
[ice]
used_by = ["client"]
[[fault]]
kind = "blackout"
at = "20s"
for = "10s"
""",
    "own.toml",
)


def test_the_schedule_of_a_seed():
    faults = drawn_faults(CLEAN, 2, HUNTED, 3)
    assert [fault.model_dump(by_alias=True, exclude_none=True) for fault in faults] == [
        {"kind": "inject", "at": "15.8s", "what": "stun-error-487", "count": 1, "direction": "down"},
        {"kind": "handover", "at": "33.8s", "for": "100ms"},
        {"kind": "signalling", "at": "40s", "for": "1.5s", "how": "truncated"},
    ]


@settings(max_examples=200)
@given(st.sampled_from([CLEAN, OWN]), st.integers(0, 2**40), st.integers(1, 8))
def test_any_schedule_makes_a_profile(profile: Profile, seed: int, most: int):
    faults = drawn_faults(profile, seed, HUNTED, most)
    drawn = profile.model_copy(update={"faults": faults})
    assert checked(drawn.to_toml(), "drawn.toml") == drawn  # so none is too late or overlaps another
    assert 1 <= len(faults) - len(profile.faults) <= most
    assert set(profile.faults) <= set(faults)
    assert [fault.at_s for fault in faults] == sorted(fault.at_s for fault in faults)


def test_faults_of_servers_are_drawn_only_where_there_are_servers():
    kinds = ["stun-server-down", "turn-server-down"]
    assert drawn_faults(CLEAN, 1, kinds, 3) == ()
    assert {fault.kind for seed in range(20) for fault in drawn_faults(OWN, seed, kinds, 3)} > set(kinds)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_drawn_alone(kind: str):
    faults = drawn_faults(OWN, 3, [kind], 1)
    assert sorted(fault.kind for fault in faults) == sorted(["blackout", kind])


def test_every_second_fault_or_so_meets_the_recovery_from_another():
    """Of n pairs, those within 15 s number n / 2 and what is there by chance: n is 400, so more than 160.

    Four standard deviations of a binomial share of a half are sqrt(400) * 2 = 40.
    """
    pairs = [drawn_faults(OWN, seed, ["rebind"], 1) for seed in range(400)]
    soon = sum(0 <= fault.at_s - 30.0 <= 15.0 for pair in pairs for fault in pair if fault.kind == "rebind")
    assert soon > 160


def test_all_policies_meet_the_same_schedule():
    one, other = (Scenario.of(OWN, policy_name=name).profile for name in ("never", "pipecat"))
    assert drawn_faults(one, 5, HUNTED, 3) == drawn_faults(other, 5, HUNTED, 3)
