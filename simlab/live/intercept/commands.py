"""What one can ask of an intercept while it runs: objects in, objects out; a wrong one changes nothing."""

import asyncio
import math
import re
import shutil
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from simlab.core.errors import InvalidInputError
from simlab.core.timeline import Recorder
from simlab.live.child import Child
from simlab.live.intercept.checks import (
    Command,
    aimed,
    classes_of,
    client_of,
    may_set,
    only,
    signalling_fault,
    toml_of,
    unfit,
)
from simlab.live.intercept.happenings import Happening, Settled
from simlab.live.intercept.log import Log
from simlab.live.intercept.recording import Recording, Save, State
from simlab.live.intercept.signalling import Faults, Signalling
from simlab.profile.faults_nat import RebindFault
from simlab.profile.model import NAME_PATTERN, Profile
from simlab.profile.scenario import Scenario
from simlab.profile.units import duration_text

Answer = dict[str, Any]
Work = Callable[[Command], Coroutine[Any, Any, Answer]]
Load = Callable[[Mapping[str, str]], Profile]
"""Returns a profile with some keys set otherwise."""

Named = Callable[[str, bool], Load]
"""Returns what loads a profile by its file or its name in the catalogue, or, if that is true, by its text."""

_READING = ("status", "clients")


class Commands:
    """Carry out commands.

    Parameters
    ----------
    load_named
        See ``Named``.
    save
        Saves a recording; called in a thread.
    capture_folder
        Makes a folder for the captures of a recording of that name; None for no captures.
    """

    def __init__(
        self,
        relay: Child,
        record: Recorder,
        log: Log,
        signalling: Signalling,
        load: Load,
        load_named: Named,
        save: Save,
        upstream: str,
        capture_folder: Callable[[str], Path] | None = None,
    ) -> None:
        self._relay = relay
        self._record = record
        self._log = log
        self._signalling = signalling
        self._load = load
        self._load_named = load_named
        self._save = save
        self._upstream = upstream
        self._capture_folder = capture_folder
        self._captured: Path | None = None
        self.listen = ""
        self._overrides: dict[str, str] = {}
        self._profile = Profile()
        self._settled: list[Settled] = []
        self._happenings: list[Happening] = []
        self._timers: list[asyncio.TimerHandle] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._recording: tuple[str, float, dict[int, State]] | None = None
        self.last_states: dict[int, State] = {}
        self.present: list[int] = []
        self._one_at_a_time = asyncio.Lock()
        self.commands: dict[str, Work] = {
            "status": self._status,
            "set": self._set,
            "load": self._load_profile,
            "blackout": self._blackout,
            "block": self._block,
            "pause": self._pause,
            "rebind": self._rebind,
            "signalling": self._break_signalling,
            "clear": self._clear,
            "clients": self._clients,
            "record": self._begin_recording,
            "stop_recording": self._stop_recording,
        }

    async def do(self, name: object, given: object) -> Answer:
        """Carry out a command, and return its answer.

        Raises
        ------
        InvalidInputError
            If it is wrong, with every fault.
        SimlabError
            If it cannot be done.
        """
        work = self.commands.get(name) if isinstance(name, str) else None
        if work is None:
            raise InvalidInputError(
                [f"there is no command {name!r:.60}: there are {', '.join(self.commands)}"]
            )
        if not isinstance(given, dict):
            raise InvalidInputError([f"{name}: want an object with its arguments"])
        if name in _READING:
            return await work(given)
        async with self._one_at_a_time:
            return await work(given)

    @property
    def is_recording(self) -> bool:
        """Whether a recording is under way."""
        return self._recording is not None

    async def begin(self) -> None:
        """Bring the first profile into force.

        Raises
        ------
        InvalidInputError
            If the profile wants what an intercept cannot do.
        """
        await self._settle(self._load, {}, 0.0)

    async def look(self) -> None:
        """Keep what the relay knows of each client, even after it has forgotten it."""
        await self._look("clients")

    async def _look(self, order: str, *arguments: object) -> None:
        states = await self._relay.ask(order, *arguments)
        self.last_states |= {int(number): state for number, state in states.items()}
        self.present = sorted(int(number) for number in states)

    def close(self) -> None:
        """Do nothing more at its time."""
        for timer in self._timers:
            timer.cancel()
        for task in self._tasks:
            task.cancel()

    async def _settle(self, load: Load, overrides: dict[str, str], began_s: float) -> None:
        profile = load(overrides)
        if faults := unfit(profile):
            raise InvalidInputError(faults)
        scenario = Scenario.of(profile, clock="real")
        await self._relay.ask("settle", scenario.to_toml(), began_s)
        is_new = load is not self._load or not self._settled
        self._load, self._overrides, self._profile = load, overrides, scenario.profile
        self._settled.append(Settled(self._record.now_s(), began_s, scenario.profile))
        by_hand = self._signalling.faults.by_hand
        self._signalling.faults = Faults(scenario.profile, began_s, by_hand)
        if is_new:
            self._schedule(scenario.profile, began_s)

    def _schedule(self, profile: Profile, began_s: float) -> None:
        """Let the faults of a new profile be seen, and do those that are more than a drop of packets."""
        now_s = self._record.now_s()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        for one in self._happenings:
            if one.at_s > now_s:  # of the profile before
                one.at_s = one.until_s = math.inf
        for fault in profile.faults:
            keys = fault.model_dump(by_alias=True, exclude={"kind", "at", "for"}, exclude_none=True)
            self._happens(fault.kind, began_s + fault.at_s, began_s + fault.until_s, 0, keys)
            if isinstance(fault, RebindFault):
                self._later(began_s + fault.at_s, lambda: self._spawn(self._relay.ask("rebind", 0)))

    def _happens(
        self, kind: str, at_s: float, until_s: float, client: int, keys: Mapping[str, Any]
    ) -> Happening:
        happening = Happening(len(self._happenings), kind, at_s, until_s, client, keys)
        self._happenings.append(happening)
        self._later(at_s, lambda: self._tell("begin", happening))
        if until_s > at_s:
            self._later(until_s, lambda: self._tell("end", happening))
        return happening

    def _tell(self, kind: str, one: Happening) -> None:
        if one.at_s == math.inf or (kind == "end" and self._record.now_s() < one.until_s - 0.01):
            return
        labels: dict[str, Any] = {**one.keys, **({"client": one.client} if one.client else {})}
        if one.until_s > one.at_s:
            labels["for"] = duration_text(round(one.until_s - one.at_s, 6))
        self._record("fault", kind, index=one.index, fault=one.kind, **labels)

    def _later(self, at_s: float, work: Callable[[], object]) -> None:
        delay_s = at_s - self._record.now_s()
        if delay_s <= 0.0:
            work()
        else:
            self._timers.append(asyncio.get_running_loop().call_later(delay_s, work))

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _status(self, command: Command) -> Answer:
        only(command)
        profile, now_s = self._profile, self._record.now_s()
        active = [one for one in self._happenings if one.at_s <= now_s < one.until_s]
        return {
            "t_s": round(now_s, 3),
            "listen": self.listen,
            "upstream": self._upstream,
            "profile": {"name": profile.name, "description": profile.description},
            "overrides": self._overrides,
            "link": {way: getattr(profile.link, way).to_toml() for way in ("up", "down")},
            "faults": [
                {"fault": one.kind, "left_s": round(one.until_s - now_s, 3), "client": one.client, **one.keys}
                for one in active
            ],
            "recording": None if self._recording is None else round(now_s - self._recording[1], 3),
        }

    async def _set(self, command: Command) -> Answer:
        settings = command
        wrong = [
            f"{key}: want a text, a number, or null for what the profile has"
            for key, value in settings.items()
            if isinstance(value, bool) or not isinstance(value, str | int | float | None)
        ]
        wrong += [f"{key}: want a key of [link] or [signalling]" for key in settings if not may_set(key)]
        wrong += [] if settings else ['want settings, such as {"link.up.loss": "5%"}']
        if wrong:
            raise InvalidInputError(wrong)
        overrides = {key: value for key, value in self._overrides.items() if key not in settings}
        overrides |= {key: toml_of(value) for key, value in settings.items() if value is not None}
        await self._settle(self._load, overrides, self._settled[-1].began_s)
        return await self._status({})

    async def _load_profile(self, command: Command) -> Answer:
        only(command, "profile", "toml", "name")
        name = command.get("toml", command.get("profile"))
        if not isinstance(name, str) or not name:
            raise InvalidInputError(["want profile (a file or a name of the catalogue), or toml (its text)"])
        await self._settle(self._load_named(name, "toml" in command), {}, self._record.now_s())
        return await self._status({})

    async def _blackout(self, command: Command) -> Answer:
        client, direction, for_s = aimed(command, self.last_states)
        await self._relay.ask("block", client, direction, for_s, None)
        return self._done("blackout", for_s, client, {"direction": direction})

    async def _block(self, command: Command) -> Answer:
        names = classes_of(command)
        client, direction, for_s = aimed(command, self.last_states, "match")
        await self._relay.ask("block", client, direction, for_s, names)
        return self._done("block", for_s, client, {"direction": direction, "match": names})

    async def _pause(self, command: Command) -> Answer:
        client, direction, for_s = aimed(command, self.last_states)
        await self._relay.ask("pause", client, direction, for_s)
        return self._done("pause", for_s, client, {"direction": direction})

    async def _rebind(self, command: Command) -> Answer:
        only(command, "client")
        client = client_of(command, self.last_states)
        await self._relay.ask("rebind", client)
        return self._done("rebind", 0.0, client, {"what": "port"})

    async def _break_signalling(self, command: Command) -> Answer:
        fault, keys = signalling_fault(command, self._record.now_s())
        self._signalling.faults.by_hand.append(fault)
        return self._done("signalling", fault.for_s, 0, keys)

    async def _clear(self, command: Command) -> Answer:
        only(command)
        now_s = self._record.now_s()
        await self._relay.ask("clear", 0)
        self._signalling.faults.by_hand.clear()
        for one in self._happenings:
            if one.at_s <= now_s < one.until_s:
                one.until_s = now_s
                self._tell("end", one)
        return {}

    async def _clients(self, command: Command) -> Answer:
        only(command)
        await self.look()
        states = {str(n): self.last_states[n] for n in self.present}
        return {"t_s": round(self._record.now_s(), 3), "clients": states}

    async def _begin_recording(self, command: Command) -> Answer:
        only(command, "name")
        name = command.get("name", "intercept")
        if self._recording is not None:
            raise InvalidInputError(["a recording is under way: stop it first"])
        if not isinstance(name, str) or not re.fullmatch(NAME_PATTERN, name):
            raise InvalidInputError(["name: want letters, digits, dots, dashes and underscores, at most 64"])
        if self._capture_folder is None:
            await self.look()
        else:
            self._captured = await asyncio.to_thread(self._capture_folder, name)
            await self._look("capture", str(self._captured.absolute()))
        self._log.record()
        known = {number: self.last_states[number] for number in self.present}
        self._recording = name, self._record.now_s(), known
        return {"name": name}

    async def _stop_recording(self, command: Command) -> Answer:
        only(command)
        if self._recording is None:
            raise InvalidInputError(["no recording is under way"])
        (name, from_s, before), self._recording = self._recording, None
        captured, self._captured = self._captured, None
        await self._look("clients" if captured is None else "end_capture")
        # All of one moment: more is known of the clients while the captures are written.
        until_s, events, after = self._record.now_s(), self._log.recorded(), dict(self.last_states)
        lost = None if captured is None else await self._relay.ask("close_capture")
        recording = Recording(
            name,
            self._upstream,
            from_s,
            until_s,
            events,
            before,
            after,
            tuple(self._happenings),
            tuple(self._settled),
            None if lost is None else {int(number): packets for number, packets in lost.items()},
        )
        return {"folders": await asyncio.to_thread(self._save_all, recording, captured)}

    def _save_all(self, recording: Recording, captured: Path | None) -> list[Answer]:
        folders = []
        for client in recording.clients:
            own = None if captured is None else captured / str(client)
            folder = self._save(*recording.session(client), own if own is not None and own.is_dir() else None)
            folders.append({"client": client, "folder": folder})
        if captured is not None:
            shutil.rmtree(captured)  # what is left is of clients of whom nothing was seen
        return folders

    def _done(self, kind: str, for_s: float, client: int, keys: Mapping[str, Any]) -> Answer:
        now_s = self._record.now_s()
        self._happens(kind, now_s, now_s + for_s, client, keys)
        return {"t_s": round(now_s, 3)}
