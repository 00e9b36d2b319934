"""Know when a voice says nothing: what is not said is not missed."""

from simlab.core.packet import Direction
from simlab.core.timeline import Recorder

_SHORTEST_S = 0.3
_UNASKED_S = 0.5
"""A track that gives no frame for so long is not being sent, or stands still."""


class Quiet:
    """Record the stretches in which frames of silence are sent; the first begins with the session.

    Time without any frame is no such stretch: nobody knows what would have been said. Before the first frame
    there is no voice.

    Parameters
    ----------
    direction
        Of the voice.
    """

    def __init__(self, record: Recorder, direction: Direction) -> None:
        self._record = record
        self._labels = {"direction": direction.value, "what": "media"}
        self._since_s: float | None = 0.0
        self._last_s: float | None = None  # the last frame; None before the first

    @property
    def has_voice(self) -> bool:
        """Whether there was any frame."""
        return self._last_s is not None

    def resume(self, has_voice: bool) -> None:
        """Go on for another one, which had a voice, or none."""
        self._since_s, self._last_s = (None, self._record.now_s()) if has_voice else (0.0, None)

    def sent(self, audible: bool) -> None:
        """Take in a frame."""
        now_s = self._record.now_s()
        self._note_stop(now_s)
        if audible:
            self._end(now_s)
        elif self._since_s is None:
            self._since_s = now_s
        self._last_s = now_s

    def finish(self, end_s: float) -> None:
        """Record what is still open, until a time of the session at the latest."""
        now_s = min(self._record.now_s(), end_s)
        self._note_stop(now_s)
        self._end(now_s)

    def _note_stop(self, now_s: float) -> None:
        if self._last_s is not None and now_s - self._last_s > _UNASKED_S:
            self._end(self._last_s)

    def _end(self, at_s: float) -> None:
        since_s, self._since_s = self._since_s, None
        if since_s is not None and at_s - since_s >= _SHORTEST_S:
            self._record("probe", "quiet", at_s=at_s, **self._labels, since_s=round(since_s, 6))
