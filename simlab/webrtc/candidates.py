"""ICE candidates in SDP and in PATCH bodies."""

from collections.abc import Awaitable, Callable
from typing import Any

Address = tuple[str, int]
Rewrite = Callable[[Address], Awaitable[Address | None]]
"""Gives the address to put in the place of another, or None to leave the candidate out."""

_PREFIX = "a=candidate:"
_END = "a=end-of-candidates"


def split_off(sdp: str) -> tuple[str, list[dict[str, Any]]]:
    """Take the candidates out of a description, as a browser's offer has none when it is sent.

    Returns
    -------
    The description without them, and the candidates of its first media section, in the form that
    PATCH carries. All sections share one transport, so the others only repeat them.
    """
    kept: list[str] = []
    candidates: list[dict[str, Any]] = []
    section = -1
    mid = "0"
    for line in sdp.splitlines():
        if line.startswith("m="):
            section += 1
        if section == 0 and line.startswith("a=mid:"):
            mid = line.removeprefix("a=mid:")
        if line.startswith(_PREFIX):
            if section == 0:
                candidates.append({"candidate": line.removeprefix("a="), "sdp_mline_index": 0})
        elif line != _END:
            kept.append(line)
    return "\r\n".join(kept) + "\r\n", [{**c, "sdp_mid": mid} for c in candidates]


async def rewrite_line(candidate: str, rewrite: Rewrite) -> str | None:
    """Put another address into ``candidate:…``; None for one to leave out, as one that is no UDP always is.

    Source of the layout: RFC 8839 section 5.1.
    """
    fields = candidate.split(" ")
    if len(fields) < 6 or fields[2].lower() != "udp":
        return None
    address = await rewrite((fields[4], int(fields[5])))
    if address is None:
        return None
    host, port = address
    return " ".join([*fields[:4], host, str(port), *fields[6:]])


async def rewrite_sdp(sdp: str, rewrite: Rewrite) -> str:
    """Put other addresses into the candidates of a description; nothing else in it needs them."""
    lines: list[str] = []
    for line in sdp.splitlines():
        if line.startswith(_PREFIX):
            rewritten = await rewrite_line(line.removeprefix("a="), rewrite)
            lines += [f"a={rewritten}"] if rewritten is not None else []
        else:
            lines.append(line)
    return "\r\n".join(lines) + "\r\n"


def without_end(sdp: str) -> str:
    """Take the word out of a description that there are no more candidates."""
    return "\r\n".join(line for line in sdp.splitlines() if line != _END) + "\r\n"
