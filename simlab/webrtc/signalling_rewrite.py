"""Change the addresses and credentials in what client and server say to each other over HTTP."""

import json
import re
import uuid
from typing import Any

from simlab.core.json_text import json_of
from simlab.core.packet import Direction
from simlab.webrtc.candidates import Address, Rewrite, rewrite_line, rewrite_sdp, split_off, without_end
from simlab.webrtc.signalling_path import Tampers

NOBODY = "192.0.2.1"
"""An address of TEST-NET-1, which nobody has (RFC 5737)."""

# What a description carries instead of its own where there was no earlier one; long enough for RFC 8839.
_STALE = ("stal", "staleStaleStaleStale00")
_UFRAG = re.compile(r"(?m)^a=ice-ufrag:([^\r\n]+)")
_PWD = re.compile(r"(?m)^a=ice-pwd:([^\r\n]+)")


async def _nowhere(_: Address) -> None:
    return None


async def _nobody(address: Address) -> Address:
    return NOBODY, address[1]


async def _unresolvable(address: Address) -> Address:
    return f"{uuid.uuid4()}.local", address[1]


_REWRITES: dict[str, Rewrite] = {
    "no-candidates": _nowhere,
    "wrong-candidates": _nobody,
    "mdns-unresolvable": _unresolvable,
}


class Rewriter:
    """Rewrite what goes in one direction.

    Parameters
    ----------
    rewrite
        Gives the address under which a candidate can be reached by the other side.
    """

    def __init__(self, direction: Direction, rewrite: Rewrite) -> None:
        self._direction = direction
        self._rewrite = rewrite
        self._credentials = [_STALE]  # of the last two generations

    async def rewritten(self, body: bytes, tampers: Tampers) -> tuple[bytes, list[str]]:
        """Return a body that says other addresses, and the names of the failures that were put into it.

        What is neither a description nor a list of candidates is returned as it is.
        """
        message = parsed(body)
        if message is None:
            return body, []
        done: list[str] = []
        rewrite = self._choose(tampers, message, done)
        if isinstance(message.get("sdp"), str):
            message["sdp"] = self._tampered(await rewrite_sdp(message["sdp"], rewrite), tampers, done)
        if isinstance(message.get("candidates"), list):
            listed = await _rewritten_list(message["candidates"], rewrite)
            # The empty one says that there are no more: see below.
            message["candidates"] = [c for c in listed if c["candidate"]] if done else listed
        return json.dumps(message).encode(), done

    def _choose(self, tampers: Tampers, message: dict[str, Any], done: list[str]) -> Rewrite:
        if not message.keys() & {"sdp", "candidates"}:
            return self._rewrite
        for kind, rewrite in _REWRITES.items():
            if tampers.has(kind, self._direction):
                done.append(kind)
                return rewrite
        return self._rewrite

    def _tampered(self, sdp: str, tampers: Tampers, done: list[str]) -> str:
        if done:
            # aioice fails at once without any candidate when it knows that none will follow; a browser
            # goes on waiting for the other side's checks. Without the word, both do.
            sdp = without_end(sdp)
        stale = self._earlier(sdp)
        if stale is not None and tampers.has("ufrag-stale", self._direction):
            done.append("ufrag-stale")
            sdp = _PWD.sub(f"a=ice-pwd:{stale[1]}", _UFRAG.sub(f"a=ice-ufrag:{stale[0]}", sdp))
        if self._direction is Direction.UP and tampers.has("role-conflict"):
            done.append("role-conflict")
            sdp = sdp.replace("\r\nm=", "\r\na=ice-lite\r\nm=", 1)
        return sdp

    def _earlier(self, sdp: str) -> tuple[str, str] | None:
        """Return the credentials of the generation before that of a description, which is remembered."""
        ufrag, pwd = _UFRAG.search(sdp), _PWD.search(sdp)
        if ufrag is None or pwd is None:
            return None
        present = (ufrag[1], pwd[1])
        if self._credentials[-1] != present:
            self._credentials = [self._credentials[-1], present]
        return self._credentials[0]


def parsed(body: bytes) -> dict[str, Any] | None:
    """Return a body that is a JSON object, or None."""
    try:
        message = json_of(body)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


async def _rewritten_list(candidates: list[dict[str, Any]], rewrite: Rewrite) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for candidate in candidates:
        line = str(candidate.get("candidate") or "")
        # An empty one is the end of candidates, and has no address.
        rewritten = await rewrite_line(line, rewrite) if line else line
        if rewritten is not None:
            out.append({**candidate, "candidate": rewritten})
    return out


def split_offer(body: bytes) -> tuple[bytes, list[dict[str, Any]]]:
    """Return an offer without its candidates, and these; any other body as it is."""
    message = parsed(body)
    if message is None or message.get("type") != "offer" or not isinstance(message.get("sdp"), str):
        return body, []
    message["sdp"], candidates = split_off(message["sdp"])
    return json.dumps(message).encode(), candidates
