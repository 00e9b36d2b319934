"""What leads out of the virtual world, and can't be answered from it: told, and then done as ever."""

import _thread
import importlib
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from typing import Any

_PROCESS = "starts a process"
_THREAD = "starts a thread: threading.Thread"
_ENTROPY = "draws from entropy without a seed"
_CLOCK = "reads a real clock"
_NAME = "asks the real network for a name"

_OUTSIDE: tuple[tuple[Any, str, str], ...] = (
    (os, "times", f"{_CLOCK}: os.times"),
    (os, "getrandom", f"{_ENTROPY}: os.getrandom"),
    (ssl, "RAND_bytes", f"{_ENTROPY}: ssl.RAND_bytes"),
    (threading.Thread, "start", _THREAD),
    (_thread, "start_new_thread", "starts a thread: _thread.start_new_thread"),
    (socket.socket, "__init__", "opens a real socket: socket.socket"),
    (socket, "getaddrinfo", f"{_NAME}: socket.getaddrinfo"),
    (socket, "gethostbyname_ex", f"{_NAME}: socket.gethostbyname_ex"),
    (socket, "gethostbyaddr", f"{_NAME}: socket.gethostbyaddr"),
    (socket, "getnameinfo", f"{_NAME}: socket.getnameinfo"),
    (os, "fork", _PROCESS),
    (os, "forkpty", _PROCESS),
    (os, "system", _PROCESS),
    (os, "posix_spawn", _PROCESS),
    (os, "posix_spawnp", _PROCESS),
    (subprocess.Popen, "__init__", _PROCESS),
    (BaseProcess, "start", _PROCESS),
)


def outside() -> Iterator[tuple[Any, str, str]]:
    """Yield what there is of it on this system: its owner, its name, and what is said of it."""
    yield from (one for one in _OUTSIDE if hasattr(one[0], one[1]))
    try:
        yield importlib.import_module("resource"), "getrusage", f"{_CLOCK}: resource.getrusage"
    except ImportError:  # Windows
        return
