"""``--vary KEY=VALUES``: keys of the profile that take several values in turn."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from simlab.core.errors import InvalidInputError
from simlab.profile.nearest import quoted
from simlab.profile.overrides import parse_key

_NUMBER = r"(-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+))"
_RANGE = re.compile(rf"({_NUMBER}([A-Za-z%/]*)\.\.{_NUMBER}([A-Za-z%/]*))(?::(.*))?")
_MOST_VALUES = 9999
_LIKE_A_RANGE = re.compile(r"[-+.]?[0-9][^\"'{}\[\]/]*\.\..*|\.\.\s*[-+.]?[0-9].*")
_WANT = 'want VALUE,VALUE… or LOW..HIGH:COUNT, such as "0%,5%,10%" or "2s..60s:30"'


def parse_vary(settings: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of each key.

    Raises
    ------
    InvalidInputError
        If anything is wrong, with every fault.
    """
    varied: dict[str, list[str]] = {}
    faults: list[str] = []
    for setting in settings:
        key, equals, text = setting.partition("=")
        if key.strip() in varied:
            faults.append(f"--vary {key}: is given twice: want all its values in one")
            continue
        try:
            parse_key(key.strip())
            varied[key.strip()] = values_of(text.strip() if equals else "")
        except ValueError as error:
            faults.append(f"--vary {key}: {error}")
    if faults:
        raise InvalidInputError(faults)
    return varied


def values_of(text: str) -> list[str]:
    """Return the values that a text stands for: a list, or evenly spaced ones.

    Raises
    ------
    ValueError
        If there are none, or a range makes no sense.
    """
    if ".." in text and "..." not in text and (match := _RANGE.fullmatch(re.sub(r"\s+", "", text))):
        ends, low, unit, high, unit_of_high, count = match.groups()
        if not re.fullmatch("[0-9]+", count or ""):
            missing = f"the count {'is missing' if not count else f'is {quoted(count)}'}"
            raise ValueError(f'{missing}, want how many values from one end to the other: "{ends}:5"')
        return _spaced(float(low), float(high), unit, unit_of_high, int(count))
    if _LIKE_A_RANGE.fullmatch(text):
        raise ValueError(f"{quoted(text)} is no range, {_WANT}")
    values = list(_split(text))
    if not all(values):
        raise ValueError(_WANT)
    _each_once(values)
    return values


def _each_once(values: Sequence[str]) -> None:
    value, number = Counter(values).most_common(1)[0]
    if number > 1:
        raise ValueError(f"{quoted(value)} is there {number} times, want each value once")


def _spaced(low: float, high: float, unit: str, unit_of_high: str, count: int) -> list[str]:
    if unit != unit_of_high:
        raise ValueError(f'want one unit at both ends, not "{unit}" and "{unit_of_high}"')
    if not 2 <= count <= _MOST_VALUES:
        raise ValueError(
            f"the count is {count}, want 2 to {_MOST_VALUES} values from one end to the other; "
            "a single value stands alone"
        )
    values = [f"{_rounded(low + (high - low) * number / (count - 1))}{unit}" for number in range(count)]
    _each_once(values)
    return values


def _rounded(value: float) -> str:
    return f"{round(value, 9):.12g}" if math.isfinite(value) else str(value)


def _split(text: str) -> Iterator[str]:
    """Split at commas outside brackets and braces."""
    depth, word = 0, ""
    for letter in text:
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and depth == 0:
            yield word.strip()
            word = ""
        else:
            word += letter
    yield word.strip()


def combinations(varied: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """Return every combination of the values, the last key's values changing first."""
    return [dict(zip(varied, values, strict=True)) for values in product(*varied.values())]
