"""The tone and the silence of the package: what they sound like, and what is heard without decoding them."""

import numpy as np
import pytest
from aiortc.codecs.opus import OpusDecoder
from aiortc.jitterbuffer import JitterFrame
from hypothesis import example, given
from hypothesis import strategies as st

from simlab.webrtc.clips import SILENCE, TONE, is_audible
from simlab.webrtc.kept_sound import PACKET_BYTES, KeptSoundDecoder, kept_packets
from tests.webrtc.opus_packets import CLIPS, encoded

PACKETS = (*kept_packets("tone"), kept_packets("silence")[0])
SILENT = 50  # its place among them


def decoded(decoder, packets):
    frames = [JitterFrame(data, number * 960) for number, data in enumerate(packets)]
    return [decoder.decode(frame) for frame in frames]


def samples(packets):
    """Return a second of it, after another in which the decoder has settled; one of two equal channels."""
    frames = decoded(OpusDecoder(), [*packets, *packets])[len(packets) :]
    return np.concatenate([frame.to_ndarray()[0, ::2] for (frame,) in frames]).astype(float)


@pytest.mark.parametrize(("clip", "name"), [(TONE, "tone"), (SILENCE, "silence")])
def test_they_are_what_is_sent_in_opus(clip, name):
    assert clip.encoded() == clip.encoded("opus") == kept_packets(name)
    assert [len(packet) for packet in kept_packets(name)] == [PACKET_BYTES] * 50


@pytest.mark.parametrize("name", list(CLIPS))
def test_the_encoder_makes_the_same_sound_now(name):
    # Not the same bytes: libopus computes with what the processor has.
    kept, now = samples(kept_packets(name)), samples(encoded(name))
    assert np.abs(kept - now).max() <= 0.02 * 8000


def test_the_tone_is_of_440_hz():
    spectrum = np.abs(np.fft.rfft(samples(kept_packets("tone")))) ** 2
    assert spectrum.argmax() == 440
    assert spectrum[435:446].sum() > 0.9 * spectrum.sum()


def runs():
    """Packets as they come: in a row, with some lost, and the microphone on or off."""
    run = st.tuples(st.booleans(), st.integers(0, 49), st.integers(1, 8))
    return st.lists(run, min_size=1, max_size=8).map(
        lambda runs: [(begin + n) % 50 if on else SILENT for on, begin, length in runs for n in range(length)]
    )


@given(st.one_of(runs(), st.lists(st.integers(0, SILENT), max_size=12)))
@example([SILENT] * 3)
@example([48, 49, SILENT, SILENT])
@example([49, 48, SILENT, SILENT])
@example([place for n in range(50) for place in (n, SILENT)])
@example([place for n in range(50) for place in (n, SILENT, SILENT)])
def test_what_a_decoder_makes_audible_is_heard(places):
    packets = [PACKETS[place] for place in places]
    real, kept = decoded(OpusDecoder(), packets), decoded(KeptSoundDecoder(), packets)
    assert [[is_audible(each) for each in frames] for frames in kept] == [
        [is_audible(each) for each in frames] for frames in real
    ]


def test_any_other_sound_is_refused():
    with pytest.raises(KeyError):
        KeptSoundDecoder().decode(JitterFrame(b"abc", 0))
