"""A straight link beside the link that it stands in for: the same packets leave at the same times."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlab.core.impair import BernoulliSpec, BernoulliStage, GilbertElliottSpec, GilbertElliottStage
from simlab.core.impair.capacity import RateStep
from simlab.core.impair.delay import ConstantDelaySpec, ConstantDelayStage
from simlab.core.impair.held_rate import HeldRateStage
from simlab.core.impair.rate import RateSpec
from simlab.core.link import Link
from simlab.core.packet import Direction
from simlab.core.straight import StraightLink

# 72 bytes of payload and 28 of headers make 100 on the wire: 0.125 s at 800 bytes/s.
PAYLOAD = bytes(72)
FIRST_BYTES = b"\x80", b"\x17", b"\x16", b"\x40"  # RTP, DTLS data and handshake, TURN

limits = st.none() | st.integers(0, 400)
rates = st.none() | st.builds(
    RateSpec,
    st.sampled_from([500.0, 800.0, 1e9]),
    limits,
    st.none() | st.integers(0, 4),
    st.none() | st.just(0.25),
)
losses = st.none() | st.just(BernoulliSpec(0.3)) | st.just(GilbertElliottSpec(0.2, 0.4))
packets = st.lists(
    st.tuples(st.sampled_from([0.0, 0.001, 0.125, 0.3]), st.sampled_from(FIRST_BYTES), st.integers(0, 150)),
    max_size=40,
)


def stages(rate, loss, delay_s):
    made = []
    if rate is not None:
        made.append(HeldRateStage(rate))
    if isinstance(loss, BernoulliSpec):
        made.append(BernoulliStage(loss, 7, Direction.UP))
    if isinstance(loss, GilbertElliottSpec):
        made.append(GilbertElliottStage(loss, 7, Direction.UP))
    return [*made, ConstantDelayStage(ConstantDelaySpec(delay_s))]


class Plain:
    """A link, its drops counted."""

    def __init__(self, link):
        self.link, self.left = link, []

    def take(self, payload, now_s):
        self.release(now_s)
        self.link.receive(payload, now_s, "tag")

    def release(self, now_s):
        self.left += [(one.due_s, one.seq, one.payload, one.tag) for one in self.link.release(now_s)]

    def change(self, rate, now_s):
        for stage in self.link.stages:
            if isinstance(stage, HeldRateStage):
                stage.reschedule(rate, (), (), now_s)

    def dropped(self):
        self.link.late_drops()
        return self.link.dropped


class Straight(Plain):
    """A link with another in its place, for as long as that can be."""

    def __init__(self, link):
        super().__init__(link)
        self.drops = Counter()
        self.straight = StraightLink.of(link, self.drops)
        assert self.straight is not None

    def take(self, payload, now_s):
        self.release(now_s)
        (self.link if self.straight is None else self.straight).receive(payload, now_s, "tag")

    def release(self, now_s):
        if self.straight is not None:
            entries = self.straight.release(now_s)
            self.left += [(due_s, seq, payload, tag) for due_s, _, tag, payload, _, seq, _ in entries]
        super().release(now_s)

    def change(self, rate, now_s):
        if self.straight is not None:
            self.straight.give_back(now_s)
            assert len(self.straight) == 0
            self.straight = None
        super().change(rate, now_s)

    def dropped(self):
        return self.drops + super().dropped()


@given(
    rate=rates,
    loss=losses,
    delay_s=st.sampled_from([0.0, 0.2]),
    packets=packets,
    changes_at=st.none() | st.integers(0, 40),
)
def test_the_same_packets_leave_at_the_same_times_whenever_the_link_goes_on_by_itself(
    rate, loss, delay_s, packets, changes_at
):
    both = Plain(Link(stages(rate, loss, delay_s))), Straight(Link(stages(rate, loss, delay_s)))
    now_s = 0.0
    for number, (gap_s, first, size) in enumerate(packets):
        now_s += gap_s
        for one in both:
            one.release(now_s)
            if number == changes_at:
                one.change(RateSpec(400.0, 300), now_s)
            one.take(first + bytes(size), now_s)
    for one in both:
        one.release(now_s + 1000.0)
    plain, straight = both
    assert straight.left == plain.left
    assert straight.dropped() == plain.dropped()
    assert straight.link.offered == plain.link.offered == len(packets)
    assert straight.link.seen == plain.link.seen


def test_what_is_being_sent_when_the_rate_changes_goes_on_at_the_new_rate():
    one = Straight(Link(stages(RateSpec(800.0), None, 0.5)))
    for _ in range(3):
        one.take(PAYLOAD, 0.0)
    # The first has left the bottleneck; half of the second has been sent, the other half takes 0.125 s.
    one.change(RateSpec(400.0), 0.1875)
    one.release(10.0)
    assert [due_s for due_s, *_ in one.left] == [0.625, 0.8125, 1.0625]


def test_it_says_when_the_next_packet_is_due():
    straight = StraightLink.of(Link(stages(RateSpec(800.0), None, 0.5)), Counter())
    assert straight.due_s is None
    straight.receive(PAYLOAD, 1.0, "tag")
    straight.receive(PAYLOAD, 1.0, "tag")
    assert straight.due_s == 1.625
    assert len(straight) == 2
    assert straight.release(1.6249) == []
    assert [entry[0] for entry in straight.release(1.625)] == [1.625]


def holding():
    stage = HeldRateStage(RateSpec(800.0))
    link = Link([stage])
    link.receive(PAYLOAD, 0.0)
    return link


@pytest.mark.parametrize(
    "link",
    [
        Link([HeldRateStage(RateSpec(800.0), [RateStep(1.0, 400.0)])]),
        Link([HeldRateStage(RateSpec(800.0), (), [(1.0, RateSpec(800.0, 0))])]),
        Link([ConstantDelayStage(ConstantDelaySpec(0.1)), HeldRateStage(RateSpec(800.0))]),
        Link(
            [ConstantDelayStage(ConstantDelaySpec(0.1)), BernoulliStage(BernoulliSpec(0.1), 1, Direction.UP)]
        ),
        Link([ConstantDelayStage(ConstantDelaySpec(0.1)) for _ in range(2)]),
        holding(),
    ],
    ids=["rate changes", "queue changes", "delay before rate", "delay before loss", "two delays", "holds"],
)
def test_a_link_that_does_more_has_none(link):
    assert StraightLink.of(link, Counter()) is None
