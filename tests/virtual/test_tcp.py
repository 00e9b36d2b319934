import asyncio

import httpx
import pytest
from aiohttp import web

from simlab.virtual.network import VirtualNetworkLoop

SERVER = "10.0.2.2"


@pytest.fixture
def loop():
    loop = VirtualNetworkLoop()
    asyncio.set_event_loop(loop)
    yield loop
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    asyncio.set_event_loop(None)
    loop.close()


async def serve(handler):
    app = web.Application()
    app.router.add_post("/", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, SERVER, 80).start()
    return runner


def request(loop, handler):
    async def run():
        runner = await serve(handler)
        try:
            async with httpx.AsyncClient(timeout=None) as client:
                return await client.post(f"http://{SERVER}/", json={"a": 1})
        finally:
            await runner.cleanup()

    return loop.run_until_complete(run())


def test_unmodified_httpx_and_aiohttp_talk(loop):
    async def handler(incoming):
        await asyncio.sleep(3.0)
        return web.json_response({"got": await incoming.json()})

    assert request(loop, handler).json() == {"got": {"a": 1}}
    assert 3.0 < loop.time() < 3.01


def test_a_timeout_of_the_client_is_virtual_too(loop):
    async def handler(_):
        await asyncio.sleep(10.0)
        return web.Response()

    async def run():
        await serve(handler)
        async with httpx.AsyncClient(timeout=2.0) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.post(f"http://{SERVER}/")

    loop.run_until_complete(run())
    assert 2.0 < loop.time() < 2.1


def test_an_aborted_connection_is_an_error_at_the_client(loop):
    async def handler(incoming):
        incoming.transport.abort()
        return web.Response()

    with pytest.raises(httpx.TransportError):
        request(loop, handler)


def test_nobody_listening_is_a_refusal(loop):
    async def run():
        async with httpx.AsyncClient() as client:
            await client.get(f"http://{SERVER}:81/")

    with pytest.raises(httpx.ConnectError):
        loop.run_until_complete(run())


def test_bytes_keep_their_order(loop):
    got = bytearray()

    class Server(asyncio.Protocol):
        def data_received(self, data):
            got.extend(data)

    async def run():
        await loop.create_server(Server, SERVER, 7)
        transport, _ = await loop.create_connection(asyncio.Protocol, SERVER, 7)
        for n in range(200):
            transport.write(bytes([n]))
        transport.close()
        await asyncio.sleep(1)

    loop.run_until_complete(run())
    assert bytes(got) == bytes(range(200))
