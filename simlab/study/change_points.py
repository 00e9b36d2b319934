"""At which nights a series of nights changed: circular binary segmentation, judged by permutations."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simlab.study.alarms import sampled_p

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.intp]

_TINY = 1e-9
_DRAWS = 2  # random arrangements at most, times 1 / alpha


@dataclass(frozen=True)
class ChangePoint:
    """Where a series changed.

    Parameters
    ----------
    night
        The index of the first night that was so.
    p
        The chance of a change as plain as the one that it was found with, anywhere, if there is none.
    """

    night: int
    p: float


def change_points(
    nights: Sequence[npt.ArrayLike], alpha: float, draws: np.random.Generator, *, matched: bool = False
) -> list[ChangePoint]:
    """Return where the mean of a series changed, in order.

    Takes the stretch of nights, at an end or in the middle, whose mean is farthest from that of all others,
    tells by random arrangements of the sessions whether chance alone makes one as far, and goes on in each
    part. In the end, what does not part the nights before it from those behind is left out.

    Parameters
    ----------
    nights
        Of each night, the values of its sessions, at least one.
    alpha
        The chance of any change in a series without one, at most.
    matched
        Whether all nights have the sessions of the same seeds, in the same order: a value could as well be
        that of another night then, but of its own seed alone.

    Source: Olshen, Venkatraman, Lucito and Wigler (2004), Biostatistics 5(4), 557-572.
    """
    rows = [np.asarray(night, dtype=float) for night in nights]

    def part(first: int, end: int) -> Part:
        return Part(rows[first:end], alpha, draws, matched=matched)

    found = sorted(_found(part, 0, len(rows)), key=lambda one: one.night)
    while found:
        edges = [0, *(one.night for one in found), len(rows)]
        sides = zip(edges, edges[1:], edges[2:], strict=False)
        chances = [part(first, end).p_of_cut(cut - first) for first, cut, end in sides]
        if max(chances) <= alpha:
            break
        del found[int(np.argmax(chances))]
    return found


def _found(part: "Callable[[int, int], Part]", first: int, end: int) -> Iterator[ChangePoint]:
    """Yield where the nights from ``first`` until ``end`` changed, in no order."""
    if end - first < 2:
        return
    here = part(first, end)
    p, start, stop = here.p_of_stretch()
    if p > here.alpha:
        return
    inner = [first + edge for edge in (start, stop) if 0 < edge < end - first]
    yield from (ChangePoint(edge, p) for edge in inner)
    for low, high in zip([first, *inner], [*inner, end], strict=True):
        yield from _found(part, low, high)


class Part:
    """Some nights that follow each other, whose sessions can be arranged anew.

    Values have the shape (rows, columns); those of a column could as well be in any other order.
    """

    def __init__(
        self, nights: Sequence[Floats], alpha: float, draws: np.random.Generator, *, matched: bool
    ) -> None:
        self.alpha, self._draws = alpha, draws
        self._counts = np.array([len(night) for night in nights])
        values = np.stack(nights) if matched else np.concatenate(nights)[:, None]
        self._values = values - values.mean(axis=0)
        self._starts = np.arange(len(nights)) if matched else np.cumsum(self._counts) - self._counts

    def p_of_stretch(self) -> tuple[float, int, int]:
        """Return the chance of a stretch as far from all others as the farthest, and where that is."""
        (height,), start, stop = farthest(self._sums(self._values[None]), self._counts)
        return self._p(lambda sums: farthest(sums, self._counts)[0], height), start, stop

    def p_of_cut(self, cut: int) -> float:
        """Return the chance that the nights before ``cut`` are as far from those behind as they are."""

        def reach(sums: Floats) -> Floats:
            return np.asarray(np.abs(sums[:, :cut].sum(axis=1)))

        return self._p(reach, reach(self._sums(self._values[None]))[0])

    def _p(self, reach: Callable[[Floats], Floats], seen: float) -> float:
        if seen <= _TINY:
            return 1.0

        def exceeds(number: int) -> npt.NDArray[np.bool_]:
            arranged = np.repeat(self._values[None], number, axis=0)
            self._draws.permuted(arranged, axis=1, out=arranged)
            return np.asarray(reach(self._sums(arranged)) >= seen * (1 - _TINY))

        return sampled_p(exceeds, self._values.size, math.ceil(_DRAWS / self.alpha))

    def _sums(self, values: Floats) -> Floats:
        """Return the sum of each night in each arrangement: shape (arrangements, nights)."""
        return np.add.reduceat(values.sum(axis=2), self._starts, axis=1)


def farthest(sums: Floats, counts: Counts) -> tuple[Floats, int, int]:
    """Return how far the mean of any stretch of nights is from that of all others, at most.

    Parameters
    ----------
    sums : array, shape (series, nights)
        Of the values of each night, of which all nights together have the sum 0.
    counts : array, shape (nights,)
        How many values a night has.

    Returns
    -------
    heights : array, shape (series,)
        The square of the sum of that stretch, over what its variance is proportional to.
    start, stop : int
        Of the first series: which nights that are.
    """
    ends = np.concatenate([np.zeros((len(sums), 1)), np.cumsum(sums, axis=1)], axis=1)
    sizes = np.concatenate([[0], np.cumsum(counts)])
    heights, where = np.zeros(len(sums)), (0, 0)
    for start in range(len(counts)):
        many = sizes[start + 1 :] - sizes[start]
        spread = (many * (sizes[-1] - many)).astype(float)
        spread[spread == 0] = np.inf  # all nights together: there are no others
        reached = (ends[:, start + 1 :] - ends[:, start : start + 1]) ** 2 / spread
        if reached[0].max() > heights[0]:
            where = (start, start + 1 + int(reached[0].argmax()))
        heights = np.maximum(heights, reached.max(axis=1))
    return heights, *where
