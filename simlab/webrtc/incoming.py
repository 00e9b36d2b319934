"""The remote tracks of the client, as its application gets to know them."""

import asyncio

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from simlab.core.timeline import Recorder
from simlab.webrtc.callbacks import Callbacks


class IncomingTracks:
    """Tell the application of each track when its first frame arrives, and when it ends.

    Parameters
    ----------
    drop_new
        The published client keeps its tracks under their kind alone. When an old connection is closed,
        the end of its track removes the *new* connection's track, which is then never announced. False
        mends that.
    """

    def __init__(self, record: Recorder, callbacks: Callbacks, drop_new: bool) -> None:
        self._record = record
        self._callbacks = callbacks
        self._drop_new = drop_new
        self._current: dict[str, MediaStreamTrack] = {}
        self._pumps: dict[MediaStreamTrack, tuple[int, asyncio.Task[None]]] = {}

    def add(self, connection: int, track: MediaStreamTrack) -> None:
        """Take in a track of a new connection."""
        self._current[track.kind] = track
        self._pumps[track] = (connection, asyncio.get_running_loop().create_task(self._pump(track)))

    def close(self, connection: int) -> None:
        """End the tracks of a connection that is being closed."""
        for track, (owner, pump) in list(self._pumps.items()):
            if owner == connection:
                pump.cancel()
                self._ended(track)

    async def _pump(self, track: MediaStreamTrack) -> None:
        try:
            frame = await track.recv()
            announced = self._unmuted(track)
            while True:
                if announced:
                    self._callbacks.frame_received(frame)
                frame = await track.recv()
        except MediaStreamError:
            self._ended(track)

    def _unmuted(self, track: MediaStreamTrack) -> bool:
        if track.kind not in self._current:
            return False
        self._record("client", "track_started", track=f"bot {track.kind}")
        self._callbacks.track_started(track)
        return True

    def _ended(self, track: MediaStreamTrack) -> None:
        self._pumps.pop(track, None)
        self._record("client", "track_stopped", track=f"bot {track.kind}")
        self._callbacks.track_stopped(track)
        if self._drop_new or self._current.get(track.kind) is track:
            self._current.pop(track.kind, None)
