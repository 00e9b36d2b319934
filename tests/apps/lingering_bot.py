"""Applications that do not go when they are told to."""

import asyncio
import os
import signal

from tests.apps import aiohttp_bot


async def wait_for_nothing(_):
    await asyncio.Event().wait()


async def _go_on():
    while True:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            continue


async def _begin(app):
    app["going"] = asyncio.ensure_future(_go_on())


async def _exit():
    await asyncio.sleep(2)
    raise SystemExit(0)


async def _begin_to_exit(app):
    app["going"] = asyncio.ensure_future(_exit())


def without_end():
    made = aiohttp_bot.app()
    made.on_shutdown.append(wait_for_nothing)
    return made


def stubborn():
    made = aiohttp_bot.app()
    made.on_startup.append(_begin)
    return made


def without_beginning():
    made = aiohttp_bot.app()
    made.on_startup.append(wait_for_nothing)
    return made


def exiting():
    made = aiohttp_bot.app()
    made.on_startup.append(_begin_to_exit)
    return made


async def _leave(*_):
    os._exit(7)


async def _leave_later():
    await asyncio.sleep(2)
    await _leave()


async def _begin_to_leave(app):
    app["going"] = asyncio.ensure_future(_leave_later())


def leaving():
    made = aiohttp_bot.app()
    made.on_startup.append(_begin_to_leave)
    return made


def leaving_at_the_end():
    made = aiohttp_bot.app()
    made.on_shutdown.append(_leave)
    return made


async def _kill(number):
    await asyncio.sleep(2)
    os.kill(os.getpid(), number)


async def _begin_to_kill(app):
    os.kill(os.getpid(), 0)  # it is there, and nothing happens
    app["going"] = asyncio.ensure_future(_kill(signal.SIGTERM))


def killing():
    made = aiohttp_bot.app()
    made.on_startup.append(_begin_to_kill)
    return made
