"""Who is calling, and where."""

from types import FrameType
from typing import NamedTuple

from simlab.own_server.whose import is_installed, is_stdlib

_PASSED_OVER = ("simlab", "anyio", "asyncio")


class Caller(NamedTuple):
    """A line of somebody's code."""

    module: str
    line: int
    function: str
    file: str

    def __str__(self) -> str:
        return f"{self.module}, line {self.line}, in {self.function}"


def caller(frame: FrameType | None, own_code_alone: bool) -> Caller | None:
    """Return the line that is calling, with Python and the simulator passed over.

    Parameters
    ----------
    own_code_alone
        Whether to return None for an installed library, too.
    """
    while frame is not None:
        module, file = frame.f_globals.get("__name__", ""), frame.f_code.co_filename
        if module.partition(".")[0] not in _PASSED_OVER and not is_stdlib(file):
            if own_code_alone and is_installed(file):
                return None
            return Caller(module, frame.f_lineno, frame.f_code.co_name, file)
        frame = frame.f_back
    return None
