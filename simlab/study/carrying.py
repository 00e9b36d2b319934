"""Whether the links carried in a stretch of time: what got through them, and how late."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, floor
from statistics import median_low

from simlab.core.packet import Direction
from simlab.core.timeline import Timeline
from simlab.study.reading import DIRECTIONS
from simlab.study.spans import Span, union
from simlab.study.words import listed, share_text

WINDOW_S = 10.0
LEAST_SHARE = 0.5
MOST_DELAY_S = 5.0

_BEHIND_THE_LINK = frozenset({"nat", "handover", "relay"})


@dataclass(frozen=True, slots=True)
class Carried:
    """What a link did in a stretch of time.

    Parameters
    ----------
    delivered, dropped
        How many packets got through, and how many did not. Those count as got through that met a NAT, or
        nobody, behind the link.
    delay_s
        The median of the seconds' median delays; None where nothing arrived.
    """

    delivered: int
    dropped: int
    delay_s: float | None

    @property
    def came(self) -> int:
        """How many packets there were to carry."""
        return self.delivered + self.dropped

    @property
    def is_enough(self) -> bool:
        """Whether a connection could live with it; so it is where there was nothing to carry."""
        return self.delivered >= LEAST_SHARE * self.came and (self.delay_s or 0.0) <= MOST_DELAY_S


class Links:
    """Both links of a session with one client."""

    def __init__(self, timeline: Timeline) -> None:
        self._links = {way: _Link(timeline, way) for way in DIRECTIONS}

    def carrying(self, spans: Iterable[Span]) -> tuple[Span, ...]:
        """Return what is left of the spans without the windows in which a link did not carry.

        Each span is cut into windows of 10 s, the last of which is up to 20 s long.
        """
        return union(window for span in spans for window in _windows(span) if self._carry(window))

    def _carry(self, window: Span) -> bool:
        return all(link.carried(window).is_enough for link in self._links.values())

    def told(self, span: Span) -> str:
        """Say what the links did in a stretch, for the end of a sentence."""
        did = {way.value: link.carried(span) for way, link in self._links.items()}
        carried = [f"{_told(one)} {way}" for way, one in did.items() if one.came]
        idle = [f", and dropped nothing {way}" for way, one in did.items() if not one.came]
        if not carried:
            return "the links dropped nothing"
        return f"the links carried {listed(carried)}{''.join(idle)}"


def _told(one: Carried) -> str:
    share = f"{share_text(one.delivered / one.came)} of the packets"
    if one.delay_s is None:
        return share
    delay = f"{1000 * one.delay_s:.0f} ms" if one.delay_s < 1.0 else f"{one.delay_s:.1f} s"
    return f"{share} (median delay {delay})"


class _Link:
    def __init__(self, timeline: Timeline, way: Direction) -> None:
        seconds = list(timeline.select(f"link.{way.value}", "rate"))
        self._seconds_s = [event.t_s for event in seconds]
        self._delivered = [sum(event.data.get("packets", {}).values()) for event in seconds]
        self._delays_s = [event.data.get("delay_p50_s") for event in seconds]
        drops = list(timeline.select(f"link.{way.value}", "dropped"))
        self._behind_s = [event.t_s for event in drops if event["cause"] in _BEHIND_THE_LINK]
        self._drops_s = [event.t_s for event in drops if event["cause"] not in _BEHIND_THE_LINK]

    def carried(self, span: Span) -> Carried:
        """Return what it did in the whole seconds of a stretch: deliveries are counted by the second."""
        from_s, until_s = ceil(span.began_s), floor(span.ended_s)
        of = slice(bisect_right(self._seconds_s, from_s), bisect_right(self._seconds_s, until_s))
        behind, dropped = (
            bisect_left(times_s, until_s) - bisect_left(times_s, from_s)
            for times_s in (self._behind_s, self._drops_s)
        )
        delays_s = [one_s for one_s in self._delays_s[of] if one_s is not None]
        delay_s = median_low(delays_s) if delays_s else None
        return Carried(sum(self._delivered[of]) + behind, dropped, delay_s)


def _windows(span: Span) -> Iterator[Span]:
    number = max(1, int(span.length_s // WINDOW_S))
    edges_s = [span.began_s + WINDOW_S * n for n in range(number)] + [span.ended_s]
    yield from map(Span, edges_s, edges_s[1:])
