"""How numba compiles the functions of this folder, and what the next process finds of that.

Numba looks at a function's own file alone to see whether what it has kept is out of date, and misses a
function or a number that comes from another (https://github.com/numba/numba/issues/1833). So the name under
which it keeps something stands for the text of all of these files.
"""

from hashlib import blake2b
from pathlib import Path
from typing import Any

from numba import njit

from simlab.core.impair import rate
from simlab.live.udp import tally

NUMBERS_FROM = rate, tally
"""The modules elsewhere whose numbers are compiled in."""


def part(function: Any) -> Any:
    """Compile what nothing but compiled functions call: it becomes a part of them."""
    # Without counting who uses an array, which is 0.3 us of a core for each packet: all of them stay.
    return njit(nogil=True, _nrt=False)(function)  # type: ignore[call-overload]


def kept(function: Any) -> Any:
    """Compile what Python calls, and keep it for the next process, until one of the files has changed."""
    function.__qualname__ += f"_{_DIGEST}"
    return njit(cache=True, nogil=True, _nrt=False)(function)  # type: ignore[call-overload]


def _digest() -> str:
    elsewhere = [Path(str(module.__file__)) for module in NUMBERS_FROM]
    paths = sorted(Path(__file__).parent.glob("*.py")) + elsewhere
    return blake2b(b"".join(path.read_bytes() for path in paths), digest_size=8).hexdigest()


_DIGEST = _digest()
