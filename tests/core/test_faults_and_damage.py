import math

import pytest

from simlab.core.impair import (
    BlockSpec,
    BlockStage,
    CorruptSpec,
    CorruptStage,
    DuplicateSpec,
    DuplicateStage,
)
from simlab.core.packet import Direction, PacketClass
from tests.core.passing import pass_through, transit

UP = Direction.UP
STUN = frozenset({PacketClass.STUN_REQUEST, PacketClass.STUN_RESPONSE})


def passes(stage, at_s, kind=PacketClass.RTP):
    return bool(stage.apply(transit(0, at_s, kind=kind)))


def test_a_blackout_is_closed_at_its_start_and_open_at_its_end():
    stage = BlockStage("blackout", [BlockSpec(1.0, 2.0)])
    at_s = [0.0, 0.999, 1.0, 1.5, 1.999, 2.0, 9.0]
    assert [passes(stage, t) for t in at_s] == [True, True, False, False, False, True, True]
    assert stage.name == "blackout"


def test_a_block_takes_its_classes_alone():
    stage = BlockStage("block", [BlockSpec(1.0, 2.0, STUN)])
    assert not passes(stage, 1.0, PacketClass.STUN_REQUEST)
    assert passes(stage, 1.0, PacketClass.STUN_INDICATION)
    assert passes(stage, 1.0, PacketClass.RTP)
    assert passes(stage, 2.0, PacketClass.STUN_REQUEST)


def test_several_windows_in_any_order():
    specs = [BlockSpec(5.0, 6.0), BlockSpec(1.0, 3.0, STUN), BlockSpec(2.0, 4.0)]
    stage = BlockStage("block", specs)
    at_s = [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5]
    assert [passes(stage, t) for t in at_s] == [True, True, False, False, True, False, True]


def test_a_window_between_two_packets_does_nothing():
    stage = BlockStage("blackout", [BlockSpec(1.0, 2.0), BlockSpec(3.0, 4.0)])
    assert [passes(stage, t) for t in (0.0, 2.5, 4.0)] == [True, True, True]


def test_without_windows_everything_passes():
    assert passes(BlockStage("blackout", []), 1.0)


def test_golden_duplicates():
    out = pass_through(DuplicateStage(DuplicateSpec(0.2), 1, UP), 40)
    assert [n for n, pair in enumerate(out) if len(pair) == 2] == [4, 5, 6, 13, 22, 31]


def test_a_copy_is_equal_and_its_own():
    original, copy = DuplicateStage(DuplicateSpec(1.0), 1, UP).apply(transit(0, 2.0, b"abc"))
    assert (copy.packet, copy.due_s, copy.payload) == (original.packet, original.due_s, original.payload)
    assert copy is not original


def test_golden_corruption():
    out = pass_through(CorruptStage(CorruptSpec(0.2), 1, UP), 40)
    damaged = [(n, t.payload.hex()) for n, (t,) in enumerate(out) if any(t.payload)]
    assert damaged == [
        (1, "00040000"),
        (8, "00000004"),
        (10, "00001000"),
        (18, "00040000"),
        (24, "00000400"),
        (26, "80000000"),
        (32, "08000000"),
        (36, "00004000"),
        (37, "08000000"),
        (38, "00010000"),
    ]


def test_every_bit_is_as_likely():
    count, bits = 32_000, 32
    out = pass_through(CorruptStage(CorruptSpec(1.0), 1, UP), count)
    values = [int.from_bytes(t.payload) for (t,) in out]
    assert all(value.bit_count() == 1 for value in values)
    # 1000 of each are expected; 5 SD of a binomial count.
    allowed = 5 * math.sqrt(count / bits * (1 - 1 / bits))
    for bit in range(bits):
        assert values.count(1 << bit) == pytest.approx(count / bits, abs=allowed)


def test_an_empty_payload_stays_empty():
    (out,) = CorruptStage(CorruptSpec(1.0), 1, UP).apply(transit(0, payload=b""))
    assert out.payload == b""


def test_the_packet_keeps_its_original_payload():
    (out,) = CorruptStage(CorruptSpec(1.0), 1, UP).apply(transit(0, payload=b"abc"))
    assert out.packet.payload == b"abc"
    assert out.payload != b"abc"
