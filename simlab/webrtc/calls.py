"""What an application asks of the client, apart from connecting: bots, messages, microphone and camera."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any

from simlab.core.timeline import Recorder
from simlab.profile.behaviour import ClientBehaviour
from simlab.webrtc import messages
from simlab.webrtc.callbacks import Callbacks
from simlab.webrtc.conversation import Conversation
from simlab.webrtc.devices import Devices, MediaState
from simlab.webrtc.dispatcher import TIMEOUT_S
from simlab.webrtc.errors import (
    BotAlreadyStartedError,
    BotNotReadyError,
    StartBotError,
    UnsupportedFeatureError,
)
from simlab.webrtc.http import OfferEndpoint
from simlab.webrtc.limits import ClientLimits
from simlab.webrtc.media import Source
from simlab.webrtc.media_manager import KINDS, MediaManager
from simlab.webrtc.peer import Peer
from simlab.webrtc.request_params import RequestParams

_STARTED = {"authenticating", "connecting", "connected", "ready"}


class ClientCalls(ABC):
    """The client as an application sees it; how it connects is left to whoever inherits from it.

    Parameters
    ----------
    endpoint
        Where requests go, that for a bot too.
    """

    def __init__(
        self,
        *,
        endpoint: OfferEndpoint,
        media_manager: MediaManager,
        enable_mic: bool,
        enable_cam: bool,
        behaviour: ClientBehaviour,
        limits: ClientLimits,
        callbacks: Callbacks,
        record: Recorder,
    ) -> None:
        self.peer: Peer | None = None
        self.codecs: dict[str, str | None] = {"audio": None, "video": None}
        self.media_manager = media_manager
        self.behaviour = behaviour
        self.limits = limits
        self.callbacks = callbacks
        self.record = record
        self._endpoint = endpoint
        self._start: RequestParams | None = None
        self._wanted = [kind for kind, wanted in (("mic", enable_mic), ("cam", enable_cam)) if wanted]
        self._devices = Devices(lambda state: self.callbacks.media_state_changed(state))
        self._state = "disconnected"
        self._conversation = Conversation(self)
        self._tasks: set[asyncio.Task[None]] = set()
        self.media_manager.begin(enable_mic, enable_cam, self._source_replaced)

    @abstractmethod
    async def connect(self, params: Any = None) -> Any:
        """Connect, and return what the bot says of itself."""

    @abstractmethod
    async def disconnect(self) -> None:
        """Close the connection."""

    @abstractmethod
    def signalled(self, message: Any) -> None:
        """Handle what the server's transport says."""

    @abstractmethod
    def bot_ready(self, data: Any) -> None:
        """Take in that the bot is ready."""

    @property
    def state(self) -> str:
        """The transport's state: one of Pipecat's words, from ``disconnected`` to ``error``."""
        return self._state

    @state.setter
    def state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self.record("client", "transport_state", state=state)
            self.callbacks.transport_state_changed(state)

    @property
    def connected(self) -> bool:
        """Whether the state is ``connected`` or ``ready``."""
        return self._state in {"connected", "ready"}

    @property
    def media_state(self) -> MediaState:
        """The states of ``mic`` and ``cam``."""
        return self._devices.state

    @property
    def max_message_bytes(self) -> int:
        """How large a message may be: 64 KiB until the data channel says otherwise."""
        return self._conversation.max_message_bytes

    @property
    def is_mic_enabled(self) -> bool:
        """Whether the microphone is on."""
        return self.media_manager.is_mic_enabled

    @property
    def is_cam_enabled(self) -> bool:
        """Whether the camera is on."""
        return self.media_manager.is_cam_enabled

    @property
    def is_sharing_screen(self) -> bool:
        """Whether the screen is shared."""
        return self.media_manager.is_sharing_screen

    def set_audio_codec(self, codec: str | None) -> None:
        """Offer this audio codec alone, from the next offer on; None offers all."""
        self.codecs["audio"] = codec

    def set_video_codec(self, codec: str | None) -> None:
        """Offer this video codec alone, from the next offer on; None offers all."""
        self.codecs["video"] = codec

    async def init_devices(self) -> None:
        """Get the microphone and the camera; ``connect`` and ``start_bot`` do it where it was not done."""
        self._devices.ask()
        self.state = "initializing"
        try:
            got = await self.media_manager.initialize()
        except Exception:
            self._devices.settle(failed=True)
            raise
        self._devices.grant(got)
        self.state = "initialized"
        self._devices.settle()

    async def start_bot(self, start: RequestParams) -> Any:
        """Ask an endpoint for a bot, and return what it answers.

        Raises
        ------
        StartBotError
            If it refused, or gave no answer. The client is disconnected then.
        json.JSONDecodeError
            If a refusal is not JSON. The state then stays at ``authenticating``, as published, and nothing
            but ``disconnect`` helps.
        BotAlreadyStartedError
            If the client is started already.
        """
        self._refuse_if_started("start_bot")
        await self._make_devices_ready()
        self.state = "authenticating"
        self._start = start
        try:
            answer = await self._endpoint.start_bot(start)
        except StartBotError as error:
            self._tell("error", messages.rtvi("error-response", {"message": str(error), "fatal": True}))
            await self.disconnect()
            raise
        self.state = "authenticated"
        self._tell("bot_started", answer)
        return answer

    async def start_bot_and_connect(self, start: RequestParams) -> Any:
        """Ask an endpoint for a bot, and connect with what it answers. See ``start_bot`` and ``connect``."""
        return await self.connect(await self.start_bot(start))

    def _refuse_if_started(self, what: str) -> None:
        if self._state in _STARTED:
            raise BotAlreadyStartedError(f"{what}: the client is {self._state}; call disconnect() before")

    def _refuse_unless_ready(self, what: str) -> None:
        if self._state != "ready":
            raise BotNotReadyError(f"{what}: the client is {self._state}, not ready; await connect() before")

    async def _make_devices_ready(self) -> None:
        if self._devices.need_to_be_made_ready(self._wanted):
            await self.init_devices()

    def send_client_message(self, kind: str, data: Any = None) -> None:
        """Send an RTVI client message, which is lost without a word where the channel is not open.

        Raises
        ------
        BotNotReadyError
            If the client is not ``ready``.
        MessageTooLargeError
            If the data channel does not take as much.
        """
        self._refuse_unless_ready("send_client_message")
        self._conversation.send_checked(messages.rtvi("client-message", {"t": kind, "d": data}))

    async def send_client_request(self, kind: str, data: Any = None, timeout_s: float = TIMEOUT_S) -> Any:
        """Send an RTVI client message, and return what the bot answers.

        Raises
        ------
        ClientRequestError
            If the bot refuses, or does not answer in time; that is found out up to 2 s later.
        BotNotReadyError, MessageTooLargeError
            As ``send_client_message``.
        """
        self._refuse_unless_ready("send_client_request")
        return await self._conversation.dispatcher.dispatch(kind, data, timeout_s)

    def enable_mic(self, enable: bool) -> None:
        """Switch the microphone on or off, and tell the server."""
        self.media_manager.enable_mic(enable)
        self._conversation.signal(self.peer, messages.track_status(messages.AUDIO_INDEX, enable))

    def enable_cam(self, enable: bool) -> None:
        """Switch the camera on or off, and tell the server."""
        self.media_manager.enable_cam(enable)
        self._conversation.signal(self.peer, messages.track_status(messages.VIDEO_INDEX, enable))

    def enable_screen_share(self, enable: bool) -> None:
        """Begin or end to share the screen, and tell the server; or tell the application that it can't."""
        if not self.media_manager.supports_screen_share:
            error = UnsupportedFeatureError("enable_screen_share", "media_manager", "it shares no screen")
            self.callbacks.unsupported_feature(error)
            return
        self.media_manager.enable_screen_share(enable)
        self._conversation.signal(self.peer, messages.track_status(messages.SCREEN_INDEX, enable))

    def tracks(self) -> dict[str, Source]:
        """Return what it sends: the sources by their kinds ``audio``, ``video`` and ``screen``."""
        found = ((kind, self.media_manager.source(kind)) for kind in KINDS)
        return {kind: source for kind, source in found if source is not None}

    def _tell(self, name: str, *data: Any) -> None:
        self.record("client", "callback", name=name)
        getattr(self.callbacks, name)(*data)

    def _source_replaced(self, kind: str) -> None:
        if self.peer is not None:
            self.peer.send(kind, self.media_manager.source(kind))

    def spawn(self, work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]] | None = None) -> None:
        """Do something in the background."""
        group = self._tasks if tasks is None else tasks
        task = asyncio.get_running_loop().create_task(work)
        group.add(task)
        task.add_done_callback(group.discard)

    def error_happened(self, message: dict[str, Any]) -> None:
        """Tell the application of an error, and disconnect if it is a fatal one."""
        self._tell("error", message)
        data = message.get("data")
        if isinstance(data, dict) and data.get("fatal"):
            self.spawn(self.disconnect())
