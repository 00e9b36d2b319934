"""An application that compresses its answers, for whoever can read them so."""

from aiohttp import web

from tests.apps import aiohttp_bot


async def offer(request):
    answer = await aiohttp_bot.offer(request)
    answer.enable_compression()
    return answer


def app() -> web.Application:
    made = web.Application()
    made["connections"] = {}
    made.router.add_post("/api/offer", offer)
    made.router.add_patch("/api/offer", aiohttp_bot.candidates)
    made.on_shutdown.append(aiohttp_bot.close)
    return made
