"""Short pieces of sound and picture that are played in a loop, encoded once for each codec."""

from __future__ import annotations

import fractions
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from simlab.webrtc.later import av

SAMPLE_RATE_HZ = 48000
FRAME_S = 0.020
FRAME_SAMPLES = int(SAMPLE_RATE_HZ * FRAME_S)
BIT_RATE_BPS = 32000
PICTURES_PER_S = 30
PICTURE_S = 1 / PICTURES_PER_S
WIDTH, HEIGHT = 320, 240
VIDEO_BIT_RATE_BPS = 300_000
VIDEO_CLOCK_HZ = 90000
_LOOP_FRAMES = 50
TONE_HZ = 440
AMPLITUDE = 8000
AUDIBLE_LEVEL = 500
_QUARTER_PERIOD = 2 * SAMPLE_RATE_HZ // (4 * TONE_HZ)  # of the tone, in samples of stereo
_GLANCE = tuple(range(0, 4 * _QUARTER_PERIOD, _QUARTER_PERIOD))
_BAR_WIDTH = 16
_NOISY_ROWS = 32
_BAR_STEP = (WIDTH - _BAR_WIDTH) // (PICTURES_PER_S - 1)

TIME_BASES = {"audio": fractions.Fraction(1, SAMPLE_RATE_HZ), "video": fractions.Fraction(1, VIDEO_CLOCK_HZ)}
TICKS = {"audio": FRAME_SAMPLES, "video": VIDEO_CLOCK_HZ // PICTURES_PER_S}
INTERVALS_S = {"audio": FRAME_S, "video": PICTURE_S}
DEFAULT_CODECS = {"audio": "opus", "video": "VP8"}

_AUDIO_CODECS = {
    "opus": ("libopus", SAMPLE_RATE_HZ),
    "PCMU": ("pcm_mulaw", 8000),
    "PCMA": ("pcm_alaw", 8000),
    "G722": ("g722", 16000),
}


@dataclass(frozen=True)
class Clip:
    """A piece of sound in frames of 20 ms, or of 30 pictures a second.

    Parameters
    ----------
    kind
        ``"audio"`` or ``"video"``.
    name
        Clips of one name are the same.
    frames
        Makes the raw frames: 48 kHz, mono, 16 bit; or pictures, of one even size.
    """

    kind: str
    name: str
    frames: Callable[[], Iterable[av.AudioFrame | av.VideoFrame]] = field(compare=False)

    def encoded(self, codec: str | None = None) -> Sequence[bytes]:
        """Return the frames as a codec of that name in SDP has them, the first of them a key frame.

        Raises
        ------
        KeyError
            If the codec is none of opus, PCMU, PCMA, G722, VP8 and H264.
        """
        return _encoded(self, codec or DEFAULT_CODECS[self.kind])


@cache
def _encoded(clip: Clip, codec: str) -> tuple[bytes, ...]:
    if clip.kind == "audio":
        frames = list(clip.frames())
        # Encoded twice over, so that the encoder has settled when the piece begins that is played in a loop.
        return tuple(_encode_audio(frames * 2, codec))[-len(frames) :]
    return tuple(_encode_video(clip.frames(), codec))


def _encode_audio(frames: Iterable[av.AudioFrame | av.VideoFrame], codec: str) -> Iterator[bytes]:
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
        assert isinstance(frame, av.AudioFrame)
        frame.pts = number * FRAME_SAMPLES
        for resampled in resampler.resample(frame):
            yield from map(bytes, encoder.encode(resampled))
    yield from map(bytes, encoder.encode(None))


def _encode_video(frames: Iterable[av.AudioFrame | av.VideoFrame], codec: str) -> Iterator[bytes]:
    name = {"VP8": "libvpx", "H264": "libx264"}[codec]
    encoder: av.VideoCodecContext | None = None
    for frame in frames:
        assert isinstance(frame, av.VideoFrame)
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


def audio_frame(samples: np.ndarray[tuple[int], np.dtype[np.int16]], number: int) -> av.AudioFrame:
    """Return 960 samples as the frame of that number."""
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, number * FRAME_SAMPLES
    frame.time_base = TIME_BASES["audio"]
    return frame


def _sine(amplitude: int, frames: int) -> Iterator[av.AudioFrame]:
    for n in range(frames):
        at = np.arange(n * FRAME_SAMPLES, (n + 1) * FRAME_SAMPLES)
        samples = np.rint(amplitude * np.sin(2 * np.pi * TONE_HZ * at / SAMPLE_RATE_HZ)).astype(np.int16)
        yield audio_frame(samples, n)


def _pictures(bright: bool) -> Iterator[av.VideoFrame]:
    """Yield a bar that moves over noise and a gradient once a second, or 30 black pictures."""
    noise = np.random.default_rng(0)
    for n in range(PICTURES_PER_S):
        grey = np.zeros((HEIGHT, WIDTH), np.uint8)
        if bright:
            grey[:] = np.linspace(48, 144, HEIGHT, dtype=np.uint8)[:, None]
            # As costly as a face: a picture that compresses to nothing would be lost less often.
            grey[:_NOISY_ROWS] = noise.integers(0, 200, (_NOISY_ROWS, WIDTH), dtype=np.uint8)
            grey[:, n * _BAR_STEP : n * _BAR_STEP + _BAR_WIDTH] = 235
        planes = np.concatenate([grey.ravel(), np.full(WIDTH * HEIGHT // 2, 128, np.uint8)])
        frame = av.VideoFrame.from_ndarray(planes.reshape(HEIGHT * 3 // 2, WIDTH), format="yuv420p")
        frame.pts, frame.time_base = n, fractions.Fraction(1, PICTURES_PER_S)
        yield frame


def tone(amplitude: int) -> Clip:
    """Return a second of 440 Hz."""
    return Clip("audio", f"440 Hz of {amplitude}", lambda: _sine(amplitude, _LOOP_FRAMES))


def opus_frames(amplitude: int) -> Sequence[bytes]:
    """Return a second of a tone in Opus at a constant bit rate: 50 frames of 80 bytes."""
    return tone(amplitude).encoded("opus")


TONE, SILENCE = tone(AMPLITUDE), tone(0)
TEST_PICTURE = Clip("video", "test picture", lambda: _pictures(bright=True))
BLACK = Clip("video", "black", lambda: _pictures(bright=False))


def is_audible(frame: av.AudioFrame) -> bool:
    """Tell whether a decoded frame is more than silence."""
    samples = memoryview(frame.planes[0]).cast("B").cast("h")
    # A glance shows the tone; only what may be silence is gone through.
    for at in _GLANCE if len(samples) > _GLANCE[-1] else ():
        if samples[at] > AUDIBLE_LEVEL:
            return True
    return int(np.frombuffer(samples, np.int16).max(initial=0)) > AUDIBLE_LEVEL


def bar_of(frame: av.VideoFrame) -> int | None:
    """Return which of the 30 test pictures a decoded picture shows; None for one without a bar, as black.

    A picture that stands still always shows the same.
    """
    grey = frame.to_ndarray(format="gray")
    bright = np.flatnonzero(grey.mean(axis=0) > 190)
    return None if bright.size == 0 else round(float(bright.mean() - _BAR_WIDTH / 2 + 0.5) / _BAR_STEP)
