"""Let aiortc tell of what code does with it, whoever wrote that code, and whichever of it is watched."""

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any, Protocol

from aiortc import RTCPeerConnection, RTCRtpSender


class Watching(Protocol):
    """Who is told of what somebody's code does with aiortc."""

    def opened(self, pc: RTCPeerConnection) -> None:
        """Take in a new peer connection."""

    def speaks(self, track: Any) -> None:
        """Take in a track that is sent."""


# Who watches the code that runs; tasks and callbacks inherit it.
watcher: ContextVar[Watching | None] = ContextVar("watcher", default=None)


def install() -> None:
    """Let aiortc's classes tell the watcher of the running code, if it has one; once in a process."""
    if getattr(RTCPeerConnection, "_simlab_watched", False):
        return
    RTCPeerConnection._simlab_watched = True  # type: ignore[attr-defined]
    RTCPeerConnection.__init__ = _then(RTCPeerConnection.__init__, _made)  # type: ignore[method-assign]
    RTCRtpSender.__init__ = _then(RTCRtpSender.__init__, _sends)  # type: ignore[method-assign]
    RTCRtpSender.replaceTrack = _then(RTCRtpSender.replaceTrack, _sends)  # type: ignore[method-assign]


def _then(method: Callable[..., Any], tell: Callable[..., None]) -> Callable[..., Any]:
    @wraps(method)
    def told(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = watcher.get()
        if found is None:
            return method(self, *args, **kwargs)
        tell(found, self, before=True, args=args)
        result = method(self, *args, **kwargs)
        tell(found, self, before=False, args=args)
        return result

    return told


def _made(found: Watching, pc: RTCPeerConnection, *, before: bool, args: Any) -> None:
    if not before:
        found.opened(pc)


def _sends(found: Watching, sender: RTCRtpSender, *, before: bool, args: Any) -> None:
    if before and args and not isinstance(args[0], str):
        found.speaks(args[0])
