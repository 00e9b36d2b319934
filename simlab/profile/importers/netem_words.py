"""The words of a command line, read one after the other."""

import re
from collections.abc import Callable
from typing import Any

from simlab.profile.nearest import quoted


class Words:
    """The words of a command from where it has been read to."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._words)

    def next(self, want: str) -> str:
        """Return the next word.

        Raises
        ------
        ValueError
            If there is none; the message says what is wanted.
        """
        if not self:
            raise ValueError(f"want {want} at the end of the command")
        self._at += 1
        return self._words[self._at - 1]

    def value(self, what: str, read: Callable[[str], Any]) -> Any:
        """Read the next word as a value.

        Raises
        ------
        ValueError
            If there is none, or it is no such value.
        """
        word = self.next(what)
        try:
            return read(word)
        except ValueError as error:
            raise ValueError(f"{what} is {quoted(word)}, {error}") from None

    def values(self, what: str, read: Callable[[str], Any], most: int) -> list[Any]:
        """Read further values, as many as there are."""
        found: list[Any] = []
        while self and len(found) < most and re.match(r"[0-9.]", self._words[self._at]):
            found.append(self.value(what, read))
        return found

    def take(self, *known: str) -> str | None:
        """Return the next word if it is one of these."""
        if self and self._words[self._at] in known:
            return self.next("")
        return None
