"""``simlab.Relay``: a relay from Python, and remote control of one that runs."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn, Self

from simlab.batch.arguments import check, told_as_arguments
from simlab.batch.relay_commands import RelayCommands, answer_of, request
from simlab.core.errors import InvalidInputError, SessionFailedError
from simlab.live.remote.paths import the_only_one

_STOP_S = 10.0
_WRONG = 2  # the exit status that says so of what was given
_ANSWER_S = 60.0
_LONGEST_LINE_BYTES = 2**26
_NOTHING: Mapping[str, Any] = {}


@told_as_arguments
def _command(
    to: str,
    listen: str,
    profile: str | PathLike[str] | None,
    seed: int | None,
    settings: Mapping[str, Any],
    *,
    compiled: bool,
) -> list[str]:
    """Return what starts a relay, but for its control socket.

    Raises
    ------
    InvalidInputError
        If an argument is something else than is wanted.
    """
    from simlab.batch.door import texts

    named = {} if profile is None else {"profile": profile}
    check(to=to, listen=listen, seed=seed, set=settings, compiled=compiled, **named)
    given = ["--listen", listen, "--to", to, "--json", "--quiet"]
    given += ["--compiled"] if compiled else []
    given += [] if profile is None else ["--profile", os.fspath(profile)]
    given += [] if seed is None else ["--seed", str(seed)]
    for key, value in texts(settings).items():
        given += ["--set", f"{key}={value}"]
    return [sys.executable, "-m", "simlab", "relay", *given]


@told_as_arguments
def _tell_failure(complaint: str, status: int | None) -> NoReturn:
    """Tell what a relay that did not start has said: its error, without what it noted before.

    Raises
    ------
    InvalidInputError
        If something was wrong with what it was given.
    SessionFailedError
        If it was something else.
    """
    before, error, after = complaint.partition("Error:")
    lines = (after if error else before).split("\n")
    reason = "\n".join(line.strip() for line in lines).strip()
    if status == _WRONG:
        raise InvalidInputError(reason.splitlines())
    raise SessionFailedError("relay", reason or "it could not be started")


class Relay(RelayCommands):
    """A relay that runs: ``start`` starts one, ``connect`` finds one. Commands return when they are done.

    Raises
    ------
    InvalidInputError
        By every command that is wrong, with every fault; nothing has changed then.
    SessionFailedError
        If the relay is gone, or cannot do it.
    """

    def __init__(self, control: Path, process: "subprocess.Popen[str] | None" = None) -> None:
        self.socket = control
        self._process = process
        self._files: tempfile.TemporaryDirectory[str] | None = None
        self._line = b""
        self._connection = _connected(control)
        self.listen: str = self.status()["listen"]
        """Where clients send to."""

    @classmethod
    def start(
        cls,
        *,
        to: str,
        listen: str = "127.0.0.1:0",
        profile: str | PathLike[str] | None = None,
        seed: int | None = None,
        set: Mapping[str, Any] = _NOTHING,  # noqa: A002 - as the option is called
        compiled: bool = False,
    ) -> Self:
        """Start a relay; it ends with ``stop``, or with the ``with`` block.

        Parameters
        ----------
        to, listen
            ``"127.0.0.1:6000"``; port 0 of ``listen`` is any free one.
        profile
            A file or a name; None is a clean network.
        set
            Dotted keys of the profile and their values.
        compiled
            Whether compiled code carries the packets, as far as it can; wants ``simlab[fast]``.

        Raises
        ------
        InvalidInputError
            If something is wrong with the arguments or the profile.
        SessionFailedError
            If it cannot be started, with what it says.
        """
        command = _command(to, listen, profile, seed, set, compiled=compiled)
        files = tempfile.TemporaryDirectory(prefix="simlab-relay-")
        control = Path(files.name) / "control"
        process = subprocess.Popen(
            [*command, "--socket", str(control)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        assert process.stdout is not None
        if not process.stdout.readline():
            _, complaint = process.communicate()
            files.cleanup()
            _tell_failure(complaint, process.returncode)
        relay = cls(control, process)
        relay._files = files
        return relay

    @classmethod
    def connect(cls, socket: str | PathLike[str] | None = None) -> Self:
        """Find a relay by its control socket; without one, the only relay of this user that runs."""
        check(socket=socket)
        return cls(the_only_one() if socket is None else Path(socket))

    def _do(self, name: str, given: Mapping[str, Any]) -> Any:
        try:
            self._connection.sendall(request(name, given))
            return answer_of(self._read_line())
        except OSError as error:
            raise SessionFailedError("control", f"the relay does not answer: {error}") from error

    def _read_line(self) -> bytes:
        while b"\n" not in self._line:
            data = self._connection.recv(2**16)
            if not data:
                return b""
            self._line += data
        line, _, self._line = self._line.partition(b"\n")
        return line + b"\n"

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield what happens from now on, until the relay ends."""
        with _connected(self.socket, None) as connection, connection.makefile("rwb") as stream:
            stream.write(request("watch", {}))
            stream.flush()
            answer_of(stream.readline())
            for line in stream:
                yield json.loads(line)["event"]

    def stop(self) -> dict[str, Any]:
        """End the relay if ``start`` has started it, and return its last statistics; else hang up."""
        self._connection.close()
        if self._process is None:
            return {}
        self._process.send_signal(signal.SIGTERM)
        told, _ = self._process.communicate(timeout=_STOP_S)
        self._process = None
        if self._files is not None:
            self._files.cleanup()
        last: dict[str, Any] = json.loads(told.splitlines()[-1]) if told else {}
        return last

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class AsyncRelay(RelayCommands):
    """The same for asyncio: every command is to be awaited, and ``events`` is an asynchronous iterator."""

    def __init__(
        self,
        control: Path,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        process: asyncio.subprocess.Process | None = None,
    ) -> None:
        self.socket = control
        self.listen = ""
        """Where clients send to."""
        self._reader, self._writer = streams
        self._process = process
        self._files: tempfile.TemporaryDirectory[str] | None = None
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    async def start(
        cls,
        *,
        to: str,
        listen: str = "127.0.0.1:0",
        profile: str | PathLike[str] | None = None,
        seed: int | None = None,
        set: Mapping[str, Any] = _NOTHING,  # noqa: A002 - as the option is called
        compiled: bool = False,
    ) -> Self:
        """Start a relay: see ``Relay.start``."""
        command = _command(to, listen, profile, seed, set, compiled=compiled)
        files = tempfile.TemporaryDirectory(prefix="simlab-relay-")
        control = Path(files.name) / "control"
        process = await asyncio.create_subprocess_exec(
            *(*command, "--socket", str(control)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            process_group=0,
        )
        assert process.stdout is not None
        if not await process.stdout.readline():
            _, complaint = await process.communicate()
            files.cleanup()
            _tell_failure(complaint.decode(errors="replace"), process.returncode)
        relay = await cls.connect(control)
        relay._process, relay._files = process, files
        return relay

    @classmethod
    async def connect(cls, socket: str | PathLike[str] | None = None) -> Self:
        """Find a relay: see ``Relay.connect``."""
        check(socket=socket)
        control = the_only_one() if socket is None else Path(socket)
        relay = cls(control, await _opened(control))
        relay.listen = (await relay.status())["listen"]
        return relay

    async def _do(self, name: str, given: Mapping[str, Any]) -> Any:
        async with self._one_at_a_time:
            try:
                self._writer.write(request(name, given))
                await self._writer.drain()
                return answer_of(await self._reader.readline())
            except OSError as error:
                raise SessionFailedError("control", f"the relay does not answer: {error}") from error

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Yield what happens from now on, until the relay ends."""
        reader, writer = await _opened(self.socket)
        try:
            writer.write(request("watch", {}))
            answer_of(await reader.readline())
            while line := await reader.readline():
                yield json.loads(line)["event"]
        finally:
            writer.close()

    async def stop(self) -> dict[str, Any]:
        """End the relay: see ``Relay.stop``."""
        self._writer.close()
        if self._process is None:
            return {}
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        told, _ = await asyncio.wait_for(self._process.communicate(), _STOP_S)
        self._process = None
        if self._files is not None:
            self._files.cleanup()
        last: dict[str, Any] = json.loads(told.splitlines()[-1]) if told else {}
        return last

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


def _connected(control: Path, timeout_s: float | None = _ANSWER_S) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout_s)
    try:
        connection.connect(str(control))
    except OSError as error:
        connection.close()
        raise SessionFailedError("control", f"no relay answers at {control}: {error.strerror}") from error
    return connection


async def _opened(control: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        return await asyncio.open_unix_connection(control, limit=_LONGEST_LINE_BYTES)
    except OSError as error:
        raise SessionFailedError("control", f"no relay answers at {control}: {error.strerror}") from error
