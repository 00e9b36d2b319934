"""See what a user's own server does with aiortc, whose code knows nothing of simlab."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

from aiortc import RTCDataChannel, RTCPeerConnection

from simlab.core.timeline import Recorder
from simlab.own_server.sound import count_heard, count_spoken
from simlab.own_server.uncaught import uncaught_told
from simlab.webrtc import messages, probes
from simlab.webrtc.clients import client_id
from simlab.webrtc.ears import Ears, EarsOfAll
from simlab.webrtc.watching import record_states


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
        self._voice: Any = None

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
            with uncaught_told("a handler of the data channel", event == "error"):
                return emit(event, *args, **kwargs)

        channel.emit = emit_unless_ours  # type: ignore[method-assign]

    def _take_in(self, text: Any) -> bool:
        """Take in a message, and tell whether it was one of simlab's own."""
        message = messages.parse_any(text)
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
        """Count what is sent of a track, in frames of 20 ms; the newest one is the voice."""
        if getattr(track, "kind", None) == "audio":
            self._voice = track
        count_spoken(
            track,
            lambda: self._ears.sent_media.add("sent"),
            lambda: self._ears.quiet if self._voice is track else None,
        )

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
