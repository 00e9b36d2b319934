"""The model of TCP: exact times where losses are given, and laws and distributions where they are not."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from simlab.core.impair import BernoulliSpec, BlockSpec, BlockStage, ConstantDelaySpec, make_stage
from simlab.core.link import Link
from simlab.core.packet import Direction
from simlab.core.tcp import MSS_BYTES, TcpPath, unanswered_s
from simlab.core.tcp.receiver import Receiver
from simlab.core.tcp.timeout import GIVE_UP_S, SYN_RETRIES, Timeout, silence_s

UP, DOWN = Direction.UP, Direction.DOWN
DELAY_S = 0.02
RTT_S = 2 * DELAY_S
RTO_S = RTT_S + 0.2


class Losing:
    """Drop the segments of these numbers in the link; or each with a chance."""

    name = "loss"

    def __init__(self, numbers=()):
        self.numbers = frozenset(numbers)

    def apply(self, transit):
        return () if transit.packet.seq in self.numbers else (transit,)


class Talk:
    """A path and its links, with one connection over it."""

    def __init__(self, up=(), down=(), more=(), loss_up=()):
        delays = {way: make_stage(ConstantDelaySpec(DELAY_S), 0, way) for way in Direction}
        up_link = Link([*more, *loss_up, Losing(up), delays[UP]])
        self.links = {UP: up_link, DOWN: Link([*more, Losing(down), delays[DOWN]])}
        self.path = TcpPath(self.links)
        self.now_s = 0.0
        self.connection = self.path.open(0.0)

    def until(self, is_over):
        """Let time go by until something holds, and return when that is; None if it never does."""
        while not is_over():
            due_s = self.path.next_due_s()
            if due_s is None:
                return None
            assert due_s >= self.now_s
            self.now_s = due_s
            self.path.advance(due_s)
        return round(self.now_s, 9)

    def connect(self):
        return self.until(lambda: self.connection.sender[UP].is_established or self.connection.failure)

    def send(self, way, size_bytes):
        self.path.write(self.connection, way, size_bytes, self.now_s)
        return self.until(lambda: self.connection.has_arrived(way) or self.connection.failure)


def times_s(up=(), down=(), asked=1000, answered=1000):
    """Return when there was a connection, a request at the server, and a response at the client."""
    talk = Talk(up, down)
    return talk.connect(), talk.send(UP, asked), talk.send(DOWN, answered)


def test_without_losses_there_is_the_delay_and_nothing_else():
    assert times_s() == (RTT_S, 3 * DELAY_S, 4 * DELAY_S)


def test_on_an_open_connection_a_request_takes_the_delay():
    talk = Talk()
    talk.send(UP, 1000)
    talk.now_s = 30.0
    assert talk.send(UP, 1000) == 30.0 + DELAY_S
    assert talk.send(DOWN, 1000) == round(30.0 + RTT_S, 9)


# Up: 0 is the SYN, 1 acknowledges the SYN+ACK, 2 is the request. Down: 0 is the SYN+ACK.
@pytest.mark.parametrize(
    ("up", "down", "connected_s"),
    [
        ([0], [], 1.0),
        ([], [0], 1.0),
        ([0, 1], [], 3.0),
        ([0, 1, 2], [], 7.0),
        ([0], [0], 1.0 + DELAY_S + 1.0 - DELAY_S),  # the server's own timer comes first
        # Its timer starts again with each SYN that comes, so it is due a second after the client's second.
        ([], [0, 1], 1.0 + 1.0),
    ],
)
def test_a_lost_syn_costs_a_second_and_then_twice_as_long(up, down, connected_s):
    assert times_s(up, down)[0] == connected_s + RTT_S


def test_an_acknowledgement_that_is_lost_costs_nothing():
    assert times_s(up=[1]) == times_s(down=[1]) == times_s()


# The first is the probe of RFC 8985, at the timeout since nothing else is on its way; it backs nothing off.
@pytest.mark.parametrize(("copies", "late"), [(1, 1), (2, 2), (3, 4), (4, 8)])
def test_a_lost_request_is_sent_again_after_the_timeout(copies, late):
    connected_s, asked_s, _ = times_s(up=range(2, 2 + copies))
    assert asked_s - connected_s == pytest.approx(late * RTO_S + DELAY_S, abs=1e-9)


def test_a_lost_response_too():
    _, asked_s, answered_s = times_s(down=[2])
    assert answered_s - asked_s == pytest.approx(RTO_S + DELAY_S, abs=1e-9)


# 6000 bytes are five segments, sent at once; these figures stand beside Linux's in docs/faults.md.
@pytest.mark.parametrize(
    ("lost", "late_s"),
    [
        ([2], RTT_S),  # three others arrive: fast retransmit
        ([3], RTT_S),
        ([5], RTT_S + RTT_S / 4),  # one other: RACK waits for a quarter of the round trip
        ([6], RTT_S + RTO_S),  # the last one: nothing follows, and the timer began anew with the others'
        ([4, 5], 2 * RTT_S + RTT_S / 4),  # PRR lets out one at first
        ([2, 3, 4], 2 * RTT_S + RTT_S / 4),
    ],
)
def test_losses_within_a_flight(lost, late_s):
    connected_s, asked_s, _ = times_s(up=lost, asked=6000)
    assert asked_s - connected_s - DELAY_S == pytest.approx(late_s, abs=1e-9)


def test_a_whole_flight_is_probed_for_after_two_round_trips():
    connected_s, asked_s, _ = times_s(up=range(2, 7), asked=6000)
    assert asked_s - connected_s == pytest.approx(2 * RTT_S + 3 * RTT_S + DELAY_S, abs=1e-9)


def test_a_long_body_takes_the_round_trips_of_slow_start():
    # 10, 20, 40 segments, and the rest in the fourth flight.
    talk = Talk()
    talk.connect()
    assert talk.send(UP, 71 * MSS_BYTES) == round(RTT_S + 3 * RTT_S + DELAY_S, 9)


def test_a_blackout_ends_for_tcp_with_its_next_timeout():
    talk = Talk(more=[BlockStage("blackout", [BlockSpec(1.0, 3.0)])])
    talk.send(UP, 100)
    talk.now_s = 1.0
    # 1.24 (the probe), 1.48, 1.96, 2.92 and, the first after the blackout, 4.84 s.
    assert talk.send(UP, 100) == pytest.approx(1.0 + 16 * RTO_S + DELAY_S, abs=1e-9)


def test_nobody_answers_a_syn():
    talk = Talk(up=range(100))
    assert talk.until(lambda: talk.connection.failure) == silence_s(SYN_RETRIES, 1.0) == 127.0
    assert talk.connection.failure == "timed out"


def test_nobody_answers_any_more():
    talk = Talk()
    talk.send(UP, 100)
    talk.now_s = 10.0
    talk.path.advance(10.0)
    talk.connection.is_cut = True
    assert talk.send(UP, 100) == pytest.approx(10.0 + unanswered_s(RTT_S), abs=1e-6)
    assert talk.connection.failure == "timed out"
    assert round(GIVE_UP_S, 1) == 924.6  # as Documentation/networking/ip-sysctl.rst has it


def test_a_server_that_has_forgotten_a_connection_resets_it():
    # Its SYN+ACK arrives, and nothing that the client sends, until the server has given up after 63 s.
    talk = Talk(more=[BlockStage("blackout", [BlockSpec(0.03, 70.0)])])
    talk.connect()
    assert talk.send(UP, 100) > 70.0
    assert talk.connection.failure == "reset"


@given(
    up=st.sets(st.integers(0, 60), max_size=40),
    down=st.sets(st.integers(0, 60), max_size=40),
    asked=st.integers(1, 60_000),
    answered=st.integers(1, 60_000),
)
def test_whatever_is_lost_all_arrives_and_never_before_the_delay(up, down, asked, answered):
    talk = Talk(up, down)
    for way, size_bytes in ((UP, asked), (DOWN, answered), (UP, answered)):
        began_s = talk.now_s
        ended_s = talk.send(way, size_bytes)
        if talk.connection.failure:  # more losses in a row than TCP bears
            assert talk.now_s > 60.0
            return
        assert ended_s - began_s >= DELAY_S - 1e-9
        assert talk.connection.receiver(way).got_bytes == talk.connection.written[way]
    # And then there is silence.
    assert talk.until(lambda: talk.path.next_due_s() is None) is not None


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 10)), max_size=40))
def test_a_receiver_has_what_came_without_a_gap(pieces):
    receiver, seen = Receiver(), set()
    for start, length in pieces:
        receiver.take(start, start + length)
        seen |= set(range(start, start + length))
        assert receiver.got_bytes == next(n for n in range(100) if n not in seen)
        for from_, to in receiver.sacks:
            assert receiver.got_bytes < from_
            assert set(range(from_, to)) <= seen


@given(st.lists(st.floats(0.001, 10.0), min_size=1, max_size=20), st.integers(0, 20))
def test_the_timeout_keeps_its_bounds(rtts_s, backoffs):
    timeout = Timeout()
    for rtt_s in rtts_s:
        timeout.measured(rtt_s)
    assert min(rtts_s) + 0.2 - 1e-9 <= timeout.now_s <= 120.0
    base_s = timeout.now_s
    for _ in range(backoffs):
        timeout.back_off()
    assert timeout.now_s == min(base_s * 2.0**backoffs, 120.0)


def test_the_timeout_of_a_steady_round_trip_is_linuxs():
    timeout = Timeout()
    assert timeout.now_s == 1.0
    for _ in range(50):
        timeout.measured(RTT_S)
        assert timeout.now_s == pytest.approx(RTO_S)


COUNT = 1000
# Of the four shares that are looked at, one is out of its range once in 10,000 where all is right.
LEVEL = 1e-4 / 4


def late_s(chance, work):
    """Return how late each of many talks is, whose segments up are lost with that chance."""
    loss = make_stage(BernoulliSpec(chance), 7, UP)
    found = (work(Talk(loss_up=[loss])) for _ in range(COUNT))
    return [late for late in found if late is not None]


def assert_geometric(found_s, steps_s, chance):
    counts = Counter(min(range(len(steps_s)), key=lambda k: abs(steps_s[k] - s)) for s in found_s)
    assert all(min(abs(step_s - s) for step_s in steps_s) < 1e-6 for s in found_s)
    for k in range(4):
        low, high = binom.interval(1 - LEVEL, len(found_s), chance**k * (1 - chance))
        assert low <= counts[k] <= high


@pytest.mark.parametrize("chance", [0.1, 0.3])
def test_the_time_to_connect_is_geometric_in_doubling_seconds(chance):
    # Only what goes up is lost: the k-th copy of a SYN goes out after 2^k - 1 s.
    found_s = late_s(chance, lambda talk: talk.connect() - RTT_S)
    assert_geometric(found_s, [*(2.0**k - 1 for k in range(SYN_RETRIES + 1)), 127.0 - RTT_S], chance)


@pytest.mark.parametrize("chance", [0.1, 0.3])
def test_the_time_of_a_request_is_geometric_in_doubling_timeouts(chance):
    def work(talk):
        began_s = talk.connect()
        if talk.connection.failure:
            return None
        talk.send(UP, 100)
        return talk.now_s - began_s - DELAY_S

    # The first copy is the probe, and backs nothing off; then 2, 4, 8 … timeouts.
    steps_s = [0.0, *(2.0**k * RTO_S for k in range(10))]
    assert_geometric(late_s(chance, work), steps_s, chance)


def test_a_segment_with_a_flipped_bit_is_lost():
    class Flips:
        name = "corrupt"

        def apply(self, transit):
            if transit.packet.seq == 2:
                transit.payload = b"\xfe" + transit.payload[1:]
            return (transit,)

    talk = Talk()
    talk.links[UP].restage([Flips(), *talk.links[UP].stages])
    connected_s = talk.connect()
    assert talk.send(UP, 100) == pytest.approx(connected_s + RTO_S + DELAY_S, abs=1e-9)
