"""An application that waits for the signals that end a process, in every way that there is."""

import asyncio
import signal

from tests.apps import aiohttp_bot


def stop(*_):
    raise SystemExit


signal.signal(signal.SIGTERM, stop)


async def wait_for_signals(_):
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop)
    assert loop.remove_signal_handler(signal.SIGINT)
    assert not loop.remove_signal_handler(signal.SIGINT)
    before = signal.signal(signal.SIGINT, stop)
    assert signal.getsignal(signal.SIGINT) is stop
    assert signal.signal(signal.SIGINT, before) is stop
    signal.signal(signal.SIGINT, stop)


def app():
    made = aiohttp_bot.app()
    made.on_startup.append(wait_for_signals)
    return made
