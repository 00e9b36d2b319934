"""The parent's end of a child process."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import count
from typing import Any, NoReturn

from simlab.core.errors import SessionFailedError
from simlab.core.timeline import Event
from simlab.live import control
from simlab.live.scratch import Scratch
from simlab.live.tree import Member, descendants

_LONGEST_LINE_BYTES = 2**26
_STOP_S = 1.0


class Child:
    """A process of the session, which takes orders and tells of events.

    Parameters
    ----------
    name
        What to call it when it fails.
    module
        What it runs.
    sink
        Called with each event that it tells of.
    folder
        Where it and its own children put files that nobody needs afterwards; None is the usual place.
    heard
        Whether what it writes to stderr goes to that of this process, too: it runs code of the user's own.
    """

    def __init__(
        self,
        name: str,
        module: str,
        sink: Callable[[Event], None],
        folder: Scratch | None = None,
        *,
        heard: bool = False,
    ) -> None:
        self.name = name
        self._heard = heard
        self._folder = {} if folder is None else {"TMPDIR": folder.name}
        self._locks = () if folder is None else (folder.lock,)
        self._module = module
        self._sink = sink
        self._process: Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._complaints: deque[str] = deque(maxlen=20)
        self._killed = False
        self._failed: asyncio.Future[None]

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start the process.

        Raises
        ------
        SessionFailedError
            If the system won't.
        """
        # The same modules as here; a session of its own keeps Ctrl-C at the terminal from it.
        environment = {
            **os.environ,
            **self._folder,
            "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path),
        }
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", self._module),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                env=environment,
                start_new_session=True,
                pass_fds=self._locks,
                limit=_LONGEST_LINE_BYTES,
            )
        except OSError as error:
            raise SessionFailedError(self.name, f"could not be started: {error}") from error
        self._failed = asyncio.get_running_loop().create_future()
        self._readers = [asyncio.create_task(self._listen()), asyncio.create_task(self._overhear())]

    async def ask(self, what: str, *arguments: object) -> Any:
        """Give an order, and return the answer. It never comes when the process is gone: see ``watch``.

        Raises
        ------
        SessionFailedError
            If the order can't be carried out.
        """
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(control.to_line(control.order(number, what, *arguments)))
        try:
            return await answer
        finally:
            self._waiting.pop(number, None)

    def freeze(self) -> None:
        """Stop the process where it is, with all that it has started."""
        self._signal(signal.SIGSTOP, descendants(self.pid))

    def thaw(self) -> None:
        """Let the process go on, and all that it has started."""
        self._signal(signal.SIGCONT, descendants(self.pid))

    async def kill(self) -> None:
        """End the process at once, as the session wants it: ``watch`` says nothing about it."""
        self._killed = True
        self._signal(signal.SIGKILL, descendants(self.pid))
        assert self._process is not None
        await self._process.wait()

    def _signal(self, number: signal.Signals, others: Iterable[Member] = ()) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
        for member in others:
            member.send(number)

    async def watch(self) -> NoReturn:
        """Wait for the process to end, which it should not, unless by ``kill``.

        Raises
        ------
        SessionFailedError
            When it has, with its exit status and the last line that it wrote to stderr; or when it says that
            the session can't go on.
        """
        assert self._process is not None
        ended = asyncio.create_task(self._process.wait())
        either: set[asyncio.Future[Any]] = {ended, self._failed}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
        if self._failed.done():
            self._failed.result()
        status = ended.result()
        await asyncio.wait(self._readers)
        if self._killed:
            await asyncio.Event().wait()
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        last = f": {self._complaints[-1]}" if self._complaints else ""
        raise SessionFailedError(self.name, f"the {self.name} process {how}{last}")

    async def stop(self) -> None:
        """End the process, by force if it must be, and take in what it still has to say."""
        process = self._process
        if process is None:
            return
        others = descendants(self.pid)
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        for member in others:  # that outlive it
            member.send(signal.SIGKILL)
        await asyncio.gather(*self._readers)

    async def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while (line := await self._process.stdout.readline()).endswith(b"\n"):
            message = json.loads(line)
            if "event" in message:
                self._sink(control.event_of(message))
            elif "failed" in message:
                self._failed.set_exception(SessionFailedError(*message["failed"]))
            else:
                self._answered(message)

    def _answered(self, message: control.Message) -> None:
        waiting = self._waiting.get(message["id"])
        if waiting is None or waiting.done():
            return
        if "error" in message:
            waiting.set_exception(SessionFailedError(self.name, message["error"]))
        else:
            waiting.set_result(message["answer"])

    async def _overhear(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            text = line.decode(errors="replace")
            if self._heard:
                sys.stderr.write(text)
                sys.stderr.flush()
            if text.strip():
                self._complaints.append(text.strip())
