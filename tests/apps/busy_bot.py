"""Applications that wait for a clock without the event loop."""

import asyncio
import time
from datetime import datetime, timedelta

import anyio

from tests.apps import aiohttp_bot


def _monotonic():
    end = time.monotonic() + 5
    while time.monotonic() < end:
        pass


def _wall():
    began = time.time()
    while time.time() < began + 5:
        pass


def _date():
    end = datetime.now() + timedelta(seconds=5)
    while datetime.now() < end:
        pass


def _loop():
    end = asyncio.get_running_loop().time() + 5
    while asyncio.get_running_loop().time() < end:
        pass


def _sleep():
    done = []
    while not done:
        time.sleep(0.1)


def _caught():
    try:
        _monotonic()
    except BaseException:  # what the application means to do with all that goes wrong
        return


async def _in_a_group():
    async with anyio.create_task_group():
        _monotonic()


async def _later(wait):
    await asyncio.sleep(2)
    try:
        waited = wait()
        if waited is not None:
            await waited
    except Exception:  # as a server does that keeps on serving
        await asyncio.sleep(0)


def _made(wait):
    def app():
        async def begin(running):
            running["going"] = asyncio.ensure_future(_later(wait))

        made = aiohttp_bot.app()
        made.on_startup.append(begin)
        return made

    return app


def at_start():
    async def begin(_):
        _monotonic()

    made = aiohttp_bot.app()
    made.on_startup.append(begin)
    return made


monotonic, wall, date, loop, sleep, caught = map(_made, (_monotonic, _wall, _date, _loop, _sleep, _caught))
in_a_group = _made(_in_a_group)
