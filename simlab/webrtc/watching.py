"""Record the states of a peer connection, whoever owns it."""

from typing import Any

from aiortc import RTCPeerConnection

from simlab.core.timeline import Recorder

_STATES = {
    "iceconnectionstatechange": ("ice_state", "iceConnectionState"),
    "connectionstatechange": ("connection_state", "connectionState"),
    "signalingstatechange": ("signalling_state", "signalingState"),
    "icegatheringstatechange": ("gathering_state", "iceGatheringState"),
}
_SERVER_KINDS = {"ice_state", "connection_state"}


def record_states(pc: RTCPeerConnection, record: Recorder, source: str, **labels: Any) -> None:
    """Record every change of state of a peer connection until it is gone.

    The method that emits its events is wrapped, since listeners can be removed by its owner
    (Pipecat's server removes all of them before it restarts).
    """
    emit = pc.emit

    def emit_and_record(event: str, *args: Any, **kwargs: Any) -> bool:
        if event in _STATES:
            kind, attribute = _STATES[event]
            if source == "client" or kind in _SERVER_KINDS:
                record(source, kind, state=getattr(pc, attribute), **labels)
        return emit(event, *args, **kwargs)

    pc.emit = emit_and_record  # type: ignore[method-assign]
