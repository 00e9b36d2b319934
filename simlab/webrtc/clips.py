"""Short pieces of sound and picture that are played in a loop, encoded once for each codec."""

from __future__ import annotations

import fractions
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from simlab.webrtc.encoders import (
    FRAME_S,
    FRAME_SAMPLES,
    PICTURES_PER_S,
    SAMPLE_RATE_HZ,
    encode_loop,
    encode_pictures,
)
from simlab.webrtc.kept_sound import Heard, kept_packets
from simlab.webrtc.later import av

PICTURE_S = 1 / PICTURES_PER_S
WIDTH, HEIGHT = 320, 240
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
    if (clip, codec) in _KEPT:
        return kept_packets(_KEPT[clip, codec])
    frames: Any = clip.frames()
    return tuple(encode_loop(list(frames), codec) if clip.kind == "audio" else encode_pictures(frames, codec))


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
_KEPT = {(TONE, "opus"): "tone", (SILENCE, "opus"): "silence"}
TEST_PICTURE = Clip("video", "test picture", lambda: _pictures(bright=True))
BLACK = Clip("video", "black", lambda: _pictures(bright=False))


def is_audible(frame: av.AudioFrame | Heard) -> bool:
    """Tell whether a decoded frame is more than silence."""
    if isinstance(frame, Heard):
        return frame.is_audible
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
