"""The bot's picture, and its eyes."""

import asyncio
from collections.abc import Callable

from aiortc.mediastreams import MediaStreamError

from simlab.webrtc.clips import TEST_PICTURE
from simlab.webrtc.connection import VIDEO, SmallWebRTCConnection
from simlab.webrtc.ears import Ears
from simlab.webrtc.media import Source
from simlab.webrtc.remote_track import RemoteTrack

_ASK_AGAIN_S = 0.01


class BotCamera:
    """Show the client the test picture, and count the pictures that come from it.

    As with sound, Pipecat's output sends nothing while the client has not pinged for 3 s.

    Parameters
    ----------
    is_there
        Whether there is still a bot.
    """

    def __init__(self, connection: SmallWebRTCConnection, ears: Ears, is_there: Callable[[], bool]) -> None:
        self._connection = connection
        self._ears = ears
        self._is_there = is_there
        self._watching: asyncio.Task[None] | None = None
        self._picture = Source(lambda: ears.sent_video.add("sent"), connection.is_connected, TEST_PICTURE)
        connection.events.on("connected", self._connected)
        connection.events.on("closed", self._closed)

    def _connected(self) -> None:
        if not self._is_there():
            return
        if "video" in self._connection.slots:
            self._connection.slots["video"].plug(self._picture)
        track = self._connection.track(VIDEO)
        if track is not None:
            self._watching = self._connection.events.spawn(self._watch(track))

    async def _watch(self, track: RemoteTrack) -> None:
        try:
            while True:
                if await track.recv() is not None:
                    self._ears.video.arrived()
                else:  # the client's camera is off
                    await asyncio.sleep(_ASK_AGAIN_S)
        except MediaStreamError:
            return

    def _closed(self) -> None:
        self._picture.stop()
        if self._watching is not None:
            self._watching.cancel()
