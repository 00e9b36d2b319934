"""Network impairment and reconnection simulator for WebRTC, under a real and a virtual clock.

``run`` runs a session and gives a ``Run``, ``sweep`` runs many and gives a ``Study``; ``open`` opens
either again; ``compare`` says what became better or worse between two studies. ``hunt`` searches for the
simplest fault that breaks something. ``nightly`` runs a suite, and ``trend`` opens the nights before.
``Relay`` and ``AsyncRelay`` are the UDP relay alone, under remote control. Wrong arguments are an
``InvalidInputError`` that says what is wrong with all of them; each error of simlab's is a ``SimlabError``.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simlab.batch.compare import Compared, compare
    from simlab.batch.door import open_saved as open  # noqa: A004 - it is called simlab.open
    from simlab.batch.door import run
    from simlab.batch.door_hunt import Hunted, hunt
    from simlab.batch.door_nightly import nightly
    from simlab.batch.door_sweep import sweep
    from simlab.batch.night_begun import NightNotSavedError
    from simlab.batch.relay import AsyncRelay, Relay
    from simlab.batch.result import Run
    from simlab.batch.study import Study
    from simlab.batch.trend import Trend
    from simlab.batch.trend import open_trend as trend
    from simlab.core.errors import InvalidInputError, SessionFailedError, SimlabError, VirtualClockWarning
    from simlab.study.night import Night

__all__ = [
    "AsyncRelay",
    "Compared",
    "Hunted",
    "InvalidInputError",
    "Night",
    "NightNotSavedError",
    "Relay",
    "Run",
    "SessionFailedError",
    "SimlabError",
    "Study",
    "Trend",
    "VirtualClockWarning",
    "compare",
    "hunt",
    "nightly",
    "open",
    "run",
    "sweep",
    "trend",
]

_WHERE = {
    "AsyncRelay": ("simlab.batch.relay", "AsyncRelay"),
    "Compared": ("simlab.batch.compare", "Compared"),
    "Hunted": ("simlab.batch.door_hunt", "Hunted"),
    "InvalidInputError": ("simlab.core.errors", "InvalidInputError"),
    "Night": ("simlab.study.night", "Night"),
    "NightNotSavedError": ("simlab.batch.night_begun", "NightNotSavedError"),
    "Relay": ("simlab.batch.relay", "Relay"),
    "Run": ("simlab.batch.result", "Run"),
    "SessionFailedError": ("simlab.core.errors", "SessionFailedError"),
    "SimlabError": ("simlab.core.errors", "SimlabError"),
    "Study": ("simlab.batch.study", "Study"),
    "Trend": ("simlab.batch.trend", "Trend"),
    "VirtualClockWarning": ("simlab.core.errors", "VirtualClockWarning"),
    "compare": ("simlab.batch.compare", "compare"),
    "hunt": ("simlab.batch.door_hunt", "hunt"),
    "nightly": ("simlab.batch.door_nightly", "nightly"),
    "open": ("simlab.batch.door", "open_saved"),
    "run": ("simlab.batch.door", "run"),
    "sweep": ("simlab.batch.door_sweep", "sweep"),
    "trend": ("simlab.batch.trend", "open_trend"),
}


def __getattr__(name: str) -> Any:
    # What these need takes a second to import, and `simlab --help` needs none of it.
    if name not in _WHERE:
        raise AttributeError(f"module 'simlab' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _WHERE[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
