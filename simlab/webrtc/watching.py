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
_GATHERED = ("gathering_state", "complete")
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
                state = getattr(pc, attribute)
                found: dict[str, Any] = {"candidates": _types(pc)} if (kind, state) == _GATHERED else {}
                record(source, kind, state=state, **labels, **found)
        return emit(event, *args, **kwargs)

    pc.emit = emit_and_record  # type: ignore[method-assign]


def _types(pc: RTCPeerConnection) -> list[str]:
    """Return the types of the candidates that were gathered, in order, of all transports that there are."""
    transports = (transceiver.receiver.transport.transport for transceiver in pc.getTransceivers())
    gatherers = dict.fromkeys(transport.iceGatherer for transport in transports)
    return [candidate.type for gatherer in gatherers for candidate in gatherer.getLocalCandidates()]
