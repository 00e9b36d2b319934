"""Make the pictures of the live pages: ``python -m tests.e2e.pictures relay|intercept FILE [WIDTH HEIGHT]``.

With a size it is the whole page, to look at; docs/relay.png and docs/intercept.png are made without one.
"""

import contextlib
import sys
import tempfile
from pathlib import Path

from tests.e2e.live_page import chromium, move, press
from tests.e2e.relayed import Traffic, relaying
from tests.e2e.talking import Call
from tests.live.test_intercept import Intercept

HEIGHTS = {"relay": 1090, "intercept": 900}


@contextlib.contextmanager
def relay(folder):
    """Three clients, and what is done to them."""
    traffic = Traffic(clients=3)
    with contextlib.ExitStack() as stack:
        stack.callback(traffic.end)
        address, listen = stack.enter_context(relaying(traffic, folder))
        yield address, lambda page: relay_play(page, traffic, listen)


def relay_play(page, traffic, listen):
    page.wait_for_timeout(4000)
    move(page, "up-delay", 20)
    page.wait_for_timeout(6000)
    move(page, "up-loss", 10)
    page.wait_for_timeout(6000)
    press(page, "Blackout", 5)
    page.wait_for_timeout(9000)
    press(page, "Rebind NAT")
    page.wait_for_timeout(6000)
    move(page, "down-delay", 200)
    move(page, "down-jitter", 50)
    page.wait_for_timeout(8000)
    press(page, "Hold", 3)
    page.wait_for_timeout(9000)
    traffic.burst(listen, 2500)
    page.wait_for_timeout(6000)
    press(page, "Block STUN", 5)
    page.wait_for_timeout(2500)


@contextlib.contextmanager
def intercept(folder):
    """Two clients that talk, and what is done to them."""
    with contextlib.ExitStack() as stack:
        it = stack.enter_context(contextlib.closing(Intercept("--out", str(folder))))
        call = Call(it.url, clients=2)
        call.start()
        stack.callback(call.end)
        call.began.wait(30)
        yield f"{it.control}/?token={it.token}", intercept_play


def intercept_play(page):
    press(page, "Record")
    page.wait_for_timeout(4000)
    move(page, "down-delay", 60)
    move(page, "down-jitter", 20)
    page.wait_for_timeout(6000)
    move(page, "up-loss", 4)
    page.wait_for_timeout(6000)
    press(page, "Blackout", 4)
    page.wait_for_timeout(10000)
    press(page, "Hold", 2)
    page.wait_for_timeout(10000)
    press(page, "Block ICE", 5)
    page.wait_for_timeout(2500)


def main():
    what, path, *size = sys.argv[1:]
    width, height = map(int, size) if size else (1280, HEIGHTS[what])
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        address, play = stack.enter_context({"relay": relay, "intercept": intercept}[what](folder))
        page = stack.enter_context(chromium()).new_page(viewport={"width": width, "height": height})
        page.goto(address)
        play(page)
        page.screenshot(path=path, full_page=bool(size))


if __name__ == "__main__":
    main()
