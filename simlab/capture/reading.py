"""Read a capture back.

Source of the layout: draft-ietf-opsawg-pcapng.
"""

import logging
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scapy.utils import RawPcapNgReader

from simlab.capture.frames import Address, unframed
from simlab.capture.records import DROPPED, INJECTED, INTERFACES
from simlab.core.errors import InvalidInputError
from simlab.core.packet import PacketClass, classify

_MAGIC = b"\x0a\x0d\x0d\x0a"
_LITTLE_ENDIAN = b"\x4d\x3c\x2b\x1a"
_STATISTICS, _IF_DROP, _COMMENT = 5, 5, 1
_NAMES = [name for name, _ in INTERFACES]
_INBOUND = 1


@dataclass(frozen=True, slots=True)
class Captured:
    """A packet of a capture.

    Parameters
    ----------
    interface
        Its number in ``INTERFACES``.
    at_s
        Seconds since 1970, less exact than the file: a float has a quarter of a microsecond.
    dropped, injected
        The causes of its drops, one for each copy, and what kind of forgery it is.
    """

    interface: int
    inbound: bool
    at_s: float
    source: Address
    destination: Address
    payload: bytes
    kind: PacketClass
    dropped: tuple[str, ...]
    injected: tuple[str, ...]


@dataclass(frozen=True)
class Frame:
    """What a capture says of itself.

    Parameters
    ----------
    comment
        Of the section header.
    lost
        How many packets could not be written.
    is_cut
        Whether the file breaks off, as when whoever wrote it was killed.
    whole_bytes
        How long it is without its torn end.
    """

    comment: str
    lost: int
    is_cut: bool
    whole_bytes: int


def look_at(path: Path) -> Frame:
    """Walk over a file's blocks.

    Raises
    ------
    InvalidInputError
        If it cannot be read, is no pcapng file, or is damaged before its end.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
            is_ours = head[:4] == _MAGIC and head[8:] == _LITTLE_ENDIAN
            content = head + file.read() if is_ours else head  # what is something else may have no end
    except OSError as error:
        raise InvalidInputError([f"{path}: {os.strerror(error.errno or 0).lower()}"]) from error
    if not is_ours:
        raise InvalidInputError([f"{path}: not a capture of simlab: no little-endian pcapng file"])
    return _walk(path, content)


def _walk(path: Path, content: bytes) -> Frame:
    at, lost, comment = 0, 0, ""
    while at + 12 <= len(content):
        kind, size = struct.unpack_from("<II", content, at)
        if at + size > len(content):
            break
        if size < 12 or size % 4 or content[at + size - 4 : at + size] != content[at + 4 : at + 8]:
            raise InvalidInputError([f"{path}: damaged at byte {at}: a block whose lengths are wrong"])
        if at == 0:
            comment = _option(content[24 : size - 4], _COMMENT).decode(errors="replace")
        elif kind == _STATISTICS:
            lost += int.from_bytes(_option(content[at + 20 : at + size - 4], _IF_DROP), "little")
        at += size
    return Frame(comment, lost, at != len(content), at)


def _option(options: bytes, wanted: int) -> bytes:
    while len(options) >= 4:
        code, size = struct.unpack_from("<HH", options)
        if code == wanted:
            return options[4 : 4 + size]
        options = options[4 + size + -size % 4 :]
    return b""


def packets(path: Path) -> Iterator[Captured]:
    """Yield the packets of a file that ``look_at`` found no fault with.

    Raises
    ------
    InvalidInputError
        If it is no capture of simlab.
    """
    logging.getLogger("scapy.runtime").setLevel(logging.CRITICAL)  # it warns of a torn end
    with RawPcapNgReader(str(path)) as reader:
        content: bytes
        about: Any  # scapy declares the fields of the older format
        for number, (content, about) in enumerate(reader, 1):
            name = (about.ifname or b"").decode(errors="replace")
            if name not in _NAMES:
                raise InvalidInputError([f"{path}: not a capture of simlab: it has an interface {name!r}"])
            try:
                source, destination, payload = unframed(content)
            except ValueError as error:
                raise InvalidInputError([f"{path}: packet {number}: {error}"]) from error
            ticks = about.tshigh << 32 | about.tslow
            comments = [comment.decode(errors="replace") for comment in about.comments or ()]
            yield Captured(
                _NAMES.index(name),
                about.direction == _INBOUND,
                ticks / about.tsresol,
                source,
                destination,
                payload,
                classify(payload),
                _said(comments, DROPPED),
                _said(comments, INJECTED),
            )


def _said(comments: list[str], what: str) -> tuple[str, ...]:
    return tuple(comment.removeprefix(what) for comment in comments if comment.startswith(what))
