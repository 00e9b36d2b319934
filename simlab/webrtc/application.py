"""What an application does with its client in the middle of a session: a profile's ``[[action]]`` tables."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

from aiortc import RTCIceServer

from simlab.core.timeline import Recorder
from simlab.profile.actions import Action
from simlab.webrtc.errors import ClientRequestError, RTVIError
from simlab.webrtc.peer import PeerError
from simlab.webrtc.transport import SmallWebRTCTransport

MESSAGE_NAME = "simlab-message"
"""What ``send`` and ``request`` call their messages."""


class Application:
    """Carry out actions on a client.

    Parameters
    ----------
    connect
        Connects the client, as the session has it.
    leaves
        Called when the application disconnects.
    """

    def __init__(
        self,
        transport: SmallWebRTCTransport,
        record: Recorder,
        connect: Callable[[], Coroutine[Any, Any, None]],
        leaves: Callable[[], None],
    ) -> None:
        self._transport = transport
        self._record = record
        self._connect_client = connect
        self._leaves = leaves

    async def perform(self, action: Action) -> None:
        """Wait for an action's time, and carry it out; a refusal is recorded."""
        await asyncio.sleep(action.at_s - self._record.now_s())
        self._record("client", "action", do=action.do)
        deeds: dict[str, Callable[[Action], Coroutine[Any, Any, None]]] = {
            "connect": self._connect,
            "disconnect": self._disconnect,
            "send": self._send,
            "request": self._request,
        }
        try:
            if action.do in deeds:
                await deeds[action.do](action)
            else:
                self._switch(action)
        except (RTVIError, PeerError, json.JSONDecodeError) as error:
            self._record("client", "action_refused", do=action.do, error=str(error))

    async def _connect(self, _: Action) -> None:
        await self._connect_client()

    async def _disconnect(self, _: Action) -> None:
        self._leaves()
        await self._transport.disconnect()

    async def _send(self, action: Action) -> None:
        self._transport.send_client_message(MESSAGE_NAME, "x" * (action.size_bytes or 0))

    async def _request(self, action: Action) -> None:
        try:
            await self._transport.send_client_request(MESSAGE_NAME, "x" * (action.size_bytes or 0))
        except ClientRequestError as error:
            self._record("client", "response", outcome="refused", error=str(error))
        else:
            self._record("client", "response", outcome="answered")

    def _switch(self, action: Action) -> None:
        if action.do in {"mute", "unmute"}:
            self._transport.enable_mic(action.do == "unmute")
        elif action.do in {"camera-on", "camera-off"}:
            self._transport.enable_cam(action.do == "camera-on")
        else:
            urls = list(action.urls or ())
            servers = [RTCIceServer(urls, action.username, action.credential)] if urls else []
            self._transport.ice_servers = servers
