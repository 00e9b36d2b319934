"""Find the descriptions and candidates in what client and server say, and put other addresses into them."""

import json
import zlib
from collections.abc import Mapping
from typing import Any

from simlab.webrtc.candidates import Rewrite, rewrite_line, rewrite_sdp
from simlab.webrtc.signalling_rewrite import parsed

_CANDIDATE = "candidate:"
_DEEPEST = 8
_LARGEST_BYTES = 2**24  # a megabyte can be a gigabyte of zeros


def description(message: Any, kind: str, depth: int = 0) -> Mapping[str, Any] | None:
    """Return the table with an SDP description of that type (``"offer"``, ``"answer"``) in a message, if any.

    It is the message itself in Pipecat's own protocol; others wrap it.
    """
    if depth > _DEEPEST:
        return None
    if isinstance(message, dict):
        if message.get("type") == kind and isinstance(message.get("sdp"), str):
            return message
        values = list(message.values())
    else:
        values = message if isinstance(message, list) else []
    found = (description(value, kind, depth + 1) for value in values)
    return next((one for one in found if one is not None), None)


def candidates(message: Any, depth: int = 0) -> list[str]:
    """Return the candidates that a message carries outside of descriptions."""
    if isinstance(message, str):
        return [message] if message.startswith(_CANDIDATE) else []
    if depth > _DEEPEST:
        return []
    values = message.values() if isinstance(message, dict) else message if isinstance(message, list) else ()
    return [one for value in values for one in candidates(value, depth + 1)]


async def rewritten(value: Any, rewrite: Rewrite, depth: int = 0) -> Any:
    """Return a message with other addresses in it.

    Returns
    -------
    None for a candidate that is left out, as one that is no UDP always is, and for a table that carries it.
    """
    if depth > _DEEPEST:
        return value
    if isinstance(value, str):
        return await rewrite_line(value, rewrite) if value.startswith(_CANDIDATE) else value
    if isinstance(value, list):
        kept = [(one, await rewritten(one, rewrite, depth + 1)) for one in value]
        return [after for before, after in kept if after is not None or before is None]
    if not isinstance(value, dict):
        return value
    table: dict[str, Any] = {}
    for key, before in value.items():
        if key == "sdp" and isinstance(before, str) and not before.startswith(_CANDIDATE):
            after: Any = await rewrite_sdp(before, rewrite)
        else:
            after = await rewritten(before, rewrite, depth + 1)
        if after is None and before is not None:
            return None
        table[key] = after
    return table


def message_of(body: bytes, encoding: str) -> dict[str, Any] | None:
    """Return a body that is a JSON object, or None.

    Parameters
    ----------
    encoding
        Its ``Content-Encoding``: ``""``, ``"gzip"`` or ``"deflate"``; another is not read.
    """
    plain = plain_of(body, encoding)
    return None if plain is None else parsed(plain)


def plain_of(body: bytes, encoding: str) -> bytes | None:
    """Return a body without its compression; None if it is not to be had, or is too long for signalling."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "deflate"):
        return None
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        plain = reader.decompress(body, _LARGEST_BYTES)
    except zlib.error:
        return None
    return plain if reader.eof else None


def body_of(message: Mapping[str, Any]) -> bytes:
    """Return a message as a body."""
    return json.dumps(message, separators=(",", ":")).encode()
