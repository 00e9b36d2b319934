"""RTP streams: what is missing, and the jitter."""

from dataclasses import dataclass, field
from typing import Any

from scapy.layers.rtp import RTP

_RATES = (8000, 16000, 48000, 90000)
_HALF = 2**15
_GAIN = 16


@dataclass
class RtpStream:
    """One source at one interface.

    Source: RFC 3550 appendix A.1 (sequence numbers), A.3 (loss), A.8 (jitter).
    """

    payload_type: int
    packets: int = 0
    size: int = 0
    _first: int = 0
    _highest: int = 0
    _seen: set[int] = field(default_factory=set)
    _arrivals: list[tuple[float, int]] = field(default_factory=list)

    def take(self, packet: RTP, at_s: float, size: int) -> None:
        """Take in a packet."""
        if not self.packets:
            self._first = self._highest = packet.sequence
        ahead = (packet.sequence - self._highest + _HALF) % 2**16 - _HALF
        number = self._highest + ahead
        self._highest = max(self._highest, number)
        self._first = min(self._first, number)
        self._seen.add(number)
        self.packets += 1
        self.size += size
        self._arrivals.append((at_s, packet.timestamp))

    @property
    def expected(self) -> int:
        """How many packets there would be if none was missing."""
        return self._highest - self._first + 1

    @property
    def rate_hz(self) -> int | None:
        """The clock of its timestamps, which the capture does not say: the likeliest, from their pace."""
        (began_s, began), (ended_s, ended) = self._arrivals[0], self._arrivals[-1]
        took_s = ended_s - began_s
        if took_s < 0.5:
            return None
        pace_hz = (ended - began) % 2**32 / took_s
        return min(_RATES, key=lambda rate_hz: abs(rate_hz / pace_hz - 1) if pace_hz else rate_hz)

    def jitter_s(self, rate_hz: int) -> float:
        """Return the interarrival jitter at the end."""
        jitter = 0.0
        for (before_s, before), (at_s, timestamp) in zip(self._arrivals, self._arrivals[1:], strict=False):
            sent_apart = ((timestamp - before + 2**31) % 2**32 - 2**31) / rate_hz
            jitter += (abs((at_s - before_s) - sent_apart) - jitter) / _GAIN
        return jitter

    def summary(self) -> dict[str, Any]:
        """Return what there is to say, as JSON has it."""
        rate_hz = self.rate_hz
        missing = self.expected - len(self._seen)
        return {
            "payload_type": self.payload_type,
            "packets": self.packets,
            "bytes": self.size,
            "expected": self.expected,
            "missing": missing,
            "duplicated": self.packets - len(self._seen),
            "clock_hz": rate_hz,
            "jitter_s": None if rate_hz is None else round(self.jitter_s(rate_hz), 6),
        }
