"""Sessions that differ in their policy alone are run together, and come to what each comes to alone."""

import pytest

from simlab.batch.alike import run_together
from simlab.profile import Scenario, load
from simlab.reconnect.policy import POLICIES
from simlab.virtual.session import run

FLAKY = """
duration = "60s"
[peers]
media = []
[link]
delay = "40ms"
jitter = "10ms"
loss = { model = "gilbert-elliott", loss = "3%", burst = 4 }
[[fault]]
kind = "blackout"
at = "4s"
for = "16s"
[[fault]]
kind = "block"
at = "30s"
for = "18s"
match = ["stun"]
[[fault]]
kind = "signalling"
at = "30s"
for = "18s"
how = "status 503"
"""
RESTARTS = """
duration = "40s"
[link]
delay = "20ms"
[[fault]]
kind = "client-freeze"
at = "2s"
for = "9s"
[[fault]]
kind = "server-restart"
at = "15s"
for = "3s"
[[fault]]
kind = "tab-closed"
at = "35s"
"""


def scenarios(text, seed, policies=tuple(POLICIES)):
    profile = load(text, "alike.toml")
    return [Scenario.of(profile, policy_name=name, seed=seed) for name in policies]


def text_of(number, timeline, _):
    return number, timeline.to_text()


@pytest.mark.parametrize("text", [FLAKY, RESTARTS])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_policys_timeline_is_that_which_it_has_alone(text, seed):
    several = scenarios(text, seed)
    together = dict(run_together(several, text_of))
    assert sorted(together) == list(range(len(several)))
    for number, scenario in enumerate(several):
        assert together[number] == run(scenario).to_text(), scenario.policy_name
