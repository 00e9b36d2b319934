"""Files that a profile names: measured delays, recorded traces.

Nothing here opens a file: whoever loads a profile may hand over a reader, which returns the text of a file
that is named in the profile, and raises OSError where it cannot.
"""

import re
from collections.abc import Callable

from pydantic import ValidationInfo

from simlab.profile.nearest import quoted
from simlab.profile.units import parse_duration_s

Reader = Callable[[str], str]

_HEADERS = {"delay_s": "s", "delay_ms": "ms", "delay_us": "us"}


def file_text(file: str, info: ValidationInfo) -> str:
    """Return the text of a file that a profile names.

    Raises
    ------
    ValueError
        If no reader was handed over, or the file cannot be read.
    """
    reader: Reader | None = (info.context or {}).get("read")
    if reader is None:
        raise ValueError("want the values in the profile itself: no file can be read here")
    try:
        return reader(file)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise ValueError(f"the file {quoted(file)} cannot be read: {reason}") from None


def samples_of(text: str) -> tuple[float, ...]:
    """Read the first column of a CSV of delays, in seconds.

    Each is a duration with its unit, or a number below a header ``delay_s``, ``delay_ms`` or ``delay_us``.

    Raises
    ------
    ValueError
        If a line has no delay, or there is none; the message has the line's number.
    """
    unit, samples_s = "", []
    for number, line in enumerate(text.splitlines(), 1):
        word = line.partition(",")[0].strip()
        if number == 1 and word in _HEADERS:
            unit = _HEADERS[word]
        elif word:
            samples_s.append(_sample_s(word, unit, number))
    if not samples_s:
        raise ValueError("want at least one delay in the file")
    return tuple(samples_s)


def _sample_s(word: str, unit: str, number: int) -> float:
    try:
        return parse_duration_s(word + unit if re.fullmatch("[0-9.]+", word) else word)
    except ValueError:
        want = 'want a duration with its unit, or a number below a header such as "delay_ms"'
        raise ValueError(f"line {number} of the file is {quoted(word)}, {want}") from None


def opportunities_of(text: str) -> tuple[int, ...]:
    """Read a trace in Mahimahi's format: a whole number of milliseconds in each line.

    Raises
    ------
    ValueError
        If a line is anything else; the message has its number.
    """
    times: list[int] = []
    for number, line in enumerate(text.splitlines(), 1):
        word = line.strip()
        if not word:
            continue
        if not re.fullmatch("[0-9]{1,12}", word):
            raise ValueError(f"line {number} of the file is {quoted(word)}, want whole milliseconds")
        times.append(int(word))
    return tuple(times)
