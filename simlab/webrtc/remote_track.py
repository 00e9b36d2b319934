"""A track of the client, as the server reads it."""

import asyncio
from typing import Any

from aiortc.rtcrtpreceiver import RTCRtpReceiver

IDLE_S = 2.0


class RemoteTrack:
    """Read a receiver's track, and let nothing pile up while nobody reads.

    A receiver that nobody has read for 2 s decodes nothing any more, and what it has decoded is discarded.

    Parameters
    ----------
    enabled
        Whether the client says that it sends on it. Reading a video track that is off gives None.
    """

    def __init__(self, receiver: RTCRtpReceiver, enabled: bool) -> None:
        self.enabled = enabled
        self._receiver: Any = receiver
        self._reading = False
        self._now_s = asyncio.get_running_loop().time
        self._read_s = self._now_s()
        self._idle: asyncio.TimerHandle | None = None
        self._watch()

    async def recv(self) -> Any:
        """Return the next frame; None from a video track that is off.

        Raises
        ------
        MediaStreamError
            If the track has ended.
        """
        self._receiver._enabled = self._reading = True
        if self._idle is None:
            self._watch()
        try:
            if not self.enabled and self._receiver.track.kind == "video":
                return None
            return await self._receiver.track.recv()
        finally:
            self._reading, self._read_s = False, self._now_s()

    def discard_old_frames(self) -> None:
        """Drop what was decoded and not read, but not the mark at the end of a track."""
        queue = self._receiver.track._queue
        frames = [queue.get_nowait() for _ in range(queue.qsize())]
        if frames and frames[-1] is None:
            queue.put_nowait(None)

    def stop(self) -> None:
        """End the track."""
        self._receiver._enabled = False
        if self._idle is not None:
            self._idle.cancel()
        self._receiver.track.stop()

    def _watch(self) -> None:
        self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._look)

    def _look(self) -> None:
        if self._reading or self._now_s() - self._read_s < IDLE_S:
            self._watch()
        else:
            self._idle = None
            self.discard_old_frames()
            self._receiver._enabled = False
