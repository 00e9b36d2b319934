"""From TOML text to tables."""

import tomllib
from typing import Any

from simlab.core.errors import InvalidInputError

LONGEST_TEXT = 10_000_000
"""Characters; a profile is a page or two."""


def parsed(text: str, file: str) -> dict[str, Any]:
    """Return the tables of a TOML text.

    Raises
    ------
    InvalidInputError
        If it is none, with the file and the place.
    """
    if len(text) > LONGEST_TEXT:
        much = f"{len(text)} characters are too many for a profile (10 MB at most)"
        raise InvalidInputError([f"{file}: {much}"])
    try:
        text.encode()
        return tomllib.loads(text)
    except UnicodeEncodeError:
        fault = "the text is not UTF-8"
    except RecursionError:
        fault = "lists or tables are nested too deep"
    except tomllib.TOMLDecodeError as error:
        fault = _where_first(str(error), text.count("\n") + 1)
    except ValueError:
        fault = "a whole number is too long"  # Python reads 4300 digits at most
    raise InvalidInputError([f"{file}: {fault}"])


def _where_first(message: str, last_line: int) -> str:
    what, _, place = message.removesuffix(")").rpartition(" (at ")
    return f"{place.replace('end of document', f'line {last_line}, at its end')}: {what}"
