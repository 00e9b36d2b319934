"""What an application can be told by the client's transport.

The names are those of the JavaScript client in snake case: ``onTrackStarted`` is ``track_started``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiortc.mediastreams import MediaStreamTrack


def _ignore(*_: Any) -> None:
    return None


@dataclass
class Callbacks:
    """Functions that the transport calls; each may be left out."""

    transport_state_changed: Callable[[str], None] = _ignore
    connected: Callable[[], None] = _ignore
    disconnected: Callable[[], None] = _ignore
    bot_connected: Callable[[str | None], None] = _ignore
    bot_disconnected: Callable[[str | None], None] = _ignore
    bot_ready: Callable[[Any], None] = _ignore
    track_started: Callable[[MediaStreamTrack], None] = _ignore
    track_stopped: Callable[[MediaStreamTrack], None] = _ignore
    server_message: Callable[[Any], None] = _ignore
    error: Callable[[Any], None] = _ignore
    frame_received: Callable[[Any], None] = _ignore  # a decoded frame of a started track
