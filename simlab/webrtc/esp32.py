"""What Pipecat's runner takes out of an answer for clients on an ESP32."""

import re


def munged(sdp: str, host: str | None) -> str:
    """Return a description without what the ESP32's WebRTC cannot read.

    The fingerprints of SHA-384 and SHA-512 go, and, if a host is given, every candidate but those that have
    it (a regular expression, as in Pipecat) and no related address.

    Source: ``pipecat/runner/utils.py`` of pipecat-ai 1.14.0.
    """
    lines = [line for line in sdp.splitlines() if "sha-384" not in line and "sha-512" not in line]
    if host:
        lines = [line for line in lines if "a=candidate" not in line or _reaches(line, host)]
    return "\r\n".join(lines) + "\r\n"


def _reaches(line: str, host: str) -> bool:
    return re.search(host, line) is not None and "raddr" not in line
