"""When a cell of a study has seen enough: its success rate is known as closely as was asked for."""

import math
from statistics import NormalDist

_Z = NormalDist().inv_cdf(0.975)
_GROWTH = 8


def width(succeeded: int, sessions: int) -> float:
    """Return how wide Wilson's 95 % interval of a success rate is, 0 to 1.

    Source: Wilson (1927), J. Am. Stat. Assoc. 22(158), 209-212.
    """
    if sessions == 0:
        return 1.0
    share, z2 = succeeded / sessions, _Z * _Z
    spread = math.sqrt(share * (1 - share) / sessions + z2 / (4 * sessions * sessions))
    return 2 * _Z * spread / (1 + z2 / sessions)


def looks(most: int, until_width: float | None) -> list[int]:
    """Return after how many sessions of a cell its interval is looked at; the last number is ``most``.

    The first look is where the interval could be narrow enough at the earliest, with all sessions alike. Each
    further one is an eighth later: the fewer the looks, the less an interval suffers from being looked at.

    Parameters
    ----------
    most
        How many sessions there may be.
    until_width
        How wide the interval may be; None looks at nothing before the end.
    """
    if until_width is None:
        return [most]
    first = math.ceil(_Z * _Z * (1 - until_width) / until_width - 1e-9)
    found, count = [], max(1, first)
    while count < most:
        found.append(count)
        count += max(1, count // _GROWTH)
    return [*found, most]
