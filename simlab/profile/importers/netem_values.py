"""Times, rates, sizes and chances as Linux's ``tc`` writes them.

Source: the manual pages tc(8) and tc-netem(8).
"""

import re
from decimal import Decimal

from simlab.profile.units import chance_text

_NUMBER = re.compile(r"([0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})([A-Za-z%]*)")
_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs"), "1"),
    **dict.fromkeys(("ms", "msec", "msecs"), "0.001"),
    **dict.fromkeys(("us", "usec", "usecs"), "0.000001"),
    **dict.fromkeys(("ns", "nsec", "nsecs"), "0.000000001"),
}
_BITS_PER_S = {
    "": 1,
    "bit": 1,
    "kbit": 10**3,
    "mbit": 10**6,
    "gbit": 10**9,
    "tbit": 10**12,
    "kibit": 2**10,
    "mibit": 2**20,
    "gibit": 2**30,
    "tibit": 2**40,
    "bps": 8,
    "kbps": 8 * 10**3,
    "mbps": 8 * 10**6,
    "gbps": 8 * 10**9,
    "tbps": 8 * 10**12,
    "kibps": 8 * 2**10,
    "mibps": 8 * 2**20,
    "gibps": 8 * 2**30,
    "tibps": 8 * 2**40,
}
_BYTES = {
    **dict.fromkeys(("", "b"), 1),
    **dict.fromkeys(("k", "kb"), 2**10),
    **dict.fromkeys(("m", "mb"), 2**20),
    **dict.fromkeys(("g", "gb"), 2**30),
    "kbit": 2**7,
    "mbit": 2**17,
    "gbit": 2**27,
}


def _parts(word: str, want: str) -> tuple[Decimal, str]:
    match = _NUMBER.fullmatch(word)
    if match is None:
        raise ValueError(want)
    return Decimal(match[1]), match[2].lower()


def time_of(word: str) -> float:
    """Read a time in seconds.

    Raises
    ------
    ValueError
        If it has no unit: what a bare number means is not the same in all places and versions of tc.
    """
    want = 'want a time with its unit (s, ms, us, ns), such as "100ms"'
    number, unit = _parts(word, want)
    if number == 0 and not unit:
        return 0.0
    if unit not in _SECONDS:
        raise ValueError(want)
    return float(number * Decimal(_SECONDS[unit]))


def chance_of(word: str) -> float:
    """Read a percentage, with or without its sign.

    Raises
    ------
    ValueError
        If it is none, or more than 100.
    """
    want = 'want a percentage, such as "0.3%"'
    number, unit = _parts(word, want)
    if unit not in ("", "%") or number > 100:
        raise ValueError(want)
    return float(number / 100)


def percent_text(chance: float) -> str:
    """Write a chance as a profile does, without what binary fractions add."""
    return chance_text(round(chance, 12))


def bytes_per_s_of(word: str) -> float:
    """Read a rate in bytes a second; ``mbit`` is Mbit/s, and ``mbps`` is megabytes a second, as in tc.

    Raises
    ------
    ValueError
        If it is none.
    """
    want = 'want a rate, such as "1mbit" (or "125kbps", which is kilobytes a second)'
    number, unit = _parts(word, want)
    if unit not in _BITS_PER_S:
        raise ValueError(want)
    return float(number * _BITS_PER_S[unit]) / 8


def bytes_of(word: str) -> int:
    """Read a size in bytes; ``k`` is 1024, and ``kbit`` an eighth of that, as in tc.

    Raises
    ------
    ValueError
        If it is none.
    """
    want = 'want a size, such as "20k"'
    number, unit = _parts(word, want)
    if unit not in _BYTES:
        raise ValueError(want)
    return int(number * _BYTES[unit])
