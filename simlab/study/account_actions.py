"""What the user did in the middle of a session, in sentences."""

from collections.abc import Iterator

from simlab.core.timeline import Event, Timeline
from simlab.study.told import MOST_TIMES_TOLD, Rank, Told

_DID = {
    "connect": "connected",
    "disconnect": "disconnected",
    "mute": "muted the microphone",
    "unmute": "unmuted the microphone",
    "camera-on": "switched the camera on",
    "camera-off": "switched the camera off",
    "send": "sent a message",
    "request": "sent a request",
    "set-ice-servers": "set the ICE servers",
}


def actions_told(timeline: Timeline) -> Iterator[Told]:
    """Yield a sentence for each action and each refusal; for all of a kind where there are many."""
    events: dict[tuple[str, str], list[Event]] = {}
    for event in timeline.select("client", "action", "action_refused"):
        events.setdefault((event.kind, event["do"]), []).append(event)
    for (kind, _), some in events.items():
        rank = Rank.ACTION if kind == "action" else Rank.NOTICED
        if len(some) > MOST_TIMES_TOLD:
            times = f"From {some[0].t_s:.1f} s to {some[-1].t_s:.1f} s, {len(some)} times"
            yield some[0].t_s, rank, f"{times}, {_did(some[0])}."
        else:
            yield from ((e.t_s, rank, f"At {e.t_s:.1f} s {_did(e)}.") for e in some)


def _did(event: Event) -> str:
    if event.kind == "action":
        return f"the user {_DID.get(event['do'], event['do'])}"
    return f"the client refused that ({event['error']})"
