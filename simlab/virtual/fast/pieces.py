"""All the pieces."""

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from types import ModuleType

from simlab.virtual.fast.piece import Piece

_PACKAGE = "simlab.virtual.fast"
_MODULES = (
    "ice",
    "dtls",
    "sctp_packets",
    "sctp",
    "channels",
    "srtp",
    "srtp_out",
    "rtp",
    "jitter",
    "rtp_audio",
)
_CLOCK = "rtp_clock"


def pieces(time_ns: Callable[[], int]) -> tuple[Piece, ...]:
    """Return the pieces for a session.

    Parameters
    ----------
    time_ns
        Returns the virtual wall time in nanoseconds since 1970.
    """
    clock = _loaded(_CLOCK)
    return (*_constant(), _unfit(_CLOCK) if clock is None else clock.piece(time_ns))


def _constant() -> Iterator[Piece]:
    for name in _MODULES:
        module = _loaded(name)
        yield _unfit(name) if module is None else module.PIECE


@cache  # a module that fails would be tried anew for each session
def _loaded(name: str) -> ModuleType | None:
    """Return a module of pieces; None where the libraries have not even what it is about."""
    try:
        return import_module(f"{_PACKAGE}.{name}")
    except (ImportError, AttributeError):
        return None


def _unfit(name: str) -> Piece:
    return Piece(name, (), ())
