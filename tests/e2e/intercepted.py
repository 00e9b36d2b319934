"""Calls of the published client through ``simlab intercept``, with blackouts pressed on the live page."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import simlab
from simlab.live import chromium_page
from tests.ports import free_port

SHORT_S, LONG_S = 6, 16
SERVERS = ("builtin", "pipecat")
_ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--allow-loopback-in-peer-connection"]
_ROOT = Path(__file__).parents[2]


# A page that has not asked for the microphone is told no addresses: its candidates are names (mDNS).
HIDDEN = """async () => {
  const pc = new RTCPeerConnection();
  const channel = pc.createDataChannel("chat");
  const opened = new Promise((done) => {
    channel.onopen = () => done(true);
    setTimeout(() => done(false), 15000);
  });
  await pc.setLocalDescription(await pc.createOffer());
  await new Promise((done) => {
    pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done();
  });
  const { sdp } = pc.localDescription;
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ sdp, type: "offer" });
  const answer = await (await fetch("/api/offer", { method: "POST", headers, body })).json();
  await pc.setRemoteDescription(answer);
  const found = { opened: await opened, offered: sdp.match(/a=candidate.*/g) };
  pc.close();
  return found;
}"""


UNNAMED = """() => [...document.querySelectorAll("input, select, button, a, [tabindex], canvas")]
  .filter((one) => !one.closest("[hidden]"))
  .filter((one) => !(one.labels?.length || one.ariaLabel || one.textContent.trim()))
  .map((one) => one.outerHTML)"""


def command_of(server, port, keys):
    if server == "builtin":
        options = ("--port", str(port), "--set", "bot.voice=echo", "--keys", str(keys), "--quiet")
        return ["-m", "simlab", "serve", *options]
    bot = ("-m", "tests.e2e.published_bot", "-t", "webrtc", "--host", "127.0.0.1", "--port", str(port))
    return ["-m", "simlab", "capture", "keys", str(keys), *bot]


@contextlib.contextmanager
def process(*command):
    """Run a Python command, and end it as Ctrl-C does."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    running = subprocess.Popen(
        [sys.executable, *command], cwd=_ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        yield running
    finally:
        running.send_signal(signal.SIGINT)
        try:
            running.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            running.kill()
            running.communicate()


def answers(url):
    """Wait until somebody answers, whatever that is."""
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"nobody answers at {url}")


def live_page(intercept):
    """Wait for the address of its live page."""
    lines = [intercept.stdout.readline() for _ in range(2)]
    found = re.search(rb"Live page: (\S+)", lines[1])
    assert found, f"{lines} {intercept.communicate(timeout=20)}"
    return found[1].decode()


@dataclass
class Call:
    """What became of a call.

    All times are the client's own; ``heard_s`` are those at which it heard something.
    """

    run: object = None
    hung_up: object = None
    again_s: float | None = None
    heard_s: list[float] = field(default_factory=list)
    events: list[dict] = field(default_factory=list)
    pressed_s: list[float] = field(default_factory=list)
    status: int | None = None
    hidden: dict | None = None
    unnamed: list | None = None
    widths: dict = field(default_factory=dict)

    def take(self, reports):
        for t_s, what, fields in reports:
            if what == "heard":
                self.heard_s.append(t_s)
            elif what == "event":
                self.events.append({"t_s": t_s, **fields})

    def has(self, kind, since_s=0.0, **labels):
        later = (e for e in self.events if e["t_s"] >= since_s)
        return any(e["kind"] == kind and labels.items() <= e.items() for e in later)


async def until(found, within_s, what):
    ends_s = time.monotonic() + within_s
    while not found():
        assert time.monotonic() < ends_s, f"it did not come: {what}"
        await asyncio.sleep(0.05)


async def press(page, zero_s, call, seconds):
    await page.get_by_label("for seconds").fill(str(seconds))
    call.pressed_s.append(time.monotonic() - zero_s)
    await page.get_by_role("button", name="Blackout").click()
    await page.get_by_text(re.compile(rf"blackout begins for {seconds}s")).first.wait_for()


async def talk(browser, page, call):
    """Connect, and be cut off twice."""
    zero_s = time.monotonic()
    settings = {"zeroMs": await browser.zero_ms(zero_s), "lastMessageS": 1e6, "media": True, "iceServers": []}
    await page.get_by_role("button", name="Record").click()
    await page.get_by_role("button", name="Stop and save").wait_for()
    await browser.call("connect", settings)
    await until(lambda: call.has("bot_ready"), 20, "bot-ready")
    await until(lambda: len(call.heard_s) > 10, 10, "sound")
    await press(page, zero_s, call, SHORT_S)
    healed_s = time.monotonic() - zero_s + SHORT_S
    await until(lambda: call.heard_s[-1] > healed_s + 2, SHORT_S + 10, "sound after the short blackout")
    await asyncio.sleep(1.0)  # so that the ping that was lost is sent again
    await press(page, zero_s, call, LONG_S)
    await until(lambda: call.has("channel_open", connection=2), LONG_S + 20, "another connection")
    await asyncio.sleep(2.0)
    call.run = await saved_of(page, 1)
    await browser.call("hangUp")
    call.again_s = time.monotonic() - zero_s
    await call_again(browser, page, call, settings)


async def call_again(browser, page, call, settings):
    """Call as another client does, since its name is forgotten, and hang up while it is recorded."""
    await page.get_by_role("button", name="Record").click()
    await page.get_by_role("button", name="Stop and save").wait_for()
    await browser.call("connect", settings)
    await until(lambda: call.has("bot_ready", since_s=call.again_s), 20, "bot-ready again")
    await asyncio.sleep(4.0)
    await browser.call("hangUp")
    await asyncio.sleep(4.0)
    call.hung_up = await saved_of(page, 2)


async def saved_of(page, client):
    """Stop recording, and return what was saved of a client."""
    await page.get_by_role("button", name="Stop and save").click()
    saved = page.locator("#saved li").filter(has_text=f"client {client}:")
    await saved.wait_for(timeout=30_000)
    return simlab.open((await saved.inner_text()).partition(": ")[2])


async def look_at(page, call):
    """Note which controls of the live page have no name, and how wide it is where there is little room."""
    call.unnamed = await page.evaluate(UNNAMED)
    for width in (1280, 390):
        await page.set_viewport_size({"width": width, "height": 844})
        await asyncio.sleep(0.5)
        call.widths[width] = await page.evaluate("document.documentElement.scrollWidth")


async def call_through(server, out, opened):
    """Let the client call a server, and return what became of it."""
    from simlab.live.chromium_browser import Browser

    port, listen = free_port(), free_port()
    call = Call()
    upstream = f"http://127.0.0.1:{port}"
    keys = out.with_suffix(".keys")
    options = ("--listen", f"localhost:{listen}", "--control", "127.0.0.1:0", "--out", str(out))
    options += ("--capture", "--keys", str(keys))
    with (
        process(*command_of(server, port, keys)),
        process("-m", "simlab", "intercept", "--upstream", upstream, *options) as intercept,
    ):
        await asyncio.to_thread(answers, upstream)
        address = await asyncio.to_thread(live_page, intercept)
        browser = Browser(call.take)
        try:
            await browser.open(f"http://localhost:{listen}")
            page = await opened.new_page()
            await page.goto(address)
            await talk(browser, page, call)
            await look_at(page, call)
            await page.goto(f"http://localhost:{listen}/")
            call.hidden = await page.evaluate(HIDDEN)
        finally:
            await browser.close()
    call.status = intercept.returncode
    return call


async def call_all(out):
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        pages = await playwright.chromium.launch(executable_path=chromium_page.executable(), args=_ARGUMENTS)
        calls = await asyncio.gather(*(call_through(server, out / server, pages) for server in SERVERS))
        await pages.close()
    return dict(zip(SERVERS, calls, strict=True))
