"""Who is calling, and where."""

from types import FrameType

from simlab.own_server.whose import is_installed, is_stdlib

_PASSED_OVER = ("simlab", "anyio", "asyncio")


def caller(frame: FrameType | None, own_code_alone: bool) -> str | None:
    """Return the module, line and function that is calling, with Python and the simulator passed over.

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
            return f"{module}, line {frame.f_lineno}, in {frame.f_code.co_name}"
        frame = frame.f_back
    return None
