"""Whether what was measured is the profile's doing, or the relay's own."""

from collections.abc import Iterable, Iterator

from simlab.core.timeline import Event

WORST_ERROR_S = 0.010
"""The 99th percentile of how late the relay may send packets: more, and it was an impairment of its own."""

_RELAY = "relay"
"""The cause of drops of packets that the system did not take from the relay."""


def faults(events: Iterable[Event], worst_error_s: float = WORST_ERROR_S) -> Iterator[str]:
    """Yield what makes a session invalid: nothing, if the relay did only what the profile asked for."""
    for event in events:
        if event.source.startswith("link.") and event.kind == "total":
            yield from _of_link(event, event.source.removeprefix("link."), worst_error_s)


def _of_link(total: Event, way: str, worst_error_s: float) -> Iterator[str]:
    error_s = total.data.get("error_p99_s", 0.0)
    if error_s > worst_error_s:
        late, limit = (f"{seconds * 1000:.3g} ms" for seconds in (error_s, worst_error_s))
        yield f"on the way {way} the relay sent packets up to {late} late (99th percentile, {limit} may be)"
    drops = {"kernel": total.data.get("kernel_dropped", 0), "relay": total["dropped"].get(_RELAY, 0)}
    for who, number in drops.items():
        if number:
            yield f"on the way {way} the {who} dropped {number} packets of its own accord"
