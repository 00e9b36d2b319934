"""The file: pcapng as scapy writes it, with names, comments and nanoseconds.

Source of the layout: draft-ietf-opsawg-pcapng (blocks and options).
"""

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

from scapy.utils import RawPcapNgWriter

from simlab.capture.frames import frame
from simlab.capture.records import INTERFACES, Record

LINKTYPE_RAW = 101  # a packet begins with its IP header
_COMMENT, _END = 1, 0
_SHB_USERAPPL = 4
_IF_NAME, _IF_DESCRIPTION, _IF_TSRESOL = 2, 3, 9
_EPB_FLAGS, _EPB_PACKETID = 2, 5
_ISB_STARTTIME, _ISB_IFRECV, _ISB_IFDROP = 2, 4, 5
_INBOUND, _OUTBOUND = 1, 2
_NANOSECONDS = 9
_SECTION_HEADER, _INTERFACE, _STATISTICS = b"\x0a\x0d\x0d\x0a", b"\x01\0\0\0", b"\x05\0\0\0"
_PACKET = b"\x06\0\0\0"
_ANY_LENGTH = -1
_LONGEST_PACKET_BYTES = 262144  # what Wireshark takes at most


class CaptureFile(RawPcapNgWriter):
    """Write records as blocks, each with one system call: whatever happens, the file holds whole blocks.

    Parameters
    ----------
    path
        The file; one that is there is written over.
    comment
        What the section header says.

    Raises
    ------
    OSError
        If it cannot be written.
    """

    def __init__(self, path: Path, comment: str = "") -> None:
        super().__init__(str(path))
        self.f.close()
        self.f = path.open("wb", buffering=0)
        self.header_present = True
        self._zero_ns = 0
        self._counts = [0] * len(INTERFACES)
        body = self.endian_magic + struct.pack("<HHq", 1, 0, _ANY_LENGTH)
        said = [(_COMMENT, comment.encode())] if comment else []
        self.f.write(self.build_block(_SECTION_HEADER, body, _options([*said, (_SHB_USERAPPL, b"simlab")])))
        for name, description in INTERFACES:
            self._describe(name, description)

    def _describe(self, name: str, description: str) -> None:
        options = [
            (_IF_NAME, name.encode()),
            (_IF_DESCRIPTION, description.encode()),
            (_IF_TSRESOL, bytes([_NANOSECONDS])),
        ]
        body = struct.pack("<HHI", LINKTYPE_RAW, 0, _LONGEST_PACKET_BYTES)
        self.f.write(self.build_block(_INTERFACE, body, _options(options)))

    def begin(self, zero_ns: int) -> None:
        """Write when the session began, in nanoseconds since 1970: before the first packet.

        So what was written of a session that is cut short tells that, too.
        """
        self._zero_ns = zero_ns
        self._write_statistics(0, 0.0, [(_ISB_STARTTIME, struct.pack("<II", *divmod(zero_ns, 2**32)))])

    def write_record(self, record: Record) -> None:
        """Write a packet."""
        interface, inbound, t_s, source, destination, payload, comments, packet = record
        self._counts[interface] += 1
        content = frame(source, destination, payload)
        high, low = divmod(self._at_ns(t_s), 2**32)
        head = struct.pack("<IIIII", interface, high, low, len(content), len(content))
        options = [(_COMMENT, comment.encode()) for comment in comments]
        options.append((_EPB_FLAGS, struct.pack("<I", _INBOUND if inbound else _OUTBOUND)))
        if packet is not None:
            options.append((_EPB_PACKETID, struct.pack("<Q", packet)))
        self.f.write(self.build_block(_PACKET, head + content, _options(options)))

    def write_all(self, records: Iterable[Record]) -> None:
        """Write packets."""
        for record in records:
            self.write_record(record)

    def finish(self, t_s: float, lost: int) -> None:
        """Write how many packets there were and how many could not be written, and close the file.

        Parameters
        ----------
        t_s
            When, in seconds since the session began.
        """
        for number, written in enumerate(self._counts):
            # What was lost was so before anybody looked at its interface: the first one stands for all.
            missing = lost if number == 0 else 0
            options = [
                (_ISB_IFRECV, struct.pack("<Q", written + missing)),
                (_ISB_IFDROP, struct.pack("<Q", missing)),
            ]
            self._write_statistics(number, t_s, options)
        self.f.close()

    def _write_statistics(self, interface: int, t_s: float, options: Sequence[tuple[int, bytes]]) -> None:
        body = struct.pack("<III", interface, *divmod(self._at_ns(t_s), 2**32))
        self.f.write(self.build_block(_STATISTICS, body, _options(options)))

    def _at_ns(self, t_s: float) -> int:
        return self._zero_ns + round(t_s * 1e9)


def _options(options: Sequence[tuple[int, bytes]]) -> bytes:
    out = b"".join(
        struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4) for code, value in options
    )
    return out + struct.pack("<HH", _END, 0)
