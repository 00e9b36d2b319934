"""RTP packets are written, read, sealed and put in order alike with the faster pieces and without."""

import datetime

import pylibsrtp
import pytest
import time_machine
from aiortc import clock
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtp import HeaderExtensions, HeaderExtensionsMap, RtpPacket
from hypothesis import given, settings
from hypothesis import strategies as st

from simlab.virtual.fast import jitter, rtp_clock, srtp
from simlab.virtual.fast import rtp as fast_rtp
from simlab.virtual.fast.piece import in_place

PIECES = (fast_rtp.PIECE, srtp.PIECE, jitter.PIECE, rtp_clock.piece(lambda: 0))

pytestmark = pytest.mark.skipif(
    not all(piece.fits for piece in PIECES), reason="written for another version of aiortc or pylibsrtp"
)

uint16, uint24, uint32 = (st.integers(0, 2**bits - 1) for bits in (16, 24, 32))
names = st.one_of(st.just("0"), st.text("ab\u00e9", max_size=17))
ids = st.sampled_from([None, 0, 1, 2, 3, 14, 15])
extensions = st.builds(
    HeaderExtensions,
    mid=st.one_of(st.just("0"), st.none(), names),
    abs_send_time=st.one_of(st.none(), uint24),
    audio_level=st.one_of(st.none(), st.tuples(st.booleans(), st.integers(0, 127))),
)


def extensions_map(mid, abs_send_time, audio_level):
    made = HeaderExtensionsMap()
    made._HeaderExtensionsMap__ids = HeaderExtensions(
        mid=mid, abs_send_time=abs_send_time, audio_level=audio_level
    )
    return made


maps = st.one_of(
    st.builds(extensions_map, st.just(1), st.none(), st.just(2)), st.builds(extensions_map, ids, ids, ids)
)


def outcome(pieces, act):
    """Return what comes of an act, or what it raises."""
    with in_place(pieces):
        try:
            return act()
        except Exception as error:
            return type(error), str(error)


def alike(act):
    """Return the outcome, which must be the same both ways."""
    fast = outcome(PIECES, act)
    assert fast == outcome((), act)
    return fast


def fields(packet):
    return vars(packet) | {"extensions": vars(packet.extensions)}


@settings(max_examples=300)
@given(maps, extensions, st.tuples(st.integers(0, 127), st.integers(0, 1), uint16, uint32, uint32), st.data())
def test_a_packet_is_written_and_read_alike(extensions_map, extensions, header, data):
    def written():
        kind, marker, number, timestamp, ssrc = header
        packet = RtpPacket(kind, marker, number, timestamp, ssrc, payload)
        packet.extensions, packet.csrc = extensions, csrc
        return packet.serialize(extensions_map)

    payload = data.draw(st.binary(max_size=20))
    csrc = data.draw(st.sampled_from([[], [], [7], [8, 9]]))
    packet = alike(written)
    if isinstance(packet, bytes):
        alike(lambda: fields(RtpPacket.parse(packet, extensions_map)))


@given(maps, st.sampled_from([0x90, 0x80, 0x91, 0xB0, 0x10]), st.sampled_from([0xBEDE, 0x1000, 7]), st.data())
def test_any_bytes_are_read_alike(extensions_map, first, profile, data):
    value = data.draw(st.one_of(st.binary(max_size=12), st.just(b"\x10" + b"0\0\0")))
    words = data.draw(st.one_of(st.just(len(value) // 4), st.integers(0, 4)))
    head = bytes([first, 0x60]) + bytes(10) + profile.to_bytes(2) + words.to_bytes(2)
    packet = (head + value)[: data.draw(st.one_of(st.just(99), st.integers(0, 28)))]
    alike(lambda: fields(RtpPacket.parse(packet, extensions_map)))
    alike(lambda: fields(RtpPacket.parse(packet)))


def policy(direction):
    profile = pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80
    return pylibsrtp.Policy(key=bytes(range(30)), ssrc_type=direction, srtp_profile=profile)


@given(st.lists(st.tuples(uint16, st.integers(0, 1500), st.sampled_from([None, 3, 20])), max_size=12))
def test_packets_are_sealed_and_opened_alike(steps):
    def act():
        sender = pylibsrtp.Session(policy(pylibsrtp.Policy.SSRC_ANY_OUTBOUND))
        receiver = pylibsrtp.Session(policy(pylibsrtp.Policy.SSRC_ANY_INBOUND))
        log = []
        for number, size, damaged_at in steps:
            try:
                sealed = sender.protect(RtpPacket(sequence_number=number, payload=bytes(size)).serialize())
                log.append(sealed)
                if damaged_at is not None:
                    sealed = sealed[:damaged_at] + b"\xff" + sealed[damaged_at + 1 :]
                log.append(receiver.unprotect(sealed))
            except (pylibsrtp.Error, ValueError) as error:
                log.append((type(error), str(error)))
        return log

    alike(act)


def test_what_is_not_bytes_is_refused_alike():
    def act():
        pylibsrtp.Session(policy(pylibsrtp.Policy.SSRC_ANY_OUTBOUND)).protect(bytearray(20))

    assert alike(act) == (TypeError, "packet must be bytes")


@given(
    st.integers(0, 2**16 - 1),
    st.sampled_from([(16, 4, False), (16, 0, False), (8, 0, True)]),
    st.sampled_from([1, 1, 2, 3]),
    st.lists(st.one_of(st.just(0), st.none(), st.integers(0, 20)), max_size=60),
)
def test_frames_leave_the_jitter_buffer_alike(origin, shape, per_frame, late_by):
    """Each packet is late by some others, or lost where there is None."""
    late = {step: by for step, by in enumerate(late_by) if by is not None}

    def act():
        buffer, log = JitterBuffer(*shape), []
        for step in sorted(late, key=lambda step: step + late[step]):
            number = (origin + step) % 2**16
            packet = RtpPacket(sequence_number=number, timestamp=step // per_frame * 960)
            packet._data = bytes([step])
            pli, frame = buffer.add(packet)
            kept = [packet and packet.sequence_number for packet in buffer._packets]
            log.append((pli, frame and vars(frame), buffer._origin, kept))
        return log

    alike(act)


@given(st.integers(0, 10**15))
def test_the_time_is_what_the_stopped_wall_clock_shows(elapsed_ns):
    now_ns = 1_750_000_000 * 10**9 + elapsed_ns
    with time_machine.travel(0, tick=False) as traveller:
        traveller.time_ns = lambda: now_ns
        shown = clock.current_datetime()
        with in_place([rtp_clock.piece(lambda: now_ns)]):
            moment = clock.current_datetime()
            assert clock.current_ntp_time() == clock.datetime_to_ntp(moment)
    # An older time-machine rounds the last digit, where this one cuts it off.
    assert abs(moment - shown) <= datetime.timedelta(microseconds=1)
    assert moment.tzinfo is datetime.UTC
