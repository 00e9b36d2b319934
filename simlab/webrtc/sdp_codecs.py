"""Leave one codec in an offer.

Source: smallWebRTCTransport.ts of @pipecat-ai/small-webrtc-transport 1.10.8, ``sdpFilterCodec``.
"""

import re
from collections.abc import Iterator, Mapping

_LINE_OF_A_CODEC = re.compile(r"a=(fmtp|rtcp-fb|rtpmap):([0-9]+)")


def only_codecs(sdp: str, codecs: Mapping[str, str | None]) -> str:
    """Leave those codecs in a description that are wanted, with what retransmits them.

    Parameters
    ----------
    codecs
        For ``audio`` and ``video``, the beginning of the codec's name as ``a=rtpmap`` has it, in its case;
        None or ``"default"`` leaves all. One that nobody knows leaves none, and the server refuses that.
    """
    for kind, codec in codecs.items():
        if codec not in (None, "default"):
            sdp = _only_codec(sdp, kind, str(codec))
    return sdp


def _only_codec(sdp: str, kind: str, codec: str) -> str:
    kept = list(_payload_types(sdp, kind, codec))
    return "".join(line + "\r\n" for line in _filtered(sdp, kind, kept))


def _sections(sdp: str, kind: str) -> Iterator[tuple[bool, str]]:
    """Yield each line, and whether it is in a section of that kind."""
    inside = False
    for line in sdp.splitlines():
        if line.startswith("m="):
            inside = line.startswith(f"m={kind} ")
        yield inside, line


def _payload_types(sdp: str, kind: str, codec: str) -> Iterator[str]:
    kept: set[str] = set()
    for inside, line in _sections(sdp, kind):
        named = re.match("a=rtpmap:([0-9]+) " + re.escape(codec), line) if inside else None
        again = re.fullmatch("a=fmtp:([0-9]+) apt=([0-9]+)", line) if inside else None
        if named is not None:
            kept.add(named.group(1))
            yield named.group(1)
        elif again is not None and again.group(2) in kept:
            yield again.group(1)


def _filtered(sdp: str, kind: str, kept: list[str]) -> Iterator[str]:
    for inside, line in _sections(sdp, kind):
        about = _LINE_OF_A_CODEC.match(line)
        if inside and line.startswith("m="):
            yield re.sub(r"( [0-9]+)*\s*$", " " + " ".join(kept), line, count=1)
        elif not inside or about is None or about.group(2) in kept:
            yield line
