"""Record once a second what a link carried."""

from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import Any, ClassVar

from simlab.core.link import Delivered, Dropped, Link
from simlab.core.packet import Direction
from simlab.core.timeline import Recorder


class LinkMeter:
    """Turn what a link does into events of the timeline.

    Parameters
    ----------
    keep_errors
        Whether to sum up by how much packets left too late: for the real clock, where they do.
    """

    quantiles: ClassVar[Mapping[str, float]] = {"delay_p50_s": 0.50, "delay_p95_s": 0.95}
    """What is recorded of the delays of a second, and which share of them is not longer."""

    def __init__(self, record: Recorder, direction: Direction, link: Link, keep_errors: bool = False) -> None:
        self._record = record
        self._source = f"link.{direction.value}"
        self._link = link
        self._second_ends_s = 1.0
        # Of this second:
        self._delays_s: list[float] = []
        self._packets: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self._errors_s: list[float] | None = [] if keep_errors else None

    def dropped(self, drop: Dropped) -> None:
        """Take in a packet that was dropped."""
        labels: dict[str, Any] = {"seq": drop.seq, "class": drop.kind, "size": drop.size, "cause": drop.cause}
        self._record(self._source, "dropped", **labels)

    def delivered(self, packet: Delivered) -> None:
        """Take in a packet that left the link."""
        if packet.sent_s >= self._second_ends_s:
            self.flush()
            self._second_ends_s = floor(packet.sent_s) + 1.0
        kind, packets, sizes = packet.kind, self._packets, self._sizes
        self._delays_s.append(packet.sent_s - packet.arrived_s)
        packets[kind] = packets.get(kind, 0) + 1
        sizes[kind] = sizes.get(kind, 0) + len(packet.payload)
        if self._errors_s is not None:
            self._errors_s.append(packet.sent_s - packet.due_s)

    def flush(self) -> None:
        """Record the second that is over."""
        delays_s = self._delays_s
        if not delays_s:
            return
        delays_s.sort()
        self._record(
            self._source,
            "rate",
            at_s=min(self._second_ends_s, self._record.now_s()),
            packets=dict(sorted(self._packets.items())),
            bytes=dict(sorted(self._sizes.items())),
            **{name: _rank_s(delays_s, share) for name, share in self.quantiles.items()},
        )
        for of_second in (delays_s, self._packets, self._sizes):
            of_second.clear()

    def finish(self, **more: Any) -> None:
        """Record the last second, and the totals of the session.

        Parameters
        ----------
        more
            Further totals.
        """
        self.flush()
        link = self._link
        errors: dict[str, Any] = {}
        if self._errors_s:
            errors_s = sorted(self._errors_s)
            errors = {"error_p50_s": _rank_s(errors_s, 0.50), "error_p99_s": _rank_s(errors_s, 0.99)}
        dropped = dict(sorted(link.dropped.items()))
        self._record(
            self._source,
            "total",
            offered=link.offered,
            delivered=link.delivered,
            dropped=dropped,
            **damage(link.added, link.corrupted),
            **errors,
            **more,
        )


def damage(added: Mapping[str, int], corrupted: int) -> dict[str, Any]:
    """Return the fields of a total that are there only where a link made copies or changed payloads."""
    copies = {"added": dict(sorted(added.items()))} if added else {}
    return copies | ({"corrupted": corrupted} if corrupted else {})


def _rank_s(ordered_s: Sequence[float], share: float) -> float:
    """Return a quantile by the nearest rank, to the microsecond: no interpolation, a value that was there."""
    return round(ordered_s[max(0, ceil(share * len(ordered_s)) - 1)], 6)
