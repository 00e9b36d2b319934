"""See what a user's own client does with aiortc, whose code knows nothing of simlab."""

import json
from itertools import count
from typing import Any

from aiortc import RTCDataChannel, RTCPeerConnection, RTCSessionDescription

from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.own_server.sound import count_heard, count_spoken
from simlab.own_server.uncaught import uncaught_told
from simlab.webrtc import messages, probes
from simlab.webrtc.quiet import Quiet
from simlab.webrtc.watching import record_states


class ClientWatcher:
    """Record the states of a client's peer connections and what it negotiates, and measure what reaches it.

    Numbered messages are simlab's own: the client is not given the server's, and its own are sent beside what
    it says, on the same data channel, from the server's ``bot-ready`` on.

    Parameters
    ----------
    media
        Whether the session has sound.
    last_message_s
        When to stop sending messages, in seconds since the session began.
    """

    def __init__(self, record: Recorder, media: bool, last_message_s: float) -> None:
        self._record = record
        self._media = media
        self._last_message_s = last_message_s
        self._messages = probes.Messages(record, Direction.DOWN)
        self._heard = probes.Watch(record, Direction.DOWN, "media", probes.MEDIA_GAP_S)
        self._sent_messages = probes.Tally(record, Direction.UP, "message")
        self._sent_media = probes.Tally(record, Direction.UP, "media")
        self._connections, self._numbers, self._attempts = count(1), count(), count(1)
        self._channel: RTCDataChannel | None = None
        self._talking: probes.Metronome | None = None
        self._quiet = Quiet(record, Direction.UP) if media else None
        self._microphone: Any = None

    def opened(self, pc: RTCPeerConnection) -> None:
        """Take in a new peer connection."""
        number, offered = next(self._connections), count(1)
        record_states(pc, self._record, "client", connection=number)
        emit, create, describe, accept = (
            pc.emit,
            pc.createDataChannel,
            pc.setLocalDescription,
            pc.setRemoteDescription,
        )

        def emit_and_watch(event: str, *args: Any, **kwargs: Any) -> bool:
            if event == "track":
                count_heard(args[0], self._heard.arrived)
            elif event == "datachannel":
                self._watch_channel(args[0], number)
            return emit(event, *args, **kwargs)

        def create_and_watch(*args: Any, **kwargs: Any) -> RTCDataChannel:
            channel = create(*args, **kwargs)
            self._watch_channel(channel, number)
            return channel

        async def describe_and_tell(*args: Any, **kwargs: Any) -> None:
            await describe(*args, **kwargs)
            if pc.localDescription.type == "offer":
                self._offered(number, again=next(offered) > 1)

        async def accept_and_tell(sessionDescription: RTCSessionDescription) -> None:  # noqa: N803
            await accept(sessionDescription)
            if sessionDescription.type == "answer":
                self._record("client", "answer", connection=number, status=200, pc_id=None)

        pc.emit, pc.createDataChannel = emit_and_watch, create_and_watch  # type: ignore[method-assign]
        pc.setLocalDescription, pc.setRemoteDescription = (  # type: ignore[method-assign]
            describe_and_tell,
            accept_and_tell,
        )

    def _offered(self, number: int, again: bool) -> None:
        """Record an offer; one after the first is an attempt of the client's to come back."""
        if number > 1 or again:
            action = "reoffer" if again else "recreate"
            self._record("policy", "attempt", number=next(self._attempts), action=action)
        self._record("client", "offer", connection=number, restart=False, pc_id=None)

    def _watch_channel(self, channel: RTCDataChannel, number: int) -> None:
        self._channel = channel
        emit = channel.emit

        def emit_unless_ours(event: str, *args: Any, **kwargs: Any) -> bool:
            if event == "open":
                self._record("client", "channel_open", connection=number)
            elif event == "close":
                self._record("client", "channel_closed", connection=number)
            elif event == "message" and self._take_in(args[0]):
                return True
            with uncaught_told("a handler of the data channel", event == "error"):
                return emit(event, *args, **kwargs)

        channel.emit = emit_unless_ours  # type: ignore[method-assign]

    def _take_in(self, text: Any) -> bool:
        """Take in a message, and tell whether it was one of simlab's own."""
        message = messages.parse_any(text)
        data = message.get("data")
        if message.get("type") == "bot-ready":
            self._begin()
        if not (isinstance(data, dict) and data.get("t") == probes.PROBE_NAME):
            return False
        self._messages.arrived(data.get("number"), data.get("sent_s"))
        return True

    def _begin(self) -> None:
        if self._talking is None:
            self._record("client", "connect", outcome="resolved")
            self._talking = probes.Metronome(self._send_probe, self._record.now_s, self._last_message_s)
        self._record("client", "bot_ready")
        self._messages.watch.begin()
        if self._media:
            self._heard.begin()

    def _send_probe(self) -> None:
        self._sent_messages.add("sent")
        content = {"number": next(self._numbers), "sent_s": round(self._record.now_s(), 6)}
        channel = self._channel
        if channel is not None and channel.readyState == "open":
            message = messages.rtvi("client-message", {"t": probes.PROBE_NAME, "d": content})
            channel.send(json.dumps(message))

    def speaks(self, track: Any) -> None:
        """Count what is sent of a track, in frames of 20 ms; the newest one is the microphone."""
        if getattr(track, "kind", None) == "audio":
            self._microphone = track
        count_spoken(
            track,
            lambda: self._sent_media.add("sent"),
            lambda: self._quiet if self._microphone is track else None,
        )

    def stop(self) -> None:
        """Send no more messages."""
        if self._talking is not None:
            self._talking.stop()

    def finish(self) -> None:
        """Record what is still open."""
        self._messages.watch.finish(self._last_message_s)
        self._heard.finish(self._last_message_s + probes.QUIET_END_S)
        if self._quiet is not None:
            self._quiet.finish(self._last_message_s + probes.QUIET_END_S)
        self._sent_messages.flush()
        self._sent_media.flush()
