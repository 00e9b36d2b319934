"""Server-sent events and WebSockets of a client and a server of the user's own: one body, both clocks."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest

from simlab.live.session import run as run_real
from simlab.virtual.session import run as run_virtual
from tests.needs import needs_pipecat
from tests.virtual.sessions import scenario

pytestmark = pytest.mark.xdist_group("real")

TEXT = """
duration = "6s"
[link]
delay = "20ms"
[peers]
media = []
client = "tests.apps.streaming_client:call"
server = "tests.apps.streaming_bot:{}"
"""
SERVERS = ("app", "asgi")


@cache
def timelines(clock):
    run = {"virtual": run_virtual, "real": run_real}[clock]
    scenarios = [scenario(TEXT.format(server)) for server in SERVERS]
    with ThreadPoolExecutor(len(SERVERS) if clock == "real" else 1) as pool:
        return dict(zip(SERVERS, pool.map(run, scenarios), strict=True))


@pytest.mark.parametrize("clock", ["virtual", "real"])
@pytest.mark.parametrize("server", SERVERS)
def test_streams_and_websockets_pass_as_they_come(clock, server):
    needs_pipecat()  # which brings uvicorn along
    timeline = timelines(clock)[server]
    (ended,) = timeline.select("client", "ended")
    assert (ended["outcome"], ended.data.get("error")) == ("returned", None)
    assert list(timeline.select("signalling", "faulted")) == []
    assert list(timeline.select("session", "leak")) == []
    statuses = [event["status"] for event in timeline.select("signalling", "response")]
    assert statuses == [200, 200, 200, 200, 200, 200, 101]
