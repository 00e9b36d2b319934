"""What aiortc's encoders make of sound that comes encoded, with the faster piece and without."""

import pytest
from aiortc.codecs.g711 import PcmuEncoder
from aiortc.codecs.opus import OpusEncoder
from hypothesis import given
from hypothesis import strategies as st

from simlab.virtual.fast import opus_out
from simlab.virtual.fast.piece import in_place
from simlab.webrtc import media

pytestmark = pytest.mark.skipif(not opus_out.PIECE.fits, reason="written for another version of aiortc")


def packed(make_encoder, codec, data, number, pieces):
    with in_place(pieces):
        return make_encoder().pack(media.packet_of("audio", codec, data, number))


@given(st.binary(min_size=1, max_size=20), st.integers(0, 2**40))
@pytest.mark.parametrize("codec", ["opus", "PCMU", None])
def test_packets_are_packed_alike(codec, data, number):
    assert packed(OpusEncoder, codec, data, number, [opus_out.PIECE]) == packed(
        OpusEncoder, codec, data, number, []
    )


def test_an_encoder_of_another_codec_packs_it_as_a_packet_of_pyav():
    args = (PcmuEncoder, "opus", b"abc", 7)
    assert packed(*args, [opus_out.PIECE]) == packed(*args, [])


def test_it_is_the_faster_packet():
    with in_place([opus_out.PIECE]):
        assert isinstance(media.packet_of("audio", "opus", b"abc", 7), opus_out.OpusPacket)
