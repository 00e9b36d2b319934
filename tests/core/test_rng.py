from itertools import islice

import pytest

from simlab.core.impair.draws import Draws, normal_draws, uniform_draws
from simlab.core.packet import Direction, PacketClass
from simlab.core.rng import normals, stream, uniforms
from tests.core.passing import transit


def test_golden_stream():
    assert stream(1, "link", "up", "loss").random(3).tolist() == [
        0.37957068572314556,
        0.7607745642944292,
        0.7870920639314074,
    ]


def test_blocks_give_what_single_draws_give():
    single = stream(3, "a")
    assert list(islice(uniforms(stream(3, "a")), 600)) == [single.random() for _ in range(600)]
    single = stream(3, "b")
    assert list(islice(normals(stream(3, "b")), 600)) == [single.standard_normal() for _ in range(600)]


@pytest.mark.parametrize("read", [uniforms, normals])
@pytest.mark.parametrize("skip", [0, 1, 255, 256, 257, 65_536, 131_077])
def test_numbers_that_are_skipped_are_those_that_would_have_come_first(read, skip):
    wanted = list(islice(read(stream(3, "a")), skip, skip + 300))
    assert list(islice(read(stream(3, "a"), skip), 300)) == wanted


def test_a_stage_that_joins_late_meets_the_luck_of_the_packets_that_come_then():
    early, late = (uniform_draws(1, Direction.UP, "loss") for _ in range(2))
    packets = [transit(seq, kind=PacketClass.RTP).packet for seq in range(1000)]
    luck = [early.of(packet) for packet in packets]
    assert [late.of(packet) for packet in packets[700:]] == luck[700:]


def test_names_and_seeds_make_different_streams():
    firsts = {stream(seed, *path).random() for seed in range(10) for path in (("a",), ("b",), ("a", "b"))}
    assert len(firsts) == 30


def test_draws_go_by_the_number_in_the_class():
    numbers = {
        ("rtp",): [0.0, 0.1, 0.2, 0.3, 0.4, 0.5],
        ("rtp", "copy"): [9.0, 9.1],
        ("rtcp",): [0.7, 0.8],
        ("rtcp", "copy"): [],
    }
    draws = Draws(lambda *path: path, lambda path, skip: islice(numbers[path], skip, None))
    rtp = [transit(seq, kind=PacketClass.RTP).packet for seq in range(6)]
    rtcp = [transit(seq, kind=PacketClass.RTCP).packet for seq in range(2)]
    packets = [rtp[0], rtcp[0], rtp[1], rtp[1], rtp[4], rtcp[1], rtp[4], rtp[5]]
    assert [draws.of(packet) for packet in packets] == [0.0, 0.7, 0.1, 9.0, 0.4, 0.8, 9.1, 0.5]


def test_what_else_is_sent_changes_nothing():
    link_of_two, link_of_one = uniform_draws(5, Direction.UP, "loss"), uniform_draws(5, Direction.UP, "loss")
    rtp = [transit(n, kind=PacketClass.RTP).packet for n in range(50)]
    stun = [transit(n, kind=PacketClass.STUN_REQUEST).packet for n in range(50)]
    both = [(link_of_two.of(r), link_of_two.of(s)) for r, s in zip(rtp, stun, strict=True)]
    assert [first for first, _ in both] == [link_of_one.of(packet) for packet in rtp]
    assert all(first != second for first, second in both)


@pytest.mark.parametrize("make", [uniform_draws, normal_draws])
def test_skipping_packets_changes_nothing(make):
    every = make(5, Direction.UP, "delay")
    some = make(5, Direction.UP, "delay")
    values = [every.of(transit(seq).packet) for seq in range(1000)]
    assert [some.of(transit(seq).packet) for seq in range(3, 1000, 7)] == values[3::7]
