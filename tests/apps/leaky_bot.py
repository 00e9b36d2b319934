"""An application that reaches past the virtual clock in every way that is told."""

import random
import socket
import threading
import time

from aiohttp import web

from tests.apps import aiohttp_bot


def measure():
    return time.perf_counter()


def connect():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()


def work():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


def draw():
    return random.SystemRandom().random()


async def leak(_):
    for _ in range(2):  # each place is told once
        measure()
        connect()
        work()
        draw()


def app() -> web.Application:
    made = aiohttp_bot.app()
    made.on_startup.append(leak)
    return made
