"""Exact distributions of counts: how many of n packets are lost, whatever chain decides about them.

The count's characteristic function is a product of small matrices, one for each packet, taken at the n + 1
roots of unity; its Fourier transform is the distribution itself. So no normal approximation is needed, which
would be wrong in the tails of bursty loss, and nothing but numpy.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_Complexes = npt.NDArray[np.complex128]

_FEW_STEPS = 16
"""Up to so many packets in a row, one by one is faster than by squaring."""


@dataclass(frozen=True)
class Chain:
    """A Markov chain that moves before each packet, and what each of its states does.

    Parameters
    ----------
    moves : shape (k, k)
        Chance to go from a state (row) to another (column).
    counts : shape (k,)
        Chance of a packet to count in each state.
    start : shape (k,)
        Chance of each state before the first packet.
    """

    moves: Floats
    counts: Floats
    start: Floats

    def settled(self) -> Floats:
        """Return the chances of the states in the long run."""
        k = len(self.start)
        equations = np.vstack([self.moves.T - np.eye(k), np.ones(k)])
        shares: Floats = np.linalg.lstsq(equations, np.append(np.zeros(k), 1.0), rcond=None)[0]
        return shares


@dataclass(frozen=True)
class Stretch:
    """Packets in a row: ``runs`` says how many were looked at, then how many were not, and so on in turns."""

    start: Floats
    runs: Sequence[int]


def _roots(count: int) -> _Complexes:
    roots: _Complexes = np.exp(2j * np.pi * np.arange(count + 1) / (count + 1))
    return roots


def _distribution(values: _Complexes) -> Floats:
    chances: Floats = np.fft.fft(values).real / len(values)
    return np.clip(chances, 0.0, None)


def independent(groups: Iterable[tuple[float, int]]) -> Floats:
    """Return the distribution of a count of independent events.

    Parameters
    ----------
    groups
        A chance, and how many events have it.

    Returns
    -------
    array, shape (n + 1,)
        The chance of each count from 0 to n.
    """
    groups = list(groups)
    roots = _roots(sum(number for _, number in groups))
    values = np.ones_like(roots)
    for chance, number in groups:
        values *= (1 - chance + chance * roots) ** number
    return _distribution(values)


def along(chain: Chain, stretches: Sequence[Stretch]) -> Floats:
    """Return the distribution of how many of the packets looked at count, shape (n + 1,)."""
    roots = _roots(sum(sum(stretch.runs[::2]) for stretch in stretches))
    weights = 1 - chain.counts + chain.counts * roots[:, None]
    looked = chain.moves * weights[:, None, :]
    unseen = np.broadcast_to(chain.moves, (1, *chain.moves.shape))
    values = np.ones_like(roots)
    for stretch in stretches:
        at: _Complexes = np.broadcast_to(stretch.start.astype(complex), (len(roots), len(stretch.start)))
        for number, run in enumerate(stretch.runs):
            at = _go(at, unseen if number % 2 else looked, run)
        values *= at.sum(axis=1)
    return _distribution(values)


def _go(at: _Complexes, moves: npt.NDArray[np.complex128] | Floats, steps: int) -> _Complexes:
    if steps <= _FEW_STEPS:
        for _ in range(steps):
            at = np.einsum("mi,mij->mj", at, np.broadcast_to(moves, (len(at), *moves.shape[1:])))
        return at
    power = np.linalg.matrix_power(moves, steps)
    stepped: _Complexes = np.einsum("mi,mij->mj", at, np.broadcast_to(power, (len(at), *power.shape[1:])))
    return stepped


def over_time(chain_of: Sequence[Floats], counts: Floats, start: Floats) -> Floats:
    """Return the distribution of a count where each packet has moves of its own, shape (n + 1,).

    Parameters
    ----------
    chain_of
        The moves before each packet.
    counts
        Chance of a packet to count in each state.
    start
        Chance of each state before the first packet.
    """
    roots = _roots(len(chain_of))
    weights = 1 - counts + counts * roots[:, None]
    at: _Complexes = np.broadcast_to(start.astype(complex), (len(roots), len(start)))
    for moves in chain_of:
        at = (at @ moves) * weights
    return _distribution(at.sum(axis=1))


def interval(chances: Floats, level: float) -> tuple[int, int]:
    """Return the lowest and the highest count that are not too rare.

    A lower one, and a higher one, each have a chance of ``level / 2`` at most.
    """
    below = np.cumsum(chances)
    above = np.cumsum(chances[::-1])[::-1]
    low = int(np.argmax(below > level / 2))
    high = len(chances) - 1 - int(np.argmax(above[::-1] > level / 2))
    return low, high
