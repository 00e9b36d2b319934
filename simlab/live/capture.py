"""Hand what the relay sees to the process that writes the capture, without waiting for it."""

import marshal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from simlab.capture.records import Ends, Record, Seen, Tap
from simlab.core.link import Delivered, Dropped
from simlab.core.packet import Direction
from simlab.live.addresses import Address
from simlab.live.relay_ends import Route

_MODULE = "simlab.live.capture_process"
# How many records may wait for the writer: a second of 20,000 packets/s each way, at both ends.
_MOST_WAITING = 80_000
_BATCH = 512
_PAUSE_S = 0.02
_CLOSE_S = 10.0


class CaptureQueue:
    """Pass records on to a writer in a process of its own.

    Whoever puts one in appends it to a queue, and no more: a thread takes them out and writes them to the
    other process's stdin, nearly all of its time in system calls or in one call of C. When the queue is
    full, records are lost and counted.

    Parameters
    ----------
    path
        The file.
    comment
        What it says of itself.
    wait
        Whether to wait until the writer is ready. If not, what it cannot write shows in ``lost`` alone.

    Raises
    ------
    OSError
        If the file cannot be written, or no process can be had.
    """

    def __init__(self, path: Path, comment: str, *, wait: bool = True) -> None:
        self.lost = 0
        self._waiting: deque[Record] = deque()
        self._ended = False
        self._process = subprocess.Popen(
            (sys.executable, "-P", "-m", _MODULE, str(path), comment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._pipe: IO[bytes] = self._process.stdin
        # Reading its libraries takes the writer a second of a processor: not beside a session.
        said = self._process.stdout.readline().decode().strip() if wait else "ready"
        if said != "ready":
            raise OSError(said or "the process that writes the capture ended")
        self._thread = threading.Thread(target=self._pass_on, name="simlab-capture", daemon=True)

    def start(self, zero_s: float) -> None:
        """Begin.

        Parameters
        ----------
        zero_s
            When the session begins, as ``time.monotonic()`` gives it.
        """
        zero_ns = time.time_ns() - time.monotonic_ns() + round(zero_s * 1e9)
        self._pipe.write(marshal.dumps(zero_ns))
        self._thread.start()

    def put(self, record: Record) -> None:
        """Take in a record, or count it as lost."""
        if len(self._waiting) < _MOST_WAITING:
            self._waiting.append(record)
        else:
            self.lost += 1

    def close(self) -> None:
        """Write what is waiting, and wait for the file to be whole."""
        if self._ended:
            return
        self._ended = True
        if self._thread.ident is not None:
            self._thread.join(_CLOSE_S)
        with suppress(OSError):
            self._pipe.write(marshal.dumps(self.lost))
            self._pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_CLOSE_S)

    def _pass_on(self) -> None:
        try:
            while not self._ended or self._waiting:
                if not self._write_batch():
                    time.sleep(_PAUSE_S)
        except OSError:  # the writer is gone, and with it what would come
            waiting, self._waiting = self._waiting, _Nowhere(self)
            self.lost += len(waiting)

    def _write_batch(self) -> bool:
        """Write some records, and tell whether there may be more."""
        batch = [tuple(self._waiting.popleft()) for _ in range(min(len(self._waiting), _BATCH))]
        if batch:
            try:
                self._pipe.write(marshal.dumps(batch))
                self._pipe.flush()
            except OSError:
                self.lost += len(batch)
                raise
        return len(batch) == _BATCH


class _Nowhere(deque[Record]):
    """Stand where the queue was, and count what comes."""

    def __init__(self, queue: CaptureQueue) -> None:
        super().__init__()
        self._queue = queue

    def append(self, record: Record) -> None:
        self._queue.lost += 1


class LinkCapture:
    """Show a direction's packets as the sides of a relay see them.

    Parameters
    ----------
    before, after
        Return, of the tag of a packet, its source and destination: as who has sent it sees them, and as who
        gets it.
    begins_s
        When the time of the link begins, in that of the queue.
    """

    def __init__(
        self,
        direction: Direction,
        queue: CaptureQueue,
        before: Callable[[Any], Ends],
        after: Callable[[Any], Ends],
        begins_s: float = 0.0,
    ) -> None:
        self._tap = Tap(direction, queue.put)
        self._direction, self._queue = direction, queue
        self._before, self._after = before, after
        self._begins_s = begins_s

    def of_time(self, begins_s: float) -> "LinkCapture":
        """Return the same for a link whose time begins at ``begins_s``."""
        return LinkCapture(self._direction, self._queue, self._before, self._after, begins_s)

    def refused(self, at_s: float, payload: bytes, tag: object, cause: str) -> None:
        """Take in a packet that a side has sent, and that never came to the link."""
        self._tap.refused(at_s + self._begins_s, Seen(*self._before(tag), payload), cause)

    def entered(self, at_s: float, payload: bytes, tag: object, seq: int, drops: Iterable[Dropped]) -> None:
        """Take in a packet that a side has sent, and what was dropped of it or of earlier ones."""
        if self._begins_s:
            drops = [replace(drop, at_s=drop.at_s + self._begins_s) for drop in drops]
        self._tap.entered(at_s + self._begins_s, Seen(*self._before(tag), payload), seq, drops, self._seen)

    def left(self, at_s: float, packet: Delivered, to: Address | None = None) -> None:
        """Take in a packet that was sent to a side; ``to`` is where, if its tag does not say it."""
        source, destination = self._after(packet.tag)
        self._tap.left(at_s + self._begins_s, Seen(source, to or destination, packet.payload), packet)

    def lost(self, at_s: float, packet: Delivered, cause: str) -> None:
        """Take in a packet that came out of the link, and reaches nobody."""
        self._tap.lost(
            at_s + self._begins_s, Seen(*self._after(packet.tag), packet.payload), cause, packet.seq
        )

    def late(self, drops: Iterable[Dropped]) -> None:
        """Take in what was dropped of earlier packets."""
        for drop in drops:
            self._tap.lost(drop.at_s + self._begins_s, self._seen(drop), drop.cause, drop.seq)

    def _seen(self, drop: Dropped) -> Seen:
        assert drop.packet is not None
        return Seen(*self._after(drop.packet.tag), drop.packet.payload)


def captures_of_routes(queue: CaptureQueue) -> dict[Direction, LinkCapture]:
    """Return what shows the packets of a relay between two sides that know each other by aliases."""

    def before(route: Route) -> Ends:
        return route.came_from, route.came_to.address

    def after(route: Route) -> Ends:
        return route.through.address, route.to

    return {way: LinkCapture(way, queue, before, after) for way in Direction}
