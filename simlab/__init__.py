"""Network impairment and reconnection simulator for WebRTC, under a real and a virtual clock.

``run`` runs a session and gives a ``Run``, ``sweep`` runs many and gives a ``Study``; ``open`` opens
either again; ``compare`` says what became better or worse between two studies. ``nightly`` runs a suite,
and ``trend`` opens the nights before. ``Relay`` and ``AsyncRelay`` are the UDP relay alone, under remote
control.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simlab.batch.compare import compare
    from simlab.batch.door import open_saved as open  # noqa: A004 - it is called simlab.open
    from simlab.batch.door import run
    from simlab.batch.door_nightly import nightly
    from simlab.batch.door_sweep import sweep
    from simlab.batch.relay import AsyncRelay, Relay
    from simlab.batch.result import Run
    from simlab.batch.study import Study
    from simlab.batch.trend import open_trend as trend
    from simlab.core.errors import VirtualClockWarning

__all__ = [
    "AsyncRelay",
    "Relay",
    "Run",
    "Study",
    "VirtualClockWarning",
    "compare",
    "nightly",
    "open",
    "run",
    "sweep",
    "trend",
]

_WHERE = {
    "AsyncRelay": ("simlab.batch.relay", "AsyncRelay"),
    "Relay": ("simlab.batch.relay", "Relay"),
    "Run": ("simlab.batch.result", "Run"),
    "VirtualClockWarning": ("simlab.core.errors", "VirtualClockWarning"),
    "compare": ("simlab.batch.compare", "compare"),
    "open": ("simlab.batch.door", "open_saved"),
    "Study": ("simlab.batch.study", "Study"),
    "run": ("simlab.batch.door", "run"),
    "nightly": ("simlab.batch.door_nightly", "nightly"),
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
    return [*globals(), *__all__]
