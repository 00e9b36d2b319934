"""A client that listens to streams and speaks over a WebSocket: it fails where one is not passed on."""

import aiohttp
from aiohttp import WSMsgType
from yarl import URL


async def events(url):
    here = URL(url).origin()
    async with aiohttp.ClientSession() as http:
        async with http.get(here / "events") as answer:
            for number in (1, 2, 3):
                # The server sends the next when it has been told that this one is here.
                assert await answer.content.readuntil(b"\n\n") == b"data: %d\n\n" % number
                async with http.post(here / "go-on"):
                    pass
            assert await answer.content.read() == b""
        async with http.get(here / "ticks") as answer:
            assert await answer.content.readuntil(b"\n\n") == b"data: tick\n\n"
        # It was closed before its end, and the server hears of it.
        async with http.get(here / "gone") as answer:
            assert await answer.text() == "gone"


async def socket(url):
    here = URL(url).origin()
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(here / "ws" % {"token": "1"}, protocols=["a", "b"]) as ours,
    ):
        assert ours.protocol == "b"
        await ours.send_str("hello")
        assert await ours.receive_str() == "token=1 hello"
        await ours.send_bytes(bytes(2**17))
        assert await ours.receive_bytes() == bytes(2**17)
        await ours.send_str("end")
        message = await ours.receive()
        assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, 4321, "enough")


async def call(url):
    await events(url)
    await socket(url)
