"""Encode sound and pictures as they are sent, with PyAV."""

from __future__ import annotations

import fractions
from collections.abc import Iterable, Iterator, Sequence

from simlab.webrtc.later import av

SAMPLE_RATE_HZ = 48000
FRAME_S = 0.020
FRAME_SAMPLES = int(SAMPLE_RATE_HZ * FRAME_S)
BIT_RATE_BPS = 32000
PICTURES_PER_S = 30
VIDEO_BIT_RATE_BPS = 300_000

_AUDIO_CODECS = {
    "opus": ("libopus", SAMPLE_RATE_HZ),
    "PCMU": ("pcm_mulaw", 8000),
    "PCMA": ("pcm_alaw", 8000),
    "G722": ("g722", 16000),
}
_VIDEO_CODECS = {"VP8": "libvpx", "H264": "libx264"}


def encode_loop(frames: Sequence[av.AudioFrame], codec: str) -> Sequence[bytes]:
    """Return frames of sound, which are played in a loop, in a codec of that name in SDP.

    Raises
    ------
    KeyError
        If there is no such codec for sound.
    """
    # Encoded twice over, so that the encoder has settled when the piece begins that is played.
    return tuple(_encode_audio([*frames, *frames], codec))[-len(frames) :]


def _encode_audio(frames: Iterable[av.AudioFrame], codec: str) -> Iterator[bytes]:
    name, rate_hz = _AUDIO_CODECS[codec]
    encoder = av.CodecContext.create(name, "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.format, encoder.layout = rate_hz, "s16", "mono"
    if codec == "opus":
        # A constant bit rate gives every frame the same size on every machine.
        encoder.bit_rate = BIT_RATE_BPS
        encoder.options = {"vbr": "off", "application": "voip", "frame_duration": "20"}
    resampler = av.AudioResampler("s16", "mono", rate_hz, frame_size=int(rate_hz * FRAME_S))
    for number, frame in enumerate(frames):
        frame.pts = number * FRAME_SAMPLES
        for resampled in resampler.resample(frame):
            yield from map(bytes, encoder.encode(resampled))
    yield from map(bytes, encoder.encode(None))


def encode_pictures(frames: Iterable[av.VideoFrame], codec: str) -> Iterator[bytes]:
    """Yield pictures in a codec of that name in SDP, the first one as a key frame.

    Raises
    ------
    KeyError
        If there is no such codec for pictures.
    """
    name = _VIDEO_CODECS[codec]
    encoder: av.VideoCodecContext | None = None
    for frame in frames:
        encoder = encoder or _video_encoder(name, frame.width, frame.height)
        yield from map(bytes, encoder.encode(frame))
    if encoder is not None:
        yield from map(bytes, encoder.encode(None))


def _video_encoder(name: str, width: int, height: int) -> av.VideoCodecContext:
    encoder = av.CodecContext.create(name, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.bit_rate = VIDEO_BIT_RATE_BPS
    encoder.time_base = fractions.Fraction(1, PICTURES_PER_S)
    encoder.framerate = fractions.Fraction(PICTURES_PER_S)
    encoder.gop_size = 100_000  # one key frame, at the beginning of the loop
    encoder.thread_count = 1  # the same bytes however many processors there are
    # With more than 0, libvpx looks at the real time that pictures take, and makes less of the next one.
    fast = {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0", "auto-alt-ref": "0"}
    zero = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}
    encoder.options = fast if name == "libvpx" else zero
    return encoder
