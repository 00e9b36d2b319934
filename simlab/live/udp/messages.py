"""What the packet process and its parent say to each other: pickles, each behind its length.

Both are simlab's own, and nobody else reaches the pipe between them.

| order | with | answer |
|---|---|---|
| ``capture`` | a file, and what it is to say of itself; before ``load`` | None |
| ``open`` | a ``Place`` | where it listens |
| ``load`` | a scenario, and when it begins | None |
| ``change`` | a scenario: its link's settings alone | None |
| ``add`` | a fault at its time since the last ``load`` | None |
| ``remove`` | a fault | None |
| ``hold`` | directions, and for how many seconds | None |
| ``rebind`` | a host, or None | how many mappings there were |
| ``stats``, ``clients`` | | a dict, a list of dicts |
| ``end`` | | the last statistics |
"""

import pickle
import struct
from collections.abc import Iterator
from typing import Any

_LENGTH = struct.Struct("!I")


def framed(message: Any) -> bytes:
    """Return a message as it is sent."""
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


COMPILED = "compiled"
"""The argument with which the packet process takes the compiled way."""


class Unframer:
    """Put messages together again."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """Take in what has come, and yield the messages that are whole."""
        self._rest += data
        while len(self._rest) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._rest)
            end = _LENGTH.size + length
            if len(self._rest) < end:
                return
            body = bytes(self._rest[_LENGTH.size : end])
            del self._rest[:end]
            yield pickle.loads(body)
