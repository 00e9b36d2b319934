"""See what a user's own server does with aiortc, whose code knows nothing of simlab."""

import json
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import wraps
from itertools import count
from typing import Any, Protocol

from aiortc import RTCDataChannel, RTCPeerConnection, RTCRtpSender

from simlab.core.timeline import Recorder
from simlab.webrtc import messages, probes
from simlab.webrtc.clients import client_id
from simlab.webrtc.ears import Ears, EarsOfAll
from simlab.webrtc.media import is_audible
from simlab.webrtc.watching import record_states


class Watching(Protocol):
    """Who is told of what somebody's code does with aiortc."""

    def opened(self, pc: RTCPeerConnection) -> None:
        """Take in a new peer connection."""

    def speaks(self, track: Any) -> None:
        """Take in a track that is sent."""


# Who watches the code that runs; tasks and callbacks inherit it.
watcher: ContextVar[Watching | None] = ContextVar("watcher", default=None)

_FRAME_S = 0.02  # what a session counts media in


class Watcher:
    """Record the states of a server's peer connections, and measure what reaches it.

    Numbered messages are simlab's own: the application is not given the client's, and the server's are
    sent beside what the application says, on the same data channel.

    Parameters
    ----------
    numbers
        Of connections, from 1.
    """

    def __init__(self, record: Recorder, ears: Ears, numbers: Iterator[int]) -> None:
        self._record = record
        self._ears = ears
        self._numbers = numbers
        self._channel: RTCDataChannel | None = None
        self._talking: probes.Metronome | None = None

    def opened(self, pc: RTCPeerConnection) -> None:
        """Take in a new peer connection."""
        pc_id = f"connection-{next(self._numbers)}"
        record_states(pc, self._record, "server", pc_id=pc_id)
        self._record("server", "connection_opened", pc_id=pc_id)
        emit, close, create, closed = pc.emit, pc.close, pc.createDataChannel, count()

        def tell_closed(reason: str) -> None:
            if next(closed) == 0:
                self._record("server", "connection_closed", pc_id=pc_id, reason=reason)

        def emit_and_watch(event: str, *args: Any, **kwargs: Any) -> bool:
            if event == "track":
                self._listen(args[0])
            elif event == "datachannel":
                self._watch_channel(args[0])
            elif event == "connectionstatechange" and pc.connectionState == "closed":
                tell_closed("closed")
            return emit(event, *args, **kwargs)

        async def close_and_tell() -> None:
            tell_closed("closed")
            await close()

        def create_and_watch(*args: Any, **kwargs: Any) -> RTCDataChannel:
            channel = create(*args, **kwargs)
            self._watch_channel(channel)
            return channel

        pc.emit, pc.close, pc.createDataChannel = (  # type: ignore[method-assign]
            emit_and_watch,
            close_and_tell,
            create_and_watch,
        )

    def _watch_channel(self, channel: RTCDataChannel) -> None:
        self._channel = channel
        emit = channel.emit

        def emit_unless_ours(event: str, *args: Any, **kwargs: Any) -> bool:
            if event == "message" and self._take_in(args[0]):
                return True
            return emit(event, *args, **kwargs)

        channel.emit = emit_unless_ours  # type: ignore[method-assign]

    def _take_in(self, text: Any) -> bool:
        """Take in a message, and tell whether it was one of simlab's own."""
        message = read_message(text)
        data = message.get("data")
        if message.get("type") == "client-ready":
            self._begin()
        if not (isinstance(data, dict) and data.get("t") == probes.PROBE_NAME):
            return False
        self._ears.probe_arrived(data.get("d"))
        return True

    def _begin(self) -> None:
        self._ears.begin()
        if self._talking is None:
            self._talking = probes.Metronome(self._send_probe, self._record.now_s, self._ears.last_message_s)

    def _send_probe(self) -> None:
        ears, channel = self._ears, self._channel
        ears.sent_messages.add("sent")
        number, ears.next_number = ears.next_number, ears.next_number + 1
        content = {"t": probes.PROBE_NAME, "number": number, "sent_s": round(self._record.now_s(), 6)}
        if channel is not None and channel.readyState == "open":
            channel.send(json.dumps(messages.rtvi("server-message", content)))

    def _listen(self, track: Any) -> None:
        count_heard(track, self._ears.media.arrived)

    def speaks(self, track: Any) -> None:
        """Count what is sent of a track, in frames of 20 ms."""
        count_spoken(track, lambda: self._ears.sent_media.add("sent"))

    def stop(self) -> None:
        """Send no more messages."""
        if self._talking is not None:
            self._talking.stop()


class Watchers:
    """Watch a server, for each of its clients."""

    def __init__(self, record: Recorder, ears: EarsOfAll) -> None:
        self._record = record
        self._ears = ears
        self._numbers = count(1)
        self._made: dict[int | None, Watcher] = {}

    @property
    def here(self) -> Watcher:
        """The one for the client that the running code works for."""
        number = client_id.get()
        found = self._made.get(number)
        if found is None:
            found = self._made[number] = Watcher(self._record, self._ears.here, self._numbers)
        return found

    def opened(self, pc: RTCPeerConnection) -> None:
        """See ``Watching``."""
        self.here.opened(pc)

    def speaks(self, track: Any) -> None:
        """See ``Watching``."""
        self.here.speaks(track)

    def stop(self) -> None:
        """Send no more messages."""
        for made in self._made.values():
            made.stop()


def count_spoken(track: Any, spoken: Callable[[], None]) -> None:
    """Call ``spoken`` for every 20 ms of sound that are taken from a track to be sent."""
    if getattr(track, "kind", None) != "audio" or hasattr(track, "_simlab_counted"):
        return
    track._simlab_counted = True
    receive, spoken_s = track.recv, 0.0

    async def receive_and_count() -> Any:
        nonlocal spoken_s
        frame = await receive()
        spoken_s += getattr(frame, "samples", 0) / (getattr(frame, "sample_rate", 0) or 1)
        while spoken_s >= _FRAME_S - 1e-9:
            spoken_s -= _FRAME_S
            spoken()
        return frame

    track.recv = receive_and_count


def count_heard(track: Any, heard: Callable[[], None]) -> None:
    """Call ``heard`` for each audible frame that is taken from a track that is received."""
    if track.kind != "audio":
        return
    receive = track.recv

    async def receive_and_count() -> Any:
        frame = await receive()
        if is_audible(frame):
            heard()
        return frame

    track.recv = receive_and_count


def read_message(text: Any) -> dict[str, Any]:
    """Return a message of a data channel; nothing where it is no JSON object."""
    try:
        message = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return message if isinstance(message, dict) else {}


def install() -> None:
    """Let aiortc's classes tell the watcher of the running code, if it has one; once in a process."""
    if getattr(RTCPeerConnection, "_simlab_watched", False):
        return
    RTCPeerConnection._simlab_watched = True  # type: ignore[attr-defined]
    RTCPeerConnection.__init__ = _then(RTCPeerConnection.__init__, _made)  # type: ignore[method-assign]
    RTCRtpSender.__init__ = _then(RTCRtpSender.__init__, _sends)  # type: ignore[method-assign]
    RTCRtpSender.replaceTrack = _then(RTCRtpSender.replaceTrack, _sends)  # type: ignore[method-assign]


def _then(method: Callable[..., Any], tell: Callable[..., None]) -> Callable[..., Any]:
    @wraps(method)
    def told(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = watcher.get()
        if found is None:
            return method(self, *args, **kwargs)
        tell(found, self, before=True, args=args)
        result = method(self, *args, **kwargs)
        tell(found, self, before=False, args=args)
        return result

    return told


def _made(found: Watching, pc: RTCPeerConnection, *, before: bool, args: Any) -> None:
    if not before:
        found.opened(pc)


def _sends(found: Watching, sender: RTCRtpSender, *, before: bool, args: Any) -> None:
    if before and args and not isinstance(args[0], str):
        found.speaks(args[0])
