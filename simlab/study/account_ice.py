"""What STUN and TURN servers had to do with a session, in sentences."""

from collections.abc import Iterator, Sequence

from simlab.core.timeline import Event, Timeline
from simlab.study.words import count, listed

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
    yield from _denied(timeline)
    bare = [e for e in timeline.select("client", "gathering_state") if e.data.get("candidates") == []]
    if bare:
        yield bare[0].t_s, f"The client had no candidate to offer {_when(bare)}."


def _denied(timeline: Timeline) -> Iterator[tuple[float, str]]:
    """Tell of what a permission that had expired, or that there never was, kept from being relayed."""
    # A peer whose datagrams only were sooner than its permission lost nothing.
    permitted = {(e["relayed"], e["peer"]) for e in timeline.select("ice-server", "permitted")}
    denials = [
        event
        for event in timeline.select("ice-server", "denied")
        if event["expired"] or (event["relayed"], event["peer"]) not in permitted
    ]
    for event in denials[:_MOST_TIMES_TOLD]:
        ends = f"between {event['relayed']} and {event['peer']}"
        why = "as its permission had not been refreshed" if event["expired"] else "which had no permission"
        when = f"From {event['from_s']:.1f} s to {event['until_s']:.1f} s"
        yield event["from_s"], f"{when} the TURN server denied {_datagrams([event])} {ends}, {why}."
    more = denials[_MOST_TIMES_TOLD:]
    if more:
        again = f"The TURN server denied datagrams {count(len(more), 'more time')}"
        yield more[0]["from_s"], f"{again}, {_datagrams(more)} in all."


def _datagrams(denials: Sequence[Event]) -> str:
    return count(sum(event["datagrams"] for event in denials), "datagram")


def _when(events: Sequence[Event]) -> str:
    times = [f"{event.t_s:.1f}" for event in events]
    if len(times) > _MOST_TIMES_TOLD:
        return f"from {times[0]} s to {times[-1]} s, {len(times)} times"
    return f"at {listed(times)} s"
