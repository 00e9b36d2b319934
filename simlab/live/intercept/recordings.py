"""Begin a recording and end it, while the intercept runs."""

import asyncio
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simlab.core.errors import InvalidInputError, SimlabError
from simlab.core.timeline import Recorder
from simlab.live.child import Child
from simlab.live.intercept.chronicle import Chronicle
from simlab.live.intercept.known import Known, State
from simlab.live.intercept.log import Log
from simlab.live.intercept.recording import Recording, Save
from simlab.profile.model import NAME_PATTERN


@dataclass(frozen=True)
class _Begun:
    name: str
    from_s: float
    before: dict[int, State]
    captured: Path | None


class Recordings:
    """Make recordings, one at a time.

    Parameters
    ----------
    save
        Saves a recording; called in a thread.
    upstream
        The server's URL.
    capture_folder
        Makes a folder for the captures of a recording of that name; None for no captures.
    prepare
        Raises ``InvalidInputError`` where nothing could be saved.
    """

    def __init__(
        self,
        relay: Child,
        record: Recorder,
        log: Log,
        known: Known,
        chronicle: Chronicle,
        save: Save,
        upstream: str,
        capture_folder: Callable[[str], Path] | None = None,
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        self._relay = relay
        self._record = record
        self._log = log
        self._known = known
        self._chronicle = chronicle
        self._save = save
        self._upstream = upstream
        self._capture_folder = capture_folder
        self._prepare = prepare
        self._begun: _Begun | None = None

    @property
    def since_s(self) -> float | None:
        """When the one that is under way began; None where there is none."""
        return None if self._begun is None else self._begun.from_s

    async def begin(self, name: Any) -> None:
        """Begin to record.

        Raises
        ------
        InvalidInputError
            If that is no name, or another one is under way.
        """
        if self._begun is not None:
            raise InvalidInputError(["record: a recording is under way: stop it first"])
        if not isinstance(name, str) or not re.fullmatch(NAME_PATTERN, name):
            want = "want letters, digits, dots, dashes and underscores, at most 64"
            raise InvalidInputError([f"record: name is {name!r:.80}, {want}"])
        captured = None
        await asyncio.to_thread(self._prepare)
        if self._capture_folder is None:
            await self._known.look()
        else:
            captured = await asyncio.to_thread(self._capture_folder, name)
            await self._known.look("capture", str(captured.absolute()))
        self._log.record()
        self._begun = _Begun(name, self._record.now_s(), self._known.now(), captured)

    async def stop(self, *, relay_is_gone: bool = False) -> list[dict[str, Any]]:
        """End it, and return for each client where it was saved.

        Parameters
        ----------
        relay_is_gone
            Whether the relay tells nothing any more; then what it told last counts.

        Raises
        ------
        InvalidInputError
            If there is none.
        SimlabError
            If it could not be saved, for any client; it says where what was recorded is.
        """
        if self._begun is None:
            raise InvalidInputError(["stop_recording: no recording is under way"])
        begun, self._begun = self._begun, None
        if not relay_is_gone:
            await self._known.look("clients" if begun.captured is None else "end_capture")
        # All of one moment: more is known of the clients while the captures are written.
        until_s, events, after = self._record.now_s(), self._log.recorded(), dict(self._known.last)
        lost = None
        if begun.captured is not None and not relay_is_gone:
            lost = await self._relay.ask("close_capture")
        recording = Recording(
            begun.name,
            self._upstream,
            begun.from_s,
            until_s,
            events,
            begun.before,
            after,
            tuple(self._chronicle.happenings),
            tuple(self._chronicle.settled),
            None if lost is None else {int(number): packets for number, packets in lost.items()},
        )
        return await asyncio.to_thread(self._save_all, recording, begun.captured)

    def _save_all(self, recording: Recording, captured: Path | None) -> list[dict[str, Any]]:
        folders: list[dict[str, Any]] = []
        faults: list[str] = []
        for client in recording.clients:
            own = None if captured is None else captured / str(client)
            packets = own if own is not None and own.is_dir() else None
            try:
                folder = self._save(*recording.session(client), packets)
            except SimlabError as error:  # the others may be smaller
                faults.append(f"client {client}: {error}")
            else:
                folders.append({"client": client, "folder": folder})
        if faults:
            saved = [f"client {one['client']} is saved in {one['folder']}" for one in folders]
            raise SimlabError("\n".join([*faults, *saved]))
        if captured is not None:
            shutil.rmtree(captured)  # what is left is of clients of whom nothing was seen
        return folders
