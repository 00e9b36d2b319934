"""Errors that a user can act on; anything else that is raised is a bug in simlab."""

from collections.abc import Sequence


class SimlabError(Exception):
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
