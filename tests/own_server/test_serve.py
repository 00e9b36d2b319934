"""An application's own HTTP."""

import asyncio

import httpx
from aiohttp import web

from simlab.own_server.serve import serving


async def _refused(request):
    raise ConnectionRefusedError("no database")


async def _asked(application):
    server = serving(application)
    await server.start("127.0.0.1", 0)
    try:
        async with httpx.AsyncClient() as client:
            return await client.get(f"http://127.0.0.1:{server.port}/")
    finally:
        await server.close()


def test_what_a_handler_of_an_aiohttp_application_raises_is_told_whatever_it_is(caplog):
    application = web.Application()
    application.router.add_get("/", _refused)
    assert asyncio.run(_asked(application)).status_code == 500
    (record,) = caplog.records
    assert record.name == "aiohttp.server"
    assert record.exc_info[0] is ConnectionRefusedError
