"""Real connectivity checks on the nominated pair, driven by a model of liveness."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aioice import stun
from aioice.ice import Connection
from aiortc import RTCIceTransport

from simlab.reconnect.liveness_model import Liveness


@dataclass
class _Check:
    """A connectivity check that waits for its answer, in the shape that aioice expects of one.

    aioice's own transactions are given up after half a second; a browser accepts any later answer.
    """

    sent_s: float
    key: bytes
    answered: Callable[[float], None]

    def response_received(self, message: stun.Message, _: object) -> None:
        success = message.message_class == stun.Class.RESPONSE
        if success and message.check_message_integrity(self.key):
            self.answered(self.sent_s)


@dataclass(frozen=True)
class GuardedSend:
    """Send by ``sender`` what it ``allows``, and drop the rest."""

    sender: Callable[[bytes], Awaitable[None]]
    allows: Callable[[], bool]

    async def __call__(self, data: bytes) -> None:
        """Send data, or drop it."""
        if self.allows():
            await self.sender(data)


class LivenessMonitor:
    """Run a liveness model on an ICE connection of aiortc.

    Parameters
    ----------
    changed
        Called with each new ICE state: ``checking``, ``connected``, ``disconnected``, ``failed``, ``closed``.
    connection_changed
        Called when the connection state has changed, after ``changed`` if both have.
    heard
        Called with ``"media"`` or ``"data"`` for each packet of these.
    """

    def __init__(
        self,
        model: Liveness,
        changed: Callable[[str], None],
        connection_changed: Callable[[], None] = lambda: None,
        heard: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._model = model
        self._changed = changed
        self._connection_changed = connection_changed
        self._heard = heard
        self._told = model.state
        self._told_connection = model.connection_state
        self._loop = asyncio.get_running_loop()
        self._now_s = self._loop.time
        self._timer: asyncio.TimerHandle | None = None
        self._ice: Connection | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def state(self) -> str:
        """The ICE state as a browser would report it."""
        return self._model.state

    @property
    def connection_state(self) -> str:
        """The state of the whole connection as a browser would report it."""
        return self._model.connection_state

    def begin(self) -> None:
        """Start, once the remote description is applied."""
        self._model.begin(self._loop.time())
        self._after()

    def connected(self, ice: Connection) -> None:
        """Start to check, once ICE has completed on this connection."""
        self._ice = ice
        _call_before(ice, "data_received", self._received)
        _call_before(ice, "request_received", lambda *_: self._check_received())
        # The model takes the place of aioice's consent check, which would close the connection after half
        # a minute.
        if ice._query_consent_task is not None:
            ice._query_consent_task.cancel()
        self._model.connected(self._loop.time())
        self._after()

    def guard(self, transport: RTCIceTransport) -> None:
        """Drop what is sent while the path is not writable, as a browser does; checks go another way."""
        transport._send = GuardedSend(transport._send, lambda: getattr(self._model, "is_writable", True))

    def stop(self) -> None:
        """Send and tell nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._model.next_timer_s = None
        self._changed = self._heard = lambda _: None
        self._connection_changed = lambda: None

    def _received(self, data: bytes, _: int) -> None:
        what = "data" if data and 20 <= data[0] <= 63 else "media"  # DTLS: RFC 7983
        self._model.received(self._now_s(), what)
        self._heard(what)

    def _check_received(self) -> None:
        self._model.check_received(self._loop.time())
        if self._timer is None:
            self._after()

    def _answered(self, sent_s: float) -> None:
        self._model.answered(sent_s, self._loop.time())
        self._after()

    def _tick(self) -> None:
        if self._model.handle_timer(self._loop.time()):
            self._send_check()
        self._after()

    def _after(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._model.next_timer_s is not None:
            self._timer = self._loop.call_at(self._model.next_timer_s, self._tick)
        if self._model.state != self._told:
            self._told = self._model.state
            if self._told == "closed" and self._ice is not None:
                self._closing = self._loop.create_task(self._ice.close())
            self._changed(self._told)
        if self._model.connection_state != self._told_connection:
            self._told_connection = self._model.connection_state
            self._connection_changed()

    def _send_check(self) -> None:
        # A closed connection has no pair left; its checks count as sent and are never answered.
        ice = self._ice
        for pair in list(ice._nominated.values()) if ice is not None else []:
            assert ice is not None
            assert ice.remote_password is not None
            key = ice.remote_password.encode()
            # Chromium nominates the selected pair in each of its checks (libwebrtc's
            # BasicIceController::GetUseCandidateAttr): so a server finds it again behind a NAT that rebinds.
            request = ice.build_request(pair, nominate=True)
            request.add_message_integrity(key)
            _forget_old(pair.protocol.transactions, self._loop.time())
            pair.protocol.transactions[request.transaction_id] = _Check(  # type: ignore[assignment]
                self._loop.time(), key, self._answered
            )
            pair.protocol.send_stun(request, pair.remote_addr)


def _call_before(ice: Connection, method: str, hook: Callable[..., None]) -> None:
    original = getattr(ice, method)

    def hooked(*args: Any) -> None:
        hook(*args)
        original(*args)

    setattr(ice, method, hooked)


def _forget_old(transactions: dict[bytes, Any], now_s: float, age_s: float = 30.0) -> None:
    old = []
    for key, transaction in transactions.items():
        if isinstance(transaction, _Check):
            if transaction.sent_s >= now_s - age_s:
                break  # those behind it were sent later
            old.append(key)
    for key in old:
        del transactions[key]
