"""An error of a socket is told at once, and then once a second."""

import json
import signal
import socket
import time

from simlab.cli.relay_lines import line_of
from simlab.live.udp.troubles import Troubles
from tests.live.processes import start_relay
from tests.live.udp_ends import place
from tests.ports import free_port

REFUSED = OSError(111, "Connection refused")


def test_each_is_told_at_once_and_then_once_a_second():
    told = []
    troubles = Troubles(lambda kind, **more: told.append((kind, more["where"], more["why"], more["times"])))
    for _ in range(100):
        troubles.happened("target", REFUSED)
    troubles.happened("mapping", OSError(24, "Too many open files"))
    first = ("trouble", "target", "Connection refused", 1)
    assert told == [first, ("trouble", "mapping", "Too many open files", 1)]
    troubles.next_second()
    assert told[2:] == [("trouble", "target", "Connection refused", 99)]
    troubles.next_second()
    assert len(told) == 3
    troubles.happened("target", REFUSED)
    assert told[3:] == [first]


def test_how_often_is_said_where_it_was_more_than_once():
    event = {"t_s": 1.5, "kind": "trouble", "where": "target", "why": "Connection refused"}
    assert line_of({**event, "times": 1}) == "      1.5 s  trouble (target): Connection refused"
    assert line_of({**event, "times": 99}) == "      1.5 s  trouble (target): Connection refused, 99 times"


def test_packets_for_nobody_are_not_told_one_by_one(client):
    to = f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
    with start_relay("--listen", "127.0.0.1:0", "--to", to, "--json") as process:
        where = json.loads(process.stdout.readline())["listen"]
        began_s = time.monotonic()
        for _ in range(500):
            client.sendto(b"hello", place(where))
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
        lasted_s = time.monotonic() - began_s
    found = [event for event in map(json.loads, out.splitlines()) if event["kind"] == "trouble"]
    assert {(event["where"], event["why"]) for event in found} == {("target", "Connection refused")}
    assert sum(event["times"] for event in found) > 100
    assert len(found) <= 2 * lasted_s + 2
