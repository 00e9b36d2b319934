from itertools import islice

import pytest

from simlab.core.impair.draws import Draws, normal_draws, uniform_draws
from simlab.core.packet import Direction
from simlab.core.rng import normals, stream, uniforms


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


def test_names_and_seeds_make_different_streams():
    firsts = {stream(seed, *path).random() for seed in range(10) for path in (("a",), ("b",), ("a", "b"))}
    assert len(firsts) == 30


def test_draws_go_by_packet_number():
    draws = Draws(iter([0.0, 0.1, 0.2, 0.3, 0.4, 0.5]), iter([9.0, 9.1]))
    assert [draws.of(seq) for seq in (0, 1, 1, 4, 4, 5)] == [0.0, 0.1, 9.0, 0.4, 9.1, 0.5]


@pytest.mark.parametrize("make", [uniform_draws, normal_draws])
def test_skipping_packets_changes_nothing(make):
    every = make(5, Direction.UP, "delay")
    some = make(5, Direction.UP, "delay")
    values = [every.of(seq) for seq in range(1000)]
    assert [some.of(seq) for seq in range(3, 1000, 7)] == values[3::7]
