"""The relay of an intercept: ``python -m simlab.live.intercept.relay_process``.

It takes orders and tells of events as ``simlab.live.control`` has it; events carry the ``client``'s number.

| order | answer |
|---|---|
| ``prepare`` (a list of hosts by side; by side who is admitted, or null for all; when idle ones go) | null |
| ``start`` (``time.monotonic()`` at the session's zero) | null |
| ``load`` (scenario as TOML; when its own time began) | null |
| ``change`` (scenario as TOML): its settings of the links, from now on | null |
| ``alias`` (client, connection, side, host, port) | the host and port by which the other side reaches it |
| ``admit`` (side, host): its packets are taken | null |
| ``add`` (number; client or 0 for all; a ``[[fault]]``; from when on, in the scenario's time) | null |
| ``remove`` (number) | null |
| ``hold`` (client or 0; directions; seconds, null for no end) | null |
| ``rebind`` (client or 0) | how many there are |
| ``clients``: by number, what is known of each | an object |
| ``capture`` (folder): from now on, each client's packets go to a file there | ``clients`` at that moment |
| ``end_capture``: no more of them do | ``clients`` at that moment |
| ``close_capture``: answered when the files are whole | by number, how many packets each lacks |
"""

import gc
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio

from simlab.core.packet import Direction
from simlab.core.timeline import Event
from simlab.live import control
from simlab.live.addresses import Side
from simlab.live.clock import SessionClock
from simlab.live.intercept.client_network import ClientNetwork, Place
from simlab.live.priority import Priority
from simlab.live.relay_process import Output, keep_collections_short, run_relay
from simlab.live.remote.arguments import fault_of
from simlab.profile.faults import Fault
from simlab.profile.scenario import Scenario

if TYPE_CHECKING:
    from simlab.live.intercept.capturing import Captures

_LOOK_S = 0.1
_UNUSED_S = 120.0


class InterceptRelay:
    """Carry out the orders of the parent."""

    def __init__(self, nursery: trio.Nursery, output: Output) -> None:
        self._nursery = nursery
        self._output = output
        self._clock = SessionClock()
        self._zero_s = 0.0
        self._hosts: dict[Side, list[str]] = {}
        self._admitted: dict[Side, set[str] | None] = {}
        self._idle_s = math.inf
        self._scenario: tuple[Scenario, float] | None = None
        self._clients: dict[int, ClientNetwork] = {}
        self._captures: Captures | None = None
        self._ended: Captures | None = None
        self._faults: dict[int, tuple[int, Fault]] = {}
        self._held_until_s = dict.fromkeys(Direction, -math.inf)
        self._orders: dict[str, Callable[..., object]] = {
            "prepare": self._prepare,
            "start": self._start,
            "load": self._load,
            "change": self._change,
            "alias": self._alias,
            "admit": self._admit,
            "add": self._add,
            "remove": self._remove,
            "hold": self._hold,
            "rebind": self._rebind,
            "clients": self._tell_clients,
            "capture": self._capture,
            "end_capture": self._end_capture,
        }

    def obey(self, order: control.Message) -> None:
        """Carry out an order, and answer it."""
        if order["do"] == "close_capture":
            self._nursery.start_soon(self._close_capture, order)
            return
        try:
            value = self._orders[order["do"]](*order["with"])
        except (OSError, ValueError) as error:
            self._output.put(control.refusal(order, str(error)))
        else:
            self._output.put(control.answer(order, value))

    def close(self) -> None:
        """Do nothing: sockets are closed with the tasks that read them."""

    def _prepare(
        self, hosts: dict[Side, list[str]], admitted: dict[Side, list[str] | None], idle_s: float
    ) -> None:
        self._hosts = hosts
        self._admitted = {side: None if own is None else set(own) for side, own in admitted.items()}
        self._idle_s = idle_s

    def _start(self, zero_s: float) -> None:
        self._zero_s = zero_s
        self._clock.start(zero_s)
        gc.collect()
        Priority().be_in_time_or_share()
        self._nursery.start_soon(keep_collections_short)
        self._nursery.start_soon(self._look)

    def _load(self, text: str, began_s: float) -> None:
        self._scenario = control.scenario_of(text), began_s
        self._faults.clear()
        for client in self._clients.values():
            client.load(*self._scenario)

    def _change(self, text: str) -> None:
        assert self._scenario is not None
        self._scenario = control.scenario_of(text), self._scenario[1]
        for client in self._clients.values():
            client.change(self._scenario[0])

    def _alias(self, number: int, connection: int, side: Side, host: str, port: int) -> tuple[str, int]:
        flow = self._client(number).flow
        flow.connection = max(flow.connection, connection)
        return flow.alias(side, (host, port))

    def _client(self, number: int) -> ClientNetwork:
        client = self._clients.get(number)
        if client is None:
            place = Place(self._hosts, self._admits, self._zero_s, self._clock.now_s)
            client = ClientNetwork(self._nursery, number, place, self._told)
            assert self._scenario is not None
            client.load(*self._scenario)
            for way, carried in client.ways.items():
                carried.hold(self._held_until_s[way])
                for whose, fault in self._faults.values():
                    if whose in (0, number):
                        carried.add(fault)
            self._clients[number] = client
            if self._captures is not None:
                client.capture(self._captures.of_client(number))
        return client

    def _told(self, event: Event) -> None:
        self._output.put(control.event_message(event))

    def _admits(self, side: Side, host: str) -> bool:
        admitted = self._admitted[side]
        return admitted is None or host in admitted or (host.startswith("127.") and "127.0.0.1" in admitted)

    def _admit(self, side: Side, host: str) -> None:
        admitted = self._admitted[side]
        if admitted is not None:
            admitted.add(host)

    def _chosen(self, whose: int) -> list[ClientNetwork]:
        return [client for number, client in self._clients.items() if whose in (0, number)]

    def _add(self, number: int, whose: int, keys: dict[str, Any], at_s: float) -> None:
        fault = fault_of("fault", keys, at_s)
        self._faults[number] = whose, fault
        for client in self._chosen(whose):
            for way in client.ways.values():
                way.add(fault)

    def _remove(self, number: int) -> None:
        whose, fault = self._faults.pop(number)
        for client in self._chosen(whose):
            for way in client.ways.values():
                way.remove(fault)

    def _hold(self, whose: int, directions: list[Direction], for_s: float | None) -> None:
        until_s = math.inf if for_s is None else self._clock.now_s() + for_s
        for way in map(Direction, directions):
            if whose == 0:  # those too who come before it is over
                self._held_until_s[way] = until_s
            for client in self._chosen(whose):
                client.ways[way].hold(until_s)

    def _rebind(self, whose: int) -> int:
        chosen = self._chosen(whose)
        for client in chosen:
            client.flow.rebind()
        return len(chosen)

    def _tell_clients(self) -> dict[str, Any]:
        return {str(number): client.state() for number, client in self._clients.items()}

    def _capture(self, folder: str) -> dict[str, Any]:
        from simlab.live.intercept.capturing import Captures

        self._captures = Captures(Path(folder), self._zero_s)
        for number, client in self._clients.items():
            client.capture(self._captures.of_client(number))
        return self._tell_clients()

    def _end_capture(self) -> dict[str, Any]:
        for client in self._clients.values():
            client.capture({})
        self._captures, self._ended = None, self._captures
        return self._tell_clients()

    async def _close_capture(self, order: control.Message) -> None:
        captures, self._ended = self._ended, None
        assert captures is not None
        self._output.put(control.answer(order, await trio.to_thread.run_sync(captures.close)))

    async def _look(self) -> None:
        while True:
            await trio.sleep(_LOOK_S)
            now_s = self._clock.now_s()
            for number, client in list(self._clients.items()):
                client.watch.look()
                client.flow.close_unused(now_s - _UNUSED_S)
                if client.flow.used_s < now_s - self._idle_s:
                    del self._clients[number]
                    client.close()


if __name__ == "__main__":
    run_relay(InterceptRelay)
