"""What all bots of a server have heard from each client, and what they have sent."""

from collections.abc import Callable
from typing import Any, TypedDict

from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.webrtc import probes
from simlab.webrtc.clients import client_id, working_for
from simlab.webrtc.quiet import Quiet


class EarsState(TypedDict):
    """What ears of another process need to go on for these."""

    message_last_s: float | None
    media_last_s: float | None
    video_last_s: float | None
    next_number: int
    has_voice: bool


class Ears:
    """What all bots of a server have heard and seen of the client, and what they have sent.

    Parameters
    ----------
    media, video
        Whether there is sound, and whether there are pictures.
    last_message_s
        When to stop sending messages, in seconds since the session began.
    may_be_quiet
        Whether the bots are somebody's own, who talk when they have something to say.
    """

    def __init__(
        self,
        record: Recorder,
        media: bool,
        last_message_s: float,
        video: bool = False,
        may_be_quiet: bool = False,
    ) -> None:
        self.messages = probes.Messages(record, Direction.UP)
        self.media = probes.Watch(record, Direction.UP, "media", probes.MEDIA_GAP_S)
        self.sent_messages = probes.Tally(record, Direction.DOWN, "message")
        self.sent_media = probes.Tally(record, Direction.DOWN, "media")
        self.quiet = Quiet(record, Direction.DOWN) if may_be_quiet else None
        self.video = probes.Watch(record, Direction.UP, "video", probes.VIDEO_GAP_S)
        self.sent_video = probes.Tally(record, Direction.DOWN, "video")
        self.has_media = media
        self.has_video = video
        self.next_number = 0
        self.last_message_s = last_message_s

    def begin(self) -> None:
        """Expect the client's messages and media from now on."""
        self.messages.watch.begin()
        if self.has_media:
            self.media.begin()
        if self.has_video:
            self.video.begin()

    def probe_arrived(self, data: Any) -> None:
        """Take in a numbered message of the client; anything else that has its name is none."""
        if isinstance(data, dict):
            self.messages.arrived(data.get("number"), data.get("sent_s"))

    def pause(self) -> EarsState:
        """Record what is counted, and return what others need to go on."""
        for tally in (self.messages.watch.tally, self.media.tally, self.sent_messages, self.sent_media):
            tally.flush()
        for tally in (self.video.tally, self.sent_video):
            tally.flush()
        if self.quiet is not None:
            self.quiet.finish(self._end_s)
        return {
            "message_last_s": self.messages.watch.last_s,
            "media_last_s": self.media.last_s,
            "video_last_s": self.video.last_s,
            "next_number": self.next_number,
            "has_voice": self.quiet is not None and self.quiet.has_voice,
        }

    def resume(self, state: EarsState) -> None:
        """Go on where others were."""
        self.messages.watch.resume(state["message_last_s"])
        self.media.resume(state["media_last_s"])
        self.video.resume(state["video_last_s"])
        self.next_number = state["next_number"]
        if self.quiet is not None:
            self.quiet.resume(state["has_voice"])

    @property
    def _end_s(self) -> float:
        return self.last_message_s + probes.QUIET_END_S

    def finish(self) -> None:
        """Record what is still open."""
        self.messages.watch.finish(self.last_message_s)
        self.media.finish(self._end_s)
        self.video.finish(self._end_s)
        if self.quiet is not None:
            self.quiet.finish(self._end_s)
        self.sent_messages.flush()
        self.sent_media.flush()
        self.sent_video.flush()


class EarsOfAll:
    """The ears of a server, for each of its clients.

    Parameters
    ----------
    make
        Makes those for a client that has none yet.
    """

    def __init__(self, make: Callable[[], Ears]) -> None:
        self._make = make
        self._made: dict[int | None, Ears] = {}

    @property
    def here(self) -> Ears:
        """Those for the client that the running code works for."""
        number = client_id.get()
        found = self._made.get(number)
        if found is None:
            found = self._made[number] = self._make()
        return found

    def finish(self) -> None:
        """Record what is still open."""
        for number, ears in self._made.items():
            with working_for(number):
                ears.finish()
