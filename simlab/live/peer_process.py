"""What the processes of client and server have in common: they obey the parent, on asyncio."""

import asyncio
import errno
import json
import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Protocol

from simlab.core.errors import SessionFailedError
from simlab.core.timeline import Recorder
from simlab.live import control
from simlab.live.addresses import Address, Side, gathering_on, host_of
from simlab.live.clock import SessionClock
from simlab.live.process import run_child
from simlab.webrtc.later import import_for_first_call

_CLOSE_S = 0.5
_LONGEST_LINE_BYTES = 2**26


class Half(Protocol):
    """One half of a session."""

    def finish(self) -> None:
        """Record what is still open."""

    async def close(self) -> None:
        """Free everything."""


class PeerProcess:
    """Carry out the orders of the parent.

    Parameters
    ----------
    answers
        Where messages go; it buffers, and so never holds up the peer.
    """

    side: Side

    def __init__(self, answers: asyncio.StreamWriter) -> None:
        self._answers = answers
        self.clock = SessionClock()
        self.record = Recorder(self.clock.now_s, lambda event: self._put(control.event_message(event)))
        self.orders: dict[str, Any] = {"start": self.start, "finish": self.finish, "log_keys": self._log_keys}
        self._open = ExitStack()
        self.half: Half | None = None

    def _put(self, message: control.Message) -> None:
        self._answers.write(control.to_line(message))

    async def obey(self, order: control.Message) -> None:
        """Carry out an order, and answer it."""
        try:
            value = await self.orders[order["do"]](*order["with"])
        except SessionFailedError as error:  # of the user's own server or client: no bug of simlab's
            self._put(control.refusal(order, error.reason))
        except OSError as error:
            self._put(control.refusal(order, str(error)))
        else:
            self._put(control.answer(order, value))

    def tell_failure(self, error: SessionFailedError) -> None:
        """Tell the parent, which ends the session, that it can't go on."""
        self._put(control.failure(error))

    async def told(self) -> None:
        """Wait until all messages are written."""
        await self._answers.drain()

    async def _log_keys(self, path: str) -> None:
        from simlab.capture.keys import keys_logged

        self._open.enter_context(keys_logged(Path(path)))

    async def start(self, zero_s: float) -> None:
        """Take over the time of the session."""
        self.clock.start(zero_s)

    async def finish(self) -> None:
        """Record what is still open, and nothing any more."""
        if self.half is not None:
            self.half.finish()
        self.record.close()

    async def work(self) -> None:
        """Do what is to be done beside obeying; return or wait for ever."""

    async def close(self) -> None:
        """Free everything, without a word in the timeline."""
        self.record.close()
        if self.half is not None:
            await self.half.close()
        await self.told()


async def _obey(process: PeerProcess, orders: asyncio.StreamReader) -> None:
    while line := await orders.readline():
        await process.obey(json.loads(line))


async def _serve(process: PeerProcess, orders: asyncio.StreamReader) -> None:
    """Obey orders until there are no more."""
    working = asyncio.create_task(process.work())
    obeying = asyncio.create_task(_obey(process, orders))
    with gathering_on(process.side):
        await asyncio.wait((obeying, working), return_when=asyncio.FIRST_COMPLETED)
        if not obeying.done():
            try:
                working.result()  # raises what is a fault of simlab itself
            except SessionFailedError as error:
                process.tell_failure(error)
        await obeying
        working.cancel()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.close(), _CLOSE_S)


async def _main(make: Callable[[asyncio.StreamWriter], PeerProcess], output: int) -> None:
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader(limit=_LONGEST_LINE_BYTES)
    protocol = asyncio.StreamReaderProtocol(orders)
    await loop.connect_read_pipe(lambda: protocol, os.fdopen(0, "rb", closefd=False))
    answers, flow = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, os.fdopen(output, "wb"))
    # Draining waits until everything is written.
    answers.set_write_buffer_limits(0)
    await _serve(make(asyncio.StreamWriter(answers, flow, None, loop)), orders)


class _HostLoop(asyncio.SelectorEventLoop):
    """A loop whose connected UDP ports are at its side's own address.

    The system would choose the address by that of the other end, and all of loopback reaches all of it.
    """

    def __init__(self, side: Side) -> None:
        super().__init__()
        self._side: Side = side

    async def create_datagram_endpoint(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], Any],
        local_addr: Address | None = None,
        remote_addr: Address | None = None,
        **options: Any,
    ) -> tuple[asyncio.DatagramTransport, Any]:
        if local_addr is None and remote_addr is not None:
            host = host_of(self._side)
            if host is None:
                raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
            local_addr = (host, 0)
        return await super().create_datagram_endpoint(protocol_factory, local_addr, remote_addr, **options)


def run_peer(make: type[PeerProcess]) -> None:
    """Run a peer's process until its stdin is closed.

    Parameters
    ----------
    make
        Makes it, given where messages go.
    """

    def work(output: int) -> None:
        import_for_first_call()
        with asyncio.Runner(loop_factory=lambda: _HostLoop(make.side)) as runner:
            runner.run(_main(make, output))

    run_child(work)
