"""The sending half of an endpoint: what is on its way, what is lost, and when to send again."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from simlab.core.tcp.segment import MSS_BYTES, Segment
from simlab.core.tcp.timeout import GIVE_UP_S, MIN_S, Timeout

_FIRST_WINDOW = 10  # segments, RFC 6928
_DUPLICATES = 3  # RFC 5681; as RFC 8985 uses it


@dataclass(slots=True)
class _Flight:
    """A segment that is not acknowledged yet."""

    start: int
    end: int
    sent_s: float = 0.0
    is_sacked: bool = False
    is_lost: bool = False
    is_resent: bool = False


class Sender:
    """Send bytes until they are acknowledged.

    Losses are found by RACK (RFC 8985): a segment is lost when one that was sent later has arrived and either
    three have been acknowledged out of order, or a quarter of the round trip has passed since. What nothing
    follows is probed for after two round trips (TLP), or sent again when the timer expires (RFC 6298).
    """

    def __init__(self, timeout: Timeout) -> None:
        self._timeout = timeout
        self._flights: list[_Flight] = []
        self._written = self._sent = self.acked = 0
        self._window, self._threshold = float(_FIRST_WINDOW), math.inf
        # Recovery is over when all before this byte is acknowledged; it is fast where no timeout began it.
        self._recovers_at: int | None = None
        self._is_fast_recovery = False
        self._window_before = self._window
        self._delivered = self._resent = 0  # segments, since recovery began
        self._newest: tuple[float, int] = (-math.inf, 0)  # of what has arrived, what was sent last
        self._rack_rtt_s = 0.0
        self._retries_since_s: float | None = None
        self._may_probe = True
        self._timer: tuple[float, str] | None = None
        self.is_given_up = False

    @property
    def timer_s(self) -> float | None:
        """When ``expire`` is to be called."""
        return None if self._timer is None else self._timer[0]

    def write(self, size_bytes: int) -> None:
        """Have more bytes to send."""
        self._written += size_bytes

    def segments(self, now_s: float) -> list[tuple[int, int]]:
        """Return the bytes to send now, as segments: what is lost first, then what is new."""
        out = [self._resend(flight, now_s) for flight in self._to_resend()]
        while self._sent < self._written and self._in_flight < int(self._window):
            out.append(self._send_new(now_s))
        if out:
            self._resent += len(out)
            self._arm(now_s)
        return out

    @property
    def _in_flight(self) -> int:
        return sum(not (flight.is_sacked or flight.is_lost) for flight in self._flights)

    def _to_resend(self) -> Iterator[_Flight]:
        for flight in self._flights:
            if flight.is_lost and not flight.is_sacked and self._in_flight < int(self._window):
                yield flight

    def _resend(self, flight: _Flight, now_s: float) -> tuple[int, int]:
        flight.sent_s, flight.is_lost, flight.is_resent = now_s, False, True
        return flight.start, flight.end

    def _send_new(self, now_s: float) -> tuple[int, int]:
        end = min(self._written, self._sent + MSS_BYTES)
        flight = _Flight(self._sent, end, now_s)
        self._flights.append(flight)
        self._sent = end
        return flight.start, flight.end

    def _arm(self, now_s: float) -> None:
        """Set the timer anew."""
        if not self._flights:
            self._timer = None
            return
        timeout_s, kind = self._timeout.now_s, "timeout"
        srtt_s = self._timeout.srtt_s
        if self._may_probe and self._recovers_at is None and srtt_s is not None:
            # One segment alone may be acknowledged late (RFC 8985 section 7.2).
            probe_s = 2 * srtt_s + (MIN_S if len(self._flights) == 1 else 0.0)
            timeout_s, kind = min(timeout_s, probe_s), "probe"
        self._timer = (now_s + timeout_s, kind)

    def acknowledged(self, segment: Segment, now_s: float) -> None:
        """Take in what a segment says has arrived."""
        assert segment.ack is not None
        advances = segment.ack > self.acked
        arrived = [flight for flight in self._flights if _is_news(flight, segment)]
        if not (advances or arrived):
            return
        self.acked = max(self.acked, segment.ack)
        if advances and segment.echo_s is not None:
            self._timeout.measured(now_s - segment.echo_s)
            self._retries_since_s = None
        self._note(arrived, now_s)
        self._grow(sum(flight.end <= self.acked for flight in self._flights))
        self._flights = [flight for flight in self._flights if flight.end > self.acked]
        if self._recovers_at is not None and self.acked >= self._recovers_at:
            self._recovers_at = None
            if self._is_fast_recovery:
                self._window = self._threshold
        if advances:
            self._may_probe = True
        self._arm(now_s)
        newly_lost = self._find_losses(now_s)
        self._pace(len(arrived), advances and not newly_lost)

    def _note(self, arrived: list[_Flight], now_s: float) -> None:
        for flight in arrived:
            flight.is_sacked = True
            rtt_s = round(now_s - flight.sent_s, 9)
            # It was the first copy that arrived, sent long before (RFC 8985 section 6.2, step 2).
            if flight.is_resent and rtt_s < self._timeout.min_rtt_s:
                continue
            self._timeout.min_rtt_s = min(self._timeout.min_rtt_s, rtt_s)
            if (flight.sent_s, flight.end) > self._newest:
                self._newest, self._rack_rtt_s = (flight.sent_s, flight.end), rtt_s

    def _grow(self, segments: int) -> None:
        if self._recovers_at is not None and self._is_fast_recovery:
            return
        if self._window < self._threshold:
            self._window += segments
        else:
            self._window += segments / self._window

    def _pace(self, delivered: int, is_clean: bool) -> None:
        """Let out about as much as arrives while in fast recovery (RFC 6937, PRR-SSRB)."""
        if self._recovers_at is None or not self._is_fast_recovery:
            return
        self._delivered += delivered
        room = self._threshold - self._in_flight
        if room < 0:
            may = self._delivered * self._threshold / self._window_before - self._resent
        else:
            may = min(room, max(self._delivered - self._resent, delivered) + is_clean)
        self._window = float(self._in_flight + max(math.ceil(may), 0 if self._resent else 1))

    def _find_losses(self, now_s: float) -> bool:
        """Mark what is lost, or set the timer for when it will be (RFC 8985 section 6.2, step 5).

        True if something was lost.
        """
        sacked = sum(flight.is_sacked for flight in self._flights)
        in_order = self._recovers_at is not None or sacked >= _DUPLICATES
        slack_s = 0.0 if in_order else self._timeout.min_rtt_s / 4
        waits_s, found = 0.0, False
        for flight in self._flights:
            if flight.is_sacked or flight.is_lost or (flight.sent_s, flight.end) >= self._newest:
                continue
            left_s = flight.sent_s + self._rack_rtt_s + slack_s - now_s
            # Rounded, or the timer set for this moment would come an instant too early.
            if round(left_s, 9) <= 0:
                flight.is_lost = found = True
                self._recover()
            else:
                waits_s = max(waits_s, left_s)
        if waits_s:
            self._timer = (now_s + waits_s, "reordering")
        return found

    def _recover(self) -> None:
        if self._recovers_at is None:
            self._recovers_at, self._is_fast_recovery = self._sent, True
            self._window_before, self._threshold = self._window, max(self._window / 2, 2.0)
            self._delivered = self._resent = 0

    def expire(self, now_s: float) -> list[tuple[int, int]]:
        """Do what is due at ``timer_s``; return what a probe sends, since it may exceed the window."""
        assert self._timer is not None
        kind = self._timer[1]
        if kind == "reordering":
            self._arm(now_s)
            self._find_losses(now_s)
            self._pace(1, is_clean=False)
        elif kind == "probe":
            return self._probe(now_s)
        else:
            self._time_out(now_s)
        return []

    def _probe(self, now_s: float) -> list[tuple[int, int]]:
        """Send something new, or the last segment again (RFC 8985 section 7.3)."""
        self._may_probe = False
        if self._sent < self._written:
            sent = self._send_new(now_s)
        else:
            sent = self._resend(next(f for f in reversed(self._flights) if not f.is_sacked), now_s)
        self._arm(now_s)
        return [sent]

    def _time_out(self, now_s: float) -> None:
        if self._retries_since_s is None:
            self._retries_since_s = now_s
        elif now_s - self._retries_since_s >= GIVE_UP_S:
            self.is_given_up, self._timer = True, None
            return
        for flight in self._flights:
            flight.is_lost = not flight.is_sacked
        if self._recovers_at is None:
            self._threshold = max(self._window / 2, 2.0)
        self._recovers_at, self._is_fast_recovery = self._sent, False
        self._window, self._may_probe = 1.0, False
        self._timeout.back_off()
        self._arm(now_s)


def _is_news(flight: _Flight, segment: Segment) -> bool:
    """Tell whether a segment says for the first time that a flight has arrived."""
    assert segment.ack is not None
    if flight.is_sacked:
        return False
    return flight.end <= segment.ack or any(s <= flight.start and flight.end <= e for s, e in segment.sacks)
