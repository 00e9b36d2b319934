"""A client that listens to a stream that has no end, and to a WebSocket, and fails with how they end."""

import aiohttp
from yarl import URL


async def stream(url):
    async with aiohttp.ClientSession() as http, http.get(URL(url).origin() / "ticks") as answer:
        async for _ in answer.content:
            pass


async def socket(url):
    async with aiohttp.ClientSession() as http, http.ws_connect(URL(url).origin() / "ws") as ours:
        message = await ours.receive()
        raise ConnectionError(f"{message.type.name} {message.data}")
