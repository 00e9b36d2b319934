"""Debian's Chromium without a screen, with a tone for a microphone, and one page open."""

import time
import wave
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import numpy as np
from playwright.async_api import Error, Page, Route, async_playwright

from simlab.live import chromium_page
from simlab.webrtc.clips import AMPLITUDE, TONE_HZ
from simlab.webrtc.encoders import SAMPLE_RATE_HZ

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-component-update",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    # Everybody is on loopback, where a browser gathers no candidate by itself.
    "--allow-loopback-in-peer-connection",
)
_CALIBRATIONS = 20


class BrowserError(OSError):
    """The browser does not do what it should."""


def write_tone(path: Path) -> None:
    """Write a second of a tone as a WAV file, which the browser plays in a loop."""
    at = np.arange(SAMPLE_RATE_HZ)
    samples = np.rint(AMPLITUDE * np.sin(2 * np.pi * TONE_HZ * at / SAMPLE_RATE_HZ)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(samples.tobytes())


class Browser:
    """A browser with simlab's page in it.

    Parameters
    ----------
    reported
        Called with what the page reports, in order.
    """

    def __init__(self, reported: Callable[[list[Any]], None]) -> None:
        self._reported = reported
        self._playwright: Any = None
        self._browser: Any = None
        self._page: Page = None

    async def open(self, origin: str) -> str:
        """Open the page as if the server had it, and return the browser's version.

        Parameters
        ----------
        origin
            ``http://HOST:PORT``, where the page's offers go. The page itself is not asked for there.

        Raises
        ------
        BrowserError
            If the browser does not start, or the page does not load.
        """
        # The parent gives this process a folder of its own, and removes it.
        tone = Path(gettempdir()) / "tone.wav"
        write_tone(tone)
        try:
            self._playwright = await async_playwright().start()
            self._browser = await self._playwright.chromium.launch(
                executable_path=chromium_page.executable(),
                args=[*_ARGUMENTS, f"--use-file-for-fake-audio-capture={tone}"],
                handle_sigint=False,
            )
            await self._load(origin)
        except Exception as error:  # a plain one, where Playwright's own driver does not start
            raise BrowserError(f"Chromium cannot be opened: {str(error).splitlines()[0]}") from error
        return str(self._browser.version)

    async def _load(self, origin: str) -> None:
        context = await self._browser.new_context(permissions=["microphone"])
        self._page = await context.new_page()
        await self._page.expose_function("simlabReports", self._reported)
        await self._page.route(f"{origin}/*", _serve)
        await self._page.goto(f"{origin}/index.html")
        # Playwright looks at every request while there is a route.
        await self._page.unroute_all()

    async def zero_ms(self, zero_s: float) -> float:
        """Return a time of ``time.monotonic()`` as the page's own clock has it.

        Both count the kernel's monotonic time, from different moments. The error is half of the quickest of
        several exchanges at most.
        """
        best = (float("inf"), 0.0)
        for _ in range(_CALIBRATIONS):
            before_s = time.monotonic()
            page_ms = await self._page.evaluate("performance.now()")
            after_s = time.monotonic()
            best = min(best, (after_s - before_s, page_ms - (before_s + after_s) / 2 * 1000))
        return best[1] + zero_s * 1000

    async def call(self, function: str, argument: Any = None) -> Any:
        """Call a function of the page's ``simlab`` object.

        Raises
        ------
        BrowserError
            If the page is gone, or the function throws.
        """
        try:
            return await self._page.evaluate(f"argument => simlab.{function}(argument)", argument)
        except Error as error:
            raise BrowserError(error.message.splitlines()[0]) from error

    async def close(self) -> None:
        """End the browser."""
        with suppress(Error):
            if self._browser is not None:
                await self._browser.close()
            if self._playwright is not None:
                await self._playwright.stop()


async def _serve(route: Route) -> None:
    name = route.request.url.rpartition("/")[2]
    path = chromium_page.folder() / name
    await (route.fulfill(path=path) if path.is_file() else route.fulfill(status=404))
