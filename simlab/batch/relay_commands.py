"""The commands of a relay and of an intercept, as both of their clients have them."""

import json
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import Any

from simlab.batch.arguments import check
from simlab.core.errors import InvalidInputError, SessionFailedError

_NOTHING: Mapping[str, Any] = {}


class RelayCommands:
    """Each command returns its answer; with ``AsyncRelay``, an awaitable of it."""

    def _do(self, name: str, given: Mapping[str, Any]) -> Any:
        raise NotImplementedError

    def do(self, name: str, **given: Any) -> Any:
        """Carry out any command by its name."""
        return self._do(name, given)

    def status(self) -> Any:
        """Return where it listens and what profile it plays: a dict."""
        return self._do("status", {})

    def stats(self) -> Any:
        """Return what it has carried: a dict with ``clients``, and for ``up`` and ``down`` a dict each."""
        return self._do("stats", {})

    def clients(self) -> Any:
        """Return a dict for each client that has a mapping."""
        return self._do("clients", {})

    def settings(self) -> Any:
        """Return the ``[link]`` table that says what the links do."""
        return self._do("settings", {})

    def set(self, key: str | Mapping[str, Any], value: Any = None) -> Any:
        """Change settings of the link, all of them or, if one is wrong, none.

        Parameters
        ----------
        key
            A dotted key, such as ``"link.up.loss"``; or a dict of several, with their values.
        value
            As a profile would have it; None takes the key away.
        """
        return self._do("set", {key: value} if isinstance(key, str) else key)

    def fault(self, kind: str, **keys: Any) -> Any:
        """Let a fault begin: keys as in a profile's ``[[fault]]``, with ``for_`` for ``for``."""
        return self._do("fault", _given(kind=kind, **keys))

    def blackout(
        self, for_: str | None = None, direction: str | None = None, client: int | None = None
    ) -> Any:
        """Let nothing through, for a time (``"5s"``) or until ``clear``; at an intercept, for one client."""
        return self._do("blackout", _given(for_=for_, direction=direction, client=client))

    def block(
        self,
        match: Sequence[str] = ("stun",),
        for_: str | None = None,
        direction: str | None = None,
        client: int | None = None,
    ) -> Any:
        """Let nothing of some packet classes through."""
        return self._do("block", _given(match=list(match), for_=for_, direction=direction, client=client))

    def clear(self, number: int | None = None) -> Any:
        """End a fault that a command has begun, or all of them."""
        return self._do("clear", _given(number=number))

    def rebind(self, what: str | None = None, client: int | None = None) -> Any:
        """Let the target see every client from another port, or with ``"address"`` from another address."""
        return self._do("rebind", _given(what=what, client=client))

    def pause(self, for_: str | None = None, direction: str | None = None, client: int | None = None) -> Any:
        """Hold all packets, for a time or until ``resume``."""
        return self._do("pause", _given(for_=for_, direction=direction, client=client))

    def resume(self, direction: str | None = None, client: int | None = None) -> Any:
        """Let go of what is held."""
        return self._do("resume", _given(direction=direction, client=client))

    def signalling(self, how: str, for_: str | None = None, method: str | None = None) -> Any:
        """Break the signalling of an intercept, with ``how`` as in a profile."""
        return self._do("signalling", _given(how=how, for_=for_, method=method))

    def record(self, name: str = "intercept") -> Any:
        """Begin a recording of an intercept."""
        return self._do("record", {"name": name})

    def stop_recording(self) -> Any:
        """End it, and return where it was saved: ``folders``, each with ``client`` and ``folder``."""
        return self._do("stop_recording", {})

    def load(self, profile: str | PathLike[str], set: Mapping[str, Any] = _NOTHING) -> Any:  # noqa: A002
        """Begin with another profile, a file or a name; return its name, its seed, and what is left out."""
        from simlab.batch.door import texts

        check(profile=profile, set=set)
        return self._do("load", profile_given(fspath(profile), texts(set)))


def profile_given(name: str, overrides: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of ``load`` for a profile of this machine, checked.

    Raises
    ------
    InvalidInputError
        If it cannot be read, or is wrong.
    """
    import tomli_w

    from simlab.batch.scenarios import load_file

    return {"toml": tomli_w.dumps(load_file(name, overrides).to_toml()), "name": name}


def request(name: str, given: Mapping[str, Any]) -> bytes:
    """Return a command as a line."""
    return json.dumps({"id": 0, "do": name, "with": given}).encode() + b"\n"


def answer_of(line: bytes) -> Any:
    """Return the answer in a line.

    Raises
    ------
    InvalidInputError
        If it is a refusal.
    SessionFailedError
        If there is none.
    """
    if not line.endswith(b"\n"):
        raise SessionFailedError("control", "the relay has hung up")
    message = json.loads(line)
    if "faults" in message:
        raise InvalidInputError(message["faults"])
    return message["answer"]


def _given(**arguments: Any) -> dict[str, Any]:
    """Return the arguments that were given; ``for`` is a keyword of Python, so it is ``for_`` there."""
    return {key.rstrip("_"): value for key, value in arguments.items() if value is not None}
