"""simlab's client over a TURN server that others have written: Debian's coturn, beside simlab's own."""

import asyncio
import os
import shutil
import socket
import subprocess
from contextlib import contextmanager

import pytest
from aioice import stun, turn

from simlab.live.addresses import ICE_HOSTS, RELAY_HOSTS
from simlab.live.session import Settings
from simlab.study.metrics import metrics
from tests.live.processes import eventually
from tests.live.together import run_together
from tests.ports import free_port

HOST = ICE_HOSTS["turn"]
USERNAME, PASSWORD, REALM = "simlab", "secret", "simlab"
ICE = """
duration = "{}"
[peers]
media = []
[link]
delay = "20ms"
[ice]
servers = ["turn"]
policy = "relay"
"""
CALLS = {
    "clean": ICE.format("8s"),
    "blackout": ICE.format("12s") + '[[fault]]\nkind = "blackout"\nat = "4s"\nfor = "3s"\n',
    "wrong credentials": ICE.format("3s") + '[ice.told]\npassword = "wrong"\n',
}


def coturn():
    """Return coturn's program. Where everything has to be there, its absence is a failure."""
    program = shutil.which("turnserver")
    if program is None:
        missing = "no turnserver: apt install coturn"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    return program


def answers(port):
    """Tell whether a STUN server is there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.2)
        client.bind((HOST, 0))
        client.sendto(bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST)), (HOST, port))
        try:
            return bool(client.recv(1500))
        except TimeoutError:
            return False


@contextmanager
def running_coturn(folder, *options):
    """Run coturn on the TURN server's address, and give its port."""
    port = free_port(socket.SOCK_DGRAM, [HOST])
    command = [
        *(coturn(), "-n", "--no-tls", "--no-dtls", "--no-tcp", "--no-tcp-relay", "--no-cli"),
        *(f"--listening-ip={HOST}", f"--relay-ip={HOST}", f"--listening-port={port}"),
        *("--lt-cred-mech", f"--user={USERNAME}:{PASSWORD}", f"--realm={REALM}"),
        *("--allow-loopback-peers", "--log-file=stdout", f"--pidfile={folder / 'pid'}"),
        f"--userdb={folder / 'users'}",
        *options,
    ]
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    try:
        eventually(lambda: answers(port))
        yield port
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module", params=["coturn", "simlab"])
def timelines(request, tmp_path_factory):
    """Give the timelines over coturn, or over the server that a session runs by itself."""
    if request.param == "simlab":
        return run_together(CALLS)
    with running_coturn(tmp_path_factory.mktemp("coturn")) as port:
        return run_together(CALLS, Settings(turn_port=port))


def classes(timeline, source):
    return {kind for event in timeline.select(source, "rate") for kind in event["packets"]}


def gathered(timeline):
    events = timeline.select("client", "gathering_state")
    return [event["candidates"] for event in events if event["state"] == "complete"]


def test_a_call_over_relayed_candidates_alone(timelines):
    timeline = timelines["clean"]
    measured = metrics(timeline)
    assert gathered(timeline) == [["relay"]]
    assert measured["final_state"] == "ready"
    assert classes(timeline, "link.up") == classes(timeline, "link.down") == {"turn"}
    assert [way["lost"] for way in measured["messages"].values()] == [0, 0]
    assert all(way["delivered"] > 20 for way in measured["messages"].values())
    assert measured["outages"] == []


def test_a_blackout_on_the_way_to_the_turn_server_heals(timelines):
    timeline = timelines["blackout"]
    (outage,) = metrics(timeline)["outages"]
    assert outage["outcome"] == "self_healed"
    assert metrics(timeline)["final_state"] == "ready"


def test_wrong_credentials_give_no_candidate(timelines):
    timeline = timelines["wrong credentials"]
    assert gathered(timeline) == [[]]
    assert metrics(timeline)["connect"]["bot_ready_s"] is None
    assert timeline.events[-1].is_a("session", "end")


class Heard(asyncio.DatagramProtocol):
    """What comes to a port."""

    def __init__(self):
        self.packets = asyncio.Queue()

    def datagram_received(self, data, addr):
        self.packets.put_nowait(data)

    async def hears(self, within_s=0.3):
        try:
            await asyncio.wait_for(self.packets.get(), within_s)
        except TimeoutError:
            return False
        return True


def test_coturn_lets_a_channels_permission_live_as_long_as_the_channel(tmp_path):
    # RFC 8656 gives it 300 s, and so does simlab; aioice, which relies on the channel, then goes deaf.
    async def main(port):
        transport, here = await turn.create_turn_endpoint(Heard, (HOST, port), USERNAME, PASSWORD)
        loop = asyncio.get_running_loop()
        there, peer = await loop.create_datagram_endpoint(Heard, local_addr=(RELAY_HOSTS["client"], 0))
        transport.sendto(b"there", there.get_extra_info("sockname"))
        assert await peer.hears(5.0)
        await asyncio.sleep(3.5)
        there.sendto(b"back", transport.get_extra_info("sockname"))
        assert await here.hears(5.0)
        await asyncio.sleep(5.0)
        there.sendto(b"too late", transport.get_extra_info("sockname"))
        assert not await here.hears()
        there.close()
        transport.close()

    with running_coturn(tmp_path, "--permission-lifetime=2", "--channel-lifetime=6") as port:
        asyncio.run(main(port))
