"""Timelines built by hand, a line for each thing that happened."""

from collections.abc import Iterable
from typing import Any

from simlab.core.timeline import Event, Timeline

BOTH = ("up", "down")


def event(t_s: float, name: str, **data: Any) -> Event:
    """Make an event of ``"source kind"``."""
    source, kind = name.split()
    return Event(t_s, source, kind, data)


def timeline(*groups: Event | Iterable[Event], duration_s: float = 120.0, **header: Any) -> Timeline:
    """Make a session of 120 s with audio that ends at its end."""
    events = [e for group in groups for e in ([group] if isinstance(group, Event) else group)]
    facts = {
        "profile": "flaky",
        "policy": "pipecat",
        "seed": 7,
        "clock": "virtual",
        "media": ["audio"],
        "duration_s": duration_s,
    }
    end = event(duration_s, "session end", reason="the scenario is over")
    return Timeline.of(facts | header, [*events, end])


def connected(ready_s: float = 0.3) -> list[Event]:
    """Return a first connection that was ready at ``ready_s``."""
    return [
        event(0.0, "client transport_state", state="connecting"),
        event(0.01, "client offer", connection=1, restart=False, pc_id=None),
        event(0.05, "server connection_opened", pc_id="pc1"),
        event(0.06, "client answer", connection=1, status=200, pc_id="pc1"),
        event(0.07, "server bot_started", pc_id="pc1"),
        event(0.1, "client ice_state", state="completed", connection=1),
        event(0.1, "client liveness", state="connected", connection=1),
        event(0.2, "client dtls_state", state="connected", connection=1),
        event(0.25, "client channel_open", connection=1),
        event(0.26, "client transport_state", state="ready"),
        event(ready_s, "client bot_ready"),
        event(ready_s, "client connect", outcome="resolved"),
    ]


def gap(what: str, direction: str, from_s: float, until_s: float | None = None) -> list[Event]:
    """Return what the probes record of a silence; without ``until_s`` it never ended."""
    waited_s = 1.0 if what == "message" else 0.5
    where = {"what": what, "direction": direction}
    found = [event(round(from_s + waited_s, 6), "probe lost", since_s=from_s, **where)]
    if until_s is not None:
        found.append(event(until_s, "probe back", gap_s=round(until_s - from_s, 6), **where))
    return found


def silence(from_s: float, until_s: float | None = None) -> list[Event]:
    """Return a silence of all four channels."""
    return [e for what in ("message", "media") for way in BOTH for e in gap(what, way, from_s, until_s)]


def fault(index: int, from_s: float, until_s: float | None = None, kind: str = "blackout") -> list[Event]:
    """Return a fault of both directions."""
    facts = {"index": index, "fault": kind, "direction": "both"}
    begin = event(from_s, "fault begin", **facts)
    return [begin] if until_s is None else [begin, event(until_s, "fault end", **facts)]


def attempt(t_s: float, number: int = 1, action: str = "recreate") -> Event:
    """Return an attempt of the policy."""
    return event(t_s, "policy attempt", number=number, action=action)


def liveness(t_s: float, state: str, connection: int = 1) -> Event:
    """Return a change of the client's opinion of its path."""
    return event(t_s, "client liveness", state=state, connection=connection)
