"""What a running relay can be told to do, and what it can be asked."""

import asyncio
import math
from collections.abc import AsyncGenerator, Sequence
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

from simlab.core.packet import Direction
from simlab.live.remote.arguments import Faults, text_of
from simlab.live.remote.dispatcher import Given
from simlab.live.remote.events import Events, Row
from simlab.live.remote.holds import Hold
from simlab.live.remote.link_commands import LinkCommands, Live
from simlab.live.sockets import endpoint_text
from simlab.live.udp.engine import Engine
from simlab.live.udp.forward import Place
from simlab.profile.faults import Fault
from simlab.profile.faults_nat import RebindFault
from simlab.profile.live import LIVE_KINDS, left_out
from simlab.profile.load import load
from simlab.profile.nearest import quoted
from simlab.profile.scenario import Scenario
from simlab.profile.setting import changed

_WHAT = ("port", "address")
_ELSEWHERE = "is for simlab intercept, and this is simlab relay"


class Service(LinkCommands):
    """What a running relay can be told to do, and what it can be asked.

    Parameters
    ----------
    scenario
        Begins with the relay.
    capture
        The file for its packets; None for no capture.
    compiled
        Whether packets go the compiled way, as far as they can.
    """

    elsewhere = dict.fromkeys(("signalling", "record", "stop_recording"), _ELSEWHERE)

    def __init__(
        self, scenario: Scenario, place: Place, capture: Path | None = None, *, compiled: bool = False
    ) -> None:
        super().__init__()
        self.events = Events(lambda is_watched: self.engine.follow(is_followed=is_watched))
        self.engine = Engine(self._happened, compiled=compiled)
        self.place = place
        self.address = place.listen
        self._scenario = scenario
        self._capture = capture
        self._zero_s = monotonic()
        self._hosts = map(_another_host, count(1))
        self._playing: asyncio.Task[None] | None = None
        self.commands |= {
            "status": self._status,
            "stats": self._stats,
            "clients": self._list_clients,
            "settings": self._settings,
            "set": self._set,
            "rebind": self._rebind,
            "load": self._load,
        }

    def watch(self) -> AsyncGenerator[Row]:
        """Yield the events from now on."""
        return self.events.watch()

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
        if self._playing is not None:
            self._playing.cancel()
            await asyncio.gather(self._playing, return_exceptions=True)
        await self._stop_following()
        await self.engine.stop()

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
                if what == "fault_end":
                    await self.engine.remove(fault)  # its stage takes time as long as it is there

    async def _status(self, given: Given) -> dict[str, Any]:
        Faults("status", given, ()).check()
        return {
            "listen": endpoint_text(self.address),
            "to": endpoint_text(self.place.target),
            "profile": self._scenario.profile.name,
            "seed": self._scenario.seed,
            "since_s": round(self.events.now_s(), 3),
            "profile_since_s": round(self._now_s(), 3),
            "faults": [
                *(live.told() for live, _ in self._live.values()),
                *(hold.told() for hold in self._holds),
            ],
        }

    async def _stats(self, given: Given) -> dict[str, Any]:
        Faults("stats", given, ()).check()
        return await self.engine.stats()

    async def _list_clients(self, given: Given) -> list[dict[str, Any]]:
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

    async def _add(self, live: Live) -> None:
        await self.engine.add(live.fault)

    async def _remove(self, live: Live) -> None:
        await self.engine.remove(live.fault)

    async def _follow(self, live: Live) -> None:
        await super()._follow(live)
        if live.fault.until_s < math.inf:
            await self._remove(live)  # its stage takes time as long as it is there

    async def _hold(self, directions: tuple[Direction, ...], for_s: float, client: int) -> None:
        await self.engine.hold(directions, for_s)

    def _begins(self, live: Live) -> None:
        self.events.tell("fault_begin", fault=live.fault.kind, number=live.number)

    def _ends(self, live: Live) -> None:
        self.events.tell("fault_end", fault=live.fault.kind, number=live.number)

    def _held(self, hold: Hold, replaced: Sequence[Hold]) -> None:
        told = hold.told()
        self.events.tell("pause", number=hold.number, directions=_names(hold.directions), for_s=told["for_s"])

    def _let_go(self, directions: tuple[Direction, ...], ended: Sequence[Hold]) -> None:
        self.events.tell("resume", directions=_names(directions))

    async def _rebind(self, given: Given) -> dict[str, Any]:
        _, keys, wrong = await self._aimed("rebind", given)
        faults = Faults("rebind", keys, ("what",))
        faults.extend(wrong)
        what = text_of(keys, "what", faults, "port")
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

    async def _load(self, given: Given) -> dict[str, Any]:
        faults = Faults("load", given, ("toml", "name"))
        text, name = text_of(given, "toml", faults), text_of(given, "name", faults, "profile.toml")
        faults.check()
        profile = load(text, name)
        scenario, notes = Scenario.of(profile), left_out(profile, name)
        await self._forget_all()
        await self._begin(scenario)
        self.events.tell("load", profile=profile.name, seed=scenario.seed)
        return {"profile": profile.name, "seed": scenario.seed, "notes": notes}


def _names(directions: tuple[Direction, ...]) -> list[str]:
    return [direction.value for direction in directions]


def _another_host(number: int) -> str:
    """Return an address of this machine that nobody listens on: Linux has all of 127.0.0.0/8."""
    return f"127.1.{number // 250 % 250}.{number % 250 + 1}"
