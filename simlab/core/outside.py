"""What a NAT beyond the links does not let in."""

from itertools import count
from typing import Any

from simlab.core.packet import classify
from simlab.core.timeline import Recorder


class LossesOutside:
    """Record packets that are lost before they come to any link.

    They are in no client's, and so they have numbers of their own.
    """

    def __init__(self, record: Recorder) -> None:
        self._record = record
        self._numbers = count()

    def __call__(self, payload: bytes) -> None:
        """Record a packet towards the clients that the NAT does not let in."""
        labels: dict[str, Any] = {
            "seq": next(self._numbers),
            "class": classify(payload),
            "size": len(payload),
            "cause": "nat",
        }
        self._record("link.down", "dropped", **labels)
