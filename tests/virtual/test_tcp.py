import asyncio
import contextvars

import httpx
import pytest
from aiohttp import web

from simlab.virtual.loop import Process, current_process

SERVER = "10.0.2.2"


@pytest.fixture
def loop(network_loop):
    return network_loop


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


def test_httpx_finds_nobody_outside(loop):
    async def ask():
        async with httpx.AsyncClient() as client:
            await client.get("https://api.example.org/")

    with pytest.raises(httpx.ConnectError, match="All connection attempts failed"):
        loop.run_until_complete(ask())


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


class Noting(asyncio.Protocol):
    """Keep what happens, and when."""

    def __init__(self, loop):
        self.loop = loop
        self.seen = []

    def _note(self, *what):
        self.seen.append((*what, round(self.loop.time(), 9)))

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self._note(data)

    def eof_received(self):
        self._note("eof")
        return True  # go on sending

    def connection_lost(self, error):
        self._note(type(error))


def conversation(loop, work):
    """Connect two ends, do something with the server's, say something 1 s later, and return what is heard."""
    servers = []

    async def run():
        def make():
            servers.append(Noting(loop))
            return servers[-1]

        process = Process("server")
        context = contextvars.copy_context()
        context.run(current_process.set, process)
        await loop.create_task(loop.create_server(make, SERVER, 7), context=context)
        _, client = await loop.create_connection(lambda: Noting(loop), SERVER, 7)
        work(servers[0].transport, process)
        await asyncio.sleep(1.0)
        client.transport.write(b"?")
        await asyncio.sleep(1.0)
        return client.seen

    return loop.run_until_complete(run())


BEGAN_S, HERE_S = 0.0004, 0.0002
ENDED_S = round(BEGAN_S + HERE_S, 9)
RESET_S = round(BEGAN_S + 1.0 + 2 * HERE_S, 9)


def test_data_for_an_end_that_is_closed_is_answered_by_a_reset(loop):
    assert conversation(loop, lambda transport, _: transport.close()) == [
        ("eof", ENDED_S),
        (ConnectionResetError, RESET_S),
    ]


def test_data_for_a_process_that_was_killed_is_answered_by_its_system(loop):
    assert conversation(loop, lambda _, process: loop.kill(process)) == [
        ("eof", ENDED_S),
        (ConnectionResetError, RESET_S),
    ]


def test_data_for_a_process_that_is_frozen_waits(loop):
    assert conversation(loop, lambda _, process: loop.halt(process)) == []


def test_httpx_uses_a_connection_again_where_it_may_and_until_the_server_ends_it(loop):
    ports = []

    async def handler(incoming):
        ports.append(incoming.transport.get_extra_info("peername")[1])
        response = web.Response()
        if len(ports) == 2:
            response.force_close()
        return response

    async def run():
        runner = await serve(handler)
        async with httpx.AsyncClient() as client:
            for _ in range(3):
                await client.post(f"http://{SERVER}/")
        await runner.cleanup()

    loop.reuses_connections = True
    loop.run_until_complete(run())
    assert ports[0] == ports[1] != ports[2]
    ports.clear()
    loop.reuses_connections = False
    loop.run_until_complete(run())
    assert len(set(ports)) == 3
