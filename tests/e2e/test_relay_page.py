"""The live page of ``simlab relay``, in a browser: what is moved and pressed there happens to packets."""

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from tests.e2e.intercepted import UNNAMED
from tests.needs import needs_browser

needs_browser()

from playwright.sync_api import expect, sync_playwright  # noqa: E402

from simlab.live import chromium_page  # noqa: E402

_WITHIN_MS = 15_000
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

_COLOURS = """(() => {
    const canvas = document.querySelector("canvas"), seen = new Set();
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) seen.add(data.slice(i, i + 3).join());
    return [...seen];
})()"""


class Traffic:
    """A client that sends a packet every 10 ms to a relay, and a target that sends each back."""

    def __init__(self):
        self.target, self.client = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.target.bind(("127.0.0.1", 0))
        for end in (self.target, self.client):
            end.settimeout(0.2)
        self.returned = 0
        self._ended = threading.Event()
        self._threads = []

    def begin(self, relay):
        for work in (self._echo, self._hear, lambda: self._send(relay)):
            self._threads.append(threading.Thread(target=work))
            self._threads[-1].start()

    def _echo(self):
        while not self._ended.is_set():
            with suppress(TimeoutError):
                self.target.sendto(*self.target.recvfrom(2000))

    def _hear(self):
        while not self._ended.is_set():
            with suppress(TimeoutError):
                self.client.recv(2000)
                self.returned += 1

    def _send(self, relay):
        host, _, port = relay.rpartition(":")
        while not self._ended.wait(0.01):
            self.client.sendto(b"x" * 200, (host, int(port)))

    def end(self):
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self.target.close()
        self.client.close()


@pytest.fixture(scope="module")
def traffic():
    made = Traffic()
    yield made
    made.end()


@pytest.fixture(scope="module")
def relay(traffic, tmp_path_factory):
    folder = tmp_path_factory.mktemp("relay")
    to = f"127.0.0.1:{traffic.target.getsockname()[1]}"
    command = [sys.executable, "-m", "simlab", "relay", "--listen", "127.0.0.1:0", "--to", to]
    command += ["--quiet", "--control", "127.0.0.1:0", "--socket", str(folder / "control")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = [process.stdout.readline() for _ in range(4)]
            traffic.begin(re.search(r"Relaying (\S+) to", lines[0])[1])
            yield re.search(r"Live page: (\S+)", lines[3])[1]
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium_page.executable(), args=_ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def page(relay, browser):
    opened, errors, asked = browser.new_page(viewport={"width": 1280, "height": 900}), [], []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(relay)
    yield opened
    opened.close()
    assert errors == []
    assert {url.split("/")[2] for url in asked} == {relay.split("/")[2]}


def _row(page, direction):
    return page.locator("#counts tr").filter(has=page.get_by_role("rowheader", name=direction, exact=True))


def _move(page, name, value):
    number = page.locator(f"#{name}-number")
    number.fill(value)
    number.press("Tab")


def test_it_tells_who_is_there_and_what_passes(page, traffic):
    client = f"127.0.0.1:{traffic.client.getsockname()[1]}"
    expect(page.get_by_role("rowheader", name=client)).to_be_visible(timeout=_WITHIN_MS)
    expect(_row(page, "up").locator("td").first).to_have_text(re.compile("[1-9]"), timeout=_WITHIN_MS)


def test_what_is_moved_happens_to_packets(page, traffic):
    _move(page, "up-loss", "100")
    expect(_row(page, "up")).to_contain_text("loss", timeout=_WITHIN_MS)
    time.sleep(0.5)
    before = traffic.returned
    time.sleep(0.5)
    assert traffic.returned == before
    _move(page, "up-loss", "0")
    _move(page, "down-delay", "300")
    expect(_row(page, "down").locator("td").nth(2)).to_have_text(re.compile("30[0-9]"), timeout=_WITHIN_MS)
    assert traffic.returned > before
    _move(page, "down-delay", "0")


def test_a_blackout_is_pressed_and_ended(page):
    page.locator("#for-s").fill("60")
    page.get_by_role("button", name="Blackout").click()
    expect(page.locator("#active li")).to_have_text("blackout, for 60 s", timeout=_WITHIN_MS)
    expect(_row(page, "up")).to_contain_text("blackout", timeout=_WITHIN_MS)
    page.get_by_role("button", name="End all faults").click()
    expect(page.locator("#active li")).to_have_count(0, timeout=_WITHIN_MS)
    expect(page.locator("#log")).to_contain_text("blackout ends", timeout=_WITHIN_MS)


def test_a_profile_is_loaded_from_a_file_and_a_wrong_one_is_told(page, tmp_path):
    good, bad = tmp_path / "slow.toml", tmp_path / "bad.toml"
    good.write_text('[link]\ndelay = "70ms"\n')
    bad.write_text('[link]\ndelay = "70 parsecs"\n')
    page.locator("#file").set_input_files(good)
    expect(page.locator("#up-delay-number")).to_have_value("70", timeout=_WITHIN_MS)
    page.locator("#file").set_input_files(bad)
    expect(page.get_by_role("alert")).to_contain_text("bad.toml: link.delay", timeout=_WITHIN_MS)
    expect(page.locator("#up-delay-number")).to_have_value("70")


def test_the_picture_is_drawn(page):
    page.wait_for_timeout(2500)
    coloured = page.evaluate(_COLOURS)
    assert "47,127,209" in coloured  # --media: what arrived


def test_it_fits_a_phone_and_every_control_has_a_name(page):
    assert page.evaluate(UNNAMED) == []
    widths = {}
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(300)
        widths[width] = page.evaluate("document.documentElement.scrollWidth")
    assert widths == {1280: 1280, 390: 390}


def test_without_the_token_there_is_no_page(relay, browser):
    page = browser.new_page()
    assert page.goto(relay.partition("?")[0]).status == 401
    page.close()
