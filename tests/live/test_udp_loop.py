"""The loop of the packets: what is due is let go when it is, and not before."""

import socket
from time import monotonic

import pytest

from simlab.live.udp.loop import Loop


class Due:
    """Something that is due a few times, and ends the loop after that."""

    def __init__(self, loop, waits_s):
        self.loop, self.waits_s = loop, list(waits_s)
        self.called = []
        self.due_s = monotonic() + self.waits_s.pop(0)

    def release(self, now_s):
        self.called.append((self.due_s, now_s))
        if self.waits_s:
            self.due_s = monotonic() + self.waits_s.pop(0)
        else:
            self.loop.running = False


# Shorter than the final spin; by select alone; by poll, select and the spin in turn.
@pytest.mark.parametrize("wait_s", [0.0, 5e-6, 0.001, 0.02])
def test_what_is_due_is_released_once_and_not_before(wait_s):
    loop = Loop(lambda now_s: None)
    due = Due(loop, [wait_s] * 3)
    loop.ways = (due,)
    loop.run()
    assert len(due.called) == 3
    assert all(now_s >= due_s for due_s, now_s in due.called)


@pytest.mark.parametrize("wait_s", [0.0015, 60.0])
def test_what_can_be_read_is_read_while_something_else_is_not_due(wait_s):
    loop = Loop(lambda now_s: None)
    loop.ways = (Due(loop, [wait_s] * 1_000_000),)
    ours, theirs = socket.socketpair(type=socket.SOCK_DGRAM)
    with ours, theirs:
        read = []

        def take():
            read.append(ours.recv(10))
            loop.running = len(read) < 3

        loop.watch(ours.fileno(), take)
        for number in range(3):
            theirs.send(b"%d" % number)
        loop.run()
        loop.forget(ours.fileno())
    assert read == [b"0", b"1", b"2"]
