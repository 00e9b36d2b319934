"""The compiled loop beside Python's: the same becomes of the same packets."""

import contextlib
import socket
import time
from collections import Counter
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simlab
from simlab.core.impair import BernoulliSpec, BernoulliStage
from simlab.core.impair.delay import ConstantDelaySpec, ConstantDelayStage
from simlab.core.impair.held_rate import HeldRateStage
from simlab.core.impair.rate import RateSpec
from simlab.core.link import Link
from simlab.core.packet import Direction, classify
from simlab.core.straight import StraightLink
from simlab.live.sockets import endpoint_text
from simlab.live.udp.compiled.layout import KINDS, SLOT_BYTES, SLOTS
from simlab.live.udp.forward import Forward, Place
from tests.live.processes import eventually
from tests.live.udp_ends import bound, heard, place
from tests.needs import needs_fast

needs_fast()

from simlab.live.udp.compiled.kind import kind_of  # noqa: E402 - they need what is needed above
from simlab.live.udp.compiled.lane import Lane  # noqa: E402

STUN = b"\x21\x12\xa4\x42" + bytes(12)
kinds_of_bytes = st.one_of(
    st.binary(max_size=30),
    st.builds(
        lambda code, rest: code + b"\0\0" + STUN + rest, st.binary(min_size=2, max_size=2), st.binary()
    ),
)


@given(kinds_of_bytes)
@settings(max_examples=2000)
def test_a_packet_is_what_python_says_that_it_is(payload):
    import numpy as np

    found = kind_of(np.frombuffer(payload + b"\0", np.uint8), len(payload))
    assert KINDS[found] is classify(payload)


class Ends:
    """A relay's sockets, without its loop."""

    def __init__(self):
        self.client, self.target = bound(), bound()
        self.lane = Lane(lambda: None)
        self.lane.prepare()
        forwarded = Place(socket.AF_INET, ("127.0.0.1", 0), socket.AF_INET, self.target.getsockname())
        nothing = dict.fromkeys(Direction)
        self.forward = Forward(
            forwarded, nothing, lambda *_: None, lambda _: None, lambda *_, **__: None, self.lane
        )
        self.flow = self.forward._map(self.client.getsockname())

    def came(self):
        """Return what has come to the target."""
        self.target.setblocking(False)
        payloads = []
        with contextlib.suppress(BlockingIOError):
            while True:
                payloads.append(self.target.recv(65535))
        return payloads

    def close(self):
        self.forward.close()
        self.client.close()
        self.target.close()


@pytest.fixture(scope="module")
def ends():
    one = Ends()
    yield one
    one.close()


def link(rate, loss, delay_s):
    stages = [] if rate is None else [HeldRateStage(rate)]
    stages += [] if loss is None else [BernoulliStage(BernoulliSpec(loss), 7, Direction.UP)]
    return Link([*stages, ConstantDelayStage(ConstantDelaySpec(delay_s))])


class Compiled:
    """A link with the compiled one in its place, for as long as that can be."""

    def __init__(self, ends, link):
        self.ends, self.link, self.drops, self.left = ends, link, Counter(), []
        self.straight = ends.lane.stand_in(StraightLink.of(link, self.drops), Direction.UP, 0.0)
        self.straight.hold(0.0)

    def take(self, payload, now_s):
        if self.straight is not None and self.straight.receive(payload, now_s, self.ends.flow):
            return
        self.give_back(now_s)
        self.link.receive(payload, now_s, self.ends.flow)

    def release(self, now_s):
        if self.straight is not None:
            assert self.straight.release(now_s) == []
            self.left += self.ends.came()
        self.left += [one.payload for one in self.link.release(now_s)]

    def give_back(self, now_s):
        if self.straight is not None:
            self.drops += self.straight.harvest().dropped
            self.straight.give_back(now_s)
            self.straight = None

    def dropped(self, now_s):
        self.give_back(now_s)
        self.link.late_drops()
        return self.drops + self.link.dropped


@given(
    rate=st.none()
    | st.builds(
        RateSpec,
        st.sampled_from([500.0, 800.0, 1e9]),
        st.none() | st.integers(0, 400),
        st.none() | st.integers(0, 4),
        st.none() | st.just(0.25),
    ),
    loss=st.none() | st.just(0.3),
    delay_s=st.sampled_from([0.0, 0.2]),
    packets=st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.001, 0.125, 0.3]),
            st.sampled_from([b"\x80", b"\x17", b"\x16", b"\x40"]),
            st.integers(0, 150),
        ),
        max_size=40,
    ),
    given_back_at=st.none() | st.integers(0, 40),
)
def test_the_same_packets_leave_in_the_same_order(ends, rate, loss, delay_s, packets, given_back_at):
    plain, compiled = link(rate, loss, delay_s), Compiled(ends, link(rate, loss, delay_s))
    left, now_s = [], 0.0
    for number, (gap_s, first, size) in enumerate(packets):
        payload = first + b"%03d" % number + bytes(size)
        now_s += gap_s
        if number == given_back_at:
            compiled.give_back(now_s)
        left += [one.payload for one in plain.release(now_s)]
        compiled.release(now_s)
        assert compiled.left == left
        plain.receive(payload, now_s)
        compiled.take(payload, now_s)
    left += [one.payload for one in plain.release(now_s + 1000.0)]
    compiled.release(now_s + 1000.0)
    assert compiled.left == left
    plain.late_drops()
    assert compiled.dropped(now_s + 1000.0) == plain.dropped
    assert compiled.link.offered == len(packets)
    assert compiled.link.seen == plain.seen


@pytest.mark.parametrize(("number", "size"), [(SLOTS + 10, 10), (3, SLOT_BYTES + 1)], ids=["many", "large"])
def test_what_has_no_room_goes_through_the_link(ends, number, size):
    one = Compiled(ends, link(None, None, 1.0))
    one.take(b"first", 0.0)
    payloads = [b"%06d" % place + bytes(size) for place in range(number)]
    for payload in payloads:
        one.take(payload, 0.5)
    assert one.straight is None
    one.release(1.5)
    assert one.left == [b"first", *payloads]


def through(target, client, compiled, settings, payloads):
    """Return what comes through a relay, and its last statistics."""
    with simlab.Relay.start(
        to=endpoint_text(target.getsockname()), seed=3, set=settings, compiled=compiled
    ) as relay:
        for payload in payloads:
            client.sendto(payload, place(relay.listen))
            time.sleep(0.0002)
        eventually(lambda: _is_over(relay.stats()["up"], len(payloads)))
        last = relay.stop()["up"]
    came = [heard(target)[0] for _ in range(last["delivered"])]
    return came, {name: last[name] for name in ("offered", "delivered", "bytes", "dropped", "kernel_dropped")}


def _is_over(up, number):
    return up["offered"] == number and up["under_way"] == 0


def test_a_seed_loses_the_same_packets_either_way():
    settings = {"link.loss": "20%", "link.delay": "5ms", "link.rate": "100Mbit/s", "link.queue": "4MB"}
    firsts = b"\x80", b"\x17", b"\x16", b"\x40"
    payloads = [firsts[number % 4] + b"%d" % number for number in range(2000)]
    with bound() as target, bound() as client:
        results = [through(target, client, compiled, settings, payloads) for compiled in (False, True)]
    assert results[0] == results[1]
    assert results[0][1]["dropped"]["loss"] > 300


def test_the_profile_begins_when_it_is_compiled_and_a_fault_that_is_over_leaves_the_compiled_way():
    dark = {"fault": [{"kind": "blackout", "at": "0s", "for": "1500ms"}]}
    with (
        bound() as target,
        bound() as client,
        simlab.Relay.start(to=endpoint_text(target.getsockname()), set=dark, compiled=True) as relay,
    ):
        client.sendto(b"dark", place(relay.listen))
        eventually(lambda: relay.stats()["up"]["dropped"] == {"blackout": 1})
        assert not relay.stats()["compiled"]
        eventually(lambda: relay.stats()["compiled"])
        relay.blackout()
        assert not relay.stats()["compiled"]
        relay.clear()
        eventually(lambda: relay.stats()["compiled"])
        relay.blackout("300ms")
        assert not relay.stats()["compiled"]
        eventually(lambda: relay.stats()["compiled"])
        assert relay.status()["faults"] == []


def test_a_datagram_of_any_size_passes_and_small_ones_after_it():
    payloads = [b"small", bytes(60_000), b"small again"]
    with bound() as target, bound() as client:
        assert through(target, client, True, {}, payloads)[0] == payloads


def test_a_packet_is_not_early_and_the_errors_are_told():
    with (
        bound() as target,
        bound() as client,
        simlab.Relay.start(
            to=endpoint_text(target.getsockname()), set={"link.delay": "50ms"}, compiled=True
        ) as relay,
    ):
        for number in range(20):
            began_s = monotonic()
            client.sendto(b"%d" % number, place(relay.listen))
            assert heard(target)[0] == b"%d" % number
            assert monotonic() - began_s >= 0.05
        assert relay.clients()[0]["up"] == 20
        last = relay.stop()["up"]
    assert last["error_p50_s"] > 0
