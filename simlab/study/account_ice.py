"""What STUN and TURN servers had to do with a session, in sentences."""

from collections.abc import Iterator, Sequence

from simlab.core.timeline import Event, Timeline
from simlab.study.words import listed

_MOST_TIMES_TOLD = 4
_WHY = {401: "wrong credentials", 486: "no more for this user", 508: "no port is free"}
_ENDS = {
    "expired": "expired, since it was not refreshed",
    "lost": "was lost with the server",
}


def ice_told(timeline: Timeline) -> Iterator[tuple[float, str]]:
    """Yield sentences, each with the time that it is about."""
    refused: dict[int, list[Event]] = {}
    for event in timeline.select("ice-server", "refused"):
        if event["method"] == "allocate" and event["code"] != 438:  # a stale nonce is only asked for again
            refused.setdefault(event["code"], []).append(event)
    for code, events in refused.items():
        why = f"{code}, {_WHY[code]}" if code in _WHY else str(code)
        yield events[0].t_s, f"The TURN server refused an allocation {_when(events)} ({why})."
    for event in timeline.select("ice-server", *_ENDS):
        allocation = f"the TURN server's allocation {event['relayed']}"
        yield event.t_s, f"At {event.t_s:.1f} s {allocation} {_ENDS[event.kind]}."
    bare = [e for e in timeline.select("client", "gathering_state") if e.data.get("candidates") == []]
    if bare:
        yield bare[0].t_s, f"The client had no candidate to offer {_when(bare)}."


def _when(events: Sequence[Event]) -> str:
    times = [f"{event.t_s:.1f}" for event in events]
    if len(times) > _MOST_TIMES_TOLD:
        return f"from {times[0]} s to {times[-1]} s, {len(times)} times"
    return f"at {listed(times)} s"
