"""ICE candidates in SDP and in PATCH bodies."""

from collections.abc import Awaitable, Callable
from typing import Any

Address = tuple[str, int]
Rewrite = Callable[[Address], Awaitable[Address]]

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
    """Put another address into ``candidate:…``; None for one that cannot pass a UDP relay (TCP).

    Source of the layout: RFC 8839 section 5.1.
    """
    fields = candidate.split(" ")
    if len(fields) < 6 or fields[2].lower() != "udp":
        return None
    host, port = await rewrite((fields[4], int(fields[5])))
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
