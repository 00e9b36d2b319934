"""What is sent: sources of sound and picture, and the tracks that take them to a connection."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from aiortc import RTCRtpTransceiver
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from simlab.webrtc.clips import (
    BLACK,
    INTERVALS_S,
    SILENCE,
    TICKS,
    TIME_BASES,
    TONE,
    Clip,
    is_audible,
    opus_frames,
)
from simlab.webrtc.encoders import FRAME_S

__all__ = ["FRAME_S", "Slot", "Source", "is_audible", "opus_frames"]

_NOTHING = {"audio": SILENCE, "video": BLACK}


@dataclass(frozen=True, slots=True)
class EncodedPacket:
    """What aiortc needs of an ``av.Packet`` to send it as it is.

    Parameters
    ----------
    pts
        When it begins, in units of ``time_base`` seconds.
    """

    data: bytes
    pts: int
    time_base: Fraction

    def __bytes__(self) -> bytes:
        return self.data


class Source:
    """A microphone, a camera, a bot's voice or picture: any number of connections can be given it at once.

    Parameters
    ----------
    sent
        Called for each frame that is handed to the newest connection.
    speaks
        Asked for each frame; while it says False, silence is sent, or no picture.
    clip
        What it plays.
    """

    def __init__(
        self, sent: Callable[[], None], speaks: Callable[[], bool] = lambda: True, clip: Clip = TONE
    ) -> None:
        self.ended = False
        self.speaks = speaks
        self.sent = sent
        self.clip = clip
        self.newest: Slot | None = None

    def stop(self) -> None:
        """End it for good, for every connection that has it."""
        self.ended = True

    def frame(self, number: int, codec: str | None = None) -> bytes:
        """Return the frame of that number since the slot began to play, in that codec."""
        frames = (self.clip if self.speaks() else SILENCE).encoded(codec)
        return frames[number % len(frames)]


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
        self._transceiver: RTCRtpTransceiver | None = None
        self._played: Source | None = None
        self._played_from = 0

    def follow(self, transceiver: RTCRtpTransceiver) -> None:
        """Send in the codec that this transceiver has negotiated, by the time."""
        self._transceiver = transceiver

    def plug(self, source: Source) -> None:
        """Send what this source gives from now on."""
        self._source = source
        source.newest = self
        self._plugged.set()

    def unplug(self) -> None:
        """Send nothing any more, and leave the source as it is."""
        self._source = None
        self._plugged.clear()

    async def recv(self) -> Any:
        """Return the next frame when its time has come.

        Raises
        ------
        MediaStreamError
            If the connection is closed, or the source has ended.
        """
        loop = asyncio.get_running_loop()
        while True:
            while self._source is None:
                await self._plugged.wait()
                self._due_s = None
            self._due_s = loop.time() if self._due_s is None else self._due_s + INTERVALS_S[self.kind]
            await asyncio.sleep(self._due_s - loop.time())
            if self.kind == "audio" or self._is_seen():
                break
        if self.readyState != "live" or (self._source is not None and self._source.ended):
            raise MediaStreamError
        return self._next_packet()

    def _is_seen(self) -> bool:
        return self._source is not None and (self._source.ended or self._source.speaks())

    def _next_packet(self) -> EncodedPacket:
        source = self._source
        codecs = self._transceiver._codecs if self._transceiver is not None else []
        codec = codecs[0].name if codecs else None
        pts = self._number * TICKS[self.kind]
        packet = EncodedPacket(self._frame(source, codec), pts, TIME_BASES[self.kind])
        self._number += 1
        if source is not None and source.newest is self:
            source.sent()
        return packet

    def _frame(self, source: Source | None, codec: str | None) -> bytes:
        if source is None:
            return _NOTHING[self.kind].encoded(codec)[0]
        if source is not self._played:
            # A picture that begins anywhere but at its key frame shows nothing; sound goes on in step.
            self._played, self._played_from = source, self._number if self.kind == "video" else 0
        return source.frame(self._number - self._played_from, codec)
