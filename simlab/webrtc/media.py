"""Synthetic audio that can be told from silence, and the ears that tell."""

import asyncio
import fractions
from collections.abc import Callable
from functools import cache
from typing import Any

import av
import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

SAMPLE_RATE_HZ = 48000
FRAME_S = 0.020
FRAME_SAMPLES = int(SAMPLE_RATE_HZ * FRAME_S)
BIT_RATE_BPS = 32000
_TIME_BASE = fractions.Fraction(1, SAMPLE_RATE_HZ)
_LOOP_FRAMES = 50
_WARM_UP_FRAMES = 10
TONE_HZ = 440
AMPLITUDE = 8000
AUDIBLE_LEVEL = 500
_QUARTER_PERIOD = 2 * SAMPLE_RATE_HZ // (4 * TONE_HZ)  # of the tone, in samples of stereo


@cache
def opus_frames(amplitude: int) -> tuple[bytes, ...]:
    """Return a second of Opus at a constant bit rate, 50 frames of 80 bytes, that can be played in a loop.

    It is encoded once, since it is always the same. A constant bit rate gives every frame the same
    size on every machine.
    """
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.bit_rate = SAMPLE_RATE_HZ, BIT_RATE_BPS
    encoder.format, encoder.layout = "s16", "mono"
    encoder.options = {"vbr": "off", "application": "voip", "frame_duration": "20"}
    out: list[bytes] = []
    for n in range(_WARM_UP_FRAMES + _LOOP_FRAMES):
        at = np.arange(n * FRAME_SAMPLES, (n + 1) * FRAME_SAMPLES)
        samples = np.rint(amplitude * np.sin(2 * np.pi * TONE_HZ * at / SAMPLE_RATE_HZ)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE_HZ, n * FRAME_SAMPLES, _TIME_BASE
        out += [bytes(packet) for packet in encoder.encode(frame)]
    out += [bytes(packet) for packet in encoder.encode(None)]
    return tuple(out[-_LOOP_FRAMES:])


class Source:
    """A microphone, or a bot's voice: a tone that any number of connections can be given at once.

    Parameters
    ----------
    sent
        Called for each frame that is handed to the newest connection.
    speaks
        Asked for each frame; while it says False, silence is sent.
    """

    def __init__(self, sent: Callable[[], None], speaks: Callable[[], bool] = lambda: True) -> None:
        self.ended = False
        self.speaks = speaks
        self.sent = sent
        self.newest: Slot | None = None

    def stop(self) -> None:
        """End it for good, for every connection that has it."""
        self.ended = True

    def frame(self, number: int) -> bytes:
        """Return the frame of that number."""
        return opus_frames(AMPLITUDE if self.speaks() else 0)[number % _LOOP_FRAMES]


class Slot(MediaStreamTrack):
    """What a connection sends on one transceiver: whatever source is plugged in, or nothing.

    aiortc polls a sender without a track 50 times a second; a slot without a source just waits.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self._source: Source | None = None
        self._plugged = asyncio.Event()
        self._number = 0
        self._due_s: float | None = None

    def plug(self, source: Source) -> None:
        """Send what this source gives from now on."""
        self._source = source
        source.newest = self
        self._plugged.set()

    def unplug(self) -> None:
        """Send nothing any more, and leave the source as it is."""
        self._source = None
        self._plugged.clear()

    async def recv(self) -> "av.Packet[Any]":
        """Return the next frame when its time has come.

        Raises
        ------
        MediaStreamError
            If the connection is closed, or the source has ended.
        """
        loop = asyncio.get_running_loop()
        while self._source is None:
            await self._plugged.wait()
            self._due_s = None
        self._due_s = loop.time() if self._due_s is None else self._due_s + FRAME_S
        await asyncio.sleep(self._due_s - loop.time())
        if self.readyState != "live" or (self._source is not None and self._source.ended):
            raise MediaStreamError
        return self._next_packet()

    def _next_packet(self) -> "av.Packet[Any]":
        source = self._source
        packet = av.Packet(source.frame(self._number) if source is not None else opus_frames(0)[0])
        packet.pts, packet.time_base = self._number * FRAME_SAMPLES, _TIME_BASE
        self._number += 1
        if source is not None and source.newest is self:
            source.sent()
        return packet


def is_audible(frame: av.AudioFrame) -> bool:
    """Tell whether a decoded frame is more than silence."""
    samples = memoryview(frame.planes[0]).cast("B").cast("h")
    # A glance shows the tone; only what may be silence is gone through.
    glance = max(samples[: 4 * _QUARTER_PERIOD : _QUARTER_PERIOD], default=0)
    return glance > AUDIBLE_LEVEL or int(np.frombuffer(samples, np.int16).max(initial=0)) > AUDIBLE_LEVEL
