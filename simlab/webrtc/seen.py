"""Which numbers have arrived, in little memory where they come in a row."""

from typing import Any


class Seen:
    """A set of the numbers from 0 on; of those before the first one that is missing, only how many are kept.

    An hour of messages has 36,000 each way, which take 3 MB as a set.
    """

    def __init__(self) -> None:
        self._row = 0
        self._beyond: set[Any] = set()

    def add(self, number: Any) -> bool:
        """Take in a number, or whatever a peer sends as one, and tell whether it is new.

        Raises
        ------
        TypeError
            If it is not hashable.
        """
        if number in self._beyond or number in range(self._row):
            return False
        self._beyond.add(number)
        while self._row in self._beyond:
            self._beyond.remove(self._row)
            self._row += 1
        return True
