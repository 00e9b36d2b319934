"""A client of the user's own, in real time, through the relay."""

import pytest

from simlab.study.metrics import metrics
from tests.live.together import run_together

OWN = """
duration = "{}"
[peers]
client = "tests.apps.own_client:{}"
[link]
delay = "20ms"
"""


@pytest.fixture(scope="module")
def timelines():
    return run_together({"client": OWN.format("6s", "client"), "broken": OWN.format("3s", "broken")})


def test_it_meets_the_server_over_the_relay(timelines):
    timeline = timelines["client"]
    found = metrics(timeline)
    assert timeline.events[-1].is_a("session", "end")
    assert found["connect"]["bot_ready_s"] < 5
    for way in ("up", "down"):
        assert found["messages"][way]["delivered"] > 5
        assert found["media"][way]["received"] > 25
        assert found["links"][way]["delivered"] > 100
    assert found["attempts"]["offers"] == found["server"]["connections_opened"] == 1


def test_one_that_fails_is_an_event(timelines):
    (ended,) = timelines["broken"].select("client", "ended")
    assert ended["error"].startswith("ZeroDivisionError: http://127.")
