"""aiortc's SCTP does the same with the faster pieces and without."""

from itertools import product

import pytest
from aiortc.rtcsctptransport import USERDATA_MAX_LENGTH, DataChunk, SackChunk, parse_packet, serialize_packet
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simlab.virtual.fast import channels, sctp, sctp_packets
from tests.virtual.fast.sctp_pair import STATE, after_acknowledgement, seen

PIECES = (sctp_packets.PIECE, sctp.PIECE, channels.PIECE)

pytestmark = pytest.mark.skipif(
    not all(piece.fits for piece in PIECES), reason="written for another version of aiortc"
)

uint8, uint16, uint32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
whole = st.sampled_from([3, 3, 3, 0, 1, 2, 7, 255])
options = st.sampled_from(
    [{}, {"ordered": False}, {"maxRetransmits": 0}, {"maxPacketLifeTime": 300, "ordered": False}]
)
# Sizes of up to three chunks, more than the first window; steps as they come in life are the commonest.
step = st.one_of(
    st.tuples(st.just("send"), st.one_of(st.integers(0, 600), st.integers(0, 8000))),
    st.tuples(st.just("deliver all"), st.just(0)),
    st.tuples(st.sampled_from(["deliver", "deliver", "drop", "duplicate", "damage"]), st.integers(0, 9)),
    st.tuples(st.just("wait"), st.integers(0, 400)),
    st.tuples(st.just("close"), st.integers(0, 3)),
)


@given(st.lists(options, min_size=1, max_size=2), st.lists(step, max_size=40))
@example([{}], [("send", 200), ("deliver all", 0), ("send", 201), ("deliver all", 0), ("deliver all", 0)])
@settings(max_examples=200)
def test_two_ends_do_the_same_whatever_the_network_does(labels, steps):
    assert seen(labels, steps, PIECES) == seen(labels, steps, ())


def test_a_long_conversation_with_losses_is_the_same():
    steps = []
    for number in range(400):
        steps += [("send", number % 97 * 2 + number % 2), ("deliver all", 0), ("wait", 5)]
        if number % 7 == 0:
            steps += [("send", 3000), ("drop", number % 10), ("deliver", 2), ("deliver", 1)]
    fast = seen([{}], steps, PIECES)
    assert fast == seen([{}], steps, ())
    assert sum(isinstance(item, tuple) for item in fast) > 400


def test_much_at_once_opens_the_window_and_loses_it_alike():
    steps = []
    for number in range(60):
        steps.append(("send", 40_000))
        if number > 20 and number % 4 == 0:
            steps += [("drop", 2), ("deliver", 2)]
        steps += [("deliver all", 0)] * 12
    fast = seen([{}], steps, PIECES)
    assert fast == seen([{}], steps, ())
    windows = [int(item[0][0][STATE.index("_cwnd")]) for item in fast if isinstance(item, list)]
    assert max(windows) > 6 * USERDATA_MAX_LENGTH
    assert windows != sorted(windows)


def test_a_channel_closes_behind_its_last_message_alike():
    steps = [
        ("send", 40_000),
        ("send", 40_000),
        ("close", 0),
        *[("deliver all", 0)] * 20,
        ("wait", 150),
        ("deliver all", 0),
    ]
    fast = seen([{}, {}], steps, PIECES)
    assert fast == seen([{}, {}], steps, ())
    assert (1, "x" * 20_000) in fast or (0, "x" * 20_000) in fast
    assert [len(buffered) for *_, buffered, _ in fast[-1]] == [1, 1]


@pytest.mark.parametrize("ssthresh", [1200, 100_000])  # congestion avoidance, and slow start
@pytest.mark.parametrize("acked", list(product([False, True], repeat=3)))
def test_what_a_gap_report_has_acknowledged_does_not_open_the_window_again(ssthresh, acked):
    sizes = (100, 300, 500)
    fast = after_acknowledgement(sizes, acked, ssthresh, PIECES)
    assert fast == after_acknowledgement(sizes, acked, ssthresh, ())
    grown = int(fast[0][STATE.index("_cwnd")]) - 2400
    counted = grown if ssthresh > 2400 else int(fast[0][STATE.index("_partial_bytes_acked")])
    assert counted == sum(size for size, was in zip(sizes, acked, strict=True) if not was)


def _chunks(packet, parse):
    try:
        *head, chunks = parse(packet)
    except ValueError as error:
        return str(error)
    return head, [(type(chunk), vars(chunk)) for chunk in chunks]


@given(uint16, uint16, uint32, whole, st.tuples(uint32, uint16, uint16, uint32), st.binary(max_size=40))
def test_a_packet_of_data_is_written_and_read_alike(source, to, tag, flags, fields, user_data):
    chunk = DataChunk(flags=flags)
    chunk.tsn, chunk.stream_id, chunk.stream_seq, chunk.protocol = fields
    chunk.user_data = user_data
    packet = serialize_packet(source, to, tag, chunk)
    assert sctp_packets.serialize_packet(source, to, tag, chunk) == packet
    assert _chunks(packet, sctp_packets.parse_packet) == _chunks(packet, parse_packet)


@given(
    uint16,
    uint16,
    uint32,
    uint32,
    uint32,
    st.lists(st.tuples(uint16, uint16), max_size=2),
    st.lists(uint32, max_size=2),
)
def test_an_acknowledgement_is_written_and_read_alike(source, to, tag, tsn, window, gaps, duplicates):
    chunk = SackChunk()
    chunk.cumulative_tsn, chunk.advertised_rwnd, chunk.gaps, chunk.duplicates = tsn, window, gaps, duplicates
    packet = serialize_packet(source, to, tag, chunk)
    assert sctp_packets.serialize_packet(source, to, tag, chunk) == packet
    if not gaps and not duplicates:
        assert sctp_packets.sack_packet(source, to, tag, tsn, window) == packet
    assert _chunks(packet, sctp_packets.parse_packet) == _chunks(packet, parse_packet)


def _resealed(packet):
    return sctp_packets.sealed(packet[:8], packet[12:])


@given(st.sampled_from([0, 3, 1, 192]), uint8, st.integers(0, 60), st.binary(max_size=60), st.booleans())
def test_any_bytes_are_read_alike(kind, flags, length, body, sound):
    packet = bytes(12) + bytes([kind, flags]) + length.to_bytes(2) + body
    packet = _resealed(packet) if sound else packet
    try:
        expected = _chunks(packet, parse_packet)
    except Exception as error:
        with pytest.raises(type(error)):
            sctp_packets.parse_packet(packet)
    else:
        assert _chunks(packet, sctp_packets.parse_packet) == expected


@given(st.binary(max_size=30))
def test_what_is_no_packet_is_refused_alike(packet):
    assert _chunks(packet, sctp_packets.parse_packet) == _chunks(packet, parse_packet)
