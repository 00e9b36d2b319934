"""An application that compresses its answers, for whoever can read them so."""

from tests.apps import aiohttp_bot


async def offer(request):
    answer = await aiohttp_bot.offer(request)
    answer.enable_compression()
    return answer


def app():
    return aiohttp_bot.app_with(offer)
