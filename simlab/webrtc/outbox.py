"""What the server sends on the data channel: kept until it opens, dropped where it never does."""

import asyncio

from aiortc import RTCDataChannel


class Outbox:
    """Send texts on a channel that may not be open yet.

    Parameters
    ----------
    timeout_s
        When the channel is not open so long after the peer connection is connected, the texts that wait are
        dropped, and so are later ones.
    most
        How many wait for it; of more, the newest are dropped.
    """

    def __init__(self, timeout_s: float, most: int) -> None:
        self._timeout_s, self._most = timeout_s, most
        self._channel: RTCDataChannel | None = None
        self._waiting: list[str] = []
        self._keeps = True
        self._timeout: asyncio.TimerHandle | None = None

    def expect(self) -> None:
        """Begin to wait for the channel: the peer connection is connected."""
        if self._timeout is None:
            self._timeout = asyncio.get_running_loop().call_later(self._timeout_s, self._missed)

    def open(self, channel: RTCDataChannel) -> None:
        """Send what waits. The channel of the remote peer is open already when aiortc tells of it."""
        self._channel = channel
        self.stop_waiting()
        waiting, self._waiting = self._waiting, []
        for text in waiting:
            channel.send(text)

    def send(self, text: str) -> None:
        """Send a text, keep it, or drop it."""
        if self._is_open and self._channel is not None:
            self._channel.send(text)
        elif self._keeps and len(self._waiting) < self._most:
            self._waiting.append(text)

    def close(self) -> None:
        """Forget what waits."""
        self.stop_waiting()
        self._waiting, self._keeps = [], True

    def stop_waiting(self) -> None:
        """Expect the channel no more."""
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None

    @property
    def _is_open(self) -> bool:
        return self._channel is not None and self._channel.readyState == "open"

    def _missed(self) -> None:
        if not self._is_open:
            self._waiting, self._keeps = [], False
