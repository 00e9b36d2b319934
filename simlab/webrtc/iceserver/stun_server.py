"""A STUN server: it tells a client how the network sees it."""

from aioice import stun

from simlab.webrtc.iceserver import codec
from simlab.webrtc.iceserver.codec import ChannelData, Received
from simlab.webrtc.iceserver.outputs import Address, Happened, Output, Send, text


class StunServer:
    """Answer Binding requests over UDP (RFC 8489 section 12), without credentials.

    It reads no clock and does no I/O: datagrams come in with the time, in seconds of any zero and never
    less than before; what is to be done comes out. A subclass has allocations beside that.
    """

    def receive(self, datagram: bytes, source: Address, now_s: float) -> list[Output]:
        """Take in a datagram that came to the address that the server listens on."""
        received = codec.parse(datagram)
        if isinstance(received, ChannelData):
            return self._channel_data(received, source, now_s)
        if received is None:
            return []
        return self._message(received, source, now_s)

    def _message(self, received: Received, source: Address, now_s: float) -> list[Output]:
        if not received.is_request or received.message.message_method is not stun.Method.BINDING:
            return []
        if received.unknown:
            return [Send(codec.error(received, 420, unknown=received.unknown), source)]
        answer = codec.success(received, {"XOR-MAPPED-ADDRESS": source})
        return [Send(answer, source), Happened("binding", {"client": text(source)})]

    def _channel_data(self, data: ChannelData, source: Address, now_s: float) -> list[Output]:
        return []

    def receive_from_peer(
        self, datagram: bytes, peer: Address, relayed: Address, now_s: float
    ) -> list[Output]:
        """Take in a datagram that came from a peer to a relayed address."""
        return []

    def opened(self, client: Address, relayed: Address, now_s: float) -> list[Output]:
        """Take over the port that was opened for a client."""
        return []

    def not_opened(self, client: Address, now_s: float) -> list[Output]:
        """Learn that no port could be opened for a client."""
        return []

    def next_timer_s(self) -> float | None:
        """Return when ``handle_timer`` is to be called; None for never."""
        return None

    def handle_timer(self, now_s: float) -> list[Output]:
        """Do what is due."""
        return []

    def end(self, kind: str) -> list[Output]:
        """Give up everything, and tell of each allocation by an event of that kind."""
        return []
