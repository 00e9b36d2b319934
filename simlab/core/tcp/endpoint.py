"""One end of a connection: a handshake, and then a sender and a receiver."""

from typing import Literal

from simlab.core.tcp.receiver import Receiver
from simlab.core.tcp.segment import Segment
from simlab.core.tcp.sender import Sender
from simlab.core.tcp.timeout import INITIAL_S, SYN_ACK_RETRIES, SYN_RETRIES, Timeout

Failure = Literal["timed out", "reset"]


class Endpoint:
    """Open a connection, or wait for one; then carry bytes both ways. It does no I/O.

    Whatever is called with a time is called in the order of times; ``to_send`` is emptied after each call.

    Parameters
    ----------
    is_client
        Whether it opens the connection, at once.
    """

    def __init__(self, is_client: bool, now_s: float) -> None:
        self.is_established = False
        self.to_send: list[Segment] = []
        self._is_client = is_client
        self._timeout = Timeout()
        self._sender = Sender(self._timeout)
        self._receiver = Receiver()
        self._echo_s: float | None = None
        self._syn_timer_s: float | None = None
        self._expired = 0
        self._failure: Failure | None = None
        if is_client:
            self._send_syn(now_s)

    @property
    def got_bytes(self) -> int:
        """How many bytes have come in order."""
        return self._receiver.got_bytes

    @property
    def acked_bytes(self) -> int:
        """How many bytes of those written are known to have arrived."""
        return self._sender.acked

    @property
    def failure(self) -> Failure | None:
        """Why the connection is over here, if it is: it has retransmitted for too long, or was reset."""
        return "timed out" if self._sender.is_given_up else self._failure

    @property
    def timer_s(self) -> float | None:
        """When ``expire`` is to be called; None for not at all."""
        if self.failure is not None:
            return None
        return self._sender.timer_s if self.is_established else self._syn_timer_s

    def write(self, size_bytes: int, now_s: float) -> None:
        """Send bytes, as soon as there is a connection."""
        self._sender.write(size_bytes)
        if self.is_established:
            self._send_data(now_s)

    def receive(self, segment: Segment, now_s: float) -> None:
        """Take in a segment."""
        if segment.reset:
            self._failure = self.failure or "reset"
        elif self.failure is not None:
            # Nobody knows this connection any more (RFC 9293 section 3.10.7.1).
            self.to_send.append(Segment(0, 0, now_s, reset=True))
        else:
            self._take(segment, now_s)

    def _take(self, segment: Segment, now_s: float) -> None:
        if segment.syn:
            self._receive_syn(segment, now_s)
            return
        if not self.is_established:
            if self._is_client or self._echo_s is None:
                return
            self._establish(segment, now_s)
        self._receive_data(segment, now_s)

    def _receive_syn(self, segment: Segment, now_s: float) -> None:
        if self._is_client:
            is_first = not self.is_established
            if is_first:
                self._echo_s = segment.sent_s
                self._establish(segment, now_s)
            # A second SYN+ACK says that the acknowledgement of the first was lost.
            self._acknowledge(now_s)
            if is_first:
                self._send_data(now_s)
        elif not self.is_established:
            self._echo_s = segment.sent_s
            self._send_syn(now_s)

    def _establish(self, segment: Segment, now_s: float) -> None:
        self.is_established, self._syn_timer_s = True, None
        if segment.echo_s is not None:
            self._timeout.measured(now_s - segment.echo_s)

    def _receive_data(self, segment: Segment, now_s: float) -> None:
        if segment.start <= self._receiver.got_bytes:
            # RFC 7323 section 4.3: what fills a gap gives the timestamp to echo.
            self._echo_s = segment.sent_s
        if segment.start < segment.end:
            self._receiver.take(segment.start, segment.end)
        self._sender.acknowledged(segment, now_s)
        had = len(self.to_send)
        self._send_data(now_s)
        if segment.start < segment.end and len(self.to_send) == had:
            self._acknowledge(now_s)

    def expire(self, now_s: float) -> None:
        """Do what is due at ``timer_s``."""
        if self.is_established:
            self._put(self._sender.expire(now_s), now_s)
            self._send_data(now_s)
        elif self._expired == (SYN_RETRIES if self._is_client else SYN_ACK_RETRIES):
            self._failure = "timed out"
        else:
            self._expired += 1
            self._send_syn(now_s)

    def _send_syn(self, now_s: float) -> None:
        """Open, or answer the opening. A SYN that has come again starts the timer again as it was."""
        self._syn_timer_s = now_s + INITIAL_S * 2.0**self._expired
        ack = None if self._is_client else 0
        self.to_send.append(Segment(0, 0, now_s, syn=True, ack=ack, echo_s=self._echo_s))

    def _send_data(self, now_s: float) -> None:
        self._put(self._sender.segments(now_s), now_s)

    def _acknowledge(self, now_s: float) -> None:
        self._put([(0, 0)], now_s)

    def _put(self, ranges: list[tuple[int, int]], now_s: float) -> None:
        got_bytes, sacks = self._receiver.got_bytes, self._receiver.sacks
        for start, end in ranges:
            self.to_send.append(Segment(start, end, now_s, ack=got_bytes, sacks=sacks, echo_s=self._echo_s))
