"""The packet process: ``python -m simlab.live.udp.process``, started by the relay."""

import socket
import sys
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from simlab.core.packet import Direction
from simlab.live.priority import Priority
from simlab.live.process import run_child
from simlab.live.sockets import endpoint_text
from simlab.live.udp.flows import Flow
from simlab.live.udp.forward import Forward, Place
from simlab.live.udp.loop import Loop, hurry
from simlab.live.udp.messages import COMPILED, Unframer, framed
from simlab.live.udp.way import Way
from simlab.profile.faults import Fault
from simlab.profile.scenario import Scenario

if TYPE_CHECKING:
    from simlab.live.capture import CaptureQueue, LinkCapture
    from simlab.live.udp.compiled.lane import Lane

_BUFFER_BYTES = 2**22
_MOST_UNSENT = 1000
"""Events that the parent has not taken; more are left out, and never waited for."""


class PacketProcess:
    """Carry out the orders of the parent, between packets."""

    def __init__(self, pipe: socket.socket, *, compiled: bool) -> None:
        self._pipe = pipe
        self._unframer = Unframer()
        self._unsent: deque[bytes] = deque()
        self._skipped = 0
        self._is_followed = False
        self._ways: dict[Direction, Way] = {}
        self._forwards: list[Forward] = []
        self._priority = Priority()
        self._loop = Loop(self._every_second, self._priority)
        self._lane = self._prepared() if compiled else None
        self._queue: CaptureQueue | None = None
        self._captures: dict[Direction, LinkCapture] = {}
        self._orders: dict[str, Callable[..., Any]] = {
            "capture": self._capture,
            "open": self._open,
            "load": self._load,
            "change": self._change,
            "add": self._add,
            "remove": self._remove,
            "hold": self._hold,
            "rebind": self._rebind,
            "stats": self._stats,
            "clients": self._clients,
            "follow": self._follow,
            "end": self._end,
        }

    def _prepared(self) -> "Lane":
        from simlab.live.udp.compiled.lane import Lane

        lane = self._loop.lane = Lane(self._loop.wait_from_now_on)
        lane.prepare()
        return lane

    def run(self) -> None:
        """Go on until the parent wants no more, or is gone."""
        self._pipe.setblocking(False)
        self._pipe.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        self._loop.watch(self._pipe.fileno(), self._listen)
        hurry()
        if not self._priority.be_in_time():
            self._tell("slow", refused=["priority"])
        self._priority.share()
        self._loop.run()
        for forward in self._forwards:
            forward.close()
        if self._queue is not None:
            self._queue.close()

    def _listen(self) -> None:
        try:
            data = self._pipe.recv(2**20)
        except BlockingIOError:
            return
        if not data:
            self._loop.running = False
        for number, name, arguments in self._unframer.feed(data):
            try:
                answer: tuple[int, Any, str | None] = (number, self._orders[name](*arguments), None)
            except (OSError, ValueError) as error:
                answer = (number, None, str(error))
            self._put(answer)

    def _put(self, message: Any) -> None:
        self._unsent.append(framed(message))
        self._flush()

    def _flush(self) -> None:
        self._loop.again = None
        while self._unsent:
            try:
                sent = self._pipe.send(self._unsent[0])
            except BrokenPipeError:
                return
            except BlockingIOError:
                self._loop.again = self._flush
                return
            if sent < len(self._unsent[0]):
                self._unsent[0] = self._unsent[0][sent:]
            else:
                self._unsent.popleft()

    def _tell(self, kind: str, **data: Any) -> None:
        if len(self._unsent) >= _MOST_UNSENT:
            self._skipped += 1
            return
        self._put((0, kind, data))

    def _every_second(self, now_s: float) -> None:
        if self._lane is not None:
            self._lane.harvest()
        for forward in self._forwards:
            forward.expire(now_s)
        for way in self._ways.values():
            way.next_second()
        if self._ways and self._is_followed:
            self._tell("stats", **self._stats())

    def _capture(self, path: str, comment: str) -> None:
        from simlab.live.capture import CaptureQueue
        from simlab.live.udp.capturing import captures_of_flows

        try:
            self._queue = CaptureQueue(Path(path), comment)
        except OSError as error:
            raise OSError(f"--capture: {error}") from error
        self._queue.start(0.0)
        self._captures = captures_of_flows(self._queue)

    def _open(self, place: Place) -> tuple[str, int]:
        try:
            forward = Forward(place, self._ways, self._loop.watch, self._loop.forget, self._tell, self._lane)
        except OSError as error:
            where = endpoint_text(place.listen)
            raise OSError(f"cannot listen on {where}: {error.strerror or error}") from error
        self._forwards.append(forward)
        return forward.address

    def _load(self, scenario: Scenario, zero_s: float) -> None:
        for direction in Direction:
            if direction in self._ways:
                self._ways[direction].load(scenario, zero_s)
            else:
                send = Flow.send_up if direction is Direction.UP else Flow.send_down
                self._ways[direction] = Way(
                    scenario, direction, zero_s, send, self._captures.get(direction), self._lane
                )
        self._loop.ways = tuple(self._ways.values())

    def _change(self, scenario: Scenario) -> None:
        for way in self._ways.values():
            way.change(scenario)

    def _add(self, fault: Fault) -> None:
        for way in self._ways.values():
            way.add(fault)

    def _remove(self, fault: Fault) -> None:
        for way in self._ways.values():
            way.remove(fault)

    def _hold(self, directions: tuple[Direction, ...], for_s: float) -> None:
        for direction in directions:
            self._ways[direction].hold(monotonic() + for_s)

    def _rebind(self, host: str | None) -> int:
        return sum(forward.rebind(host) for forward in self._forwards)

    def _stats(self) -> dict[str, Any]:
        if self._lane is not None:
            self._lane.harvest()
        row: dict[str, Any] = {"clients": sum(len(forward.flows) for forward in self._forwards)}
        drops: Counter[Direction] = Counter()
        for forward in self._forwards:
            drops += forward.kernel_drops()
        for direction, way in self._ways.items():
            row[direction.value] = way.counts() | way.tally.latest | {"kernel_dropped": drops[direction]}
        if self._queue is not None:
            row["capture_lost"] = self._queue.lost
        if self._lane is not None:
            row["compiled"] = self._lane.is_usable
        return row | {"events_skipped": self._skipped}

    def _clients(self) -> list[dict[str, Any]]:
        if self._lane is not None:
            self._lane.harvest()
        return [client for forward in self._forwards for client in forward.clients()]

    def _follow(self, is_followed: bool) -> None:
        self._is_followed = is_followed

    def _end(self) -> dict[str, Any]:
        self._loop.running = False
        self._every_second(monotonic())
        row = self._stats()
        for direction, way in self._ways.items():
            row[direction.value] |= way.tally.all
        if self._queue is not None:
            self._queue.close()
            row["capture_lost"] = self._queue.lost
        return row


def _run(_: int) -> None:
    PacketProcess(socket.socket(fileno=int(sys.argv[1])), compiled=sys.argv[2:] == [COMPILED]).run()


def main() -> None:
    """Run the packet process until its pipe is closed."""
    run_child(_run)


if __name__ == "__main__":
    main()
