"""The server process: ``python -m simlab.live.server_process``, started by a session."""

import asyncio
import json
import os
from contextlib import suppress
from typing import Any

from simlab.core.timeline import Recorder
from simlab.live import control
from simlab.live.addresses import HOSTS, gathering_on
from simlab.live.clock import SessionClock
from simlab.live.process import run_child
from simlab.webrtc.session import ServerSession

_CLOSE_S = 0.5
_LONGEST_LINE_BYTES = 2**26


class ServerProcess:
    """Carry out the orders of the parent.

    Parameters
    ----------
    answers
        Where messages go; it buffers, and so never holds up the server.
    """

    def __init__(self, answers: asyncio.StreamWriter) -> None:
        self._answers = answers
        self._clock = SessionClock()
        self._record = Recorder(self._clock.now_s, lambda event: self._put(control.event_message(event)))
        self._session: ServerSession | None = None
        self._orders: dict[str, Any] = {
            "prepare": self._prepare,
            "start": self._start,
            "finish": self._finish,
        }

    def _put(self, message: control.Message) -> None:
        self._answers.write(control.to_line(message))

    async def obey(self, order: control.Message) -> None:
        """Carry out an order, and answer it."""
        try:
            value = await self._orders[order["do"]](*order["with"])
        except OSError as error:
            self._put(control.refusal(order, error))
        else:
            self._put(control.answer(order, value))

    async def _prepare(self, text: str, port: int) -> int:
        self._session = ServerSession(control.scenario_of(text), self._record)
        await self._session.start(HOSTS["server"], port)
        return self._session.port

    async def _start(self, zero_s: float) -> None:
        self._clock.start(zero_s)

    async def _finish(self) -> None:
        assert self._session is not None
        self._session.finish()
        self._record.close()

    async def close(self) -> None:
        """Free everything, without a word in the timeline."""
        self._record.close()
        if self._session is not None:
            await self._session.close()
        await self._answers.drain()


async def serve(orders: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
    """Obey orders until there are no more."""
    process = ServerProcess(answers)
    with gathering_on("server"):
        while line := await orders.readline():
            await process.obey(json.loads(line))
        with suppress(TimeoutError):
            await asyncio.wait_for(process.close(), _CLOSE_S)


async def _main(output: int) -> None:
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader(limit=_LONGEST_LINE_BYTES)
    protocol = asyncio.StreamReaderProtocol(orders)
    await loop.connect_read_pipe(lambda: protocol, os.fdopen(0, "rb", closefd=False))
    answers, flow = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, os.fdopen(output, "wb"))
    # Draining waits until everything is written.
    answers.set_write_buffer_limits(0)
    await serve(orders, asyncio.StreamWriter(answers, flow, None, loop))


def main() -> None:
    """Run the server until stdin is closed."""
    run_child(lambda output: asyncio.run(_main(output)))


if __name__ == "__main__":
    main()
