"""Requests of the client to the bot, each waiting for the answer that has its identifier."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simlab.webrtc import messages
from simlab.webrtc.errors import ClientRequestError

TIMEOUT_S = 10.0
SWEEP_INTERVAL_S = 2.0


@dataclass
class _Waiting:
    since_s: float
    timeout_s: float
    message: dict[str, Any]
    answer: "asyncio.Future[Any]"


class Dispatcher:
    """Send requests, and give each its answer.

    A request is found to be late by a sweep every 2 s, or by the next request: 10 to 12 s after it was sent.
    Those that wait when the client disconnects are forgotten, and so never end: as published.

    Source: dispatcher.ts of @pipecat-ai/client-js 1.13.1.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Waiting] = []
        self._forgotten: list[_Waiting] = []
        self._sweep: asyncio.TimerHandle | None = None

    def dispatch(self, kind: str, data: Any, timeout_s: float) -> "asyncio.Future[Any]":
        """Send a request, and return the future of what its answer carries.

        Raises
        ------
        MessageTooLargeError
            If it is.
        """
        if self._sweep is None:
            self._sweep = self._loop.call_later(SWEEP_INTERVAL_S, self._sweep_regularly)
        message = messages.rtvi("client-message", {"t": kind, "d": data})
        waiting = _Waiting(self._loop.time(), timeout_s, message, self._loop.create_future())
        self._waiting.append(waiting)
        try:
            self._send(message)
        except Exception:
            waiting.answer.cancel()
            raise
        self._give_up_late()
        return waiting.answer

    def answered(self, message_id: str, data: Any) -> None:
        """Take in an answer; one that nobody waits for is dropped."""
        if (waiting := self._take(message_id)) is not None:
            waiting.answer.set_result(data.get("d") if isinstance(data, dict) else None)

    def refused(self, message_id: str, data: Any) -> None:
        """Take in that a request was answered with an error."""
        if (waiting := self._take(message_id)) is not None:
            waiting.answer.set_exception(ClientRequestError(data))

    def disconnect(self) -> None:
        """Forget the requests that wait."""
        self._forgotten += self._waiting
        self._waiting = []
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None

    def release(self) -> None:
        """Cancel the requests that wait, those too that are forgotten."""
        self.disconnect()
        for waiting in self._forgotten:
            waiting.answer.cancel()

    def _take(self, message_id: str) -> _Waiting | None:
        found = next((w for w in self._waiting if w.message["id"] == message_id), None)
        if found is not None:
            self._waiting.remove(found)
        return found if found is not None and not found.answer.done() else None

    def _sweep_regularly(self) -> None:
        self._sweep = self._loop.call_later(SWEEP_INTERVAL_S, self._sweep_regularly)
        self._give_up_late()

    def _give_up_late(self) -> None:
        now_s = self._loop.time()
        late = [w for w in self._waiting if now_s - w.since_s >= w.timeout_s]
        for waiting in late:
            data = waiting.message["data"]
            error = {"error": "Timed out waiting for response", "msgType": data["t"], "data": data["d"]}
            self.refused(waiting.message["id"], error | {"fatal": False})
