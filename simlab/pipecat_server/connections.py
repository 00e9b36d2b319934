"""Pipecat's connections, and what they tell the timeline."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

from aiortc import RTCIceServer
from pipecat.transports.smallwebrtc import request_handler
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection

from simlab.core.timeline import Recorder
from simlab.webrtc.watching import record_states

_EVENTS = frozenset({"connecting", "connected", "disconnected", "closed", "failed", "new"})


class Watched(SmallWebRTCConnection):
    """A connection of Pipecat's, with everything about it recorded.

    Nothing is listened to: Pipecat removes all listeners of a peer connection before it replaces it. See
    ``RequestHandler`` for what a class made of this one has to have.
    """

    session_record: Recorder
    session_spoken: Callable[[], None]
    session_numbers: Iterator[int]

    def _initialize(self) -> None:
        if not hasattr(self, "_reason"):  # for its first peer connection alone
            # Pipecat's own number goes on from session to session of a process.
            self._name = f"SmallWebRTCConnection#{next(self.session_numbers)}"
        super()._initialize()
        self._reason = "closed"
        self._told_closed = False
        record_states(self.pc, self.session_record, "server", pc_id=self.pc_id)
        self._tell("connection_opened")

    async def _call_event_handler(self, event_name: str, *args: Any, **kwargs: Any) -> None:
        if event_name in _EVENTS:
            self._tell("event", name=event_name)
        if event_name == "closed":
            self._tell_closed()
        await super()._call_event_handler(event_name, *args, **kwargs)

    async def renegotiate(self, sdp: str, type: str, restart_pc: bool = False) -> None:  # noqa: A002
        """See Pipecat."""
        if restart_pc:
            self._reason = "restart"
        await super().renegotiate(sdp, type, restart_pc)

    async def disconnect(self) -> None:
        """See Pipecat."""
        self._reason = "disconnected"
        await super().disconnect()

    async def _close(self) -> None:
        self._tell_closed()
        await super()._close()

    def replace_audio_track(self, track: Any) -> None:
        """See Pipecat."""
        _count_frames(track, self.session_spoken)
        super().replace_audio_track(track)

    def _tell_closed(self) -> None:
        if not self._told_closed:
            self._told_closed = True
            self._tell("connection_closed", reason=self._reason)

    def _tell(self, kind: str, **labels: Any) -> None:
        self.session_record("server", kind, pc_id=self.pc_id, **labels)


def _count_frames(track: Any, spoken: Callable[[], None]) -> None:
    """Call ``spoken`` for every second frame of Pipecat's audio track: its frames have 10 ms."""
    receive, numbers = track.recv, count(1)

    async def receive_and_count() -> Any:
        frame = await receive()
        if next(numbers) % 2 == 0:
            spoken()
        return frame

    track.recv = receive_and_count


class RequestHandler(request_handler.SmallWebRTCRequestHandler):
    """Pipecat's request handler, whose connections are recorded; one in a process at a time.

    Parameters
    ----------
    mode
        ``"multiple"`` or ``"single"``.
    spoken
        Called for every 20 ms of audio that a connection takes from its bot, silence too.
    """

    def __init__(
        self,
        record: Recorder,
        mode: str,
        spoken: Callable[[], None],
        ice_servers: Sequence[RTCIceServer] = (),
    ) -> None:
        super().__init__(ice_servers=list(ice_servers), connection_mode=request_handler.ConnectionMode(mode))
        of_session = {
            "session_record": staticmethod(record),
            "session_spoken": staticmethod(spoken),
            "session_numbers": count(),
        }
        # The handler has no door for another class of connections.
        request_handler.SmallWebRTCConnection = type("Watched", (Watched,), of_session)

    async def close(self) -> None:
        """Close all connections."""
        request_handler.SmallWebRTCConnection = SmallWebRTCConnection
        await super().close()
