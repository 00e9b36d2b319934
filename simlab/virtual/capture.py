"""The packets of a virtual session, as they go into a capture."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from simlab.capture import CAPTURE, KEYS
from simlab.capture.keys import keys_logged
from simlab.capture.pcapng import CaptureFile
from simlab.capture.records import Record, Seen, Tap
from simlab.core.link import Delivered, Dropped
from simlab.core.packet import Direction
from simlab.virtual.hosts import Address
from simlab.virtual.network import Way, true_payload

# Wireshark tells conversations apart by addresses, not by interfaces: without a NAT, what one and the same
# packet is at both sides would look like one that was sent twice. So the server's side has the client at
# other addresses, as behind a relay it has.
_CLIENT_NETWORK, _SEEN_AS = "10.0.1.", "10.0.4."
_SERVER_NETWORKS = "10.0."
_FURTHER = 100  # the same for further clients: 10.1.2.2 is seen as 10.101.2.2


class PathCapture:
    """Show a direction's packets as the sides see them: without what the network has added to their size.

    Parameters
    ----------
    put
        Called with each record.
    client
        Whose links they are.
    """

    def __init__(self, direction: Direction, put: Callable[[Record], None], client: int = 1) -> None:
        self._tap = Tap(direction, put, client)
        self._before, self._after = (_seen, _beyond) if direction is Direction.UP else (_beyond, _seen)

    def entered(self, at_s: float, payload: bytes, way: Way, seq: int, drops: Sequence[Dropped]) -> None:
        """Take in a packet that a side has sent, and what was dropped of it or of earlier ones."""
        self._tap.entered(at_s, self._before(payload, way), seq, drops, self._dropped)

    def left(self, at_s: float, packet: Delivered) -> None:
        """Take in a packet that a side gets."""
        self._tap.left(at_s, self._after(packet.payload, packet.tag), packet)

    def lost(self, at_s: float, packet: Delivered, cause: str) -> None:
        """Take in a packet that came out of the link, and reaches nobody."""
        self._tap.lost(at_s, self._after(packet.payload, packet.tag), cause, packet.seq)

    def late(self, drops: Iterable[Dropped]) -> None:
        """Take in what was dropped of earlier packets."""
        for drop in drops:
            self._tap.lost(drop.at_s, self._dropped(drop), drop.cause, drop.seq)

    def _dropped(self, drop: Dropped) -> Seen:
        assert drop.packet is not None
        return self._after(drop.packet.payload, drop.packet.tag)


def _seen(payload: bytes, way: object) -> Seen:
    assert isinstance(way, Way)
    return Seen(way.source, way.destination, true_payload(payload, way))


def _beyond(payload: bytes, way: object) -> Seen:
    source, destination, whole = _seen(payload, way)
    return Seen(_renamed(source), _renamed(destination), whole)


def _renamed(address: Address) -> Address:
    host, port = address
    if host.startswith(_CLIENT_NETWORK):
        return host.replace(_CLIENT_NETWORK, _SEEN_AS, 1), port
    if host.startswith("10.") and not host.startswith(_SERVER_NETWORKS):
        first, second, rest = host.split(".", 2)
        return f"{first}.{int(second) + _FURTHER}.{rest}", port
    return address


@contextmanager
def capturing(
    folder: Path, zero_s: float, now_s: Callable[[], float], comment: str
) -> Iterator[Callable[[int], dict[Direction, PathCapture]]]:
    """Write the packets and the keys of a session into files of a folder.

    It yields what makes the captures of the links of a client, by its number.

    Parameters
    ----------
    zero_s
        When the session begins, in seconds since 1970.
    """
    file = CaptureFile(folder / CAPTURE, comment)
    file.begin(round(zero_s * 1e9))
    with keys_logged(folder / KEYS):
        try:
            yield lambda client: {way: PathCapture(way, file.write_record, client) for way in Direction}
        finally:
            file.finish(now_s(), 0)
