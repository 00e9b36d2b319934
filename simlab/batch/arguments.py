"""What is wrong with the arguments of what ``import simlab`` offers, told before anything begins."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from numbers import Integral, Real
from os import PathLike, fspath
from typing import Any, NamedTuple, ParamSpec, TypeVar

from simlab.core.errors import InvalidInputError
from simlab.core.limits import MOST_SEEDS
from simlab.profile.nearest import one_of, quoted

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class _Wanted(NamedTuple):
    """What an argument must be: a test, and the same in words."""

    holds: Callable[[Any], bool]
    told: str


def _is_path(value: Any) -> bool:
    return isinstance(value, str | PathLike)


def _are_texts(value: Any) -> bool:
    return isinstance(value, tuple) and all(map(_is_path, value))


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, Real)


def _is_whole(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, Integral)


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


def _is_axes(value: Any) -> bool:
    from matplotlib.axes import Axes

    return isinstance(value, Axes)


def _optional(wanted: _Wanted) -> _Wanted:
    return _Wanted(lambda value: value is None or wanted.holds(value), f"{wanted.told}, or None")


def _whole(least: int) -> _Wanted:
    return _Wanted(lambda value: _is_whole(value) and value >= least, f"a whole number of {least} or more")


_SEEDS = _Wanted(
    lambda value: _is_whole(value) and 1 <= value <= MOST_SEEDS, f"a whole number from 1 to {MOST_SEEDS:,}"
)


_PATH = _Wanted(_is_path, "a text or a path")
_TEXT = _Wanted(lambda value: isinstance(value, str), "a text")
_TEXTS = _Wanted(_are_texts, "a name, or several in a list")
_FLAG = _Wanted(lambda value: isinstance(value, bool), "True or False")
_CLOCK = _Wanted(lambda value: value is None or value in ("virtual", "real"), '"virtual", "real" or None')

_WANTED = {
    **dict.fromkeys(("profile", "suite", "folder", "file", "before", "after"), _PATH),
    **dict.fromkeys(("policy", "out", "trend", "socket"), _optional(_PATH)),
    **dict.fromkeys(("profiles", "policies", "kinds", "invariants"), _TEXTS),
    **dict.fromkeys(("capture", "accept", "compiled"), _FLAG),
    "seeds": _SEEDS,
    "faults": _whole(1),
    "ax": _optional(_Wanted(_is_axes, "Axes of matplotlib")),
    "seed": _optional(_whole(0)),
    "jobs": _optional(_whole(1)),
    **dict.fromkeys(("tries", "worst"), _whole(0)),
    "clock": _CLOCK,
    "set": _Wanted(_is_table, 'a dict, as in {"link.delay": "40ms"}'),
    "vary": _Wanted(_is_table, 'a dict of lists, as in {"link.loss": ["1%", "5%"]}'),
    "tolerance": _Wanted(_is_table, 'a dict, as in {"success_rate": "2%"}'),
    "watch": _optional(_Wanted(callable, "a function")),
    "until_width": _optional(_Wanted(_is_number, "a number")),
    **dict.fromkeys(("executor", "to", "listen", "query"), _TEXT),
    "resume": _Wanted(lambda value: isinstance(value, bool) or _is_path(value), "True, False or a folder"),
}


def check(**given: Any) -> None:
    """Look at the types of arguments, by their names: each means the same wherever it is one.

    Raises
    ------
    InvalidInputError
        With every argument that is something else than is wanted.
    """
    faults = [
        f"{name} is {_shown(value)}, want {_WANTED[name].told}"
        for name, value in given.items()
        if not _WANTED[name].holds(value)
    ]
    faults += _without_values(given.get("vary"))
    if faults:
        raise InvalidInputError(faults)


def columns(name: str, given: Any, known: Collection[str]) -> tuple[str, ...]:
    """Return the columns that an argument names: one, or several.

    Raises
    ------
    InvalidInputError
        With every one that is none of ``known``.
    """
    named = (given,) if isinstance(given, str) else tuple(given) if _is_listed(given) else None
    if named is None:
        raise InvalidInputError([f"{name} is {_shown(given)}, want a column, or several in a list"])
    wrong = [one for one in named if not isinstance(one, str) or one not in known]
    if wrong:
        raise InvalidInputError([f"{name} is {_shown(one)}, {one_of(str(one), known)}" for one in wrong])
    return named


def several(names: Any) -> Any:
    """Return names as a tuple of texts, one that stands alone, too; what else it may be as it is."""
    if isinstance(names, str | PathLike):
        return (fspath(names),)
    if not _is_listed(names):
        return names
    return tuple(fspath(name) if _is_path(name) else name for name in names)


def _is_listed(values: Any) -> bool:
    return isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping)


def lists_in(vary: Any) -> Any:
    """Return the values of each key that varies as a list; what else they may be as it is."""
    if not _is_table(vary):
        return vary
    return {key: list(values) if _is_listed(values) else values for key, values in vary.items()}


def _without_values(vary: Any) -> Iterator[str]:
    for key, values in vary.items() if _is_table(vary) else ():
        if not isinstance(values, list):
            yield f"vary {key} is {_shown(values)}, want {_WANTED['vary'].told}"
        elif not values:
            yield f"vary {key} is [], want a value or more"


def _shown(value: Any) -> str:
    text = quoted(value) if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


class Faults:
    """What is wrong with several things that do not depend on each other, to be told at once."""

    def __init__(self) -> None:
        self._found: list[str] = []

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep what the body finds wrong; it ends there, and what follows it goes on."""
        try:
            yield
        except InvalidInputError as error:
            self._found += error.faults

    def tell(self) -> None:
        """Raise what was found.

        Raises
        ------
        InvalidInputError
            With all of it, each fault once.
        """
        if self._found:
            raise InvalidInputError(list(dict.fromkeys(self._found)))


def told_as_arguments(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """Name an argument in what is wrong as Python has it, and not as the option that does the same."""

    @wraps(function)
    def told(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        try:
            return function(*args, **kwargs)
        except InvalidInputError as error:
            raise InvalidInputError([_argument_in(fault) for fault in error.faults]) from None

    return told


def _argument_in(fault: str) -> str:
    return re.sub(r"^--([a-z][a-z-]*)", lambda option: option[1].replace("-", "_"), fault)
