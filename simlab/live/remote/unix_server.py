"""The control socket: a Unix socket that its owner alone can open, with one JSON object a line.

A request is ``{"id": 1, "do": "set", "with": {"link.loss": "5%"}}``; ``id`` is the caller's own, and ``with``
may be left out. Its answer is ``{"id": 1, "answer": …}`` or ``{"id": 1, "faults": ["…"]}``. After ``{"do":
"watch"}`` events follow, ``{"event": {…}}``, until the caller hangs up.
"""

import asyncio
import json
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from simlab.core.errors import SessionFailedError, SimlabError
from simlab.live.remote.dispatcher import Dispatcher

LONGEST_LINE_BYTES = 2**24
_TOO_LONG = f"want lines of {LONGEST_LINE_BYTES // 2**20} MiB at most"


class UnixServer:
    """Serve the control socket.

    Parameters
    ----------
    path
        Its folder is made if need be, for its owner alone; what a dead relay left there is replaced.
    """

    def __init__(self, service: Dispatcher, path: Path) -> None:
        self._service = service
        self.path = path
        self._server: asyncio.Server | None = None
        self._talking: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        SessionFailedError
            If it cannot.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _remove_dead(self.path)
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            # So from its beginning: a socket that is bound and then changed is open to others for a moment.
            os.fchmod(listening.fileno(), 0o600)
            listening.bind(str(self.path))
            self.path.chmod(0o600)
            self._server = await asyncio.start_unix_server(
                self._accept, sock=listening, limit=LONGEST_LINE_BYTES
            )
        except OSError as error:
            reason = f"cannot listen on {self.path}: {error.strerror or error}"
            raise SessionFailedError("control", reason) from error

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._talk(reader, writer))
        self._talking.add(task)
        task.add_done_callback(self._talking.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            try:
                while await self._answer(reader, writer):
                    pass
            finally:
                writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one line; False if there is no other."""
        try:
            line = await reader.readline()
        except ValueError:
            _write(writer, {"id": None, "faults": [_TOO_LONG]})
            await writer.drain()
            return False
        if not line.endswith(b"\n"):
            return False
        request = _parsed(line)
        if isinstance(request, str):
            _write(writer, {"id": None, "faults": [request]})
        elif request.get("do") == "watch":
            _write(writer, {"id": request.get("id"), "answer": None})
            await self._watch(reader, writer)
            return False
        else:
            _write(writer, await self._done(request))
        await writer.drain()
        return True

    async def _done(self, request: dict[str, Any]) -> dict[str, Any]:
        number = request.get("id")
        try:
            answer = await self._service.do(request.get("do"), request.get("with", {}))
        except SimlabError as error:
            return {"id": number, "faults": str(error).splitlines()}
        return {"id": number, "answer": answer}

    async def _watch(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def hung_up() -> None:
            while await reader.read(2**16):
                pass
            telling.cancel()

        async def tell() -> None:
            async for event in self._service.watch():
                _write(writer, {"event": event})
                await writer.drain()

        telling = asyncio.create_task(tell())
        listening = asyncio.create_task(hung_up())
        try:
            await asyncio.wait([telling, listening], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (telling, listening):
                task.cancel()
            await asyncio.gather(telling, listening, return_exceptions=True)

    async def stop(self) -> None:
        """Hang up on everybody."""
        if self._server is None:
            return
        self._server.close()
        for task in self._talking:
            task.cancel()
        await asyncio.gather(*self._talking, return_exceptions=True)
        self.path.unlink(missing_ok=True)


def _parsed(line: bytes) -> dict[str, Any] | str:
    """Return a request, or what is wrong with the line."""
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"the line is not JSON: {error}"
    return request if isinstance(request, dict) else "want a JSON object a line"


def _write(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")


def _remove_dead(path: Path) -> None:
    """Remove the socket of a relay that is gone.

    Raises
    ------
    OSError
        If one is there, or something else is.
    """
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise FileExistsError(17, "it exists, and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe, suppress(ConnectionRefusedError):
        probe.connect(str(path))
        raise FileExistsError(17, "another relay listens there")
    path.unlink()
