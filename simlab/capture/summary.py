"""What happened in a capture."""

from collections import Counter
from pathlib import Path
from typing import Any

from scapy.layers.rtp import RTP

from simlab.capture.conversations import Conversation, Handshake
from simlab.capture.ends import Ends, Place
from simlab.capture.reading import Captured, look_at, packets
from simlab.capture.records import CLIENT_SIDE, INSIDE_DOWN, INTERFACES, SERVER_SIDE
from simlab.capture.secrets import master_secrets
from simlab.capture.streams import RtpStream
from simlab.core.packet import PacketClass

_NAMES = [name for name, _ in INTERFACES]
_RTP_HEADER_BYTES = 12


class Summary:
    """Collect what the packets of a capture come to.

    Parameters
    ----------
    secrets
        Master secrets by client random.
    """

    def __init__(self, secrets: dict[bytes, bytes]) -> None:
        self._secrets = secrets
        self.began_s = self.ended_s = 0.0
        self._packets = [Counter[str]() for _ in INTERFACES]
        self._bytes = [Counter[str]() for _ in INTERFACES]
        self._dropped = {"up": Counter[str](), "down": Counter[str]()}
        self._injected = {"up": Counter[str](), "down": Counter[str]()}
        self._offered, self._delivered = Counter[str](), Counter[str]()
        self._conversations: dict[tuple[int, str, str], Conversation] = {}
        self._streams: dict[tuple[int, str, int], RtpStream] = {}
        self._ends = Ends()
        self._handshakes: dict[frozenset[Place], list[Handshake]] = {}

    def take(self, packet: Captured) -> None:
        """Take in a packet."""
        if not any(self._packets):
            self.began_s = packet.at_s
        self.began_s, self.ended_s = min(self.began_s, packet.at_s), max(self.ended_s, packet.at_s)
        self._packets[packet.interface][packet.kind] += 1
        self._bytes[packet.interface][packet.kind] += len(packet.payload)
        way = _way(packet)
        self._dropped[way].update(packet.dropped)
        self._injected[way].update(packet.injected)
        if packet.interface not in (CLIENT_SIDE, SERVER_SIDE):
            return
        (self._offered if packet.inbound else self._delivered)[way] += 1
        self._take_said(packet, way)

    def _take_said(self, packet: Captured, way: str) -> None:
        ends = (packet.source, packet.destination) if way == "up" else (packet.destination, packet.source)
        client, server = (f"{_bracketed(host)}:{port}" for host, port in ends)
        key = (packet.interface, client, server)
        conversation = self._conversations.get(key)
        if conversation is None:
            conversation = self._conversations[key] = Conversation(self._secrets)
        self._ends.take(packet)
        conversation.take(packet, way, self._handshakes.setdefault(self._ends.of(packet), []))
        if packet.kind is PacketClass.RTP and len(packet.payload) >= _RTP_HEADER_BYTES:
            header = RTP(packet.payload[:_RTP_HEADER_BYTES])
            stream = self._streams.setdefault(
                (packet.interface, way, header.sourcesync), RtpStream(header.payload_type)
            )
            stream.take(header, packet.at_s, len(packet.payload))

    def record(self) -> dict[str, Any]:
        """Return all of it, as JSON has it."""
        return {
            "duration_s": round(self.ended_s - self.began_s, 6),
            "interfaces": {
                name: {
                    "packets": sum(self._packets[number].values()),
                    "bytes": sum(self._bytes[number].values()),
                    "classes": {
                        kind: {"packets": count, "bytes": self._bytes[number][kind]}
                        for kind, count in sorted(self._packets[number].items())
                    },
                }
                for number, name in enumerate(_NAMES)
            },
            "links": {
                way: {
                    "offered": self._offered[way],
                    "delivered": self._delivered[way],
                    "dropped": dict(sorted(self._dropped[way].items())),
                    "injected": dict(sorted(self._injected[way].items())),
                }
                for way in ("up", "down")
            },
            "connections": [
                {"interface": _NAMES[interface], "client": client, "server": server}
                | conversation.summary(self.began_s)
                for (interface, client, server), conversation in self._conversations.items()
            ],
            "rtp": [
                {"interface": _NAMES[interface], "direction": way, "ssrc": ssrc} | stream.summary()
                for (interface, way, ssrc), stream in self._streams.items()
            ],
        }


def _way(packet: Captured) -> str:
    if packet.interface in (CLIENT_SIDE, SERVER_SIDE):
        return "up" if packet.inbound == (packet.interface == CLIENT_SIDE) else "down"
    return "down" if packet.interface == INSIDE_DOWN else "up"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def summarise(path: Path, keys: Path | None = None) -> dict[str, Any]:
    """Read a capture, and return what happened in it.

    Parameters
    ----------
    keys
        The key log that decrypts its DTLS.

    Raises
    ------
    InvalidInputError
        If a file cannot be read, or is not what it should be.
    """
    about = look_at(path)
    summary = Summary({} if keys is None else master_secrets(keys))
    for packet in packets(path):
        summary.take(packet)
    head = {"file": str(path), "comment": about.comment, "lost": about.lost, "is_cut": about.is_cut}
    return head | summary.record()
