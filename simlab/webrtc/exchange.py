"""What client and server say to each other, with other addresses in it and what ICE failures do to it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import web

from simlab.core.packet import Direction
from simlab.webrtc import messages
from simlab.webrtc.candidates import Rewrite
from simlab.webrtc.signalling_path import Tampers
from simlab.webrtc.signalling_rewrite import Rewriter, parsed, split_offer
from simlab.webrtc.upstream import Answer, ServerGoneError, Upstream
from simlab.webrtc.websockets import is_websocket

INJECTED = {"detail": "injected by simlab"}
"""The body of an answer that is none of the server's."""


class Exchange:
    """Carry requests to a server, and its answers back.

    Parameters
    ----------
    url
        The server's address, ``http://HOST:PORT``.
    to_server, to_client
        Give the address under which one side's candidate can be reached by the other.
    faulted
        Called with each failure that is put into something.
    spawn
        Runs what is to be done later.
    """

    def __init__(
        self,
        url: str,
        to_server: Rewrite,
        to_client: Rewrite,
        faulted: Callable[[str], None],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._upstream = Upstream(url)
        self._up = Rewriter(Direction.UP, to_server)
        self._down = Rewriter(Direction.DOWN, to_client)
        self._faulted = faulted
        self._spawn = spawn

    async def run(self, request: web.Request, tampers: Tampers) -> Answer:
        """Pass a request on, with what ICE failures do to its candidates, and return the answer.

        Raises
        ------
        ServerGoneError
            If there is none.
        """
        if is_websocket(request):
            return await self._upstream.open_websocket(request)
        up_s, down_s = tampers.late_by_s(Direction.UP), tampers.late_by_s(Direction.DOWN)
        is_patch = request.method == "PATCH"
        if is_patch and (status := tampers.lost_patch_status()) is not None:
            self._faulted("patch-lost")
            lost = {"status": "success"} if status < 400 else INJECTED
            return Answer(web.json_response(lost, status=status))
        body, done = await self._up.rewritten(await request.read(), tampers)
        held: list[dict[str, Any]] = []
        if up_s and not is_patch:
            body, held = split_offer(body)
        if held or (up_s and is_patch) or (down_s and not is_patch):
            done.append("candidates-late")
        for how in done:
            self._faulted(how)
        if is_patch:
            await asyncio.sleep(up_s)
        answer = await self._heard(await self._upstream.ask(request, body), tampers)
        if held:
            self._spawn(self._trickle(request, answer.head, held, up_s))
        if not is_patch:
            await asyncio.sleep(down_s)
        return answer

    async def _heard(self, answer: Answer, tampers: Tampers) -> Answer:
        if isinstance(answer.head.body, bytes) and answer.coming is None:
            answer.head.body, done = await self._down.rewritten(answer.head.body, tampers)
            for how in done:
                self._faulted(how)
        return answer

    async def _trickle(
        self, request: web.Request, response: web.Response, candidates: list[dict[str, Any]], late_s: float
    ) -> None:
        """Bring the candidates of an offer after it, under the name that its answer gave."""
        answer = parsed(response.body) if isinstance(response.body, bytes) else None
        if answer is None or "pc_id" not in answer:
            return
        await asyncio.sleep(late_s)
        try:
            await self._upstream.patch(request, messages.trickle(answer["pc_id"], candidates))
        except ServerGoneError:
            return  # nobody waits for it

    async def close(self) -> None:
        """Drop the connections to the server."""
        await self._upstream.close()
