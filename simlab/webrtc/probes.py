"""Measure at the application what got through: numbered messages and audible audio, each way."""

import asyncio
from collections.abc import Callable
from math import floor
from typing import Any

from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.webrtc.seen import Seen

INTERVAL_S = 0.1
MESSAGE_GAP_S = 1.0
MEDIA_GAP_S = 0.5
VIDEO_GAP_S = 1.0  # a lost picture holds up those after it until it is sent again
LATE_S = 1.0
# Messages stop this long before the end, so that none is under way then and counts as lost.
QUIET_END_S = 0.9
_MOST = 2**53  # as far as JSON's numbers are exact
PROBE_NAME = "simlab-probe"


class Tally:
    """Count things, and record once a second how many there were.

    Parameters
    ----------
    what
        ``"message"``, ``"media"`` (sound) or ``"video"``.
    """

    def __init__(self, record: Recorder, direction: Direction, what: str) -> None:
        self._record = record
        self._now_s = record.now_s
        self._labels: dict[str, Any] = {"direction": direction.value, "what": what}
        self._second_ends_s = 1.0
        self._counts: dict[str, int] = {}

    def add(self, name: str) -> None:
        """Count one."""
        now_s = self._now_s()
        if now_s >= self._second_ends_s:
            self.flush()
            self._second_ends_s = floor(now_s) + 1.0
        self._counts[name] = self._counts.get(name, 0) + 1

    def flush(self) -> None:
        """Record what was counted since the last time."""
        if self._counts:
            at_s = min(self._second_ends_s, self._record.now_s())
            self._record("probe", "tally", at_s=at_s, **self._labels, **self._counts)
            self._counts.clear()


class Watch:
    """Record the gaps in a row of arrivals.

    Parameters
    ----------
    gap_s
        From when on a silence counts as one.
    """

    def __init__(self, record: Recorder, direction: Direction, what: str, gap_s: float) -> None:
        self.tally = Tally(record, direction, what)
        self._record = record
        self._labels: dict[str, Any] = {"direction": direction.value, "what": what}
        self._gap_s = gap_s
        self._last_s: float | None = None

    @property
    def last_s(self) -> float | None:
        """The last arrival, or the beginning; None before that."""
        return self._last_s

    def resume(self, last_s: float | None) -> None:
        """Go on for another watch, whose last arrival that was."""
        self._last_s = last_s

    def begin(self) -> None:
        """Expect arrivals from now on."""
        if self._last_s is None:
            self._last_s = self._record.now_s()

    def sent_from(self, at_s: float) -> None:
        """Miss nothing before that: the sender had sent nothing yet."""
        if self._last_s is not None:
            self._last_s = max(self._last_s, min(at_s, self._record.now_s()))

    def arrived(self) -> None:
        """Take in an arrival."""
        now_s = self._record.now_s()
        if self._note_gap(now_s):
            gap_s = round(now_s - (self._last_s or 0.0), 6)
            self._record("probe", "back", **self._labels, gap_s=gap_s)
        if self._last_s is not None:
            self._last_s = now_s
        self.tally.add("received")

    def finish(self, end_s: float) -> None:
        """Record what is still open at the end of the session.

        Parameters
        ----------
        end_s
            Until when something was to be sent. Nothing is missed after that, however late it is by now.
        """
        self._note_gap(min(self._record.now_s(), end_s))
        self.tally.flush()

    def _note_gap(self, now_s: float) -> bool:
        if self._last_s is None or now_s - self._last_s <= self._gap_s:
            return False
        at_s = self._last_s + self._gap_s
        self._record("probe", "lost", at_s=at_s, **self._labels, since_s=round(self._last_s, 6))
        return True


class Metronome:
    """Call a function every 100 ms, on the running loop, until a time of the session.

    Parameters
    ----------
    now_s
        Returns the seconds since the session began.
    """

    def __init__(self, beat: Callable[[], None], now_s: Callable[[], float], until_s: float) -> None:
        self._beat = beat
        self._now_s = now_s
        self._until_s = until_s
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_soon(self._tick, self._loop.time())

    def stop(self) -> None:
        """Call it no more."""
        self._timer.cancel()

    def _tick(self, due_s: float) -> None:
        if self._now_s() < self._until_s:
            self._timer = self._loop.call_at(due_s + INTERVAL_S, self._tick, due_s + INTERVAL_S)
            self._beat()


def is_probe(number: Any, sent_s: Any) -> bool:
    """Tell whether these can be the number of a message and when it was sent, whoever sent them."""
    if type(number) is not int or type(sent_s) not in (int, float):
        return False
    return 0 <= number < _MOST and 0 <= sent_s < _MOST


class Messages:
    """The numbered messages of one direction, as their receiver sees them."""

    def __init__(self, record: Recorder, direction: Direction) -> None:
        self.watch = Watch(record, direction, "message", MESSAGE_GAP_S)
        self._record = record
        self._seen = Seen()

    def arrived(self, number: Any, sent_s: Any) -> None:
        """Take in a message; one with anything else in it is none.

        Parameters
        ----------
        number, sent_s
            As its sender wrote them into it.
        """
        if not is_probe(number, sent_s):
            return
        if not self._seen.add(number):
            self.watch.tally.add("duplicated")
            return
        if number == 0:
            # The server waits from client-ready on, the client sends from bot-ready on: a round trip later.
            self.watch.sent_from(sent_s)
        if self._record.now_s() - sent_s > LATE_S:
            self.watch.tally.add("late")
        self.watch.arrived()
