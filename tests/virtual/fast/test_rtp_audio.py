"""What a receiver of aiortc does with RTP packets, with the faster piece and without."""

import pytest
from aiortc import rtcrtpreceiver
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from simlab.virtual.fast import rtp_audio
from simlab.virtual.fast.piece import in_place
from simlab.virtual.loop import VirtualLoop
from simlab.virtual.replace import replaced

pytestmark = pytest.mark.skipif(not rtp_audio.PIECE.fits, reason="written for another version of aiortc")

CODECS = {
    96: RTCRtpCodecParameters("audio/opus", 48000, 2, 96),
    97: RTCRtpCodecParameters("audio/rtx", 48000, 2, 97, parameters={"apt": 96}),
    98: RTCRtpCodecParameters("video/VP8", 90000, None, 98),
}


class Transport:
    state = "connected"


class Decoder:
    """Stand in for the queue of the decoder's thread, and for the thread."""

    def __init__(self):
        self.got = []

    def put(self, task):
        codec, frame = task
        self.got.append((codec.name, vars(frame)))


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def time(self):
        return self.now_s


def _state_of(receiver):
    inside = {name.removeprefix("_RTCRtpReceiver__"): value for name, value in vars(receiver).items()}
    statistics = {ssrc: vars(stream).copy() for ssrc, stream in inside["remote_streams"].items()}
    kept = [packet and (packet.sequence_number, packet._data) for packet in inside["jitter_buffer"]._packets]
    missing = sorted(inside["nack_generator"].missing) if inside["nack_generator"] else None
    return statistics, kept, missing, sorted(inside["active_ssrc"]), inside["decoder_error"].is_set()


def _jump(payload):
    """Return by how much a packet is out of its turn: by one, or far."""
    return 0x8000 if payload == b"far" else len(payload) % 2


def _log(steps, kind, pieces, first_number=0):
    async def act():
        receiver, decoder, log = RTCRtpReceiver(kind, Transport()), Decoder(), []
        receiver._RTCRtpReceiver__codecs = CODECS
        receiver._RTCRtpReceiver__rtx_ssrc = {2: 1}
        receiver._RTCRtpReceiver__decoder_queue = decoder
        for number, (payload_type, ssrc, payload, what) in enumerate(steps):
            clock.now_s += 0.02
            receiver._enabled = what != "disabled"
            receiver._RTCRtpReceiver__decoder_thread = None if what == "stopped" else decoder
            if what == "error":
                receiver._RTCRtpReceiver__decoder_error.set()
            at = (first_number + number + _jump(payload)) % 2**16
            packet = RtpPacket(payload_type, 0, at, number * 960, ssrc, payload)
            await receiver._handle_rtp_packet(packet, arrival_time_ms=number)
            log.append((_state_of(receiver), len(decoder.got)))
        return log, decoder.got

    clock, loop = Clock(), VirtualLoop()
    with in_place(pieces), replaced(rtcrtpreceiver, "time", clock):
        result = loop.run_until_complete(act())
    loop.close()
    return result


step = st.tuples(
    st.sampled_from([96, 96, 96, 96, 97, 98, 99]),
    st.sampled_from([1, 1, 1, 2, 3]),
    st.one_of(st.binary(max_size=4), st.just(b"far")),
    st.sampled_from(["usual", "usual", "usual", "disabled", "stopped", "error"]),
)
usual = st.tuples(st.just(96), st.just(1), st.binary(min_size=1, max_size=4), st.just("usual"))


@given(
    st.one_of(st.lists(step, max_size=30), st.lists(usual, min_size=6, max_size=20)),
    st.sampled_from(["audio", "video"]),
    st.sampled_from([0, 2**15 - 3, 2**16 - 3]),
)
def test_a_receiver_does_the_same_with_any_packets(steps, kind, first_number):
    assert _log(steps, kind, [rtp_audio.PIECE], first_number) == _log(steps, kind, [], first_number)


def test_frames_come_out_of_it():
    _, frames = _log([(96, 1, b"ab", "usual")] * 9, "audio", [rtp_audio.PIECE])
    assert [name for name, _ in frames] == ["opus"] * 5
