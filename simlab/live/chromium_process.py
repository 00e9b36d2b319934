"""The client process with a browser: ``python -m simlab.live.chromium_process``, started by a session."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from simlab.live import chromium_page, control
from simlab.live.chromium_browser import Browser
from simlab.live.chromium_reports import Reports
from simlab.live.ice import Places
from simlab.live.peer_process import PeerProcess, run_peer
from simlab.webrtc import probes
from simlab.webrtc.iceserver.servers import IceServer, IceSettings


class ChromiumProcess(PeerProcess):
    """A browser that connects when the session begins."""

    side = "client"

    def __init__(self, answers: asyncio.StreamWriter) -> None:
        super().__init__(answers)
        self._reports: Reports | None = None
        self._browser = Browser(self._take)
        self._settings: dict[str, Any] = {}
        self._begun = asyncio.Event()
        self.orders |= {"prepare": self._prepare, "hang_up": self._hang_up}

    def _take(self, reports: list[Any]) -> None:
        if self._reports is not None:
            self._reports.take(reports)

    async def _prepare(self, text: str, endpoint: str, ice: Places) -> dict[str, str]:
        profile = (scenario := control.scenario_of(text)).profile
        self._reports = Reports(scenario, self.record)
        self._settings = {
            "lastMessageS": profile.duration_s - probes.QUIET_END_S,
            "media": "audio" in profile.peers.media,
            "iceServers": [_told(each) for each in IceSettings.of(profile.ice, "client", ice).servers],
        }
        parts = urlsplit(endpoint)
        chromium = await self._browser.open(f"{parts.scheme}://{parts.netloc}")
        return {"chromium": chromium} | chromium_page.versions()

    async def start(self, zero_s: float) -> None:
        """Take over the time of the session, and begin with it."""
        await super().start(zero_s)
        self._settings["zeroMs"] = await self._browser.zero_ms(zero_s)
        self._begun.set()

    async def work(self) -> None:
        """Let the page connect."""
        await self._begun.wait()
        await asyncio.sleep(-self.clock.now_s())
        await self._browser.call("connect", self._settings)
        await asyncio.Event().wait()

    async def _hang_up(self) -> None:
        await self._browser.call("hangUp")

    async def finish(self) -> None:
        """Record what is still open, and nothing any more."""
        self._take(await self._browser.call("flush"))
        if self._reports is not None:
            self._reports.finish(self.clock.now_s())
        await super().finish()

    async def close(self) -> None:
        """Free everything, without a word in the timeline."""
        await self._browser.close()
        await super().close()


def _told(server: IceServer) -> dict[str, str]:
    """Return a server as the browser takes it: RTCIceServer."""
    told = {"urls": server.url, "username": server.username, "credential": server.password}
    return {name: value for name, value in told.items() if value is not None}


def main() -> None:
    """Run the browser until stdin is closed."""
    run_peer(ChromiumProcess)


if __name__ == "__main__":
    main()
