"""One direction of the relay as a tool, without sockets: what is taken in, and what leaves when."""

import math
from time import monotonic

from simlab.core.packet import Direction
from simlab.live.udp.way import Way
from simlab.profile.load import load
from simlab.profile.scenario import Scenario

# What sends takes no time here, but what is due may be an hour away.
HOUR = '[link]\ndelay = "3600s"\n'
STEPS = '[link]\nrate = "10Gbit/s"\nqueue = "4MB"\nloss = "30%"\n'


class Client:
    """What a packet belongs to."""


def way(text):
    sent = []

    def send(flow, payload):
        sent.append((flow, payload))

    return Way(Scenario.of(load(text, "x.toml")), Direction.UP, monotonic(), send), sent


def test_a_batch_leaves_with_one_release_in_the_order_in_which_it_came():
    one, sent = way("")
    flows = [Client(), Client()]
    came = [(flows[number % 2], b"%d" % number) for number in range(50)]
    times_s = [one.take(payload, flow) for flow, payload in came]
    assert sent == []
    assert times_s == sorted(times_s)
    one.release(monotonic())
    assert sent == came
    assert one.due_s == math.inf
    one.next_second()
    assert one.tally._latest.sum(axis=1).tolist() == [50, 50]


def test_how_packets_are_batched_makes_no_difference_to_what_becomes_of_them():
    results = []
    for batch in (1, 7, 64):
        one, sent = way(STEPS)
        flow = Client()
        for number in range(448):
            one.take(b"%d" % number, flow)
            if number % batch == batch - 1:
                one.release(monotonic())
        one.release(monotonic() + 1.0)
        results.append(([payload for _, payload in sent], one.counts()))
    assert results[0] == results[1] == results[2]
    counts = results[0][1]
    assert counts["delivered"] + counts["dropped"]["loss"] == counts["offered"] == 448


def test_a_packet_is_due_when_its_delay_is_over_whatever_comes_after_it():
    one, sent = way(HOUR)
    first_s = one.take(b"first", Client())
    one.release(first_s)
    due_s = one.due_s
    assert abs(due_s - (first_s + 3600)) < 1e-6
    one.take(b"second", Client())
    one.release(monotonic())
    assert one.due_s == due_s
    assert sent == []
    one.release(due_s + 1e-6)
    assert [payload for _, payload in sent] == [b"first"]
