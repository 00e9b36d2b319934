"""The commands that do something to packets: the same for every relay that is controlled while it runs."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from simlab.core.errors import InvalidInputError
from simlab.core.packet import Direction
from simlab.live.remote.arguments import Faults, directions_of, fault_of, for_s_of
from simlab.live.remote.dispatcher import Dispatcher, Given
from simlab.live.remote.holds import Hold, Holds
from simlab.profile.faults import Fault
from simlab.profile.live import LIVE_KINDS

_ALL_ALIKE = "client is for simlab intercept: the clients of a relay share its links"
_NOBODY = 0


@dataclass(frozen=True)
class Live:
    """A fault that a command has begun.

    Parameters
    ----------
    client
        Whom it concerns; 0 for all.
    keys
        As they were given, with the kind.
    began_s
        When, in the scenario's time.
    """

    number: int
    fault: Fault
    client: int
    keys: Mapping[str, Any]
    began_s: float

    def told(self) -> dict[str, Any]:
        """Return what there is to say, as JSON can hold it; without an end, ``for_s`` is null."""
        for_s = getattr(self.fault, "for_s", math.inf)
        row: dict[str, Any] = {"number": self.number, "kind": self.fault.kind}
        return row | {"for_s": None if for_s == math.inf else for_s}


class LinkCommands(Dispatcher):
    """Begin and end faults, and hold packets. What a relay has to do for that is for its own class.

    ``kinds`` are the faults that commands may begin.
    """

    kinds: Sequence[str] = LIVE_KINDS

    def __init__(self) -> None:
        super().__init__()
        self._live: dict[int, tuple[Live, asyncio.Task[None]]] = {}
        self._holds = Holds(lambda hold: self._let_go(hold.directions, [hold]))
        self._numbers = count(1)
        self.commands |= {
            "fault": self._fault,
            "blackout": lambda given: self._fault({**given, "kind": "blackout"}, "blackout"),
            "block": lambda given: self._fault({"match": ["stun"], **given, "kind": "block"}, "block"),
            "clear": self._clear,
            "pause": self._pause,
            "resume": self._resume,
        }

    def _now_s(self) -> float:
        """Return the seconds since the scenario began."""
        raise NotImplementedError

    async def _clients(self) -> frozenset[int] | None:
        """Return the numbers that ``client`` may have; None where commands are of all clients always."""
        return None

    async def _add(self, live: Live) -> None:
        """Let a fault happen to packets."""
        raise NotImplementedError

    async def _remove(self, live: Live) -> None:
        """Let it happen no more."""
        raise NotImplementedError

    async def _hold(self, directions: tuple[Direction, ...], for_s: float, client: int) -> None:
        """Let nothing leave for so long; 0 lets go what is held."""
        raise NotImplementedError

    def _begins(self, live: Live) -> None:
        """Tell that a fault has begun."""
        raise NotImplementedError

    def _ends(self, live: Live) -> None:
        """Tell that it has ended."""
        raise NotImplementedError

    def _held(self, hold: Hold, replaced: Sequence[Hold]) -> None:
        """Tell that packets are held, in place of what held all of them before."""
        raise NotImplementedError

    def _let_go(self, directions: tuple[Direction, ...], ended: Sequence[Hold]) -> None:
        """Tell that packets leave again, and which holds end with that."""
        raise NotImplementedError

    async def _fault(self, given: Given, command: str = "fault") -> dict[str, Any]:
        client, keys, faults = await self._aimed(command, given)
        try:
            now_s = self._now_s()
            fault = fault_of(command, keys, now_s, self.kinds)
        except InvalidInputError as error:
            raise InvalidInputError([*faults, *error.faults]) from None
        if faults:
            raise InvalidInputError(faults)
        live = Live(next(self._numbers), fault, client, keys, now_s)
        await self._add(live)
        self._live[live.number] = live, asyncio.create_task(self._follow(live))
        return live.told()

    async def _aimed(self, command: str, given: Given) -> tuple[int, dict[str, Any], list[str]]:
        """Return which client is meant, the other keys, and what is wrong with the client."""
        clients, keys = await self._clients(), dict(given)
        if clients is None:
            is_named = keys.pop("client", None) is not None
            return _NOBODY, keys, [f"{command}: {_ALL_ALIKE}"] * is_named
        client = keys.pop("client", None) or _NOBODY
        if client == _NOBODY or (type(client) is int and client in clients):
            return client, keys, []
        return _NOBODY, keys, [f"{command}: client is {client!r:.40}, and there is no such client"]

    async def _follow(self, live: Live) -> None:
        await asyncio.sleep(live.fault.at_s - self._now_s())
        self._begins(live)
        if live.fault.until_s < math.inf:
            await asyncio.sleep(live.fault.until_s - self._now_s())
            del self._live[live.number]
            self._ends(live)
        # It stays in the link, where it does nothing any more: what it holds must stay held until then.

    async def _clear(self, given: Given) -> dict[str, Any]:
        faults = Faults("clear", given, ("number",))
        number = given.get("number")
        if number is not None and not (
            type(number) is int and (number in self._live or number in self._holds)
        ):
            faults.found(f"there is no fault {number!r:.40} of a command")
        faults.check()
        holds = [hold.number for hold in self._holds]
        cleared = sorted([*self._live, *holds]) if number is None else [int(number)]
        for one in cleared:
            if one in self._live:
                live, task = self._live.pop(one)
                task.cancel()
                await self._remove(live)
                self._ends(live)
            elif one in self._holds:
                await self._release(self._holds[one])
        return {"cleared": cleared}

    async def _forget_all(self) -> None:
        """End all faults where their links are gone, and let go what is held."""
        for live, task in self._live.values():
            task.cancel()
            self._ends(live)
        self._live.clear()
        for hold in self._holds:
            await self._release(hold)

    async def _stop_following(self) -> None:
        self._holds.close()
        tasks = [task for _, task in self._live.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _pause(self, given: Given) -> dict[str, Any]:
        client, directions, for_s = await self._to_hold("pause", given, "for")
        await self._hold(directions, for_s, client)
        replaced = self._holds.let_go(client, directions)
        hold = self._holds.begin(next(self._numbers), client, directions, for_s)
        self._held(hold, replaced)
        return hold.told()

    async def _resume(self, given: Given) -> None:
        client, directions, _ = await self._to_hold("resume", given)
        await self._hold(directions, 0.0, client)
        self._let_go(directions, self._holds.let_go(client, directions))

    async def _release(self, hold: Hold) -> None:
        directions = hold.directions
        await self._hold(directions, 0.0, hold.client)
        self._let_go(directions, self._holds.let_go(hold.client, directions))

    async def _to_hold(
        self, command: str, given: Given, *more: str
    ) -> tuple[int, tuple[Direction, ...], float]:
        client, keys, wrong = await self._aimed(command, given)
        faults = Faults(command, keys, ("direction", *more))
        for_s, directions = for_s_of(keys, faults), directions_of(keys, faults)
        faults.extend(wrong)
        faults.check()
        return client, directions, for_s
