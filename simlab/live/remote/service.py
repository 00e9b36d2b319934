"""What a running relay can be told to do, and what it can be asked."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

from simlab.core.errors import InvalidInputError
from simlab.core.packet import Direction
from simlab.live.remote.arguments import Faults, directions_of, fault_of, for_s_of, text_of
from simlab.live.remote.events import Events
from simlab.live.sockets import endpoint_text
from simlab.live.udp.engine import Engine
from simlab.live.udp.forward import Place
from simlab.profile.faults import Fault
from simlab.profile.faults_nat import RebindFault
from simlab.profile.live import LIVE_KINDS, left_out
from simlab.profile.load import load
from simlab.profile.nearest import nearest, quoted
from simlab.profile.scenario import Scenario
from simlab.profile.setting import changed

Given = Mapping[str, Any]
Command = Callable[[Given], Awaitable[Any]]
_WHAT = ("port", "address")


class Service:
    """Carry out commands, one after the other.

    ``commands`` lists them: others may be added. Each takes a dict and returns what JSON can hold, or raises
    ``SimlabError``; then nothing has changed.

    Parameters
    ----------
    scenario
        Begins with the relay.
    capture
        The file for its packets; None for no capture.
    """

    def __init__(self, scenario: Scenario, place: Place, capture: Path | None = None) -> None:
        self.events = Events()
        self.engine = Engine(self._happened)
        self.place = place
        self.address = place.listen
        self._scenario = scenario
        self._capture = capture
        self._zero_s = monotonic()
        self._live: dict[int, tuple[Fault, asyncio.Task[None]]] = {}
        self._numbers = count(1)
        self._hosts = map(_another_host, count(1))
        self._playing: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()
        self.commands: dict[str, Command] = {
            "status": self._status,
            "stats": self._stats,
            "clients": self._clients,
            "settings": self._settings,
            "set": self._set,
            "fault": self._fault,
            "blackout": lambda given: self._fault({**given, "kind": "blackout"}, "blackout"),
            "block": lambda given: self._fault({"match": ["stun"], **given, "kind": "block"}, "block"),
            "clear": self._clear,
            "rebind": self._rebind,
            "pause": self._pause,
            "resume": self._resume,
            "load": self._load,
        }

    async def start(self) -> None:
        """Listen, and begin.

        Raises
        ------
        SessionFailedError
            If it cannot listen there, or not write its capture.
        """
        await self.engine.start()
        if self._capture is not None:
            await self.engine.capture(self._capture)
        await self._begin(self._scenario)
        self.address = await self.engine.open(self.place)

    async def stop(self) -> None:
        """End everything."""
        tasks = [task for _, task in self._live.values()] + ([self._playing] if self._playing else [])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.engine.stop()

    async def do(self, name: object, given: object) -> Any:
        """Carry out a command, and return its answer.

        Raises
        ------
        SimlabError
            If it is wrong, or cannot be done.
        """
        command = self.commands.get(name) if isinstance(name, str) else None
        if command is None:
            near = nearest(str(name), self.commands)
            hint = f", did you mean {quoted(near)}?" if near else f": there are {', '.join(self.commands)}"
            raise InvalidInputError([f"there is no command {quoted(str(name)[:60])}{hint}"])
        if not isinstance(given, Mapping):
            raise InvalidInputError([f"{name}: want an object with its arguments"])
        async with self._one_at_a_time:
            return await command(given)

    def _now_s(self) -> float:
        return monotonic() - self._zero_s

    def _happened(self, kind: str, data: dict[str, Any]) -> None:
        for key in ("client", "outside"):
            if key in data:
                data[key] = endpoint_text(data[key])
        self.events.tell(kind, **data)

    async def _begin(self, scenario: Scenario) -> None:
        if self._playing is not None:
            self._playing.cancel()
        zero_s = monotonic()
        await self.engine.load(scenario, zero_s)
        self._zero_s = zero_s
        self._scenario = scenario
        self._playing = asyncio.create_task(self._play(scenario))

    async def _play(self, scenario: Scenario) -> None:
        """Tell of the scenario's faults as they come, and do what is not done to packets."""
        moments: list[tuple[float, str, int, Fault]] = []
        for number, fault in enumerate(scenario.profile.faults):
            if isinstance(fault, RebindFault):
                moments.append((fault.at_s, "rebind", number, fault))
            elif fault.kind in LIVE_KINDS:
                moments.append((fault.at_s, "fault_begin", number, fault))
                moments.append((fault.until_s, "fault_end", number, fault))
        for at_s, what, number, fault in sorted(moments, key=lambda moment: moment[0]):
            await asyncio.sleep(at_s - self._now_s())
            if isinstance(fault, RebindFault):
                await self._rebound(fault.what)
            else:
                self.events.tell(what, fault=fault.kind, index=number)

    async def _status(self, given: Given) -> dict[str, Any]:
        Faults("status", given, ()).check()
        return {
            "listen": endpoint_text(self.address),
            "to": endpoint_text(self.place.target),
            "profile": self._scenario.profile.name,
            "seed": self._scenario.seed,
            "since_s": round(self.events.now_s(), 3),
            "profile_since_s": round(self._now_s(), 3),
            "faults": [_told(number, fault) for number, (fault, _) in self._live.items()],
        }

    async def _stats(self, given: Given) -> dict[str, Any]:
        Faults("stats", given, ()).check()
        return await self.engine.stats()

    async def _clients(self, given: Given) -> list[dict[str, Any]]:
        Faults("clients", given, ()).check()
        rows = await self.engine.clients()
        return [
            {**row, "client": endpoint_text(row["client"]), "outside": endpoint_text(row["outside"])}
            for row in rows
        ]

    async def _settings(self, given: Given) -> dict[str, Any]:
        Faults("settings", given, ()).check()
        return self._scenario.profile.link.to_toml()

    async def _set(self, given: Given) -> dict[str, Any]:
        scenario = changed(self._scenario, given)
        await self.engine.change(scenario)
        self._scenario = scenario
        self.events.tell("set", settings=dict(given))
        return scenario.profile.link.to_toml()

    async def _fault(self, given: Given, command: str = "fault") -> dict[str, Any]:
        fault = fault_of(command, given, self._now_s())
        await self.engine.add(fault)
        number = next(self._numbers)
        self._live[number] = fault, asyncio.create_task(self._follow(number, fault))
        return _told(number, fault)

    async def _follow(self, number: int, fault: Fault) -> None:
        await asyncio.sleep(fault.at_s - self._now_s())
        self.events.tell("fault_begin", fault=fault.kind, number=number)
        if fault.until_s < math.inf:
            await asyncio.sleep(fault.until_s - self._now_s())
            del self._live[number]
            self.events.tell("fault_end", fault=fault.kind, number=number)
        # It stays in the link, where it does nothing any more: what it holds must stay held until then.

    async def _clear(self, given: Given) -> dict[str, Any]:
        faults = Faults("clear", given, ("number",))
        number = given.get("number")
        if number is not None and number not in self._live:
            faults.found(f"there is no fault {number!r:.40} of a command")
        faults.check()
        cleared = [*self._live] if number is None else [int(number)]
        for one in cleared:
            fault, task = self._live.pop(one)
            task.cancel()
            await self.engine.remove(fault)
            self.events.tell("fault_end", fault=fault.kind, number=one)
        return {"cleared": cleared}

    async def _rebind(self, given: Given) -> dict[str, Any]:
        faults = Faults("rebind", given, ("what",))
        what = text_of(given, "what", faults, "port")
        if what and what not in _WHAT:
            faults.found(f'what is {quoted(what)}, want "port" or "address"')
        if what == "address" and not self.place.target[0].startswith("127."):
            faults.found('want what = "port": another address is to be had on 127.0.0.0/8 alone')
        faults.check()
        return {"clients": await self._rebound(what)}

    async def _rebound(self, what: str) -> int:
        is_loopback = self.place.target[0].startswith("127.")
        number = await self.engine.rebind(next(self._hosts) if what == "address" and is_loopback else None)
        self.events.tell("rebind", what=what, clients=number)
        return number

    async def _pause(self, given: Given) -> dict[str, Any]:
        faults = Faults("pause", given, ("for", "direction"))
        for_s, directions = for_s_of(given, faults), directions_of(given, faults)
        faults.check()
        await self._hold(directions, for_s, "pause")
        return {"for_s": None if for_s == math.inf else for_s}

    async def _resume(self, given: Given) -> None:
        faults = Faults("resume", given, ("direction",))
        directions = directions_of(given, faults)
        faults.check()
        await self._hold(directions, 0.0, "resume")

    async def _hold(self, directions: tuple[Direction, ...], for_s: float, kind: str) -> None:
        await self.engine.hold(directions, for_s)
        self.events.tell(kind, directions=list(directions))

    async def _load(self, given: Given) -> dict[str, Any]:
        faults = Faults("load", given, ("toml", "name"))
        text, name = text_of(given, "toml", faults), text_of(given, "name", faults, "profile.toml")
        faults.check()
        profile = load(text, name)
        scenario, notes = Scenario.of(profile), left_out(profile, name)
        for fault, task in self._live.values():
            task.cancel()
            self.events.tell("fault_end", fault=fault.kind)
        self._live.clear()
        await self._begin(scenario)
        self.events.tell("load", profile=profile.name, seed=scenario.seed)
        return {"profile": profile.name, "seed": scenario.seed, "notes": notes}


def _another_host(number: int) -> str:
    """Return an address of this machine that nobody listens on: Linux has all of 127.0.0.0/8."""
    return f"127.1.{number // 250 % 250}.{number % 250 + 1}"


def _told(number: int, fault: Any) -> dict[str, Any]:
    for_s = getattr(fault, "for_s", math.inf)
    return {"number": number, "kind": fault.kind, "for_s": None if for_s == math.inf else for_s}
