"""Import libraries without what they bring along for others: a quarter of a second, 16 MB a process.

httpx imports its command line, with rich and pygments; httpcore imports trio, in case somebody runs it
there; time-machine imports pytest, where that is installed, for a fixture, and dateutil for times that are
given as texts.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any


@contextmanager
def left_out(*names: str) -> Iterator[None]:
    """Let these modules not be found meanwhile, but for those that are there already."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules |= dict.fromkeys(absent)  # type: ignore[arg-type]  # None is what says so
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


class _Later:
    """Stand in for a module that is imported when something in it is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)


def _parse_datetime(*args: Any, **options: Any) -> Any:
    return import_module("dateutil.parser").parse(*args, **options)


with left_out("httpx._main", "trio"):
    import httpx
    from httpcore import _synchronization  # httpx imports httpcore with its first client
with left_out("pytest", "dateutil.parser"):
    import time_machine

_names = vars(_synchronization)
if _names.get("trio", ...) is None:  # left out, and not missing: simlab needs it elsewhere
    _names["trio"] = _Later("trio")
if not vars(time_machine).get("HAVE_DATEUTIL", True) and find_spec("dateutil") is not None:
    vars(time_machine).update(HAVE_DATEUTIL=True, parse_datetime=_parse_datetime)


__all__ = ["httpx", "time_machine"]
