"""Several hosts, their links and NATs: who reaches whom, by RFC 4787."""

import asyncio
import contextvars
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simlab.batch.door import toml_text
from simlab.core.nat import Dependence
from simlab.core.timeline import Recorder
from simlab.virtual.addresses import SERVER, Site
from simlab.virtual.hosts import current_host
from simlab.virtual.network import VirtualNetworkLoop
from simlab.virtual.routes import Routes
from tests.virtual.sessions import scenario

HOSTS = 3
SERVER_PORT = 4000
KINDS = [dependence.value for dependence in Dependence]


def nat(**keys):
    lines = (f"{key} = {toml_text(value)}\n" for key, value in keys.items())
    return f"[nat]\n{''.join(lines)}"


class Port(asyncio.DatagramProtocol):
    """A UDP port that keeps what it gets; the server's answers with where a datagram came from."""

    def __init__(self, answers=False):
        self.got, self.answers = [], answers

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, source):
        self.got.append((data, source))
        if self.answers:
            self.transport.sendto(f"{source[0]}:{source[1]}".encode(), source)


class Net:
    """Hosts 1 to 3, each with two ports, and a server."""

    def __init__(self, loop, routes):
        self.loop, self.routes = loop, routes
        self.server = self._open(SERVER, SERVER_PORT, answers=True)
        self.ports = {
            (number, port): self._open(Site(number).client, port)
            for number in range(1, HOSTS + 1)
            for port in (5000, 5001)
        }

    def _open(self, host, port, answers=False):
        context = contextvars.copy_context()
        context.run(current_host.set, host)
        opening = self.loop.create_datagram_endpoint(lambda: Port(answers), (host, port))
        return self.loop.run_until_complete(self.loop.create_task(opening, context=context))[1]

    def wait(self, s=0.5):
        self.loop.run_until_complete(asyncio.sleep(s))

    def send(self, who, to, data=b"hello", wait_s=0.5):
        self.ports[who].transport.sendto(data, to)
        self.wait(wait_s)

    def outside(self, who):
        """Ask the server where a port is outside, as from a STUN server."""
        self.send(who, (SERVER, SERVER_PORT))
        host, _, port = self.ports[who].got.pop()[0].decode().partition(":")
        return host, int(port)


@contextmanager
def network(more="", duration="600s"):
    text = f'duration = "{duration}"\n[peers]\nclients = {HOSTS}\n[link]\ndelay = "20ms"\n'
    loop = VirtualNetworkLoop()
    try:
        yield Net(loop, Routes(loop, scenario(text + more), Recorder(loop.time)))
    finally:
        loop.close()


A, A2, B, C = WHO = (1, 5000), (1, 5001), (2, 5000), (3, 5000)


def test_without_a_nat_clients_reach_each_other_over_both_links():
    with network() as net:
        began_s = net.loop.time()
        net.ports[A].transport.sendto(b"hello", net.outside(B))
        net.loop.run_until_complete(asyncio.sleep(0.0405))
        assert net.ports[B].got in ([], [(b"hello", (Site(1).client, 5000))])
        net.wait()
        assert net.ports[B].got == [(b"hello", (Site(1).client, 5000))]
        assert net.loop.time() > began_s + 0.040


def test_each_client_is_behind_a_nat_of_its_own():
    with network(nat()) as net:
        hosts = [net.outside(who)[0] for who in (A, A2, B, C)]
        assert hosts == ["198.51.100.1", "198.51.100.1", "198.18.2.1", "198.18.3.1"]


def test_all_clients_are_behind_one_nat_that_is_shared():
    with network(nat(shared=True)) as net:
        outside = [net.outside(who) for who in (A, A2, B, C)]
        assert {host for host, _ in outside} == {"203.0.113.1"}
        assert len(set(outside)) == 4
        # The first two keep their ports (section 4.2.1), which the others' would be, too.
        assert [port for _, port in outside[:2]] == [5000, 5001]


@pytest.mark.parametrize("shared", [True, False])
def test_nobody_outside_reaches_a_client_by_its_own_address(shared):
    with network(nat(**({"shared": True} if shared else {}))) as net:
        net.outside(A)
        net.server.transport.sendto(b"hello", (Site(1).client, 5000))
        net.wait()
        assert net.ports[A].got == []


FILTERS = st.sampled_from(KINDS)
SENT_BEFORE = st.sampled_from(["nobody", "the host", "the port"])


@settings(max_examples=30)
@given(FILTERS, FILTERS, SENT_BEFORE)
def test_who_gets_through_the_nat_of_another(mapping, filtering, sent_before):
    """REQ-8: who may send to a mapping depends on whom its owner has sent to."""
    with network(nat(mapping=mapping, filtering=filtering)) as net:
        to, source = net.outside(B), net.outside(A)
        if sent_before != "nobody":
            port = source[1] if sent_before == "the port" else source[1] + 7
            net.send(B, (source[0], port))
        # Where the mapping depends on the other side, what A and B found out by the server says nothing.
        independent = mapping == "endpoint-independent"
        passes = {
            "endpoint-independent": True,
            "address-dependent": independent and sent_before != "nobody",
            "address-and-port-dependent": independent and sent_before == "the port",
        }[filtering]
        net.ports[B].got.clear()
        net.send(A, to)
        assert bool(net.ports[B].got) == passes
        if passes and independent:
            assert net.ports[B].got == [(b"hello", source)]


@settings(max_examples=30)
@given(st.sampled_from([True, False]), st.booleans(), FILTERS, FILTERS, st.booleans())
def test_a_hairpin(shared, hairpins, mapping, filtering, same_host):
    """REQ-9: hosts behind one NAT reach each other outside if it hairpins, from the outside endpoint (9a)."""
    keys = {"hairpin": hairpins, "mapping": mapping, "filtering": filtering}
    with network(nat(**keys, **({"shared": True} if shared else {}))) as net:
        one, other = A, (A2 if same_host or not shared else B)
        to, source = net.outside(other), net.outside(one)
        net.send(one, to)
        got = net.ports[other].got
        assert bool(got) == (hairpins and filtering == "endpoint-independent")
        if got:
            ((data, seen),) = got
            assert (data, seen[0]) == (b"hello", source[0])
            assert (seen == source) == (mapping == "endpoint-independent")
            net.send(other, seen, b"back")  # and back the same way
            assert net.ports[one].got == [(b"back", to)] or mapping != "endpoint-independent"


def test_a_hairpin_takes_both_links_where_the_nat_is_beyond_them():
    with network(nat(hairpin=True, shared=True)) as net:
        to = net.outside(B)
        net.outside(A)
        net.send(A, to, wait_s=0.0395)
        assert net.ports[B].got == []
        net.wait(0.003)
        assert len(net.ports[B].got) == 1


def test_a_hairpin_takes_no_link_at_home():
    with network(nat(hairpin=True)) as net:
        to = net.outside(A2)
        net.outside(A)
        net.send(A, to, wait_s=0.0)
        net.wait(0.0)
        assert len(net.ports[A2].got) == 1


@pytest.mark.parametrize("shared", [True, False])
def test_a_mapping_expires(shared):
    """REQ-5 and REQ-6: what comes from inside keeps it, what comes from outside does not."""
    with network(nat(timeout="30s", **({"shared": True} if shared else {}))) as net:
        to = net.outside(A)
        for _ in range(3):
            net.wait(29.0)
            assert net.outside(A) == to
        net.wait(29.0)
        net.server.transport.sendto(b"hello", to)
        net.wait()
        assert net.ports[A].got == [(b"hello", (SERVER, SERVER_PORT))]
        net.wait(1.0)
        net.server.transport.sendto(b"too late", to)
        net.wait()
        assert len(net.ports[A].got) == 1


@pytest.mark.parametrize(("what", "address"), [("port", "203.0.113.1"), ("address", "203.0.113.2")])
def test_a_nat_that_is_shared_is_rebound_for_all(what, address):
    rebind = f'[[fault]]\nkind = "rebind"\nat = "10s"\nwhat = "{what}"\n'
    with network(nat(shared=True) + rebind) as net:
        before = [net.outside(who) for who in (A, B, C)]
        net.wait(10.0)
        net.server.transport.sendto(b"hello", before[0])
        net.wait()
        assert net.ports[A].got == []
        after = [net.outside(who) for who in (A, B, C)]
        assert {host for host, _ in after} == {address}
        if what == "port":
            assert not set(before) & set(after)


@settings(max_examples=30)
@given(
    st.booleans(),
    st.booleans(),
    st.lists(
        st.tuples(st.sampled_from([A, A2, B, C]), st.sampled_from(["server", A, A2, B, C])), max_size=25
    ),
)
def test_every_packet_is_delivered_or_dropped_once(shared, hairpins, traffic):
    """Nothing is delivered that was not sent, none twice, and the links' books add up."""
    keys = {"hairpin": hairpins, **({"shared": True} if shared else {})}
    with network(nat(**keys) + '[link.up]\nloss = "20%"\n') as net:
        outside = dict.fromkeys((A, A2, B, C), (f"203.0.113.{9}", 9))
        for who in outside:
            for _ in range(20):  # the way up loses some
                net.send(who, (SERVER, SERVER_PORT))
                if net.ports[who].got:
                    host, _, port = net.ports[who].got.pop()[0].decode().partition(":")
                    outside[who] = (host, int(port))
                    break
            net.ports[who].got.clear()
        net.server.got.clear()
        for number, (who, to) in enumerate(traffic):
            target = (SERVER, SERVER_PORT) if to == "server" else outside[to]
            net.send(who, target, str(number).encode(), 0.0)
        net.wait(1.0)
        everybody = [data for data, _ in net.server.got if data.isdigit()]
        everybody += [data for port in net.ports.values() for data, _ in port.got if data.isdigit()]
        assert len(everybody) == len(set(everybody))
        assert set(everybody) <= {str(number).encode() for number in range(len(traffic))}
        for path in net.routes.paths:
            for link in path.links.values():
                assert link.offered == link.delivered + sum(link.dropped.values())


def test_numbers_of_hosts_have_addresses_of_their_own():
    sites = [Site(number) for number in range(1, 501)]
    inside = {site.client for site in sites} | {site.proxy for site in sites}
    outside = {next(site.outside()) for site in sites}
    assert (len(inside), len(outside)) == (1000, 500)
    assert all(one.client != other.client for one, other in pairwise(sites))
