"""The bot of the built-in server: it says that it is ready, speaks, listens, and counts."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiortc.mediastreams import MediaStreamError

from simlab.core.timeline import Recorder
from simlab.profile.bot import BotKeys
from simlab.webrtc import messages, probes
from simlab.webrtc.bot_camera import BotCamera
from simlab.webrtc.connection import AUDIO, SmallWebRTCConnection
from simlab.webrtc.ears import Ears
from simlab.webrtc.media import is_audible
from simlab.webrtc.remote_track import RemoteTrack
from simlab.webrtc.voice import Echo, Voice

GREETING = "simlab-greeting"
PROMPT = "simlab-prompt"


class Bot:
    """Serve one connection until it is closed, or until the bot itself ends the call.

    Parameters
    ----------
    keys
        What it does beside being there.
    resumes
        Whether the client has met a bot before, of which this server knows nothing. It will not say again
        that it is ready, so the bot does not wait for that.
    ended
        Called when the bot is gone, with whether the bot itself has ended the call.
    """

    def __init__(
        self,
        connection: SmallWebRTCConnection,
        record: Recorder,
        ears: Ears,
        keys: BotKeys,
        *,
        resumes: bool = False,
        ended: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._connection = connection
        self._behaviour = connection.behaviour
        self._record = record
        self._ears = ears
        self._keys = keys
        self._resumes = resumes
        self._tell_ended = ended
        self._met_s: float | None = None
        self._is_over = False
        self._talking: probes.Metronome | None = None
        self._listening: asyncio.Task[None] | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._voice = self._make_voice()
        events = connection.events
        events.on("connected", self._connected)
        events.on("disconnected", self._voice.track_lost)
        events.on("app-message", self._app_message)
        if ears.has_video:
            self._camera = BotCamera(connection, ears, lambda: not self._is_over)
        events.on("closed", lambda: self._end(by_bot=False))
        self._say("bot_started")
        events.spawn(self._begin())

    def _make_voice(self) -> Voice:
        kind = Echo if self._keys.voice == "echo" else Voice
        return kind(
            lambda: self._ears.sent_media.add("sent"),
            self._speaks,
            self._behaviour.block_on_dead_track,
            lambda: self._say("bot_muted"),
            self._connection.limits.write_timeout_s,
        )

    def _say(self, kind: str) -> None:
        self._record("server", kind, pc_id=self._connection.pc_id)

    async def _begin(self) -> None:
        if self._keys.starts_after_s:
            await asyncio.sleep(self._keys.starts_after_s)
        if self._keys.ends_after_s is not None:
            self._set("end", self._keys.ends_after_s, lambda: self._connection.events.spawn(self.end()))
        await self._connection.connect()

    def _set(self, name: str, after_s: float, work: Callable[[], Any]) -> None:
        if name in self._timers:
            self._timers[name].cancel()
        self._timers[name] = asyncio.get_running_loop().call_later(after_s, work)

    def _speaks(self) -> bool:
        since_s = self._record.now_s() - (self._met_s or 0.0)
        return self._connection.is_connected() and self._keys.talks_at(since_s)

    def _connected(self) -> None:
        if self._is_over:
            return  # a restart of what the bot has left behind (fault S5): nobody is there
        if self._ears.has_media and "audio" in self._connection.slots:
            self._connection.slots["audio"].plug(self._voice)
        track = self._connection.track(AUDIO)
        if track is not None and self._ears.has_media:
            self._listening = self._connection.events.spawn(self._listen(track))
        if self._met_s is None or self._behaviour.announce_client_again:
            self._client_connected()

    def _client_connected(self) -> None:
        """Do what Pipecat's ``on_client_connected`` is for."""
        if self._met_s is None:
            self._met_s = self._record.now_s()
            if self._resumes:
                self._ready(None)
        if self._keys.greets:
            self._say("bot_greeted")
            self._connection.send(messages.rtvi("server-message", {"t": GREETING}))
        self._await_words()

    async def _listen(self, track: RemoteTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                if isinstance(self._voice, Echo):
                    self._voice.hear(frame)
                if is_audible(frame):
                    self._ears.media.arrived()
                    self._await_words()
        except MediaStreamError:
            return

    def _await_words(self) -> None:
        if self._keys.prompts_after_s is not None:
            self._set("prompt", self._keys.prompts_after_s, self._prompt)

    def _prompt(self) -> None:
        if self._connection.is_connected() and self._connection.is_enabled(AUDIO):
            self._say("bot_prompted")
            self._connection.send(messages.rtvi("server-message", {"t": PROMPT}))
        self._await_words()

    def _app_message(self, message: Any) -> None:
        if self._is_over:
            return
        kind, data = message.get("type"), message.get("data")
        if kind == "client-ready":
            self._ready(message.get("id"))
        elif kind == "client-message" and isinstance(data, dict):
            self._client_message(data, message.get("id"))

    def _ready(self, message_id: str | None) -> None:
        about = {"version": messages.RTVI_VERSION, "about": {"library": "simlab"}}
        self._connection.send(messages.rtvi("bot-ready", about, message_id))
        self._ears.begin()
        if self._talking is None:
            ears = self._ears
            self._talking = probes.Metronome(self._send_probe, self._record.now_s, ears.last_message_s)

    def _client_message(self, data: dict[str, Any], message_id: str | None) -> None:
        kind = data.get("t")
        if kind == probes.PROBE_NAME:
            self._ears.probe_arrived(data.get("d"))
            return
        answer = {"t": kind, "d": data.get("d")}
        self._connection.send(messages.rtvi("server-response", answer, message_id))
        if kind is not None and kind == self._keys.ends_on:
            self._connection.events.spawn(self.end())

    def _send_probe(self) -> None:
        ears = self._ears
        ears.sent_messages.add("sent")
        number, ears.next_number = ears.next_number, ears.next_number + 1
        # Pipecat's output keeps audio back while the client has not pinged for 3 s, but no messages.
        content = {"t": probes.PROBE_NAME, "number": number, "sent_s": round(self._record.now_s(), 6)}
        self._connection.send(messages.rtvi("server-message", content))

    async def end(self) -> None:
        """End the call. Where pings are stale, the published server leaves the connection open (S5)."""
        if self._is_over:
            return
        is_left = self._behaviour.leave_zombie_after_bot and not self._connection.is_connected()
        self._end(by_bot=True)
        if is_left:
            for slot in self._connection.slots.values():
                slot.unplug()
        else:
            await self._connection.disconnect()

    def _end(self, by_bot: bool) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._say("bot_ended")
        if self._talking is not None:
            self._talking.stop()
        if self._listening is not None:
            self._listening.cancel()
        for timer in self._timers.values():
            timer.cancel()
        self._voice.stop()
        self._tell_ended(by_bot)
