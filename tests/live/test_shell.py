"""The shell under a mock clock: exact times, and no time taken."""

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from simlab.core.impair import (
    BlockSpec,
    BlockStage,
    ConstantDelaySpec,
    ConstantDelayStage,
    UniformDelaySpec,
    UniformDelayStage,
)
from simlab.core.link import Link
from simlab.core.meter import LinkMeter
from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.live.shell import LinkShell
from simlab.live.timer import TrioTimer


class Bench:
    """A link in a shell, and what comes out of it."""

    def __init__(self, stages, zero_s=0.0):
        self.zero_s = zero_s
        self.record = Recorder(self.now_s)
        self.link = Link(stages)
        self.meter = LinkMeter(self.record, Direction.UP, self.link, keep_errors=True)
        self.shell = LinkShell(self.link, self.meter, TrioTimer(zero_s), self.now_s, self.send)
        self.sent = []
        self.broken = False

    def now_s(self):
        return trio.current_time() - self.zero_s

    def send(self, packet):
        if self.broken:
            raise OSError("no buffer space available")
        self.sent.append((self.now_s(), packet.payload, packet.tag))

    @property
    def total(self):
        self.meter.finish()
        return self.record.events[-1].data


def played(stages, play, zero_s=0.0):
    """Run ``play(bench)`` and then wait until everything has come out."""
    bench = Bench(stages, zero_s)
    clock = trio.testing.MockClock(autojump_threshold=0)
    clock.jump(zero_s)

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.shell.run)
            await play(bench)
            await trio.sleep(1000)
            nursery.cancel_scope.cancel()
        return bench.total

    total = trio.run(main, clock=clock)
    return bench, total


def delay(delay_s):
    return ConstantDelayStage(ConstantDelaySpec(delay_s))


def test_packets_leave_when_they_are_due():
    async def play(bench):
        bench.shell.receive(b"a", "to a")
        await trio.sleep(0.02)
        bench.shell.receive(b"b", "to b")

    bench, total = played([delay(0.05)], play)
    assert bench.sent == [(0.05, b"a", "to a"), (0.02 + 0.05, b"b", "to b")]
    assert total["error_p50_s"] == total["error_p99_s"] == 0


def test_without_delay_they_leave_at_once_and_before_anybody_waits():
    async def play(bench):
        bench.shell.receive(b"a", None)
        assert bench.sent == [(0, b"a", None)]

    played([delay(0)], play)


class DelayInPayload:
    """A stage that puts a packet off by the seconds that its payload names."""

    name = "delay"

    def apply(self, transit):
        transit.due_s += float(transit.payload)
        return (transit,)


def test_an_earlier_packet_shortens_the_wait():
    async def play(bench):
        await trio.sleep(1)
        bench.shell.receive(b"5", None)
        await trio.testing.wait_all_tasks_blocked()
        bench.shell.receive(b"0.125", None)

    bench, _ = played([DelayInPayload()], play)
    assert bench.sent == [(1.125, b"0.125", None), (6, b"5", None)]


def test_a_packet_that_comes_just_when_another_is_due_does_not_leave_with_it():
    # Which of the two tasks trio wakes first is chance: 40 times the same order has one of 10^-12.
    async def play(bench):
        for _ in range(40):
            bench.shell.receive(b"x", None)
            await trio.sleep(1)

    bench, _ = played([delay(1)], play)
    assert [sent_s for sent_s, _, _ in bench.sent] == list(range(1, 41))


def test_a_blackout_drops_what_comes_within_it():
    async def play(bench):
        for number in range(5):
            bench.shell.receive(b"%d" % number, None)
            await trio.sleep(1)

    bench, total = played([BlockStage("blackout", [BlockSpec(1, 3)]), delay(0)], play)
    assert [payload for _, payload, _ in bench.sent] == [b"0", b"3", b"4"]
    assert (total["offered"], total["delivered"], total["dropped"]) == (5, 3, {"blackout": 2})
    dropped = [(e.t_s, e["seq"], e["cause"]) for e in bench.record.events if e.kind == "dropped"]
    assert dropped == [(1, 1, "blackout"), (2, 2, "blackout")]


def test_what_the_system_does_not_take_is_a_drop_of_the_relay():
    async def play(bench):
        bench.broken = True
        bench.shell.receive(b"a", None)
        await trio.sleep(1)
        bench.broken = False
        bench.shell.receive(b"b", None)

    bench, total = played([delay(0.05)], play)
    assert bench.sent == [(1 + 0.05, b"b", None)]
    assert (total["offered"], total["delivered"], total["dropped"]) == (2, 1, {"relay": 1})


@given(
    st.lists(st.floats(0, 0.1), min_size=1, max_size=30),
    st.floats(0, 0.1),
    # A clock that has run for long is coarser than the times of the session.
    st.sampled_from([0.0, 1e6 / 7]),
)
def test_every_packet_leaves_and_never_early(gaps_s, jitter_s, zero_s):
    async def play(bench):
        for gap_s in gaps_s:
            await trio.sleep(gap_s)
            bench.shell.receive(b"x", bench.now_s())

    stage = UniformDelayStage(UniformDelaySpec(0.1, jitter_s), 1, Direction.UP)
    bench, total = played([stage], play, zero_s)
    assert total["delivered"] == len(gaps_s)
    # A double has a resolution of 3e-11 s at 1e5 s, and errors are rounded to 1e-6 s.
    assert total["error_p99_s"] == 0
    for sent_s, _, arrived_s in bench.sent:
        assert 0.1 - jitter_s - 1e-9 <= sent_s - arrived_s <= 0.1 + jitter_s + 1e-9


def test_a_bug_in_sending_is_not_hidden():
    async def play(bench):
        bench.shell._send = lambda packet: packet.nothing
        with pytest.raises(AttributeError):
            bench.shell.receive(b"a", None)

    played([delay(0)], play)
