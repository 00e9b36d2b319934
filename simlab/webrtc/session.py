"""Both halves of a session: a client that meets a bot and measures, and the server with the bot."""

import asyncio
import json
import math
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from aiortc import RTCIceServer

from simlab.core.errors import SessionFailedError
from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.profile.scenario import Scenario
from simlab.reconnect.alternatives import Alternatives
from simlab.reconnect.decisions import PolicyBrokenError
from simlab.webrtc import probes
from simlab.webrtc.application import Application
from simlab.webrtc.bot import Bot
from simlab.webrtc.callbacks import Callbacks
from simlab.webrtc.connection import SmallWebRTCConnection
from simlab.webrtc.ears import Ears, EarsOfAll
from simlab.webrtc.encoded import EncodedFrame
from simlab.webrtc.errors import BotNotReadyError, RTVIError
from simlab.webrtc.following import policies_of_scenario
from simlab.webrtc.handler import Call, HandlerSettings, RequestHandler
from simlab.webrtc.http_server import HttpServer
from simlab.webrtc.iceserver.servers import NO_ICE_SERVERS, IceSettings
from simlab.webrtc.limits import ClientLimits, ServerLimits
from simlab.webrtc.media import is_audible
from simlab.webrtc.peer import PeerError
from simlab.webrtc.policies import liveness_of
from simlab.webrtc.request_params import RequestParams
from simlab.webrtc.routes import OFFER_PATH, START_PATH, Routes
from simlab.webrtc.synthetic import SyntheticMedia
from simlab.webrtc.transport import SmallWebRTCTransport


def record_faults(scenario: Scenario, record: Recorder) -> None:
    """Record when each of the profile's faults begins and ends."""
    for index, fault in enumerate(scenario.profile.faults):
        settings: dict[str, Any] = fault.model_dump(by_alias=True, exclude={"kind"}, exclude_none=True)
        labels = {"index": index, "fault": fault.kind, **settings}
        record("fault", "begin", at_s=fault.at_s, **labels)
        if fault.until_s < math.inf:
            record("fault", "end", at_s=fault.until_s, **labels)


def rtc_servers(ice: IceSettings) -> tuple[RTCIceServer, ...]:
    """Return the servers that a peer is told of as aiortc takes them."""
    return tuple(RTCIceServer(each.url, each.username, each.password) for each in ice.servers)


class ClientSession:
    """The client's half: connect, speak, send a numbered message every 100 ms, listen and count.

    Parameters
    ----------
    endpoint
        The URL that offers go to.
    ice
        STUN and TURN servers.
    """

    def __init__(
        self, scenario: Scenario, endpoint: str, record: Recorder, ice: IceSettings = NO_ICE_SERVERS
    ) -> None:
        profile = scenario.profile
        media = profile.peers.media
        self._record = record
        self._media = media
        self._actions = profile.actions
        self._last_message_s = profile.duration_s - probes.QUIET_END_S
        self._messages = probes.Messages(record, Direction.DOWN)
        self._heard = probes.Watch(record, Direction.DOWN, "media", probes.MEDIA_GAP_S + profile.bot.pause_s)
        self._seen = probes.Watch(record, Direction.DOWN, "video", probes.VIDEO_GAP_S)
        self._sent_messages = probes.Tally(record, Direction.UP, "message")
        self._sent_media = {
            kind: probes.Tally(record, Direction.UP, what)
            for kind, what in (("audio", "media"), ("video", "video"))
        }
        self._numbers: Iterator[int] = iter(range(2**63))
        client = profile.client
        self._start = RequestParams(endpoint.replace(OFFER_PATH, START_PATH)) if client.start else None
        self.transport = SmallWebRTCTransport(
            webrtc_request_params=RequestParams(endpoint, timeout_s=client.offer_timeout_s),
            wait_for_ice_gathering=bool(client.wait_for_ice_gathering),
            audio_codec=client.audio_codec,
            video_codec=client.video_codec,
            disconnect_on_bot_disconnect=client.disconnect_on_bot_disconnect is not False,
            media_manager=SyntheticMedia(media, lambda kind: self._sent_media[kind].add("sent")),
            enable_mic="audio" in media,
            enable_cam="video" in media,
            decode_video=False,
            ice_servers=rtc_servers(ice),
            relay_only=ice.relay_only,
            policy=self._policies(scenario),
            liveness=liveness_of(profile.client, scenario.seed),
            seed=scenario.seed,
            behaviour=profile.client.behaviour,
            limits=ClientLimits.of(profile.client),
            callbacks=Callbacks(
                bot_ready=self._begin, server_message=self._message, frame_received=self._frame
            ),
            record=record,
        )
        self._application = Application(self.transport, record, self._meet, self._leave)
        self._away = False
        self._tasks: list[asyncio.Task[None]] = []
        self._talking: probes.Metronome | None = None

    @staticmethod
    def _policies(scenario: Scenario) -> Alternatives:
        try:
            return policies_of_scenario(scenario)
        except PolicyBrokenError as error:
            raise SessionFailedError("policy", str(error)) from error

    async def run(self, duration_s: float) -> None:
        """Run until ``duration_s`` after the session began. ``finish`` then says what is still open.

        Raises
        ------
        SessionFailedError
            If rules of a policy of the user's own fail.
        """
        loop = asyncio.get_running_loop()
        self._tasks.append(loop.create_task(self._connect()))
        end = loop.create_task(asyncio.sleep(duration_s - self._record.now_s()))
        self._tasks += [
            end,
            *(loop.create_task(self._application.perform(action)) for action in self._actions),
        ]
        pending: set[asyncio.Future[None]] = {*self._tasks, self.transport.policy_broken}
        while not end.done():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            if self.transport.policy_broken.done():
                broken = self.transport.policy_broken.exception()
                raise SessionFailedError("policy", str(broken)) from broken
            for task in done:
                task.result()  # raises what is a fault of simlab itself

    async def _connect(self) -> None:
        # A refusal of the start endpoint that is not JSON leaves the published client where it was.
        with suppress(RTVIError, PeerError, json.JSONDecodeError):
            await self._meet()

    async def _meet(self) -> None:
        if self._start is None:
            await self.transport.connect()
        else:
            await self.transport.start_bot_and_connect(self._start)

    def _leave(self) -> None:
        self._away = True

    def _begin(self, _: Any) -> None:
        self._away = False
        self._messages.watch.begin()
        if "audio" in self._media:
            self._heard.begin()
        if "video" in self._media:
            self._seen.begin()
        if self._talking is None:
            self._talking = probes.Metronome(self._send_probe, self._record.now_s, self._last_message_s)

    def _send_probe(self) -> None:
        if self._away:
            return
        self._sent_messages.add("sent")
        content = {"number": next(self._numbers), "sent_s": round(self._record.now_s(), 6)}
        with suppress(BotNotReadyError):
            self.transport.send_client_message(probes.PROBE_NAME, content)

    def _message(self, data: Any) -> None:
        if isinstance(data, dict) and data.get("t") == probes.PROBE_NAME:
            self._messages.arrived(data.get("number"), data.get("sent_s"))

    def _frame(self, frame: Any) -> None:
        if isinstance(frame, EncodedFrame):
            self._seen.arrived()
        elif is_audible(frame):
            self._heard.arrived()

    async def hang_up(self) -> None:
        """Disconnect, as a user does."""
        if self._talking is not None:
            self._talking.stop()
        await self.transport.disconnect()

    def finish(self) -> None:
        """Record what is still open."""
        end_s = self._last_message_s + probes.QUIET_END_S
        self._messages.watch.finish(self._last_message_s)
        self._heard.finish(end_s)
        self._seen.finish(end_s)
        self._sent_messages.flush()
        for tally in self._sent_media.values():
            tally.flush()

    async def close(self) -> None:
        """Free everything."""
        if self._talking is not None:
            self._talking.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.transport.release()


def ears_of(scenario: Scenario, record: Recorder, may_be_quiet: bool = False) -> EarsOfAll:
    """Return what the bots of a scenario's server hear with: see ``Ears``."""
    profile = scenario.profile
    media, last_message_s = profile.peers.media, profile.duration_s - probes.QUIET_END_S
    sound, pictures = "audio" in media, "video" in media
    return EarsOfAll(lambda: Ears(record, sound, last_message_s, pictures, sound and may_be_quiet))


class ServerSession:
    """The server's half: the offer endpoint, and a bot for each connection.

    Parameters
    ----------
    ears
        Of the server before it, which was killed: what they have measured so far goes on.
    ice
        STUN and TURN servers.
    """

    def __init__(
        self,
        scenario: Scenario,
        record: Recorder,
        ears: EarsOfAll | None = None,
        ice: IceSettings = NO_ICE_SERVERS,
    ) -> None:
        profile = scenario.profile
        self.ears = ears or ears_of(scenario, record)
        self._record = record
        self._keys = profile.bot
        exhausted = [fault for fault in profile.faults if fault.kind == "server-exhausted"]
        settings = HandlerSettings(
            mode=profile.server.mode,
            ice_servers=rtc_servers(ice),
            relay_only=ice.relay_only,
            esp32=profile.server.esp32,
            esp32_host=profile.server.esp32_host,
            connecting_timeout_s=profile.server.connecting_timeout_s,
            decode_video=False,
            behaviour=profile.server.behaviour,
            limits=ServerLimits.of(profile.server),
            is_exhausted=lambda: any(fault.at_s <= record.now_s() < fault.until_s for fault in exhausted),
        )
        self._handler = RequestHandler(record, self._start_bot, settings)
        self._routes = Routes(self._handler, record)
        self._http = HttpServer(self._routes.application())

    def _start_bot(self, connection: SmallWebRTCConnection, call: Call) -> None:
        def ended(by_bot: bool) -> None:
            self._routes.end_session(call.session_id)
            if by_bot:
                self._handler.bot_ended(connection)

        Bot(connection, self._record, self.ears.here, self._keys, resumes=call.resumes, ended=ended)

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Raises
        ------
        OSError
            If the port is in use.
        """
        await self._http.start(host, port)

    @property
    def port(self) -> int:
        """Where it listens, on the real clock: there port 0 means any free one."""
        return self._http.port

    def finish(self) -> None:
        """Record what is still open."""
        self.ears.finish()

    async def close(self) -> None:
        """Free everything."""
        await self._handler.close()
        await self._http.close()
