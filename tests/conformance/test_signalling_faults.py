"""What client and server make of each fault of the signalling's TCP: one body, both clocks.

Times count from the offer. Under the virtual clock they are exact: the simulated machines' own network takes
0.2 ms each way, and opening a connection to the proxy 0.4 ms. Under the real one they may be a bit later.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest

from simlab.live.session import run as run_real
from simlab.study.metrics import metrics
from simlab.virtual.session import run as run_virtual
from tests.virtual.sessions import scenario

pytestmark = pytest.mark.xdist_group("real")

HEAD = 'duration = "{}"\n[peers]\nmedia = []\n[link]\ndelay = "20ms"\n'
FAULT = '[[fault]]\nkind = "signalling"\nat = "{}"\nfor = "{}"\nhow = "{}"\nmethod = "POST"\n'
ANY = '[[fault]]\nkind = "signalling"\nat = "{}"\nfor = "{}"\nhow = "{}"\n'
TEXTS = {
    "cut": HEAD.format("6s") + FAULT.format("0s", "1s", "reset") + FAULT.format("1s", "2s", "lost-response"),
    "refused": HEAD.format("4s") + ANY.format("0s", "1s", "refused"),
    # The first offer is refused by the server, so its connection is there for the second.
    "dead": HEAD.format("10s")
    + '[client]\noffer_timeout = "1s"\n'
    + FAULT.format("0s", "1s", "status 503")
    + ANY.format("1s", "2s", "half-open")
    + FAULT.format("4s", "3s", "hang"),
    # The first SYN and the request of the second round are lost: 0 is the SYN, 1 an ACK, and so on.
    "lossy": HEAD.format("4s").replace('"20ms"', '"20ms"\nup.loss = { model = "scripted", drop = [1, 4] }')
    + '[signalling]\npath = "link"\n',
}
HERE_S, OPEN_S, LINK_S, RETRY_S = 0.0002, 0.0004, 0.020, 2.0
CLOCKS = ("virtual", "real")
# Four real sessions start at once, and the first request of a process takes the longest.
LATE_S = {"virtual": 1e-6, "real": 0.9}


@cache
def timelines(clock):
    run = {"virtual": run_virtual, "real": run_real}[clock]
    with ThreadPoolExecutor(len(TEXTS) if clock == "real" else 1) as pool:
        return dict(zip(TEXTS, pool.map(run, map(scenario, TEXTS.values())), strict=True))


def moments(timeline, *kinds):
    """Return each event of the client's of these kinds, and when it was, counted from the first offer."""
    began_s = next(timeline.select("client", "offer")).t_s
    events = [e for e in timeline.select("client") if e.kind in kinds]
    return [(e.kind, e.data.get("error") or e.data.get("status"), e.t_s - began_s) for e in events]


def assert_moments(timeline, clock, wanted, *kinds):
    had = moments(timeline, *kinds)
    assert [(kind, what) for kind, what, _ in had] == [(kind, what) for kind, what, _ in wanted]
    for (_, _, had_s), (_, _, wanted_s) in zip(had, wanted, strict=True):
        assert wanted_s - LATE_S["virtual"] <= had_s <= wanted_s + LATE_S[clock]


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_reset_comes_before_the_server_and_a_lost_response_after_it(clock):
    timeline = timelines(clock)["cut"]
    reset_s = OPEN_S + HERE_S + LINK_S + HERE_S
    second_s = reset_s + RETRY_S
    # The proxy opens a connection to the server, which answers at once.
    lost_s = second_s + OPEN_S + HERE_S + LINK_S + OPEN_S + 2 * HERE_S + HERE_S
    wanted = [
        ("offer", None, 0.0),
        ("offer_failed", "ReadError", reset_s),
        ("offer", None, second_s),
        ("offer_failed", "ReadError", lost_s),
        ("offer", None, lost_s + RETRY_S),
    ]
    assert_moments(timeline, clock, wanted, "offer", "offer_failed")
    # The server has answered the second and the third: the bot of the second has nobody (S6).
    assert [e["status"] for e in timeline.select("server", "http") if e["method"] == "POST"] == [200, 200]
    assert metrics(timeline)["server"]["bots_started"] == 2
    assert metrics(timeline)["final_state"] == "ready"


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_refusal_is_told_at_once(clock):
    timeline = timelines(clock)["refused"]
    wanted = [
        ("offer", None, 0.0),
        ("offer_failed", "ConnectError", OPEN_S),
        ("offer", None, OPEN_S + RETRY_S),
    ]
    assert_moments(timeline, clock, wanted, "offer", "offer_failed")
    assert list(timeline.select("signalling", "faulted")) == []
    assert metrics(timeline)["final_state"] == "ready"


@pytest.mark.parametrize("clock", CLOCKS)
def test_of_a_half_open_connection_and_of_a_hang_only_the_clients_own_timeout_tells(clock):
    timeline = timelines(clock)["dead"]
    refused_s = OPEN_S + HERE_S + 2 * LINK_S + HERE_S
    second_s = refused_s + RETRY_S
    third_s = second_s + 1.0 + RETRY_S
    wanted = [
        ("offer", None, 0.0),
        ("offer_failed", 503, refused_s),
        ("offer", None, second_s),
        ("offer_failed", "ReadTimeout", second_s + 1.0),
        ("offer", None, third_s),
        ("offer_failed", "ReadTimeout", third_s + OPEN_S + 1.0),
        ("offer", None, third_s + OPEN_S + 1.0 + RETRY_S),
    ]
    # httpx counts its time from when it has sent the request.
    assert_moments(timeline, clock, wanted, "offer", "offer_failed")
    hows = [event["how"] for event in timeline.select("signalling", "faulted")]
    assert hows == ["status 503", "half-open", "hang"]
    assert [e["status"] for e in timeline.select("server", "http") if e["method"] == "POST"] == [200]
    assert metrics(timeline)["final_state"] == "ready"


@pytest.mark.parametrize("clock", CLOCKS)
def test_losses_are_late_by_tcps_own_timers(clock):
    timeline = timelines(clock)["lossy"]
    # A second for the SYN. The offer is two segments; the first is lost, and RACK knows it a quarter of a
    # round trip after the acknowledgement of the second.
    request_s = OPEN_S + HERE_S
    arrived_s = request_s + 1.0 + 3 * LINK_S + (2 * LINK_S + LINK_S / 2)
    answered_s = arrived_s + OPEN_S + 2 * HERE_S + LINK_S + HERE_S
    assert_moments(timeline, clock, [("answer", 200, answered_s)], "answer")
