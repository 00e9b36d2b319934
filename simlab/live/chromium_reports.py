"""From what the page reports to events of the timeline, by the same probes as the built-in client's."""

from collections.abc import Callable
from typing import Any

from simlab.core.packet import Direction
from simlab.core.timeline import Event, Recorder
from simlab.profile.scenario import Scenario
from simlab.webrtc import probes


class Reports:
    """Record what the page has seen, at the times at which the page saw it."""

    def __init__(self, scenario: Scenario, record: Recorder) -> None:
        profile = scenario.profile
        self._end_s = profile.duration_s
        self._media = "audio" in profile.peers.media
        self._now_s = 0.0
        self._is_over = False
        self._record = Recorder(lambda: self._now_s, lambda event: _pass_on(record, event))
        self._messages = probes.Messages(self._record, Direction.DOWN)
        self._heard = probes.Watch(self._record, Direction.DOWN, "media", probes.MEDIA_GAP_S)
        self._sent_messages = probes.Tally(self._record, Direction.UP, "message")
        self._sent_media = probes.Tally(self._record, Direction.UP, "media")
        self._handlers: dict[str, Callable[..., None]] = {
            "event": self._record,
            "begin": self._begin,
            "sent": lambda: self._sent_messages.add("sent"),
            "message": self._messages.arrived,
            "heard": self._heard_packets,
            "spoken": self._spoken_packets,
        }

    def take(self, reports: list[Any]) -> None:
        """Take in reports: the session's time in seconds, what it is, and its fields."""
        for t_s, what, fields in reports:
            if not self._is_over:
                self._now_s = max(self._now_s, t_s)
                self._handlers[what](**fields)

    def _begin(self) -> None:
        self._messages.watch.begin()
        if self._media:
            self._heard.begin()

    def _heard_packets(self, packets: int) -> None:
        # The page looks ten times a second, so several packets are found at a time.
        self._heard.arrived()
        for _ in range(packets - 1):
            self._heard.tally.add("received")

    def _spoken_packets(self, packets: int) -> None:
        for _ in range(packets):
            self._sent_media.add("sent")

    def finish(self, now_s: float) -> None:
        """Record what is still open."""
        self._now_s = max(self._now_s, now_s)
        self._messages.watch.finish(self._end_s - probes.QUIET_END_S)
        self._heard.finish(self._end_s)
        self._sent_messages.flush()
        self._sent_media.flush()
        self._is_over = True


def _pass_on(record: Recorder, event: Event) -> None:
    record(event.source, event.kind, at_s=event.t_s, **event.data)
