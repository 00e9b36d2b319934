"""The packets of each client in a file of its own, for the time of a recording."""

from pathlib import Path

from simlab.capture import CAPTURE
from simlab.capture.records import Ends
from simlab.core.packet import Direction
from simlab.live.addresses import Address
from simlab.live.capture import CaptureQueue, LinkCapture
from simlab.live.intercept.ends import Route, is_name


class Captures:
    """Write captures, as long as a recording goes on.

    Parameters
    ----------
    folder
        Gets a folder for each client, by its number.
    zero_s
        When the time of the clients begins, as ``time.monotonic()`` gives it.
    """

    def __init__(self, folder: Path, zero_s: float) -> None:
        self._folder = folder
        self._zero_s = zero_s
        self._queues: dict[int, CaptureQueue] = {}
        self._past: list[CaptureQueue] = []

    def of_client(self, number: int) -> dict[Direction, LinkCapture]:
        """Begin the capture of a client; of one that was forgotten and comes again, anew.

        Raises
        ------
        OSError
            If the folder cannot be made, or no process can be had.
        """
        folder = self._folder / str(number)
        folder.mkdir(exist_ok=True)
        (folder / CAPTURE).unlink(missing_ok=True)
        # Its libraries take a second to read: the packets of others must not wait for that.
        queue = CaptureQueue(folder / CAPTURE, f"simlab intercept, client {number}", wait=False)
        queue.start(self._zero_s)
        if number in self._queues:
            self._past.append(self._queues[number])
        self._queues[number] = queue
        return {way: LinkCapture(way, queue, _before, _after) for way in Direction}

    def close(self) -> dict[str, int]:
        """Wait until all files are whole, and return how many packets each client's lacks."""
        for queue in (*self._past, *self._queues.values()):
            queue.close()
        return {str(number): queue.lost for number, queue in self._queues.items()}


def _before(route: Route) -> Ends:
    return route.came_from, route.came_to.address


def _after(route: Route) -> Ends:
    return route.through.address, route.to or _shown(route.came_to.endpoint)


def _shown(endpoint: Address) -> Address:
    """Return an endpoint whose address is known, or none in its place."""
    return ("0.0.0.0", endpoint[1]) if is_name(endpoint) else endpoint
