"""The client's side of the signalling: requests to the offer endpoint, and to the one that starts bots."""

import asyncio
import ssl
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

from simlab.webrtc.errors import StartBotError, TransportStartError
from simlab.webrtc.lean import httpx
from simlab.webrtc.request_params import RequestParams

T = TypeVar("T")

_MIN_STATUS, _MAX_STATUS = 200, 300  # what fetch calls `ok`


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


class OfferAbortedError(Exception):
    """The client was disconnected while an offer waited for its answer: nothing follows from it."""


@cache
def _ssl_context() -> ssl.SSLContext:
    """Return one context for all clients, which trusts nobody yet."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@cache
def _trust_authorities() -> None:
    _ssl_context().load_default_certs()


async def _before(request: httpx.Request) -> None:
    # Loading the authorities takes longer than a whole simulated call, which does without.
    if request.url.scheme == "https":
        _trust_authorities()


def http_client() -> httpx.AsyncClient:
    """Return a client that waits as long as it takes, and does not look at the environment."""
    hooks = {"request": [_before]}
    return httpx.AsyncClient(verify=_ssl_context(), timeout=None, trust_env=False, event_hooks=hooks)


class OfferEndpoint:
    """The offer endpoint of a server, over HTTP.

    Parameters
    ----------
    params
        Where it is; it may be set later, and again, and counts from the next request on.
    can_abort
        Whether ``abort`` gives up the offers that wait; the published client leaves them waiting (C3).
    """

    def __init__(self, params: RequestParams | None = None, can_abort: bool = False) -> None:
        self.params = params
        self._can_abort = can_abort
        self._client = http_client()
        self._pending: set[asyncio.Task[Any]] = set()

    @property
    def _to(self) -> RequestParams:
        if self.params is None:
            raise TransportStartError
        return self.params

    async def post_offer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send an offer, and return the status, and ``sdp``, ``type`` and ``pc_id`` as far as answered.

        Raises
        ------
        OfferRefusedError
            On a 4xx status.
        OfferFailedError
            On any other trouble.
        OfferAbortedError
            If ``abort`` was called meanwhile.
        """
        to = self._to
        if to.request_data:
            body = {**body, "requestData": to.request_data}
        timeout = httpx.Timeout(to.timeout_s)
        sending = _sent(self._client.post(to.endpoint, json=body, headers=dict(to.headers), timeout=timeout))
        response = await (self._abortable(sending) if self._can_abort else sending)
        if 400 <= response.status_code < 500:
            raise OfferRefusedError(response.status_code)
        if not _MIN_STATUS <= response.status_code < _MAX_STATUS:
            raise OfferFailedError(f"status {response.status_code}", response.status_code)
        try:
            answer = response.json()
            return response.status_code, {name: answer.get(name) for name in ("sdp", "type", "pc_id")}
        except (ValueError, AttributeError, RecursionError) as error:
            raise OfferFailedError("invalid answer", response.status_code) from error

    async def patch_candidates(self, body: dict[str, Any]) -> int:
        """Send candidates, and return the status.

        Raises
        ------
        OfferFailedError
            If there was no response.
        """
        to = self._to
        return (await _sent(self._client.patch(to.endpoint, json=body, headers=dict(to.headers)))).status_code

    async def start_bot(self, to: RequestParams) -> Any:
        """Ask the start endpoint for a bot, and return what it answers.

        Raises
        ------
        StartBotError
            With what the endpoint says of its refusal, or with the reason why there was no answer.
        ValueError
            If a refusal is not JSON: a fault of the published client, which then says nothing to anybody.
        """
        try:
            response = await _sent(
                self._client.post(
                    to.endpoint,
                    json=to.request_data,
                    headers=dict(to.headers),
                    timeout=httpx.Timeout(to.timeout_s),
                )
            )
        except OfferFailedError as error:
            raise StartBotError(str(error), 500) from error
        if not _MIN_STATUS <= response.status_code < _MAX_STATUS:
            refusal = response.json()
            said = refusal.get("info") or refusal.get("detail") if isinstance(refusal, dict) else None
            raise StartBotError(str(said or response.reason_phrase), response.status_code)
        try:
            return response.json()
        except (ValueError, RecursionError) as error:
            raise StartBotError(str(error), 500) from error

    def abort(self) -> None:
        """Give up the offers that wait for their answers, if it can."""
        for task in self._pending:
            task.cancel()

    async def _abortable(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.get_running_loop().create_task(work)
        self._pending.add(task)
        try:
            await asyncio.wait([task])
            if task.cancelled():
                raise OfferAbortedError
            return task.result()
        finally:
            task.cancel()
            self._pending.discard(task)

    async def close(self) -> None:
        """Drop the connections."""
        await self._client.aclose()


async def _sent(request: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
    try:
        return await request
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise OfferFailedError(type(error).__name__) from error
