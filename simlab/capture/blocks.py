"""The blocks of a capture, read fast: without what tells of anything but packets of simlab's own files.

Source of the layout: draft-ietf-opsawg-pcapng.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_STATISTICS, _PACKET = 5, 6
_END, _COMMENT, _EPB_FLAGS, _EPB_PACKETID, _ISB_STARTTIME = 0, 1, 2, 5, 2
_INBOUND = 1
_SHORTEST_BYTES = 12


class Block(NamedTuple):
    """A packet at an interface.

    Parameters
    ----------
    t_ns
        Nanoseconds since the session began.
    number
        ``Record.packet``.
    """

    interface: int
    inbound: bool
    t_ns: int
    content: bytes
    comments: tuple[str, ...]
    number: int | None


def blocks(path: Path) -> Iterator[Block]:
    """Yield the packets of a file of ``CaptureFile``, as far as it is whole.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    zero_ns = 0
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8:
            kind, size = struct.unpack("<II", head)
            body = file.read(size - 8) if size >= _SHORTEST_BYTES else b""
            if len(body) < size - 8 or not body:
                return
            if kind == _PACKET:
                yield _block(body, zero_ns)
            elif kind == _STATISTICS:
                begun = dict(_options(body, 12)).get(_ISB_STARTTIME)
                zero_ns = zero_ns if begun is None else _time_ns(*struct.unpack("<II", begun))


def _block(body: bytes, zero_ns: int) -> Block:
    interface, high, low, size, _ = struct.unpack_from("<IIIII", body)
    inbound, number = False, None
    comments: tuple[str, ...] = ()
    for code, value in _options(body, 20 + size + -size % 4):
        if code == _EPB_FLAGS:
            inbound = value[0] & 3 == _INBOUND
        elif code == _EPB_PACKETID:
            number = int.from_bytes(value, "little")
        elif code == _COMMENT:
            comments = (*comments, value.decode(errors="replace"))
    return Block(interface, inbound, _time_ns(high, low) - zero_ns, body[20 : 20 + size], comments, number)


def _options(body: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    last = len(body) - 4  # the size of the block, once more
    while at + 4 <= last:
        code, size = struct.unpack_from("<HH", body, at)
        if code == _END:
            return
        yield code, body[at + 4 : at + 4 + size]
        at += 4 + size + -size % 4


def _time_ns(high: int, low: int) -> int:
    return high << 32 | low
