"""The relay as a tool: its own processes, real sockets on loopback."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import simlab
from simlab.core.errors import InvalidInputError, SessionFailedError
from simlab.live.sockets import endpoint, endpoint_text
from tests.live.processes import alive, children, eventually

LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


def bound(family=socket.AF_INET):
    one = socket.socket(family, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**22)
    one.bind((LOOPBACK[family], 0))
    one.settimeout(20)
    return one


def place(text):
    return endpoint(text, "")[1]


@pytest.fixture
def target():
    with bound() as one:
        yield one


@pytest.fixture
def client():
    with bound() as one:
        yield one


@pytest.fixture
def relaying(request, target):
    """Start relays to the target."""
    to, compiled = endpoint_text(target.getsockname()), getattr(request, "param", False)
    with contextlib.ExitStack() as stack:
        yield lambda **wishes: stack.enter_context(simlab.Relay.start(to=to, compiled=compiled, **wishes))


either_way = pytest.mark.parametrize("relaying", [False, True], indirect=True, ids=["python", "compiled"])


def heard(one):
    payload, source = one.recvfrom(65535)
    return payload, source[:2]


@pytest.mark.parametrize(
    ("family", "compiled"), [(socket.AF_INET, False), (socket.AF_INET6, False), (socket.AF_INET, True)]
)
def test_any_number_of_clients_have_a_mapping_each(family, compiled):
    listen = f"{'[::1]' if family == socket.AF_INET6 else '127.0.0.1'}:0"
    with bound(family) as target, contextlib.ExitStack() as stack:
        to = endpoint_text(target.getsockname()[:2])
        relay = stack.enter_context(simlab.Relay.start(to=to, listen=listen, compiled=compiled))
        clients = [stack.enter_context(bound(family)) for _ in range(300)]
        for number, one in enumerate(clients):
            one.sendto(b"%d" % number, place(relay.listen))
        sources = dict(heard(target) for _ in clients)
        assert len(set(sources.values())) == 300
        for payload, source in sources.items():
            target.sendto(b"for " + payload, source)
        for number, one in enumerate(clients):
            assert heard(one) == (b"for %d" % number, place(relay.listen))
        assert len(relay.clients()) == relay.stats()["clients"] == 300
        last = relay.stop()
        assert [last[way]["delivered"] for way in ("up", "down")] == [300, 300]


@either_way
def test_an_idle_mapping_is_forgotten_and_the_next_packet_makes_another(relaying, target, client):
    relay = relaying(set={"nat.timeout": "300ms"})
    client.sendto(b"first", place(relay.listen))
    _, old = heard(target)
    eventually(lambda: relay.clients() == [])
    client.sendto(b"second", place(relay.listen))
    payload, new = heard(target)
    assert payload == b"second"
    assert new != old


@either_way
def test_the_networks_settings_change_while_packets_flow(relaying, target, client):
    relay = relaying()
    to = place(relay.listen)
    relay.set({"link.up.delay": "200ms", "link.down.loss": "100%"})
    began_s = time.monotonic()
    client.sendto(b"slow", to)
    _, source = heard(target)
    assert time.monotonic() - began_s >= 0.2
    target.sendto(b"lost", source)
    eventually(lambda: relay.stats()["down"]["dropped"] == {"loss": 1})
    relay.set("link.down.loss", None)
    target.sendto(b"kept", source)
    assert heard(client)[0] == b"kept"


def test_a_wrong_command_changes_nothing_and_lists_every_fault(relaying):
    relay = relaying(set={"link.loss": "1%"})
    before = relay.settings()
    with pytest.raises(InvalidInputError) as error:
        relay.set({"link.delay": "50ms", "link.loss": "101%", "link.ratee": "1Mbit/s"})
    assert len(error.value.faults) == 2
    for wrong in (
        lambda: relay.blackout("-5s", "sideways"),
        lambda: relay.fault("server-freeze", for_="5s"),
        lambda: relay.block(["stunn"]),
        lambda: relay.clear(7),
        lambda: relay.rebind("planet"),
        lambda: relay.pause("soon"),
        lambda: relay.do("reset"),
        lambda: relay.do("load", toml="[link]\nloss = 7"),
        lambda: relay.do("status", now=True),
    ):
        with pytest.raises(InvalidInputError):
            wrong()
    assert relay.settings() == before
    assert relay.status()["faults"] == []


@either_way
def test_a_blackout_and_a_block_begin_now(relaying, target, client):
    relay = relaying()
    to = place(relay.listen)
    stun = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)
    number = relay.blackout()["number"]
    client.sendto(b"dark", to)
    eventually(lambda: relay.stats()["up"]["dropped"] == {"blackout": 1})
    assert relay.clear(number) == {"cleared": [number]}
    assert relay.block(for_="30s", direction="up")["for_s"] == 30
    client.sendto(stun, to)
    client.sendto(b"no STUN", to)
    assert heard(target)[0] == b"no STUN"
    relay.clear()
    client.sendto(stun, to)
    assert heard(target)[0] == stun
    assert relay.stats()["up"]["dropped"] == {"blackout": 1, "block": 1}


@either_way
def test_what_is_paused_is_held_and_let_go(relaying, target, client):
    relay = relaying()
    relay.pause(direction="up")
    for number in range(3):
        client.sendto(b"%d" % number, place(relay.listen))
    eventually(lambda: relay.stats()["up"]["under_way"] == 3)
    relay.resume()
    assert [heard(target)[0] for _ in range(3)] == [b"0", b"1", b"2"]


def test_the_end_of_a_hold_is_told_whoever_ends_it(relaying, target, client):
    relay, events = relaying(), []
    threading.Thread(target=lambda: events.extend(relay.events()), daemon=True).start()
    eventually(lambda: relay.rebind() and any(one["kind"] == "rebind" for one in events))

    def told(number):
        eventually(lambda: len([one for one in events if one["kind"] == "resume"]) == number)

    first = relay.pause(for_="100ms", direction="up")
    assert first == {"number": 1, "kind": "pause", "direction": "up", "for_s": 0.1}
    told(1)
    second = relay.pause()
    assert relay.status()["faults"] == [second]
    client.sendto(b"held", place(relay.listen))
    eventually(lambda: relay.stats()["up"]["under_way"] == 1)
    assert relay.clear(second["number"]) == {"cleared": [2]}
    assert heard(target)[0] == b"held"
    told(2)
    relay.pause(for_="60s")
    relay.resume("down")
    assert [one["direction"] for one in relay.status()["faults"]] == ["up"]
    told(3)
    number = relay.blackout()["number"]
    assert relay.clear() == {"cleared": [3, number]}
    told(4)
    relay.pause()
    relay.load("clean")
    told(5)
    assert relay.status()["faults"] == []
    kept = [one for one in events if one["kind"] in ("pause", "resume")]
    assert [(one["kind"], one.get("number"), one["directions"], one.get("for_s")) for one in kept] == [
        ("pause", 1, ["up"], 0.1),
        ("resume", None, ["up"], None),
        ("pause", 2, ["up", "down"], None),
        ("resume", None, ["up", "down"], None),
        ("pause", 3, ["up", "down"], 60.0),
        ("resume", None, ["down"], None),
        ("resume", None, ["up"], None),
        ("pause", 5, ["up", "down"], None),
        ("resume", None, ["up", "down"], None),
    ]
    assert kept[1]["t_s"] - kept[0]["t_s"] >= 0.1


@either_way
@pytest.mark.parametrize("what", ["port", "address"])
def test_after_a_rebinding_the_target_knows_the_client_by_another_endpoint(relaying, target, client, what):
    relay = relaying()
    client.sendto(b"before", place(relay.listen))
    _, old = heard(target)
    assert relay.rebind(what) == {"clients": 1}
    target.sendto(b"too late", old)
    eventually(lambda: relay.stats()["down"]["dropped"] == {"nat": 1})
    client.sendto(b"after", place(relay.listen))
    _, new = heard(target)
    assert new != old
    assert (new[0] != old[0]) == (what == "address")
    target.sendto(b"answer", new)
    assert heard(client)[0] == b"answer"


@either_way
def test_what_is_under_way_at_a_rebinding_leaves_by_the_old_mapping_and_answers_are_lost(
    relaying, target, client
):
    relay = relaying(set={"link.delay": "200ms"})
    client.sendto(b"before", place(relay.listen))
    _, old = heard(target)
    client.sendto(b"under way", place(relay.listen))
    target.sendto(b"answer under way", old)
    eventually(lambda: relay.stats()["up"]["under_way"] == relay.stats()["down"]["under_way"] == 1)
    relay.rebind()
    assert heard(target) == (b"under way", old)
    eventually(lambda: relay.stats()["down"]["dropped"] == {"nat": 1})


@either_way
def test_a_profile_that_is_loaded_begins_anew_and_what_is_under_way_arrives(
    relaying, target, client, tmp_path
):
    relay = relaying(set={"link.delay": "300ms"})
    profile = tmp_path / "dark.toml"
    profile.write_text('[[fault]]\nkind = "blackout"\nat = "0s"\nfor = "20s"\n')
    client.sendto(b"under way", place(relay.listen))
    eventually(lambda: relay.stats()["up"]["under_way"] == 1)
    assert relay.load(profile, {"seed": 9})["seed"] == 9
    client.sendto(b"dark", place(relay.listen))
    assert heard(target)[0] == b"under way"
    eventually(lambda: relay.stats()["up"]["dropped"] == {"blackout": 1})
    assert relay.status()["profile"] == "dark"


def test_faults_of_the_profile_begin_with_the_relay_and_are_told(relaying):
    relay = relaying(
        set={"fault": [{"kind": "blackout", "at": "1s", "for": "1s"}, {"kind": "rebind", "at": "3s"}]}
    )
    status, seen = relay.status(), []
    began_s = status["since_s"] - status["profile_since_s"]
    for event in relay.events():
        if event["kind"] in ("fault_begin", "fault_end", "rebind"):
            seen.append((event["kind"], round(event["t_s"] - began_s)))
        if event["kind"] == "rebind":
            break
    assert [kind for kind, _ in seen][-1] == "rebind"
    assert ("fault_end", 2) in seen or len(seen) == 1  # on a busy machine we began to watch too late


class Flow(threading.Thread):
    """Send numbered packets all the time, and let the target send each of them back."""

    def __init__(self, client, target, to):
        super().__init__()
        self.client, self.target, self.to = client, target, to
        self.going, self.sent = True, 0

    def run(self):
        while self.going:
            self.client.sendto(b"%d" % self.sent, self.to)
            self.sent += 1
            payload, source = self.target.recvfrom(100)
            self.target.sendto(payload, source)
            assert self.client.recvfrom(100)[0] == payload
            time.sleep(0.0005)


def garbage(control):
    """Do to a control socket what no client should."""
    for data in (
        os.urandom(5000) + b"\n" + os.urandom(100),
        b'{"do": "set", "with": {"link.loss": "1',
        b'{"do": "status"}\n{"do": "sta',
        b"x" * 2**20,
        b"x" * 2**20 + b"\n",
        b"[" * 2**18 + b"\n",
        b'"set"\n17\n{}\nnull\n{"do": 3}\n{"do": "set", "with": [1]}\n{"do": "set", "with": {"": null}}\n',
        b'{"do": "watch"}\n' * 3,
        b"",
    ):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(control))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(data)


def test_a_client_of_the_control_socket_cannot_harm_the_flow(relaying, target, client):
    relay = relaying()
    flow = Flow(client, target, place(relay.listen))
    flow.start()
    while flow.sent < 500 and flow.is_alive():
        garbage(relay.socket)
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rwb") as stream:
        connection.settimeout(20)
        connection.connect(str(relay.socket))
        stream.write(b"{not JSON}\n" + b'{"id": 5, "do": "status"}\n')
        stream.flush()
        assert "not JSON" in json.loads(stream.readline())["faults"][0]
        assert json.loads(stream.readline())["id"] == 5
    flow.going = False
    flow.join()
    last = relay.stop()
    assert flow.sent >= 500
    for way in ("up", "down"):
        row = last[way]
        assert (row["offered"], row["delivered"]) == (flow.sent, flow.sent)
        assert (row["dropped"], row["kernel_dropped"]) == ({}, 0)


def test_a_watcher_that_does_not_read_holds_up_nobody(relaying, target, client):
    relay = relaying()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(relay.socket))
        connection.sendall(b'{"do": "watch"}\n')
        for number in range(3000):
            relay.set("link.delay", f"{number % 7}ms")
        client.sendto(b"still", place(relay.listen))
        assert heard(target)[0] == b"still"


def test_the_control_socket_is_its_owners_alone(relaying):
    relay = relaying()
    assert stat.S_IMODE(relay.socket.stat().st_mode) == 0o600
    relay.stop()
    assert not relay.socket.exists()


def test_the_asynchronous_client_does_the_same(target, client):
    async def main():
        async with await simlab.AsyncRelay.start(to=endpoint_text(target.getsockname())) as relay:
            events = relay.events()
            watching = asyncio.create_task(anext(events))
            with pytest.raises(InvalidInputError, match=r"link\.loss"):
                await relay.set("link.loss", "500%")
            await relay.set("link.delay", "1ms")
            while (await watching)["kind"] != "set":
                watching = asyncio.create_task(anext(events))
                await relay.set("link.delay", "2ms")
            await events.aclose()
            client.sendto(b"hello", place(relay.listen))
            assert heard(target)[0] == b"hello"
            other = await simlab.AsyncRelay.connect(relay.socket)
            assert len(await other.clients()) == 1
            assert await other.stop() == {}
            assert (await relay.stop())["up"]["delivered"] == 1

    asyncio.run(main())


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "simlab", "relay", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_a_summary(target, client, tmp_path, number):
    to = endpoint_text(target.getsockname())
    control = tmp_path / "control"
    with start("--listen", "127.0.0.1:0", "--to", to, "--json", "--socket", str(control)) as process:
        where = json.loads(process.stdout.readline())
        assert where["kind"] == "listening"
        packets = next(iter(children(process.pid)))
        client.sendto(b"hello", place(where["listen"]))
        heard(target)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert json.loads(out.splitlines()[-1])["up"]["delivered"] == 1
    assert not alive(packets)
    assert not control.exists()


def test_when_its_packet_process_is_killed_it_says_so(target):
    with start("--listen", "127.0.0.1:0", "--to", endpoint_text(target.getsockname())) as process:
        process.stdout.readline()
        (packets,) = children(process.pid)
        os.kill(packets, signal.SIGKILL)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 3
    assert err == "Error: relay: the packet process has ended\n"


def test_when_it_is_killed_its_packet_process_ends(target, tmp_path):
    to, control = endpoint_text(target.getsockname()), tmp_path / "control"
    with start("--listen", "127.0.0.1:0", "--to", to, "--socket", str(control)) as process:
        process.stdout.readline()
        (packets,) = children(process.pid)
        process.kill()
        process.communicate(timeout=20)
    eventually(lambda: not alive(packets))
    # The socket that it left behind is in nobody's way.
    with start("--listen", "127.0.0.1:0", "--to", to, "--socket", str(control)) as process:
        assert process.stdout.readline().startswith("Relaying")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def test_two_relays_do_not_share_a_control_socket(relaying, target):
    relay = relaying()
    with start(
        "--listen", "127.0.0.1:0", "--to", endpoint_text(target.getsockname()), "--socket", str(relay.socket)
    ) as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode == 3
    assert err == f"Error: control: cannot listen on {relay.socket}: another relay listens there\n"
    assert relay.status()


def test_a_relay_that_cannot_be_started_says_why(target):
    here = endpoint_text(target.getsockname())
    with pytest.raises(SessionFailedError, match="in use"):
        simlab.Relay.start(to=here, listen=here)
    with pytest.raises(SessionFailedError, match="no relay answers"):
        simlab.Relay.connect(Path("/nonexistent/socket"))


@pytest.mark.parametrize("compiled", [False, True])
def test_nobody_at_the_target_is_no_harm(client, tmp_path, compiled):
    with bound() as gone:
        to = endpoint_text(gone.getsockname())
    with simlab.Relay.start(to=to, compiled=compiled) as relay:
        for _ in range(20):
            client.sendto(b"anybody?", place(relay.listen))
            time.sleep(0.002)
        eventually(lambda: relay.stats()["up"]["offered"] == 20)
        last = relay.stop()
        assert last["up"]["delivered"] == 20


@either_way
def test_statistics_are_told_while_somebody_listens_and_can_be_asked_for_at_any_time(
    relaying, target, client
):
    relay = relaying(set={"link.delay": "20ms"})

    def median_s():
        client.sendto(b"again", place(relay.listen))
        return relay.stats()["up"].get("delay_p50_s", 0.0)

    eventually(lambda: median_s() >= 0.02)
    for _ in range(2):
        told = [event for _, event in zip(range(3), relay.events(), strict=False)]
        assert {event["kind"] for event in told} <= {"stats", "mapped"}
        assert told[-1]["kind"] == "stats"
    eventually(lambda: median_s() >= 0.02)
