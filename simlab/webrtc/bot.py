"""The bot of the built-in server: it says that it is ready, speaks, listens, and counts."""

import asyncio
from typing import Any, TypedDict

from aiortc.mediastreams import MediaStreamError

from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.webrtc import messages, probes
from simlab.webrtc.connection import SmallWebRTCConnection
from simlab.webrtc.media import Source, is_audible


class EarsState(TypedDict):
    """What ears of another process need to go on for these."""

    message_last_s: float | None
    media_last_s: float | None
    next_number: int


class Ears:
    """What all bots of a server have heard from the client, and what they have sent.

    Parameters
    ----------
    last_message_s
        When to stop sending messages, in seconds since the session began.
    """

    def __init__(self, record: Recorder, media: bool, last_message_s: float) -> None:
        self.messages = probes.Messages(record, Direction.UP)
        self.media = probes.Watch(record, Direction.UP, "media", probes.MEDIA_GAP_S)
        self.sent_messages = probes.Tally(record, Direction.DOWN, "message")
        self.sent_media = probes.Tally(record, Direction.DOWN, "media")
        self.has_media = media
        self.next_number = 0
        self.last_message_s = last_message_s

    def begin(self) -> None:
        """Expect the client's messages and media from now on."""
        self.messages.watch.begin()
        if self.has_media:
            self.media.begin()

    def pause(self) -> EarsState:
        """Record what is counted, and return what others need to go on."""
        for tally in (self.messages.watch.tally, self.media.tally, self.sent_messages, self.sent_media):
            tally.flush()
        return {
            "message_last_s": self.messages.watch.last_s,
            "media_last_s": self.media.last_s,
            "next_number": self.next_number,
        }

    def resume(self, state: EarsState) -> None:
        """Go on where others were."""
        self.messages.watch.resume(state["message_last_s"])
        self.media.resume(state["media_last_s"])
        self.next_number = state["next_number"]

    def finish(self) -> None:
        """Record what is still open."""
        end_s = self.last_message_s + probes.QUIET_END_S
        self.messages.watch.finish(end_s)
        self.media.finish(end_s)
        self.sent_messages.flush()
        self.sent_media.flush()


class Bot:
    """Serve one connection until it is closed."""

    def __init__(self, connection: SmallWebRTCConnection, record: Recorder, ears: Ears) -> None:
        self._connection = connection
        self._record = record
        self._ears = ears
        self._talking: probes.Metronome | None = None
        self._listening: asyncio.Task[None] | None = None
        self._voice = Source(lambda: ears.sent_media.add("sent"), connection.is_connected)
        events = connection.events
        events.on("connected", self._connected)
        events.on("app-message", self._app_message)
        events.on("closed", self._closed)
        record("server", "bot_started", pc_id=connection.pc_id)
        events.spawn(connection.connect())

    def _connected(self) -> None:
        if self._ears.has_media and "audio" in self._connection.slots:
            self._connection.slots["audio"].plug(self._voice)
        track = self._connection.tracks.get("audio")
        if track is not None and self._ears.has_media:
            self._listening = self._connection.events.spawn(self._listen(track))

    async def _listen(self, track: Any) -> None:
        try:
            while True:
                if is_audible(await track.recv()):
                    self._ears.media.arrived()
        except MediaStreamError:
            return

    def _app_message(self, message: Any) -> None:
        kind, data = message.get("type"), message.get("data") or {}
        if kind == "client-ready":
            about = {"version": messages.RTVI_VERSION, "about": {"library": "simlab"}}
            self._connection.send(messages.rtvi("bot-ready", about, message.get("id")))
            self._ears.begin()
            if self._talking is None:
                ears = self._ears
                self._talking = probes.Metronome(self._send_probe, self._record.now_s, ears.last_message_s)
        elif kind == "client-message" and data.get("t") == probes.PROBE_NAME:
            self._ears.messages.arrived(data["d"]["number"], data["d"]["sent_s"])

    def _send_probe(self) -> None:
        ears = self._ears
        ears.sent_messages.add("sent")
        number, ears.next_number = ears.next_number, ears.next_number + 1
        # Pipecat's output keeps audio back while the client has not pinged for 3 s, but no messages.
        content = {"t": probes.PROBE_NAME, "number": number, "sent_s": round(self._record.now_s(), 6)}
        self._connection.send(messages.rtvi("server-message", content))

    def _closed(self) -> None:
        self._record("server", "bot_ended", pc_id=self._connection.pc_id)
        if self._talking is not None:
            self._talking.stop()
        if self._listening is not None:
            self._listening.cancel()
