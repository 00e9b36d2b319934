"""The client's side of the signalling: requests to the offer endpoint."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx


class TransportStartError(Exception):
    """The transport could not be started, or was given up.

    Parameters
    ----------
    status
        The HTTP status that ended it, where one did.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class OfferRefusedError(Exception):
    """The offer was answered with a 4xx status, which the client takes for final."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class OfferFailedError(Exception):
    """The offer got no usable answer, and may be repeated.

    Parameters
    ----------
    status
        The HTTP status, if there was an answer at all.
    """

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class RequestParams:
    """Where offers go.

    Parameters
    ----------
    timeout_s
        None waits for ever, as the published client does.
    """

    endpoint: str
    headers: Mapping[str, str] = field(default_factory=dict)
    request_data: object | None = None
    timeout_s: float | None = None


@cache
def ssl_context() -> ssl.SSLContext:
    """Return one context for all clients, since making one takes longer than a whole simulated call."""
    return ssl.create_default_context()


class OfferEndpoint:
    """The offer endpoint of a server, over HTTP."""

    def __init__(self, params: RequestParams) -> None:
        self.params = params
        self._client = httpx.AsyncClient(
            verify=ssl_context(), timeout=params.timeout_s, headers=dict(params.headers), trust_env=False
        )

    async def post_offer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send an offer, and return the status and the answer.

        Raises
        ------
        OfferRefusedError
            On a 4xx status.
        OfferFailedError
            On any other trouble.
        """
        try:
            response = await self._client.post(self.params.endpoint, json=body)
        except (httpx.HTTPError, OSError) as error:
            raise OfferFailedError(type(error).__name__) from error
        if 400 <= response.status_code < 500:
            raise OfferRefusedError(response.status_code)
        if response.status_code != 200:
            raise OfferFailedError(f"status {response.status_code}", response.status_code)
        try:
            answer = response.json()
            return response.status_code, {name: str(answer[name]) for name in ("sdp", "type", "pc_id")}
        except (ValueError, KeyError, TypeError) as error:
            raise OfferFailedError("invalid answer", response.status_code) from error

    async def patch_candidates(self, body: dict[str, Any]) -> int:
        """Send candidates, and return the status.

        Raises
        ------
        OfferFailedError
            If there was no response.
        """
        try:
            return (await self._client.patch(self.params.endpoint, json=body)).status_code
        except (httpx.HTTPError, OSError) as error:
            raise OfferFailedError(type(error).__name__) from error

    async def close(self) -> None:
        """Drop the connections."""
        await self._client.aclose()
