"""Several policies of which it does not matter yet which one a session follows."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from simlab.reconnect.rules import Rules

T = TypeVar("T")

Choose = Callable[[Sequence[Sequence[int]]], Sequence[int]]
"""Called with groups of policies that want different things; returns the group to go on with."""


def _first(groups: Sequence[Sequence[int]]) -> Sequence[int]:
    return groups[0]


class Alternatives:
    """Policies that a session follows all at once, as long as they want the same.

    Everything that a session does because of its policy depends on what the policy wants, so until two of
    them want different things, a session with one is a session with the other.

    Parameters
    ----------
    rules
        Makes the rules of a policy anew, as a client does that starts.
    kept
        The policies, each by a number.
    choose
        Settles which of them to go on with, once they want different things; by default the first ones.
    """

    def __init__(
        self, rules: Callable[[int], Rules], kept: Sequence[int] = (0,), choose: Choose = _first
    ) -> None:
        self._rules = rules
        self._choose = choose
        self.kept = list(kept)

    def of_another(self, rules: Callable[[int], Rules]) -> "Alternatives":
        """Return the same policies with another client's rules: what one settles is settled for all."""
        other = copy.copy(self)
        other._rules = rules
        return other

    def all_rules(self) -> Iterator[tuple[int, Rules]]:
        """Yield the rules of those that are left, each with its number."""
        for number in self.kept:
            yield number, self._rules(number)

    def agree(self, wanted: Mapping[int, T]) -> T:
        """Return what those that are left want, after a choice among them if they do not want the same.

        Parameters
        ----------
        wanted
            What each of those that are left wants.
        """
        groups: list[list[int]] = []
        for number in self.kept:
            for group in groups:
                if wanted[group[0]] == wanted[number]:
                    group.append(number)
                    break
            else:
                groups.append([number])
        if len(groups) > 1:
            self.kept[:] = self._choose(groups)
        return wanted[self.kept[0]]
