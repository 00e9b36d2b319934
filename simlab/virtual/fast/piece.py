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


@dataclass(frozen=True)
class Piece:
    """Functions that do what the library's own do, with fewer calls.

    Parameters
    ----------
    name
        What it speeds up.
    written_for
        The modules that it was written against, each with the fingerprint of its source; a piece
        for none fits nowhere.
    routes
        What is replaced: the owner, the name in it, and what takes its place.
    """

    name: str
    written_for: tuple[tuple[ModuleType, str], ...]
    routes: tuple[tuple[object, str, Any], ...]

    @property
    def fits(self) -> bool:
        """Whether the library is the very one that it was written against."""
        sources = self.written_for
        return bool(sources) and all(fingerprint(module) == expected for module, expected in sources)

    @property
    def is_traced(self) -> bool:
        """Whether somebody wants the library's debugging messages, which the piece does not write."""
        return any(
            logging.getLogger(module.__name__).isEnabledFor(logging.DEBUG) for module, _ in self.written_for
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
    """Let the pieces that fit stand in for as long as the context lasts; any other changes nothing."""
    with ExitStack() as stack:
        for piece in pieces:
            if piece.fits and not piece.is_traced:
                for owner, name, route in piece.routes:
                    stack.enter_context(replaced(owner, name, route))
        yield
