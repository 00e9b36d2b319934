"""HTTP for whoever answers it: an aiohttp application that listens."""

from logging import Logger

from aiohttp import web

from simlab.webrtc.http_log import HTTP_LOG


class HttpServer:
    """Serve an aiohttp application.

    Parameters
    ----------
    log
        Where what its handlers raise goes.
    """

    def __init__(self, application: web.Application, log: Logger = HTTP_LOG) -> None:
        self._runner = web.AppRunner(application, access_log=None, logger=log, shutdown_timeout=0.1)

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Raises
        ------
        OSError
            If the port is in use.
        """
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()

    @property
    def port(self) -> int:
        """Where it listens, on the real clock: there port 0 means any free one."""
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop."""
        await self._runner.cleanup()
