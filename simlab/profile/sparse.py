"""The fewest keys that say the same as a profile."""

import tomllib
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import tomli_w

from simlab.core.errors import InvalidInputError
from simlab.profile.load import checked
from simlab.profile.model import Profile

Tables = dict[str, Any]


def sparse(profile: Profile) -> Tables:
    """Return the tables of a profile without the keys that say what is so without them.

    ``checked`` of them gives the same profile, whose name is among them.
    """
    tables = tomllib.loads(tomli_w.dumps(profile.to_toml()))

    def says_the_same() -> bool:
        try:
            return checked(deepcopy(tables), "") == profile
        except InvalidInputError:
            return False

    _prune(tables, says_the_same)
    return {"name": profile.name, **tables}


def _prune(table: Tables, says_the_same: Callable[[], bool]) -> None:
    for key in list(table):
        value = table.pop(key)
        if says_the_same():
            continue
        table[key] = value  # what is kept comes behind the rest, each in its turn, so the order stays
        for inner in _tables_in(value):
            _prune(inner, says_the_same)


def _tables_in(value: Any) -> Iterator[Tables]:
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
