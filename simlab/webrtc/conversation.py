"""What the client says and hears on the data channel: pings, the handshake, signalling, RTVI messages."""

import asyncio
import time
from typing import TYPE_CHECKING, Any

from simlab.webrtc import messages
from simlab.webrtc.callbacks import WITH_DATA, WITHOUT_DATA
from simlab.webrtc.dispatcher import Dispatcher
from simlab.webrtc.errors import MessageTooLargeError

if TYPE_CHECKING:
    from simlab.webrtc.calls import ClientCalls
    from simlab.webrtc.peer import Peer

DEFAULT_MAX_MESSAGE_BYTES = 64 * 1024
MAX_WAITING_MESSAGES = 10_000


class _Pings:
    """Ping on one channel, at an interval, until stopped."""

    def __init__(self, peer: "Peer", interval_s: float) -> None:
        self._peer, self._interval_s = peer, interval_s
        self._wait()

    def stop(self) -> None:
        self._timer.cancel()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval_s, self._ping)

    def _ping(self) -> None:
        if self._peer.channel.readyState == "open":
            self._peer.channel.send(messages.ping(time.time()))
        self._wait()


class Conversation:
    """The client's half of what goes over the data channels of its connections, one after the other."""

    def __init__(self, transport: "ClientCalls") -> None:
        self.dispatcher = Dispatcher(self.send_checked)
        self.max_message_bytes = DEFAULT_MAX_MESSAGE_BYTES
        self._transport = transport
        self._behaviour = transport.behaviour
        self._pings: dict[int, _Pings] = {}
        self._all_pings: list[_Pings] = []
        self._waiting: list[str] = []

    def opened(self, peer: "Peer") -> None:
        """Take in that a channel is open, and begin to ping on it."""
        self.max_message_bytes = peer.max_message_bytes
        pings = self._pings[self._key_of(peer)] = _Pings(peer, self._transport.limits.ping_interval_s)
        self._all_pings.append(pings)

    def closed(self, peer: "Peer") -> None:
        """Stop to ping on that channel."""
        pings = self._pings.pop(self._key_of(peer), None)
        if pings is not None:
            pings.stop()

    def forget_waiting(self) -> None:
        """Drop the messages that wait for a channel."""
        self._waiting.clear()

    def release(self) -> None:
        """Ping no more, and end the requests that wait."""
        for pings in self._all_pings:
            pings.stop()
        self.dispatcher.release()

    def send_track_states(self, peer: "Peer") -> None:
        """Say which tracks are on."""
        media = self._transport.media_manager
        self.signal(peer, messages.track_status(messages.AUDIO_INDEX, media.is_mic_enabled))
        self.signal(peer, messages.track_status(messages.VIDEO_INDEX, media.is_cam_enabled))
        if media.supports_screen_share:
            self.signal(peer, messages.track_status(messages.SCREEN_INDEX, media.is_sharing_screen))

    def greet(self) -> None:
        """Say that the client is ready."""
        about = {"library": "simlab", "library_version": "0"}
        self.send(messages.rtvi("client-ready", {"version": messages.RTVI_VERSION, "about": about}))

    def signal(self, peer: "Peer | None", message: dict[str, Any]) -> None:
        """Send something to the transport of the server; it is lost where there is no open channel."""
        if peer is not None and peer.channel.readyState == "open":
            peer.channel.send(messages.text(message))

    def send(self, message: dict[str, Any]) -> bool:
        """Send a message, and tell whether it was sent now; else it waits, or is lost (C14)."""
        return self._say(message, messages.text(message))

    def _say(self, message: dict[str, Any], text: str) -> bool:
        peer = self._transport.peer
        if len(text) > self.max_message_bytes:  # as JSON.stringify writes it, it may fit
            text = messages.compact(message).decode()
        if peer is not None and peer.channel.readyState == "open":
            peer.channel.send(text)
            return True
        waits = not self._behaviour.drop_messages_while_reconnecting and peer is not None
        if waits and len(self._waiting) < MAX_WAITING_MESSAGES:
            self._waiting.append(text)
        return False

    def send_checked(self, message: dict[str, Any]) -> None:
        """Send a message of the application.

        Raises
        ------
        MessageTooLargeError
            If it has more bytes than the channel takes, as JSON in UTF-8; the application is also told of an
            error.
        """
        text = messages.text(message)  # is ASCII, and never shorter than the compact one
        if len(text) > self.max_message_bytes < len(messages.compact(message)):
            text = f"Message data too large. Max size is {self.max_message_bytes}"
            self._transport.error_happened(messages.error(text))
            raise MessageTooLargeError(text)
        self._say(message, text)

    def send_waiting(self, peer: "Peer") -> None:
        """Send what has waited for a channel."""
        waiting, self._waiting = self._waiting, []
        for text in waiting:
            peer.channel.send(text)

    def received(self, text: str | bytes) -> None:
        """Handle a message of the data channel; one that can't be read is dropped."""
        try:
            message = messages.parse(text)
        except ValueError:
            return
        if message.get("type") == messages.SIGNALLING:
            self._transport.signalled(message.get("message") or {})
        elif message.get("label") == messages.RTVI_LABEL:
            self._rtvi(message.get("type"), message)

    def _rtvi(self, kind: Any, message: Any) -> None:
        data, callbacks = message.get("data"), self._transport.callbacks
        if kind == "bot-ready":
            self._transport.bot_ready(data)
        elif kind == "error":
            self._transport.error_happened(message)
        elif kind == "server-response":
            self.dispatcher.answered(message.get("id"), data)
        elif kind == "error-response":
            self.dispatcher.refused(message.get("id"), data)
            callbacks.message_error(message)
        elif kind in WITHOUT_DATA:
            getattr(callbacks, WITHOUT_DATA[kind])()
        elif kind in WITH_DATA:
            getattr(callbacks, WITH_DATA[kind])(data)

    def _key_of(self, peer: "Peer") -> int:
        # One timer for all connections lets the late end of an old channel stop the new one's pings (C13).
        return 0 if self._behaviour.share_keep_alive else peer.number
