"""The modules of ``MODULE:NAME``, which users write, and in a notebook write again."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MAIN = "__main__"
IN_MAIN = (
    "which other processes cannot import, want a module in a file: "
    "in a notebook, %%writefile mine.py makes one of a cell"
)
_changed_ns: dict[str, int | None] = {}


@contextmanager
def as_its_file_is(name: str) -> Iterator[None]:
    """Import a module inside, again if its file has changed since it was imported so."""
    if name in _changed_ns and _changed_ns[name] != _file_ns(name):
        sys.modules.pop(name, None)
    yield
    _changed_ns[name] = _file_ns(name)


def _file_ns(name: str) -> int | None:
    """Return when the file of a module was changed; None if it is not imported, or has no file."""
    file = getattr(sys.modules.get(name), "__file__", None)
    try:
        return None if file is None else Path(file).stat().st_mtime_ns
    except OSError:  # it is gone, and what was imported of it is all there is
        return _changed_ns.get(name)
