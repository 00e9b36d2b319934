"""The secrets of DTLS, as Wireshark reads them: the key log of NSS, which OpenSSL writes."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiortc import RTCCertificate


@contextmanager
def keys_logged(path: Path) -> Iterator[None]:
    """Append to a file the secrets of all DTLS connections that this process makes meanwhile.

    Each line is written at once and whole, so that several processes may write the same file. Both ends of
    a connection have the same secrets; what two ends in one process have in common is written once.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    written: set[bytes] = set()

    def write(_: Any, line: bytes) -> None:
        if line not in written:
            written.add(line)
            os.write(file, line + b"\n")

    try:
        with _contexts_log(write):
            yield
    finally:
        os.close(file)


@contextmanager
def _contexts_log(write: Callable[[Any, bytes], None]) -> Iterator[None]:
    """Let the OpenSSL contexts that aiortc makes tell their secrets."""
    name = "_create_ssl_context"
    make = RTCCertificate.__dict__[name]

    def create(*arguments: Any, **named: Any) -> Any:
        context = make(*arguments, **named)
        context.set_keylog_callback(write)
        return context

    setattr(RTCCertificate, name, create)
    try:
        yield
    finally:
        setattr(RTCCertificate, name, make)
