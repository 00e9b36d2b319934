"""CoDel against the pseudocode of RFC 8289, section 5, written down a second time.

The second one knows nothing of stages and links: it has a list, a clock and the RFC's variables. All times
are multiples of 1/1024 s, so that packets wait for just the target, come just when another leaves, and are
dropped at just their time.
"""

import math

import numpy as np
import pytest

from simlab.core.impair import CodelSpec, CodelStage, RateSpec
from tests.core.passing import transit

TICK_S = 1 / 1024
UNIT_BYTES = 250  # sent in one tick
RATE = UNIT_BYTES / TICK_S
HEADERS_BYTES = 28
MAXPACKET_BYTES = 1500

Arrival = tuple[float, int]  # when, and the size on the wire


class Pseudocode:
    """The RFC's codel_queue_t, and a line behind it that sends one packet after the other."""

    def __init__(self, target_s: float, interval_s: float) -> None:
        self.target_s, self.interval_s = target_s, interval_s
        self.queue: list[tuple[int, float, int]] = []
        self.free_s = 0.0
        self.first_above_time = self.drop_next = 0.0
        self.count = self.lastcount = 0
        self.dropping = False
        self.sent: list[tuple[int, float]] = []
        self.drops: list[tuple[int, float]] = []

    def run(self, arrivals: list[Arrival]) -> None:
        for seq, (at_s, size) in enumerate(arrivals):
            self.send_until(at_s)
            if not self.queue:
                self.free_s = max(self.free_s, at_s)
            self.queue.append((seq, at_s, size))
        self.send_until(math.inf)

    def send_until(self, end_s: float) -> None:
        while self.queue and self.free_s <= end_s:
            packet = self.dequeue(self.free_s)
            if packet is not None:
                self.free_s += packet[2] / RATE
                self.sent.append((packet[0], self.free_s))

    def dodequeue(self, now_s: float) -> tuple[tuple[int, float, int] | None, bool]:
        if not self.queue:
            self.first_above_time = 0.0
            return None, False
        packet = self.queue.pop(0)
        ok_to_drop = False
        backlog = sum(size for _, _, size in self.queue)
        if now_s - packet[1] < self.target_s or backlog <= MAXPACKET_BYTES:
            self.first_above_time = 0.0
        elif self.first_above_time == 0.0:
            self.first_above_time = now_s + self.interval_s
        elif now_s >= self.first_above_time:
            ok_to_drop = True
        return packet, ok_to_drop

    def dequeue(self, now_s: float) -> tuple[int, float, int] | None:
        packet, ok_to_drop = self.dodequeue(now_s)
        if self.dropping:
            if not ok_to_drop:
                self.dropping = False
            while now_s >= self.drop_next and self.dropping:
                self.drop(packet, now_s)
                self.count += 1
                packet, ok_to_drop = self.dodequeue(now_s)
                if not ok_to_drop:
                    self.dropping = False
                else:
                    self.drop_next += self.interval_s / math.sqrt(self.count)
        elif ok_to_drop:
            self.drop(packet, now_s)
            packet, ok_to_drop = self.dodequeue(now_s)
            self.dropping = True
            delta = self.count - self.lastcount
            self.count = 1
            if delta > 1 and now_s - self.drop_next < 16 * self.interval_s:
                self.count = delta
            self.drop_next = now_s + self.interval_s / math.sqrt(self.count)
            self.lastcount = self.count
        return packet

    def drop(self, packet: tuple[int, float, int] | None, now_s: float) -> None:
        assert packet is not None
        self.drops.append((packet[0], now_s))


def staged(
    spec: CodelSpec, arrivals: list[Arrival]
) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
    stage, sent, drops = CodelStage(spec), [], []

    def decide(until_s):
        while stage.decides_s <= until_s and stage.decides_s != math.inf:
            now_s = stage.decides_s
            passed, dropped = stage.decide()
            drops.extend((each.packet.seq, now_s) for each in dropped)
            sent.append((passed.packet.seq, passed.due_s))

    for seq, (at_s, size) in enumerate(arrivals):
        decide(at_s)
        assert stage.hold(transit(seq, at_s, bytes(size - HEADERS_BYTES)))
    decide(math.inf)
    assert len(stage) == stage.waiting_bytes == 0
    return sent, drops


def bursts(rng: np.random.Generator, count: int) -> list[Arrival]:
    """Return packets that come faster than they are sent, with pauses in which the queue may empty."""
    now_s, arrivals = 0.0, []
    while len(arrivals) < count:
        every = int(rng.integers(0, 5))
        largest = int(rng.integers(2, 7))
        for _ in range(int(rng.integers(1, 200))):
            arrivals.append((now_s, UNIT_BYTES * int(rng.integers(1, largest + 1))))
            now_s += TICK_S * int(rng.integers(0, every + 1))
        now_s += TICK_S * int(rng.choice([0, 10, 100, 400, 2000]))
    return arrivals


@pytest.mark.parametrize(("target_ticks", "interval_ticks"), [(4, 32), (5, 100), (8, 16), (16, 128)])
def test_codel_does_what_the_pseudocode_says(target_ticks, interval_ticks):
    spec = CodelSpec(RateSpec(RATE), target_ticks * TICK_S, interval_ticks * TICK_S)
    dropped, recent, fresh = 0, 0, 0
    for seed in range(40):
        arrivals = bursts(np.random.default_rng(seed), 1500)
        wanted = Pseudocode(spec.target_s, spec.interval_s)
        wanted.run(arrivals)
        sent, drops = staged(spec, arrivals)
        assert sent == wanted.sent
        assert drops == wanted.drops
        dropped += len(drops)
        recent, fresh = recent + (wanted.lastcount > 1), fresh + (wanted.lastcount == 1)
    # Both ways into the dropping state were taken.
    assert dropped > 1000
    assert recent > 0
    assert fresh > 0


def held(queue, sizes, at_s=0.0):
    """Offer packets to a line that sends the first of them, and tell which it took."""
    stage, fates = CodelStage(CodelSpec(queue)), []
    for seq, size in enumerate(sizes):
        while stage.decides_s <= at_s:
            stage.decide()
        fates.append(stage.hold(transit(seq, at_s, bytes(size - HEADERS_BYTES))))
    return fates


def test_the_queue_has_its_limits_beside_codel():
    # The packet that is being sent does not wait.
    sizes = [500, 250, 250, 250, 250]
    assert held(RateSpec(RATE, queue_bytes=750), sizes) == [True, True, True, True, False]
    assert held(RateSpec(RATE, queue_bytes=749), sizes) == [True, True, True, False, False]
    assert held(RateSpec(RATE, queue_packets=2), sizes) == [True, True, True, False, False]
    # The wait for the line: 2, 3 and 4 ticks.
    assert held(RateSpec(RATE, queue_s=4 * TICK_S), sizes) == [True, True, True, True, False]
    assert held(RateSpec(RATE, queue_s=3 * TICK_S), sizes, at_s=8.0) == [True, True, True, False, False]


def test_a_line_that_is_free_takes_a_packet_whatever_the_limits():
    stage = CodelStage(CodelSpec(RateSpec(RATE, queue_bytes=0)))
    assert stage.hold(transit(0, 0.0, bytes(250 - HEADERS_BYTES)))
    stage.decide()
    assert not stage.hold(transit(1, 0.5 * TICK_S, bytes(250 - HEADERS_BYTES)))
    assert stage.hold(transit(2, TICK_S, bytes(250 - HEADERS_BYTES)))


def test_the_times_are_those_of_the_rfc():
    spec = CodelSpec(RateSpec(RATE))
    assert (spec.target_s, spec.interval_s) == (0.005, 0.1)
