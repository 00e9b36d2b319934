"""How a validator says that several keys are wrong together."""

from collections.abc import Sequence

Path = tuple[str | int, ...]


class FaultyKeysError(ValueError):
    """Some keys are wrong, each by itself fine but not beside the others.

    Parameters
    ----------
    faults
        For each, the path of its key below the validated value, and what is wanted of it.
    """

    def __init__(self, faults: Sequence[tuple[Path, str]]) -> None:
        super().__init__("; ".join(want for _, want in faults))
        self.faults = tuple(faults)
