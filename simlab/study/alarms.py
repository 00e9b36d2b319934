"""Is tonight worse than it was? Exact tests, and one false alarm rate for all of a night's tests together."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Exceeds = Callable[[int], npt.NDArray[np.bool_]]

_ENUMERATED = 16
_ENOUGH = 50
_CHUNK = 2_000_000
_TINY = 1e-9


def p_worse_paired(differences: npt.ArrayLike, draws: np.random.Generator, most: int) -> float:
    """Return the chance of a mean difference this high or higher, if each could as well have the other sign.

    Exact where at most 16 pairs differ, by enumeration; else from random signs, by ``sampled_p``.

    Parameters
    ----------
    differences : array_like, shape (n,)
        Of each pair: tonight less before, so that higher is worse; less what is tolerated.
    most
        How many random signs to draw at most.

    Source: Fisher (1935), The Design of Experiments, section 21 (the randomisation test of paired data).
    """
    given = np.asarray(differences, dtype=float)
    given = given[np.abs(given) > _TINY]
    if not len(given):
        return 1.0
    reached = given.sum() - _TINY
    if len(given) <= _ENUMERATED:
        bits = np.arange(2 ** len(given))[:, None] >> np.arange(len(given)) & 1
        return float(((1 - 2 * bits) @ given >= reached).mean())

    def exceeds(number: int) -> npt.NDArray[np.bool_]:
        signs = draws.integers(0, 2, (number, len(given)), dtype=np.int8)
        return np.asarray((1 - 2 * signs) @ given >= reached)

    return sampled_p(exceeds, len(given), most)


def p_worse(
    tonight: npt.ArrayLike,
    before: npt.ArrayLike,
    draws: np.random.Generator,
    most: int,
    tolerated: float = 0.0,
) -> float:
    """Return the chance of a mean this much higher, if it were chance alone which values are tonight's.

    Valid for values of any distribution, whatever the two numbers of values, if tonight's could as well have
    been those of before.

    Parameters
    ----------
    tonight, before : array_like, shape (n,) and (m,)
        Higher is worse.
    tolerated
        What tonight's may be higher by.

    Source: Pitman (1937), J. R. Stat. Soc. Suppl. 4(1), 119-130.
    """
    new, old = np.asarray(tonight, dtype=float) - tolerated, np.asarray(before, dtype=float)
    every = np.concatenate([new, old])
    if not len(new) or not len(old) or np.ptp(every) <= _TINY:
        return 1.0
    reached = new.sum() - _TINY

    def exceeds(number: int) -> npt.NDArray[np.bool_]:
        chosen = _chosen(len(new), len(every), number, draws)
        return np.asarray(every[chosen].sum(axis=1) >= reached)

    return sampled_p(exceeds, len(every), most)


def _chosen(few: int, of: int, number: int, draws: np.random.Generator) -> npt.NDArray[np.intp]:
    """Choose some of many, each choice as likely as any other, ``number`` times: shape (number, few)."""
    if few * few > 2 * of:
        keys = draws.random((number, of), dtype=np.float32)
        return np.argpartition(keys, few - 1, axis=1)[:, :few]
    # Where few are chosen of many, hardly any choice has one twice, and those are thrown away.
    found = np.empty((0, few), dtype=np.intp)
    while len(found) < number:
        tried = draws.integers(0, of, (2 * number, few))
        ordered = np.sort(tried, axis=1)
        found = np.concatenate([found, tried[(ordered[:, 1:] != ordered[:, :-1]).all(axis=1)]])
    return found[:number]


def sampled_p(exceeds: Exceeds, width: int, most: int) -> float:
    """Return the p-value of a random test, which stops drawing when it is plain that nothing was found.

    The p-value is valid: under the null hypothesis it is at most x with a chance of at most x.

    Parameters
    ----------
    exceeds
        Draws that many random arrangements, and tells of each whether it is as extreme as what was seen.
    width
        How many values an arrangement has, to bound the memory.
    most
        How many to draw at most.

    Source: Besag and Clifford (1991), Biometrika 78(2), 301-304.
    """
    drawn, found, size = 0, 0, 200
    while drawn < most:
        number = min(size, most - drawn, max(1, _CHUNK // width))
        hits = np.cumsum(exceeds(number))
        if found + hits[-1] >= _ENOUGH:
            last = int(np.searchsorted(hits, _ENOUGH - found)) + 1
            return _ENOUGH / (drawn + last)
        drawn, found, size = drawn + number, found + int(hits[-1]), size * 4
    return (found + 1) / (drawn + 1)


def holm(p_values: Sequence[float], alpha: float) -> list[bool]:
    """Tell which of many tests reject, so that any wrong one does with a chance of at most ``alpha``.

    It holds whatever the tests have to do with each other.

    Source: Holm (1979), Scand. J. Stat. 6(2), 65-70.
    """
    order = sorted(range(len(p_values)), key=lambda one: p_values[one])
    rejected = [False] * len(p_values)
    for rank, one in enumerate(order):
        if p_values[one] > alpha / (len(p_values) - rank):
            break
        rejected[one] = True
    return rejected


def share_of_look(look: int, looks: int) -> float:
    """Return the share of alpha that is spent at one of several looks at growing data.

    The shares of all looks are 1 together, so that the chance of a wrong rejection at any of them is at most
    alpha, by Bonferroni's inequality. Most is kept for the last look, where there is most to see.

    Parameters
    ----------
    look
        From 1 to ``looks``.

    Source: the power family of Kim and DeMets (1987), Biometrika 74(1), 149-154, with rho = 2.
    """
    return (look / looks) ** 2 - ((look - 1) / looks) ** 2


def draws_for(tests: int, alpha: float) -> int:
    """Return how many random arrangements tell a p-value from the strictest level that Holm asks for."""
    return min(500_000, max(10_000, math.ceil(20 * tests / alpha)))
