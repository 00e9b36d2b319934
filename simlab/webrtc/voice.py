"""What the bot says: a tone, or the client's own words; and how its output gets stuck (fault S4)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from simlab.webrtc.encoders import BIT_RATE_BPS, FRAME_SAMPLES, SAMPLE_RATE_HZ
from simlab.webrtc.later import av
from simlab.webrtc.media import Source

_LONGEST_ECHO_FRAMES = 50


class Voice(Source):
    """A tone, written to the connection's track one frame after the other.

    Pipecat's output waits for each write until the track has taken it. When the track is replaced
    meanwhile, nobody takes it any more: after a time the output counts as unusable, for good.

    Parameters
    ----------
    blocks
        Whether a write on a track that is gone blocks those that follow it.
    muted
        Called when the output has become unusable.
    timeout_s
        How long a write may take until then.
    """

    def __init__(
        self,
        sent: Callable[[], None],
        speaks: Callable[[], bool],
        blocks: bool,
        muted: Callable[[], None],
        timeout_s: float,
    ) -> None:
        super().__init__(sent, self._write)
        self._timeout_s = timeout_s
        self._wants = speaks
        self._blocks = blocks
        self._muted = muted
        self._writing = False
        self._stuck: asyncio.TimerHandle | None = None

    def _write(self) -> bool:
        """Tell whether a frame is written now. The next write begins at once when this one is taken."""
        self._writing = self._stuck is None and self._wants()
        return self._writing

    def track_lost(self) -> None:
        """Take in that the client's restart has ended the track."""
        if self._writing and self._blocks:
            self._stuck = asyncio.get_running_loop().call_later(self._timeout_s, self._muted)
        self._writing = False

    def stop(self) -> None:
        """End it for good."""
        super().stop()
        if self._stuck is not None:
            self._stuck.cancel()


class Echo(Voice):
    """What is heard, said back; up to a second of it is kept."""

    def __init__(
        self,
        sent: Callable[[], None],
        speaks: Callable[[], bool],
        blocks: bool,
        muted: Callable[[], None],
        timeout_s: float,
    ) -> None:
        super().__init__(sent, lambda: bool(self._heard) and speaks(), blocks, muted, timeout_s)
        self._heard: deque[bytes] = deque(maxlen=_LONGEST_ECHO_FRAMES)
        self._resampler = av.AudioResampler(
            format="s16", layout="mono", rate=SAMPLE_RATE_HZ, frame_size=FRAME_SAMPLES
        )
        self._encoder: Any = av.CodecContext.create("libopus", "w")
        self._encoder.sample_rate, self._encoder.bit_rate = SAMPLE_RATE_HZ, BIT_RATE_BPS
        self._encoder.format, self._encoder.layout = "s16", "mono"
        self._encoder.options = {"vbr": "off", "application": "voip", "frame_duration": "20"}

    def hear(self, frame: av.AudioFrame) -> None:
        """Keep a decoded frame, to say it."""
        for mono in self._resampler.resample(frame):
            self._heard.extend(bytes(packet) for packet in self._encoder.encode(mono))

    def frame(self, number: int, codec: str | None = None) -> bytes:
        """Return what was heard, in Opus, or silence."""
        silence = super().frame(number, codec)
        return self._heard.popleft() if self._writing else silence
