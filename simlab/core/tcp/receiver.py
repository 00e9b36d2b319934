"""The receiving half of an endpoint: what has come, and what is said of it."""

_MOST_SACKS = 3  # beside timestamps, RFC 2018 section 3


class Receiver:
    """Put ranges of bytes in order."""

    def __init__(self) -> None:
        self.got_bytes = 0
        self._beyond: list[tuple[int, int]] = []  # apart from each other, in order
        self._newest = (0, 0)

    def take(self, start: int, end: int) -> None:
        """Take in the bytes of a segment, which may have come before."""
        if start < end:
            self._newest = (start, end)
            self._beyond = _merged([*self._beyond, (start, end)])
        if self._beyond and self._beyond[0][0] <= self.got_bytes:
            self.got_bytes = max(self.got_bytes, self._beyond.pop(0)[1])

    @property
    def sacks(self) -> tuple[tuple[int, int], ...]:
        """What is there beyond a gap, the range that came last first (RFC 2018 section 4)."""
        start = self._newest[0]
        ranges = sorted(self._beyond, key=lambda held: not held[0] <= start < held[1])
        return tuple(ranges[:_MOST_SACKS])


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out
