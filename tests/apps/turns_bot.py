"""Bots that do not talk all the time: one talks in turns, one has no voice, one breaks off."""

import asyncio

from tests.apps import aiohttp_bot


class Turns(aiohttp_bot.Tone):
    """Two seconds of a tone, three of silence."""

    async def recv(self):
        frame = await super().recv()
        if frame.pts % (5 * frame.sample_rate) >= 2 * frame.sample_rate:
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
        return frame


class Mute(aiohttp_bot.Tone):
    """A tone that ends after 2 s, and with it all frames."""

    async def recv(self):
        frame = await super().recv()
        if frame.pts >= 2 * frame.sample_rate:
            await asyncio.Event().wait()
        return frame


def in_turns():
    return aiohttp_bot.app_with(lambda request: aiohttp_bot.offer(request, Turns))


def broken_off():
    return aiohttp_bot.app_with(lambda request: aiohttp_bot.offer(request, Mute))


def without_voice():
    return aiohttp_bot.app_with(lambda request: aiohttp_bot.offer(request, None))
