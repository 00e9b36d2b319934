"""The words of a command line, read one after the other."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from simlab.profile.nearest import quoted


class Words:
    """The words of a command from where it has been read to."""

    def __init__(self, words: Sequence[str]) -> None:
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
            raise ValueError(f"{what} is {told_word(word)}, {error}") from None

    def values(self, what: str, read: Callable[[str], Any], most: int, *, signed: bool = False) -> list[Any]:
        """Read further values, as many as there are."""
        found: list[Any] = []
        begins = r"-?[0-9.]" if signed else r"[0-9.]"
        while self and len(found) < most and re.match(begins, self._words[self._at]):
            found.append(self.value(what, read))
        return found

    def take(self, *known: str) -> str | None:
        """Return the next word if it is one of these."""
        if self and self._words[self._at] in known:
            return self.next("")
        return None


def told_word(word: str) -> str:
    """Quote a word of a script, and say so where a shell would put something else in its place."""
    return f"{quoted(word)} (a variable of the script)" if "$" in word else quoted(word)
