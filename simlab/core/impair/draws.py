"""The random numbers of a stage: a stream for each packet class, by the number of the packet in its class.

So the fourth consent check of a session meets the same luck whatever else was sent before it, and two
policies that send different packets meet the same luck as far as they send the same ones.
"""

from collections.abc import Callable, Iterator

import numpy as np

from simlab.core.packet import Direction, Packet, PacketClass
from simlab.core.rng import normals, stream, uniforms

Reader = Callable[[np.random.Generator, int], Iterator[float]]
"""Turns a stream into numbers, without the first so many."""


class _Lane:
    """The numbers of one class."""

    __slots__ = ("next_nth", "spare", "value")

    def __init__(self, values: Iterator[float], spare: Iterator[float], next_nth: int) -> None:
        self.value = values.__next__
        self.spare = spare.__next__
        self.next_nth = next_nth


class Draws:
    """One number for each packet of a link, whether or not the packet gets as far as the stage.

    A copy of a packet takes its number from a stream of its own, so copies shift nothing either.

    Parameters
    ----------
    open_stream
        Returns the stream below a path: the class, and ``"copy"`` for copies.
    read
        Turns a stream into numbers.
    """

    __slots__ = ("_lanes", "_open_stream", "_read")

    def __init__(self, open_stream: Callable[..., np.random.Generator], read: Reader) -> None:
        self._open_stream = open_stream
        self._read = read
        self._lanes: dict[PacketClass, _Lane] = {}

    def of(self, packet: Packet) -> float:
        """Return the number of a packet; the second time for the same packet, a copy's.

        Within a class, packets come in the order of their numbers.
        """
        lane = self._lanes.get(packet.kind)
        if lane is None:
            lane = self._open(packet.kind, packet.nth)
        nth = packet.nth
        if nth == lane.next_nth:
            lane.next_nth = nth + 1
            return lane.value()
        return _skip(lane, nth)

    def ahead(self, kind: PacketClass, nth: int, number: int) -> np.ndarray:
        """Return the numbers of so many packets of a class, from the ``nth`` on, and take none."""
        return np.fromiter(self._read(self._open_stream(kind.value), nth), np.float64, number)

    def _open(self, kind: PacketClass, nth: int) -> _Lane:
        """Begin at the packet that comes first: a stage that joins a relay after an hour skips millions."""
        values = self._read(self._open_stream(kind.value), nth)
        spare = self._read(self._open_stream(kind.value, "copy"), 0)
        lane = self._lanes[kind] = _Lane(values, spare, nth)
        return lane


def _skip(lane: _Lane, nth: int) -> float:
    if nth < lane.next_nth:
        return lane.spare()
    for _ in range(nth - lane.next_nth):
        lane.value()
    lane.next_nth = nth + 1
    return lane.value()


def _opener(seed: int, direction: Direction, stage: str) -> Callable[..., np.random.Generator]:
    stream(seed, "check")  # a negative seed is refused now, not with the first packet
    return lambda *below: stream(seed, "link", direction, stage, *below)


def uniform_draws(seed: int, direction: Direction, stage: str) -> Draws:
    """Return a stage's draws from U[0, 1).

    Raises
    ------
    ValueError
        If the seed is negative.
    """
    return Draws(_opener(seed, direction, stage), uniforms)


def normal_draws(seed: int, direction: Direction, stage: str) -> Draws:
    """Return a stage's draws from N(0, 1).

    Raises
    ------
    ValueError
        If the seed is negative.
    """
    return Draws(_opener(seed, direction, stage), normals)


def chain_uniforms(seed: int, direction: Direction, stage: str, *below: str) -> Iterator[float]:
    """Return the numbers from U[0, 1) of a chain that all packets of a link move.

    Raises
    ------
    ValueError
        If the seed is negative.
    """
    return uniforms(stream(seed, "link", direction, stage, "chain", *below))


def chain_normals(seed: int, direction: Direction, stage: str, *below: str) -> Iterator[float]:
    """Return the numbers from N(0, 1) of a chain that all packets of a link move.

    Raises
    ------
    ValueError
        If the seed is negative.
    """
    return normals(stream(seed, "link", direction, stage, "chain", *below))
