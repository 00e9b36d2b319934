"""What Pipecat changes for the whole process when it is imported: asyncio's and aiortc's, for everybody.

It makes SCTP's chunks shorter and, before Python 3.12, ``asyncio.wait_for`` another one. What a session does
must not depend on who was imported before it, so each has what it would have in a process of its own.
"""

import asyncio
import sys
from asyncio.tasks import wait_for
from collections.abc import Collection, Iterable, Iterator
from types import ModuleType
from typing import Any

from aiortc import rtcsctptransport

_CONNECTION = "pipecat.transports.smallwebrtc.connection"

PLACES: tuple[tuple[ModuleType, str], ...] = (
    (rtcsctptransport, "USERDATA_MAX_LENGTH"),
    (asyncio, "wait_for"),
)
# To be imported before Pipecat.
OWN: tuple[Any, ...] = (rtcsctptransport.USERDATA_MAX_LENGTH, wait_for)
"""What is in these places without Pipecat."""

_wanted: dict[str, tuple[Any, ...]] = {}


def put_back() -> None:
    """Make everything what it was before, for sessions without Pipecat."""
    _put(OWN)


def take_over() -> None:
    """Make everything what Pipecat, which has been imported, wants."""
    _put(_of_pipecat())


def take_over_for(name: str) -> None:
    """Make everything what an application or a client of the user's own wants, by all that is known of it."""
    if name in _wanted:
        _put(_wanted[name])


def note(name: str, modules: Iterable[ModuleType]) -> None:
    """Remember what has been changed for an application or a client, and put it back.

    Parameters
    ----------
    modules
        Those of the user's own. Pipecat changes nothing where it has been imported before, so all of them
        that have something of it count as if they had imported it first.
    """
    found = tuple(getattr(owner, attribute) for owner, attribute in PLACES)
    if found == OWN and any(map(_has_pipecat, modules)):
        found = _of_pipecat()
    if found != OWN:
        _wanted[name] = found
    put_back()


def reached(module: ModuleType, own: Collection[str]) -> list[ModuleType]:
    """Return a module and those that it has something of, directly or by others.

    An application of an earlier session may be beside it in its folder, and have imported Pipecat.

    Parameters
    ----------
    own
        The names of those that count.
    """
    names, found = [module.__name__], [module]
    for one in found:
        for other in sorted(set(own).difference(names).intersection(_used_by(one, own))):
            names.append(other)
            found.append(sys.modules[other])
    return found


def _used_by(module: ModuleType, own: Collection[str]) -> Iterator[str]:
    for value in list(vars(module).values()):
        if not isinstance(value, ModuleType):
            name = getattr(value, "__module__", None)
            yield name if isinstance(name, str) else ""
            continue
        yield value.__name__
        if hasattr(value, "__path__"):  # `import package.one` binds the package
            yield from (name for name in own if name.startswith(f"{value.__name__}."))


def _put(values: tuple[Any, ...]) -> None:
    for (owner, attribute), value in zip(PLACES, values, strict=True):
        setattr(owner, attribute, value)


def _of_pipecat() -> tuple[Any, ...]:
    length, wait = OWN
    other = sys.modules.get("wait_for2") if sys.version_info < (3, 12) else None
    length = getattr(sys.modules.get(_CONNECTION), "_sctp_max_chunk_size", length)
    return length, getattr(other, "wait_for", wait)


def _has_pipecat(module: ModuleType) -> bool:
    names = (
        getattr(value, "__module__", None) or getattr(value, "__name__", "")
        for value in vars(module).values()
    )
    return any(isinstance(name, str) and name.partition(".")[0] == "pipecat" for name in names)
