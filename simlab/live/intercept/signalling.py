"""What clients and server say about connections: recorded, delayed, broken, and with other addresses."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.live.addresses import Address, Side
from simlab.live.intercept import bodies
from simlab.live.intercept.clients import Client, Clients
from simlab.profile.faults import SignallingFault, SignallingHow
from simlab.profile.model import Profile
from simlab.webrtc.signalling_path import FaultPicker
from simlab.webrtc.signalling_rewrite import parsed

Kind = Literal["offer", "candidates", "start"]
Forward = Callable[[bytes], Awaitable[web.Response]]
Alias = Callable[[Client, Side, Address], Awaitable[Address | None]]
_INJECTED = {"detail": "injected by simlab"}
_PORTAL = "<!doctype html><title>Welcome</title><p>Please log in to use this network.</p>"


class AbortedError(Exception):
    """The client's connection is to be cut."""


@dataclass
class Exchange:
    """A request about connections and its answer.

    Parameters
    ----------
    truncated
        Whether only half of the answer is to arrive.
    """

    method: str
    path: str
    kind: Kind
    client: Client | None = None
    truncated: bool = False


@dataclass
class Faults:
    """What is wrong with the signalling, by the profile and by hand. Their time began at ``began_s``."""

    profile: Profile = field(default_factory=Profile)
    began_s: float = 0.0
    by_hand: list[SignallingFault] = field(default_factory=list)

    def __post_init__(self) -> None:
        faults = [fault for fault in self.profile.faults if isinstance(fault, SignallingFault)]
        self._picker = FaultPicker(faults)
        self._pickers: dict[int, FaultPicker] = {}  # each by hand counts on, whatever else comes and goes

    def pick(self, method: str, now_s: float) -> SignallingFault | None:
        """Return what is wrong with a request that is made now, by hand first."""
        at_s = now_s - self.began_s
        pickers = [self._pickers.setdefault(id(one), FaultPicker([one])) for one in self.by_hand]
        found = [picker.pick(method, at_s) for picker in pickers]
        return next(filter(None, found), None) or self._picker.pick(method, at_s)

    def delay_s(self, direction: Direction) -> float:
        """Return how long messages of a direction take."""
        return self.profile.signalling_delay_s(direction)


class Signalling:
    """Rewrite offers, answers and candidates.

    Parameters
    ----------
    alias
        Gives the address at which the other side finds a client's endpoint or, for its client, the server's;
        None to leave it out.
    """

    def __init__(self, record: Recorder, alias: Alias) -> None:
        self._record = record
        self._alias = alias
        self.clients = Clients()
        self.faults = Faults()

    @staticmethod
    def kind(method: str, path: str, message: dict[str, Any] | None) -> Kind | None:
        """Tell what a request is, by its body; None for one that is none of the signalling's."""
        if message is not None and bodies.description(message, "offer"):
            return "offer"
        if message is not None and ("candidates" in message or bodies.candidates(message)):
            return "candidates"
        return "start" if method == "POST" and path.rstrip("/").endswith("/start") else None

    def unreachable(self) -> None:
        """Take note that there was no server."""
        self._record("signalling", "faulted", how="server unreachable")

    async def exchange(self, exchange: Exchange, body: bytes, forward: Forward) -> web.Response:
        """Carry a request to the server, and return what the client is to get.

        Raises
        ------
        AbortedError
            If its connection is to be cut instead.
        """
        message = parsed(body)
        offered = self._arrived(exchange, message)
        await asyncio.sleep(self.faults.delay_s(Direction.UP))
        fault = self.faults.pick(exchange.method, self._record.now_s())
        try:
            if fault is not None:
                self._record("signalling", "faulted", how=fault.how.text, **_of(exchange.client))
            response = await self._suffer(fault, exchange, message, body, forward)
        except AbortedError:
            self._failed(exchange, offered, error="connection cut")
            raise
        await asyncio.sleep(self.faults.delay_s(Direction.DOWN))
        self._left(exchange, offered, response)
        return response

    async def _suffer(
        self, fault: SignallingFault | None, exchange: Exchange, message: Any, body: bytes, forward: Forward
    ) -> web.Response:
        how = SignallingHow("none") if fault is None else fault.how
        if how.status is not None:
            return web.json_response(_INJECTED, status=how.status)
        # A port that also serves pages can't refuse; for the client the request fails all the same.
        if how.kind in ("refused", "reset"):
            raise AbortedError
        if how.kind == "hang":
            await asyncio.Event().wait()
        await asyncio.sleep(how.wait_s or 0.0)
        response = await self._through(exchange, message, body, forward)
        if how.kind == "lost-response":
            raise AbortedError
        if how.kind == "duplicate":
            response = await self._through(exchange, message, body, forward)
        exchange.truncated = how.kind == "truncated"
        if how.kind == "invalid-json":
            return web.Response(text=_PORTAL, content_type="text/html")
        return response

    async def _through(self, exchange: Exchange, message: Any, body: bytes, forward: Forward) -> web.Response:
        client = exchange.client
        if message is None or client is None or exchange.kind == "start":
            return await forward(body)

        async def to_server(endpoint: Address) -> Address | None:
            return await self._alias(client, "client", endpoint)

        async def to_client(endpoint: Address) -> Address | None:
            return await self._alias(client, "server", endpoint)

        said = await bodies.rewritten(message, to_server)
        if said is None:  # one candidate alone, which is not to be told: nothing is left to say
            return web.json_response({"status": "success"})
        response = await forward(bodies.body_of(said))
        answer = parsed(response.body) if isinstance(response.body, bytes) else None
        if answer is not None and response.status < 400:
            if bodies.description(answer, "answer") and self.clients.answered(client, _pc_id(answer)):
                self._record("server", "connection_opened", pc_id=_pc_id(answer), **_of(client))
            response.body = bodies.body_of(await bodies.rewritten(answer, to_client))
        return response

    def _arrived(self, exchange: Exchange, message: dict[str, Any] | None) -> bool:
        """Find out whose a request is, and record it; True for an offer."""
        described = bodies.description(message, "offer")
        if message is not None and described is not None:
            offer = self.clients.offered({**message, **described}, described["sdp"])
            client = exchange.client = offer.client
            if offer.action is not None:
                number = client.attempts
                self._record("policy", "attempt", number=number, action=offer.action, **_of(client))
            restart, pc_id = bool(described.get("restart_pc")), described.get("pc_id")
            labels = {"connection": client.connection, "restart": restart, "pc_id": pc_id, **_of(client)}
            self._record("client", "offer", **labels)
        elif message is not None and exchange.kind == "candidates":
            known = exchange.client = self.clients.named(_pc_id(message))
            if known is not None:
                count = len(bodies.candidates(message))
                labels = {"connection": known.connection, "candidates": count, **_of(known)}
                self._record("client", "trickle", **labels)
        asked: dict[str, Any] = {"method": exchange.method, "path": exchange.path}
        self._record("signalling", "request", **asked, **_of(exchange.client))
        return described is not None

    def _left(self, exchange: Exchange, offered: bool, response: web.Response) -> None:
        client, status = exchange.client, response.status
        self._record("signalling", "response", status=status, **_of(client))
        answer = parsed(response.body) if isinstance(response.body, bytes) else None
        if client is None or not offered:
            return
        if status >= 400:
            self._failed(exchange, offered, status=status)
        elif answer is None:
            self._failed(exchange, offered, error="invalid answer")
        else:
            connection = client.connection
            self._record(
                "client", "answer", connection=connection, status=status, pc_id=_pc_id(answer), **_of(client)
            )

    def _failed(self, exchange: Exchange, offered: bool, **why: Any) -> None:
        client = exchange.client
        if client is not None and offered:
            self._record("client", "offer_failed", connection=client.connection, **why, **_of(client))


def _pc_id(message: dict[str, Any]) -> Any:
    described = bodies.description(message, "answer") or {}
    return message.get("pc_id") or described.get("pc_id")


def _of(client: Client | None) -> dict[str, int]:
    return {} if client is None else {"client": client.number}
