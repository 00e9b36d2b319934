"""Durations, rates, sizes and chances: from a profile's text to SI numbers, and back without loss.

Numbers go through ``Decimal``, so ``"40ms"`` is the float 0.04, and a number that was written out as text
reads back as the same float.
"""

import re
from decimal import Decimal

# Thirty digits are more than any quantity needs, and keep Decimal from overflowing.
_QUANTITY = re.compile(r"([+-]?[0-9]{1,30}(?:\.[0-9]{1,400})?) ?([A-Za-z/%]+)")

_SECONDS = {"us": "0.000001", "ms": "0.001", "s": "1", "min": "60", "h": "3600"}
_BYTES_PER_S = {"bit/s": "0.125", "kbit/s": "125", "Mbit/s": "125000", "Gbit/s": "125000000"}
_BYTES = {"B": "1", "kB": "1000", "MB": "1000000", "KiB": "1024", "MiB": "1048576"}
_SHARE = {"%": "0.01"}

DURATION_PATTERN = r"^[0-9]+(\.[0-9]+)? ?(us|ms|s|min|h)$"
RATE_PATTERN = r"^[0-9]+(\.[0-9]+)? ?(bit|kbit|Mbit|Gbit)/s$"
SIZE_PATTERN = r"^[0-9]+(\.[0-9]+)? ?(B|kB|MB|KiB|MiB)$"
CHANCE_PATTERN = r"^[0-9]+(\.[0-9]+)? ?%$"

_WANT_DURATION = 'want a duration with its unit (us, ms, s, min, h), such as "40ms"'
_WANT_RATE = 'want a rate with its unit (bit/s, kbit/s, Mbit/s, Gbit/s), such as "2Mbit/s"'
_WANT_SIZE = 'want a size with its unit (B, kB, MB, KiB, MiB), such as "64KiB"'
_WANT_CHANCE = 'want a chance, such as "3%" or 0.03'


def _quantity(value: object, units: dict[str, str], want: str) -> Decimal:
    if not isinstance(value, str):
        if isinstance(value, bool) or value != 0:
            raise ValueError(want)
        return Decimal(0)
    match = _QUANTITY.fullmatch(value.strip())
    if match is None or match[2] not in units:
        raise ValueError(want)
    if match[1].startswith("-"):
        raise ValueError("want 0 or more")
    return Decimal(match[1]) * Decimal(units[match[2]])


def parse_duration_s(value: object) -> float:
    """Read ``"40ms"``, ``"2s"``, ``"1min"`` or 0 as seconds.

    Raises
    ------
    ValueError
        If it has no unit or an unknown one, or is negative; the message says what is wanted.
    """
    return float(_quantity(value, _SECONDS, _WANT_DURATION))


def parse_rate_bytes_per_s(value: object) -> float:
    """Read ``"2Mbit/s"`` as bytes per second.

    Raises
    ------
    ValueError
        If it has no unit or an unknown one, or is not more than 0.
    """
    rate_bytes_per_s = float(_quantity(value, _BYTES_PER_S, _WANT_RATE))
    if rate_bytes_per_s <= 0:
        raise ValueError("want more than 0")
    return rate_bytes_per_s


def parse_size_bytes(value: object) -> int:
    """Read ``"64KiB"``, ``"1500B"`` or 0 as bytes.

    Raises
    ------
    ValueError
        If it has no unit or an unknown one, or is negative, or is not a whole number of bytes.
    """
    size_bytes = _quantity(value, _BYTES, _WANT_SIZE)
    if size_bytes != size_bytes.to_integral_value():
        raise ValueError("want a whole number of bytes")
    return int(size_bytes)


def parse_chance(value: object) -> float:
    """Read ``"3%"`` or 0.03 as a number from 0 to 1.

    Raises
    ------
    ValueError
        If it is no chance.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        value = _quantity(value, _SHARE, _WANT_CHANCE)
    if value < 0:
        raise ValueError("want 0 or more")
    chance = float(min(value, 2)) + 0.0  # a whole number may be too large for a float, and -0.0 is 0.0
    if not chance <= 1:
        raise ValueError("want 1 (100%) or less")
    return chance


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _exact(number: float) -> Decimal:
    return Decimal(repr(float(number)))


def duration_text(duration_s: float) -> str:
    """Write seconds so that ``parse_duration_s`` reads the same float."""
    if 0 < duration_s < 1:
        return _plain(_exact(duration_s) * 1000) + "ms"
    return _plain(_exact(duration_s)) + "s"


def rate_text(rate_bytes_per_s: float) -> str:
    """Write bytes per second so that ``parse_rate_bytes_per_s`` reads the same float."""
    bits_per_s = _exact(rate_bytes_per_s) * 8
    for unit, size in (("Mbit/s", 1_000_000), ("kbit/s", 1_000)):
        if bits_per_s >= size:
            return _plain(bits_per_s / size) + unit
    return _plain(bits_per_s) + "bit/s"


def size_text(size_bytes: int) -> str:
    """Write bytes so that ``parse_size_bytes`` reads the same number."""
    if size_bytes and size_bytes % 1024 == 0:
        return f"{size_bytes // 1024}KiB"
    return f"{size_bytes}B"


def chance_text(chance: float) -> str:
    """Write a chance so that ``parse_chance`` reads the same float."""
    return _plain(_exact(chance) * 100) + "%"
