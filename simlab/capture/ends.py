"""Which addresses are the same end of a connection: ICE may move it to others in the middle."""

from scapy.contrib.stun import STUN, STUNUsername

from simlab.capture.conversations import is_whole
from simlab.capture.frames import Address
from simlab.capture.reading import Captured
from simlab.core.packet import PacketClass

Place = tuple[int, Address]
"""An interface of the capture, and an address."""


class Ends:
    """Know ends by the user names in ICE's checks: the receiver's, a colon, the sender's.

    Each is called by the place that it had first. ``webrtc.lua`` does the same in Wireshark. Source: RFC
    8445, section 7.2.2.
    """

    def __init__(self) -> None:
        self._by_name: dict[tuple[int, str], Place] = {}
        self._by_place: dict[Place, Place] = {}

    def take(self, packet: Captured) -> None:
        """Learn from a packet."""
        if packet.kind is not PacketClass.STUN_REQUEST or not is_whole(packet.payload):
            return
        for attribute in STUN(packet.payload).attributes:
            if isinstance(attribute, STUNUsername):
                receiver, colon, sender = attribute.username.decode(errors="replace").partition(":")
                if colon:
                    self._learn(receiver, (packet.interface, packet.destination))
                    self._learn(sender, (packet.interface, packet.source))

    def _learn(self, name: str, place: Place) -> None:
        named = place[0], name
        # A place keeps its end: an ICE restart gives it another name.
        known = self._by_place.get(place) or self._by_name.get(named) or place
        self._by_place[place] = self._by_name[named] = known

    def of(self, packet: Captured) -> frozenset[Place]:
        """Return the two ends between which a packet goes."""
        places = ((packet.interface, address) for address in (packet.source, packet.destination))
        return frozenset(self._by_place.get(place, place) for place in places)
