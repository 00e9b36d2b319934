"""An application whose answers depend on the order of a set of texts."""

from aiohttp import web

from tests.apps import aiohttp_bot


async def offer(request):
    answer = await aiohttp_bot.offer(request)
    words = {f"{number}" for number in range(20)}
    answer.text = answer.text.replace('"pc_id": "', f'"pc_id": "{"".join(words)}')
    return answer


def app() -> web.Application:
    made = web.Application()
    made["connections"] = {}
    made.router.add_post("/api/offer", offer)
    made.router.add_patch("/api/offer", aiohttp_bot.candidates)
    made.on_shutdown.append(aiohttp_bot.close)
    return made
