"""From what was seen of a client to an ordinary session: a scenario, and a timeline."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from simlab.core.meter import damage
from simlab.core.packet import Direction
from simlab.core.timeline import Event, Timeline
from simlab.live.intercept.hanging_up import HangUp, hang_ups
from simlab.live.intercept.happenings import Happening, Settled, fault_tables, link_tables
from simlab.live.intercept.known import State
from simlab.profile.header import header
from simlab.profile.model import Profile
from simlab.profile.scenario import Scenario
from simlab.profile.units import duration_text

Save = Callable[[Scenario, Timeline, Path | None], str]
"""Saves a session, with the files of its capture in a folder if there are any, and returns where."""

_NOTHING: Mapping[str, Any] = {
    "offered": 0,
    "delivered": 0,
    "dropped": {},
    "added": {},
    "corrupted": 0,
    "kernel_dropped": 0,
}
_PACKAGES = ("aiohttp", "numpy")


@dataclass(frozen=True)
class Recording:
    """All that is known of a stretch of time.

    Parameters
    ----------
    from_s, until_s
        Seconds since the intercept began.
    before, after
        What was known of each client, by number, at the beginning and at the end.
    capture_lost
        How many packets each client's capture lacks, by number; None without captures.
    """

    name: str
    upstream: str
    from_s: float
    until_s: float
    events: Sequence[Event]
    before: Mapping[int, State]
    after: Mapping[int, State]
    happenings: Sequence[Happening]
    settled: Sequence[Settled]
    capture_lost: Mapping[int, int] | None = None

    @property
    def clients(self) -> list[int]:
        """The numbers of those of whom anything was seen."""
        active = {number for number, one in self.after.items() if one["used_s"] >= self.from_s}
        offered = {event.data.get("client") for event in self.events if event.source == "client"}
        return sorted(active | {number for number in offered if isinstance(number, int)})

    def session(self, client: int) -> tuple[Scenario, Timeline]:
        """Return the scenario and the timeline of one client, until it hung up if it did."""
        events = [event for event in self.events if event.data.get("client", client) == client]
        met = [one for one in self.happenings if one.concerns(client)]
        away = hang_ups(events, met)
        if away and away[-1].again_s is None:
            own = replace(self, until_s=away[-1].at_s)
            return own._session(client, away[:-1], "client hung up")
        return self._session(client, away, "recording stopped")

    def _session(self, client: int, away: Sequence[HangUp], reason: str) -> tuple[Scenario, Timeline]:
        scenario = Scenario.of(self._profile(client), clock="real")
        ends = Event(_at(self.until_s - self.from_s), "session", "end", {"reason": reason})
        events = [
            Event(0.0, "session", "begin"),
            *self._baseline(client),
            *_fault_events(scenario.profile),
            *self._observed(client),
            *self._away(away),
            *self._totals(client),
        ]
        head = header(scenario, _PACKAGES, recorded_by="intercept", upstream=self.upstream, client=client)
        return scenario, Timeline.of(head, [*(one for one in events if one.t_s <= ends.t_s), ends])

    def _profile(self, client: int) -> Profile:
        now = [one for one in self.settled if one.from_s <= self.until_s]
        tables = now[-1].profile.to_toml()
        for unknown in ("expect", "weather", "action"):
            tables.pop(unknown, None)
        seen = self.after.get(client, {}).get("seen", [])
        tables |= {
            "name": self.name,
            "description": f"Recorded by simlab intercept: client {client} of {self.upstream}",
            "duration": duration_text(_at(self.until_s - self.from_s)),
            "clock": "real",
            "link": link_tables(now, self.from_s, self.until_s),
            "fault": fault_tables(self.happenings, client, self.from_s, self.until_s),
            "peers": {**tables.get("peers", {}), "media": ["audio"] if "media" in seen else []},
        }
        return Profile.model_validate(tables)

    def _baseline(self, client: int) -> Iterator[Event]:
        """Say how the client was when the recording began."""
        state = self.before.get(client)
        if state is None or not state["ready"]:
            return
        for kind in ("ice_state", "dtls_state"):
            labels = {"state": "connected", "connection": state["connection"], "inferred": True}
            yield Event(0.0, "client", kind, labels)
        yield Event(0.0, "client", "bot_ready", {"inferred": True})
        for direction, what, _ in state["silent"]:
            yield Event(0.0, "probe", "lost", {"direction": direction, "what": what, "since_s": 0.0})

    def _observed(self, client: int) -> Iterator[Event]:
        for event in self.events:
            t_s = _at(event.t_s - self.from_s)
            if event.source == "fault" or event.data.get("client", client) != client or t_s < 0.0:
                continue
            data = {key: value for key, value in event.data.items() if key != "client"}
            if "since_s" in data:
                data["since_s"] = max(0.0, _at(data["since_s"] - self.from_s))
            yield Event(t_s, event.source, event.kind, data)

    def _away(self, away: Iterable[HangUp]) -> Iterator[Event]:
        """Say that the user wanted no connection, as a session of simlab's own client does."""
        for one in away:
            yield Event(
                _at(one.at_s - self.from_s), "client", "action", {"do": "disconnect", "inferred": True}
            )
            if one.again_s is not None:
                again_s = _at(one.again_s - self.from_s)
                yield Event(again_s, "client", "action", {"do": "connect", "inferred": True})

    def _totals(self, client: int) -> Iterator[Event]:
        after = self.after.get(client)
        if after is None:
            return
        before = self.before.get(client)
        for direction in Direction:
            now = after["links"][direction.value]
            then: State = before["links"][direction.value] if before else _NOTHING
            if now["offered"] < then["offered"]:  # it was forgotten in between, and counted anew
                then = _NOTHING
            labels = {
                "offered": now["offered"] - then["offered"],
                "delivered": now["delivered"] - then["delivered"],
                "dropped": _since(then["dropped"], now["dropped"]),
                **damage(_since(then["added"], now["added"]), now["corrupted"] - then["corrupted"]),
                "kernel_dropped": now["kernel_dropped"] - then["kernel_dropped"],
            }
            if self.capture_lost is not None:
                labels["capture_lost"] = self.capture_lost.get(client, 0)
            yield Event(_at(self.until_s - self.from_s), f"link.{direction.value}", "total", labels)


def _since(then: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    more = {cause: n - then.get(cause, 0) for cause, n in now.items()}
    return {cause: n for cause, n in more.items() if n}


def _fault_events(profile: Profile) -> Iterable[Event]:
    for index, fault in enumerate(profile.faults):
        settings = fault.model_dump(by_alias=True, exclude={"kind"}, exclude_none=True)
        labels = {"index": index, "fault": fault.kind, **settings}
        yield Event(_at(fault.at_s), "fault", "begin", labels)
        if fault.until_s <= profile.duration_s:
            yield Event(_at(fault.until_s), "fault", "end", labels)


def _at(seconds: float) -> float:
    return round(seconds, 6)
