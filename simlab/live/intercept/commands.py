"""What one can ask of an intercept while it runs."""

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from typing import Any

from simlab.core.errors import InvalidInputError
from simlab.core.packet import Direction
from simlab.core.timeline import Recorder
from simlab.live.child import Child
from simlab.live.intercept.checks import toml_of, unfit, wrong_settings
from simlab.live.intercept.chronicle import Chronicle, keys_of
from simlab.live.intercept.happenings import Happening
from simlab.live.intercept.known import Known
from simlab.live.intercept.log import Log
from simlab.live.intercept.recordings import Recordings
from simlab.live.intercept.signalling import Faults as SignallingFaults
from simlab.live.intercept.signalling import Signalling
from simlab.live.remote.arguments import Faults, text_of
from simlab.live.remote.dispatcher import Given
from simlab.live.remote.holds import Hold
from simlab.live.remote.link_commands import LinkCommands, Live
from simlab.profile.faults import SignallingFault
from simlab.profile.live import LIVE_KINDS
from simlab.profile.model import Profile
from simlab.profile.scenario import Scenario

Answer = dict[str, Any]
Load = Callable[[Mapping[str, str]], Profile]
"""Returns a profile with some keys set otherwise."""

Named = Callable[[str, bool], Load]
"""Returns what loads a profile by its file or its name in the catalogue, or, if that is true, by its text."""


class Commands(LinkCommands):
    """Carry out commands.

    Parameters
    ----------
    load_named
        See ``Named``.
    upstream
        The server's URL.
    """

    looking = frozenset({"status", "stats", "clients", "settings"})
    kinds = (*LIVE_KINDS, "signalling")

    def __init__(
        self,
        relay: Child,
        record: Recorder,
        log: Log,
        signalling: Signalling,
        load: Load,
        load_named: Named,
        known: Known,
        chronicle: Chronicle,
        recordings: Recordings,
        upstream: str,
    ) -> None:
        super().__init__()
        self._relay = relay
        self._record = record
        self._log = log
        self._signalling = signalling
        self._load = load
        self._load_named = load_named
        self._known = known
        self._chronicle = chronicle
        self._recordings = recordings
        self._upstream = upstream
        self.listen = ""
        self._overrides: dict[str, str] = {}
        self._seed = 0
        self._happening: dict[int, Happening] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self.commands |= {
            "status": self._status,
            "stats": self._stats,
            "clients": self._list_clients,
            "settings": self._settings,
            "set": self._set,
            "load": self._load_profile,
            "rebind": self._rebind,
            "signalling": lambda given: self._fault({**given, "kind": "signalling"}, "signalling"),
            "record": self._begin_recording,
            "stop_recording": self._stop_recording,
        }

    async def watch(self) -> AsyncGenerator[Mapping[str, Any]]:
        """Yield the events from now on, as ``timeline.jsonl`` has them."""
        async for event in self._log.listen(0.0, self._record.now_s()):
            yield {"t_s": event.t_s, "source": event.source, "kind": event.kind, **event.data}

    async def begin(self) -> None:
        """Bring the first profile into force.

        Raises
        ------
        InvalidInputError
            If the profile wants what an intercept cannot do.
        """
        await self._begin(self._load, 0.0)

    async def look(self) -> None:
        """Keep what the relay knows of each client, even after it has forgotten it."""
        await self._known.look()

    async def close(self) -> None:
        """Do nothing more at its time."""
        self._chronicle.close()
        for task in self._tasks:
            task.cancel()
        await self._stop_following()

    async def _begin(self, load: Load, began_s: float) -> Scenario:
        """Begin with a profile, from its beginning."""
        scenario = _fitting(load({}))
        await self._relay.ask("load", scenario.to_toml(), began_s)
        self._load, self._overrides, self._seed = load, {}, scenario.seed
        await self._forget_all()
        self._chronicle.settle(scenario.profile, began_s)
        self._signalling.faults = SignallingFaults(scenario.profile, began_s)
        self._chronicle.play(scenario.profile, began_s, lambda: self._spawn(self._relay.ask("rebind", 0)))
        return scenario

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _now_s(self) -> float:
        return self._record.now_s() - self._chronicle.began_s

    async def _clients(self) -> frozenset[int]:
        await self.look()  # one may have come since the last second
        return frozenset(self._known.last)

    async def _add(self, live: Live) -> None:
        if isinstance(live.fault, SignallingFault):
            if live.client:
                raise InvalidInputError(["signalling: client cannot be said: it concerns all of them"])
            if live.fault.how.kind == "half-open":
                raise InvalidInputError(['signalling: how is "half-open", which an intercept cannot do'])
            self._signalling.faults.by_hand.append(live.fault)
        else:
            # Its own end finds the same fault in these keys.
            await self._relay.ask("add", live.number, live.client, dict(live.keys), live.began_s)

    async def _remove(self, live: Live) -> None:
        if isinstance(live.fault, SignallingFault):
            self._signalling.faults.by_hand.remove(live.fault)
        else:
            await self._relay.ask("remove", live.number)

    async def _hold(self, directions: tuple[Direction, ...], for_s: float, client: int) -> None:
        await self._relay.ask("hold", client, directions, None if for_s == math.inf else for_s)

    def _begins(self, live: Live) -> None:
        fault, at_s = live.fault, self._chronicle.began_s + live.fault.at_s
        for_s = fault.until_s - fault.at_s
        one = self._chronicle.begin(fault.kind, at_s, for_s, live.client, keys_of(fault))
        self._happening[live.number] = one

    def _ends(self, live: Live) -> None:
        one = self._happening.pop(live.number, None)
        if one is not None:  # one that was to begin later has not
            self._chronicle.end(one)

    def _held(self, hold: Hold, replaced: Sequence[Hold]) -> None:
        self._end(replaced)
        keys = {"direction": hold.direction}
        one = self._chronicle.begin("pause", self._record.now_s(), hold.for_s, hold.client, keys)
        self._happening[hold.number] = one

    def _let_go(self, directions: tuple[Direction, ...], ended: Sequence[Hold]) -> None:
        self._end(ended)

    def _end(self, holds: Sequence[Hold]) -> None:
        for hold in holds:
            self._chronicle.end(self._happening.pop(hold.number))

    async def _status(self, given: Given) -> Answer:
        Faults("status", given, ()).check()
        profile, now_s, since_s = self._chronicle.profile, self._record.now_s(), self._recordings.since_s
        return {
            "t_s": round(now_s, 3),
            "listen": self.listen,
            "upstream": self._upstream,
            "profile": {"name": profile.name, "description": profile.description},
            "seed": self._seed,
            "profile_since_s": round(self._now_s(), 3),
            "overrides": self._overrides,
            "link": {way: getattr(profile.link, way).to_toml() for way in ("up", "down")},
            "faults": [_shown(one, now_s) for one in self._chronicle.active()],
            "recording": None if since_s is None else round(now_s - since_s, 3),
        }

    async def _stats(self, given: Given) -> Answer:
        Faults("stats", given, ()).check()
        await self.look()
        return self._known.stats()

    async def _list_clients(self, given: Given) -> Answer:
        Faults("clients", given, ()).check()
        await self.look()
        states = {str(number): state for number, state in self._known.now().items()}
        return {"t_s": round(self._record.now_s(), 3), "clients": states}

    async def _settings(self, given: Given) -> Answer:
        Faults("settings", given, ()).check()
        return self._chronicle.profile.link.to_toml()

    async def _set(self, given: Given) -> Answer:
        if wrong := wrong_settings(given):
            raise InvalidInputError(wrong)
        overrides = {key: value for key, value in self._overrides.items() if key not in given}
        overrides |= {key: toml_of(value) for key, value in given.items() if value is not None}
        scenario, began_s = self._with(overrides), self._chronicle.began_s
        await self._relay.ask("change", scenario.to_toml())
        self._overrides = overrides
        self._chronicle.settle(scenario.profile, began_s)
        by_hand = self._signalling.faults.by_hand
        self._signalling.faults = SignallingFaults(scenario.profile, began_s, by_hand)
        return await self._status({})

    def _with(self, overrides: Mapping[str, str]) -> Scenario:
        """Return the scenario with other settings, of which what is wrong is told as of this command."""
        try:
            return _fitting(self._load(overrides))
        except InvalidInputError as error:
            raise InvalidInputError([fault.replace("--set ", "set: ", 1) for fault in error.faults]) from None

    async def _load_profile(self, given: Given) -> Answer:
        faults = Faults("load", given, ("profile", "toml", "name"))
        key = "toml" if "toml" in given else "profile"
        name = text_of(given, key, faults)
        faults.check()
        scenario = await self._begin(self._load_named(name, key == "toml"), self._record.now_s())
        told = {"profile": scenario.profile.name, "seed": scenario.seed, "notes": []}
        return {**await self._status({}), **told}

    async def _rebind(self, given: Given) -> Answer:
        client, keys, wrong = await self._aimed("rebind", given)
        faults = Faults("rebind", keys, ("what",))
        if keys.get("what", "port") != "port":
            faults.found('want what = "port": an intercept has one address at each side')
        faults.extend(wrong)
        faults.check()
        number = await self._relay.ask("rebind", client)
        self._chronicle.begin("rebind", self._record.now_s(), 0.0, client, {"what": "port"})
        return {"clients": number}

    async def _begin_recording(self, given: Given) -> Answer:
        Faults("record", given, ("name",)).check()
        name = given.get("name", "intercept")
        await self._recordings.begin(name)
        return {"name": name}

    async def _stop_recording(self, given: Given) -> Answer:
        Faults("stop_recording", given, ()).check()
        return {"folders": await self._recordings.stop()}


def _fitting(profile: Profile) -> Scenario:
    """Return a scenario of a profile that an intercept can play."""
    if faults := unfit(profile):
        raise InvalidInputError(faults)
    return Scenario.of(profile, clock="real")


def _shown(one: Happening, now_s: float) -> Answer:
    left_s = None if one.until_s == math.inf else round(one.until_s - now_s, 3)
    return {"fault": one.kind, "left_s": left_s, "client": one.client, **one.keys}
