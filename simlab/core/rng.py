"""Named random streams: everything random in a session comes from one seed, by name."""

import hashlib
from collections.abc import Iterator

import numpy as np

_BLOCK = 256
_SKIP_BLOCK = 65_536


def stream(seed: int, *path: str) -> np.random.Generator:
    """Return the random stream of that name.

    Streams of different names are independent, so a new one never shifts an old one. The name is
    hashed with BLAKE2b, since Python's own ``hash`` of a string differs from process to process.

    Parameters
    ----------
    seed
        The seed of the scenario, 0 or more.
    path
        The name, from the general to the particular: ``"link", "up", "loss"``.

    Raises
    ------
    ValueError
        If the seed is negative.
    """
    digest = hashlib.blake2b("/".join(path).encode(), digest_size=16).digest()
    key = tuple(np.frombuffer(digest, dtype="<u4").tolist())
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def uniforms(generator: np.random.Generator, skip: int = 0) -> Iterator[float]:
    """Yield numbers from U[0, 1), the same that ``generator.random()`` would give one by one.

    They are drawn in blocks, which is about ten times faster than one call for each.

    Parameters
    ----------
    skip
        How many numbers not to yield, first. However many they are, that takes no time.
    """
    generator.bit_generator.advance(skip)  # type: ignore[attr-defined]  # a PCG64, one step for a number
    while True:
        yield from generator.random(_BLOCK).tolist()


def normals(generator: np.random.Generator, skip: int = 0) -> Iterator[float]:
    """Yield numbers from N(0, 1), drawn in blocks.

    Parameters
    ----------
    skip
        How many numbers not to yield, first. They are drawn: how many steps each takes is chance, too.
    """
    while skip:
        skip -= len(generator.standard_normal(min(skip, _SKIP_BLOCK)))
    while True:
        yield from generator.standard_normal(_BLOCK).tolist()
