"""How the packets of the relay as a tool look in a capture."""

from simlab.capture.records import Ends
from simlab.core.packet import Direction
from simlab.live.capture import CaptureQueue, LinkCapture
from simlab.live.udp.flows import Flow, Paths


def captures_of_flows(queue: CaptureQueue) -> dict[Direction, LinkCapture]:
    """Return what shows the packets of each direction."""
    return {
        Direction.UP: LinkCapture(Direction.UP, queue, _near, _far),
        Direction.DOWN: LinkCapture(
            Direction.DOWN, queue, lambda tag: _far(tag)[::-1], lambda tag: _near(tag)[::-1]
        ),
    }


def _near(tag: Flow | Paths) -> Ends:
    return _paths(tag).near


def _far(tag: Flow | Paths) -> Ends:
    return _paths(tag).far


def _paths(tag: Flow | Paths) -> Paths:
    return tag if isinstance(tag, Paths) else tag.paths
