"""The retransmission timeout (RFC 6298), as Linux has it."""

import math
from dataclasses import dataclass

INITIAL_S = 1.0
"""RFC 6298 section 2.1."""
MIN_S = 0.2
"""TCP_RTO_MIN of Linux; RFC 6298 section 2.4 has 1 s, which nobody keeps."""
MAX_S = 120.0
"""TCP_RTO_MAX of Linux."""
SYN_RETRIES = 6
"""tcp_syn_retries of Linux: a connection attempt fails 127 s after its first SYN."""
SYN_ACK_RETRIES = 5
"""tcp_synack_retries of Linux."""
DATA_RETRIES = 15
"""tcp_retries2 of Linux."""


def silence_s(retries: int, first_s: float = MIN_S) -> float:
    """Return how long Linux waits for an answer: a timeout for each copy sent, each twice the last."""
    return sum(min(first_s * 2.0**number, MAX_S) for number in range(retries + 1))


GIVE_UP_S = silence_s(DATA_RETRIES)
"""After so long without an answer to a retransmission, the next timeout ends the connection: 924.6 s."""


@dataclass
class Timeout:
    """The round trip as measured, and the timeout that follows from it."""

    srtt_s: float | None = None
    min_rtt_s: float = math.inf
    _deviation_s: float = 0.0
    _backoff: int = 0

    def measured(self, rtt_s: float) -> None:
        """Take in a round trip. What answers something new ends the backing off."""
        self._backoff = 0
        self.min_rtt_s = min(self.min_rtt_s, round(rtt_s, 9))
        if self.srtt_s is None:
            self.srtt_s, self._deviation_s = rtt_s, rtt_s / 2
        else:
            self._deviation_s += (abs(self.srtt_s - rtt_s) - self._deviation_s) / 4
            self.srtt_s += (rtt_s - self.srtt_s) / 8

    def back_off(self) -> None:
        """Double it: it has expired."""
        self._backoff += 1

    @property
    def base_s(self) -> float:
        """The timeout without backing off."""
        if self.srtt_s is None:
            return INITIAL_S
        # Linux applies its minimum to the deviation, not to the sum.
        return self.srtt_s + max(4 * self._deviation_s, MIN_S)

    @property
    def now_s(self) -> float:
        """The timeout."""
        return float(min(self.base_s * 2.0**self._backoff, MAX_S))


def unanswered_s(rtt_s: float) -> float:
    """Return how long one segment is retransmitted on an idle connection, until TCP gives it up."""
    timeout = Timeout()
    timeout.measured(rtt_s)
    at_s = min(timeout.now_s, 2 * rtt_s + MIN_S)  # the probe
    at_s += timeout.now_s
    first_s = at_s
    while at_s - first_s < GIVE_UP_S:
        timeout.back_off()
        at_s += timeout.now_s
    return at_s
