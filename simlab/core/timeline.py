"""The ordered events of a session, and their text."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from simlab.core.json_text import json_of, json_writer
from simlab.core.timeline_fields import check_fields

SCHEMA = 1
_T = TypeVar("_T")
_EVENTS_AT_ONCE = 1000

_LINK: dict[str, tuple[str, ...]] = {
    "dropped": ("seq", "class", "size", "cause"),
    "rate": (),
    "total": (),
    "realised": ("setting", "requested", "realised", "held"),  # what a setting of the link really did
}

# Every kind of event, by source, with the fields that each must carry. Others may be added to an event.
KINDS: dict[str, dict[str, tuple[str, ...]]] = {
    "session": {
        "begin": (),
        "end": ("reason",),
        "failed": ("stage", "reason"),
        "violation": ("invariant", "detail"),
        "leak": ("what", "place"),  # what reached past the virtual clock
    },
    "fault": {"begin": ("index", "fault"), "end": ("index", "fault")},
    "client": {
        "transport_state": ("state",),
        "ice_state": ("state", "connection"),
        "connection_state": ("state", "connection"),
        "signalling_state": ("state", "connection"),
        "gathering_state": ("state", "connection"),  # "complete" with the types of the `candidates`
        "dtls_state": ("state", "connection"),
        "liveness": ("state", "connection"),
        "ice_restart": ("state", "connection"),  # begun | connected
        "offer": ("connection", "restart", "pc_id"),
        "answer": ("connection", "status", "pc_id"),
        "offer_failed": ("connection",),  # with `status` or `error`
        "trickle": ("connection", "candidates"),
        "trickle_failed": ("connection",),  # with `status` or `error`
        "channel_open": ("connection",),
        "channel_closed": ("connection",),
        "hung_up": ("connection",),  # its packets show that it closed the connection
        "bot_ready": (),
        "ended": ("outcome",),  # returned | raised (with `error`): a client of the user's own
        "connect": ("outcome",),  # resolved | rejected: what became of the promise of connect()
        "callback": ("name",),
        "peer_failed": ("connection",),  # with `error`: there was no peer connection to negotiate
        "action": ("do",),  # of the application
        "action_refused": ("do", "error"),
        "response": ("outcome",),  # answered | refused: what became of a request of the application
        "track_started": ("track",),
        "track_stopped": ("track",),
    },
    "policy": {
        "trigger": ("cause",),
        "attempt": ("number", "action"),
        "wait": ("until_s",),
        "abandon": (),
        "give_up": ("cause",),
    },
    "server": {
        "connection_opened": ("pc_id",),
        "connection_closed": ("pc_id", "reason"),
        "ice_state": ("state", "pc_id"),
        "connection_state": ("state", "pc_id"),
        "ice_restart": ("state", "pc_id"),  # begun | connected
        "event": ("name", "pc_id"),
        "bot_started": ("pc_id",),
        "bot_ended": ("pc_id",),
        "bot_greeted": ("pc_id",),
        "bot_prompted": ("pc_id",),
        "bot_muted": ("pc_id",),
        "http": ("method", "path", "status"),
    },
    "signalling": {"request": ("method", "path"), "response": ("status",), "faulted": ("how",)},
    # What STUN and TURN servers saw; `server` is "stun" or "turn". An allocation ends by one of the last
    # four, which say how many datagrams it has relayed, and how many not, for want of a permission.
    "ice-server": {
        "binding": ("server", "client"),
        "allocated": ("server", "client", "relayed", "lifetime_s"),
        "refreshed": ("server", "relayed", "lifetime_s"),
        "permitted": ("server", "relayed", "peer"),
        # Told when it is over: by a permission, or with the allocation.
        "denied": ("server", "relayed", "peer", "expired", "datagrams", "from_s", "until_s"),
        "refused": ("server", "client", "method", "code"),
        "released": ("server", "relayed"),
        "expired": ("server", "relayed"),
        "lost": ("server", "relayed"),  # with the server
        "open": ("server", "relayed"),  # at the end of the session
    },
    "probe": {
        "lost": ("direction", "what", "since_s"),
        "back": ("direction", "what", "gap_s"),
        "quiet": ("direction", "what", "since_s"),  # told when it is over
        "tally": ("direction", "what"),
    },
    "link.up": _LINK,
    "link.down": _LINK,
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Parameters
    ----------
    t_s
        Seconds since the session began, to the microsecond.
    source, kind
        As listed in ``KINDS``.
    data
        The event's own fields; values are what JSON can hold.
    """

    t_s: float
    source: str
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        missing = [name for name in KINDS[self.source][self.kind] if name not in self.data]
        if missing:
            raise ValueError(f"{self.source} {self.kind} lacks {', '.join(missing)}")

    def __getitem__(self, name: str) -> Any:
        """Return one of the event's own fields."""
        return self.data[name]

    def is_a(self, source: str, kind: str) -> bool:
        """Tell whether the event is of that source and kind."""
        return self.kind == kind and self.source == source


@dataclass(frozen=True)
class Timeline:
    """A header and the events of one session, in time order.

    Events of the same microsecond stay in the order in which they were recorded.
    """

    header: Mapping[str, Any]
    events: tuple[Event, ...]

    @staticmethod
    def of(header: Mapping[str, Any], events: Iterable[Event]) -> "Timeline":
        """Make a timeline of events in any order."""
        return Timeline(dict(header), tuple(sorted(events, key=lambda event: event.t_s)))

    def select(self, source: str, *kinds: str) -> Iterator[Event]:
        """Yield the events of a source, of any of the kinds, or of every kind if none is named."""
        return (e for e in self.events if e.source == source and (not kinds or e.kind in kinds))

    @property
    def duration_s(self) -> float:
        """How long the session lasted: the time of its last event."""
        return self.events[-1].t_s if self.events else 0.0

    def to_text(self) -> str:
        """Return the timeline as JSON lines: the header, then one event a line."""
        text = _to_json(self.header) + "\n"
        for start in range(0, len(self.events), _EVENTS_AT_ONCE):
            # It grows in place, as nobody else holds it: all lines beside it would take twice as much.
            text += "".join([_line(event) for event in self.events[start : start + _EVENTS_AT_ONCE]])
        return text

    @staticmethod
    def from_text(text: str) -> "Timeline":
        """Read back what ``to_text`` wrote.

        Raises
        ------
        ValueError
            That names the line, if it is not JSON, or is not an event that a timeline can hold.
        """
        # Not splitlines, which splits at what JSON leaves as it is in a text, too, such as U+2028.
        head, *lines = text.removesuffix("\n").split("\n")
        header = _on_line(1, json_of, head)
        return Timeline(header, tuple(_on_line(n, _event_of, line) for n, line in enumerate(lines, 2)))


_to_json = json_writer(json.JSONEncoder(separators=(",", ":"), ensure_ascii=False))


def _line(event: Event) -> str:
    fields = {"t_s": event.t_s, "source": event.source, "kind": event.kind, **event.data}
    return f"{_to_json(fields)}\n"


def _on_line(number: int, read: Callable[[str], _T], text: str) -> _T:
    try:
        return read(text)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from None


def _event_of(line: str) -> Event:
    record = json_of(line)
    if not isinstance(record, dict):
        raise ValueError("want an object")  # noqa: TRY004 - it is the text that is wrong
    try:
        t_s, source, kind = record.pop("t_s"), record.pop("source"), record.pop("kind")
        check_fields(t_s, source, kind, record)
        return Event(t_s, source, kind, record)
    except KeyError as missing:
        raise ValueError(f"not an event of a timeline: {missing} is missing or unknown") from None


class Recorder:
    """Collect the events of a session as they happen.

    Parameters
    ----------
    now_s
        Returns the seconds since the session began.
    sink
        Called with each event, at once; by default they are kept in ``events``.
    """

    def __init__(self, now_s: Callable[[], float], sink: Callable[[Event], None] | None = None) -> None:
        self.now_s = now_s
        self.events: list[Event] = []
        self._sink = sink or self.events.append
        self._tallies: dict[Any, Mapping[str, Any]] = {}

    def close(self) -> None:
        """Record nothing any more: what follows is clearing up."""
        self._sink = lambda _: None

    def __call__(self, source: str, kind: str, *, at_s: float | None = None, **data: Any) -> None:
        """Record an event, now or at ``at_s``."""
        t_s = self.now_s() if at_s is None else at_s
        self._sink(Event(round(t_s, 6), source, kind, self._shared(data) if kind == "tally" else data))

    def _shared(self, counts: dict[str, Any]) -> Mapping[str, Any]:
        """Return the fields of the first tally that said the same; most do, and an hour has 29,000."""
        return self._tallies.setdefault(tuple(counts.items()), counts)
