"""The peers, compatible with Pipecat's SmallWebRTC transport, on asyncio and aiortc, under both clocks."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simlab.webrtc.callbacks import Callbacks
    from simlab.webrtc.media_manager import MediaManager
    from simlab.webrtc.request_params import RequestParams
    from simlab.webrtc.synthetic import FileMedia, NoMedia, SyntheticMedia
    from simlab.webrtc.transport import SmallWebRTCTransport

_WHERE = {
    "Callbacks": "callbacks",
    "FileMedia": "synthetic",
    "MediaManager": "media_manager",
    "NoMedia": "synthetic",
    "RequestParams": "request_params",
    "SmallWebRTCTransport": "transport",
    "SyntheticMedia": "synthetic",
}

__all__ = [
    "Callbacks",
    "FileMedia",
    "MediaManager",
    "NoMedia",
    "RequestParams",
    "SmallWebRTCTransport",
    "SyntheticMedia",
]


def __getattr__(name: str) -> Any:
    # They import aiortc, which takes a second.
    if name not in _WHERE:
        raise AttributeError(f"module 'simlab.webrtc' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"simlab.webrtc.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
