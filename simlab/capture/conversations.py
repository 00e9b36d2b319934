"""What two addresses said to each other: STUN, DTLS, and SCTP where the keys are there."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from scapy.contrib.rtcp import RTCP
from scapy.contrib.stun import STUN, STUNUsername
from scapy.layers.sctp import SCTP

from simlab.capture.reading import Captured
from simlab.capture.secrets import DtlsRecord, Keys, records_of, suite_name
from simlab.core.ice import attributes
from simlab.core.packet import PacketClass

_ALERT, _HANDSHAKE, _DATA = 21, 22, 23
_CLIENT_HELLO, _SERVER_HELLO = 1, 2
_HANDSHAKE_HEADER_BYTES = 12
_STUN_HEADER_BYTES = 20
_ERROR_CODE = 9
_STUN = frozenset(
    {
        PacketClass.STUN_REQUEST,
        PacketClass.STUN_RESPONSE,
        PacketClass.STUN_ERROR,
        PacketClass.STUN_INDICATION,
    }
)
_DTLS = frozenset({PacketClass.DTLS_HANDSHAKE, PacketClass.DTLS_DATA})


class Handshake:
    """One DTLS handshake, from the first ClientHello with its random on."""

    def __init__(self, began_s: float, random: bytes, from_client_side: bool) -> None:
        self.began_s = began_s
        self.client_random = random
        self.by_client_side = from_client_side  # whether the client of the session is that of DTLS, too
        self.suite: int | None = None
        self.done_s: float | None = None
        self.keys: Keys | None = None
        self.alerts: Counter[str] = Counter()
        self._ready: set[bool] = set()

    def answered(self, server_random: bytes, suite: int, secrets: Mapping[bytes, bytes]) -> None:
        """Take in the ServerHello."""
        self.suite = suite
        self.keys = Keys.of(secrets, self.client_random, server_random, suite)

    def encrypted(self, from_client_side: bool, at_s: float) -> None:
        """Take in that one end writes with keys."""
        self._ready.add(from_client_side)
        if len(self._ready) == 2 and self.done_s is None:
            self.done_s = at_s


class Conversation:
    """All packets between two addresses at one interface.

    Parameters
    ----------
    secrets
        Master secrets by client random.
    """

    def __init__(self, secrets: Mapping[bytes, bytes]) -> None:
        self._secrets = secrets
        self.first_s = self.last_s = 0.0
        self.packets: Counter[str] = Counter()
        self.usernames: dict[str, None] = {}
        self.stun: Counter[str] = Counter()
        self.rtcp: Counter[str] = Counter()
        self.handshakes: list[Handshake] = []  # that began here
        self.chunks: dict[str, Counter[str]] = {"up": Counter(), "down": Counter()}
        self.unread = 0  # records of data without their keys, or not genuine

    def take(self, packet: Captured, way: str, known: list[Handshake]) -> None:
        """Take in a packet.

        Parameters
        ----------
        way
            ``up`` or ``down``.
        known
            All handshakes of the connection so far, at whichever addresses; one that begins here is added.
        """
        if not self.packets:
            self.first_s = packet.at_s
        self.last_s = packet.at_s
        self.packets[way] += 1
        if packet.kind in _STUN:
            self._take_stun(packet)
        elif packet.kind in _DTLS:
            for record in records_of(packet.payload):
                self._take_record(record, way, packet.at_s, known)
        elif packet.kind is PacketClass.RTCP:
            # The name alone: what follows is encrypted.
            self.rtcp[RTCP(packet_type=packet.payload[1]).sprintf("%packet_type%")] += 1

    def _take_stun(self, packet: Captured) -> None:
        if not is_whole(packet.payload):
            self.stun["malformed"] += 1
            return
        kind = packet.kind.removeprefix("stun.")
        for attribute in STUN(packet.payload).attributes:
            if isinstance(attribute, STUNUsername):
                self.usernames[attribute.username.decode(errors="replace")] = None
            elif getattr(attribute, "type", None) == _ERROR_CODE and len(attribute.value) >= 4:
                kind = f"error {attribute.value[2] % 8 * 100 + attribute.value[3]}"
        self.stun[kind] += 1

    def _take_record(self, record: DtlsRecord, way: str, at_s: float, known: list[Handshake]) -> None:
        if record.epoch == 0:
            self._take_plain(record, way, at_s, known)
            return
        up = way == "up"
        if not known:
            self.unread += record.kind == _DATA
            return
        handshake = known[-1]
        handshake.encrypted(up, at_s)
        if record.kind not in (_ALERT, _DATA):
            return
        inside = None
        if handshake.keys is not None:
            inside = handshake.keys.decrypted(record, up == handshake.by_client_side)
        if inside is None:
            self.unread += record.kind == _DATA
        elif record.kind == _ALERT:
            handshake.alerts[_alert(inside)] += 1
        else:
            self._take_sctp(inside, way)

    def _take_plain(self, record: DtlsRecord, way: str, at_s: float, known: list[Handshake]) -> None:
        body = record.body
        if record.kind == _ALERT and known:
            known[-1].alerts[f"{_alert(body)}, in the clear"] += 1
        if record.kind != _HANDSHAKE or len(body) < _HANDSHAKE_HEADER_BYTES + 35:
            return
        message = body[_HANDSHAKE_HEADER_BYTES:]
        random = message[2:34]
        last = known[-1] if known else None
        if body[0] == _CLIENT_HELLO and (last is None or last.client_random != random):
            begun = Handshake(at_s, random, way == "up")
            known.append(begun)
            self.handshakes.append(begun)
        elif body[0] == _SERVER_HELLO and last is not None and last.suite is None:
            suite_at = 35 + message[34]
            last.answered(random, int.from_bytes(message[suite_at : suite_at + 2]), self._secrets)

    def _take_sctp(self, inside: bytes, way: str) -> None:
        chunk: Any = SCTP(inside).payload
        while chunk and chunk.name.startswith("SCTPChunk"):
            self.chunks[way][chunk.name.removeprefix("SCTPChunk")] += 1
            chunk = chunk.payload

    def summary(self, zero_s: float) -> dict[str, Any]:
        """Return what there is to say, as JSON has it; times in seconds since ``zero_s``."""

        def since(at_s: float | None) -> float | None:
            return None if at_s is None else round(at_s - zero_s, 6)

        return {
            "first_s": since(self.first_s),
            "last_s": since(self.last_s),
            "packets": dict(sorted(self.packets.items())),
            "usernames": list(self.usernames),
            "stun": dict(sorted(self.stun.items())),
            "rtcp": dict(sorted(self.rtcp.items())),
            "dtls": [
                {
                    "began_s": since(one.began_s),
                    "done_s": since(one.done_s),
                    "cipher": None if one.suite is None else suite_name(one.suite),
                    "keys": one.keys is not None,
                    "alerts": dict(sorted(one.alerts.items())),
                }
                for one in self.handshakes
            ],
            "sctp": {way: dict(sorted(chunks.items())) for way, chunks in self.chunks.items()},
            "unread": self.unread,
        }


def is_whole(message: bytes) -> bool:
    """Tell whether the lengths in a STUN message are right; scapy takes what is there."""
    found = list(attributes(message))
    end = found[-1][2] if found else _STUN_HEADER_BYTES
    return int.from_bytes(message[2:4]) + _STUN_HEADER_BYTES == len(message) == end + -end % 4


def _alert(body: bytes) -> str:
    if len(body) < 2:
        return "malformed"
    return f"{ {1: 'warning', 2: 'fatal'}.get(body[0], str(body[0])) } {body[1]}"
