"""The timing of TCP: segments cross two links, and bytes arrive late, but in order, or not at all.

Modelled are the handshake, cumulative and selective acknowledgements with timestamps, the retransmission
timer and the recovery from losses, with the constants of Linux where the standards leave them open.

Sources: RFC 9293 (TCP), RFC 6298 (the retransmission timer), RFC 8985 (RACK-TLP), RFC 5681 and RFC 6928
(the congestion window), RFC 7323 (timestamps), RFC 2018 (selective acknowledgements); net/ipv4/tcp_timer.c,
tcp_recovery.c and tcp_output.c of Linux.
"""

from simlab.core.tcp.endpoint import Endpoint
from simlab.core.tcp.path import Connection, TcpPath
from simlab.core.tcp.segment import MSS_BYTES, Segment
from simlab.core.tcp.timeout import unanswered_s

__all__ = ["MSS_BYTES", "Connection", "Endpoint", "Segment", "TcpPath", "unanswered_s"]
