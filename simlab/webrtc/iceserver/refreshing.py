"""When the client's channels at a TURN server are bound again."""

from aioice import Connection

CHANNEL_REFRESH_S = 240.0
"""As in libwebrtc: a minute before the permission expires that a channel has brought along (turn_port.cc)."""


def refresh_as_browsers_do(connection: Connection) -> None:
    """Let a connection that has gathered bind its channels again in time for their permissions.

    aioice does so after 500 s, when a permission of 300 s (RFC 8656 section 9) is long gone. A server on
    aioice does have that fault; a browser does not.
    """
    for protocol in connection._protocols:
        client = getattr(protocol.transport, "_TurnTransport__inner_protocol", None)
        if client is not None:
            client.channel_refresh_time = CHANNEL_REFRESH_S
