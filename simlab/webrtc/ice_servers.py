"""What a browser refuses of a list of ICE servers."""

from collections.abc import Sequence

from aiortc import RTCIceServer
from aiortc.rtcicetransport import parse_stun_turn_uri


def check_ice_servers(servers: Sequence[RTCIceServer]) -> None:
    """Check the URLs of ICE servers as a browser does when a peer connection is made.

    Raises
    ------
    ValueError
        If one is malformed, or a TURN server's credentials are missing.
    """
    for server in servers:
        for url in [server.urls] if isinstance(server.urls, str) else server.urls:
            try:
                scheme = parse_stun_turn_uri(url)["scheme"]
            except ValueError as error:
                raise ValueError(f"ICE server {url!r}: {error}") from error
            if scheme.startswith("turn") and not (server.username and server.credential):
                raise ValueError(f"ICE server {url!r}: want a username and a credential")
