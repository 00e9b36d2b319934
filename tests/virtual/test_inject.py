"""What forged packets do to the built-in peers: docs/faults.md says the same."""

import asyncio

import pytest

from simlab.core.inject import UNREACHABLE, Injected
from simlab.core.link import Delivered
from simlab.core.packet import PacketClass
from simlab.study.metrics import metrics
from simlab.virtual.hosts import current_host
from simlab.virtual.network import VirtualNetworkLoop, Way
from tests.virtual.sessions import run_text
from tests.virtual.test_faults import CLEAN_READY_S, DITHER_S, first_s, ready_s

HEAD = 'duration = "{}"\n[link]\ndelay = "20ms"\n'
MESSAGES = "[peers]\nmedia = []\n"
FAULT = '[[fault]]\nkind = "inject"\nwhat = "{}"\nat = "{}"\n{}'
OFTEN = 'every = "50ms"\ncount = 100\n'
HARMLESS = [
    "stun-error-401",
    "stun-error-487",
    "stun-bad-integrity",
    "stun-truncated",
    "stun-oversized",
    "replay",
    "unreachable",
]


def session(what, at="0s", extra=OFTEN, duration="9s"):
    media = "" if what == "replay" else MESSAGES
    return run_text(HEAD.format(duration) + media + FAULT.format(what, at, extra))


def injected(timeline):
    """Return how many more packets left each link than came into it and were on their way no more."""
    return {way: link["delivered"] - link["offered"] for way, link in metrics(timeline)["links"].items()}


@pytest.mark.parametrize(
    ("what", "at"), [*((what, at) for what in HARMLESS for at in ("0s", "3s")), ("dtls-alert", "3s")]
)
def test_a_call_goes_on_as_if_nothing_was_there(what, at):
    timeline = session(what, at)
    measured = metrics(timeline)
    assert measured["outages"] == []
    assert measured["attempts"]["offers"] == 1
    assert measured["messages"]["up"]["lost"] == measured["messages"]["down"]["lost"] == 0
    assert measured["messages"]["up"]["duplicated"] == measured["messages"]["down"]["duplicated"] == 0
    assert all(way["longest_gap_s"] < 0.1 for way in measured["media"].values() if what == "replay")
    assert ready_s(timeline) == pytest.approx(CLEAN_READY_S, abs=DITHER_S)
    # One packet may be on its way at the end.
    assert all(number > 0 for number in injected(timeline).values())


@pytest.mark.parametrize(("way", "ready"), [("up", 10.52), ("down", 71.68)])
def test_one_alert_in_the_clear_ends_a_handshake(way, ready):
    """Records of epoch 0 are not authenticated. Whom it reaches gives up; the other one waits.

    The server closes its end, the client's consent expires, and the policy makes a new connection. The
    client alone stays "connecting" until the server's watchdog closes the connection after 60 s, since no
    policy looks at the state of DTLS.
    """
    timeline = run_text(
        HEAD.format("80s") + MESSAGES + FAULT.format("dtls-alert", "0s", f'direction = "{way}"\n')
    )
    failed_s = first_s(timeline, {"up": "server", "down": "client"}[way], "connection_state", state="failed")
    assert failed_s < 0.2
    assert ready_s(timeline) == pytest.approx(ready, abs=0.05)
    assert metrics(timeline)["attempts"]["recreations"] == 1


def test_the_same_seed_injects_the_same():
    assert session("replay").to_text() == session("replay").to_text()


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self):
        self.seen = []

    def error_received(self, exc):
        self.seen.append(type(exc))

    def datagram_received(self, data, addr):
        self.seen.append(data)


@pytest.mark.parametrize(("remote", "seen"), [(("10.0.0.2", 9), [ConnectionRefusedError]), (None, [])])
def test_a_connected_port_alone_hears_that_nobody_is_there(remote, seen):
    """As on Linux, where an unconnected port is told nothing (udp(7)); aioice's are not connected."""
    loop = VirtualNetworkLoop()

    async def opened():
        current_host.set("10.0.0.1")
        _, protocol = await loop.create_datagram_endpoint(_Protocol, ("10.0.0.1", 7), remote)
        way = Way(("10.0.0.2", 9), ("10.0.0.1", 7), 0)
        loop.arrive(Delivered(0, 0, 0, 0, PacketClass.OTHER, Injected(b"", UNREACHABLE), way))
        return protocol.seen

    try:
        assert loop.run_until_complete(opened()) == seen
    finally:
        loop.close()
