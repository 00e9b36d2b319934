"""A piece of a library written again, faster, and whether it fits the version that is installed."""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from simlab.virtual.replace import replaced

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Piece:
    """Functions that do what the library's own do, with fewer calls.

    Parameters
    ----------
    name
        What it speeds up.
    written_for
        The modules that it was written against, each with the fingerprints of its sources, one for
        each of the versions in which it does what they do; a piece for none fits nowhere.
    routes
        What is replaced: the owner, the name in it, and what takes its place.
    """

    name: str
    written_for: tuple[tuple[ModuleType, *tuple[str, ...]], ...]
    routes: tuple[tuple[object, str, Any], ...]

    @property
    def fits(self) -> bool:
        """Whether every module is of a version that it was written against."""
        return bool(self.written_for) and not self.strangers

    @property
    def strangers(self) -> tuple[str, ...]:
        """The names of the modules of a version that it was not written against."""
        return tuple(
            module.__name__ for module, *known in self.written_for if fingerprint(module) not in known
        )

    @property
    def is_traced(self) -> bool:
        """Whether somebody wants the library's debugging messages, which the piece does not write."""
        return any(
            logging.getLogger(module.__name__).isEnabledFor(logging.DEBUG) for module, *_ in self.written_for
        )


@cache
def fingerprint(module: ModuleType) -> str:
    """Return what a module's source is known by; nothing if there is no source."""
    try:
        # inspect would keep every line of it for as long as the process lives.
        source = module.__spec__.loader.get_source(module.__name__)  # type: ignore[union-attr]
    except (AttributeError, ImportError):
        return ""
    return "" if source is None else hashlib.blake2b(source.encode(), digest_size=8).hexdigest()


@contextmanager
def in_place(pieces: Iterable[Piece]) -> Iterator[None]:
    """Let the pieces that fit stand in for as long as the context lasts; any other changes nothing.

    What does not fit is logged, at INFO.
    """
    with ExitStack() as stack:
        for piece in pieces:
            if not piece.fits:
                _tell_of(piece.name, piece.strangers)
            elif not piece.is_traced:
                for owner, name, route in piece.routes:
                    stack.enter_context(replaced(owner, name, route))
        yield


@cache  # once in a process, not for each session
def _tell_of(name: str, strangers: tuple[str, ...]) -> None:
    written_for = f"not written for these versions of {', '.join(strangers)}"
    reason = written_for if strangers else "the libraries lack what it replaces"
    logger.info("sessions are slower without the piece %r: %s", name, reason)
