"""The parent's end of the packet process."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from simlab.core.errors import SessionFailedError
from simlab.core.packet import Direction
from simlab.live.ending import parent_alone_is_asked
from simlab.live.udp.flows import Address
from simlab.live.udp.forward import Place
from simlab.live.udp.messages import COMPILED, Unframer, framed
from simlab.profile.faults import Fault
from simlab.profile.scenario import Scenario

_STOP_S = 2.0
_END_S = 5.0
_CAPTURE_END_S = 25.0
"""The writer of a capture may take so long to write what waits: see ``CaptureQueue.close``."""
_MODULE = "simlab.live.udp.process"


class Engine:
    """Start the packet process, give it orders, and hear what happens.

    Parameters
    ----------
    happened
        Called with each event: its kind and its details.
    compiled
        Whether packets go the compiled way, as far as they can: see ``simlab.live.udp.compiled``.
    """

    def __init__(self, happened: Callable[[str, dict[str, Any]], None], *, compiled: bool = False) -> None:
        self._compiled = compiled
        self._happened = happened
        self._has_capture = False
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the process.

        Raises
        ------
        SessionFailedError
            If the system won't.
        """
        ours, theirs = socket.socketpair()
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path),
            "OPENBLAS_NUM_THREADS": "1",  # nothing is multiplied; each system call takes less with one thread
        }
        try:
            with parent_alone_is_asked():
                self._process = await asyncio.create_subprocess_exec(
                    *(
                        sys.executable,
                        "-P",
                        "-m",
                        _MODULE,
                        str(theirs.fileno()),
                        *([COMPILED] if self._compiled else ()),
                    ),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    env=environment,
                )
        except OSError as error:
            ours.close()
            raise SessionFailedError("relay", f"could not be started: {error}") from error
        finally:
            theirs.close()
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self._listening = asyncio.create_task(self._listen(reader))
        await self._ask("clients")  # what begins now should not begin while the process imports and compiles

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process is not None
        return self._process.pid

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        unframer = Unframer()
        with suppress(ConnectionError):
            while data := await reader.read(2**18):
                for message in unframer.feed(data):
                    self._heard(*message)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(SessionFailedError("relay", "the packet process has ended"))

    def _heard(self, number: int, what: Any, more: Any) -> None:
        if number == 0:
            self._happened(what, more)
            return
        waiting = self._waiting.pop(number, None)
        if waiting is None or waiting.done():
            return
        if more is None:
            waiting.set_result(what)
        else:
            waiting.set_exception(SessionFailedError("relay", more))

    async def _ask(self, name: str, *arguments: object) -> Any:
        if self._listening is None or self._listening.done():
            raise SessionFailedError("relay", "the packet process has ended")
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        assert self._writer is not None
        self._writer.write(framed((number, name, arguments)))
        return await answer

    async def capture(self, path: Path) -> None:
        """Write all packets to a file, from before the first ``load`` on.

        Raises
        ------
        SessionFailedError
            If it cannot be written.
        """
        await self._ask("capture", str(path), "simlab relay")
        self._has_capture = True

    async def open(self, place: Place) -> Address:
        """Listen for clients, and return where.

        Raises
        ------
        SessionFailedError
            If that cannot be.
        """
        host, port = await self._ask("open", place)
        return host, port

    async def load(self, scenario: Scenario, zero_s: float) -> None:
        """Begin with a scenario, at ``zero_s`` of ``time.monotonic()``."""
        await self._ask("load", scenario, zero_s)

    async def change(self, scenario: Scenario) -> None:
        """Take the settings of the link from another scenario."""
        await self._ask("change", scenario)

    async def add(self, fault: Fault) -> None:
        """Let a fault happen."""
        await self._ask("add", fault)

    async def remove(self, fault: Fault) -> None:
        """Let it happen no more."""
        await self._ask("remove", fault)

    async def hold(self, directions: tuple[Direction, ...], for_s: float) -> None:
        """Let nothing leave for so long; 0 lets go what is held."""
        await self._ask("hold", directions, for_s)

    async def rebind(self, host: str | None) -> int:
        """Let the target see all clients from elsewhere, and return how many there are."""
        number: int = await self._ask("rebind", host)
        return number

    async def stats(self) -> dict[str, Any]:
        """Return the counts so far."""
        row: dict[str, Any] = await self._ask("stats")
        return row

    def follow(self, *, is_followed: bool) -> None:
        """Tell the statistics once a second, as an event, or don't.

        What nobody hears is not told: for that both processes would run for a millisecond each second, at a
        moment at which others want to send and receive (on two busy cores, 30 % of a round trip's p99).
        """
        if self._writer is not None:
            self._writer.write(framed((next(self._numbers), "follow", (is_followed,))))

    async def clients(self) -> list[dict[str, Any]]:
        """Return the clients of now."""
        rows: list[dict[str, Any]] = await self._ask("clients")
        return rows

    async def ended(self) -> None:
        """Wait until the process has ended, which it should not."""
        assert self._process is not None
        await self._process.wait()

    async def end(self, at_once: asyncio.Event) -> dict[str, Any]:
        """End it, and return the last statistics.

        Parameters
        ----------
        at_once
            Set when nobody wants to wait for them any more.

        Raises
        ------
        SessionFailedError
            If it does not answer, as a stopped process does not; it is killed.
        """
        last = asyncio.create_task(self._ask("end"))
        hurry = asyncio.create_task(at_once.wait())
        within_s = _CAPTURE_END_S if self._has_capture else _END_S
        await asyncio.wait([last, hurry], timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if not last.done():
            last.cancel()
            await self.stop()
            lost = "the packet process does not answer, and is killed: its last statistics are lost"
            raise SessionFailedError("relay", lost)
        row: dict[str, Any] = last.result()
        await self.stop()
        return row

    async def stop(self) -> None:
        """End it, by force if need be."""
        if self._process is None:
            return
        if self._writer is not None:
            self._writer.close()
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_S)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
        if self._listening is not None:
            await self._listening
