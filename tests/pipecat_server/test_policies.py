"""What becomes of a policy's wish at Pipecat's own server, which is on aiortc as it is."""

import pytest

from simlab.study.metrics import metrics
from tests.needs import needs_pipecat
from tests.virtual.sessions import run_text

needs_pipecat()

TROUBLE = """
duration = "60s"
[peers]
server = "pipecat"
[client]
preset = "fixed"
[link]
delay = "20ms"
[[fault]]
kind = "blackout"
at = "5s"
for = "12s"
[[fault]]
kind = "blackout"
at = "35s"
for = "12s"
"""


@pytest.mark.parametrize("policy", ["twilio", "daily", "vonage"])
def test_an_ice_restart_becomes_a_new_connection_and_is_not_tried_again(policy):
    timeline = run_text(TROUBLE, policy__name=policy)
    attempts = [(e["action"], e.data.get("instead_of")) for e in timeline.select("policy", "attempt")]
    # Once for the first outage, to no avail; never again for the second.
    assert attempts == [("restart_ice", None), ("recreate", "restart_ice"), ("recreate", "restart_ice")]
    assert [outage["outcome"] for outage in metrics(timeline)["outages"]] == ["reconnected", "reconnected"]
    assert metrics(timeline)["server"]["bots_started"] == 1
