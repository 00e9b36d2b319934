"""Take in received pictures undecoded: their arrival is what is measured, and decoding costs."""

import queue
from dataclasses import dataclass
from typing import Any

from aiortc import RTCRtpReceiver


@dataclass(frozen=True)
class EncodedFrame:
    """A whole encoded frame that has arrived.

    Parameters
    ----------
    codec
        Its name in SDP.
    timestamp
        In ticks of the codec's clock, from the first one on.
    """

    codec: str
    data: bytes
    timestamp: int


class _Undecoded:
    """Stand in for the queue to a receiver's decoder thread."""

    def __init__(self, receiver: RTCRtpReceiver) -> None:
        self._receiver = receiver
        self._to_thread: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._without_thread = False

    def attach(self, *_: Any) -> None:
        """Take in that there is no thread, as in the virtual world, to pass the end on."""
        self._without_thread = True

    def put(self, task: Any) -> None:
        frames = self._receiver._track._queue  # type: ignore[union-attr]
        if task is not None:
            codec, encoded = task
            frames.put_nowait(EncodedFrame(codec.name, encoded.data, encoded.timestamp))
        elif self._without_thread:
            frames.put_nowait(None)
        else:
            self._to_thread.put(None)

    def get(self) -> None:
        """Wait, in the thread, for the end."""
        return self._to_thread.get()


def leave_undecoded(receiver: RTCRtpReceiver) -> None:
    """Let a receiver's track give ``EncodedFrame`` objects; to be called before anything comes."""
    # Its thread waits at the first one, and would never hear of the end from another.
    if not isinstance(receiver._RTCRtpReceiver__decoder_queue, _Undecoded):  # type: ignore[attr-defined]
        receiver._RTCRtpReceiver__decoder_queue = _Undecoded(receiver)  # type: ignore[attr-defined]
