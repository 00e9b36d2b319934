"""An application whose answers depend on the order of a set of texts."""

from tests.apps import aiohttp_bot


async def offer(request):
    answer = await aiohttp_bot.offer(request)
    words = {f"{number}" for number in range(20)}
    answer.text = answer.text.replace('"pc_id": "', f'"pc_id": "{"".join(words)}')
    return answer


def app():
    return aiohttp_bot.app_with(offer)
