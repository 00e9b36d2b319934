"""The messages of the wire: offers, answers, candidates, and what the data channel carries.

Source: @pipecat-ai/small-webrtc-transport 1.10.8, @pipecat-ai/client-js 1.13.1, pipecat-ai 1.14.0.
"""

import json
import random
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel

from simlab.core.json_text import json_writer

RTVI_LABEL = "rtvi-ai"
RTVI_VERSION = "2.1.0"
SIGNALLING = "signalling"
PING = "ping"

AUDIO_INDEX = 0
VIDEO_INDEX = 1
SCREEN_INDEX = 2


def offer(sdp: str, pc_id: str | None, restart_pc: bool) -> dict[str, Any]:
    """Return the body of ``POST /api/offer``; the endpoint adds the request's own data, if there is any."""
    return {"sdp": sdp, "type": "offer", "pc_id": pc_id, "restart_pc": restart_pc}


def trickle(pc_id: str | None, candidates: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the body of ``PATCH /api/offer``."""
    return {"pc_id": pc_id, "candidates": candidates}


def new_id() -> str:
    """Return an identifier of eight characters for an RTVI message."""
    return f"{random.getrandbits(32):08x}"


def rtvi(kind: str, data: object, message_id: str | None = None) -> dict[str, Any]:
    """Return an RTVI message."""
    return {"id": message_id or new_id(), "label": RTVI_LABEL, "type": kind, "data": data}


def error(text: str, fatal: bool = False) -> dict[str, Any]:
    """Return the RTVI message that tells the application of an error of the client's own."""
    return rtvi("error", {"error": text, "message": text, "fatal": fatal})


text = json_writer(json.JSONEncoder())
"""Returns a message as it is sent: as ``json.dumps`` writes it."""

_compact = json_writer(json.JSONEncoder(ensure_ascii=False, separators=(",", ":")))


def compact(message: Mapping[str, Any]) -> bytes:
    """Return a message as JSON.stringify writes it, whose length is what the limit is about."""
    return _compact(message).encode()


def ping(wall_time_s: float) -> str:
    """Return the client's sign of life, which carries the wall time in milliseconds."""
    return f"{PING}: {int(wall_time_s * 1000)}"


def track_status(receiver_index: int, enabled: bool) -> dict[str, Any]:
    """Return the message that says whether the client sends on a transceiver."""
    message = {"type": "trackStatus", "receiver_index": receiver_index, "enabled": enabled}
    return {"type": SIGNALLING, "message": message}


class TrackStatus(BaseModel):
    """The same, as the server reads it: ``"1"`` is an index too, as in Pipecat."""

    type: Literal["trackStatus"]
    receiver_index: int
    enabled: bool


def peer_left() -> dict[str, Any]:
    """Return the server's farewell."""
    return {"type": SIGNALLING, "message": {"type": "peerLeft"}}


def renegotiate() -> dict[str, Any]:
    """Return the server's wish for a new offer."""
    return {"type": SIGNALLING, "message": {"type": "renegotiate"}}


_decoder = json.JSONDecoder()


def _loads(text: str | bytes) -> Any:
    """Do what ``json.loads`` does, in half the time for a text with nothing around the value."""
    if isinstance(text, str) and text.startswith("{") and text.endswith("}"):
        value, end = _decoder.raw_decode(text)
        if end == len(text):
            return value
    return json.loads(text)


def parse(text: str | bytes) -> Mapping[str, Any]:
    """Return a message of the data channel.

    Raises
    ------
    ValueError
        If it is not a JSON object.
    """
    try:
        message = _loads(text)
    except RecursionError:
        raise ValueError("lists or objects are nested too deep") from None
    if not isinstance(message, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - it is the text that is wrong
    return message


def parse_any(text: Any) -> Mapping[str, Any]:
    """Return a message of the data channel; an empty one where it is no JSON object."""
    try:
        return parse(text)
    except (TypeError, ValueError):
        return {}
