"""Where requests go: what a caller may give for it, and which of several wins.

Source: smallWebRTCTransport.ts of @pipecat-ai/small-webrtc-transport 1.10.8, ``_resolveRequestInfo`` to
``_validateConnectionParams``, and rest_helpers.ts of @pipecat-ai/client-js 1.13.1, ``isAPIRequest``.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiortc import RTCIceServer

from simlab.webrtc.errors import RTVIError

logger = logging.getLogger(__name__)

_KNOWN = ("webrtcUrl", "connectionUrl", "webrtcRequestParams", "iceConfig")


@dataclass(frozen=True)
class RequestParams:
    """Where a request goes, and what goes with it.

    Parameters
    ----------
    request_data
        What an offer carries as ``requestData``, or what the start endpoint is sent.
    timeout_s
        None waits for ever, as the published client does. It is for the POST alone.
    """

    endpoint: str
    headers: Mapping[str, str] = field(default_factory=dict)
    request_data: Any = None
    timeout_s: float | None = None


@dataclass(frozen=True)
class ConnectionParams:
    """What ``connect`` was given, sorted out; None where it says nothing.

    Parameters
    ----------
    request
        Where offers go.
    ice_servers
        What takes the place of the client's own.
    """

    request: RequestParams | None = None
    ice_servers: tuple[RTCIceServer, ...] | None = None


def as_request(value: Any) -> RequestParams | None:
    """Return a request of any form that is accepted: ours, or JSON's with ``timeout`` in milliseconds."""
    if isinstance(value, RequestParams):
        return value
    if not isinstance(value, Mapping) or not isinstance(value.get("endpoint"), str):
        return None
    given = {_camel(str(name)): item for name, item in value.items()}
    timeout_ms = given.get("timeout")
    return RequestParams(
        given["endpoint"],
        dict(given.get("headers") or {}),
        given.get("requestData"),
        timeout_ms / 1000 if timeout_ms else None,
    )


def resolve(
    request: Any, webrtc_url: Any, connection_url: Any, otherwise: RequestParams | None
) -> RequestParams | None:
    """Choose where offers go: the request wins over ``webrtc_url``, and that over ``connection_url``.

    What can't be used is logged and ignored.

    Parameters
    ----------
    otherwise
        What counts if nothing usable is given.
    """
    chosen: RequestParams | None = None
    url, key = (webrtc_url, "webrtc_url") if webrtc_url is not None else (connection_url, "connection_url")
    if url:
        logger.warning("%s is deprecated. Use webrtc_request_params instead.", key)
        if isinstance(url, str):
            chosen = RequestParams(url)
        else:
            logger.error("Invalid %s: %r. Ignored.", key, url)
    if request:
        if url:
            logger.warning("Both %s and webrtc_request_params are given. The latter count.", key)
        chosen = as_request(request)
        if chosen is None:
            logger.error("Invalid webrtc_request_params: %r. Ignored.", request)
    return chosen or otherwise


def connection_params(
    given: Any, own: RequestParams | None, start: RequestParams | None, template: str | None
) -> ConnectionParams:
    """Sort out what ``connect`` was given, in snake or camel case; it may be what a start endpoint answered.

    Parameters
    ----------
    own
        Where offers go as the client was made.
    start
        Where the bot was started, if it was: a ``session_id`` then says where offers go, unless an URL is
        given besides.
    template
        The URL of a session's offers, with ``:sessionId`` in it.

    Raises
    ------
    RTVIError
        If it is not a mapping.
    """
    if given is None:
        return ConnectionParams()
    if not isinstance(given, Mapping):
        raise RTVIError("Invalid connection params: want a mapping. Please check them and try again.")
    known = {}
    for name, value in given.items():
        if (key := _camel(str(name))) in _KNOWN or key == "sessionId":
            known[key] = value
        else:
            logger.warning("Unrecognized connection parameter: %s. Ignored.", name)
    request, session_id = known.get("webrtcRequestParams"), known.get("sessionId")
    url, older_url = known.get("webrtcUrl"), known.get("connectionUrl")
    if session_id and start is not None and not (request or url or older_url):
        request = RequestParams(_offer_url(start.endpoint, str(session_id), template), start.headers)
    return ConnectionParams(resolve(request, url, older_url, own), _ice_servers(known.get("iceConfig")))


def _offer_url(start_url: str, session_id: str, template: str | None) -> str:
    """Return where a session's offers go. As published, it is the first ``/start`` that is replaced."""
    if template:
        return template.replace(":sessionId", session_id, 1)
    return start_url.replace("/start", f"/sessions/{session_id}/api/offer", 1)


def _ice_servers(config: Any) -> tuple[RTCIceServer, ...] | None:
    servers = config.get("iceServers") if isinstance(config, Mapping) else None
    if not isinstance(servers, list):
        return None
    return tuple(
        RTCIceServer(server["urls"], server.get("username"), server.get("credential")) for server in servers
    )


def _camel(name: str) -> str:
    return re.sub("_([a-zA-Z,])", lambda match: match.group(1).upper(), name)
