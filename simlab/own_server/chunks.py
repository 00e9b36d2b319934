"""How long SCTP's chunks are: Pipecat changes it for the whole process when it is imported.

What a session does must not depend on who was imported before it, so each has the length that it would have
in a process of its own.
"""

import sys
from collections.abc import Iterable
from types import ModuleType

from aiortc import rtcsctptransport

_PIPECAT = "pipecat.transports.smallwebrtc.connection"

# To be imported before Pipecat.
own_bytes = rtcsctptransport.USERDATA_MAX_LENGTH

_wanted: dict[str, int] = {}


def put_back() -> None:
    """Make it what it was before, for sessions without Pipecat."""
    rtcsctptransport.USERDATA_MAX_LENGTH = own_bytes


def take_over(length_bytes: int) -> None:
    """Make it what Pipecat wants."""
    rtcsctptransport.USERDATA_MAX_LENGTH = length_bytes


def take_over_for(name: str) -> None:
    """Make it what an application or a client of the user's own wants, by all that is known of it."""
    if name in _wanted:
        take_over(_wanted[name])


def note(name: str, modules: Iterable[ModuleType]) -> None:
    """Remember what it has been made for an application or a client, and put it back.

    Parameters
    ----------
    modules
        Those of the user's own. Pipecat changes nothing where it has been imported before, so all of them
        that have something of it count as if they had imported it first.
    """
    wanted = rtcsctptransport.USERDATA_MAX_LENGTH
    pipecat = sys.modules.get(_PIPECAT)
    if wanted == own_bytes and pipecat is not None and any(map(_has_pipecat, modules)):
        wanted = getattr(pipecat, "_sctp_max_chunk_size", own_bytes)
    if wanted != own_bytes:
        _wanted[name] = wanted
    put_back()


def _has_pipecat(module: ModuleType) -> bool:
    names = (
        getattr(value, "__module__", None) or getattr(value, "__name__", "")
        for value in vars(module).values()
    )
    return any(isinstance(name, str) and name.partition(".")[0] == "pipecat" for name in names)
