"""The random numbers of a stage, by the number of the packet that they are for."""

from collections.abc import Iterator

from simlab.core.packet import Direction
from simlab.core.rng import normals, stream, uniforms


class Draws:
    """One number for each packet of a link, whether or not the packet gets as far as the stage.

    A copy of a packet takes its number from a stream of its own, so copies shift nothing either.

    Parameters
    ----------
    values
        The number of packet 0, of packet 1 and so on.
    spare
        The numbers of copies, in the order in which they come.
    """

    __slots__ = ("_next_seq", "_spare", "_values")

    def __init__(self, values: Iterator[float], spare: Iterator[float]) -> None:
        self._values = values
        self._spare = spare
        self._next_seq = 0

    def of(self, seq: int) -> float:
        """Return the number of a packet; the second time for the same packet, a copy's.

        Parameters
        ----------
        seq
            The packet's number in its link; never less than in an earlier call.
        """
        if seq < self._next_seq:
            return next(self._spare)
        for _ in range(seq - self._next_seq):
            next(self._values)
        self._next_seq = seq + 1
        return next(self._values)


def uniform_draws(seed: int, direction: Direction, stage: str) -> Draws:
    """Return a stage's draws from U[0, 1).

    Raises
    ------
    ValueError
        If the seed is negative.
    """
    return Draws(
        uniforms(stream(seed, "link", direction, stage)),
        uniforms(stream(seed, "link", direction, stage, "copy")),
    )


def normal_draws(seed: int, direction: Direction, stage: str) -> Draws:
    """Return a stage's draws from N(0, 1).

    Raises
    ------
    ValueError
        If the seed is negative.
    """
    return Draws(
        normals(stream(seed, "link", direction, stage)),
        normals(stream(seed, "link", direction, stage, "copy")),
    )
