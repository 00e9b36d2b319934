"""The relay process: ``python -m simlab.live.relay_process``, started by a session."""

import gc
import json
import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Protocol

import trio

from simlab.core.link import Link
from simlab.core.meter import LinkMeter
from simlab.core.outside import LossesOutside
from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.live import control
from simlab.live.capture import CaptureQueue, LinkCapture, captures_of_routes
from simlab.live.clock import SessionClock
from simlab.live.priority import Priority
from simlab.live.process import run_child
from simlab.live.relay import Relay
from simlab.live.shell import LinkShell
from simlab.live.timer import finest_timer
from simlab.measure import findings, judged, tapped_link
from simlab.profile.scenario import Scenario

_FLUSH_S = 0.5
_FREEZE_S = 1.0
# How many packets each way are compared with what was asked for; each takes up to 2 kB of memory.
_MOST_MEASURED = 50_000


class Output:
    """Send messages to the parent in the background, so that a parent who does not read delays nothing."""

    def __init__(self, stream: trio.abc.SendStream) -> None:
        self._stream = stream
        self._put, self._get = trio.open_memory_channel[control.Message](math.inf)

    def put(self, message: control.Message) -> None:
        """Send a message soon."""
        self._put.send_nowait(message)

    async def run(self) -> None:
        """Send until ``end``."""
        async for message in self._get:
            await self._stream.send_all(control.to_line(message))

    def end(self) -> None:
        """Send what is waiting, and then no more."""
        self._put.close()


class RelayProcess:
    """Carry out the orders of the parent."""

    def __init__(self, nursery: trio.Nursery, output: Output) -> None:
        self._nursery = nursery
        self._output = output
        self._clock = SessionClock()
        self._priority = Priority()
        self._record = Recorder(self._clock.now_s, lambda event: output.put(control.event_message(event)))
        self._scenario: Scenario | None = None
        self._links: dict[Direction, Link] = {}
        self._meters: dict[Direction, LinkMeter] = {}
        self._shells: dict[Direction, LinkShell] = {}
        self._relay: Relay | None = None
        self._queue: CaptureQueue | None = None
        self._captures: dict[Direction, LinkCapture] = {}
        self._orders: dict[str, Callable[..., object]] = {
            "capture": self._capture,
            "prepare": self._prepare,
            "start": self._start,
            "alias": self._alias,
            "rebind": self._rebind,
            "cut_off": self._cut_off,
            "join": self._join,
            "finish": self._finish,
        }

    def obey(self, order: control.Message) -> None:
        """Carry out an order, and answer it."""
        value = self._orders[order["do"]](*order["with"])
        self._output.put(control.answer(order, value))

    def _capture(self, path: str, comment: str) -> None:
        self._queue = CaptureQueue(Path(path), comment)
        self._captures |= captures_of_routes(self._queue)

    def close(self) -> None:
        """Bring the capture to its end, if there is one."""
        if self._queue is not None:
            self._queue.close()

    def _prepare(self, text: str, _: int) -> None:
        self._scenario = scenario = control.scenario_of(text)
        self._links = {way: tapped_link(scenario, way, _MOST_MEASURED) for way in Direction}
        # Aliases may be asked for before the session begins; packets come with it.
        profile = scenario.profile
        beyond = LossesOutside(self._record) if profile.nat_is_beyond_links else None
        self._relay = Relay(
            self._nursery, self._shells, profile.nat_spec, self._clock.now_s, self._captures, beyond
        )

    def _start(self, zero_s: float) -> None:
        self._clock.start(zero_s)
        assert self._relay is not None
        if self._queue is not None:
            self._queue.start(zero_s)
        for direction, link in self._links.items():
            meter = LinkMeter(self._record, direction, link, keep_errors=True)
            timer = finest_timer(zero_s)
            shell = LinkShell(
                link, meter, timer, self._clock.now_s, self._relay.send, self._captures.get(direction)
            )
            self._shells[direction] = shell
            self._meters[direction] = meter
            self._nursery.start_soon(shell.run)
        gc.collect()
        self._nursery.start_soon(keep_collections_short)
        self._priority.be_in_time_or_share()

    def _alias(self, side: Any, host: str, port: int) -> tuple[str, int]:
        assert self._relay is not None
        return self._relay.alias(side, (host, port))

    def _rebind(self, host: str | None) -> None:
        assert self._relay is not None
        self._relay.rebind(host)

    def _cut_off(self, host: str) -> None:
        assert self._relay is not None
        self._relay.cut_off(host)

    def _join(self, outside: str) -> None:
        assert self._relay is not None
        self._relay.join(outside)

    def _finish(self) -> None:
        self._priority.share()
        if self._relay is not None and self._meters:
            kernel_drops = self._relay.kernel_drops()
            lost = {} if self._queue is None else {"capture_lost": self._queue.lost}
            for direction, meter in self._meters.items():
                self._shells[direction].tell_late_drops()
                meter.finish(kernel_dropped=kernel_drops[direction], **lost)
            self._tell_realised()
        self._record.close()
        self.close()

    def _tell_realised(self) -> None:
        """Record what the links' settings did to the packets of the session."""
        assert self._scenario is not None
        (rows,) = judged([findings(self._scenario, self._links)])
        for row in rows:
            labels = {name: getattr(row, name) for name in ("requested", "realised", "allowed", "held")}
            self._record(f"link.{row.direction}", "realised", setting=row.what, **labels)


async def keep_collections_short() -> None:
    """Hide from the garbage collector once a second what has stayed: looking at it takes milliseconds."""
    while True:
        gc.freeze()
        await trio.sleep(_FREEZE_S)


async def lines(stream: trio.abc.ReceiveStream) -> AsyncIterator[bytes]:
    """Yield the lines that come, without their ends."""
    rest = b""
    async for chunk in stream:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line


class Obeys(Protocol):
    """A relay that takes orders."""

    def obey(self, order: control.Message) -> None:
        """Carry out an order, and answer it."""

    def close(self) -> None:
        """Bring to an end what is left."""


async def relay(
    orders: trio.abc.ReceiveStream,
    answers: trio.abc.SendStream,
    make: Callable[[trio.Nursery, Output], Obeys],
) -> None:
    """Obey orders until there are no more."""
    output = Output(answers)
    async with trio.open_nursery() as writing, trio.open_nursery() as nursery:
        writing.start_soon(output.run)
        process = make(nursery, output)
        async for line in lines(orders):
            process.obey(json.loads(line))
        nursery.cancel_scope.cancel()
        process.close()
        output.end()
        writing.cancel_scope.deadline = trio.current_time() + _FLUSH_S


def run_relay(make: Callable[[trio.Nursery, Output], Obeys]) -> None:
    """Be a relay's process: obey until stdin is closed."""

    def run(output: int) -> None:
        trio.run(relay, trio.lowlevel.FdStream(0), trio.lowlevel.FdStream(output), make)

    run_child(run)


if __name__ == "__main__":
    run_relay(RelayProcess)
