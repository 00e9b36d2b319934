"""Errors that a user can act on; anything else that is raised is a bug in simlab."""

from collections.abc import Sequence
from types import TracebackType


class _ShownOutside(BaseException):
    """What a notebook shows with the lines of the user's own that led to it, and none of simlab's inside."""

    def _render_traceback_(self) -> list[str]:
        from IPython import get_ipython  # it calls this, so it is there

        shown = get_ipython().InteractiveTB
        lines: list[str] = shown.structured_traceback(
            type(self), self, _outside(self.__traceback__), tb_offset=1
        )
        return lines


def _outside(trace: TracebackType | None) -> TracebackType | None:
    if trace is None or trace.tb_frame.f_globals.get("__name__", "").partition(".")[0] == "simlab":
        return None
    return TracebackType(_outside(trace.tb_next), trace.tb_frame, trace.tb_lasti, trace.tb_lineno)


class Interrupted(_ShownOutside, KeyboardInterrupt):
    """The user wanted an end; the message says what is kept of what was over by then."""


class SimlabError(_ShownOutside, Exception):
    """The parent of every error that is shown to the user as a message, without a traceback."""


class VirtualClockWarning(UserWarning):
    """Code of the user's own reaches past the virtual clock, so its session is not what its seed says."""


class InvalidInputError(SimlabError):
    """A profile, a policy, a suite or a command line is wrong.

    Parameters
    ----------
    faults
        Sentences, one for each fault; each names the file and the key.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class SessionFailedError(SimlabError):
    """A session could not be run to its end.

    Parameters
    ----------
    stage
        What was being done: ``"relay"``, ``"server"``, ``"session"`` and so on.
    reason
        Why it ended, as a sentence.
    """

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(f"{stage}: {reason}")
        self.stage = stage
        self.reason = reason
