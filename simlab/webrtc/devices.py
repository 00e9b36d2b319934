"""The state of microphone and camera, which is apart from the transport's."""

from collections.abc import Callable, Collection, Mapping

MediaState = Mapping[str, str]
"""For ``"mic"`` and ``"cam"``: ``uninitialized``, ``initializing``, ``granted`` or ``error``."""

_KINDS = ("mic", "cam")


class Devices:
    """Keep the states of the devices, and tell of every change.

    Parameters
    ----------
    changed
        Called with the new states.

    Source: client.ts of @pipecat-ai/client-js 1.13.1, ``initDevices`` and ``needsInit``.
    """

    def __init__(self, changed: Callable[[MediaState], None]) -> None:
        self._changed = changed
        self._state = dict.fromkeys(_KINDS, "uninitialized")

    @property
    def state(self) -> MediaState:
        """The states, as they are now."""
        return dict(self._state)

    def need_to_be_made_ready(self, wanted: Collection[str]) -> bool:
        """Tell whether any of the wanted devices was never asked for."""
        return any(self._state[kind] == "uninitialized" for kind in wanted)

    def ask(self) -> None:
        """Take in that both are asked for."""
        self._set(dict.fromkeys(_KINDS, "initializing"))

    def grant(self, kinds: Collection[str]) -> None:
        """Take in that the media manager has got some."""
        self._set(dict.fromkeys(kinds, "granted"))

    def settle(self, failed: bool = False) -> None:
        """Take in that it is done: those that it has not got were not asked for, or have failed."""
        self._set(dict.fromkeys(self._lingering(), "error" if failed else "uninitialized"))

    def _lingering(self) -> list[str]:
        return [kind for kind in _KINDS if self._state[kind] == "initializing"]

    def _set(self, changes: Mapping[str, str]) -> None:
        if any(self._state[kind] != state for kind, state in changes.items()):
            self._state.update(changes)
            self._changed(self.state)
